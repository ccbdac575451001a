"""What visitors say without an account: images they pick, and a note."""

import uuid

from django.utils import timezone

from generator.errors import StudioError
from generator.models import ImageAsset, ShareLink, ShareNote, SharePick
from generator.sharing import coming
from generator.sharing.coming import Bound, Visitor

MOST_NOTES = 500  # of one link, one a visitor
MOST_PICKS = 20_000  # of one link
# So that nobody fills it alone: from one network, and to one link from all.
_NOTES_FROM_THERE, _NOTES = (Bound(20, 3600), Bound(60, 86_400)), (Bound(200, 3600),)
_PICKS_FROM_THERE = (Bound(1000, 3600), Bound(3000, 86_400))


def pick(link: ShareLink, visitor: Visitor, image: ImageAsset, *, on: bool) -> None:
    """Pick an image, or not any more. Raises StudioError for too many, or a full link."""
    mine = SharePick.objects.filter(link=link, visitor=visitor.id, image=image)
    if not on:
        mine.delete()
        return
    if not _has_room_from_there(f"pick:{link.pk}", visitor, _PICKS_FROM_THERE):
        raise StudioError("Too many images were picked at once. Pick on in an hour.")
    if SharePick.objects.filter(link=link)[:MOST_PICKS].count() >= MOST_PICKS:
        raise StudioError("This link takes no more picks. Tell who sent it to you.")
    SharePick.objects.get_or_create(link=link, visitor=visitor.id, image=image)


def write(link: ShareLink, visitor: Visitor, *, name: str, text: str) -> None:
    """Leave a note, or change one's own. Raises StudioError for too many, or a full link."""
    place = f"note:{link.pk}"
    from_there = _has_room_from_there(place, visitor, _NOTES_FROM_THERE)
    if not from_there or not _has_room(place, _NOTES):
        raise StudioError("Too many notes were sent at once. Send yours again in an hour.")
    notes = ShareNote.objects.filter(link=link)
    if notes.filter(visitor=visitor.id).update(name=name, text=text, at=timezone.now()):
        return
    if notes.count() >= MOST_NOTES:
        raise StudioError("This link takes no more notes. Tell who sent it to you.")
    ShareNote.objects.get_or_create(
        link=link, visitor=visitor.id, defaults={"name": name, "text": text}
    )


def picked(link: ShareLink, visitor: uuid.UUID, images: list[ImageAsset]) -> set[uuid.UUID]:
    """Which of these images the visitor has picked."""
    mine = SharePick.objects.filter(link=link, visitor=visitor, image__in=images)
    return set(mine.values_list("image_id", flat=True))


def note_of(link: ShareLink, visitor: uuid.UUID) -> ShareNote | None:
    """What the visitor has written."""
    return ShareNote.objects.filter(link=link, visitor=visitor).first()


def _has_room_from_there(place: str, visitor: Visitor, bounds: tuple[Bound, ...]) -> bool:
    return not visitor.address or _has_room(f"{place}:{visitor.address}", bounds)


def _has_room(place: str, bounds: tuple[Bound, ...]) -> bool:
    return all(coming.has_room(f"{place}:{bound.seconds}", bound) for bound in bounds)
