"""Filters for lists over large tables: what there is to choose comes from small ones."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from generator.admin.verdicts import MEANS
from generator.models import CatalogueEntry, Generation, Status


class ModelFilter(DropdownFilter):  # type: ignore[misc]  # unfold is not typed
    """By model, as the catalogue has them."""

    title = _("model")
    parameter_name = "wire_model"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Each entry."""
        return list(CatalogueEntry.objects.order_by("label").values_list("wire_model", "label"))

    def queryset(
        self, request: HttpRequest, rows: QuerySet[Generation]
    ) -> QuerySet[Generation] | None:
        """Those of the chosen model."""
        return rows.filter(wire_model=self.value()) if self.value() else rows


class ReasonFilter(DropdownFilter):  # type: ignore[misc]
    """By why they failed."""

    title = _("why it failed")
    parameter_name = "reason_code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The codes."""
        return [(code, code) for code in MEANS]

    def queryset(
        self, request: HttpRequest, rows: QuerySet[Generation]
    ) -> QuerySet[Generation] | None:
        """Those that failed for it: only they are read."""
        code = self.value()
        return rows.filter(status=Status.FAILED, reason_code=code) if code else rows
