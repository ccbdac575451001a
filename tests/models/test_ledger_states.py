"""Random sequences of everything that happens to credits, and the rules that hold all along.

Beside the database runs a second reckoning, a list of what was held, paid and given: whether a
reservation passes, and what is left after each step, must be what it says.
"""

import uuid
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as bounded
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from generator import books, keeping, lifecycle
from generator.errors import (
    AlreadyMoved,
    ContentRefused,
    IllegalMove,
    ProviderBusy,
    ProviderSilent,
    QuotaExceeded,
    StudioError,
)
from generator.models import (
    Generation,
    LedgerEntry,
    QuotaAccount,
    Status,
    UsageTotal,
    Window,
    WindowTotal,
)
from generator.models.quota import accounts_holding
from tests.make import make_asked, make_entry, make_team, make_user
from tests.models.test_windows import ZONES
from tests.scripted import ScriptedGateway, images, take

picks = st.integers(0, 99)
caps = st.none() | st.integers(0, 500)
windows = st.sampled_from(list(Window))
FAILURES = {
    "refused": ContentRefused("no"), "busy": ProviderBusy("later"), "silent": ProviderSilent("?"),
}  # fmt: skip
KILLS = ["in the call", "with the reply", "while storing", "at the books"]


class Killed(BaseException):
    """The worker's process ends here."""


@dataclass
class Held:
    """What one generation should have done to its two accounts."""

    pk: uuid.UUID
    begin: Callable[[], Generation]
    accounts: tuple[int, int]
    day: date
    price: int
    cost: int | None = None  # what it must cost if it succeeds
    given: int = 0

    def takes(self, status: str) -> int:
        """Credits that it takes of an account while it stands so."""
        if status == Status.SUCCEEDED:
            return (self.price if self.cost is None else self.cost) - self.given
        return 0 if status in {Status.FAILED, Status.CANCELLED} else self.price


class Ledger(RuleBasedStateMachine):
    """Two people, a team and a personal team."""

    @initialize(zone=st.sampled_from(ZONES))
    def move_in(self, zone: str) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        # Later than any real now, by which rows are made; three days before clocks change.
        self.clock = mock.patch.object(timezone, "now", side_effect=lambda: self.now)
        self.now = datetime(2030, 3, 28, 17, 0, tzinfo=UTC)
        self.clock.start()
        self.people = [make_user(), make_user()]
        self.team = make_team(*self.people, time_zone=zone)
        self.entry = make_entry()
        self.held: list[Held] = []
        self.grants: list[tuple[int, date, int]] = []
        own = self.people[0].personal_team
        self.accounts = [
            *(QuotaAccount.objects.of(self.team, user) for user in self.people),
            QuotaAccount.objects.pool(self.team),
            QuotaAccount.objects.of(own, self.people[0]),
            QuotaAccount.objects.pool(own),
        ]
        for account in self.accounts:
            account.set_cap(Window.MONTH, 500)

    def teardown(self) -> None:
        if hasattr(self, "atomic"):
            self.clock.stop()
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    # ── what people do ──

    @rule(
        who=st.sampled_from([0, 0, 1]), alone=st.booleans(), count=st.integers(1, 4),
        each=st.sampled_from([0, 1, 3, 40, 140]),
    )  # fmt: skip
    def begin(self, who: int, alone: bool, count: int, each: int) -> None:
        author = self.people[who]
        alone = alone and who == 0
        team = author.personal_team if alone else self.team
        both = (self.accounts[3], self.accounts[4]) if alone else (
            self.accounts[who], self.accounts[2])  # fmt: skip
        entry, batch, price = self.entry, uuid.uuid4(), each * count
        entry.credits_each = each

        def begin() -> Generation:
            return lifecycle.begin(author, team, entry, make_asked(count=count), batch=batch)

        day = team.today()
        fits = all(self.fits(account, price, day) for account in both)
        lines = LedgerEntry.objects.count()
        if not fits:
            with pytest.raises(QuotaExceeded) as caught:
                begin()
            assert caught.value.needed == price
            assert caught.value.missing > 0
            assert LedgerEntry.objects.count() == lines
            return
        generation = begin()
        keys = (both[0].pk, both[1].pk)
        self.held.append(Held(generation.pk, begin, keys, day, price))

    def fits(self, account: QuotaAccount, price: int, day: date) -> bool:
        """Whether no cap of it would be passed, by the second reckoning."""
        status = self.status()
        return all(
            cap.holds + self.reckoned(account, Window(cap.window), day, status) >= price
            for cap in account.caps.all()
        )

    @precondition(lambda self: self.held)
    @rule(pick=picks)
    def send_again(self, pick: int) -> None:
        held = self.one(pick)
        lines = LedgerEntry.objects.count()
        assert held.begin().pk == held.pk
        assert LedgerEntry.objects.count() == lines

    @precondition(lambda self: self.held)
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        generation = self.row(pick)
        waits = generation.status == Status.QUEUED
        with suppress(AlreadyMoved, IllegalMove):
            lifecycle.cancel(generation)
            assert waits

    @rule(who=st.sampled_from([0, 1, 3]), window=windows, credits=caps)
    def lower_ones_own(self, who: int, window: Window, credits: int | None) -> None:
        staff = self.accounts[who].caps.filter(window=window, credits__isnull=False).first()
        try:
            self.accounts[who].set_own_cap(window, credits)
        except ValidationError:
            assert staff
            assert staff.credits is not None
            assert credits is not None
            assert credits > staff.credits

    # ── what staff do ──

    @rule(which=st.integers(0, 4), window=windows, credits=caps)
    def set_cap(self, which: int, window: Window, credits: int | None) -> None:
        self.accounts[which].set_cap(window, credits)

    @rule(which=st.integers(0, 4), credits=st.integers(-300, 300).filter(bool), twice=st.booleans())
    def grant(self, which: int, credits: int, twice: bool) -> None:
        account, key = self.accounts[which], uuid.uuid4()
        for _ in range(2 if twice else 1):
            account.grant(credits, reason="a fair", by=None, key=key)
        self.grants.append((account.pk, account.team.today(), credits))

    @precondition(lambda self: self.held)
    @rule(pick=picks)
    def give_back(self, pick: int) -> None:
        held, generation = self.one(pick), self.row(pick)
        before, takes = generation.status, held.takes(generation.status)
        try:
            given = lifecycle.give_back(generation, reason="blurred", by=None)
        except StudioError:
            assert takes == 0
            return
        if before == Status.SUCCEEDED:
            assert given == takes
            held.given = given

    # ── what workers do ──

    @rule(made=st.integers(1, 4), dearer=st.sampled_from([None, None, None, 50, 200]))
    def make(self, made: int, dearer: int | None) -> None:
        if generation := take():
            self.reckon_cost(generation, made, dearer)
            self.step(generation, ScriptedGateway(images(min(made, generation.count))))

    @rule(how=st.sampled_from(list(FAILURES)))
    def fail(self, how: str) -> None:
        if generation := take():
            self.step(generation, ScriptedGateway(FAILURES[how]))

    @rule(when=st.sampled_from(KILLS), made=st.integers(1, 4))
    def kill(self, when: str, made: int) -> None:
        generation = take()
        if generation is None:
            return
        self.reckon_cost(generation, made, None)
        gateway = ScriptedGateway(images(min(made, generation.count)))
        match when:
            case "in the call":
                gateway.during = killed
                place: Any = nullcontext()
            case "with the reply":
                place = mock.patch("generator.lifecycle.storing.begin_storing", killed)
            case "while storing":
                place = mock.patch.object(keeping, "keep_images", killed)
            case _:
                place = mock.patch.object(UsageTotal.objects, "add", killed)
        with suppress(Killed), place:
            self.step(generation, gateway)

    @rule(pick=picks)
    def take_up(self, pick: int) -> None:
        """The sweep finds what a dead worker had."""
        under_way = list(Generation.objects.under_way().order_by("pk"))
        if not under_way:
            return
        pk = under_way[pick % len(under_way)].pk
        Generation.objects.filter(pk=pk).update(due_at=self.now)
        generation = Generation.objects.claim(pk, worker="w2", lease=timedelta(minutes=1))
        assert generation
        while lifecycle.advance(generation, ScriptedGateway()) == 0:  # type: ignore[arg-type]
            pass

    @precondition(lambda self: self.held)
    @rule(pick=picks, release=st.booleans())
    def close_again(self, pick: int, release: bool) -> None:
        generation = self.row(pick)
        for account in accounts_holding(generation) if generation.is_final else []:
            with suppress(IntegrityError), transaction.atomic():
                account.release(generation) if release else account.settle(generation, cost=1)
                raise AssertionError("closed twice")

    # ── what time does ──

    @rule(hours=st.integers(1, 30))
    def hours_pass(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def a_month_passes(self) -> None:
        self.now += timedelta(days=31)

    # ── what always holds ──

    @invariant()
    def books_are_right(self) -> None:
        assert books.prove() == []

    @invariant()
    def accounts_hold_what_was_reckoned(self) -> None:
        status = self.status()
        totals = {
            (total.account_id, total.window, total.start): total.credits
            for total in WindowTotal.objects.all()
        }
        for account in self.accounts:
            day = account.team.today()
            for window in Window:
                said = totals.get((account.pk, window, window.start(day)), 0)
                assert said == self.reckoned(account, window, day, status)

    def status(self) -> dict[uuid.UUID, str]:
        """Where each generation stands."""
        return dict(Generation.objects.values_list("pk", "status"))

    def reckoned(
        self, account: QuotaAccount, window: Window, day: date, status: dict[uuid.UUID, str]
    ) -> int:
        """The sum of a window as it must be."""
        start = window.start(day)
        taken = sum(
            held.takes(status[held.pk])
            for held in self.held
            if account.pk in held.accounts and window.start(held.day) == start
        )
        granted = [
            credits
            for pk, counts_on, credits in self.grants
            if pk == account.pk and window.start(counts_on) == start
        ]
        return sum(granted) - taken

    def one(self, pick: int) -> Held:
        return self.held[pick % len(self.held)]

    def row(self, pick: int) -> Generation:
        return Generation.objects.get(pk=self.one(pick).pk)

    def reckon_cost(self, generation: Generation, made: int, dearer: int | None) -> None:
        """What it must cost in the end; `dearer` is what an image costs in the end, for a model
        whose provider bills by use."""
        each = generation.price // generation.count if dearer is None else dearer
        if dearer is not None:
            basis = {**generation.price_basis, "each": str(dearer)}
            Generation.objects.filter(pk=generation.pk).update(price_basis=basis)
            generation.price_basis = basis
        held = next(held for held in self.held if held.pk == generation.pk)
        held.cost = each * min(made, generation.count)

    def step(self, generation: Generation, gateway: ScriptedGateway) -> None:
        pause = lifecycle.submit(generation, gateway)  # type: ignore[arg-type]
        while pause == 0:
            pause = lifecycle.advance(generation, gateway)  # type: ignore[arg-type]


def killed(*_arguments: Any, **_facts: Any) -> None:
    """In place of whatever the process did not come to."""
    raise Killed


def test_whatever_happens_in_whatever_order_the_rules_hold(db: None) -> None:
    run_state_machine_as_test(
        Ledger,
        settings=bounded(
            max_examples=12, stateful_step_count=30, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
