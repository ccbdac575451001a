"""The sums that are kept, against the lines: totals of windows, and the usage by day."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from generator.books.faults import Fault
from generator.models import Kind, LedgerEntry, Status, UsageTotal, Window, WindowTotal

ENDED = (Status.SUCCEEDED, Status.FAILED)  # a cancelled one is no use of anything
_OF_A_USE = (
    "generation__team", "generation__author", "counts_on", "generation__wire_model",
    "generation__action",
)  # fmt: skip
_SUMS = ("generations", "failures", "images", "credits")


def totals() -> Iterator[Fault]:
    """Totals that are not the sum of the entries that count in their window."""
    due: dict[tuple[int, str, date], int] = defaultdict(int)
    by_day = LedgerEntry.objects.order_by().values_list("account", "counts_on")
    for account, day, credits in by_day.annotate(sum=Sum("credits")).iterator():
        for window in Window:
            due[account, window.value, window.start(day)] += credits
    rows = WindowTotal.objects.values_list("account", "window", "start", "credits")
    for account, window_name, start, credits in rows.iterator():
        key = (account, window_name, start)
        expected = due.pop(key, None)
        if expected != credits:
            yield _off(key, said=credits, expected=expected)
    for key, expected in due.items():
        yield _off(key, said=None, expected=expected)


def _off(key: tuple[int, str, date], *, said: int | None, expected: int | None) -> Fault:
    account, window, start = key
    said_words = "no row" if said is None else f"{said}"
    expected_words = "no entries" if expected is None else f"{expected}"
    where = f"account {account}, {window} of {start}: {said_words} instead of {expected_words}"
    return Fault("total", where, abs((said or 0) - (expected or 0)))


def usage() -> Iterator[Fault]:
    """Use that is not what generations and entries say.

    Images that were deleted since stay counted: there may be fewer than the usage says.
    """
    due = _used()
    rows = UsageTotal.objects.values_list("team", "author", "day", "wire_model", "action", *_SUMS)
    for *key, generations, failures, images, credits in rows.iterator():
        said = {"generations": generations, "failures": failures, "credits": credits}
        expected = due.pop(tuple(key), dict.fromkeys(_SUMS, 0))
        if said != {name: expected[name] for name in said} or images < expected["images"]:
            yield _misused(key, {**said, "images": images}, expected)
    for key_left, expected in due.items():
        yield _misused(key_left, dict.fromkeys(_SUMS, 0), expected)


def _used() -> dict[tuple[Any, ...], dict[str, int]]:
    members = LedgerEntry.objects.order_by().filter(account__user__isnull=False)
    ended = members.filter(kind=Kind.RESERVE, generation__status__in=ENDED)
    rows = ended.values_list(*_OF_A_USE).annotate(
        n=Count("pk"),
        failures=Count("pk", filter=Q(generation__status=Status.FAILED)),
        cost=Coalesce(Sum("generation__cost"), 0),
    )
    due = {
        tuple(key): {"generations": n, "failures": failures, "images": 0, "credits": cost}
        for *key, n, failures, cost in rows.iterator()
    }
    kept = ended.filter(generation__status=Status.SUCCEEDED, generation__images__isnull=False)
    for *key, images in kept.values_list(*_OF_A_USE).annotate(n=Count("generation__images")):
        due[tuple(key)]["images"] = images
    given = members.filter(kind=Kind.GRANT, generation__status__in=ENDED)
    for *key, credits in given.values_list(*_OF_A_USE).annotate(sum=Sum("credits")):
        # One that is given back on another day is told as that.
        due.setdefault(tuple(key), dict.fromkeys(_SUMS, 0))["credits"] -= credits
    return due


def _misused(key: Iterable[Any], said: dict[str, int], expected: dict[str, int]) -> Fault:
    team, author, day, wire_model, action = key
    wrong = ", ".join(
        f"{said[name]} {name} instead of {expected[name]}"
        for name in _SUMS
        if said[name] != expected[name]
    )
    return Fault(
        "usage",
        f"team {team}, author {author}, {day}, {wire_model}, {action}: {wrong}",
        abs(said["credits"] - expected["credits"]),
    )
