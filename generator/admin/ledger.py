"""The ledger: read-only but for grants, whose form is with the accounts (`admin.quota`)."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from generator.admin.quota import Granting
from generator.models import LedgerEntry


@admin.register(LedgerEntry)
class LedgerEntryAdmin(Granting):
    """Every entry is written once: here one looks, and adds a grant."""

    list_display = ["created_at", "account", "kind", "credits", "counts_on", "reason", "by"]
    list_select_related = ["account__team", "account__user", "by"]
    list_filter = ["kind", ("account__team", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["account__team__name", "account__user__username", "reason"]
    date_hierarchy = "created_at"
    show_full_result_count = False
    ordering = ["-created_at", "-pk"]

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
