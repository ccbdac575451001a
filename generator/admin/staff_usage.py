"""Who spent what on which model: sums for staff, by team, person, model and kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext

from generator import sheets, usage
from generator.admin.board import Line, bars, lines
from generator.admin.sidebar import may_view
from generator.models import Action, CatalogueEntry, Team, User
from generator.overview import spans, using
from generator.overview.spans import Span
from generator.usage import Row, Scope

MOST_ROWS = 50  # of a table
MOST_COLUMNS = 8  # models beside each other; the rest is one column
NO_CACHE = "private, no-store"

_HEADS = (
    "Team", "Person", "Account", "Model", "Model id", "Kind", "Credits", "Images", "Generations",
    "Failures",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: a span, and of whom and of what."""

    span: Span
    scope: Scope

    @property
    def filters(self) -> dict[str, str]:
        """The filters as the address has them."""
        scope = self.scope
        return {
            "team": str(scope.team.pk) if scope.team else "",
            "person": str(scope.author.pk) if scope.author else "",
            "model": scope.wire_model,
        }

    @property
    def is_narrowed(self) -> bool:
        """Whether it is of less than all."""
        return any(self.filters.values())

    def address(self, **other: str) -> str:
        """The query of the same page with something else asked for."""
        asked = {"period": self.span.name, **self.filters, **other}
        return "?" + urlencode({name: value for name, value in asked.items() if value})


@dataclass(frozen=True, slots=True)
class Parts:
    """The sums of a scope in three parts; None for what this person may not see."""

    teams: list[Row] | None
    people: list[Row] | None
    models: list[Row]


@dataclass(frozen=True, slots=True)
class Table:
    """One way to part the sums; so many `more` lines are not shown."""

    title: str
    one: str
    lines: list[Line]
    more: int


@dataclass(frozen=True, slots=True)
class GridLine:
    """What one person spent on each model of the grid, in credits, and in all."""

    label: str
    address: str
    cells: list[int]
    credits: int


@dataclass(frozen=True, slots=True)
class Grid:
    """People by models; `heads` names the columns, so many `more` people are not shown."""

    heads: list[str]
    lines: list[GridLine]
    more: int


def page(request: HttpRequest) -> HttpResponse:
    """The page. Raises PermissionDenied for staff who may not see use."""
    asked = _asked(request)
    parts = _parts(request, asked.span, asked.scope)
    # What there is to choose from is what anybody used.
    whole = _parts(request, asked.span, using.EVERYBODY) if asked.is_narrowed else parts
    context = {
        **admin.site.each_context(request),
        "title": gettext("Usage"),
        "asked": asked,
        "span": asked.span,
        "use": using.use(asked.span, asked.scope),
        "periods": spans.choices(timezone.localdate()),
        "choices": _choices(asked, whole),
        "tables": list(_tables(asked, parts)),
        "grid": _grid(asked, parts.people, parts.models) if parts.people else None,
        "pages": list(_pages(request, asked.scope)),
        "sums": asked.address(),
        "can_take_sums": parts.teams is not None and parts.people is not None,
        "nothing_asked": asked.address(team="", person="", model=""),
    }
    context["credits_by_day"] = bars(context["use"].days, "credits")
    return render(request, "admin/usage.html", context)


def sums(request: HttpRequest) -> HttpResponse:
    """The same sums, as fine as they are kept but for the days, as a spreadsheet."""
    asked = _asked(request)
    if not all(may_view(request, f"generator.{name}") for name in ("team", "user")):
        raise PermissionDenied
    rows = [_HEADS, *_cells(asked)]
    answer = HttpResponse(
        sheets.BOM.encode() + sheets.lines(rows), content_type="text/csv; charset=utf-8"
    )
    name = f"usage-{asked.span.now.first}-{asked.span.last}.csv"
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    answer["Cache-Control"] = NO_CACHE
    return answer


def _asked(request: HttpRequest) -> Asked:
    """What the address asks for; what it names and is not there, or is not theirs to see, counts
    for nothing."""
    if not may_view(request, "generator.usagetotal"):
        raise PermissionDenied
    team, person = request.GET.get("team", ""), request.GET.get("person", "")
    scope = Scope(
        team=Team.objects.filter(pk=int(team)).first()
        if _is_key(team) and may_view(request, "generator.team") else None,
        author=User.objects.filter(pk=int(person)).first()
        if _is_key(person) and may_view(request, "generator.user") else None,
        wire_model=request.GET.get("model", "")[:120].replace("\0", ""),
    )  # fmt: skip
    return Asked(spans.span_of(request.GET.get("period", ""), timezone.localdate()), scope)


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


# ── Tables ──


def _parts(request: HttpRequest, span: Span, scope: Scope) -> Parts:
    may = {name: may_view(request, f"generator.{name}") for name in ("team", "user")}
    return Parts(
        teams=usage.by_team(scope, span.now) if may["team"] else None,
        people=usage.by_author(scope, span.now) if may["user"] else None,
        models=usage.by_model(scope, span.now),
    )


def _tables(asked: Asked, parts: Parts) -> Iterator[Table]:
    scope = asked.scope
    if parts.people is not None and not scope.author:
        yield _table(gettext("By person"), gettext("Person"), parts.people, asked, "person")
    if not scope.wire_model:
        yield _table(gettext("By model"), gettext("Model"), parts.models, asked, "model")
    if parts.teams is not None and not scope.team:
        yield _table(gettext("By team"), gettext("Team"), parts.teams, asked, "team")
    kinds = usage.by_action(scope, asked.span.now)
    yield _table(gettext("By kind"), gettext("Kind"), kinds, asked, "")


def _table(title: str, one: str, rows: list[Row], asked: Asked, name: str) -> Table:
    shown = rows[:MOST_ROWS]
    addresses = {row.key: asked.address(**{name: str(row.key)}) for row in shown if name}
    return Table(title, one, lines(shown, addresses), len(rows) - len(shown))


def _grid(asked: Asked, people: list[Row], models: list[Row]) -> Grid | None:
    """The dearest models each have a column; people stand by what they spent in all."""
    if len(models) < 2:  # it would say what the table of people says
        return None
    spent = {row.key: row.credits for row in usage.by_author_and_model(asked.scope, asked.span.now)}
    shown = models[:MOST_COLUMNS]
    heads = [row.label for row in shown]
    if len(models) > len(shown):
        heads.append(gettext("Others"))
    shown_people = []
    for person in people[:MOST_ROWS]:
        cells = [spent.get((person.key, model.key), 0) for model in shown]
        if len(models) > len(shown):
            cells.append(person.credits - sum(cells))
        address = asked.address(person=str(person.key))
        shown_people.append(GridLine(person.label, address, cells, person.credits))
    return Grid(heads, shown_people, len(people) - len(shown_people))


def _choices(asked: Asked, whole: Parts) -> list[tuple[str, str, list[Row], str]]:
    """What there is to choose from in the period: name, label, rows in the order of the alphabet,
    and which is chosen. What is chosen stays a choice, though it was not used."""
    scope = asked.scope
    found = []
    if whole.teams is not None:
        chosen = Row(scope.team.pk, scope.team.name) if scope.team else None
        found.append(("team", gettext("Team"), whole.teams, chosen))
    if whole.people is not None:
        chosen = Row(scope.author.pk, scope.author.shown_name) if scope.author else None
        found.append(("person", gettext("Person"), whole.people, chosen))
    chosen = Row(scope.wire_model, scope.wire_model) if scope.wire_model else None
    found.append(("model", gettext("Model"), whole.models, chosen))
    return [
        (name, label, _ordered(rows, chosen), str(chosen.key) if chosen else "")
        for name, label, rows, chosen in found
    ]


def _pages(request: HttpRequest, scope: Scope) -> Iterator[tuple[str, str]]:
    """The pages in the admin of whatever was chosen: what they are called, and where they are."""
    if scope.team:
        yield scope.team.name, reverse("admin:generator_team_change", args=[scope.team.pk])
    if scope.author:
        address = reverse("admin:generator_user_change", args=[scope.author.pk])
        yield scope.author.shown_name, address
    if scope.wire_model and may_view(request, "generator.catalogueentry"):
        entry = CatalogueEntry.objects.filter(wire_model=scope.wire_model).first()
        if entry:
            yield entry.label, reverse("admin:generator_catalogueentry_change", args=[entry.pk])


def _ordered(rows: list[Row], chosen: Row | None) -> list[Row]:
    if chosen and all(row.key != chosen.key for row in rows):
        rows = [*rows, chosen]
    return sorted(rows, key=lambda row: row.label.casefold())


# ── The spreadsheet ──


def _cells(asked: Asked) -> Iterator[list[str | int]]:
    rows = list(usage.finest(asked.scope, asked.span.now))
    people = User.objects.in_bulk({row["author"] for row in rows})
    teams = Team.objects.in_bulk({row["team"] for row in rows})
    for row in rows:
        person = people[row["author"]]
        yield [
            teams[row["team"]].name, person.shown_name, person.username, row["named"],
            row["wire_model"], str(Action(row["action"]).label),
            *(row[name] for name in usage.SUMS),
        ]  # fmt: skip
