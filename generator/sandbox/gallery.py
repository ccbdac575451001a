"""Painted images as files, kept for a while: the same wish is painted once.

A file has exactly the size and format asked for. For benches it can also have a weight: then
there is one picture per size and format, padded with noise, and serving it again costs nothing.
"""

import base64
import hashlib
import io
import os
import struct
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

from PIL import Image, ImageChops

from generator.sandbox import paint, vectors
from generator.sandbox.canvas import Size

MEDIA_TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "svg": "image/svg+xml",
}

_PROMISES = 5000


@dataclass(frozen=True, slots=True)
class Wish:
    """What to paint. `format` is png, jpeg, webp or svg; `compression` 0 to 100, 100 keeps most.

    `item` names a file that was made already and is kept (`Gallery.keep`).
    """

    seed: int
    size: Size
    format: str = "png"
    compression: int = 90
    transparent: bool = False
    item: str = ""

    def of_another_format(self) -> "Wish":
        """The same in a file that lies about what it is."""
        other = "jpeg" if self.format != "jpeg" else "png"
        return replace(self, format=other, transparent=False, item="")


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file, and the same in base64."""

    data: bytes
    text: str


class Gallery:
    """A cache of pictures, bounded in number and in bytes; safe to share between threads."""

    def __init__(self, weight: int | None = None, places: int = 64, room: int = 96_000_000) -> None:
        """`weight`: about how many bytes every file should have; None for its natural size."""
        self._weight = weight
        self._places = places
        self._room = room
        self._kept: OrderedDict[Wish, Picture] = OrderedDict()
        self._items: OrderedDict[str, bytes] = OrderedDict()
        self._promised: OrderedDict[str, Callable[[], bytes]] = OrderedDict()
        self._lock = threading.Lock()
        # More painters than processors would only slow each other down.
        self._easels = threading.BoundedSemaphore(os.cpu_count() or 1)

    def picture(self, wish: Wish) -> Picture:
        """The picture of a wish, painted now or kept from before."""
        if wish.item and (data := self._item(wish.item)) is not None:
            return Picture(data, encode64(data))
        if self._weight is not None:
            wish = replace(wish, seed=0)
        with self._lock:
            found = self._look(wish)
        if found is not None:
            return found
        with self._easels:
            # Others may have painted the same while we stood in line.
            with self._lock:
                found = self._look(wish)
            return found if found is not None else self._paint(wish)

    def keep(self, data: bytes, size: Size, format: str) -> Wish:
        """Keep a file that was made, for a while; the wish that finds it again."""
        item = hashlib.sha256(data).hexdigest()[:32]
        self._hold(item, data)
        return Wish(0, size, format, item=item)

    def promise(self, item: str, make: Callable[[], bytes], size: Size, format: str) -> Wish:
        """The wish for a file that `make` makes when it is first asked for, or asked for again
        after it was dropped. `item` names it for good."""
        with self._lock:
            self._promised.setdefault(item, make)
            while len(self._promised) > _PROMISES:
                self._promised.popitem(last=False)
        return Wish(0, size, format, item=item)

    def _item(self, item: str) -> bytes | None:
        if (data := self._items.get(item)) is not None or item not in self._promised:
            return data
        make = self._promised[item]
        with self._easels:
            # Others may have made it while we stood in line.
            if (data := self._items.get(item)) is None:
                self._hold(item, data := make())
        return data

    def _hold(self, item: str, data: bytes) -> None:
        with self._lock:
            self._items[item] = data
            while len(self._items) > 1 and sum(map(len, self._items.values())) > self._room:
                self._items.popitem(last=False)

    def _paint(self, wish: Wish) -> Picture:
        if wish.format == "svg":
            drawn = vectors.drawing(wish.seed, wish.size)
            return Picture(drawn, encode64(drawn))
        image = paint.paint(wish.seed, wish.size, transparent=wish.transparent)
        if self._weight is None:
            data = encode(image, wish.format, wish.compression)
        else:
            data = of_weight(image, wish.format, self._weight)
        picture = Picture(data, encode64(data))
        with self._lock:
            self._kept[wish] = picture
            while self._kept and (len(self._kept) > self._places or self._bytes() > self._room):
                self._kept.popitem(last=False)
        return picture

    def _look(self, wish: Wish) -> Picture | None:
        if wish in self._kept:
            self._kept.move_to_end(wish)
        return self._kept.get(wish)

    def _bytes(self) -> int:
        return sum(len(p.data) + len(p.text) for p in self._kept.values())


def encode(image: Image.Image, format: str, compression: int = 90) -> bytes:
    """An image as a file; JPEG has no alpha, whatever the image has."""
    file = io.BytesIO()
    match format:
        case "png":
            image.save(file, "PNG", compress_level=1)
        case "jpeg":
            image.convert("RGB").save(file, "JPEG", quality=max(1, compression))
        case "webp":
            image.save(file, "WEBP", quality=compression, method=0)
        case _:
            raise ValueError(format)
    return file.getvalue()


def encode64(data: bytes) -> str:
    """Bytes in base64, without line breaks."""
    return base64.b64encode(data).decode("ascii")


def of_weight(image: Image.Image, format: str, weight: int) -> bytes:
    """The image as a file of `weight` bytes: PNG and JPEG exactly, WebP at most.

    A file that cannot be made so small is as small as it can be.
    """
    if format != "png":
        files = (encode(image, format, quality) for quality in (95, 80, 60, 40, 20, 5))
        data = next((f for f in files if len(f) <= weight), None) or encode(image, format, 1)
        return _commented(data, weight) if format == "jpeg" else data
    # Grain until it weighs enough, then a filler for what is missing. Most grain first.
    most = min(7, weight * 8 // (image.width * image.height * 3))
    for bits in range(most, 0, -1):
        data = encode(_with_noise(image, bits), "png")
        if len(data) <= weight:
            return _padded(data, weight)
    data = encode(image, "png")
    if len(data) > weight:
        data = encode(Image.new("RGB", image.size, (70, 104, 120)), "png")
    return _padded(data, weight)


def _with_noise(image: Image.Image, bits: int) -> Image.Image:
    """Grain of so many bits in every colour of every pixel, which no packer takes out."""
    count = image.width * image.height * 3
    mask = (1 << bits) - 1
    values = Random(bits).randbytes(count).translate(bytes(v & mask for v in range(256)))
    grain = Image.frombytes("RGB", image.size, values)
    return ImageChops.add(image.convert("RGB"), grain, 1, -(mask // 2))


def _padded(png: bytes, weight: int) -> bytes:
    """The PNG with a private chunk of random bytes before its end, so that it weighs as told."""
    spare = weight - len(png) - 12
    if spare < 0:
        return png
    filler = b"saNd" + Random(0).randbytes(spare)
    chunk = struct.pack(">I", spare) + filler + struct.pack(">I", zlib.crc32(filler))
    return png[:-12] + chunk + png[-12:]


def _commented(jpeg: bytes, weight: int) -> bytes:
    """The JPEG with comments after its first marker, so that it weighs as told."""
    comments = b""
    while (spare := weight - len(jpeg) - len(comments) - 4) >= 0:
        size = min(spare, 65_533)
        comments += b"\xff\xfe" + struct.pack(">H", size + 2) + b"." * size
    return jpeg[:2] + comments + jpeg[2:]


@lru_cache(maxsize=1)
def bomb() -> bytes:
    """A PNG of some hundred kilobytes that unpacks to 30000 by 30000 pixels."""
    side = 30_000
    packer = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    rows = b"".join(packer.compress(row * 1000) for _ in range(side // 1000)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
