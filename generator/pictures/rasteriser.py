"""A program of its own: draws the SVG on its standard input and writes it as PNG.

An SVG is half a programming language: it can name files, nest itself without end, and ask for
more memory than there is. So it is drawn apart from the studio, in a process that may open no file
and no connection, that has no environment, and that the system ends when it takes too much.

    python -I rasteriser.py EDGE < drawing.svg > drawing.png

The drawing fits into a square of EDGE pixels. Scripts are not run, and texts are not drawn: that
would take fonts, which are files.
"""

import resource
import sys

import resvg_py

CPU_SECONDS = 3
MEMORY = 1 << 30  # bytes; macOS does not hold a process to it


def main() -> None:
    """Read all, give up what could do harm, draw, write."""
    edge = int(sys.argv[1])
    drawing = sys.stdin.buffer.read().decode("utf-8-sig")
    for limit, most in (
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY),
    ):
        resource.setrlimit(limit, (most, most))
    image = resvg_py.svg_to_bytes(
        svg_string=drawing, width=edge, height=edge, skip_system_fonts=True
    )
    sys.stdout.buffer.write(image)


if __name__ == "__main__":
    main()
