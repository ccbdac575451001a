"""Quota accounts, their caps, and the form for a grant."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from generator.admin.base import ReadOnlyInline, StudioAdmin
from generator.models import Cap, LedgerEntry, QuotaAccount, WindowTotal

LARGEST_GRANT = 10**12  # credits


class CapInline(TabularInline):  # type: ignore[misc]  # unfold is not typed
    """How much may be spent in which window."""

    model = Cap
    extra = 0


class WindowTotalInline(ReadOnlyInline):
    """What the entries of each window add up to."""

    model = WindowTotal
    fields = ["window", "start", "credits"]
    ordering = ["-start", "window"]
    per_page = 12


class LedgerEntryInline(ReadOnlyInline):
    """The newest entries, a page at a time."""

    model = LedgerEntry
    fields = ["created_at", "kind", "credits", "counts_on", "reason", "by"]
    ordering = ["-created_at", "-pk"]
    per_page = 20


@admin.register(QuotaAccount)
class QuotaAccountAdmin(StudioAdmin):
    """Accounts come by themselves with their first use; staff set their caps."""

    list_display = ["__str__", "team", "user", "created_at"]
    list_select_related = ["team", "user"]
    search_fields = ["team__name", "team__slug", "user__username", "user__email"]
    fields = readonly_fields = ["team", "user", "created_at", "give"]
    inlines = [CapInline, WindowTotalInline, LedgerEntryInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: an account holds a ledger."""
        return False

    @admin.display(description=_("credits"))
    def give(self, account: QuotaAccount) -> SafeString:
        """The way to the form for a grant."""
        query = urlencode({"account": account.pk})
        link = f"{reverse('admin:generator_ledgerentry_add')}?{query}"
        return format_html('<a class="text-primary-600" href="{}">{}</a>', link, _("Give or take"))


class GrantForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript at run time
    """Credits given to an account, or taken back with a negative number, and why."""

    class Meta:
        model = LedgerEntry
        fields = ["account", "credits", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "reason" in self.fields:
            self.fields["reason"].required = True

    def clean_credits(self) -> int:
        """Not nought, and of a size that sums can hold. Raises ValidationError."""
        credits: int = self.cleaned_data["credits"]
        if credits == 0:
            raise forms.ValidationError(_("Give some, or take some with a minus."))
        if abs(credits) > LARGEST_GRANT:
            raise forms.ValidationError(
                _("Give or take at most %(most)s credits at once."),
                params={"most": number_format(LARGEST_GRANT, force_grouping=True)},
            )
        return credits
