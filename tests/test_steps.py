"""What a step does beyond images in a reply: texts, buttons, memory, late links, references."""

import io
from typing import Any

import pytest
from django.core.files.base import ContentFile
from PIL import Image

from generator import briefs
from generator.errors import (
    LinkRefused,
    NotAllowed,
)
from generator.models import Generation, ReferenceImage, Status, Team, User, image_storage
from generator.providers.base import (
    Button,
    Finished,
    InlineImage,
    LinkedImage,
    Reference,
)
from tests.make import (
    make_entry,
    make_generation,
    make_mask,
    make_picture,
    make_reference,
)
from tests.scripted import CAP, ScriptedGateway, age, images, left, look_again, run

pytestmark = pytest.mark.django_db


def imagined(member: User, team: Team, **facts: Any) -> Generation:
    return make_generation(member, team, wire_model="midjourney", **facts)


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


def test_an_inline_image_and_a_link_may_come_together(team: Team, member: User) -> None:
    make_generation(member, team, count=2)
    url = "https://images.example/1.png"
    answer = Finished((InlineImage(make_picture()), LinkedImage(url)))
    generation = run(ScriptedGateway(answer, files={url: make_picture(40, 40)}))
    assert generation.images.count() == 2


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
