"""Keeping the images of a generation: from the spool or a link into the storage.

May be done again and again: what is kept is left alone, and the same image always gets the same
key. Storage and network are awaited outside transactions, with no database connection held.
"""

import hashlib
import logging
from contextlib import suppress

from django.core.files.base import ContentFile

from generator import live, patience, pictures
from generator.errors import BadPicture, LinkRefused, LinkSilent, SpoolFull
from generator.models import Generation, ImageAsset, image_storage
from generator.models.storage import spool
from generator.providers.gateway import Gateway

logger = logging.getLogger(__name__)

NOT_THERE = frozenset({"403", "404"})
REFUSED = "The studio's image storage refuses to keep the image."
LOST = "The image was lost on its way into the storage."


class NotYet(Exception):
    """Something has to be tried again later; `note` says what: a *link*, a link whose image comes
    *later*, or the *storage*."""

    def __init__(self, note: str) -> None:
        super().__init__(note)
        self.note = note


def keep_images(
    generation: Generation, gateway: Gateway | None, *, last_try_of_links: bool, last_try: bool
) -> str:
    """Keep every image that is not kept yet; what is wrong with those that never will be, or "".

    `gateway` is needed where an image lies behind a link. Raises NotYet for a link or a storage
    that may answer another time, unless this is the last try.
    """
    kept = set(generation.images.values_list("position", flat=True))
    problem = ""
    for position, row in enumerate(generation.outcome):
        if position in kept:
            continue
        try:
            picture = _picture(generation, gateway, position, row)
        except LinkSilent as error:
            if not last_try_of_links:
                raise NotYet("link") from error
            problem = str(error)
        except LinkRefused as error:
            # Given before the image is there: until the deadline "not found" means "not yet".
            if "later" in row and error.code in NOT_THERE and not last_try_of_links:
                raise NotYet("later") from error
            problem = str(error)
        except BadPicture as error:
            problem = str(error)
        except FileNotFoundError:
            problem = LOST
        else:
            problem = _stored(generation, position, picture, row, last_try=last_try) or problem
    return problem


def keep_memory(generation: Generation, *, last_try: bool) -> None:
    """Keep what the adapter wants to be handed back another time, if there is such a thing.

    Raises NotYet for a storage that refuses, unless this is the last try. What is not there in the
    end is forgotten, so that the next edit is shown the image instead.
    """
    if not generation.memory:
        return
    try:
        is_there = _is_remembered(generation)
    except Exception as error:  # storages raise what they like
        logger.warning("The storage refused a memory: %s", type(error).__name__)
        if not last_try:
            raise NotYet("storage") from error
        is_there = False
    if not is_there:
        Generation.objects.filter(pk=generation.pk).update(memory="")
        generation.memory = ""


def _is_remembered(generation: Generation) -> bool:
    try:
        data = spool().memory(generation.pk)
    except FileNotFoundError:
        # Another worker may have kept it and cleared the spool.
        with patience.awaiting():
            return image_storage().exists(generation.memory)
    with patience.awaiting():
        image_storage().save(generation.memory, ContentFile(data))
    return True


def _picture(
    generation: Generation, gateway: Gateway | None, position: int, row: dict[str, str]
) -> pictures.Picture:
    try:
        data = spool().get(generation.pk, position)
    except FileNotFoundError:
        if "url" not in row:
            raise
        assert gateway is not None
        with patience.awaiting():
            data = gateway.fetch(row["url"])
        # A link does not live as long as a storage may refuse. No room: then without a spare.
        with suppress(SpoolFull):
            spool().add(generation.pk, position, data)
    return pictures.inspect(data)


def _stored(
    generation: Generation, position: int, picture: pictures.Picture, row: dict[str, str],
    *, last_try: bool,
) -> str:  # fmt: skip
    asset, data = _asset(generation, position, picture, row["revised_prompt"])
    try:
        key = asset.file.field.generate_filename(asset, "")
        with patience.awaiting():
            asset.file.name = image_storage().save(key, ContentFile(data))
    except Exception as error:  # storages raise what they like
        logger.warning("The storage refused an image: %s", type(error).__name__)
        if not last_try:
            raise NotYet("storage") from error
        return REFUSED
    # Of two workers that store the same image, the second finds the row of the first.
    facts = {field.attname: getattr(asset, field.attname) for field in asset._meta.concrete_fields}
    place = {"generation_id": facts.pop("generation_id"), "position": facts.pop("position")}
    ImageAsset.objects.get_or_create(**place, defaults=facts)
    if generation.count > 1:
        live.moved(generation)
    return ""


def _asset(
    generation: Generation, position: int, picture: pictures.Picture, revised_prompt: str
) -> tuple[ImageAsset, bytes]:
    data = pictures.mark(picture.data)
    asset = ImageAsset(
        generation=generation,
        team_id=generation.team_id,
        position=position,
        format=picture.format,
        extension=picture.extension,
        content_type=picture.content_type,
        width=picture.width,
        height=picture.height,
        size=len(data),
        digest=hashlib.sha256(data).hexdigest(),
        revised_prompt=revised_prompt,
    )
    return asset, data
