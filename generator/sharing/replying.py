"""What visitors say without an account: images they pick, and a note."""

import uuid

from django.utils import timezone

from generator.errors import StudioError
from generator.models import ImageAsset, ShareLink, ShareNote, SharePick

MOST_NOTES = 500  # of one link, one a visitor
MOST_PICKS = 20_000  # of one link


def pick(link: ShareLink, visitor: uuid.UUID, image: ImageAsset, *, on: bool) -> None:
    """Pick an image, or not any more. Raises StudioError where the link is full."""
    mine = SharePick.objects.filter(link=link, visitor=visitor, image=image)
    if not on:
        mine.delete()
        return
    if SharePick.objects.filter(link=link)[:MOST_PICKS].count() >= MOST_PICKS:
        raise StudioError("This link takes no more picks. Tell who sent it to you.")
    SharePick.objects.get_or_create(link=link, visitor=visitor, image=image)


def write(link: ShareLink, visitor: uuid.UUID, *, name: str, text: str) -> None:
    """Leave a note, or change one's own. Raises StudioError where the link is full."""
    notes = ShareNote.objects.filter(link=link)
    if notes.filter(visitor=visitor).update(name=name, text=text, at=timezone.now()):
        return
    if notes.count() >= MOST_NOTES:
        raise StudioError("This link takes no more notes. Tell who sent it to you.")
    ShareNote.objects.get_or_create(
        link=link, visitor=visitor, defaults={"name": name, "text": text}
    )


def picked(link: ShareLink, visitor: uuid.UUID, images: list[ImageAsset]) -> set[uuid.UUID]:
    """Which of these images the visitor has picked."""
    mine = SharePick.objects.filter(link=link, visitor=visitor, image__in=images)
    return set(mine.values_list("image_id", flat=True))


def note_of(link: ShareLink, visitor: uuid.UUID) -> ShareNote | None:
    """What the visitor has written."""
    return ShareNote.objects.filter(link=link, visitor=visitor).first()
