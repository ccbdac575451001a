"""The ledger: read-only but for grants, whose form is with the accounts (`admin.quota`)."""

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from generator.admin.base import LargeTable, LargeTableAdmin, people_named
from generator.admin.cells import linked, signed
from generator.admin.filters import DaysFilter
from generator.admin.looked_up import RowFilter
from generator.admin.quota import Granting
from generator.admin.sidebar import may_view
from generator.models import LedgerEntry, Notice, QuotaAccount

MOST_ACCOUNTS = 20  # that a search finds at most


@admin.register(LedgerEntry)
class LedgerEntryAdmin(Granting, LargeTable):
    """Every entry is written once: here one looks, and adds a grant."""

    list_display = [
        "created_at", "account", "what", "signed", "its_generation", "counts_on", "reason", "by",
    ]  # fmt: skip
    list_select_related = ["account__team", "account__user", "by", "generation"]
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

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """The way to a generation is for those who may see it; others read its model."""
        return [self._for(request, name) for name in self.list_display]

    def get_fields(self, request: HttpRequest, obj: LedgerEntry | None = None) -> list[str]:
        """The form's own for a grant; all of them for an entry that is there."""
        if obj is None:
            return self.grant_fields
        return [
            "account", "what", "signed", "counts_on", self._for(request, "its_generation"),
            "reason", "by", "created_at",
        ]  # fmt: skip

    def get_readonly_fields(
        self, request: HttpRequest, obj: LedgerEntry | None = None
    ) -> list[str]:
        """What is worked out for an entry that is there."""
        return [] if obj is None else ["what", "signed", "its_generation", "its_model"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerEntry]:
        """Without the prompt of its generation, which no list shows."""
        rows: QuerySet[LedgerEntry] = super().get_queryset(request)
        return rows.defer("generation__prompt")

    @admin.display(description=_("what"))
    def what(self, entry: LedgerEntry) -> str:
        """In the words that members read."""
        return entry.what

    @admin.display(description=_("credits"))
    def signed(self, entry: LedgerEntry) -> str:
        """With its sign."""
        return signed(entry.credits)

    @admin.display(description=_("generation"))
    def its_generation(self, entry: LedgerEntry) -> SafeString | str:
        """The label of its generation's model; leads to the generation. Never its prompt."""
        if entry.generation is None:
            return ""
        address = reverse("admin:generator_generation_change", args=[entry.generation_id])
        return linked(address, self.its_model(entry))

    @admin.display(description=_("generation"))
    def its_model(self, entry: LedgerEntry) -> str:
        """The label alone."""
        made = entry.generation
        return "" if made is None else made.label or made.wire_model

    def _for(self, request: HttpRequest, name: str) -> str:
        is_hidden = name == "its_generation" and not may_view(request, "generator.generation")
        return "its_model" if is_hidden else name

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
