"""The ledger: read-only but for grants, whose form is with the accounts (`admin.quota`)."""

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from generator.admin.base import LargeTable, LargeTableAdmin, people_named
from generator.admin.filters import DaysFilter
from generator.admin.looked_up import RowFilter
from generator.admin.quota import Granting
from generator.models import LedgerEntry, Notice, QuotaAccount

MOST_ACCOUNTS = 20  # that a search finds at most


@admin.register(LedgerEntry)
class LedgerEntryAdmin(Granting, LargeTable):
    """Every entry is written once: here one looks, and adds a grant."""

    list_display = ["created_at", "account", "kind", "credits", "counts_on", "reason", "by"]
    list_select_related = ["account__team", "account__user", "by"]
    list_filter = [
        ("kind", ChoicesDropdownFilter), ("account", RowFilter),
        ("created_at", DaysFilter),
    ]  # fmt: skip
    search_help_text = _("A generation's id, a person, or a team's short name for its pool.")
    ordering = ["-created_at", "-id"]

    def found(self, rows: QuerySet[LedgerEntry], term: str) -> QuerySet[LedgerEntry]:
        """By generation, or by whose account it is."""
        try:
            return rows.filter(generation=uuid.UUID(term))
        except ValueError:
            pass
        whose = Q(user__in=people_named(term)) | Q(user=None, team__slug=term.lower())
        accounts = QuotaAccount.objects.filter(whose).order_by("pk").values_list("pk", flat=True)
        return rows.filter(account__in=list(accounts[:MOST_ACCOUNTS]))

    def get_fields(self, request: HttpRequest, obj: LedgerEntry | None = None) -> list[str]:
        """The form's own for a grant; all of them for an entry that is there."""
        if obj is None:
            return self.grant_fields
        return [
            "account", "kind", "credits", "counts_on", "generation", "reason", "by", "created_at",
        ]  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False


@admin.register(Notice)
class NoticeAdmin(LargeTableAdmin):
    """Who was told that a cap is nearly used up, and when."""

    list_display = ["created_at", "user", "account", "percent", "window", "start", "mailed_at",
                    "seen_at"]  # fmt: skip
    list_select_related = ["user", "account__team", "account__user"]
    list_filter = [("user", RowFilter)]
    search_help_text = _("The name or address of whoever was told.")
    ordering = ["-id"]

    def found(self, rows: QuerySet[Notice], term: str) -> QuerySet[Notice]:
        """By who was told."""
        return rows.filter(user__in=people_named(term))
