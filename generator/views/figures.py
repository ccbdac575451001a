"""What the pages of usage show of an account in a month: what is left, and the sums."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from generator import usage
from generator.forms.doing import DONE_WORDS
from generator.forms.own_cap import OwnCapForm
from generator.models import QuotaAccount, Team, User, Window
from generator.usage import Period, Row, Scope
from generator.views.charts import chart
from generator.views.cursor import LineCursor
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
    may_spend: bool = True  # viewers, and who has left, do not: nothing is left to them

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
    """A person of a team: their sums, their credits by column of models, each with the model's
    name, and those of the rest."""

    row: Row
    address: str
    by_model: Sequence[tuple[str, int]]
    others: int


@dataclass(frozen=True, slots=True)
class OwnCap:
    """A window in which somebody may cap themselves. `allowed` is what staff and the team allow,
    if anything; `is_pooled` says that the team together is capped there, too."""

    window: Window
    words: str
    allowed: int | None
    typed: str
    is_set: bool
    is_pooled: bool
    errors: Sequence[str] = ()


def in_its_team(team: Team, account: QuotaAccount) -> QuotaAccount:
    """The account, so that nobody needs to ask for its team, which is here already."""
    account.team = team
    return account


def numbers(look: Look, month: Period, today: date) -> dict[str, Any]:
    """What is left, and the sums of the month; of who may not spend only what they did."""
    scope = look.scope
    own = spendings(look.account, always=Window.MONTH)
    if not look.may_spend:
        own = [replace(one, cap=None) for one in own if one.window == Window.MONTH]
    pool: list[Any] = []
    if not look.is_team and not look.person and look.may_spend:
        team = look.account.team
        pool = spendings(in_its_team(team, QuotaAccount.objects.pool(team)))
    # A cap of today says nothing of a month that is over.
    is_running = month.first <= today <= month.last
    day_cap = next((one.cap for one in own if is_running and one.window == Window.DAY), None)
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


def people(look: Look, month: Period, models: Sequence[Share]) -> dict[str, Any]:
    """Who spent what on which model, the dearest models in columns of their own."""
    columns = [share.row for share in models[:COLUMNS]]
    by_both = {row.key: row.credits for row in usage.by_author_and_model(look.scope, month)}
    spenders = []
    for row in usage.by_author(look.scope, month):
        each = [(column.label, by_both.get((row.key, column.key), 0)) for column in columns]
        others = row.credits - sum(credits for _label, credits in each)
        person = User(pk=row.key)
        address = replace(look, person=person).address(month)
        spenders.append(Spender(row, address, each, others))
    return {"columns": columns, "others": len(models) > COLUMNS, "spenders": spenders}


def own_caps(account: QuotaAccount, form: OwnCapForm | None) -> list[OwnCap]:
    """A form a window; what was sent and refused keeps what was typed and says why."""
    caps = {Window(cap.window): cap for cap in account.caps.all()}
    pooled = set(QuotaAccount.objects.pool(account.team).caps.values_list("window", flat=True))
    rows = []
    for window, words in A_WINDOW.items():
        cap = caps.get(window)
        own = cap.own_credits if cap else None
        allowed = cap.allowed if cap else None
        typed = "" if own is None else str(own)
        row = OwnCap(
            window, words, allowed, typed, is_set=own is not None, is_pooled=window in pooled
        )
        if form and form.data.get("window") == window:
            errors = [str(error) for error in form.errors.get("credits", [])]
            row = replace(row, typed=form.data.get("credits", ""), errors=errors)
        rows.append(row)
    return rows
