"""What families.toml lets through to Seedream, held to the sandbox's strict reading of D."""

import itertools
from typing import Any

from generator.families import FAMILIES, Family, parse_size
from generator.providers import seedream
from generator.sandbox import seedream_orders
from generator.sandbox.wire import Refused
from tests.providers.test_seedream import NEWEST, OLDEST, OURS, PER_FAMILY, PICTURE, reference, said


def accepts(body: dict[str, Any]) -> bool:
    """Whether the strict sandbox carries out this JSON."""
    try:
        seedream_orders.check(body)
    except Refused:
        return False
    return True


def body_of(family: Family, action: str = "create", **facts: Any) -> dict[str, Any]:
    """The JSON for a family's model."""
    return said(action, wire_model=family.models[0].wire_model, **facts)


def test_all_four_models_have_a_family_and_one_each() -> None:
    assert [model.wire_model for family in OURS for model in family.models] == [
        NEWEST,
        "doubao-seedream-4-5-251128",
        "doubao-seedream-4-0-250828",
        OLDEST,
    ]
    assert set(seedream_orders.LIMITS) == {m.wire_model for f in OURS for m in f.models}


@PER_FAMILY
def test_every_choice_and_every_bound_of_a_family_is_taken(family: Family) -> None:
    for name, field in family.fields.items():
        if field.kind == "count":
            continue
        bounds = [value for value in (field.least, field.most) if value is not None]
        values = [*field.choices, *bounds, *([True, False] * (field.kind == "switch"))]
        if field.kind == "integer":
            values = [int(value) for value in values]
        assert values, name
        for value in values:
            assert accepts(body_of(family, fields={name: value})), (name, value)


@PER_FAMILY
def test_numbers_beyond_their_bounds_are_refused(family: Family) -> None:
    for name in {"seed", "guidance_scale"} & set(family.fields):
        field = family.fields[name]
        assert field.least is not None
        assert field.most is not None
        for value in (field.least - 1, field.most + 1, str(field.least)):
            assert not accepts(body_of(family, fields={name: value})), (name, value)


@PER_FAMILY
def test_a_field_that_only_others_have_is_refused_or_ignored(family: Family) -> None:
    others = {
        "seed": 7,
        "guidance_scale": 2.0,
        "web_search": True,
        "output_format": "png",
        "optimize_prompt": "fast",
        "size": "1K",
    }
    ignored = {"seed", "guidance_scale"} if family.name == "seedream-5" else set()
    for name, value in others.items():
        field = family.fields.get(name)
        if field and (name != "size" or value in field.choices):
            continue
        taken = accepts(body_of(family, fields={name: value}))
        assert taken is (name in ignored), name


SIDES = (14, 240, 511, 512, 720, 960, 1024, 1280, 1919, 1920, 2048, 2049, 4096, 8192, 15360, 16385)


@PER_FAMILY
def test_sizes_of_ones_own_follow_one_rule_on_both_sides(family: Family) -> None:
    rule = family.fields["size"].own
    assert rule is not None
    for width, height in itertools.product(SIDES, SIDES):
        size = f"{width}x{height}"
        fits = rule.fault(width, height) == ""
        assert accepts(body_of(family, fields={"size": size})) is fits, size


@PER_FAMILY
def test_every_listed_size_keeps_the_rule_for_sizes_of_ones_own(family: Family) -> None:
    field = family.fields["size"]
    assert field.own is not None
    for choice in field.choices:
        if size := parse_size(choice):
            assert field.own.fault(*size) == "", choice
        assert choice in (field.labels or {}), choice


@PER_FAMILY
def test_a_family_takes_as_many_images_as_the_sandbox_does(family: Family) -> None:
    count = family.fields.get("count")
    if count is None:
        assert "edit" not in family.actions
        return
    assert (count.least, count.most) == (1, 15)
    assert accepts(body_of(family, count=15))
    rule = family.rule("edit").references
    assert rule is not None
    assert (rule.least, rule.most, rule.together) == (1, 14, seedream.MOST_TOGETHER)
    assert accepts(body_of(family, "edit", references=(PICTURE,) * 14))
    beyond = {**body_of(family), "image": [PICTURE.data_uri] * 15}
    assert not accepts(beyond)


def test_images_that_the_rule_lets_through_are_taken_and_others_are_not() -> None:
    rule = FAMILIES["seedream-5"].rule("edit").references
    assert rule is not None
    for size in ((15, 15), (14, 20), (16, 256), (16, 257), (300, 15)):
        fits = rule.fault(*size) == ""
        body = {**said(), "image": [reference(*size).data_uri]}
        assert accepts(body) is fits, size
