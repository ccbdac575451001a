"""The lines of a month as a spreadsheet, streamed: as much memory for a million as for one."""

import zoneinfo
from collections.abc import Generator, Iterator
from datetime import timedelta

from django.db import connection
from django.db.models import Q
from django.http import HttpRequest, StreamingHttpResponse

from generator import sheets
from generator.forms.doing import DONE_WORDS
from generator.models import LedgerEntry, QuotaAccount, Status, User
from generator.models.ledger import KIND_WORDS, Kind
from generator.usage import Period
from generator.views import ledger
from generator.views.streaming import streamed

AT_ONCE = 2000  # lines
FARTHEST = timedelta(hours=36)  # more than lies between any two time zones
_READ = (
    "kind", "credits", "counts_on", "reason", "created_at", "by", "by__first_name", "by__last_name",
    "by__username", "generation__label", "generation__action", "generation__prompt",
    "generation__cost", "generation__status", "generation__reason",
    "generation__author__first_name", "generation__author__last_name",
    "generation__author__username", "account__user__first_name",
    "account__user__last_name", "account__user__username",
)  # fmt: skip


def sheet(
    request: HttpRequest, account: QuotaAccount, month: Period, *, name: str
) -> StreamingHttpResponse:
    """All lines that count in this month, oldest first, so that they add up to the page's totals.

    `name` is the file's, without its ending.
    """
    filename = f"{name}-{month.first:%Y-%m}.csv"
    parts = _parts(account, month)
    return streamed(request, parts, filename=filename, content_type="text/csv; charset=utf-8")


def _parts(account: QuotaAccount, month: Period) -> Generator[bytes]:
    yield sheets.BOM.encode() + sheets.lines([_heads(account.team.time_zone)])
    zone = zoneinfo.ZoneInfo(account.team.time_zone)
    for entries in _entries(account, month):
        yield sheets.lines(_cells(entry, zone) for entry in entries)


def _entries(account: QuotaAccount, month: Period) -> Iterator[list[LedgerEntry]]:
    """A few at a time. No connection is held while whoever loads the file takes their time."""
    rest = (
        LedgerEntry.objects.filter(
            account=account, counts_on__gte=month.first, counts_on__lte=month.last
        )
        .select_related("generation__author", "by", "account__user")
        .only(*_READ)
        .order_by("created_at", "pk")
    )
    # None is written before the day it counts on has begun: wherever the team kept its clock then.
    behind, since = Q(), ledger.moments(account.team, month)[0] - FARTHEST
    while entries := list(rest.filter(behind, created_at__gte=since)[:AT_ONCE]):
        if not connection.in_atomic_block:
            connection.close()
        yield entries
        since, pk = entries[-1].created_at, entries[-1].pk
        behind = Q(created_at__gt=since) | Q(pk__gt=pk)


def _heads(zone: str) -> list[str]:
    return [
        f"Time ({zone})", "Counts on", "What", "Credits", "Cost", "Model", "Kind", "Person",
        "Prompt", "Reason", "Granted by", "Generation",
    ]  # fmt: skip


def _cells(entry: LedgerEntry, zone: zoneinfo.ZoneInfo) -> list[str | int | None]:
    generation = entry.generation
    return [
        f"{entry.created_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        entry.counts_on.isoformat(),
        KIND_WORDS[Kind(entry.kind)],
        entry.credits,
        ledger.cost_of(entry),
        generation.label if generation else "",
        DONE_WORDS[generation.action] if generation else "",
        generation.author.shown_name if generation else _name(entry.account.user),
        generation.prompt if generation else "",
        _reason(entry),
        _name(entry.by),
        str(generation.pk) if generation else "",
    ]


def _reason(entry: LedgerEntry) -> str:
    """Why it was granted; why it was given back."""
    generation = entry.generation
    if generation is None or entry.kind == Kind.GRANT:
        return entry.reason
    if entry.kind != Kind.RELEASE:
        return ""
    return "Cancelled" if generation.status == Status.CANCELLED else generation.reason


def _name(user: User | None) -> str:
    return user.shown_name if user else ""
