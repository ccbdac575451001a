"""Filters for lists over large tables: what there is to choose comes from small ones."""

from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import make_aware
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter
from unfold.utils import parse_date_str

from generator.models import CatalogueEntry, Generation, Status
from generator.overview.failing import WHY_FAILED, in_brief


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
        return [(code, in_brief(code)) for code in WHY_FAILED]

    def queryset(
        self, request: HttpRequest, rows: QuerySet[Generation]
    ) -> QuerySet[Generation] | None:
        """Those that failed for it: only they are read."""
        code = self.value()
        return rows.filter(status=Status.FAILED, reason_code=code) if code else rows


class DaysFilter(RangeDateFilter):  # type: ignore[misc]
    """From one day to another, both whole; unfold's own ends as the last begins."""

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any] | None:
        """Those of these days. What is no day bounds nothing."""
        first = self._midnight("from", timedelta())
        end = self._midnight("to", timedelta(days=1))
        rows = rows.filter(**{f"{self.field_path}__gte": first}) if first else rows
        return rows.filter(**{f"{self.field_path}__lt": end}) if end else rows

    def _midnight(self, name: str, later: timedelta) -> datetime | None:
        said = self.used_parameters.get(f"{self.parameter_name}_{name}")
        try:
            day = parse_date_str(said) if isinstance(said, str) else None
            return make_aware(datetime.combine(day + later, time())) if day else None
        except (OverflowError, ValueError):
            return None
