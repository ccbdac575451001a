"""The books are proven: each kind of fault, put in behind the ledger's back, is told."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from generator import books, lifecycle
from generator.models import Generation, Kind, LedgerEntry, QuotaAccount, Status, Team, User, Window
from tests.make import make_asset, make_generation, make_user
from tests.scripted import ScriptedGateway, images, run


def execute(sql: str, *values: Any) -> None:
    """What no code of ours does."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


@pytest.fixture
def history(team: Team, member: User) -> list[Generation]:
    """One that succeeded, one that failed, one cancelled, one that waits; a grant; all is right."""
    make_generation(member, team, prompt="made", count=2)
    made = run(ScriptedGateway(images(2)))
    failed = make_generation(member, team, prompt="failed", status=Status.SUBMITTING)
    lifecycle.advance(failed, gateway=None)  # type: ignore[arg-type]
    cancelled = make_generation(member, team, prompt="cancelled")
    lifecycle.cancel(cancelled)
    waiting = make_generation(member, team, prompt="waiting")
    QuotaAccount.objects.of(team, member).grant(25, reason="a fair", by=None)
    return [made, failed, cancelled, waiting]


def printed() -> tuple[list[str], int]:
    """What the command says, and what it ends with."""
    out = io.StringIO()
    try:
        call_command("check_ledger", stdout=out)
    except SystemExit as end:
        return out.getvalue().splitlines(), int(str(end.code))
    return out.getvalue().splitlines(), 0


def test_books_that_are_right_have_a_drift_of_nought(history: list[Generation]) -> None:
    assert printed() == (["drift: 0 credits"], 0)


def test_an_empty_studio_has_books_that_are_right(db: None) -> None:
    assert printed() == (["drift: 0 credits"], 0)


def test_what_was_given_back_leaves_the_books_right(
    history: list[Generation], member: User
) -> None:
    lifecycle.give_back(history[0], reason="a blurred image", by=member)
    assert books.prove() == []


def test_an_image_deleted_since_is_no_fault(history: list[Generation]) -> None:
    asset = history[0].images.first()
    assert asset
    asset.delete()
    assert books.prove() == []


MADE, FAILED, CANCELLED, WAITING = range(4)
ENTRY = "UPDATE generator_ledgerentry SET "
OF_KIND = " WHERE generation_id = %s AND kind = %s AND account_id = %s"
Plant = Callable[[list[Generation], QuotaAccount], None]


def _on_entry(change: str, which: int, kind: Kind) -> Plant:
    def plant(history: list[Generation], account: QuotaAccount) -> None:
        execute(ENTRY + change + OF_KIND, key(history[which]), kind.value, account.pk)

    return plant


def _on_generation(change: str, which: int) -> Plant:
    def plant(history: list[Generation], account: QuotaAccount) -> None:
        execute(f"UPDATE generator_generation SET {change} WHERE id = %s", key(history[which]))

    return plant


def _without(which: int, kind: Kind) -> Plant:
    def plant(history: list[Generation], account: QuotaAccount) -> None:
        execute(
            "DELETE FROM generator_ledgerentry" + OF_KIND,
            key(history[which]), kind.value, account.pk,
        )  # fmt: skip

    return plant


def _sql(sql: str) -> Plant:
    return lambda history, account: execute(sql)


def _twice(history: list[Generation], account: QuotaAccount) -> None:
    execute("DROP INDEX one_closing_entry_a_generation")
    entry = LedgerEntry.objects.get(generation=history[MADE], kind=Kind.SETTLE, account=account)
    LedgerEntry.objects.bulk_create([_copy(entry)])


def _copy(entry: LedgerEntry) -> LedgerEntry:
    return LedgerEntry(
        account=entry.account, kind=entry.kind, credits=entry.credits, counts_on=entry.counts_on,
        generation=entry.generation,
    )  # fmt: skip


def _given(which: int, credits: int, **facts: Any) -> Plant:
    def plant(history: list[Generation], account: QuotaAccount) -> None:
        account._write(
            Kind.GRANT, credits=credits, generation=history[which], reason="x",
            **{"counts_on": account.team.today(), **facts},
        )  # fmt: skip

    return plant


def _given_on_another_day(history: list[Generation], account: QuotaAccount) -> None:
    day = account.team.today() - timedelta(days=3)
    _given(MADE, 80, counts_on=day)(history, account)


def _in_anothers_account(history: list[Generation], account: QuotaAccount) -> None:
    other = QuotaAccount.objects.of(account.team, make_user())
    execute(
        "UPDATE generator_ledgerentry SET account_id = %s" + OF_KIND,
        other.pk, key(history[WAITING]), Kind.RESERVE.value, account.pk,
    )  # fmt: skip


def _one_image_more(history: list[Generation], account: QuotaAccount) -> None:
    make_asset(history[MADE], position=7)


def key(generation: Generation) -> str:
    return generation.pk.hex if connection.vendor == "sqlite" else str(generation.pk)


TOTALS = "generator_windowtotal"
USAGE = "generator_usagetotal"


@pytest.mark.parametrize(
    ("plant", "fault"),
    [
        (_sql(f"UPDATE {TOTALS} SET credits = credits + 1 WHERE \"window\" = 'day'"), "total"),
        (_sql(f"DELETE FROM {TOTALS} WHERE \"window\" = 'month'"), "total"),
        (_sql(f"UPDATE {TOTALS} SET start = '2001-01-01' WHERE \"window\" = 'month'"), "total"),
        (_on_entry("credits = credits - 5", MADE, Kind.RESERVE), "held"),
        (_on_entry("credits = credits + 5", MADE, Kind.SETTLE), "closed"),
        (_on_entry("credits = credits + 5", FAILED, Kind.RELEASE), "closed"),
        (_on_entry("credits = credits + 5", CANCELLED, Kind.RELEASE), "closed"),
        (_on_entry("kind = 'release'", MADE, Kind.SETTLE), "ended otherwise"),
        (_on_entry("kind = 'settle'", FAILED, Kind.RELEASE), "ended otherwise"),
        (_on_entry("counts_on = '2001-01-01'", MADE, Kind.SETTLE), "day"),
        (_without(MADE, Kind.SETTLE), "unclosed"),
        (_without(CANCELLED, Kind.RELEASE), "unclosed"),
        (_without(MADE, Kind.RESERVE), "orphan"),
        (_without(MADE, Kind.RESERVE), "one side"),
        (_without(WAITING, Kind.RESERVE), "one side"),
        (_twice, "doubled"),
        (_on_generation("status = 'queued'", CANCELLED), "early"),
        (_on_generation("cost = cost - 7", MADE), "closed"),
        (_on_generation("cost = NULL", MADE), "costless"),
        (_on_generation("price = price + 7", WAITING), "held"),
        (_on_entry("credits = credits - 5", WAITING, Kind.RESERVE), "unequal"),
        (_given(MADE, 81), "given"),
        (_given(FAILED, 1), "given"),
        (_given(MADE, 80), "unequal"),
        (_given_on_another_day, "day"),
        (_in_anothers_account, "stranger"),
        (_sql(f"UPDATE {USAGE} SET credits = credits + 1"), "usage"),
        (_sql(f"UPDATE {USAGE} SET generations = generations + 1"), "usage"),
        (_sql(f"UPDATE {USAGE} SET failures = 0"), "usage"),
        (_sql(f"DELETE FROM {USAGE}"), "usage"),
        (_sql(f"UPDATE {USAGE} SET day = '2001-01-01'"), "usage"),
        (_one_image_more, "usage"),
    ],
)  # fmt: skip
def test_each_fault_is_told(
    history: list[Generation], team: Team, member: User, plant: Plant, fault: str
) -> None:
    plant(history, QuotaAccount.objects.of(team, member))
    findings = books.prove()
    assert books.FAULTS[fault] in {finding.what for finding in findings}
    lines, code = printed()
    assert code == 1
    assert lines[-1] == f"drift: {books.drift(findings)} credits"


def test_a_generation_that_nobody_holds_is_told(history: list[Generation]) -> None:
    execute("DELETE FROM generator_ledgerentry WHERE generation_id = %s", key(history[WAITING]))
    assert books.FAULTS["unheld"] in {finding.what for finding in books.prove()}


def test_a_fault_is_named_by_its_generation_and_account(
    history: list[Generation], team: Team, member: User
) -> None:
    account = QuotaAccount.objects.of(team, member)
    _on_entry("credits = credits + 5", MADE, Kind.SETTLE)(history, account)
    lines, _code = printed()
    assert any(f"generation {history[MADE].pk} in account {account.pk}" in line for line in lines)
    # By five in the line, in three totals, and between the two accounts.
    assert lines[-1] == "drift: 25 credits"


def test_at_most_twenty_of_a_kind_are_named(team: Team, member: User) -> None:
    for n in range(23):
        make_generation(member, team, prompt=str(n))
    execute("UPDATE generator_generation SET price = price + 1")
    lines, _code = printed()
    assert "  and 26 more" in lines  # of 23 generations in two accounts
    assert sum("held -40" in line for line in lines) == 20


def test_the_drift_is_the_sum_of_all_differences_whichever_way(
    history: list[Generation], team: Team, member: User
) -> None:
    account = QuotaAccount.objects.of(team, member)
    account.totals.filter(window=Window.DAY).update(credits=1000)
    account.totals.filter(window=Window.EVER).update(credits=-2000)
    right = -80 - 40 + 25
    assert books.drift(books.prove()) == (1000 - right) + (2000 + right)
