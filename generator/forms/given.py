"""The images that a form gives along: found among what the person may use, held to the rule."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from generator.families import ActionRule, ReferenceRule
from generator.models import Generation, ImageAsset, ReferenceImage, Status, Team, User
from generator.providers.base import Button

MOST_POSTED = 40
GONE = "An image that was added is not here any more. Add it again, or go on without it."
NO_START = "The image that this starts from is not here any more."
IN_TRASH = "The image that this starts from is in the trash. Restore it first."


def many(data: Mapping[str, Any], name: str) -> list[str]:
    """Every value posted under a name; a plain mapping may hold a list or one text."""
    if hasattr(data, "getlist"):
        values = data.getlist(name)
    else:
        value = data.get(name) or []
        values = [value] if isinstance(value, str) else list(value)
    return [str(value) for value in values if value][:MOST_POSTED]


def find_reference(team: Team, author: User, token: str) -> ReferenceImage:
    """The reference of this token.

    An image of the library needs no row yet (`ReferenceImage.token`). Raises ValidationError
    where it does not exist for this person, since what may not be seen does not exist, or where
    its bytes are gone.
    """
    kind, _, rest = token.rpartition(":")
    pk = _uuid(rest, else_say=GONE)
    if kind == "image":
        asset = ImageAsset.objects.kept().filter(team=team, pk=pk).first()
        if asset is not None:
            return ReferenceImage.objects.standing_for(team, author, asset)
    else:
        found = ReferenceImage.objects.usable_by(team, author).filter(pk=pk).first()
        if found is not None and found.key:
            return found
    raise ValidationError(GONE)


def gone(name: str, number: int, *, of: int) -> str:
    """What is said of the image that was posted under this name as the first, second, … `of` so
    many, and is not here any more."""
    if name == "mask":
        return "The mask is not here any more. Paint it again."
    if of == 1:
        return GONE
    what = "Style" if name == "style_reference" else "Image"
    return f"{what} {number} is not here any more. Add it again, or go on without it."


def _uuid(text: str, *, else_say: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise ValidationError(else_say) from None


@dataclass(frozen=True, slots=True)
class Start:
    """What a form starts from: a parent of the team, which of its images, and a button of it."""

    parent: Generation | None = None
    position: int | None = None
    button: Button | None = None

    def remembers(self, family: str, rule: ActionRule) -> bool:
        """Whether this family's model can go on from what it remembers of the parent (G1)."""
        parent = self.parent
        return bool(
            rule.starts_from == "memory" and parent and parent.memory and parent.family == family
        )


def find_start(team: Team, data: Mapping[str, Any]) -> Start:
    """The start that was posted as `parent`, `parent_position` and `button`.

    Raises ValidationError for a parent that is not the team's, an image of it that is not there
    (any more) or is in the trash, and a button without a parent, or that it has not (any more).
    """
    said, name = str(data.get("parent") or ""), str(data.get("button") or "")
    if not said and not name:
        return Start()
    pk = _uuid(said, else_say=NO_START)
    parent = team.generations.filter(pk=pk, status=Status.SUCCEEDED).first()
    if parent is None:
        raise ValidationError(NO_START)
    if _is_in_trash(parent):
        raise ValidationError(IN_TRASH)
    typed = data.get("parent_position")
    position = _position("" if typed is None else str(typed))
    if not name:
        return _at_image(Start(parent, position))
    # A button works on what lies at the provider, whether or not the studio still has the image.
    button = parent.button_named(name)
    if button is None:
        raise ValidationError("The provider does not offer this for that image (any more).")
    return Start(parent, position, button)


def _is_in_trash(parent: Generation) -> bool:
    """Whether all that is left of it lies in the trash: then neither a button nor what the model
    remembers leads on from there."""
    return parent.images.trashed().exists() and not parent.images.kept().exists()


def _position(text: str) -> int | None:
    """Which image, from 0; None where none was said."""
    if not text:
        return None
    if not (text.isdecimal() and len(text) < 3):
        raise ValidationError(NO_START)
    return int(text)


def _at_image(start: Start) -> Start:
    """The start, if the image that it names is there. Who names none starts from the first, or
    goes on from what the model remembers."""
    parent, position = start.parent, start.position
    if parent is None or (position is None and parent.memory):
        return start
    image = parent.images.filter(position=position or 0).first()
    if image is None or image.trashed_at:
        raise ValidationError(IN_TRASH if image else NO_START)
    return start


def reference_faults(
    rule: ReferenceRule | None,
    references: list[ReferenceImage],
    *,
    label: str,
    doing: str,
    remembers: bool,
) -> Iterator[str]:
    """What is wrong with the references for this rule, in sentences; `doing` is the action's name
    on the page."""
    if rule is None:
        if references:
            yield f"{label} takes no images here. Take them out, or pick another model."
        return
    least = 0 if remembers else rule.least
    if len(references) > rule.most:
        yield (
            f"{label} takes at most {_images(rule.most)}, and here are {len(references)}. "
            f"Take out {len(references) - rule.most}."
        )
    if len(references) < least:
        yield f"{doing} takes {_range(rule)}: add {_more(least - len(references), references)}."
    for number, reference in enumerate(references, start=1):
        if fault := reference_fault(rule, reference):
            yield f"Image {number}: {fault}"


def reference_fault(rule: ReferenceRule, reference: ReferenceImage) -> str:
    """Why this image cannot go along, even made smaller; empty if it can."""
    if reference.is_mask:
        return "This is a mask, and not an image."
    if reference.format == "svg":
        return "This is a drawing (SVG). Export it as PNG and add that."
    return rule.fault(reference.width, reference.height)


def _images(count: int) -> str:
    return "one image" if count == 1 else f"{count} images"


def _range(rule: ReferenceRule) -> str:
    return _images(rule.most) if rule.least == rule.most else f"{rule.least} to {rule.most} images"


def _more(count: int, references: list[ReferenceImage]) -> str:
    return f"{'one' if count == 1 else count}{' more' if references else ''}"


def fitting_note(rule: ReferenceRule | None, reference: ReferenceImage) -> str:
    """What will be done to an image before it is sent, for people; empty if nothing."""
    if rule is None or rule.fault(reference.width, reference.height):
        return ""
    pixels = reference.width * reference.height
    shrink = max(
        (pixels / rule.most_pixels) ** 0.5,
        max(reference.width, reference.height) / rule.longest_side,
    )
    if shrink > 1:
        width, height = (max(1, int(side / shrink)) for side in (reference.width, reference.height))
        return f"Will be sent smaller, about {width} × {height}"
    if reference.size > rule.most_bytes:
        return f"Will be sent smaller, to weigh less than {rule.most_bytes // 1_000_000} MB"
    return ""
