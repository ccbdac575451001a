"""What needs a look: each thing is found, and nothing else is."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from generator.models import (
    CatalogueChange,
    Change,
    Generation,
    Status,
    User,
    WorkerSeen,
)
from generator.overview import attention, failing, running, using
from generator.overview.attention import Finding
from tests.make import make_asset, make_entry, make_generation, make_reference

LONG_AGO = timedelta(hours=2)


@pytest.fixture(autouse=True)
def _a_worker(db: None) -> None:
    WorkerSeen.objects.beat("w1")


def found() -> list[Finding]:
    """All that is found of generations."""
    return attention.of_generations(running.now(), failing.failures())


def titles() -> list[str]:
    """What is found is called."""
    return [one.title for one in found()]


def test_a_studio_at_its_usual_work_needs_no_look(member: User) -> None:
    soon = timezone.now() + timedelta(minutes=1)
    make_generation(member)
    make_generation(member, status=Status.RUNNING, due_at=soon)
    make_generation(member, status=Status.STORING, due_at=soon, note="storage", storing_attempts=1)
    make_generation(member, status=Status.SUCCEEDED, cost=40)
    make_generation(member, status=Status.FAILED, reason_code="content")
    assert titles() == []
    assert attention.of_machinery(running.machinery()) == []


@pytest.mark.parametrize(
    ("title", "facts"),
    [
        ("Stalled", {"status": Status.RUNNING, "due_at": timezone.now() - LONG_AGO}),
        ("Waiting, though nothing is made", {"created_at": timezone.now() - LONG_AGO}),
        (
            "The storage refuses images",
            {"status": Status.STORING, "note": "storage", "storing_attempts": 5},
        ),
        ("Failed without an answer", {"status": Status.FAILED, "reason_code": "silent"}),
        ("Failed without an answer", {"status": Status.FAILED, "reason_code": "lost"}),
        ("Lost on this machine's disk", {"status": Status.FAILED, "reason_code": "spool"}),
        ("The storage refused the image", {"status": Status.FAILED, "reason_code": "storage"}),
        ("No usable image came", {"status": Status.FAILED, "reason_code": "unusable"}),
        ("A fault of the studio", {"status": Status.FAILED, "reason_code": "bug"}),
        ("Cost more than twice their price", {"status": Status.SUCCEEDED, "cost": 999}),
    ],
)
def test_what_went_wrong_is_found_with_its_newest(
    member: User, title: str, facts: dict[str, Any]
) -> None:
    generation = make_generation(member, **{"due_at": timezone.now() + LONG_AGO, **facts})
    (one,) = found()
    assert (one.title, one.count) == (title, "1")
    assert one.newest is not None
    assert one.newest.pk == generation.pk
    assert list(Generation.objects.filter(**_asked(one))) == [generation]


@pytest.mark.parametrize(
    ("code", "look_at"),
    [("spool", "disk"), ("storage", "the storage"), ("unusable", "the provider sent")],
)
def test_what_was_not_kept_sends_staff_to_where_it_was_lost(
    member: User, code: str, look_at: str
) -> None:
    make_generation(member, status=Status.FAILED, reason_code=code)
    (one,) = found()
    assert one.title == failing.in_brief(code)
    places = {"disk", "the storage", "the provider sent"}
    assert {place for place in places if place in one.advice} == {look_at}


def _asked(one: Finding) -> dict[str, Any]:
    """The filters of the admin's list as Django's own."""
    return {
        name: value.split(",") if name.endswith("__in") else value
        for name, value in one.filters.items()
    }


def test_waiting_while_others_are_made_is_no_matter(member: User) -> None:
    make_generation(member, created_at=timezone.now() - LONG_AGO)
    make_generation(member, status=Status.RUNNING, due_at=timezone.now() + LONG_AGO)
    assert titles() == []


def test_what_failed_weeks_ago_is_no_news(member: User) -> None:
    long_ago = timezone.now() - timedelta(days=20)
    make_generation(member, status=Status.FAILED, reason_code="silent", created_at=long_ago)
    assert titles() == []
    assert failing.failures() == []


def test_failures_stand_by_their_reason_the_commonest_first(member: User) -> None:
    for code in ("content", "silent", "content", "a_code_of_theirs", ""):
        make_generation(member, status=Status.FAILED, reason_code=code)
    told = [(one.why, one.many) for one in failing.failures()]
    assert told[0] == ("Refused by a provider's safety rules", 2)
    assert ("a_code_of_theirs", 1) in told
    assert ("No reason was noted", 1) in told


def test_more_than_a_hundred_are_not_counted(member: User) -> None:
    one = make_generation(member, status=Status.RUNNING, due_at=timezone.now() - LONG_AGO)
    for _n in range(attention.MOST):
        one.pk = None
        one._state.adding = True
        one.save()
    assert found()[0].count == "100+"


def test_no_worker_and_no_queue_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    WorkerSeen.objects.all().delete()
    monkeypatch.setattr(running.jobs, "queue_answers", lambda: False)
    told = attention.of_machinery(running.machinery())
    assert [one.title for one in told] == ["No worker is running", "The queue does not answer"]
    assert all(one.is_urgent for one in told)


def test_models_that_are_gone_repriced_or_without_a_price_are_found(db: None) -> None:
    gone = make_entry("gpt-image-2", gone_at=timezone.now())
    CatalogueChange.objects.create(entry=gone, what=Change.GONE)
    CatalogueChange.objects.create(entry=gone, what=Change.REPRICED, before="40", after="60")
    CatalogueChange.objects.create(entry=gone, what=Change.ADDED)
    assert _titles_of_catalogue() >= {
        "Offered, but gone from the gateway",
        "No longer listed at the gateway",
        "Repriced at the gateway",
    }


def test_an_offered_model_without_a_price_is_found(db: None) -> None:
    make_entry("gpt-image-2", offered=False, price_kind="image", credits_each=None)
    names = _unpriced()
    make_entry("gpt-image-2", offered=True, price_kind="image", credits_each=None)
    assert _unpriced() == names + 1


def _titles_of_catalogue() -> set[str]:
    return {one.title for one in attention.of_catalogue()}


def _unpriced() -> int:
    told = [one.many for one in attention.of_catalogue() if one.title == "Offered without a price"]
    return sum(told)


def test_a_balance_below_what_is_held_is_found(
    member: User, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.CREDITS_PER_DOLLAR = 100
    make_generation(member, price=500)
    reserved = running.now().reserved
    assert reserved == 500
    monkeypatch.setattr(running.balance, "kept", lambda _gateway: running.balance.Balance(5, None))
    assert attention.of_money(running.money(reserved)) == []
    (one,) = attention.of_money(running.money(reserved + 1))
    assert one.title == "The gateway's balance is lower than what is held"


def test_the_usual_time_is_the_median_of_what_succeeded(member: User) -> None:
    start = timezone.now()
    for seconds, status in (
        (10, "succeeded"),
        (20, "succeeded"),
        (60, "succeeded"),
        (999, "failed"),
    ):
        end = start + timedelta(seconds=seconds)
        make_generation(member, status=Status(status), started_at=start, finished_at=end)
    assert using.seconds_by_model(["gpt-image-2", "nothing-made"]) == {"gpt-image-2": 20}


def test_storage_is_added_up_once_in_ten_minutes_without_counting_an_image_twice(
    member: User,
) -> None:
    asset = make_asset(make_generation(member))
    reference = make_reference(member)
    first = running.storage()
    assert (first.images, first.references) == (asset.size, reference.size)
    make_asset(make_generation(member))
    assert running.storage() == first
