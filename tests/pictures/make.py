"""Small images made on the spot, and files taken apart by hand."""

import random
import struct
import zlib
from io import BytesIO

from PIL import Image

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><path d="M0 0h9"/></svg>'


def make_image(mode: str = "RGB", size: tuple[int, int] = (40, 30)) -> Image.Image:
    """Noise, so that a lost or moved pixel shows; transparent in part where the mode can be."""
    noise = random.Random(f"{mode}{size}")
    width, height = size
    if mode == "I;16":
        values = struct.pack(
            f"<{width * height}H", *(noise.randrange(65536) for _ in range(width * height))
        )
        return Image.frombytes("I;16", size, values)
    bands = len(Image.new(mode, (1, 1)).getbands())
    image = Image.frombytes(mode, size, noise.randbytes(width * height * bands))
    if mode == "P":
        image.putpalette(noise.randbytes(768))
    return image


def encode(image: Image.Image, format: str, **options: object) -> bytes:
    target = BytesIO()
    image.save(target, format, **options)
    return target.getvalue()


def pixels(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    """What another program would see: mode, size and every pixel as Pillow decodes it."""
    with Image.open(BytesIO(data)) as image:
        return image.mode, image.size, image.tobytes()


def colours(data: bytes) -> list[tuple[int, ...]]:
    """The same in RGBA, for files whose header may now say that there could be alpha."""
    with Image.open(BytesIO(data)) as image:
        return list(image.convert("RGBA").get_flattened_data())


def png_chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def raw_png(width: int, height: int, *, packed: bytes, extra: bytes = b"") -> bytes:
    """An RGB PNG put together by hand, whatever its header says of the bytes within."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    ending = png_chunk(b"IDAT", packed) + png_chunk(b"IEND")
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + extra + ending


def png_of(header: bytes, lines: bytes) -> bytes:
    """A PNG of this IHDR and these filtered rows."""
    ending = png_chunk(b"IDAT", zlib.compress(lines)) + png_chunk(b"IEND")
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + ending


def black_rows(width: int, height: int) -> bytes:
    """That many rows of black RGB pixels, packed without ever being held whole."""
    packer = zlib.compressobj(1)
    row = bytes(1 + 3 * width)
    return b"".join(packer.compress(row) for _ in range(height)) + packer.flush()


def with_size(jpeg: bytes, width: int, height: int) -> bytes:
    """A baseline JPEG whose header lies about its size."""
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


def orientation_exif(turn: int, *, big_endian: bool = False) -> bytes:
    order, head = (">", b"MM") if big_endian else ("<", b"II")
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, turn, 0)
    return b"Exif\0\0" + head + struct.pack(f"{order}HIH", 42, 8, 1) + entry + bytes(4)
