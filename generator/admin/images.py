"""The images that are stored: facts, no pictures."""

import uuid

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from generator.admin.base import LargeTableAdmin
from generator.admin.filters import DaysFilter
from generator.admin.looked_up import RowFilter
from generator.models import ImageAsset


@admin.register(ImageAsset)
class ImageAssetAdmin(LargeTableAdmin):
    """What is stored; to look at the images themselves one has to be in the team."""

    list_display = ["short_id", "generation", "team", "format", "width", "height", "size",
                    "created_at", "trashed_at"]  # fmt: skip
    list_select_related = ["generation", "team"]
    list_filter = [("team", RowFilter), ("created_at", DaysFilter)]
    search_help_text = _("An image's or a generation's id.")
    ordering = ["-created_at", "-id"]
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
