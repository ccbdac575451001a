"""The ledger: read-only but for grants, whose form is with the accounts (`admin.quota`)."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from generator.admin.base import StudioAdmin
from generator.admin.quota import GrantForm
from generator.models import Kind, LedgerEntry, User


@admin.register(LedgerEntry)
class LedgerEntryAdmin(StudioAdmin):
    """Every entry is written once: here one looks, and adds a grant."""

    form = GrantForm
    list_display = ["created_at", "account", "kind", "credits", "counts_on", "reason", "by"]
    list_select_related = ["account__team", "account__user", "by"]
    list_filter = ["kind", ("account__team", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["account__team__name", "account__user__username", "reason"]
    date_hierarchy = "created_at"
    show_full_result_count = False
    autocomplete_fields = ["account"]
    ordering = ["-created_at", "-pk"]

    def get_fields(self, request: HttpRequest, obj: LedgerEntry | None = None) -> list[str]:
        """The form's own for a grant; all of them for an entry that is there."""
        if obj is None:
            return ["account", "credits", "reason"]
        return [
            "account", "kind", "credits", "counts_on", "generation", "reason", "by", "created_at",
        ]  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def save_model(
        self, request: HttpRequest, obj: LedgerEntry, form: GrantForm, change: bool
    ) -> None:
        """Write the grant, by whoever is signed in, together with the sums it changes."""
        assert isinstance(request.user, User)
        entry = obj.account.grant(credits=obj.credits, reason=obj.reason, by=request.user)
        obj.pk, obj.kind, obj.counts_on = entry.pk, Kind.GRANT, entry.counts_on
