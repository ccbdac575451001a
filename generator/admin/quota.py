"""Quota accounts with their caps, the caps that new ones begin with, and the form for a grant."""

import uuid
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import number_format, time_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from generator import audit
from generator.admin import caps, left
from generator.admin.base import (
    FirstRows,
    LargeTable,
    OneRowAdmin,
    ReadOnlyInline,
    StudioAdmin,
    people_named,
    teams_named,
)
from generator.admin.caps_saving import SetsCaps
from generator.admin.looked_up import LookedUp
from generator.admin.shown import ShownForm
from generator.models import (
    Kind,
    LedgerEntry,
    QuotaAccount,
    StartingCaps,
    User,
    Window,
    WindowTotal,
)
from generator.models.caps import LARGEST_CAP

LARGEST_GRANT = LARGEST_CAP  # credits


class WindowTotalInline(ReadOnlyInline):
    """What the entries of each window add up to."""

    model = WindowTotal
    fields = ["window", "start", "credits"]
    formset = FirstRows
    ordering = ["-start", "window"]


class LedgerEntryInline(ReadOnlyInline):
    """The newest entries; the ledger has them all."""

    model = LedgerEntry
    fields = ["created_at", "kind", "credits", "counts_on", "reason", "by"]
    formset = FirstRows
    ordering = ["-created_at", "-pk"]


@admin.register(QuotaAccount)
class QuotaAccountAdmin(SetsCaps, LargeTable):
    """Accounts come by themselves with their first use; staff set their caps."""

    form = caps.CapsForm
    list_display = ["__str__", "left_here", "team", "user", "created_at"]
    search_help_text = _("A person's name or address, or a team's name.")
    ordering = ["-id"]
    fields = ["team", "user", "day", "month", "ever", "left_now", "give", "ledger", "created_at"]
    readonly_fields = ["team", "user", "left_now", "give", "ledger", "created_at"]
    inlines = [WindowTotalInline, LedgerEntryInline]

    def found(self, rows: "models.QuerySet[Any]", term: str) -> "models.QuerySet[Any]":
        """By whose it is, or in which team."""
        whose = models.Q(user__in=people_named(term)) | models.Q(team__in=teams_named(term))
        return rows.filter(whose)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change caps: nothing else of an account changes here."""
        return request.user.has_perm("generator.change_cap")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: an account holds a ledger."""
        return False

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[QuotaAccount]":
        """With what caps them, in a query each for all rows of a page."""
        return left.with_windows(super().get_queryset(request))

    @admin.display(description=_("left this month"))
    def left_here(self, account: QuotaAccount) -> str:
        """Of the month, and what was granted in it; a dash where nothing caps the month."""
        months = (each for each in left.lefts(account) if each.cap.window == Window.MONTH)
        return next((each.in_short for each in months), "–")

    @admin.display(description=_("left now"))
    def left_now(self, account: QuotaAccount) -> SafeString:
        """A line for each cap."""
        return caps.in_lines(left.what_is_left(account))

    @admin.display(description=_("credits"))
    def give(self, account: QuotaAccount) -> SafeString:
        """The way to a grant."""
        return caps.grant_link(account)

    @admin.display(description=_("ledger"))
    def ledger(self, account: QuotaAccount) -> SafeString:
        """The way to its entries."""
        return caps.ledger_link(account)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Without the ways that this reader may not go."""
        ways = caps.ways_from(request)
        unseen = {*(() if caps.grant_link in ways else ("give",)),
                  *(() if caps.ledger_link in ways else ("ledger",))}  # fmt: skip
        return [name for name in self.fields if name not in unseen]

    def save_model(
        self, request: HttpRequest, obj: QuotaAccount, form: caps.CapsForm, change: bool
    ) -> None:
        """Write the caps; the account itself stays as it is."""
        form.save_caps()


class GrantForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript at run time
    """Credits given to an account, or taken back with a negative number, and why.

    It carries a key (`once`), so that sent twice it gives once; a second form that gives the same
    within ten minutes is asked about, and so is one that takes more than is left.
    """

    once = forms.UUIDField(widget=forms.HiddenInput, required=False)
    again = forms.BooleanField(widget=forms.HiddenInput, required=False, label=_("Once more"))
    beyond = forms.BooleanField(
        widget=forms.HiddenInput, required=False, label=_("More than is left")
    )

    class Meta:
        model = LedgerEntry
        fields = ["account", "credits", "reason"]
        widgets = {"credits": UnfoldAdminTextInputWidget({"inputmode": "numeric"})}
        help_texts = {
            "credits": _(
                "They count today, this month and in all. With a minus they are taken back."
            ),
            "reason": _("The member sees it in their ledger."),
        }
        error_messages = {
            "credits": {"invalid": _("Write a whole number of credits; with a minus to take back.")}
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "reason" in self.fields:  # of an entry that is there, nothing is a field
            self.fields["reason"].required = True
            self.fields["once"].initial = uuid.uuid4

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

    def clean(self) -> dict[str, Any]:
        """Ask before the same is given once more, or more is taken than is left.

        Raises ValidationError.
        """
        said: dict[str, Any] = super().clean() or self.cleaned_data
        said["once"] = said.get("once") or uuid.uuid4()
        account, credits = said.get("account"), said.get("credits")
        if account is None or credits is None:
            return said
        if sent := LedgerEntry.objects.filter(key=said["once"]).first():
            if (sent.account_id, sent.credits) != (account.pk, credits):
                self._take_another_key()
                raise forms.ValidationError(_used_up(sent))
            return said
        if not said.get("again") and (before := caps.given_lately(account, credits)):
            self._ask("again", _given_before(before))
        if not said.get("beyond") and (over := _beyond(account, credits)):
            self._ask("beyond", _takes_too_much(over))
        return said

    def _ask(self, name: str, text: str) -> None:
        self.fields[name].widget = UnfoldBooleanWidget()
        self.add_error(name, text)

    def _take_another_key(self) -> None:
        key = {self.add_prefix("once"): str(uuid.uuid4())}
        self.data = dict(self.data.items()) | key  # of a QueryDict, `**` would give lists


class Granting(LookedUp, StudioAdmin):
    """The part of the ledger's pages that writes: a grant."""

    form = GrantForm
    autocomplete_fields = ["account"]
    grant_fields = ["account", "credits", "reason", "again", "beyond", "once"]

    def save_model(
        self, request: HttpRequest, obj: LedgerEntry, form: GrantForm, change: bool
    ) -> None:
        """Write the grant, by whoever is signed in, with the sums it changes; say what is left."""
        assert isinstance(request.user, User)
        key = form.cleaned_data["once"]
        # Held from here on: of two that carry the same key, the second sees the first's entry.
        account = QuotaAccount.objects.select_for_update(of=("self",)).get(pk=obj.account_id)
        is_new = not LedgerEntry.objects.filter(key=key).exists()
        entry = account.grant(credits=obj.credits, reason=obj.reason, by=request.user, key=key)
        obj.pk, obj.kind, obj.counts_on = entry.pk, Kind.GRANT, entry.counts_on
        obj.account = account
        text = _told(entry)
        if is_new:
            audit.note(account, f"{text} {entry.reason}")
            self.message_user(request, f"{text} {_left_now(account)}", messages.SUCCESS)
        else:
            already = gettext("This was given already, and not once more. %(left)s")
            text = already % {"left": _left_now(account)}
            self.message_user(request, text, messages.WARNING)

    def response_add(
        self, request: HttpRequest, obj: LedgerEntry, post_url_continue: str | None = None
    ) -> HttpResponse:
        """To the page of whom it concerns."""
        account = obj.account
        whose = "team" if account.user_id is None else "user"
        if not request.user.has_perm(f"generator.view_{whose}"):
            return redirect("admin:generator_ledgerentry_changelist")
        return redirect(f"admin:generator_{whose}_change", account.user_id or account.team_id)


def _given_before(entry: LedgerEntry) -> str:
    text = gettext("The same was given to this account at %(when)s. Tick to give it once more.")
    if entry.credits < 0:
        text = gettext("The same was taken from this account at %(when)s. Tick to take it again.")
    return text % {"when": time_format(timezone.localtime(entry.created_at), "H:i")}


def _beyond(account: QuotaAccount, credits: int) -> int:
    """How many credits more are taken than the tightest cap leaves; nought if nothing caps it."""
    lefts = [each.left for each in left.lefts(account)]
    return max(-credits - max(min(lefts), 0), 0) if credits < 0 and lefts else 0


def _takes_too_much(over: int) -> str:
    text = gettext("That is %(over)s more than is left. Tick to take it all the same.")
    return text % {"over": left.grouped(over)}


def _used_up(entry: LedgerEntry) -> str:
    text = gettext("This form has done its work: %(told)s Save again to do this besides.")
    return text % {"told": _told(entry)}


def _told(entry: LedgerEntry) -> str:
    text = gettext("Gave %(credits)s credits to %(account)s.")
    if entry.credits < 0:
        text = gettext("Took %(credits)s credits from %(account)s.")
    return text % {"credits": left.grouped(abs(entry.credits)), "account": entry.account}


def _left_now(account: QuotaAccount) -> str:
    fresh = left.with_windows(QuotaAccount.objects.filter(pk=account.pk)).get()
    return gettext("Now: %(left)s.") % {"left": "; ".join(left.what_is_left(fresh))}


@admin.register(StartingCaps)
class StartingCapsAdmin(OneRowAdmin):
    """What new accounts begin with."""

    form = ShownForm
    formfield_overrides = {models.PositiveBigIntegerField: {"form_class": caps.CapField}}
    fieldsets = [
        (
            None,
            {
                "fields": ["member_day", "member_month", "member_ever"],
                "description": _(
                    "What the accounts of new members and teams begin with. It concerns accounts "
                    "made from now on; those that are there keep their caps. Empty: no cap."
                ),
            },
        ),
        (_("A team together"), {"fields": ["pool_day", "pool_month", "pool_ever"]}),
    ]
