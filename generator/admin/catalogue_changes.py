"""What syncs with the gateway changed in the catalogue."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet

from generator.admin.base import LargeTableAdmin
from generator.models import CatalogueChange, CatalogueEntry


@admin.register(CatalogueChange)
class CatalogueChangeAdmin(LargeTableAdmin):
    """Newest first, to look at."""

    ordering = ["-at", "-pk"]
    list_display = ["at", "entry", "what", "before", "after"]
    list_filter = ["what"]
    linked = {"at__gte": ()}
    list_select_related = ["entry"]
    fields = ["at", "entry", "what", "before", "after"]
    readonly_fields = fields

    def found(self, rows: "QuerySet[Any]", term: str) -> "QuerySet[Any]":
        """Those of models whose name or id holds the word: of models there are few."""
        named = Q(label__icontains=term) | Q(wire_model__icontains=term)
        return rows.filter(entry__in=CatalogueEntry.objects.filter(named))
