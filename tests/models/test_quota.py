"""The ledger: what is held, what is given back, and who is refused."""

import threading
import uuid
from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from generator import lifecycle
from generator.errors import QuotaExceeded
from generator.models import (
    Generation,
    Kind,
    LedgerEntry,
    QuotaAccount,
    Status,
    Team,
    User,
    Window,
    WindowTotal,
)
from tests.make import make_asked, make_entry, make_generation, make_user, set_cap

DAY = date(2026, 11, 21)


def left(team: Team, user: User | None, window: Window = Window.MONTH) -> int | None:
    account = QuotaAccount.objects.of(team, user) if user else QuotaAccount.objects.pool(team)
    return account.left(window, team.today())


def test_a_new_member_has_the_default_cap_of_a_month(
    team: Team, member: User, settings: Any
) -> None:
    assert left(team, member) == settings.CREDITS_PER_MONTH
    assert left(team, member, Window.DAY) is None


def test_a_generation_holds_its_price_in_the_members_account_and_the_pool(
    team: Team, member: User
) -> None:
    generation = make_generation(member, team, count=3)
    entries = LedgerEntry.objects.filter(generation=generation)
    assert sorted(entry.credits for entry in entries) == [-120, -120]
    assert {entry.account.user for entry in entries} == {member, None}


def test_a_cap_that_would_be_passed_refuses_and_writes_nothing(team: Team, member: User) -> None:
    set_cap(team, member, window=Window.DAY, credits=39)
    with pytest.raises(
        QuotaExceeded, match=r"You have 39 credits left today, and this needs 40: 1 is missing"
    ):
        make_generation(member, team)
    assert not Generation.objects.exists()
    assert not LedgerEntry.objects.exists()


def test_the_teams_pool_refuses_for_everybody(team: Team, member: User) -> None:
    set_cap(team, None, window=Window.MONTH, credits=50)
    make_generation(member, team)
    with pytest.raises(QuotaExceeded, match="Your team has 10 credits left this month"):
        make_generation(member, team)


def test_a_failed_generation_gives_everything_back(team: Team, member: User) -> None:
    generation = make_generation(member, team, status=Status.SUBMITTING)
    before = left(team, member)
    lifecycle.advance(generation, gateway=None)  # type: ignore[arg-type]
    assert generation.status == Status.FAILED
    assert left(team, member) == before + 40  # type: ignore[operator]
    assert left(team, member) == 10_000


def test_settling_counts_on_the_day_of_the_reservation(team: Team, member: User) -> None:
    generation = make_generation(member, team)
    account = QuotaAccount.objects.of(team, member)
    entry = account.entries.get(kind=Kind.RESERVE)
    # As if it had been reserved in another month.
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE generator_ledgerentry SET counts_on = %s WHERE id = %s",
            ["2026-01-31", entry.pk],
        )
    account.settle(generation, cost=30)
    assert account.entries.get(kind=Kind.SETTLE).counts_on == date(2026, 1, 31)


def test_a_grant_lifts_every_cap_of_that_account_alone(team: Team, member: User) -> None:
    set_cap(team, member, window=Window.DAY, credits=100)
    set_cap(team, None, window=Window.DAY, credits=100)
    account = QuotaAccount.objects.of(team, member)
    account.grant(25, reason="a fair", by=None)
    assert account.left(Window.DAY, team.today()) == 125
    assert account.left(Window.MONTH, team.today()) == 10_025
    assert left(team, None, Window.DAY) == 100


def test_a_grant_without_a_reason_is_refused_by_the_database(team: Team, member: User) -> None:
    account = QuotaAccount.objects.of(team, member)
    with pytest.raises(IntegrityError), transaction.atomic():
        account.grant(25, reason="", by=None)


def test_an_entry_is_written_once(team: Team, member: User) -> None:
    make_generation(member, team)
    entry = LedgerEntry.objects.first()
    assert entry
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()
    with pytest.raises(TypeError):
        LedgerEntry.objects.update(credits=0)
    with pytest.raises(TypeError):
        LedgerEntry.objects.all().delete()


def test_a_reservation_is_closed_once_whoever_tries(team: Team, member: User) -> None:
    generation = make_generation(member, team)
    account = QuotaAccount.objects.of(team, member)
    account.settle(generation, cost=40)
    with pytest.raises(IntegrityError), transaction.atomic():
        account.release(generation)


def test_a_cost_above_the_price_goes_below_nought_and_refuses_the_next(
    team: Team, member: User
) -> None:
    set_cap(team, member, window=Window.EVER, credits=100)
    generation = make_generation(member, team)
    account = QuotaAccount.objects.of(team, member)
    account.settle(generation, cost=130)
    assert account.left(Window.EVER, team.today()) == -30
    with pytest.raises(QuotaExceeded):
        make_generation(member, team)


def test_the_totals_are_the_sums_of_the_entries(team: Team, member: User) -> None:
    for _ in range(3):
        lifecycle.cancel(make_generation(member, team))
    make_generation(member, team, count=2)
    for total in WindowTotal.objects.filter(window=Window.EVER):
        assert total.credits == sum(entry.credits for entry in total.account.entries.all())


@pytest.mark.parametrize(
    ("window", "start", "over"),
    [
        (Window.DAY, date(2026, 12, 31), date(2027, 1, 1)),
        (Window.MONTH, date(2026, 12, 1), date(2027, 1, 1)),
        (Window.EVER, date.min, None),
    ],
)
def test_a_window_knows_where_it_starts_and_when_it_is_over(
    window: Window, start: date, over: date | None
) -> None:
    day = date(2026, 12, 31)
    assert window.start(day) == start
    assert window.next_start(day) == over


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_who_race_for_credits_for_one_exactly_one_gets_them() -> None:
    member = make_user()
    team = member.personal_team
    entry = make_entry()
    # Accounts and totals are there: making them would order the racers by itself.
    lifecycle.cancel(make_generation(member))
    set_cap(team, member, window=Window.DAY, credits=entry.credits_each or 0)
    together = threading.Barrier(16)
    outcomes: list[str] = []

    def press() -> None:
        connection.ensure_connection()  # or the queue for connections is what orders them
        together.wait()
        try:
            lifecycle.begin(member, team, entry, make_asked(), batch=uuid.uuid4())
            outcomes.append("accepted")
        except QuotaExceeded:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["accepted"] + ["refused"] * 15
    assert Generation.objects.unfinished().count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_double_click_makes_one_generation_and_one_reservation() -> None:
    member = make_user()
    team, entry, batch = member.personal_team, make_entry(), uuid.uuid4()
    together = threading.Barrier(8)
    made: list[uuid.UUID] = []

    def press() -> None:
        connection.ensure_connection()  # or the queue for connections is what orders them
        together.wait()
        made.append(lifecycle.begin(member, team, entry, make_asked(), batch=batch).pk)
        connection.close()

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1
    assert LedgerEntry.objects.filter(kind=Kind.RESERVE).count() == 2
