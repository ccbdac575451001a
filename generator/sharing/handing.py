"""The bytes that a visitor is shown and may keep, by the terms of the link."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryFile

from django.utils import timezone

from generator import packing, pictures
from generator.errors import BadPicture
from generator.models import ImageAsset, ShareLink
from generator.models.assets import THUMBNAILS
from generator.models.sharing import Download
from generator.packing import BrokenOff, Tells
from generator.sharing import opening
from generator.zipping import CHUNK, EPOCH, Entry, Unreadable

SMALL = 1600  # pixels of the longest side of a small download
_AT_ONCE = 50  # images of an archive whose rows are read at once
# What an archive was begun on; on other terms it is another archive.
_TERMS = ("download", "password", "watermark", "shows_prompt", "audience")


@dataclass(frozen=True, slots=True)
class Handed:
    """Bytes for a visitor; `extension` is their format's, without a dot."""

    data: bytes
    extension: str


def thumbnail(link: ShareLink, image: ImageAsset, size: str) -> Handed:
    """The image as the page shows it. Raises Unreadable, Busy and BadPicture."""
    if size not in THUMBNAILS:
        raise Unreadable("There is no such size.")
    if not link.watermark:
        return Handed(_plain(image, size), "webp")
    name = hashlib.sha256(f"{image.pk} {size} {link.watermark}".encode()).hexdigest()
    return Handed(_KEPT.get(name) or _written_over(link, image, size, name), "webp")


def to_keep(link: ShareLink, image: ImageAsset) -> Handed:
    """The image as a download gives it: what the link says of it, and that a machine made it.

    Raises Unreadable, Busy and BadPicture.
    """
    if _is_encoded_anew(link):
        with packing.KEEPING.turn():
            return _to_keep(link, image, _stored(image))
    stored = _stored(image)
    if pictures.bare_decodes(stored):  # seldom, and seen only in the file
        with packing.KEEPING.turn():
            return _to_keep(link, image, stored)
    return _to_keep(link, image, stored)


def extension_of(link: ShareLink, image: ImageAsset) -> str:
    """What a download of the image ends with; known before its bytes are."""
    if not _is_encoded_anew(link) and image.format != "svg":
        return image.extension
    form = _form(image)
    return "jpg" if form == "jpeg" else form


def entries(link: ShareLink, secret: str, user: int | None) -> Iterator[Entry]:
    """All that the link shows, for an archive that this person takes (None: nobody signed in).

    Raises Busy where many are taken at once; and in the midst of it BrokenOff once the link is
    shut, to them or to all, or on other terms.
    """
    packing.ARCHIVING.ask()
    return _entries(link, secret, user)


def _entries(link: ShareLink, secret: str, user: int | None) -> Iterator[Entry]:
    after: int | None = None
    while True:
        part = opening.page(link, after=after, size=_AT_ONCE)
        for shown in part.images:
            if not _holds(link, secret, user):
                raise BrokenOff("The link is shut, or on other terms.")
            packing.give_back_connection()
            yield _entry(link, shown.image)
        if part.after is None:
            return
        after = part.after


def _holds(link: ShareLink, secret: str, user: int | None) -> bool:
    """Whether what the archive was begun on is so still; it may take hours."""
    now = opening.opened(secret, user=user, now=timezone.now(), is_in=True)
    return now is not None and all(getattr(now, name) == getattr(link, name) for name in _TERMS)


def _entry(link: ShareLink, image: ImageAsset) -> Entry:
    facts = packing.facts(image, tells=Tells.PROMPT if link.shows_prompt else Tells.NOTHING)
    for name in ("bytes", *(("width", "height") if link.download == Download.SMALL else ())):
        facts.pop(name)
    return Entry(
        title=image.generation.prompt if link.shows_prompt else "",
        extension=extension_of(link, image),
        chunks=partial(_chunks, link, image),
        size=image.size,
        modified=image.created_at if link.shows_prompt else EPOCH,
        facts=facts,
    )


def _chunks(link: ShareLink, image: ImageAsset) -> Iterator[bytes]:
    # Whoever takes an archive may be slow, and be many: the disk holds what they have not read.
    with TemporaryFile() as file:
        try:
            with packing.ARCHIVING.turn(is_late=True):  # half of it is sent
                file.write(_to_keep(link, image, _stored(image)).data)
        except BadPicture as error:
            raise Unreadable("The image cannot be had in this form.") from error
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk


def _to_keep(link: ShareLink, image: ImageAsset, stored: bytes) -> Handed:
    handed = _changed(link, image, stored)
    if link.shows_prompt:
        prompt, said = image.generation.prompt, packing.said_settings(image.generation)
        return Handed(pictures.mark(handed.data, prompt=prompt, settings=said), handed.extension)
    return Handed(pictures.mark(handed.data), handed.extension)


def _changed(link: ShareLink, image: ImageAsset, stored: bytes) -> Handed:
    edge = SMALL if link.download == Download.SMALL else None
    extension, form = extension_of(link, image), _form(image)
    if link.watermark:
        made = pictures.watermarked(stored, link.watermark, format=form, edge=edge)
        return Handed(made.data, extension)
    if edge:
        return Handed(pictures.converted(stored, format=form, edge=edge).data, extension)
    return Handed(pictures.bare(stored), extension)


def _is_encoded_anew(link: ShareLink) -> bool:
    return bool(link.watermark) or link.download == Download.SMALL


def _form(image: ImageAsset) -> pictures.Form:
    match image.format:
        case "jpeg":
            return "jpeg"
        case "webp":
            return "webp"
        case _:
            return "png"


def _plain(image: ImageAsset, size: str) -> bytes:
    if image.thumbnails_at is not None:
        return _read(image.thumbnail_key(size))  # small, and not decoded
    with packing.SHOWING.turn():
        return _thumbnail(image, size)


def _written_over(link: ShareLink, image: ImageAsset, size: str, name: str) -> bytes:
    with packing.SHOWING.turn():
        if data := _KEPT.get(name):  # made by another who waited
            return data
        made = pictures.watermarked(_thumbnail(image, size), link.watermark, format="webp")
        return _KEPT.put(name, pictures.mark(made.data))


def _thumbnail(image: ImageAsset, size: str) -> bytes:
    if image.thumbnails_at is not None:
        return _read(image.thumbnail_key(size))
    return pictures.thumbnail(_stored(image), edge=pictures.THUMBNAIL_EDGES[size])


def _stored(image: ImageAsset) -> bytes:
    return _read(str(image.file.name))


def _read(key: str) -> bytes:
    return b"".join(packing.chunks(key))


class _Kept:
    """Images with text over them, the last used ones; in no storage, so none is left behind."""

    MOST = 48 * 1024 * 1024  # bytes

    def __init__(self) -> None:
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes | None:
        with self._lock:
            if (data := self._held.get(name)) is not None:
                self._held.move_to_end(name)
            return data

    def put(self, name: str, data: bytes) -> bytes:
        with self._lock:
            self._size += len(data) - len(self._held.pop(name, b""))
            self._held[name] = data
            while self._size > self.MOST:
                self._size -= len(self._held.popitem(last=False)[1])
        return data


_KEPT = _Kept()
