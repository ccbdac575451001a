"""Caps as staff set them: an account a line, a field a window, and beside it what is left."""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminTextInputWidget

from generator import usage
from generator.admin.left import grouped, what_is_left, with_windows
from generator.admin.shown import ShownForm
from generator.admin.sidebar import may_view
from generator.models import Kind, LedgerEntry, QuotaAccount, Team, User, Window
from generator.models.caps import LARGEST_CAP

# Commas, thin spaces, or such as no line is broken at; a point may be meant for a fraction.
_GROUPED = re.compile(r"[0-9]{1,3}([,\u2009\u202f\u00a0])[0-9]{3}(?:\1[0-9]{3}){0,5}")
_BETWEEN = re.compile(r"[^0-9]")
A_PAGE = 10  # accounts; Django refuses a form of more than 200 fields


class CapField(forms.IntegerField):
    """Credits from 0 to LARGEST_CAP, grouped as pages print them or not; empty for no cap."""

    # No number field: a browser sends what it cannot read in one as empty, and empty is no cap.
    widget = UnfoldAdminTextInputWidget
    default_error_messages = {"invalid": _("Write a whole number of credits, or nothing.")}
    default_validators = [
        MinValueValidator(0, _("A cap cannot be below 0.")),
        MaxValueValidator(
            LARGEST_CAP,
            format_lazy(_("A cap can be at most {most}."), most=f"{LARGEST_CAP:,}"),
        ),
    ]

    def __init__(self, *, required: bool = False, **facts: Any) -> None:
        # The model's own widget and bounds say the same less well.
        kept = {name: facts[name] for name in ("label", "help_text") if name in facts}
        super().__init__(required=required, **kept)
        self.widget.attrs |= {"inputmode": "numeric", "autocomplete": "off"}
        if self.label:  # in a table no label stands beside it, and on a phone no heading above
            self.widget.attrs |= {"aria-label": self.label, "placeholder": self.label}

    def to_python(self, value: Any) -> int | None:
        """The number. Raises ValidationError for what is none."""
        if isinstance(value, str) and _GROUPED.fullmatch(value.strip()):
            value = _BETWEEN.sub("", value.strip())
        number: int | None = super().to_python(value)
        return number


class CapsForm(ShownForm):
    """The caps of one account as staff set them. A member's own are shown, never changed here."""

    day = CapField(label=_("cap a day"))
    month = CapField(label=_("cap a month"))
    ever = CapField(label=_("cap in all"))

    class Meta:
        model = QuotaAccount
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for cap in self.instance.caps.all():
                self.initial[cap.window] = cap.credits

    def save(self, commit: bool = True) -> QuotaAccount:
        """The account, which stays as it is; its caps are written at once, or by `save_caps`."""
        if commit:
            self.save_caps()
        account: QuotaAccount = super().save(commit=False)
        return account

    def save_caps(self) -> None:
        """Write the caps that were changed."""
        for window in Window:
            if window in self.changed_data:
                self.instance.set_cap(window, self.cleaned_data[window])


class AccountsInline(TabularInline):  # type: ignore[misc]  # unfold is not typed
    """Accounts on the page of their member or team: caps to set, what is left, the way to more."""

    model = QuotaAccount
    form = CapsForm
    fields = ["day", "month", "ever", "left_now", "used_this_month", "give"]
    readonly_fields = ["left_now", "used_this_month", "give"]
    extra = 0
    show_title = False
    per_page = A_PAGE
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[QuotaAccount]:
        """With all that a line shows, in a query each."""
        return with_windows(super().get_queryset(request)).order_by("pk")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """The formset; what was used is looked up for all of its lines at once."""
        self.used = self.credits_used(obj) if obj else {}
        self.ways, self.request = ways_from(request), request
        return super().get_formset(request, obj, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Without what this reader may not see."""
        may_see = may_view(request, "generator.usagetotal")
        unseen = {*(() if may_see else ("used_this_month",)),
                  *(() if ways_from(request) else ("give",))}  # fmt: skip
        return [name for name in self.fields if name not in unseen]

    def credits_used(self, obj: Any) -> dict[int, int]:
        """Credits used this month, by the primary key of what `named` gives."""
        raise NotImplementedError

    def named(self, account: QuotaAccount) -> int | None:
        """By what a line finds its own in `credits_used`."""
        raise NotImplementedError

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: accounts come by themselves."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change caps."""
        return request.user.has_perm("generator.change_cap")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see accounts, or change caps."""
        may_see = request.user.has_perm("generator.view_quotaaccount")
        return may_see or self.has_change_permission(request, obj)

    @admin.display(description=_("left now"))
    def left_now(self, account: QuotaAccount) -> SafeString:
        """A line for each cap."""
        return in_lines(what_is_left(account))

    @admin.display(description=_("used this month"))
    def used_this_month(self, account: QuotaAccount) -> str:
        """Credits."""
        return grouped(self.used.get(self.named(account) or 0, 0))

    @admin.display(description=_("credits"))
    def give(self, account: QuotaAccount) -> SafeString:
        """The ways to a grant and to the ledger, for those who may go there."""
        return in_lines([way(account) for way in self.ways])


class MemberAccounts(AccountsInline):
    """On a person's page: what they have in each of their teams."""

    fields = ["team_link", *AccountsInline.fields]
    readonly_fields = ["team_link", *AccountsInline.readonly_fields]
    verbose_name_plural = _("credits in each team")

    def credits_used(self, obj: User) -> dict[int, int]:
        """By team."""
        teams = Team.objects.filter(accounts__user=obj)
        months = {team.pk: this_month(team) for team in teams}
        found: dict[int, int] = {}
        for month in set(months.values()):  # one, or two where a month has begun for some
            used = _credits_of(usage.by_team(usage.Scope(author=obj), month))
            found |= {team: used.get(team, 0) for team in months if months[team] == month}
        return found

    def named(self, account: QuotaAccount) -> int | None:
        """The team's."""
        return account.team_id

    @admin.display(description=_("team"))
    def team_link(self, account: QuotaAccount) -> SafeString:
        """The way to the team."""
        return link_to(account.team, self.request)


class PoolAccount(AccountsInline):
    """On a team's page: the pool, which caps all members together."""

    verbose_name_plural = _("pool: what all members may spend together")

    def get_queryset(self, request: HttpRequest) -> QuerySet[QuotaAccount]:
        """The one without a member."""
        return super().get_queryset(request).filter(user=None)

    def credits_used(self, obj: Team) -> dict[int, int]:
        """Of the whole team."""
        return {obj.pk: usage.total(usage.Scope(team=obj), this_month(obj)).credits}

    def named(self, account: QuotaAccount) -> int | None:
        """The team's."""
        return account.team_id


class TeamAccounts(AccountsInline):
    """On a team's page: what each member has."""

    fields = ["member_link", *AccountsInline.fields]
    readonly_fields = ["member_link", *AccountsInline.readonly_fields]
    verbose_name_plural = _(
        "credits of each member (of one who made nothing yet: on their own page)"
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[QuotaAccount]:
        """All but the pool."""
        return super().get_queryset(request).filter(user__isnull=False)

    def credits_used(self, obj: Team) -> dict[int, int]:
        """By member."""
        return _credits_of(usage.by_author(usage.Scope(team=obj), this_month(obj)))

    def named(self, account: QuotaAccount) -> int | None:
        """The member's."""
        return account.user_id

    @admin.display(description=_("member"))
    def member_link(self, account: QuotaAccount) -> SafeString:
        """The way to the person."""
        assert account.user
        return link_to(account.user, self.request)


def ways_from(request: HttpRequest) -> list[Callable[[QuotaAccount], SafeString]]:
    """The links from an account that whoever asks may follow."""
    may_grant = request.user.has_perm("generator.add_ledgerentry")
    may_read = may_view(request, "generator.ledgerentry")
    return [*([grant_link] if may_grant else []), *([ledger_link] if may_read else [])]


def grant_link(account: QuotaAccount) -> SafeString:
    """The way to the form for a grant."""
    query = urlencode({"account": account.pk})
    address = f"{reverse('admin:generator_ledgerentry_add')}?{query}"
    return _link(address, _("Give or take credits"))


def ledger_link(account: QuotaAccount) -> SafeString:
    """The way to the account's ledger."""
    query = urlencode({"account__id__exact": account.pk})
    return _link(f"{reverse('admin:generator_ledgerentry_changelist')}?{query}", _("Ledger"))


def link_to(row: User | Team, request: HttpRequest | None = None) -> SafeString:
    """The way to a person's or a team's page; the mere name, if `request` may not open it."""
    if request and not may_view(request, row._meta.label_lower):
        return format_html("{}", row.shown_name if isinstance(row, User) else row.name)
    there = reverse(f"admin:generator_{row._meta.model_name}_change", args=[row.pk])
    return _link(there, row.shown_name if isinstance(row, User) else row.name)


def _link(address: str, words: object) -> SafeString:
    html = '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>'
    return format_html(html, address, words)


def in_lines(lines: Sequence[str]) -> SafeString:
    """Text in lines of their own."""
    return format_html_join(mark_safe("<br>"), "{}", ((line,) for line in lines))


def this_month(team: Team | None = None) -> usage.Period:
    """The month that holds today, by the team's own calendar, or by the server's."""
    return usage.Period.month_of(team.today() if team else timezone.localdate())


def open_accounts(owner: User | Team) -> None:
    """Make the accounts of a person's teams, or the pool of a team, that are not there yet.

    They come with their first use; a page that sets their caps is one.
    """
    if isinstance(owner, Team):
        QuotaAccount.objects.pool(owner)
        return
    for team in owner.teams.exclude(accounts__user=owner):
        QuotaAccount.objects.of(team, owner)


def given_lately(account: QuotaAccount, credits: int) -> LedgerEntry | None:
    """The newest grant of the same credits to this account in the last ten minutes."""
    since = timezone.now() - timedelta(minutes=10)
    same = account.entries.filter(kind=Kind.GRANT, credits=credits, created_at__gte=since)
    return same.newest_first().first()


def _credits_of(rows: list[usage.Row]) -> dict[int, int]:
    return {row.key: row.credits for row in rows}
