"""The trash of a team: what lies there, for how long still, and the way out of it."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from django.conf import settings
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.utils import timezone
from django.views.decorators.http import require_safe

from generator.access import TeamRequest, in_team, needs
from generator.library import read_place
from generator.library.trash import TRASH_LIFE, movable
from generator.models import Deed, ImageAsset
from generator.models.assets import ImageAssetQuerySet
from generator.models.storage import link_to
from generator.views.files import SAFETY
from generator.views.images import DRAWING
from generator.views.library import rights

IMAGES = 60  # a page
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class TrashPlace:
    """A place in the trash: when something was thrown away, then the order of the library."""

    trashed_at: datetime
    place: int

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The place that an address names; None if it names none."""
        moment, _, place = text.partition("-")
        past, found = read_place(moment), read_place(place)
        try:
            return cls(EPOCH + past * MICROSECOND, found) if past and found else None
        except OverflowError:
            return None

    @property
    def behind(self) -> Q:
        """What comes after it."""
        # Said so that an index begins there: of `a < x or a = x and …` PostgreSQL reads all rows.
        rest = Q(trashed_at__lt=self.trashed_at) | Q(place__lt=self.place)
        return rest & Q(trashed_at__lte=self.trashed_at)

    def __str__(self) -> str:
        return f"{(self.trashed_at - EPOCH) // MICROSECOND}-{self.place}"


@dataclass(frozen=True, slots=True)
class Trashed:
    """An image in the trash, and how many days it has left."""

    image: ImageAsset
    days_left: int


@require_safe
@in_team
@needs(Deed.TRASH_OWN)
def trash(request: TeamRequest) -> HttpResponse:
    """What one may take out of the trash, thrown away last first; `?before=` pages on."""
    before = TrashPlace.read(request.GET.get("before", ""))
    found = _trashed(request).order_by("-trashed_at", "-place")
    if before:
        found = found.filter(before.behind)
    rows = list(found.select_related("generation", "trashed_by")[: IMAGES + 1])
    more, now = len(rows) > IMAGES, timezone.now()
    context = {
        "place": "library",
        "trashed": [Trashed(row, days_left(row, now)) for row in rows[:IMAGES]],
        "before": before,
        "earlier": _place(rows[IMAGES - 1]) if more else "",
        "life": TRASH_LIFE.days,
        **rights(request),
    }
    return render(request, "generator/trash.html", context)


@require_safe
@in_team
@needs(Deed.TRASH_OWN)
def picture(request: TeamRequest, pk: uuid.UUID) -> HttpResponse:
    """Off to the small picture of an image in the trash; the original is not handed out of it."""
    image = get_object_or_404(_trashed(request), pk=pk)
    if image.thumbnails_at is None:
        return redirect(static(DRAWING))
    answer = redirect(link_to(image.thumbnail_key("small")))
    answer["Cache-Control"] = f"private, max-age={settings.IMAGE_LINK_LIFE - SAFETY}"
    return answer


def days_left(image: ImageAsset, now: datetime) -> int:
    """Whole days until the image is deleted, the last one counted; never below nought."""
    left = TRASH_LIFE - (now - (image.trashed_at or now))
    return max(-(-left // timedelta(days=1)), 0)


def _trashed(request: TeamRequest) -> ImageAssetQuerySet:
    mine = movable(request.membership)
    return ImageAsset.objects.trashed().filter(mine, team=request.team)


def _place(image: ImageAsset) -> str:
    return str(TrashPlace(image.trashed_at, image.place)) if image.trashed_at else ""
