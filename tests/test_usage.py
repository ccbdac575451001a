"""The totals agree with each other, with the ledger and with what a page says is left."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Sum

from generator import usage
from generator.models import Kind, QuotaAccount, Team, User, Window
from generator.usage import Period, Row, Scope
from generator.views.spending import spendings
from tests.make import add_member, make_generation, make_user, set_cap
from tests.models.test_windows import at
from tests.spent import make_history, make_made

NOW = datetime(2025, 11, 20, 12, tzinfo=UTC)
DAYS = [NOW - timedelta(days=back) for back in (0, 0, 1, 7, 19, 20, 45)]
NOVEMBER = Period.month_of(NOW.date())


def sums(rows: list[Row]) -> tuple[int, ...]:
    return tuple(sum(getattr(row, name) for row in rows) for name in usage.SUMS)


@pytest.mark.parametrize("seed", range(4))
def test_every_way_of_adding_up_comes_to_the_same_and_to_the_lines(
    team: Team, member: User, seed: int
) -> None:
    mate = make_user()
    add_member(team, mate)
    make_history(seed, [member, mate], team, [*DAYS, datetime(2025, 11, 30, 23, tzinfo=UTC)])
    make_made(member, team, begun_at=datetime(2025, 11, 30, 23, tzinfo=UTC))
    for scope in (Scope(team), Scope(team, member), Scope(team, mate), Scope(author=mate)):
        total = sums([usage.total(scope, NOVEMBER)])
        for added in (
            usage.by_day, usage.by_model, usage.by_action, usage.by_author, usage.by_team,
            usage.by_author_and_model,
        ):  # fmt: skip
            assert sums(added(scope, NOVEMBER)) == total, added
    for account, scope in (
        (QuotaAccount.objects.pool(team), Scope(team)),
        (QuotaAccount.objects.of(team, member), Scope(team, member)),
    ):
        lines = account.entries.filter(
            generation__isnull=False, counts_on__range=(NOVEMBER.first, NOVEMBER.last)
        )
        spent = -(lines.aggregate(sum=Sum("credits"))["sum"] or 0)
        assert usage.total(scope, NOVEMBER).credits == spent
        assert usage.by_day(scope, NOVEMBER)[-1].credits >= 40


@pytest.mark.parametrize("seed", range(4, 7))
def test_left_spent_held_and_granted_come_to_the_cap(team: Team, member: User, seed: int) -> None:
    for window in Window:
        set_cap(team, member, window=window, credits=5000)
    make_history(seed, [member], team, DAYS)
    with at(NOW):
        make_generation(member, team)
        account = QuotaAccount.objects.of(team, member)
        rows = {one.window: one for one in spendings(account)}
        for window, one in rows.items():
            assert one.left == account.left(window, NOW.date())
            assert one.held == 40
            granted = account.entries.filter(kind=Kind.GRANT, generation=None)
            in_window = granted.filter(counts_on__gte=window.start(NOW.date()))
            assert one.granted == (in_window.aggregate(sum=Sum("credits"))["sum"] or 0)
            assert one.left + one.spent == one.of == 5000 + one.granted


def test_what_is_held_is_spent_until_it_is_given_back(team: Team, member: User) -> None:
    account = set_cap(team, member, window=Window.DAY, credits=100)
    make_made(member, team)
    make_generation(member, team)
    one = next(one for one in spendings(account) if one.window == Window.DAY)
    assert (one.spent, one.held, one.left) == (80, 40, 20)
