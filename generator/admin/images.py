"""The images that are stored: facts, no pictures."""

import uuid
from datetime import timedelta

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from generator.admin.base import LargeTableAdmin
from generator.admin.filters import DaysFilter
from generator.admin.looked_up import RowFilter
from generator.models import ImageAsset
from generator.models.assets import place_of_moment


class PlaceDaysFilter(DaysFilter):
    """By day, read from the order of the library, which is by time and has an index."""

    def queryset(
        self, request: HttpRequest, rows: "QuerySet[ImageAsset]"
    ) -> "QuerySet[ImageAsset] | None":
        """Those of these days."""
        first = self._midnight("from", timedelta())
        end = self._midnight("to", timedelta(days=1))
        rows = rows.filter(place__gte=place_of_moment(first)) if first else rows
        return rows.filter(place__lt=place_of_moment(end)) if end else rows


@admin.register(ImageAsset)
class ImageAssetAdmin(LargeTableAdmin):
    """What is stored; to look at the images themselves one has to be in the team."""

    list_display = ["short_id", "generation", "team", "format", "width", "height", "size",
                    "created_at", "trashed_at"]  # fmt: skip
    list_select_related = ["generation", "team"]
    list_filter = [("team", RowFilter), ("created_at", PlaceDaysFilter)]
    search_help_text = _("An image's or a generation's id.")
    ordering = ["-place"]
    fields = [
        "generation", "team", "position", "format", "content_type", "width", "height", "size",
        "digest", "thumbnails_at", "created_at", "trashed_at", "trashed_by",
    ]  # fmt: skip

    @admin.display(description=_("id"))
    def short_id(self, asset: ImageAsset) -> str:
        """Enough to tell it from its neighbours."""
        return str(asset.pk)[:8]

    def found(self, rows: QuerySet[ImageAsset], term: str) -> QuerySet[ImageAsset]:
        """By its own id, or its generation's."""
        try:
            pk = uuid.UUID(term)
        except ValueError:
            return rows.none()
        return rows.filter(pk__in=[pk]) if rows.filter(pk=pk).exists() else rows.filter(
            generation=pk
        )  # fmt: skip
