"""Usage: what is left, what was made and what it cost; one's own, and for those who steer the
team's.

Everything here counts by the team's calendar.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import formats
from django.views.decorators.http import require_POST, require_safe

from generator import usage
from generator.access import TeamRequest, in_team
from generator.forms.doing import DONE_WORDS
from generator.forms.own_cap import OwnCapForm
from generator.models import QuotaAccount, Team, User, Window
from generator.models.ledger import WindowTotal
from generator.models.people import STEERERS
from generator.usage import Period, Row, Scope
from generator.views import ledger
from generator.views.charts import chart
from generator.views.cursor import LineCursor
from generator.views.sheet import sheet
from generator.views.spending import spendings

COLUMNS = 4  # models that have a column of their own beside the people of a team
A_WINDOW = {Window.DAY: "a day", Window.MONTH: "a month", Window.EVER: "in all"}


@dataclass(frozen=True, slots=True)
class Look:
    """Whose usage is looked at: one's own, a whole team's (`team`), or that of a `person` in it."""

    account: QuotaAccount
    scope: Scope
    page: str  # names of routes
    sheet: str
    person: User | None = None

    @property
    def is_team(self) -> bool:
        """Whether it is the pool."""
        return self.scope.author is None

    def address(self, month: Period, before: LineCursor | None = None) -> str:
        """The page of a month, from a place in its ledger on."""
        return self._address(self.page, month, before)

    def sheet_address(self, month: Period) -> str:
        """The same as a spreadsheet."""
        return self._address(self.sheet, month, None)

    def _address(self, route: str, month: Period, before: LineCursor | None) -> str:
        query = {"month": f"{month.first:%Y-%m}"}
        if self.person:
            query["person"] = str(self.person.pk)
        if before:
            query["before"] = str(before)
        return f"{reverse(route, args=[self.account.team.slug])}?{urlencode(query)}"


@dataclass(frozen=True, slots=True)
class Share:
    """A line of "by model" or "by kind"; `part` in hundredths of the largest."""

    row: Row
    part: int


@dataclass(frozen=True, slots=True)
class Spender:
    """A person of a team: their sums, their credits by column of models, and those of the rest."""

    row: Row
    address: str
    by_model: Sequence[int]
    others: int


@dataclass(frozen=True, slots=True)
class OwnCap:
    """A window in which somebody may cap themselves. `allowed` is what staff allow, if anything."""

    window: Window
    words: str
    allowed: int | None
    typed: str
    is_set: bool
    errors: Sequence[str] = ()


@require_safe
@in_team
def mine(request: TeamRequest) -> HttpResponse:
    """One's own usage. `?month=` picks a month, `?before=` a place in its ledger."""
    return _page(request, _mine(request))


@require_safe
@in_team
def together(request: TeamRequest) -> HttpResponse:
    """The whole team's, for those who steer it; with `?person=`, by key, one member's."""
    return _page(request, _together(request))


@require_safe
@in_team
def mine_as_sheet(request: TeamRequest) -> StreamingHttpResponse:
    """One's own lines of `?month=` as CSV."""
    look = _mine(request)
    month = _month(request, _months(look))
    return sheet(request, look.account, month, name=f"usage-{request.team.slug}")


@require_safe
@in_team
def together_as_sheet(request: TeamRequest) -> StreamingHttpResponse:
    """The lines of the pool, or with `?person=` of one member, as CSV."""
    look = _together(request)
    name = f"usage-{request.team.slug}-{look.person.pk if look.person else 'team'}"
    return sheet(request, look.account, _month(request, _months(look)), name=name)


@require_POST
@in_team
def own_cap(request: TeamRequest) -> HttpResponse:
    """Cap oneself in a window, by whom and where the request comes from alone (A2)."""
    if not request.membership.may_make:
        raise Http404
    look = _mine(request)
    form = OwnCapForm(request.POST)
    if form.is_valid() and form.save(look.account):
        messages.info(request, _said(form))
        return redirect("usage", request.team.slug)
    if "window" in form.errors:
        raise Http404
    return _page(request, look, form)


def _said(form: OwnCapForm) -> str:
    words, credits = A_WINDOW[form.cleaned_data["window"]], form.cleaned_data["credits"]
    if credits is None:
        return f"You have no cap of your own {words} any more."
    return f"You can now spend {credits:,} credits {words} at most."


# ── Whose, and when ──


def _mine(request: TeamRequest) -> Look:
    account = QuotaAccount.objects.of(request.team, request.user)
    scope = Scope(request.team, request.user)
    return Look(_in(request.team, account), scope, "usage", "usage_sheet")


def _together(request: TeamRequest) -> Look:
    """The pool, or a member's account. Raises Http404 for who may not see it, or none such."""
    if not _steers(request):
        raise Http404
    team, key = request.team, request.GET.get("person", "")
    routes = ("team_usage", "team_usage_sheet")
    if not key:
        return Look(_in(team, QuotaAccount.objects.pool(team)), Scope(team), *routes)
    # Those who have left have an account still, and what they spent is on its lines.
    if not (key.isascii() and key.isdigit() and len(key) < 16):
        raise Http404
    accounts = team.accounts.select_related("user")
    account = get_object_or_404(accounts, user=int(key))
    person = account.user
    return Look(_in(team, account), Scope(team, person), *routes, person)


def _in(team: Team, account: QuotaAccount) -> QuotaAccount:
    account.team = team  # as it is here already, nobody needs to ask for it
    return account


def _steers(request: TeamRequest) -> bool:
    """Whether there is a page of the whole team for this member; of one person's there is none."""
    return request.membership.role in STEERERS and request.team.personal_of_id is None


def _months(look: Look) -> list[date]:
    """The first days of the months that have lines, and of the running one, the newest first."""
    rows = WindowTotal.objects.filter(account=look.account, window=Window.MONTH)
    running = Window.MONTH.start(look.account.team.today())
    return sorted({running, *rows.values_list("start", flat=True)}, reverse=True)


def _month(request: TeamRequest, months: Sequence[date]) -> Period:
    """The month that the address names; the running one where it names none of these."""
    named = {f"{month:%Y-%m}": month for month in months}
    running = Window.MONTH.start(request.team.today())
    return Period.month_of(named.get(request.GET.get("month", ""), running))


# ── What the page shows ──


def _page(request: TeamRequest, look: Look, form: OwnCapForm | None = None) -> HttpResponse:
    months = _months(look)
    month = _month(request, months)
    before = LineCursor.read(request.GET.get("before", ""))
    lines = ledger.page(look.account, month, before=before)
    today = request.team.today()
    context: dict[str, Any] = {
        "place": "usage",
        "zone": request.team.time_zone.replace("_", " "),
        "look": look,
        "months": months,
        "month": month,
        "is_running": month.first <= today <= month.last,
        "in_month": formats.date_format(month.first, "F Y"),
        "steers": _steers(request),
        "before": before,
        "lines": lines,
        "here": look.address(month),
        "sheet": look.sheet_address(month),
        "earlier": look.address(month, lines.earlier) if lines.earlier else "",
    }
    if before is None:
        context |= _numbers(look, month, today)
        if look.is_team:
            context |= _people(look, month, context["by_model"])
        if request.membership.may_make and look.page == "usage":
            context["own_caps"] = _own_caps(look.account, form)
    return render(request, "generator/usage.html", context)


def _numbers(look: Look, month: Period, today: date) -> dict[str, Any]:
    """What is left, and the sums of the month."""
    scope = look.scope
    own = spendings(look.account, always=Window.MONTH)
    pool: list[Any] = []
    if not look.is_team and not look.person:
        team = look.account.team
        pool = spendings(_in(team, QuotaAccount.objects.pool(team)))
    day_cap = next((one.cap for one in own if one.window == Window.DAY), None)
    days = usage.by_day(scope, month)
    return {
        "spendings": [*own, *pool],
        "held": next(one.held for one in own if one.window == Window.MONTH),
        "total": usage.total(scope, month),
        "days": [row for row in days if row.key <= today],
        "chart": chart(days, today=today, cap=day_cap),
        "day_cap": day_cap,
        "by_model": _shares(usage.by_model(scope, month)),
        "by_kind": _shares(
            replace(row, label=DONE_WORDS[row.key]) for row in usage.by_action(scope, month)
        ),
    }


def _shares(rows: Iterable[Row]) -> list[Share]:
    """The rows with their bars, by credits; where nothing cost any, by how often."""
    rows = list(rows)
    costs = [row.credits for row in rows]
    sizes = costs if any(costs) else [row.generations for row in rows]
    most = max(sizes, default=0)
    return [
        Share(row, 100 * max(size, 0) // most if most else 0)
        for row, size in zip(rows, sizes, strict=True)
    ]


def _people(look: Look, month: Period, models: Sequence[Share]) -> dict[str, Any]:
    """Who spent what on which model, the dearest models in columns of their own."""
    columns = [share.row for share in models[:COLUMNS]]
    by_both = {row.key: row.credits for row in usage.by_author_and_model(look.scope, month)}
    spenders = []
    for row in usage.by_author(look.scope, month):
        each = [by_both.get((row.key, column.key), 0) for column in columns]
        person = User(pk=row.key)
        address = replace(look, person=person).address(month)
        spenders.append(Spender(row, address, each, row.credits - sum(each)))
    return {"columns": columns, "others": len(models) > COLUMNS, "spenders": spenders}


def _own_caps(account: QuotaAccount, form: OwnCapForm | None) -> list[OwnCap]:
    """A form a window; what was sent and refused keeps what was typed and says why."""
    caps = {Window(cap.window): cap for cap in account.caps.all()}
    rows = []
    for window, words in A_WINDOW.items():
        cap = caps.get(window)
        own = cap.own_credits if cap else None
        allowed = cap.credits if cap else None
        typed = "" if own is None else str(own)
        row = OwnCap(window, words, allowed, typed, is_set=own is not None)
        if form and form.data.get("window") == window:
            errors = [str(error) for error in form.errors.get("credits", [])]
            row = replace(row, typed=form.data.get("credits", ""), errors=errors)
        rows.append(row)
    return rows
