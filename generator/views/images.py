"""One image: its page, and its bytes behind a link of short life."""

import uuid
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_safe

from generator.access import TeamRequest, in_team
from generator.family_tree import tree_of
from generator.library.looking import Look, neighbours
from generator.library.trash import TRASH_LIFE, movable
from generator.models import CatalogueEntry, Deed, ImageAsset, Tag
from generator.models.assets import THUMBNAILS
from generator.models.storage import link_to
from generator.offers import buttons_of, offers_for
from generator.views import cards
from generator.views.comparing import related
from generator.views.facts import facts, reported
from generator.views.files import SAFETY

DRAWING = "drawing.svg"
FALL_BACK = 15  # seconds that an original may stand in for a thumbnail not made yet
MOST_OFFERED = 100  # tags and collections that a menu lists
EDGES = (2048, 1600, 1024, 512)  # pixels of the longer side that a download is offered in


@require_safe
@in_team
def image(request: TeamRequest, pk: uuid.UUID) -> HttpResponse:
    """The page of an image: large, everything known about it, and what can be done with it.

    Of one in the trash there is a page for those who may restore it, and it offers just that.
    """
    asset = _asset(request, pk)
    look = Look.read(request.GET)
    generation = asset.generation
    made = list(generation.images.order_by("position"))
    siblings = [one for one in made if one == asset or not one.trashed_at]
    given = generation.given.select_related("reference__asset").order_by("purpose", "position")
    context = {
        "place": "library",
        "look": look,
        "asked": f"?{look.query}" if look.query else "",
        "here": _here(asset, look),
        "image": asset,
        "generation": generation,
        "siblings": siblings,
        "number": siblings.index(asset) + 1,
        "facts": facts(generation, asset, made=len(made)),
        "reported": reported(generation),
        "given": list(given),
        "tree": tree_of(generation),
        "deleted_on": asset.trashed_at and asset.trashed_at + TRASH_LIFE,
    }
    if asset.trashed_at is None:
        newer, older = neighbours(request.team, request.user, look, asset)
        context |= {"previous": newer, "next": older, "related": related([asset])}
        context |= _sorted(request, asset, look) | _going_on(request, asset)
    return render(request, "generator/image.html", context)


def _sorted(request: TeamRequest, asset: ImageAsset, look: Look) -> dict[str, Any]:
    """Where the team and the person keep the image, and what they may change of it."""
    team, membership = request.team, request.membership
    collections = team.collections.by_name()
    within = list(collections.filter(collected__image=asset))
    tags = list(Tag.objects.filter(taggings__image=asset))
    # One more than is listed, to know whether there are more.
    others = list(collections.exclude(pk__in=[one.pk for one in within])[: MOST_OFFERED + 1])
    other_tags = list(team.tags.exclude(pk__in=[tag.pk for tag in tags])[: MOST_OFFERED + 1])
    came_from = team.collections.filter(pk=look.collection).first() if look.collection else None
    return {
        "is_favourite": asset.favourites.filter(user=request.user).exists(),
        "kept_in": within,
        "other_collections": others[:MOST_OFFERED],
        "more_collections": len(others) > MOST_OFFERED,
        "tags": tags,
        "other_tags": other_tags[:MOST_OFFERED],
        "more_tags": len(other_tags) > MOST_OFFERED,
        "came_from": came_from,
        "edges": [edge for edge in EDGES if edge < max(asset.width, asset.height)],
        "may_organise": membership.may(Deed.ORGANISE),
        "may_share": membership.may(Deed.SHARE),
        "may_trash": _may_move(request, asset),
        "undo": _thrown_away(request),
    }


def _here(asset: ImageAsset, look: Look) -> str:
    page = reverse("image", args=[asset.team.slug, asset.pk])
    return f"{page}?{look.query}" if look.query else page


def _going_on(request: TeamRequest, asset: ImageAsset) -> dict[str, Any]:
    """What can be made of the image next, by those who may make images."""
    if not request.membership.may_make:
        return {}
    return {
        "may_make": True,
        "price_again": cards.price_again(asset.generation),
        "offers": offers_for(asset, CatalogueEntry.objects.pickable()),
        "buttons": list(buttons_of(asset.generation, position=asset.position)),
        "batch": uuid.uuid4(),
    }


def _thrown_away(request: TeamRequest) -> ImageAsset | None:
    """The image that was just moved to the trash from its page, while that can be undone."""
    try:
        pk = uuid.UUID(request.GET.get("trashed", ""))
    except ValueError:
        return None
    mine = ImageAsset.objects.trashed().filter(movable(request.membership), pk=pk)
    return mine.filter(team=request.team).first()


@require_safe
@in_team
def picture(request: TeamRequest, pk: uuid.UUID, size: str) -> HttpResponse:
    """Off to the bytes: access is checked here, then a signed link of short life is made."""
    asset = get_object_or_404(ImageAsset, team=request.team, pk=pk)
    if size not in (*THUMBNAILS, "original"):
        raise Http404
    if asset.trashed_at:
        return _trashed_picture(request, asset, size)
    keep = settings.IMAGE_LINK_LIFE - SAFETY
    if asset.format == "svg" and (size == "original" or asset.thumbnails_at is None):
        return redirect(static(DRAWING))  # a drawing is saved, never shown as it came
    if size != "original" and asset.thumbnails_at is None:
        size, keep = "original", FALL_BACK
    key = asset.file.name if size == "original" else asset.thumbnail_key(size)
    return _to(str(key), keep=keep)


def _trashed_picture(request: TeamRequest, asset: ImageAsset, size: str) -> HttpResponse:
    """What the trash shows: thumbnails, to who may restore it. The original stays where it is."""
    if size == "original" or not _may_move(request, asset):
        raise Http404
    if asset.thumbnails_at is None:
        return redirect(static(DRAWING))
    return _to(asset.thumbnail_key(size), keep=FALL_BACK)


def _to(key: str, *, keep: int) -> HttpResponse:
    answer = redirect(link_to(key))
    answer["Cache-Control"] = f"private, max-age={keep}"
    return answer


def _asset(request: TeamRequest, pk: uuid.UUID) -> ImageAsset:
    """The image of an address, if the person may see it: in the trash, if they may restore it."""
    rows = ImageAsset.objects.filter(team=request.team)
    rows = rows.select_related("team", "generation__entry", "generation__author", "trashed_by")
    asset: ImageAsset = get_object_or_404(rows, pk=pk)
    if asset.trashed_at and not _may_move(request, asset):
        raise Http404
    return asset


def _may_move(request: TeamRequest, asset: ImageAsset) -> bool:
    """Whether the person may move it into the trash and out of it."""
    may = request.membership.may
    own = asset.author_id == request.user.pk
    return may(Deed.TRASH_ANY) or (own and may(Deed.TRASH_OWN))
