"""One image: its page, its bytes behind a link of short life, its download."""

import logging
import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from generator import pictures
from generator.access import TeamRequest, in_team
from generator.family_tree import tree_of
from generator.models import CatalogueEntry, Generation, ImageAsset
from generator.models.assets import THUMBNAILS
from generator.models.storage import link_to
from generator.offers import buttons_of, offers_for
from generator.views import cards
from generator.views.facts import facts, reported
from generator.views.files import SAFETY, content_type

logger = logging.getLogger(__name__)
DRAWING = "drawing.svg"
FALL_BACK = 15  # seconds that an original may stand in for a thumbnail not made yet


@require_safe
@in_team
def image(request: TeamRequest, pk: uuid.UUID) -> HttpResponse:
    """The page of an image: large, everything known about it, and what can be done with it."""
    asset = _asset(request, pk)
    generation = asset.generation
    siblings = list(generation.images.order_by("position"))
    may_make = request.membership.may_make
    given = generation.given.select_related("reference__asset").order_by("purpose", "position")
    context = {
        "place": "library",
        "image": asset,
        "generation": generation,
        "siblings": siblings,
        "number": siblings.index(asset) + 1,
        "facts": facts(generation, asset, made=len(siblings)),
        "reported": reported(generation),
        "given": list(given),
        "tree": tree_of(generation),
        "price_again": cards.price_again(generation) if may_make else None,
        "offers": offers_for(asset, CatalogueEntry.objects.pickable()) if may_make else [],
        "buttons": list(buttons_of(generation, position=asset.position)) if may_make else [],
        "may_make": may_make,
        "batch": uuid.uuid4(),
        "next": _images(request).filter(place__lt=asset.place).newest_first().first(),
        "previous": _images(request).filter(place__gt=asset.place).order_by("place").first(),
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
    if asset.format == "svg" and (size == "original" or asset.thumbnails_at is None):
        return redirect(static(DRAWING))  # a drawing is saved, never shown as it came
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
