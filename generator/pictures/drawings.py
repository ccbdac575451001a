"""SVG: told from HTML and other XML, measured, and drawn apart.

It is kept as a file and never shown inline; what is shown is a copy made of pixels.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from generator.errors import BadPicture

MAX_SVG_BYTES = 5 * 1024 * 1024

_RASTERISER = Path(__file__).with_name("rasteriser.py")
_PATIENCE = 20.0  # seconds; the rasteriser's own limit counts only what the processor worked

_SVG = "http://www.w3.org/2000/svg"
_LENGTH = re.compile(r"\s*(\d{1,6})(?:\.\d*)?(?:px)?\s*")
_SEPARATOR = re.compile(r"[\s,]+")


@dataclass(frozen=True, slots=True)
class Drawing:
    """The size in pixels (0 where the drawing does not say) and where its bytes end."""

    width: int
    height: int
    end: int


def could_be_drawing(data: bytes) -> bool:
    """Whether the bytes begin as XML does. HTML and other XML begin so, too."""
    return data[:512].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def read_drawing(data: bytes) -> Drawing:
    """Read XML up to the end of its root, which must be `<svg>`.

    Entities are refused where they are declared, so there is nothing to expand, and nothing
    outside is ever loaded. Raises `BadPicture` for all else than one whole drawing in UTF-8.
    """
    if len(data) > MAX_SVG_BYTES:
        raise BadPicture("The drawing is too large: SVG may have up to 5 MB.")
    return _Reader().read(data)


def drawn(data: bytes, *, edge: int) -> bytes:
    """The drawing as a PNG that fits into a square of `edge` pixels, by `rasteriser.py`.

    Raises `BadPicture` for what is no drawing, and for one that takes too much to draw.
    """
    drawing = read_drawing(data)
    command = [sys.executable, "-I", str(_RASTERISER), str(edge)]
    try:
        found = subprocess.run(
            command,
            input=data[: drawing.end],
            env={},
            capture_output=True,
            check=True,
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BadPicture("The drawing is too large or too odd for a preview.") from error
    return found.stdout


class _Reader:
    """What the parser says of the root, up to the place where it closes."""

    def __init__(self) -> None:
        self._depth = 0
        self._size = (0, 0)
        self._closing: int | None = None
        self._parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        self._parser.StartElementHandler = self._open
        self._parser.EndElementHandler = self._close
        self._parser.EntityDeclHandler = self._refuse_entity

    def read(self, data: bytes) -> Drawing:
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            # What comes after the root is cut off, and need not be XML.
            if self._closing is None:
                raise BadPicture("The file is no image, or a drawing cut short.") from error
        return Drawing(*self._size, end=self._end(data))

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        if self._depth == 0:
            if name not in ("svg", f"{_SVG} svg"):
                raise BadPicture("The file is no image.")
            self._size = _size(attributes)
        self._depth += 1

    def _close(self, name: str) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._closing = self._parser.CurrentByteIndex

    def _refuse_entity(self, *declaration: object) -> None:
        raise BadPicture("The drawing declares entities, which we do not read.")

    def _end(self, data: bytes) -> int:
        # A root that closes in its own tag holds nothing; and where that tag ends is hard to say.
        if self._closing is None or not data.startswith(b"</", self._closing):
            raise BadPicture("The drawing is empty.")
        return data.index(b">", self._closing) + 1


def _size(attributes: dict[str, str]) -> tuple[int, int]:
    width, height = (_LENGTH.fullmatch(attributes.get(side, "")) for side in ("width", "height"))
    if width and height:
        return int(width[1]), int(height[1])
    box = _SEPARATOR.split(attributes.get("viewBox", "").strip())
    sides = [_LENGTH.fullmatch(side) for side in box[2:4]]
    if len(box) == 4 and sides[0] and sides[1]:
        return int(sides[0][1]), int(sides[1][1])
    return 0, 0
