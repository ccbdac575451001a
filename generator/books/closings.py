"""Generations against their lines: held once in two accounts, closed once when they are over."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Case, CharField, Count, F, Max, Min, Q, Sum, Value, When
from django.db.models.functions import Coalesce

from generator.books.faults import Fault
from generator.models import FINAL, Generation, Kind, LedgerEntry, Status


def lines() -> Iterator[Fault]:
    """What is wrong with a generation in one account."""
    for row in _wrong_lines():
        net = row["held"] + row["closed"]
        too_much = max(row["given"] - (row["cost"] or 0), 0)
        yield Fault(
            row["fault"],
            f"generation {row['generation']} in account {row['account']}: {row['status']}, "
            f"price {row['price']}, cost {row['cost']}; held {row['held']}, "
            f"closed {row['closed']}, given back {row['given']}",
            abs(net + _owed(row)) + too_much,
        )


def _wrong_lines() -> Iterator[Mapping[str, Any]]:
    final, open_ = Q(status__in=FINAL), ~Q(status__in=FINAL)
    closing = Q(kind__in=[Kind.SETTLE, Kind.RELEASE])
    given_for_nothing = Q(given__gt=Coalesce(F("cost"), 0)) | Q(given__lt=0)
    succeeded = Q(status=Status.SUCCEEDED)
    lines = (
        LedgerEntry.objects.filter(generation__isnull=False)
        .order_by()
        .values(
            "account",
            "generation",
            status=F("generation__status"),
            price=F("generation__price"),
            cost=F("generation__cost"),
        )
        .annotate(
            reserves=Count("pk", filter=Q(kind=Kind.RESERVE)),
            settles=Count("pk", filter=Q(kind=Kind.SETTLE)),
            closings=Count("pk", filter=closing),
            grants=Count("pk", filter=Q(kind=Kind.GRANT)),
            held=_sum(Q(kind=Kind.RESERVE)),
            closed=_sum(closing),
            given=_sum(Q(kind=Kind.GRANT)),
            first_day=Min("counts_on"),
            last_day=Max("counts_on"),
        )
    )
    wrong = lines.annotate(
        fault=_first_of(
            ("orphan", Q(reserves=0)),
            ("doubled", Q(reserves__gt=1) | Q(closings__gt=1) | Q(grants__gt=1)),
            ("held", ~Q(held=0 - F("price"))),
            ("early", open_ & Q(closings__gt=0)),
            ("unclosed", final & Q(closings=0)),
            ("ended otherwise", (succeeded & Q(settles=0)) | (final & ~succeeded & Q(settles=1))),
            ("costless", succeeded & Q(cost=None)),
            ("closed", succeeded & ~Q(closed=F("price") - F("cost"))),
            ("closed", final & ~succeeded & ~Q(closed=F("price"))),
            ("day", ~Q(first_day=F("last_day"))),
            ("given", given_for_nothing),
        )
    ).exclude(fault="")
    return wrong.iterator()


def generations() -> Iterator[Fault]:
    """What is wrong with a generation in its two accounts."""
    for row in _wrong_generations():
        owed = _owed(row)
        missing = max(2 - row["members"] - row["pools"], 0) * owed
        off = abs(row["members_sum"] - row["pools_sum"]) if row["fault"] == "unequal" else missing
        yield Fault(
            row["fault"],
            f"generation {row['pk']}: {row['status']}, {row['members_sum']} in its author's "
            f"account, {row['pools_sum']} in the team's",
            off,
        )


def _wrong_generations() -> Iterator[Mapping[str, Any]]:
    member = Q(entries__account__user__isnull=False)
    pool = Q(entries__account__isnull=False, entries__account__user=None)
    held = Q(entries__kind=Kind.RESERVE)
    strange = Q(entries__isnull=False) & (
        ~Q(entries__account__team=F("team")) | (member & ~Q(entries__account__user=F("author")))
    )
    rows = (
        Generation.objects.order_by()
        .values("pk", "status", "price", "cost")
        .annotate(
            members=Count("entries", filter=held & member),
            pools=Count("entries", filter=held & pool),
            strangers=Count("entries", filter=strange),
            members_sum=_sum(member, "entries__credits"),
            pools_sum=_sum(pool, "entries__credits"),
        )
    )
    wrong = rows.annotate(
        fault=_first_of(
            ("unheld", Q(members=0, pools=0)),
            ("stranger", Q(strangers__gt=0)),
            ("one side", ~Q(members=1) | ~Q(pools=1)),
            ("unequal", ~Q(members_sum=F("pools_sum"))),
        )
    ).exclude(fault="")
    return wrong.iterator()


def _owed(row: Mapping[str, Any]) -> int:
    """What a generation takes of an account as it stands: what it holds, or what it cost."""
    match row["status"]:
        case Status.SUCCEEDED:
            return row["cost"] or 0
        case Status.FAILED | Status.CANCELLED:
            return 0
        case _:
            return int(row["price"])


def _sum(of: Q, name: str = "credits") -> Coalesce:
    return Coalesce(Sum(name, filter=of), 0)


def _first_of(*faults: tuple[str, Q]) -> Case:
    """The word of the first that holds; empty where none does."""
    cases = [When(holds, then=Value(word)) for word, holds in faults]
    return Case(*cases, default=Value(""), output_field=CharField())
