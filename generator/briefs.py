"""What an adapter is told: the row, and the bytes that go along, fitted to what the model takes.

The storage is awaited with no database connection held. Nothing has been sent yet: what fails
here has cost nothing.
"""

import logging
from dataclasses import replace

from generator import patience, pictures
from generator.errors import BadPicture, ProviderBusy, RequestRefused
from generator.families import ReferenceRule
from generator.models import Generation, GivenReference, Purpose, image_storage
from generator.models.storage import is_reachable, link_for_provider
from generator.providers.base import Brief, Parent, Reference

logger = logging.getLogger(__name__)

GONE = "An image that goes along with the prompt was deleted meanwhile."
FORGOTTEN = "What the model remembered of the image is gone. Start again from the image itself."
UNPAINTED = "Nothing is left of the mask at the size that this model takes. Paint a larger area."
AWAY = "The studio's image storage does not answer at the moment."


def brief_of(generation: Generation) -> Brief:
    """What the adapter is told.

    Raises RequestRefused for an image that is gone or cannot be made to fit, ProviderBusy for a
    storage that does not answer.
    """
    rule = generation.rule
    given = list(generation.given.select_related("reference__asset").order_by("position"))
    parent = generation.parent
    references = _references(given, Purpose.REFERENCE, rule.references)
    return Brief(
        action=generation.action,
        prompt=generation.prompt,
        wire_model=generation.wire_model,
        fields=generation.fields,
        count=generation.count,
        references=references,
        styles=_references(given, Purpose.STYLE, rule.styles),
        mask=_mask(given, references),
        parent=_parent(generation, parent, given) if parent else None,
        button=generation.button,
    )


def _references(
    given: list[GivenReference], purpose: Purpose, rule: ReferenceRule | None
) -> tuple[Reference, ...]:
    keys = [one.reference.key for one in given if one.purpose == purpose]
    if not keys:
        return ()
    if rule is None:
        raise RequestRefused("This model takes no such image.")
    fitted = [_reference(key, rule, number) for number, key in enumerate(keys, start=1)]
    share = rule.for_each_of([len(one.data) for one in fitted])
    return tuple(
        _reference(keys[number - 1], share, number) if len(one.data) > share.most_bytes else one
        for number, one in enumerate(fitted, start=1)
    )


def _reference(key: str, rule: ReferenceRule, number: int) -> Reference:
    if rule.needs_link:
        link = link_for_provider(key) if key and is_reachable() else ""
        if not link:
            raise RequestRefused("The provider cannot reach the storage where this image lies.")
        return Reference(b"", "", "", link=link)
    try:
        fitted = pictures.fitted(
            _read(key),
            formats=rule.formats,
            most_bytes=rule.most_bytes,
            most_pixels=rule.most_pixels,
            longest_side=rule.longest_side,
        )
    except BadPicture as error:
        raise RequestRefused(str(error)) from error
    return Reference(fitted.data, fitted.content_type, f"image-{number}.{fitted.extension}")


def _mask(given: list[GivenReference], references: tuple[Reference, ...]) -> Reference | None:
    """The painted mask, as large as the first reference as it is sent."""
    key = next((one.reference.key for one in given if one.purpose == Purpose.MASK), None)
    if key is None:
        return None
    data = _read(key)
    if references:
        sent = pictures.inspect(references[0].data)
        data = pictures.resized_mask(data, sent.width, sent.height)
    if not pictures.is_painted(data):
        raise RequestRefused(UNPAINTED)
    return Reference(data, "image/png", "mask.png")


def _parent(
    generation: Generation, parent: Generation, given: list[GivenReference]
) -> Parent | None:
    """What the adapter has to know of the parent: its task, or what it remembers; often nothing.

    A model that is shown the parent's image is not told the conversation that led to it as well.
    """
    if parent.family != generation.family:
        return None
    told = Parent(task_id=parent.task_id, position=generation.parent_position or 0)
    match generation.rule.starts_from:
        case "button":
            return told
        case "memory" if parent.memory and not any(_is_of(parent, one) for one in given):
            return replace(told, memory=_read(parent.memory, else_say=FORGOTTEN))
        case _:
            return None


def _is_of(parent: Generation, one: GivenReference) -> bool:
    asset = one.reference.asset
    return asset is not None and asset.generation_id == parent.pk


def _read(key: str, *, else_say: str = GONE) -> bytes:
    if not key:
        raise RequestRefused(else_say)
    try:
        with patience.awaiting(), image_storage().open(key) as file:
            data: bytes = file.read()
            return data
    except FileNotFoundError:
        raise RequestRefused(else_say) from None
    except Exception as error:  # storages raise what they like
        logger.warning("An image that goes along could not be read: %s", type(error).__name__)
        raise ProviderBusy(AWAY) from error
