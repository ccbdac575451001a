"""What a step does beyond images in a reply: tasks, dialogs, texts, memory, late links."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image

from generator import briefs, lifecycle
from generator.errors import (
    BadReply,
    ContentRefused,
    LinkRefused,
    NotAllowed,
    ProviderBusy,
    ProviderError,
    ProviderSilent,
    RequestRefused,
    TaskUnknown,
)
from generator.families import FAMILIES
from generator.models import Generation, ReferenceImage, Status, Team, User, image_storage
from generator.models.storage import spool
from generator.providers.base import (
    Button,
    Dialog,
    Finished,
    InlineImage,
    LinkedImage,
    Pending,
    Reference,
)
from tests.make import (
    make_entry,
    make_generation,
    make_mask,
    make_picture,
    make_reference,
)
from tests.scripted import CAP, ScriptedGateway, images, left, look_again, run, take

pytestmark = pytest.mark.django_db


def imagined(member: User, team: Team, **facts: Any) -> Generation:
    return make_generation(member, team, wire_model="midjourney", **facts)


def age(generation: Generation, seconds: float) -> None:
    """Let it have begun so long ago."""
    started = timezone.now() - timedelta(seconds=seconds)
    Generation.objects.filter(pk=generation.pk).update(started_at=started)


# ── Tasks ──


def test_a_task_is_looked_at_until_it_is_done(team: Team, member: User) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), Pending("t1", note="in line", progress=31), images())
    generation = run(gateway)
    assert (generation.status, generation.task_id) == (Status.RUNNING, "t1")
    generation = look_again(generation, gateway)
    assert (generation.note, generation.progress) == ("in line", 31)
    assert look_again(generation, gateway).status == Status.SUCCEEDED
    assert gateway.polled == ["t1", "t1"]
    assert len(gateway.submitted) == 1


def test_a_task_not_known_yet_is_borne_for_the_grace_of_its_family(
    team: Team, member: User
) -> None:
    make_generation(member, team, wire_model="flux-2-pro")
    unknown = TaskUnknown("The provider does not know this task.")
    gateway = ScriptedGateway(Pending("t1"), unknown, unknown, unknown)
    generation = run(gateway)
    for _ in range(3):
        generation = look_again(generation, gateway)
        assert generation.status == Status.RUNNING


def test_a_task_not_known_later_is_asked_for_once_more_and_then_given_up(
    team: Team, member: User
) -> None:
    make_generation(member, team, wire_model="flux-2-pro")
    unknown = TaskUnknown("The provider does not know this task.")
    gateway = ScriptedGateway(Pending("t1"), unknown, unknown)
    generation = run(gateway)
    age(generation, FAMILIES["flux-2"].grace + 60)
    assert look_again(generation, gateway).status == Status.RUNNING
    generation = look_again(generation, gateway)
    assert (generation.status, generation.reason_code) == (Status.FAILED, "gone")
    assert left(generation) == CAP


def test_a_word_that_nobody_knows_is_bounded_by_the_deadline(team: Team, member: User) -> None:
    generation = imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), *[Pending("t1", note="PONDERING")] * 2)
    generation = run(gateway)
    assert look_again(generation, gateway).note == "PONDERING"
    age(generation, generation.rule.deadline + 1)
    generation = look_again(generation, gateway)
    assert (generation.status, generation.reason_code) == (Status.FAILED, "late")
    assert left(generation) == CAP


def test_what_a_task_takes_is_kept_and_its_end_may_say_it_anew(team: Team, member: User) -> None:
    make_generation(member, team, wire_model="flux-2-pro")
    taken = Pending("t1", usage={"cost": 3.0, "output_mp": 1.05})
    gateway = ScriptedGateway(taken, Pending("t1"), images(usage={"cost": 4.5, "duration": 7}))
    generation = run(gateway)
    assert generation.usage == {"cost": 3.0, "output_mp": 1.05}
    assert look_again(generation, gateway).usage == {"cost": 3.0, "output_mp": 1.05}
    generation = look_again(generation, gateway)
    assert generation.usage == {"cost": 4.5, "output_mp": 1.05, "duration": 7}


@pytest.mark.parametrize(
    ("said", "kept"),
    [(" A quiet harbour\n", ""), ("A quiet harbour at dawn", "A quiet harbour at dawn")],
)
def test_a_prompt_that_comes_back_as_it_was_is_no_revision(
    team: Team, member: User, said: str, kept: str
) -> None:
    make_generation(member, team, wire_model="flux-2-pro", prompt="A quiet harbour")
    made = Finished((InlineImage(make_picture(64, 48), said),))
    generation = run(ScriptedGateway(made))
    assert generation.images.get().revised_prompt == kept


def test_an_endless_task_id_is_no_task_id(team: Team, member: User) -> None:
    imagined(member, team)
    generation = run(ScriptedGateway(Pending("x" * 201)))
    assert (generation.status, generation.reason_code) == (Status.FAILED, "unreadable")


# ── Dialogs ──


def test_a_dialog_is_answered_once_and_its_new_task_is_followed(team: Team, member: User) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), Dialog("t1"), Pending("t2"), images())
    generation = run(gateway)
    generation = look_again(generation, gateway)
    assert (generation.status, generation.task_id) == (Status.RUNNING, "t2")
    assert [task_id for task_id, _brief in gateway.answered] == ["t1"]
    assert look_again(generation, gateway).status == Status.SUCCEEDED


def test_a_dialog_that_stays_open_for_a_moment_is_not_answered_twice(
    team: Team, member: User
) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), Dialog("t1"), Pending("t1"), Dialog("t1"), images())
    generation = run(gateway)
    for _ in range(3):
        generation = look_again(generation, gateway)
    assert generation.status == Status.SUCCEEDED
    assert len(gateway.answered) == 1


def test_an_answer_that_came_to_nothing_for_sure_is_given_again(team: Team, member: User) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(
        Pending("t1"), Dialog("t1"), ProviderBusy("busy"), Dialog("t1"), Pending("t2")
    )
    generation = look_again(run(gateway), gateway)
    assert (generation.status, generation.task_id) == (Status.RUNNING, "t1")
    assert look_again(generation, gateway).task_id == "t2"
    assert len(gateway.submitted) == 1


def test_an_answer_that_nobody_knows_of_is_never_given_again(team: Team, member: User) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), Dialog("t1"), ProviderSilent("no answer"))
    generation = look_again(run(gateway), gateway)
    assert (generation.status, generation.reason_code) == (Status.FAILED, "silent")
    assert left(generation) == CAP


# ── Texts, buttons, memory ──


def test_a_description_is_an_end_without_an_image(team: Team, member: User) -> None:
    reference = make_reference(member, team)
    imagined(member, team, action="describe", references=(reference,))
    generation = run(ScriptedGateway(Finished((), texts=("a bowl", "a still life"))))
    assert (generation.status, generation.texts) == (Status.SUCCEEDED, ["a bowl", "a still life"])
    assert generation.cost == generation.price


def test_words_without_an_image_are_no_end_of_what_should_be_one(team: Team, member: User) -> None:
    make_generation(member, team)
    generation = run(ScriptedGateway(Finished((), texts=("I would rather not.",))))
    assert generation.status == Status.FAILED
    assert left(generation) == CAP


def test_buttons_of_the_provider_are_kept(team: Team, member: User) -> None:
    imagined(member, team)
    button = Button("MJ::1", "U1", "upscale")
    generation = run(ScriptedGateway(images(buttons=(button,))))
    assert generation.button_named("MJ::1") == button
    assert generation.button_named("MJ::2") is None


def test_members_that_did_not_come_out_are_told_and_not_paid(team: Team, member: User) -> None:
    make_generation(member, team, count=4)
    said = images(3, failed_members=1, problem="One was refused by the safety rules.")
    generation = run(ScriptedGateway(said))
    assert (generation.status, generation.failed_members) == (Status.SUCCEEDED, 1)
    assert generation.reason == "One was refused by the safety rules."
    assert generation.cost == generation.price * 3 // 4


def test_what_an_adapter_remembers_is_handed_back_with_the_next_turn(
    team: Team, member: User
) -> None:
    facts = {"wire_model": "gemini-3.1-flash-image-preview"}
    make_generation(member, team, **facts)
    first = run(ScriptedGateway(images(memory=b"what was said")))
    assert first.memory
    assert image_storage().exists(first.memory)
    make_generation(member, team, action="edit", parent=first, parent_position=0, **facts)
    gateway = ScriptedGateway(images())
    run(gateway)
    assert gateway.submitted[0].parent
    assert gateway.submitted[0].parent.memory == b"what was said"


def test_a_memory_is_not_told_to_another_family(team: Team, member: User) -> None:
    make_generation(member, team, wire_model="gemini-3.1-flash-image-preview")
    first = run(ScriptedGateway(images(memory=b"what was said")))
    reference = make_reference(member, team)
    make_generation(member, team, action="edit", parent=first, references=(reference,))
    gateway = ScriptedGateway(images())
    run(gateway)
    assert gateway.submitted[0].parent is None


def test_a_model_that_is_shown_the_image_is_told_of_no_parent(team: Team, member: User) -> None:
    first = make_generation(member, team, status=Status.SUCCEEDED)
    reference = make_reference(member, team)
    make_generation(member, team, action="edit", parent=first, references=(reference,))
    gateway = ScriptedGateway(images())
    run(gateway)
    assert gateway.submitted[0].parent is None


# ── Links ──


def test_a_link_whose_image_comes_later_is_waited_for(team: Team, member: User) -> None:
    generation = make_generation(member, team, wire_model="bria-vector")
    url = "https://images.example/1.png"
    gateway = ScriptedGateway(
        Finished((LinkedImage(url, comes_later=True),)),
        files={url: LinkRefused("not there", code="404")},
    )
    generation = run(gateway)
    assert (generation.status, generation.note) == (Status.STORING, "later")
    gateway.files[url] = make_picture()
    assert look_again(generation, gateway).status == Status.SUCCEEDED


def test_a_link_whose_image_never_comes_is_given_up_at_the_deadline(
    team: Team, member: User
) -> None:
    make_generation(member, team, wire_model="bria-vector")
    url = "https://images.example/1.png"
    gateway = ScriptedGateway(
        Finished((LinkedImage(url, comes_later=True),)),
        files={url: LinkRefused("not there", code="404")},
    )
    generation = run(gateway)
    age(generation, generation.rule.deadline + 1)
    generation = look_again(generation, gateway)
    assert generation.status == Status.FAILED
    assert left(generation) == CAP


# ── What goes along ──


def test_references_arrive_in_their_order_and_within_the_model_s_limits(
    team: Team, member: User
) -> None:
    wide, tall = (
        make_reference(member, team, data=make_picture(*size)) for size in ((90, 30), (30, 90))
    )
    make_generation(member, team, action="edit", references=(tall, wide))
    gateway = ScriptedGateway(images())
    run(gateway)
    assert [size_of(one) for one in gateway.submitted[0].references] == [(30, 90), (90, 30)]


def test_a_reference_that_is_too_large_is_made_smaller_and_its_mask_with_it(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = make_reference(member, team, data=make_picture(300, 120))
    mask = make_reference(member, team, data=make_mask(300, 120), is_mask=True)
    generation = make_generation(member, team, action="edit", references=(reference,), mask=mask)
    rule = generation.rule.references
    assert rule
    object.__setattr__(rule, "longest_side", 100)
    try:
        brief = briefs.brief_of(generation)
    finally:
        object.__setattr__(rule, "longest_side", 16_384)
    assert brief.mask
    assert size_of(brief.references[0]) == size_of(brief.mask) == (100, 40)
    image = Image.open(io.BytesIO(brief.mask.data))
    assert [image.getpixel((x, 20)) for x in (5, 30, 36, 95)] == [255, 255, 0, 0]


def size_of(reference: Reference) -> tuple[int, int]:
    return Image.open(io.BytesIO(reference.data)).size


def test_a_reference_that_is_gone_ends_it_before_anything_is_paid(team: Team, member: User) -> None:
    reference = make_reference(member, team)
    make_generation(member, team, action="edit", references=(reference,))
    image_storage().delete(reference.key)
    gateway = ScriptedGateway()
    generation = run(gateway)
    assert (generation.status, generation.reason) == (Status.FAILED, briefs.GONE)
    assert gateway.submitted == []


def test_a_storage_that_is_away_lets_it_wait(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = make_reference(member, team)
    make_generation(member, team, action="edit", references=(reference,))

    def away(*args: object) -> None:
        raise OSError("the storage is away")

    monkeypatch.setattr(type(image_storage()), "_open", away)
    generation = run(ScriptedGateway())
    assert (generation.status, generation.note) == (Status.QUEUED, "busy")


def test_an_image_of_another_team_is_refused_by_whatever_door(team: Team, member: User) -> None:
    theirs = make_reference(member)
    with pytest.raises(Exception, match="another team"):
        make_generation(member, team, action="edit", references=(theirs,))
    assert not Generation.objects.exists()


def test_a_dialog_without_an_adapter_for_it_is_our_bug_and_costs_nothing() -> None:
    assert set(lifecycle.steps.providers.DIALOG_ADAPTERS) <= set(
        lifecycle.steps.providers.POLLING_ADAPTERS
    )


def test_an_inline_image_and_a_link_may_come_together(team: Team, member: User) -> None:
    make_generation(member, team, count=2)
    url = "https://images.example/1.png"
    answer = Finished((InlineImage(make_picture()), LinkedImage(url)))
    generation = run(ScriptedGateway(answer, files={url: make_picture(40, 40)}))
    assert generation.images.count() == 2


def test_a_refused_answer_to_a_dialog_gives_the_credits_back(team: Team, member: User) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), Dialog("t1"), RequestRefused("No mask was given."))
    generation = look_again(run(gateway), gateway)
    assert (generation.status, generation.reason) == (Status.FAILED, "No mask was given.")
    assert left(generation) == CAP


def test_all_final_images_of_a_model_that_decides_how_many_are_kept(
    team: Team, member: User
) -> None:
    make_generation(member, team, wire_model="gemini-3.1-flash-image-preview")
    generation = run(ScriptedGateway(images(3)))
    assert generation.images.count() == 3
    assert generation.cost == generation.price


def test_a_reference_deleted_between_form_and_begin_is_said_so(team: Team, member: User) -> None:
    reference = make_reference(member, team)
    ReferenceImage.objects.all().delete()
    with pytest.raises(NotAllowed, match="Add it again"):
        make_generation(member, team, action="edit", references=(reference,))
    assert not Generation.objects.exists()


# ── What a reviewer found ──


def test_waiting_before_the_paid_call_is_no_part_of_what_the_model_may_take(
    team: Team, member: User
) -> None:
    generation = imagined(member, team)
    busy = ProviderBusy("busy", retry_after=3000)
    gateway = ScriptedGateway(busy, Pending("t1"), Pending("t1", progress=10))
    generation = run(gateway)
    age(generation, 3000)
    Generation.objects.update(due_at=timezone.now())
    generation = run(gateway)
    assert look_again(generation, gateway).status == Status.RUNNING


@pytest.mark.parametrize(
    "spoilt",
    [BadReply("unreadable"), RequestRefused("no such page", is_of_the_call=True)],
    ids=["unreadable", "refused by its status"],
)
def test_a_look_that_fails_says_nothing_of_the_task(
    team: Team, member: User, spoilt: ProviderError
) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), spoilt, images())
    generation = look_again(run(gateway), gateway)
    assert generation.status == Status.RUNNING
    assert look_again(generation, gateway).status == Status.SUCCEEDED


def test_looks_that_go_on_failing_end_at_the_deadline(team: Team, member: User) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), BadReply("The answer could not be read."))
    generation = run(gateway)
    age(generation, generation.rule.deadline + 1)
    generation = look_again(generation, gateway)
    assert (generation.status, generation.reason_code) == (Status.FAILED, "unreadable")
    assert left(generation) == CAP


def test_what_the_task_itself_says_is_its_end(team: Team, member: User) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), ContentRefused("The safety rules refused it."))
    assert look_again(run(gateway), gateway).status == Status.FAILED


def test_the_id_of_a_paid_task_outlives_a_database_that_is_away(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), images())
    moves = Generation.move_to

    def away(self: Generation, status: Status, **facts: Any) -> None:
        if status == Status.RUNNING:
            raise OSError("the database is away")
        moves(self, status, **facts)

    with monkeypatch.context() as broken:
        broken.setattr(Generation, "move_to", away)
        generation = take() or generation
        with pytest.raises(OSError, match="away"):
            lifecycle.submit(generation, gateway)  # type: ignore[arg-type]
        lifecycle.stumble(generation, OSError())
    generation = look_again(generation, gateway)
    assert (generation.status, generation.task_id) == (Status.RUNNING, "t1")
    assert look_again(generation, gateway).status == Status.SUCCEEDED
    assert len(gateway.submitted) == 1


def test_a_worker_that_dies_with_a_task_in_hand_leaves_its_id(team: Team, member: User) -> None:
    generation = imagined(member, team)
    generation = take("dead") or generation
    spool().put(generation.pk, [], {"task_id": "t1", "usage": {}})
    gateway = ScriptedGateway(images())
    generation = look_again(generation, gateway)
    assert (generation.status, generation.task_id) == (Status.RUNNING, "t1")


def test_the_lease_of_a_paid_call_begins_when_its_images_are_ready(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = make_generation(member, team)
    gateway = ScriptedGateway(images())
    slow = timezone.now() + timedelta(minutes=5)
    leases: list[Any] = []
    gateway.during = lambda: leases.append(Generation.objects.get().due_at)
    generation = take() or generation
    monkeypatch.setattr("generator.lifecycle.steps.timezone.now", lambda: slow)
    lifecycle.submit(generation, gateway)  # type: ignore[arg-type]
    assert leases[0] > slow + timedelta(seconds=generation.rule.deadline)


def test_a_step_that_always_stumbles_ends_and_gives_the_credits_back(
    team: Team, member: User
) -> None:
    generation = imagined(member, team)
    generation = run(ScriptedGateway(Pending("t1")))
    for _ in range(lifecycle.steps.MOST_STUMBLES + 1):
        assert generation.status == Status.RUNNING
        lifecycle.stumble(generation, OSError())
        generation.refresh_from_db()
    assert (generation.status, generation.reason_code) == (Status.FAILED, "bug")
    assert left(generation) == CAP


def test_a_look_waits_a_minute_at_most_whatever_is_asked_for(team: Team, member: User) -> None:
    imagined(member, team)
    gateway = ScriptedGateway(Pending("t1"), ProviderBusy("busy", retry_after=3600))
    generation = look_again(run(gateway), gateway)
    assert generation.due_at < timezone.now() + timedelta(seconds=61)


def test_a_model_that_is_shown_an_image_is_not_told_the_conversation_that_led_to_it(
    team: Team, member: User
) -> None:
    facts = {"wire_model": "gemini-3.1-flash-image-preview"}
    make_generation(member, team, **facts)
    first = run(ScriptedGateway(images(memory=b"what was said")))
    asset = first.images.get()
    shown = ReferenceImage.objects.saved(ReferenceImage.objects.standing_for(team, member, asset))
    other = make_reference(member, team)
    for references, told in (((shown,), False), ((other,), True)):
        make_generation(member, team, action="edit", parent=first, references=references, **facts)
        gateway = ScriptedGateway(images())
        run(gateway)
        parent = gateway.submitted[0].parent
        assert (parent is not None and parent.memory is not None) is told


def test_a_mask_of_which_nothing_is_left_is_refused_before_it_is_paid(
    team: Team, member: User
) -> None:
    reference = make_reference(member, team)
    blank = make_reference(member, team, data=make_picture(64, 48, "PNG"), is_mask=True)
    image_storage().delete(blank.key)
    file = io.BytesIO()
    Image.new("L", (64, 48), 0).save(file, "PNG")
    image_storage().save(blank.key, ContentFile(file.getvalue()))
    make_generation(member, team, action="edit", references=(reference,), mask=blank)
    generation = run(ScriptedGateway())
    assert (generation.status, generation.reason) == (Status.FAILED, briefs.UNPAINTED)


def test_a_rate_of_the_usual_speed_counts_though_nobody_says_the_speed(
    team: Team, member: User
) -> None:
    entry = make_entry("midjourney", rates={"create fast": 100, "create relax": 7})
    assert [entry.price(1, "create", {"speed": speed}) for speed in ("fast", "relax")] == [100, 7]
    assert entry.price(1, "create") == 100
