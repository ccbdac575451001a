"""Credits given: once for each form, and back for what was paid; and numbers that are none."""

import uuid
from typing import Any

import pytest
from django.db import transaction

from generator import books, lifecycle
from generator.errors import AlreadyMoved, StudioError
from generator.models import Generation, Kind, LedgerEntry, QuotaAccount, Status, Team, User
from generator.models.caps import LARGEST_CAP
from generator.models.storage import spool
from tests.make import make_asked, make_asset, make_entry, make_generation, make_picture
from tests.models.test_quota import left
from tests.scripted import CAP, ScriptedGateway, images, run, take


@pytest.fixture
def account(team: Team, member: User) -> QuotaAccount:
    return QuotaAccount.objects.of(team, member)


@pytest.fixture
def made(team: Team, member: User) -> Generation:
    """Two images for 80 credits."""
    make_generation(member, team, count=2)
    return run(ScriptedGateway(images(2)))


def test_a_form_sent_twice_grants_once(account: QuotaAccount, team: Team) -> None:
    key = uuid.uuid4()
    first = account.grant(25, reason="a fair", by=None, key=key)
    assert account.grant(25, reason="a fair", by=None, key=key) == first
    assert account.grant(25, reason="a fair", by=None, key=uuid.uuid4()) != first
    assert left(team, account.user) == CAP + 50


def test_a_form_that_was_changed_and_sent_again_is_refused_and_not_passed_over(
    account: QuotaAccount, team: Team
) -> None:
    key = uuid.uuid4()
    account.grant(25, reason="a fair", by=None, key=key)
    with pytest.raises(StudioError, match="given something else already"):
        account.grant(50, reason="a fair", by=None, key=key)
    with pytest.raises(StudioError, match="given something else already"):
        QuotaAccount.objects.pool(team).grant(25, reason="a fair", by=None, key=key)
    assert LedgerEntry.objects.count() == 1


@pytest.mark.parametrize("credits", [1.5, "5", True, None])
def test_credits_are_whole_numbers(account: QuotaAccount, made: Generation, credits: Any) -> None:
    before = LedgerEntry.objects.count()
    with pytest.raises(TypeError):
        account.grant(credits, reason="a fair", by=None)
    with pytest.raises(TypeError):
        account.reserve(made, credits=credits, day=made.team.today())
    with pytest.raises(TypeError):
        account.settle(made, cost=credits)
    assert LedgerEntry.objects.count() == before


def test_a_price_below_nought_or_beyond_all_bounds_is_never_held(
    account: QuotaAccount, made: Generation
) -> None:
    before = LedgerEntry.objects.count()
    for credits in (-1, LARGEST_CAP + 1):
        with pytest.raises(ValueError):
            account.reserve(made, credits=credits, day=made.team.today())
    for credits in (-LARGEST_CAP - 1, LARGEST_CAP + 1):
        with pytest.raises(ValueError):
            account.grant(credits, reason="a fair", by=None)
    assert LedgerEntry.objects.count() == before


# ── giving back ──


def test_what_was_paid_is_given_back_to_the_author_and_the_team_once(
    made: Generation, team: Team, member: User
) -> None:
    assert lifecycle.give_back(made, reason="a blurred image", by=member) == 80
    grants = LedgerEntry.objects.filter(generation=made, kind=Kind.GRANT)
    assert {(line.credits, line.reason, line.by) for line in grants} == {
        (80, "a blurred image", member)
    }
    assert left(team, member) == CAP
    assert team.usage.get().credits == 0
    assert team.usage.get().images == 2
    with pytest.raises(StudioError, match="given back before"):
        lifecycle.give_back(made, reason="again", by=member)
    assert left(team, member) == CAP
    assert books.prove() == []


def test_what_is_given_back_counts_on_the_day_it_was_held(made: Generation, member: User) -> None:
    lifecycle.give_back(made, reason="blurred", by=member)
    days = made.entries.values_list("counts_on", flat=True)
    assert len(set(days)) == 1


def test_one_that_waits_fails_for_the_reason_and_is_released(team: Team, member: User) -> None:
    generation = make_generation(member, team)
    assert lifecycle.give_back(generation, reason="The model is down.", by=member) == 40
    assert (generation.status, generation.reason_code) == (Status.FAILED, "staff")
    assert generation.reason == "The model is down."
    assert left(team, member) == CAP
    assert books.prove() == []


def test_one_that_a_worker_has_moved_meanwhile_is_left_alone(team: Team, member: User) -> None:
    generation = make_generation(member, team)
    take()
    with pytest.raises(AlreadyMoved):
        lifecycle.give_back(generation, reason="The model is down.", by=member)
    assert left(team, member) == CAP - 40


@pytest.mark.parametrize("is_claimed", [True, False])
def test_one_whose_images_are_being_kept_is_given_back_once_they_are(
    team: Team, member: User, is_claimed: bool
) -> None:
    generation = make_generation(
        member, team, status=Status.STORING, claimed_by="w1" if is_claimed else ""
    )
    if not is_claimed:
        make_asset(generation)
    with pytest.raises(StudioError, match="being kept"):
        lifecycle.give_back(generation, reason="blurred", by=member)
    assert Generation.objects.get().status == Status.STORING
    assert left(team, member) == CAP - 40


def test_a_paid_image_outlasts_a_giving_up_that_was_taken_back(
    team: Team, member: User, django_capture_on_commit_callbacks: Any
) -> None:
    generation = make_generation(member, team, status=Status.STORING)
    spool().put(generation.pk, [(0, make_picture())], {"outcome": [{}]})
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        lifecycle.give_back(generation, reason="blurred", by=member)
        transaction.set_rollback(True)
    assert spool().manifest(generation.pk) is not None


def test_what_was_given_up_leaves_nothing_in_the_spool(
    team: Team, member: User, django_capture_on_commit_callbacks: Any
) -> None:
    generation = make_generation(member, team, status=Status.STORING)
    spool().put(generation.pk, [(0, make_picture())], {"outcome": [{}]})
    with django_capture_on_commit_callbacks(execute=True):
        lifecycle.give_back(generation, reason="blurred", by=member)
    assert list(spool().kept()) == []


@pytest.mark.parametrize("end", ["failed", "cancelled", "free"])
def test_what_cost_nothing_has_nothing_to_give_back(end: str, team: Team, member: User) -> None:
    entry = make_entry(credits_each=0 if end == "free" else 40)
    generation = lifecycle.begin(member, team, entry, make_asked(), batch=uuid.uuid4())
    match end:
        case "cancelled":
            lifecycle.cancel(generation)
        case "failed":
            lifecycle.give_back(generation, reason="x", by=member)
        case _:
            generation = run(ScriptedGateway(images(1)))
            assert generation.status == Status.SUCCEEDED
    with pytest.raises(StudioError, match="nothing to give back"):
        lifecycle.give_back(generation, reason="x", by=member)
    assert not LedgerEntry.objects.filter(kind=Kind.GRANT).exists()


def test_giving_back_says_why(made: Generation, member: User) -> None:
    with pytest.raises(StudioError, match="Say why"):
        lifecycle.give_back(made, reason="  ", by=member)
    assert not made.entries.filter(kind=Kind.GRANT).exists()


# ── who is suspended ──


def test_what_a_suspended_author_had_waiting_never_starts(team: Team, member: User) -> None:
    make_generation(member, team)
    User.objects.filter(pk=member.pk).update(is_active=False)
    assert take() is None


def test_a_suspended_author_begins_nothing_by_whatever_door(team: Team, member: User) -> None:
    User.objects.filter(pk=member.pk).update(is_active=False)  # after the request had looked
    with pytest.raises(StudioError):
        make_generation(member, team)
    assert not Generation.objects.exists()
