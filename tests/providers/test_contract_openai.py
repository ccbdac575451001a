"""The families of `/v1/images/generations` held to every combination that the sandbox can judge.

Its strict reading (B2) is asked in memory here, so that all choices can be tried with all others.
"""

import itertools
from typing import Any

import pytest

from generator.families import FAMILIES, Family, Field
from generator.providers import openai_images
from generator.providers.base import Brief
from generator.sandbox import limits, orders
from generator.sandbox.wire import Refused

SPOKEN = [
    family
    for family in FAMILIES.values()
    if (rule := family.actions.get("create")) and rule.protocol == "openai_images"
]
PER_FAMILY = pytest.mark.parametrize("family", SPOKEN, ids=lambda family: family.name)


def accepts(body: dict[str, Any]) -> bool:
    """Whether the strict sandbox carries out this JSON."""
    try:
        orders.check(body)
    except Refused:
        return False
    return True


def fields_of(family: Family) -> dict[str, Field]:
    """The fields that the family's first model takes for a new image."""
    return family.fields_for(family.models[0].wire_model, "create")


def said(family: Family, wire_model: str = "", **facts: Any) -> dict[str, Any]:
    """The JSON that the adapter makes of a brief; every default that applies is said."""
    defaults = {
        name: field.default
        for name, field in fields_of(family).items()
        if field.kind != "count" and field.only_with is None
    }
    facts = {"fields": defaults, "prompt": "a teapot", **facts}
    wire_model = wire_model or family.models[0].wire_model
    call = openai_images.build_submit(Brief("create", wire_model=wire_model, **facts))
    return dict(call.json or {})


def _listed(family: Family) -> list[Field]:
    return [field for field in fields_of(family).values() if field.choices]


@PER_FAMILY
def test_every_combination_of_choices_is_taken_or_the_family_says_that_it_is_not(
    family: Family,
) -> None:
    names = [field.name for field in _listed(family)]
    for model in family.models:
        for chosen in itertools.product(*(field.choices for field in _listed(family))):
            fields = dict(zip(names, chosen, strict=True))
            refused = any(
                all(fields[name] == rule[name] for name in rule if name != "message")
                for rule in family.refuses
            )
            taken = accepts(said(family, model.wire_model, fields=fields))
            assert taken is (not refused), fields


# Fields with one possible value, which are no choice and so no field of the family.
NO_CHOICE = [("dall-e-2", "quality", "standard")]


@PER_FAMILY
def test_every_value_that_the_family_does_not_list_is_refused(family: Family) -> None:
    own = fields_of(family)
    everywhere = [
        (field.name, choice)
        for other in SPOKEN
        for field in _listed(other)
        for choice in (*field.choices, "other", "", 7, True, ["png"])
    ]
    for name, value in everywhere:
        field = own.get(name)
        if (field and value in field.choices) or (family.name, name, value) in NO_CHOICE:
            continue
        if field and field.own and isinstance(value, str) and "x" in value:
            continue  # sizes of one's own have a test below
        assert not accepts({**said(family), name: value}), (name, value)


@PER_FAMILY
def test_a_number_is_taken_whole_and_within_its_bounds(family: Family) -> None:
    for field in fields_of(family).values():
        if field.kind not in {"count", "integer"}:
            continue
        assert field.least is not None
        assert field.most is not None
        word = "n" if field.kind == "count" else field.name
        only = field.only_with
        for value in only.values if only else ("",):
            other = {only.field: value} if only else {}
            for number in (field.least, field.most):
                assert accepts({**said(family), **other, word: number}), (other, word, number)
            for number in (field.least - 1, field.most + 1, str(field.least), 1.5):
                assert not accepts({**said(family), **other, word: number}), (word, number)


@PER_FAMILY
def test_a_field_that_needs_another_is_refused_without_it(family: Family) -> None:
    for field in fields_of(family).values():
        if only := field.only_with:
            for value in set(family.fields[only.field].choices) - set(only.values):
                body = {**said(family), only.field: value, field.name: field.least}
                assert not accepts(body), (field.name, only.field, value)


@PER_FAMILY
def test_a_prompt_is_taken_up_to_its_limit_and_not_beyond(family: Family) -> None:
    for model in family.models:
        for length, taken in ((family.prompt_limit, True), (family.prompt_limit + 1, False)):
            body = said(family, model.wire_model, prompt="x" * length)
            assert accepts(body) is taken, (model.wire_model, length)


# Sides up to 3840: see B2 on where the model's own rule for longer ones stands.
SIDES = (16, 512, 576, 640, 656, 816, 1023, 1024, 1025, 1040, 1280, 2160, 2176, 2560, 3072, 3840)


def test_sizes_of_ones_own_follow_one_rule_on_both_sides() -> None:
    family = FAMILIES["gpt-image-2"]
    rule = family.fields["size"].own
    assert rule is not None
    for width, height in itertools.product(SIDES, SIDES):
        body = said(family, fields={"size": f"{width}x{height}"})
        fits = rule.fault(width, height) == ""
        assert accepts(body) is fits, (width, height)


def test_every_model_of_the_route_that_the_sandbox_knows_has_a_family() -> None:
    for pattern in limits.LIMITS:
        wire_model = pattern.replace("??-??-??", "26-04-21")
        assert any(family.takes(wire_model) for family in FAMILIES.values()), wire_model


def test_a_dated_model_is_taken_like_the_one_it_is_a_copy_of() -> None:
    assert FAMILIES["gpt-image-2"].takes("gpt-image-2-2026-04-21")
    assert accepts(said(FAMILIES["gpt-image-2"], "gpt-image-2-2026-04-21"))
