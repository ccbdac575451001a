"""Stored images on their way out: read in bites, and as entries of an archive."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from itertools import batched

from django.db import connection

from generator.errors import StudioError
from generator.models import (
    Deed,
    Generation,
    ImageAsset,
    Membership,
    Team,
    User,
    image_storage,
)
from generator.models.assets import ImageAssetQuerySet
from generator.models.roles import roles_that_may
from generator.zipping import CHUNK, Entry, Fact, Unreadable

AT_ONCE = 200  # images whose rows are read at once


class Tells(StrEnum):
    """What an archive says of an image."""

    ALL = "all"  # to its team
    PROMPT = "prompt"  # to a stranger who may see prompt and settings, but not who wrote them
    NOTHING = "nothing"  # to other strangers: what the file itself says


class Busy(StudioError):
    """So many wait for an image that one more would wait too long."""


class BrokenOff(StudioError):
    """Whoever takes an archive may not have the rest of it; the half of it must not look whole."""


class Turns:
    """Places to work on images in; `most` may wait for one. Read an image's file when its turn has
    come, as what waits should hold nothing.
    """

    def __init__(self, places: int, *, most: int) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._most = most
        self._waiting = 0
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, *, is_late: bool = False) -> Iterator[None]:
        """Wait for a place, and have it. Raises Busy where so many wait already, unless it is too
        late to say so."""
        if not self._places.acquire(blocking=False):
            self._wait(is_late)
        try:
            yield
        finally:
            self._places.release()

    def ask(self) -> None:
        """Raises Busy where so many wait already."""
        if self._waiting >= self._most:
            raise Busy("Many people want images just now. Try again in a moment.")

    def _wait(self, is_late: bool) -> None:
        with self._lock:
            if not is_late:
                self.ask()
            self._waiting += 1
        try:
            self._places.acquire()
        finally:
            with self._lock:
                self._waiting -= 1


# Decoded, an image takes up to 160 MB, and many people may ask at once: those who work on one of
# these seven places take 1.1 GB together, at the most. None holds up those of another kind.
CONVERTING = Turns(2, most=16)  # downloads of a team, in another form
KEEPING = Turns(2, most=8)  # downloads of visitors
SHOWING = Turns(2, most=600)  # what pages of links show; a page asks for sixty at once
ARCHIVING = Turns(1, most=20)  # images of visitors' archives, which are in no hurry


def in_bites(images: ImageAssetQuerySet) -> Iterator[ImageAsset]:
    """All of them, newest first, as they are kept when their turn comes, with their generations.

    Read a few at a time; no connection to the database is held in between.
    """
    rows = list(_with_generations(images)[:AT_ONCE])
    while rows:
        give_back_connection()
        yield from rows
        rows = list(_with_generations(images.filter(place__lt=rows[-1].place))[:AT_ONCE])


def at_places(team: Team, places: Iterable[int], *, by: User) -> Iterator[ImageAsset]:
    """The team's kept images at these places of the library, read as `in_bites` does.

    Raises BrokenOff where the person may not look at them any more.
    """
    for some in batched(places, AT_ONCE, strict=False):
        if not may_still(by, team, Deed.LOOK):
            raise BrokenOff("Whoever takes it has left the team.")
        found = ImageAsset.objects.kept().filter(team=team, place__in=some)
        rows = list(_with_generations(found))
        give_back_connection()
        yield from rows


def may_still(user: User, team: Team, deed: Deed) -> bool:
    """Whether somebody may do it now, whatever was so when they began: a file may take hours."""
    memberships = Membership.objects.filter(team=team, user=user, user__is_active=True)
    return memberships.filter(role__in=roles_that_may(deed)).exists()


def entry(image: ImageAsset, *, tells: Tells = Tells.ALL, folder: str = "") -> Entry:
    """The image as a file of an archive, its bytes as they are stored. Runs no query for an image
    that has its generation and that has its author."""
    return Entry(
        title=image.generation.prompt if tells != Tells.NOTHING else "",
        extension=image.extension,
        chunks=partial(chunks, str(image.file.name)),
        size=image.size,
        modified=image.created_at,
        facts=facts(image, tells=tells),
        folder=folder,
    )


def facts(image: ImageAsset, *, tells: Tells = Tells.ALL) -> dict[str, Fact]:
    """What a manifest says of the image; times are in UTC, sizes in pixels and bytes."""
    generation = image.generation
    said: dict[str, Fact] = {}
    if tells == Tells.ALL:
        said |= {
            "image": str(image.pk),
            "generation": str(generation.pk),
            "author": generation.author.shown_name,
        }
    if tells != Tells.NOTHING:
        said |= {
            "prompt": generation.prompt,
            "model": generation.label,
            "settings": said_settings(generation),
        }
        said["made"] = f"{image.created_at:%Y-%m-%dT%H:%M:%SZ}"
    return said | {
        "width": image.width,
        "height": image.height,
        "bytes": image.size,
        "made by": "a trained algorithm",
    }


def said_settings(generation: Generation) -> dict[str, Fact]:
    """The settings that a file or a manifest tells."""
    return {
        "model": generation.wire_model,
        "provider": generation.provider,
        **generation.fields,
        "count": generation.count,
    }


def chunks(key: str) -> Iterator[bytes]:
    """The bytes of a stored file, some at a time. Raises Unreadable, at any time."""
    try:
        with image_storage().open(key) as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except Exception as error:  # storages raise what they like
        raise Unreadable("The image storage does not give the file.") from error


def give_back_connection() -> None:
    """Hold no connection to the database while somebody takes their time; not in a transaction."""
    if not connection.in_atomic_block:
        connection.close()


def _with_generations(images: ImageAssetQuerySet) -> ImageAssetQuerySet:
    return images.select_related("generation__author").newest_first()
