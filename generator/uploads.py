"""Images that people give along: checked by their bytes, cleaned, and kept with a small copy."""

import hashlib
import logging
import re
from pathlib import PurePath

from django.core.files.base import ContentFile

from generator import patience, pictures
from generator.errors import StorageRefused
from generator.models import ReferenceImage, Team, User, image_storage
from generator.models.references import MOST_UNUSED
from generator.pictures import Picture

logger = logging.getLogger(__name__)
# What may stand in the name of a file that is shown again: no control, no direction marks.
_UNSAID = re.compile(r"[^\w .,()+-]")


def keep_reference(team: Team, author: User, data: bytes, *, name: str = "") -> ReferenceImage:
    """Keep an uploaded image as a reference: upright, without what stands beside its pixels.

    Raises BadPicture for what is no image that can be given along, StorageRefused where the
    storage does not take it.
    """
    picture = pictures.as_reference(data)
    reference = _row(team, author, picture, name)
    _store(reference, picture.data, pictures.thumbnail(picture.data, edge=480))
    return reference


def keep_mask(team: Team, author: User, data: bytes, *, width: int, height: int) -> ReferenceImage:
    """Keep a mask in the studio's one form: white where the image is to change.

    `width` and `height` are those of the image that it was painted over, in pixels. Raises
    BadPicture for a mask of another size, or with nothing painted, StorageRefused where the
    storage does not take it.
    """
    mask = pictures.read_mask(data, width=width, height=height)
    picture = Picture("png", width, height, mask)
    reference = _row(team, author, picture, "mask.png")
    reference.is_mask = True
    _store(reference, mask, pictures.thumbnail(mask, edge=480))
    return reference


def _row(team: Team, author: User, picture: Picture, name: str) -> ReferenceImage:
    _make_room(author)
    return ReferenceImage(
        team=team,
        author=author,
        name=_UNSAID.sub("", PurePath(name).name)[:120].strip(),
        format=picture.format,
        extension=picture.extension,
        content_type=picture.content_type,
        width=picture.width,
        height=picture.height,
        size=len(picture.data),
        digest=hashlib.sha256(picture.data).hexdigest(),
    )


def _make_room(author: User) -> None:
    """Nobody fills the storage with what is never used: the oldest goes."""
    mine = ReferenceImage.objects.unused().filter(author=author, asset=None)
    for old in mine.order_by("-created_at", "-id")[MOST_UNUSED - 1 :]:
        old.delete()


def _store(reference: ReferenceImage, data: bytes, preview: bytes) -> None:
    try:
        with patience.awaiting():
            reference.file.save("", ContentFile(data), save=False)
            image_storage().save(reference.preview_key, ContentFile(preview))
    except Exception as error:  # storages raise what they like
        logger.warning("The storage refused a reference image: %s", type(error).__name__)
        raise StorageRefused("The image storage does not answer. Try again in a moment.") from error
    reference.save()
