"""begin, advance, cancel: what a person would notice of each."""

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from generator import jobs, lifecycle, pictures, providers
from generator.errors import (
    AlreadyMoved,
    BadPicture,
    BadReply,
    ContentRefused,
    IllegalMove,
    LinkRefused,
    LinkSilent,
    NotAllowed,
    NotOffered,
    ProviderBusy,
    ProviderSilent,
    RequestRefused,
)
from generator.models import (
    FINAL,
    MOVES,
    Generation,
    ImageAsset,
    Kind,
    LedgerEntry,
    Role,
    Status,
    Team,
    User,
)
from generator.models.storage import image_storage, spool
from generator.providers.base import Pending
from tests.make import (
    add_member,
    make_asked,
    make_entry,
    make_generation,
    make_picture,
    make_user,
)
from tests.scripted import CAP, ScriptedGateway, images, left, links, look_again, run, take

# ── begin ──


def test_begin_keeps_the_prompt_and_what_history_needs(team: Team, member: User) -> None:
    generation = make_generation(member, team, prompt="a teapot", count=2)
    assert (generation.status, generation.prompt, generation.price) == ("queued", "a teapot", 80)
    assert generation.price_basis["each"] == "40"
    make_entry().delete()
    generation.refresh_from_db()
    assert generation.label == "GPT Image 2"


def test_a_form_sent_again_finds_the_same_generation(team: Team, member: User) -> None:
    entry, batch = make_entry(), uuid.uuid4()
    first = lifecycle.begin(member, team, entry, make_asked(), batch=batch)
    again = lifecycle.begin(member, team, entry, make_asked(), batch=batch)
    other = lifecycle.begin(member, team, entry, make_asked("another"), batch=batch)
    assert first == again != other
    assert LedgerEntry.objects.filter(kind=Kind.RESERVE).count() == 4


def test_a_form_sent_again_finds_it_even_when_the_credits_are_used_up(
    team: Team, member: User
) -> None:
    entry, batch = make_entry(credits_each=CAP), uuid.uuid4()
    first = lifecycle.begin(member, team, entry, make_asked(), batch=batch)
    assert lifecycle.begin(member, team, entry, make_asked(), batch=batch) == first


def test_the_same_batch_of_another_person_is_another_generation(team: Team, member: User) -> None:
    entry, batch, other = make_entry(), uuid.uuid4(), make_user()
    add_member(team, other)
    mine = lifecycle.begin(member, team, entry, make_asked(), batch=batch)
    theirs = lifecycle.begin(other, team, entry, make_asked(), batch=batch)
    assert mine != theirs


def test_a_viewer_and_a_stranger_may_not_begin(team: Team) -> None:
    viewer, stranger = make_user(), make_user()
    add_member(team, viewer, Role.VIEWER)
    for person in (viewer, stranger):
        with pytest.raises(NotAllowed):
            lifecycle.begin(person, team, make_entry(), make_asked(), batch=uuid.uuid4())


def test_a_model_that_is_not_offered_or_has_no_price_is_refused(team: Team, member: User) -> None:
    for entry in (make_entry(offered=False), make_entry(offered=True, credits_each=None)):
        with pytest.raises(NotOffered):
            lifecycle.begin(member, team, entry, make_asked(), batch=uuid.uuid4())
    assert not Generation.objects.exists()


# ── the way that goes well ──


def test_images_that_come_inside_the_reply_are_kept_and_paid(team: Team, member: User) -> None:
    make_generation(member, team, count=2)
    gateway = ScriptedGateway(images(2, used={"quality": "high"}, request_id="r1"))
    generation = run(gateway)
    assert generation.status == Status.SUCCEEDED
    assert (generation.cost, generation.used, generation.request_id) == (
        80,
        {"quality": "high"},
        "r1",
    )
    assert [asset.width for asset in generation.images.all()] == [64, 65]
    assert left(generation) == CAP - 80
    assert gateway.submitted[0].prompt == "a teapot"


def test_what_is_stored_is_the_picture_with_its_mark(team: Team, member: User) -> None:
    make_generation(member, team)
    asset = run(ScriptedGateway(images())).images.get()
    with asset.file.open() as file:
        data = file.read()
    assert b"trainedAlgorithmicMedia" in data
    assert b"teapot" not in data
    assert len(data) == asset.size
    assert asset.file.name == f"teams/{team.pk}/{asset.generation_id}/0.png"


def test_the_spool_is_empty_when_all_is_kept(
    team: Team, member: User, django_capture_on_commit_callbacks: Any
) -> None:
    make_generation(member, team)
    with django_capture_on_commit_callbacks(execute=True):
        run(ScriptedGateway(images()))
    assert list(spool().kept()) == []


def test_links_are_fetched_in_a_step_of_their_own(team: Team, member: User) -> None:
    make_generation(member, team, wire_model="dall-e-3")
    generation = run(
        ScriptedGateway(links("https://x/1"), files={"https://x/1": make_picture(format="WEBP")})
    )
    asset = generation.images.get()
    assert (generation.status, asset.format, asset.extension) == ("succeeded", "webp", "webp")
    assert generation.outcome == []


def test_fewer_images_than_asked_for_cost_less(team: Team, member: User) -> None:
    make_generation(member, team, count=4)
    generation = run(ScriptedGateway(images(3)))
    assert (generation.status, generation.cost) == ("succeeded", 120)
    assert left(generation) == CAP - 120


def test_a_task_is_looked_at_until_it_is_done(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(providers.POLLING_ADAPTERS, "openai_images", object())
    make_generation(member, team)
    gateway = ScriptedGateway(
        Pending("t1"), Pending("t1", progress=60), ProviderBusy("later"), images()
    )
    generation = run(gateway)
    assert (generation.status, generation.task_id) == ("running", "t1")
    generation = look_again(generation, gateway)
    assert (generation.status, generation.progress) == ("running", 60)
    generation = look_again(generation, gateway)
    assert generation.status == Status.RUNNING
    generation = look_again(generation, gateway)
    assert generation.status == Status.SUCCEEDED
    assert gateway.polled == ["t1", "t1", "t1"]


def test_a_task_that_never_ends_fails_at_the_familys_deadline(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(providers.POLLING_ADAPTERS, "openai_images", object())
    long_ago = timezone.now() - timedelta(hours=2)
    generation = make_generation(
        member, team, status=Status.RUNNING, task_id="t1", started_at=long_ago
    )
    generation = look_again(generation, ScriptedGateway(Pending("t1")))
    assert (generation.status, generation.reason_code) == ("failed", "late")


# ── the three kinds of failure ──


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RequestRefused("No such size."), "refused"),
        (ContentRefused("The safety rules refused it."), "content"),
        (BadReply("Could not be read."), "unreadable"),
    ],
)
def test_a_refusal_is_told_in_its_own_words_and_costs_nothing(
    team: Team, member: User, error: Exception, code: str
) -> None:
    make_generation(member, team)
    generation = run(ScriptedGateway(error))
    assert (generation.status, generation.reason, generation.reason_code) == (
        "failed", str(error), code,
    )  # fmt: skip
    assert left(generation) == CAP


def test_a_silent_provider_is_never_asked_twice(team: Team, member: User) -> None:
    make_generation(member, team)
    gateway = ScriptedGateway(ProviderSilent("No answer came."))
    generation = run(gateway)
    assert (generation.status, generation.reason_code) == ("failed", "silent")
    assert len(gateway.submitted) == 1
    assert left(generation) == CAP


def test_a_busy_provider_is_asked_again_five_times_at_most(team: Team, member: User) -> None:
    make_generation(member, team)
    gateway = ScriptedGateway(*[ProviderBusy("Busy.")] * 5)
    for attempt in range(1, 5):
        generation = run(gateway)
        assert (generation.status, generation.attempts) == ("queued", attempt)
        assert generation.due_at > timezone.now()
        assert take() is None
        Generation.objects.update(due_at=timezone.now())
    generation = run(gateway)
    assert (generation.status, generation.reason_code) == ("failed", "busy")
    assert left(generation) == CAP


def test_pauses_grow_with_a_little_chance_and_keep_what_was_asked_for() -> None:
    for attempt, least in ((1, 1), (2, 2), (3, 4), (4, 8), (9, 30)):
        assert least <= lifecycle.growing_pause(attempt) < least + 1
    assert lifecycle.growing_pause(1, asked_for=90) == 90


def test_no_image_in_the_answer_is_a_failure_without_cost(team: Team, member: User) -> None:
    make_generation(member, team)
    generation = run(ScriptedGateway(images(0)))
    assert (generation.status, left(generation)) == ("failed", CAP)


# ── keeping the images ──


def test_what_is_no_picture_fails_without_cost(team: Team, member: User) -> None:
    make_generation(member, team, wire_model="dall-e-3")
    generation = run(ScriptedGateway(links("https://x/1"), files={"https://x/1": b"<html>"}))
    assert (generation.status, generation.reason_code) == ("failed", "unusable")
    assert left(generation) == CAP


def test_a_link_that_is_over_costs_only_its_own_image(team: Team, member: User) -> None:
    make_generation(member, team, wire_model="dall-e-2", count=2)
    generation = run(
        ScriptedGateway(
            links("https://x/1", "https://x/2"),
            files={"https://x/1": make_picture(), "https://x/2": LinkRefused("The link was over.")},
        )
    )
    assert (generation.status, generation.cost) == ("succeeded", 20)
    assert generation.reason == "The link was over."


def test_a_link_that_does_not_answer_is_tried_again(team: Team, member: User) -> None:
    make_generation(member, team, wire_model="dall-e-3")
    gateway = ScriptedGateway(links("https://x/1"), files={"https://x/1": LinkSilent("Later.")})
    generation = run(gateway)
    assert (generation.status, generation.note) == ("storing", "link")
    gateway.files["https://x/1"] = make_picture()
    assert look_again(generation, gateway).status == Status.SUCCEEDED


def test_a_storage_that_refuses_is_waited_for(team: Team, member: User, tmp_path: Path) -> None:
    wall = tmp_path / "images"
    wall.write_text("a file where the folder should be")
    make_generation(member, team)
    generation = run(ScriptedGateway(images()))
    assert (generation.status, generation.note) == ("storing", "storage")
    wall.unlink()
    generation = look_again(generation, ScriptedGateway())
    assert generation.status == Status.SUCCEEDED
    assert image_storage().exists(generation.images.get().file.name)


def test_a_storage_that_refuses_for_a_day_ends_it_without_cost(
    team: Team, member: User, tmp_path: Path
) -> None:
    (tmp_path / "images").write_text("a file where the folder should be")
    make_generation(member, team)
    generation = run(ScriptedGateway(images()))
    Generation.objects.update(started_at=timezone.now() - timedelta(days=3))
    generation = look_again(generation, ScriptedGateway())
    assert generation.status == Status.STORING  # it was off for three days, and tried twice
    Generation.objects.update(storing_attempts=lifecycle.STORING_TRIES)
    generation = look_again(generation, ScriptedGateway())
    assert (generation.status, left(generation)) == ("failed", CAP)
    assert "storage" in generation.reason
    assert generation.reason_code == "storage"


def test_what_was_fetched_outlives_its_link_while_the_storage_refuses(
    team: Team, member: User, tmp_path: Path
) -> None:
    wall = tmp_path / "images"
    wall.write_text("a file where the folder should be")
    make_generation(member, team, wire_model="dall-e-3")
    gateway = ScriptedGateway(links("https://x/1"), files={"https://x/1": make_picture()})
    generation = run(gateway)
    assert (generation.status, generation.note) == ("storing", "storage")
    gateway.files["https://x/1"] = LinkRefused("The link was over.")
    wall.unlink()
    assert look_again(generation, gateway).status == Status.SUCCEEDED


def test_a_refusing_storage_uses_up_no_tries_of_a_link(team: Team, member: User) -> None:
    make_generation(member, team, wire_model="dall-e-3")
    gateway = ScriptedGateway(links("https://x/1"), files={"https://x/1": LinkSilent("Later.")})
    generation = run(gateway)
    Generation.objects.update(storing_attempts=50)
    assert look_again(generation, gateway).status == Status.STORING


def test_a_step_that_stumbles_after_the_paid_reply_loses_nothing(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = ScriptedGateway(images())
    monkeypatch.setattr(jobs, "open_gateway", lambda: gateway)
    generation = make_generation(member, team)

    def database_away(*args: Any, **facts: Any) -> None:
        raise OSError("the database is away")

    with monkeypatch.context() as away:
        away.setattr(lifecycle.storing, "begin_storing", database_away)
        jobs.start_next()
    generation.refresh_from_db()
    assert generation.status == Status.SUBMITTING
    assert look_again(generation, gateway).status == Status.SUCCEEDED
    assert len(gateway.submitted) == 1


def test_an_error_after_the_paid_reply_is_no_refusal(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = ScriptedGateway(images())
    monkeypatch.setattr(jobs, "open_gateway", lambda: gateway)
    generation = make_generation(member, team)

    def unmarkable(data: bytes) -> bytes:
        raise BadPicture("This picture cannot be marked.")

    with monkeypatch.context() as broken:
        broken.setattr(pictures, "mark", unmarkable)
        jobs.start_next()
    generation.refresh_from_db()
    assert generation.status == Status.STORING
    assert look_again(generation, gateway).status == Status.SUCCEEDED


def test_a_stumble_of_one_who_lost_the_claim_touches_nothing(team: Team, member: User) -> None:
    make_generation(member, team)
    generation = take("mine")
    assert generation
    Generation.objects.update(claimed_by="theirs")
    lifecycle.stumble(generation, OSError())
    generation.refresh_from_db()
    assert (generation.status, generation.claimed_by) == ("submitting", "theirs")


def test_more_images_than_asked_for_are_not_kept(team: Team, member: User) -> None:
    make_generation(member, team)
    generation = run(ScriptedGateway(images(3)))
    assert (generation.images.count(), generation.cost) == (1, 40)


def test_a_full_disk_is_said_and_costs_nothing(team: Team, member: User, tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    make_generation(member, team)
    generation = run(ScriptedGateway(images()))
    assert (generation.status, generation.reason_code) == ("failed", "spool")
    assert left(generation) == CAP


def test_a_worker_that_died_after_spooling_loses_nothing(team: Team, member: User) -> None:
    make_generation(member, team, count=2)
    generation = take("dead")
    assert generation
    manifest = {"outcome": [{"revised_prompt": ""}] * 2, "request_id": "r1"}
    spool().put(generation.pk, [(0, make_picture(64)), (1, make_picture(65))], manifest)
    generation = look_again(generation, ScriptedGateway())
    assert generation.request_id == "r1"
    assert (generation.status, generation.images.count(), generation.cost) == ("succeeded", 2, 80)


def test_storing_twice_keeps_one_image_and_pays_once(team: Team, member: User) -> None:
    make_generation(member, team)
    generation = run(ScriptedGateway(images()))
    stale = Generation.objects.get(pk=generation.pk)
    stale.status = Status.STORING
    stale.outcome = [{"revised_prompt": ""}]
    with pytest.raises(AlreadyMoved):
        lifecycle.advance(stale, ScriptedGateway())  # type: ignore[arg-type]
    assert ImageAsset.objects.count() == 1
    assert LedgerEntry.objects.filter(kind=Kind.SETTLE).count() == 2


# ── claims, and who may move ──


def test_the_table_of_moves_names_every_status() -> None:
    assert set(MOVES) == set(Status)
    assert {Status.SUCCEEDED, Status.FAILED, Status.CANCELLED} == FINAL


def test_a_move_that_the_table_does_not_have_is_a_bug(team: Team, member: User) -> None:
    with pytest.raises(IllegalMove):
        make_generation(member, team).move_to(Status.SUCCEEDED)


def test_of_two_that_move_the_same_generation_one_loses(team: Team, member: User) -> None:
    one = make_generation(member, team)
    two = Generation.objects.get(pk=one.pk)
    one.move_to(Status.CANCELLED)
    with pytest.raises(AlreadyMoved):
        two.move_to(Status.SUBMITTING)


def test_a_claim_is_given_once(team: Team, member: User) -> None:
    generation = make_generation(member, team, status=Status.STORING)
    lease = timedelta(minutes=1)
    assert Generation.objects.claim(generation.pk, worker="a", lease=lease)
    assert Generation.objects.claim(generation.pk, worker="b", lease=lease) is None


def test_a_worker_that_lost_its_claim_can_move_nothing(team: Team, member: User) -> None:
    make_generation(member, team)
    gateway = ScriptedGateway(images())

    def stolen() -> None:
        Generation.objects.update(claimed_by="thief")

    gateway.during = stolen
    generation = take()
    assert generation
    with pytest.raises(AlreadyMoved):
        lifecycle.submit(generation, gateway)  # type: ignore[arg-type]


def test_found_in_submitting_it_fails_and_is_not_sent_again(team: Team, member: User) -> None:
    make_generation(member, team)
    generation = take("dead")
    assert generation
    gateway = ScriptedGateway()
    generation = look_again(generation, gateway)
    assert (generation.status, generation.reason_code) == ("failed", "lost")
    assert gateway.submitted == []
    assert left(generation) == CAP


def test_cancelling_gives_back_and_only_what_waits_can_be_cancelled(
    team: Team, member: User
) -> None:
    generation = make_generation(member, team)
    lifecycle.cancel(generation)
    assert (generation.status, left(generation)) == ("cancelled", CAP)
    begun = make_generation(member, team, status=Status.SUBMITTING)
    with pytest.raises(IllegalMove):
        lifecycle.cancel(begun)
