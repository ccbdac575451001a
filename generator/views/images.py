"""One image: its page, its bytes behind a link of short life, its download."""

import logging
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from generator import pictures
from generator.access import TeamRequest, in_team
from generator.errors import NotOffered
from generator.families import Field
from generator.models import Generation, ImageAsset
from generator.models.assets import THUMBNAILS
from generator.models.storage import link_to
from generator.views import cards
from generator.views.files import content_type

logger = logging.getLogger(__name__)
FALL_BACK = 15  # seconds that an original may stand in for a thumbnail not made yet
SAFETY = 60  # seconds that a browser forgets a link before it ends


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of "asked for, and used"; `used` is empty where the provider said nothing."""

    label: str
    asked: str
    used: str

    @property
    def differs(self) -> bool:
        """Whether the provider did something else than was asked."""
        return bool(self.used) and self.used.casefold() != self.asked.casefold()


@require_safe
@in_team
def image(request: TeamRequest, pk: uuid.UUID) -> HttpResponse:
    """The page of an image: large, and everything known about it."""
    asset = _asset(request, pk)
    generation = asset.generation
    siblings = list(generation.images.order_by("position"))
    may_make = request.membership.may_make
    context = {
        "place": "library",
        "image": asset,
        "generation": generation,
        "siblings": siblings,
        "number": siblings.index(asset) + 1,
        "facts": facts(generation, asset, made=len(siblings)),
        "price_again": cards.price_again(generation) if may_make else None,
        "may_make": may_make,
        "batch": uuid.uuid4(),
        "next": _images(request).after(asset.created_at, asset.pk).newest_first().first(),
        "previous": _images(request)
        .before(asset.created_at, asset.pk)
        .order_by("created_at", "id")
        .first(),
    }
    return render(request, "generator/image.html", context)


@require_safe
@in_team
def picture(request: TeamRequest, pk: uuid.UUID, size: str) -> HttpResponse:
    """Off to the bytes: access is checked here, then a signed link of short life is made."""
    asset = get_object_or_404(_images(request), pk=pk)
    if size not in (*THUMBNAILS, "original"):
        raise Http404
    keep = settings.IMAGE_LINK_LIFE - SAFETY
    if size != "original" and asset.thumbnails_at is None:
        size, keep = "original", FALL_BACK
    key = asset.file.name if size == "original" else asset.thumbnail_key(size)
    answer = redirect(link_to(key))
    answer["Cache-Control"] = f"private, max-age={keep}"
    return answer


@require_safe
@in_team
def download(request: TeamRequest, pk: uuid.UUID) -> HttpResponse:
    """The stored file. The author's own copy also says prompt and settings, unless turned off."""
    asset = _asset(request, pk)
    try:
        with asset.file.open() as file:
            data = file.read()
    except Exception as error:  # storages raise what they like
        logger.warning("An image could not be read: %s", type(error).__name__)
        messages.error(request, "The image storage does not answer. Try again in a moment.")
        return redirect("image", request.team.slug, asset.pk)
    if asset.generation.author_id == request.user.pk and settings.KEEP_SETTINGS_IN_DOWNLOADS:
        data = pictures.mark(
            data, prompt=asset.generation.prompt, settings=_said_settings(asset.generation)
        )
    answer = HttpResponse(data, content_type=content_type(asset.file_name()))
    answer["Content-Disposition"] = content_disposition_header(True, asset.file_name()) or ""
    answer["Cache-Control"] = "private, no-store"
    return answer


def _images(request: TeamRequest) -> Any:
    return ImageAsset.objects.filter(team=request.team)


def _asset(request: TeamRequest, pk: uuid.UUID) -> ImageAsset:
    rows = _images(request).select_related("generation__entry", "generation__author")
    asset: ImageAsset = get_object_or_404(rows, pk=pk)
    return asset


def _said_settings(generation: Generation) -> dict[str, Any]:
    return {
        "model": generation.wire_model,
        "provider": generation.provider,
        **generation.fields,
        "count": generation.count,
    }


def facts(generation: Generation, asset: ImageAsset, *, made: int) -> list[Fact]:
    """What was asked for and what was used, by the fields of the model's family."""
    try:
        fields = generation.takes.fields
    except NotOffered:
        return []
    measured = {
        "size": f"{asset.width} × {asset.height}",
        "output_format": asset.format,
        "count": str(made),
    }
    return [
        _fact(field, generation, measured)
        for field in fields.values()
        if field.only_with is None or field.name in generation.fields
    ]


def _fact(field: Field, generation: Generation, measured: dict[str, str]) -> Fact:
    asked = generation.count if field.name == "count" else generation.fields.get(field.name)
    asked = field.default if asked is None else asked
    used = measured.get(field.name) or generation.used.get(field.name) or ""
    return Fact(field.label, _words(field, asked), _words(field, used))


def _words(field: Field, value: object) -> str:
    text = str(value)
    if field.kind == "size" and text[:1].isdecimal():
        return text.replace("x", " × ")
    return field.choice_label(text) if text in field.choices else text
