"""The library: the team's images, newest first, without end."""

import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import formats
from django.views.decorators.http import require_safe

from generator.access import TeamRequest, in_team
from generator.library import read_place
from generator.models import ImageAsset, Team
from generator.models.assets import ImageAssetQuerySet

IMAGES = 60  # a page


@dataclass(frozen=True, slots=True)
class Day:
    """The images of one day in the team's time zone."""

    date: date
    title: str
    images: list[ImageAsset]


@require_safe
@in_team
def library(request: TeamRequest) -> HttpResponse:
    """A page of images; `?before=` says where it begins."""
    before = read_place(request.GET.get("before", ""))
    images = _images(request.team)
    if before:
        images = images.filter(place__lt=before)
    rows = list(images[: IMAGES + 1])
    context = {
        "place": "library",
        "days": days(rows[:IMAGES], request.team),
        "before": before,
        "earlier": str(rows[IMAGES - 1].place) if len(rows) > IMAGES else None,
        "total": None if before else ImageAsset.objects.filter(team=request.team).count(),
    }
    return render(request, "generator/library.html", context)


def _images(team: Team) -> ImageAssetQuerySet:
    return ImageAsset.objects.filter(team=team).select_related("generation").newest_first()


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
