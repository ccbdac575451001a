"""The library: the team's images, newest first, without end."""

import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import formats
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from generator.access import TeamRequest, in_team
from generator.library import read_place
from generator.library.looking import MOST_LOOKED_FOR, Look, Page, newer, page
from generator.models import Collection, Deed, Favourite, ImageAsset, Team
from generator.views.filters import days_said, filters_of, quick_days


@dataclass(frozen=True, slots=True)
class Day:
    """The images of one day in the team's time zone."""

    date: date
    title: str
    images: list[ImageAsset]


@require_safe
@in_team
def library(request: TeamRequest) -> HttpResponse:
    """A page of images that answer the address; `before` says where it begins.

    With `after` it is the word on how many have come since that place, and no page.
    """
    look = Look.read(request.GET)
    if "after" in request.GET:
        return _since(request, look)
    before = read_place(request.GET.get("before", ""))
    found = page(request.team, request.user, look, before=before)
    context = _wall(request, look, found, before)
    scrolled = request.htmx and not request.htmx.history_restore_request
    if scrolled and before:
        answer = render(request, "generator/library.html#days", context)
    elif scrolled and request.htmx.target == "found":
        answer = render(request, "generator/library.html#answer", context | _filters(request, look))
        if request.htmx.current_url_abs_path != _address(request, look):
            answer["HX-Push-Url"] = _address(request, look)
    else:
        answer = render(request, "generator/library.html", context | _filters(request, look))
    patch_vary_headers(answer, ["HX-Request", "HX-Target"])  # fragments share the address
    return answer


def _since(request: TeamRequest, look: Look) -> HttpResponse:
    after = read_place(request.GET["after"]) or 0
    count = newer(request.team, request.user, look, after=after)
    context = {"new_images": count, "look": look}
    return render(request, "generator/library.html#newer", context)


def _wall(request: TeamRequest, look: Look, found: Page, before: int | None) -> dict[str, Any]:
    return {
        "place": "library",
        "look": look,
        "most_words": MOST_LOOKED_FOR,
        "days": days(found.images, request.team),
        "before": before,
        "count": len(found.images),
        "newest": str(_newest(found)) if not before else "0",
        "earlier": str(found.earlier) if found.earlier else "",
        "liked": liked(request, found.images),
        **rights(request),
    }


def _newest(found: Page) -> int:
    """The place behind which new ones are counted."""
    return found.images[0].place if found.images else found.earlier or 0


def _filters(request: TeamRequest, look: Look) -> dict[str, Any]:
    filters = filters_of(request.team, look)
    on = sum(bool(one.said) for one in filters) + bool(look.since or look.until) + look.favourites
    by_name = {one.name: one for one in filters}
    return {
        "filters": filters,
        "filters_on": on,
        "alone": on == 1 and not look.words and bool(look.collection or look.favourites),
        "days_on": days_said(look),
        "quick_days": quick_days(request.team, look),
        "without_days": replace(look, since=None, until=None).query,
        "without_favourites": replace(look, favourites=False).query,
        "with_favourites": replace(look, favourites=True).query,
        "collections": by_name["collection"].choices,
        "tags": by_name["tag"].choices,
        "oob": bool(request.htmx) and request.htmx.target == "found",
        "collection": _collection(request.team, look),
    }


def _collection(team: Team, look: Look) -> Collection | None:
    """The collection that the page shows. Raises Http404 where the team has no such one."""
    if look.collection is None:
        return None
    found = Collection.objects.filter(team=team, pk=look.collection).first()
    if found is None:
        raise Http404
    return found


def _address(request: TeamRequest, look: Look) -> str:
    query = f"?{look.query}" if look.query else ""
    return reverse("library", args=[request.team.slug]) + query


def liked(request: TeamRequest, images: Iterable[ImageAsset]) -> set[Any]:
    """The keys of those that are favourites of whoever looks."""
    rows = Favourite.objects.filter(user=request.user, image__in=[image.pk for image in images])
    return set(rows.values_list("image", flat=True))


def rights(request: TeamRequest) -> dict[str, bool]:
    """What the pages of the library show, by what one may do."""
    may = request.membership.may
    return {
        "may_organise": may(Deed.ORGANISE),
        "may_trash": may(Deed.TRASH_OWN),
        "may_trash_any": may(Deed.TRASH_ANY),
        "may_share": may(Deed.SHARE),
    }


def days(images: Iterable[ImageAsset], team: Team) -> list[Day]:
    """Images in their order, parted where a day of the team's calendar ends."""
    zone = zoneinfo.ZoneInfo(team.time_zone)
    today = team.today()
    parted = groupby(images, key=lambda image: image.created_at.astimezone(zone).date())
    return [Day(day, _title(day, today), list(group)) for day, group in parted]


def _title(day: date, today: date) -> str:
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return formats.date_format(day, "j F" if day.year == today.year else "j F Y")
