"""What a person may send, and what they are told when they may not."""

import uuid
from typing import Any

import pytest

from generator.families import FAMILIES, Family
from generator.forms.asking import settings_of
from generator.forms.fitting import fitting as fitting_for
from generator.forms.prompt import PromptForm
from generator.models import CatalogueEntry, Status, User
from tests.make import (
    make_asset,
    make_entry,
    make_generation,
    make_picture,
    make_reference,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    make_entry()


def form_of(data: dict[str, Any] | None = None, **facts: Any) -> PromptForm:
    """A form of somebody's in their own team."""
    person = User.objects.order_by("pk").first() or make_user("somebody")
    return PromptForm(data, team=person.personal_team, author=person, **facts)


def sent(model: str = "gpt-image-2", prompt: str = "a teapot", **fields: Any) -> PromptForm:
    return form_of({"model": model, "prompt": prompt, **fields})


def fault(form: PromptForm, field: str = "__all__") -> str:
    assert not form.is_valid()
    return " ".join(str(text) for text in form.errors[field])


def test_a_prompt_and_a_model_are_enough() -> None:
    form = sent(prompt="  a teapot\r\nin the rain \n")
    assert form.is_valid()
    asked = form.asked()
    assert (asked.prompt, asked.action, asked.count) == (
        "a teapot\nin the rain", "create", 1,
    )  # fmt: skip
    assert asked.fields == {}


def test_only_what_was_set_reaches_the_provider() -> None:
    form = sent(size="auto", quality="high", moderation="auto", background="", count="3")
    assert form.is_valid(), form.errors
    assert dict(form.asked().fields) == {"quality": "high"}
    assert form.asked().count == 3


def doings(family: Family) -> list[tuple[str, str]]:
    """Each model of a family with each action that it can do."""
    models = [model.wire_model for model in family.models]
    return [(model, act) for model in models for act in family.actions if family.can(model, act)]


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_the_form_has_exactly_the_fields_of_model_and_action(family: Family) -> None:
    for model, action in doings(family):
        form = form_of(initial={"model": model, "action": action})
        along = {"prompt", "reference", "style_reference", "mask"}
        assert set(form.fields) == along | set(family.fields_for(model, action)), (model, action)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_every_choice_that_a_page_shows_can_be_sent(family: Family) -> None:
    for model, action in doings(family):
        for field in family.fields_for(model, action).values():
            only = field.only_with
            beside = {only.field: only.values[0]} if only else {}
            for choice in field.choices:
                form = sent(model, action=action, **beside, **{field.name: choice})
                form.is_valid()
                assert field.name not in form.errors, (model, action, field.name, choice)


@pytest.mark.parametrize("prompt", ["", "   ", "\n\t ", "\x00\x07"])
def test_an_empty_prompt_is_refused(prompt: str) -> None:
    assert fault(sent(prompt=prompt), "prompt") == "Write what the image should show."


def test_a_prompt_that_is_too_long_is_refused_with_the_numbers() -> None:
    said = fault(sent("dall-e-2", "x" * 1001), "prompt")
    assert "at most 1,000" in said
    assert "has 1,001" in said
    assert sent("dall-e-2", "x" * 1000).is_valid()


def test_control_characters_never_reach_the_provider() -> None:
    form = sent(prompt="a\x00tea\x1bpot\twith\na\u2028lid\x7f")
    assert form.is_valid()
    assert form.asked().prompt == "a tea pot\twith\na lid"


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"size": "1024x1025"}, "size"),
        ({"size": "own", "size_width": "1000", "size_height": "1000"}, "size"),
        ({"size": "own", "size_width": "4096", "size_height": "1024"}, "size"),
        ({"size": "own", "size_width": "4096", "size_height": "1536"}, "size"),
        ({"size": "own", "size_width": "64", "size_height": "64"}, "size"),
        ({"size": "own", "size_width": "", "size_height": "864"}, "size"),
        ({"size": "own", "size_width": "-16", "size_height": "9" * 5000}, "size"),
        ({"size": "<script>"}, "size"),
        ({"quality": "ultra"}, "quality"),
        ({"count": "0"}, "count"),
        ({"count": "11"}, "count"),
        ({"count": "-1"}, "count"),
        ({"count": "two"}, "count"),
        ({"count": "9" * 5000}, "count"),
        ({"background": "transparent"}, "background"),
        ({"output_format": "webp", "output_compression": "101"}, "output_compression"),
    ],
)
def test_a_value_the_model_does_not_take_is_refused_beside_its_field(
    fields: dict[str, str], name: str
) -> None:
    assert fault(sent(**fields), name)


def test_a_size_of_ones_own_is_taken_within_the_rule() -> None:
    form = sent(size="own", size_width="1536", size_height=" 864 ")
    assert form.is_valid(), form.errors
    assert form.asked().fields["size"] == "1536x864"


def test_a_size_may_be_written_with_the_sign_for_times() -> None:
    form = sent(size="1536 × 864")
    assert form.is_valid(), form.errors
    assert form.asked().fields["size"] == "1536x864"


def test_a_model_without_sizes_of_ones_own_names_its_sizes() -> None:
    said = fault(sent("dall-e-3", size="1536x864"), "size")
    assert "1024 × 1792" in said


@pytest.mark.parametrize(
    ("fields", "named"),
    [({"quality": "hd"}, "quality"), ({"style": "vivid"}, "style"), ({"count": "2"}, "one image")],
)
def test_a_field_that_only_other_models_take_is_refused_by_name(
    fields: dict[str, str], named: str
) -> None:
    assert named in fault(sent("qwen-image", **fields))


def test_one_image_may_be_asked_of_a_model_that_makes_one() -> None:
    form = sent("qwen-image", count="1")
    assert form.is_valid(), form.errors
    assert form.asked().count == 1


@pytest.mark.parametrize("output_format", ["jpeg", "webp"])
def test_compression_is_sent_with_the_formats_that_know_it(output_format: str) -> None:
    form = sent(output_format=output_format, output_compression="0")
    assert form.is_valid(), form.errors
    assert form.asked().fields["output_compression"] == 0


@pytest.mark.parametrize("output_format", ["png", ""])
def test_compression_that_was_set_is_refused_with_png_and_its_default_passed_over(
    output_format: str,
) -> None:
    form = sent(output_format=output_format, output_compression="80")
    assert fault(form, "output_compression") == "Compression is only for JPEG and WebP."
    form = sent(output_format=output_format, output_compression="100")
    assert form.is_valid(), form.errors
    assert "output_compression" not in form.asked().fields


def test_a_size_that_the_shape_leaves_no_room_for_is_refused() -> None:
    form = sent("black-forest-labs/flux-1.1-pro", aspect_ratio="16:9", size="768x1344")
    assert fault(form, "size") == "Size is only for this under Shape: A size of its own."


def test_a_transparent_jpeg_is_refused() -> None:
    form = sent("gpt-image-1", background="transparent", output_format="jpeg")
    assert "cannot be transparent" in fault(form, "output_format")
    assert sent("gpt-image-1", background="transparent").is_valid()


@pytest.mark.parametrize("model", ["", "no-such-model", "gpt-image-2'; --", "x" * 5000])
def test_a_model_nobody_offers_is_refused(model: str) -> None:
    assert "not offered" in fault(sent(model))


@pytest.mark.parametrize("change", [{"offered": False}, {"credits_each": None}])
def test_a_model_that_was_taken_away_or_has_no_price_is_refused(change: dict[str, Any]) -> None:
    make_entry("dall-e-3", **change)
    assert "not offered" in fault(sent("dall-e-3"))


def test_forged_extras_change_nothing() -> None:
    extras = {
        "is_staff": "1",
        "team": "9",
        "cost": "0",
        "price": "0",
        "quota": "1e9",
        "role": "owner",
    }
    plain, forged = sent(count="2"), sent(count="2", **extras)
    assert plain.is_valid()
    assert forged.is_valid()
    assert plain.asked() == forged.asked()


@pytest.mark.parametrize("batch", ["", "not-an-id", "x" * 5000])
def test_a_spoilt_batch_id_is_made_anew(batch: str) -> None:
    form = sent(batch=batch)
    assert form.is_valid()
    assert isinstance(form.batch, uuid.UUID)


def test_the_form_says_what_it_will_cost() -> None:
    price = CatalogueEntry.objects.get(wire_model="gpt-image-2").credits_each
    form = form_of(initial={"model": "gpt-image-2", "count": 4})
    assert (form.how_many, form.cost) == (4, 4 * (price or 0))


@pytest.mark.parametrize("count", ["", "x", "0", "10000000000000000000000", "²"])
def test_a_spoilt_count_does_not_spoil_the_page(count: str) -> None:
    assert isinstance(sent(count=count).cost, int)


def test_settings_of_a_generation_fill_the_form_as_it_was() -> None:
    generation = make_generation(
        prompt="a heron", count=3, fields={"size": "1536x864", "quality": "low"}
    )
    form = form_of(settings_of(generation))
    assert form.is_valid(), form.errors
    assert form.asked().count == 3
    assert dict(form.asked().fields) == {"size": "1536x864", "quality": "low"}
    assert form.asked().prompt == "a heron"


def test_a_typed_size_is_shown_again_as_it_was_typed() -> None:
    form = sent(size="own", size_width="1000", size_height="700")
    (size,) = (setting for setting in form.settings if setting.field.name == "size")
    assert size.is_own
    assert size.own_sides == {"width": "1000", "height": "700"}
    assert size.errors


# ── What to do ──


@pytest.mark.parametrize(
    ("model", "action", "said"),
    [
        ("dall-e-3", "upscale", "DALL·E 3 cannot upscale. Pick another model."),
        ("dall-e-3", "<script>", "DALL·E 3 cannot do that. Pick another model."),
        ("qwen-image-edit", "create", "cannot make images from text alone. Pick another model."),
    ],
)
def test_an_action_that_the_model_lacks_is_refused_and_not_made_another(
    model: str, action: str, said: str
) -> None:
    assert fault(sent(model, action=action)).endswith(said)


def test_an_action_that_nobody_named_is_implied() -> None:
    for action in ("", None):
        form = sent(action=action)
        assert form.is_valid(), form.errors
        assert form.asked().action == "create"


def fitting(data: dict[str, Any], model: str) -> dict[str, Any]:
    person = User.objects.order_by("pk").first() or make_user("somebody")
    return fitting_for(data, model, team=person.personal_team, author=person)


def test_what_was_typed_wrongly_stays_for_the_same_model_and_goes_with_another() -> None:
    typed = {"model": "gpt-image-2", "quality": "ultra", "size": "own", "size_width": "1001",
             "size_height": "700", "count": "99"}  # fmt: skip
    same = fitting(typed, "gpt-image-2")
    assert (same["quality"], same["size"], same["count"]) == ("ultra", "1001x700", "99")
    assert not {"quality", "size", "count"} & set(fitting(typed, "gpt-image-1"))


def test_what_has_no_effect_with_another_model_stays_behind() -> None:
    typed = {"model": "gpt-image-2", "output_format": "webp", "output_compression": "70"}
    kept = fitting(typed, "gpt-image-1")
    assert (kept["output_format"], kept["output_compression"]) == ("webp", "70")
    assert "output_compression" not in fitting({**typed, "output_format": "x"}, "gpt-image-1")


@pytest.mark.parametrize("action", ["upscale", "describe"])
def test_an_action_that_the_next_model_lacks_falls_back_to_what_is_implied(action: str) -> None:
    assert fitting({"model": "midjourney", "action": action}, "gpt-image-2")["action"] == ""
    assert fitting({"model": "gpt-image-2", "action": action}, "gpt-image-2")["action"] == ""


# ── What goes along ──


def test_each_image_that_is_gone_is_told_by_its_number() -> None:
    person = make_user("somebody")
    there = make_reference(person)
    form = sent(reference=[str(there.pk), str(uuid.uuid4())])
    assert fault(form, "reference").startswith("Image 2 is not here any more.")
    assert form.references == [there]
    assert fault(sent(reference=str(uuid.uuid4())), "reference").startswith("An image that was")


def test_a_mask_or_a_start_that_is_gone_is_told_where_it_belongs() -> None:
    form = sent(mask=str(uuid.uuid4()), parent="x", style_reference=["y", "z"])
    assert fault(form, "mask") == "The mask is not here any more. Paint it again."
    assert fault(form) == "The image that this starts from is not here any more."
    assert "Style 2 is not here any more." in fault(form, "style_reference")
    assert "reference" not in form.errors


@pytest.mark.parametrize("position", ["1", "99", "-1", "100", "x", "²"])
def test_an_image_of_the_parent_that_is_not_there_begins_nothing(position: str) -> None:
    person = make_user("somebody")
    parent = make_generation(person, status=Status.SUCCEEDED, cost=40)
    make_asset(parent)
    start = {"parent": str(parent.pk), "parent_position": position}
    assert fault(sent(**start)) == "The image that this starts from is not here any more."
    assert sent(**{**start, "parent_position": "0"}).is_valid()
    assert sent(**{**start, "parent_position": ""}).is_valid()


def test_a_parent_without_any_image_is_no_start_but_for_its_buttons() -> None:
    person = make_user("somebody")
    button = {"id": "U1", "label": "U1", "action": "upscale", "asks": ""}
    parent = make_generation(
        person, wire_model="midjourney", status=Status.SUCCEEDED, cost=40, buttons=[button]
    )
    start = {"parent": str(parent.pk)}
    assert "not here any more" in fault(sent("midjourney", **start))
    for position in ("", "0"):
        form = sent("midjourney", "", **start, parent_position=position, button="U1")
        assert form.is_valid(), form.errors


def test_a_button_without_its_generation_begins_nothing() -> None:
    assert "starts from is not here" in fault(sent("midjourney", button="U1"))


# ── What it costs ──


def held(form: PromptForm) -> int:
    """Credits that beginning it holds."""
    assert form.is_valid(), form.errors
    asked = form.asked()
    return form.entry.price(asked.count, asked.action, asked.fields)


@pytest.mark.parametrize("speed", ["", "fast", "turbo", "relax"])
def test_what_is_shown_is_what_is_held_at_every_speed(speed: str) -> None:
    make_entry("midjourney", rates={"create fast": 55, "create turbo": 80, "create": 50})
    form = sent("midjourney", speed=speed)
    expected = {"": 55, "fast": 55, "turbo": 80, "relax": 50}[speed]
    assert (form.cost, held(form)) == (expected, expected)
    untouched = form_of(initial={"model": "midjourney"})
    assert untouched.cost == 55


def test_all_that_is_wrong_with_a_size_is_one_sentence_and_the_rule_is_said_beforehand() -> None:
    size = FAMILIES["gpt-image-2"].fields["size"]
    assert size.own
    assert (
        size.own.words
        == "Multiples of 16, 0.66 to 8.3 megapixels, at most 3:1, no side over 3,840."
    )
    told = fault(sent(size="1001x100"), "size")
    assert told == (
        "Both sides must be multiples of 16, one side may be at most 3 times the other, and "
        "width times height must lie between 655,360 and 8,294,400 pixels."
    )


def test_images_that_are_missing_are_told_with_both_bounds() -> None:
    person = make_user("somebody")
    row = make_reference(person, person.personal_team)
    for references, more in ([], "2"), ([str(row.pk)], "one more"):
        form = sent("midjourney", action="blend", reference=references)
        assert fault(form, "reference") == f"Blend takes 2 to 5 images: add {more}."


def test_what_no_painting_can_mend_is_told_alone() -> None:
    person = make_user("somebody")
    row = make_reference(person, person.personal_team, data=make_picture(60, 40))
    form = sent("dall-e-2", action="edit", reference=[str(row.pk)])
    assert "Crop it to a square first." in fault(form, "reference")
    assert list(form.errors) == ["reference"]
