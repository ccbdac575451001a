"""A few dozen painted files that all images of a made-up history share."""

import hashlib
import io
from dataclasses import dataclass
from random import Random

from django.core.files.base import ContentFile

from generator import pictures
from generator.models.assets import SHARED, THUMBNAILS, shared_thumbnail_key
from generator.models.storage import image_storage
from generator.sandbox.paint import PAINTERS, paint

EDGE = 1152  # pixels of the longer side
_SHAPES = ((8, 8), (9, 6), (6, 9))


@dataclass(frozen=True, slots=True)
class Painting:
    """One stored file: its key, its size in pixels, its weight in bytes, its SHA-256."""

    key: str
    width: int
    height: int
    size: int
    digest: str


class Gallery:
    """The paintings, each made when it is first shown, and kept under keys of their own."""

    def __init__(self, edge: int = EDGE) -> None:
        self._edge = edge
        self._there: dict[str, Painting] = {}

    def show(self, rng: Random, subject: int) -> Painting:
        """One that comes near the subject."""
        shape = rng.randrange(len(_SHAPES))
        key = f"{SHARED}{subject}-{shape}.jpg"
        if key not in self._there:
            across, down = (side * self._edge // 9 for side in _SHAPES[shape])
            seed = subject + len(PAINTERS) * (7 + shape)
            self._there[key] = _kept(key, seed, (across, down))
        return self._there[key]


def _kept(key: str, seed: int, size: tuple[int, int]) -> Painting:
    storage = image_storage()
    if storage.exists(key):
        with storage.open(key) as file:
            data = file.read()
    else:
        data = _painted(seed, size)
        for name in THUMBNAILS:
            small = pictures.thumbnail(data, edge=pictures.THUMBNAIL_EDGES[name])
            storage.save(shared_thumbnail_key(key, name), ContentFile(small))
        storage.save(key, ContentFile(data))  # last: where it is, its thumbnails are
    return Painting(key, *size, len(data), hashlib.sha256(data).hexdigest())


def _painted(seed: int, size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    paint(seed, size).save(file, "JPEG", quality=86)
    return file.getvalue()
