"""A fair start, the sweep and the clock: who is started, and what is made up for."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from generator import jobs, lifecycle
from generator.errors import ProviderBusy
from generator.models import (
    Generation,
    ImageAsset,
    LedgerEntry,
    QuotaAccount,
    ReferenceImage,
    Status,
    Team,
    User,
    Window,
)
from generator.models.storage import image_storage
from tests.make import (
    add_member,
    make_generation,
    make_reference,
    make_team,
    make_user,
)
from tests.scripted import CAP, ScriptedGateway, images, left, run, take

# ── a fair start ──


def test_the_member_with_fewest_under_way_comes_first(team: Team, member: User) -> None:
    other = make_user()
    add_member(team, other)
    many = [make_generation(member, team, prompt=f"mine {n}") for n in range(3)]
    theirs = make_generation(other, team, prompt="theirs")
    order = [take() for _ in range(4)]
    assert [generation.pk for generation in order if generation] == [
        many[0].pk, theirs.pk, many[1].pk, many[2].pk,
    ]  # fmt: skip


@pytest.mark.parametrize("ceiling", ["member_at_once", "studio_at_once", "provider_at_once"])
def test_nothing_starts_above_a_ceiling(team: Team, member: User, ceiling: str) -> None:
    for n in range(3):
        make_generation(member, team, prompt=str(n))
    started = [take(**{ceiling: 2}) for _ in range(3)]
    assert [generation is not None for generation in started] == [True, True, False]


def test_a_provider_at_its_ceiling_does_not_hold_up_another(team: Team, member: User) -> None:
    make_generation(member, team, prompt="1")
    make_generation(member, team, prompt="2")
    qwen = make_generation(member, team, prompt="3", wire_model="qwen-image")
    take(provider_at_once=1)
    second = take(provider_at_once=1)
    assert second == qwen


def test_the_place_in_line_is_the_order_in_which_they_start(team: Team, member: User) -> None:
    other = make_user()
    add_member(team, other)
    mine = [make_generation(member, team, prompt=f"mine {n}") for n in range(3)]
    theirs = make_generation(other, team, prompt="theirs")
    assert [generation.place_in_line() for generation in [*mine, theirs]] == [1, 3, 4, 2]
    order = [take() for _ in range(4)]
    assert order == [mine[0], theirs, mine[1], mine[2]]


def test_a_model_whose_family_is_gone_fails_in_words_and_holds_up_nobody(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "open_gateway", ScriptedGateway)
    old = make_generation(member, team, prompt="old")
    Generation.objects.filter(pk=old.pk).update(family="long-gone")
    jobs.start_next()
    old.refresh_from_db()
    assert (old.status, left(old)) == ("failed", CAP)
    assert old.reason == "This release of the studio does not know how to ask that model."


def test_the_pause_that_a_busy_provider_asks_for_is_kept(team: Team, member: User) -> None:
    make_generation(member, team)
    generation = take()
    assert generation
    before = timezone.now()
    lifecycle.submit(generation, ScriptedGateway(ProviderBusy("Busy.", retry_after=90)))  # type: ignore[arg-type]
    generation.refresh_from_db()
    assert generation.status == Status.QUEUED
    assert timedelta(seconds=90) <= generation.due_at - before < timedelta(seconds=100)
    assert take() is None


# ── claims ──


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"status": Status.FAILED},
        {"due_at": timezone.now() + timedelta(minutes=9), "claimed_by": "quicker"},
    ],
    ids=["ended", "claimed"],
)
def test_a_claim_fails_if_the_generation_changed_between_the_look_and_the_claim(
    team: Team, member: User, meanwhile: dict[str, Any]
) -> None:
    generation = make_generation(member, team, status=Status.STORING, due_at=timezone.now())
    same = Generation.objects.filter(pk=generation.pk)
    changes = [meanwhile]

    def somebody_else_first(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE") and changes:
            same.update(**changes.pop())
        return execute(sql, *rest)

    with connection.execute_wrapper(somebody_else_first):
        claimed = Generation.objects.claim(
            generation.pk, worker="slower", lease=timedelta(minutes=1)
        )
    assert claimed is None
    assert not changes
    assert not same.filter(claimed_by="slower").exists()


# ── jobs and the sweep ──


def test_a_bug_in_a_paid_call_ends_it_and_gives_back(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = ScriptedGateway(ZeroDivisionError())
    monkeypatch.setattr(jobs, "open_gateway", lambda: gateway)
    generation = make_generation(member, team, prompt="a secret prompt")
    jobs.start_next()
    generation.refresh_from_db()
    assert (generation.status, generation.reason_code) == ("failed", "bug")
    assert "a secret prompt" not in caplog.text


def test_the_sweep_sends_what_waits_and_what_a_dead_worker_held(
    team: Team, member: User, queue: Any, settings: Any
) -> None:
    make_generation(member, team, prompt="waits")
    held = make_generation(
        member, team, prompt="held", status=Status.SUBMITTING, claimed_by="gone",
        due_at=timezone.now() + timedelta(minutes=9),
    )  # fmt: skip
    jobs.sweep()
    assert ("step", (str(held.pk),)) in queue.sent
    assert ("start_next", ()) in queue.sent


def test_the_sweep_leaves_the_claims_of_a_living_worker_alone(
    team: Team, member: User, queue: Any
) -> None:
    jobs.WorkerSeen.objects.beat("alive")
    make_generation(
        member, team, status=Status.SUBMITTING, claimed_by="alive",
        due_at=timezone.now() + timedelta(minutes=9),
    )  # fmt: skip
    jobs.sweep()
    assert queue.sent == []


def test_a_worker_says_that_it_lives_before_its_first_claim(team: Team, member: User) -> None:
    jobs.Clock()
    generation = make_generation(member, team)
    assert take(jobs.WORKER) == generation
    jobs.sweep()
    generation.refresh_from_db()
    assert generation.due_at > timezone.now()


def test_the_clock_sends_a_due_step_once(team: Team, member: User, queue: Any) -> None:
    generation = make_generation(member, team, status=Status.STORING)
    seen: dict[str, object] = {}
    jobs.look_for_due(seen)
    jobs.look_for_due(seen)
    assert queue.sent == [("step", (str(generation.pk),))]


def test_thumbnails_are_made_after_the_image_and_only_once(team: Team, member: User) -> None:
    make_generation(member, team)
    asset = run(ScriptedGateway(images())).images.get()
    jobs.make_thumbnails(str(asset.pk))
    asset.refresh_from_db()
    assert asset.thumbnails_at
    for size in ("small", "large"):
        with image_storage().open(asset.thumbnail_key(size)) as file:
            assert file.read(4) == b"RIFF"


def test_deleting_an_image_removes_its_bytes_and_keeps_the_books(
    team: Team, member: User, django_capture_on_commit_callbacks: Any
) -> None:
    make_generation(member, team)
    asset = run(ScriptedGateway(images())).images.get()
    name = asset.file.name
    with django_capture_on_commit_callbacks(execute=True):
        asset.delete()
    assert not image_storage().exists(name)
    assert Generation.objects.count() == 1
    assert LedgerEntry.objects.count() == 4


def test_two_teams_see_their_own_accounts(member: User) -> None:
    one, two = make_team(member), make_team(member)
    make_generation(member, one)
    assert QuotaAccount.objects.of(two, member).total(Window.MONTH, two.today()) == 0


def test_a_reference_that_was_never_sent_is_deleted_after_two_days(
    member: User, team: Team, django_capture_on_commit_callbacks: Any
) -> None:
    old, fresh, sent = (make_reference(member, team) for _ in range(3))
    make_generation(member, team, action="edit", references=(sent,))
    before = timezone.now() - timedelta(days=3)
    ReferenceImage.objects.filter(pk__in=[old.pk, sent.pk]).update(created_at=before)
    with_bytes = old.key
    jobs.daily()
    assert old in ReferenceImage.objects.all()  # the clock waits for no storage
    with django_capture_on_commit_callbacks(execute=True):
        jobs.forget_references()
    assert set(ReferenceImage.objects.all()) == {fresh, sent}
    assert not image_storage().exists(with_bytes)


def test_a_drawing_has_thumbnails_too(team: Team, member: User) -> None:
    make_generation(member, team)
    asset = run(ScriptedGateway(images())).images.get()
    drawing = (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9"/></svg>'
    )
    name = image_storage().save("drawing.svg", ContentFile(drawing))
    ImageAsset.objects.update(file=name, format="svg")
    jobs.make_thumbnails(str(asset.pk))
    asset.refresh_from_db()
    assert asset.thumbnails_at
