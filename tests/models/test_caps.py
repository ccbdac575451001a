"""Caps of staff and of one's own, and what a refusal says."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from generator.errors import QuotaExceeded
from generator.models import Cap, Generation, QuotaAccount, Role, Team, User, Window
from generator.models.caps import LARGEST_CAP
from tests.make import add_member, make_generation, make_team, make_user, set_cap
from tests.models.test_windows import at

NOON = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)  # in Berlin it is 19:00


def refusal(team: Team, member: User, **facts: Any) -> QuotaExceeded:
    with pytest.raises(QuotaExceeded) as caught:
        make_generation(member, team, **facts)
    assert not Generation.objects.exists()
    return caught.value


@pytest.fixture
def account(team: Team, member: User) -> QuotaAccount:
    return QuotaAccount.objects.of(team, member)


# ── what is said ──


def test_a_refusal_says_which_cap_what_is_missing_when_it_resets_and_whom_to_ask(
    team: Team, member: User
) -> None:
    team.time_zone = "Europe/Berlin"
    team.save()
    add_member(team, make_user("ada", first_name="Ada", last_name="Ek"), Role.OWNER)
    add_member(team, make_user("ben"), Role.ADMIN)
    add_member(team, make_user("cem"), Role.ADMIN)
    add_member(team, make_user("gone", is_active=False), Role.OWNER)
    set_cap(team, member, window=Window.DAY, credits=50).set_team_cap(Window.DAY, 39)
    with at(NOON):
        error = refusal(team, member)
    assert str(error) == (
        "You have 39 credits left today, and this needs 40: 1 is missing. "
        "It resets at midnight (Europe/Berlin), in 5 hours. For more, ask Ada Ek or ben."
    )
    assert (error.window, error.shared, error.own) == ("day", False, False)
    assert (error.needed, error.left, error.missing) == (40, 39, 1)
    assert error.resets_at == datetime(2026, 11, 21, 23, 0, tzinfo=UTC)


def test_a_cap_of_a_month_says_the_day_and_big_numbers_are_grouped(
    team: Team, member: User
) -> None:
    set_cap(team, None, window=Window.MONTH, credits=1001)
    QuotaAccount.objects.pool(team).grant(-12_001, reason="a mistake", by=None)
    with at(NOON):
        error = refusal(team, member)
    assert str(error) == (
        "Your team has 0 credits left this month, and this needs 40: 11,040 are missing. "
        "It resets on 1 December (UTC). For more, ask an administrator."
    )
    assert (error.shared, error.left, error.missing) == (True, -11_000, 11_040)


@pytest.mark.parametrize(("of_staff", "whom"), [(39, "an administrator"), (41, "ada")])
def test_who_is_to_be_asked_is_who_can_lift_the_cap_that_holds(
    team: Team, member: User, of_staff: int, whom: str
) -> None:
    add_member(team, make_user("ada"), Role.OWNER)
    account = set_cap(team, member, window=Window.DAY, credits=50)
    account.set_team_cap(Window.DAY, 39)
    set_cap(team, member, window=Window.DAY, credits=of_staff)  # the same as the team's, or above
    assert str(refusal(team, member)).endswith(f"For more, ask {whom}.")


def test_a_cap_for_ever_does_not_reset(team: Team, member: User) -> None:
    set_cap(team, member, window=Window.EVER, credits=1)
    error = refusal(team, member)
    assert "1 credit left in all" in str(error)
    assert "It does not reset." in str(error)
    assert error.resets_at is None


def test_a_month_that_ends_tonight_says_the_hour(team: Team, member: User) -> None:
    with at(datetime(2026, 11, 30, 23, 20, tzinfo=UTC)):
        set_cap(team, member, window=Window.MONTH, credits=1)
        assert "It resets at midnight (UTC), in 40 minutes." in str(refusal(team, member))


def test_where_clocks_go_forward_at_midnight_the_hour_is_said(team: Team, member: User) -> None:
    team.time_zone = "Africa/Cairo"
    team.save()
    with at(datetime(2026, 4, 23, 20, 0, tzinfo=UTC)):
        set_cap(team, member, window=Window.DAY, credits=1)
        assert "It resets at 01:00 (Africa/Cairo), in 2 hours." in str(refusal(team, member))


def test_of_several_caps_the_one_that_resets_last_is_named(team: Team, member: User) -> None:
    for window in (Window.DAY, Window.EVER, Window.MONTH):
        set_cap(team, member, window=window, credits=1)
    assert refusal(team, member).window == "ever"


def test_who_runs_the_team_alone_is_told_of_an_administrator(member: User) -> None:
    team = make_team(member, role=Role.OWNER)
    set_cap(team, member, window=Window.DAY, credits=1)
    assert "ask an administrator" in str(refusal(team, member))


def test_a_cap_of_ones_own_refuses_and_says_where_it_was_set(
    team: Team, member: User, account: QuotaAccount
) -> None:
    account.set_own_cap(Window.MONTH, 39)
    error = refusal(team, member)
    assert error.own
    assert str(error).endswith("You set this cap yourself, under Usage.")


# ── caps of one's own ──


def test_a_member_can_lower_their_cap_and_take_that_back(
    team: Team, account: QuotaAccount, settings: Any
) -> None:
    account.set_own_cap(Window.MONTH, 50)
    assert account.left(Window.MONTH, team.today()) == 50
    account.set_own_cap(Window.MONTH, None)
    assert account.left(Window.MONTH, team.today()) == settings.CREDITS_PER_MONTH


def test_a_member_cannot_pass_what_staff_allow(account: QuotaAccount) -> None:
    with pytest.raises(ValidationError, match="You may use at most 10,000"):
        account.set_own_cap(Window.MONTH, 10_001)
    account.set_own_cap(Window.MONTH, 10_000)
    cap = account.caps.get(window=Window.MONTH)
    assert (cap.holds, cap.is_own) == (10_000, False)


def test_what_staff_lower_later_holds_below_the_members_own(account: QuotaAccount) -> None:
    account.set_own_cap(Window.MONTH, 500)
    account.set_cap(Window.MONTH, 100)
    cap = account.caps.get(window=Window.MONTH)
    assert (cap.holds, cap.own_credits, cap.is_own) == (100, 500, False)
    account.set_cap(Window.MONTH, None)
    assert account.caps.get(window=Window.MONTH).holds == 500


def test_of_three_figures_the_lowest_holds(account: QuotaAccount) -> None:
    account.set_team_cap(Window.MONTH, 700)
    with pytest.raises(ValidationError, match="You may use at most 700"):
        account.set_own_cap(Window.MONTH, 701)
    account.set_own_cap(Window.MONTH, 600)
    cap = account.caps.get(window=Window.MONTH)
    assert (cap.credits, cap.holds, cap.is_own) == (10_000, 600, True)
    account.set_cap(Window.MONTH, 500)
    assert account.caps.get(window=Window.MONTH).holds == 500
    account.set_cap(Window.MONTH, None)
    account.set_own_cap(Window.MONTH, None)
    assert account.caps.get(window=Window.MONTH).holds == 700


def test_a_cap_that_nobody_sets_any_more_is_gone(account: QuotaAccount) -> None:
    account.set_own_cap(Window.DAY, 5)
    account.set_own_cap(Window.DAY, None)
    account.set_own_cap(Window.EVER, None)
    assert set(account.caps.values_list("window", flat=True)) == {Window.MONTH}
    account.set_cap(Window.MONTH, None)
    assert not Cap.objects.filter(account=account).exists()


@pytest.mark.parametrize("credits", [-1, LARGEST_CAP + 1, 1.5, "12", True, float("inf")])
def test_what_is_no_cap_is_refused(account: QuotaAccount, credits: Any) -> None:
    with pytest.raises(ValidationError, match="whole number from 0 to 1,000,000,000,000"):
        account.set_own_cap(Window.DAY, credits)
    with pytest.raises(ValidationError, match="whole number from 0 to 1,000,000,000,000"):
        account.set_cap(Window.DAY, credits)
    assert not account.caps.filter(window=Window.DAY).exists()


def test_the_largest_cap_can_be_held_and_one_of_nought_stops_everything(
    team: Team, member: User, account: QuotaAccount
) -> None:
    account.set_cap(Window.DAY, LARGEST_CAP)
    generation = make_generation(member, team)
    assert account.left(Window.DAY, team.today()) == LARGEST_CAP - generation.price
    account.set_own_cap(Window.DAY, 0)
    with pytest.raises(QuotaExceeded, match="You have 0 credits left today"):
        make_generation(member, team)


def test_a_team_may_cap_its_pool_below_what_staff_allow_and_not_above(team: Team) -> None:
    pool = QuotaAccount.objects.pool(team)
    pool.set_cap(Window.DAY, 100)
    with pytest.raises(ValidationError, match="The team may use at most 100"):
        pool.set_own_cap(Window.DAY, 101)
    pool.set_own_cap(Window.DAY, 5)
    assert pool.left(Window.DAY, team.today()) == 5


def test_who_is_held_back_by_the_team_s_own_cap_is_not_told_it_is_theirs(
    team: Team, member: User
) -> None:
    QuotaAccount.objects.pool(team).set_own_cap(Window.DAY, 5)
    with pytest.raises(QuotaExceeded) as refusal:
        make_generation(member, team)
    assert "You set this cap yourself" not in str(refusal.value)
    assert (refusal.value.shared, refusal.value.own) == (True, False)
