"""Bria: the adapter's reading of H and the sandbox's, held against each other."""

from typing import Any

import pytest

from generator.families import FAMILIES, Field
from generator.providers import bria
from generator.sandbox import bria as second_reading
from generator.sandbox import bria_edits
from generator.sandbox.inputs import faults
from tests.providers.bria_briefs import brief

FAMILY, VECTOR = FAMILIES["bria"], FAMILIES["bria-vector"]


def _values(field: Field) -> list[Any]:
    """What a person may set: every choice but the one to leave it, the bounds, on and off."""
    match field.kind:
        case "switch":
            return [True, False]
        case "text":
            return ["x" * int(field.most or 0)]
        case "integer" | "number":
            return [field.least, field.most]
        case _:
            return [choice for choice in field.choices if choice != "auto"]


CASES = [
    (family, action, field)
    for family in (FAMILY, VECTOR)
    for action in family.actions
    for field in family.fields_for(family.models[0].wire_model, action).values()
    if field.kind != "count"
]


def rules(path: str) -> dict[str, Any]:
    """The sandbox's strict reading of a route."""
    match path.split("/")[2:]:
        case ["text-to-image"]:
            return second_reading._IMAGE_RULES
        case ["text-to-vector"]:
            return second_reading._VECTOR_RULES
        case [*_, action]:
            return bria_edits.RULES[action]
    raise AssertionError(path)


@pytest.mark.parametrize(
    ("family", "action", "field"),
    CASES,
    ids=[f"{family.name} {action} {field.name}" for family, action, field in CASES],
)
def test_every_value_of_the_family_is_one_that_the_provider_knows(
    family: Any, action: str, field: Field
) -> None:
    for value in _values(field):
        facts = {"wire_model": family.models[0].wire_model, "fields": {field.name: value}}
        call = bria.build_submit(brief(action, **facts))
        assert faults(dict(call.json or {}), rules(call.path)) == {}


@pytest.mark.parametrize("action", sorted(bria.ACTIONS))
def test_a_field_that_the_family_does_not_offer_there_is_one_that_the_provider_refuses(
    action: str,
) -> None:
    offered = FAMILY.fields_for("bria", action)
    for field in FAMILY.fields.values():
        if field.name in offered or field.kind == "count":
            continue
        call = bria.build_submit(brief(action, fields={field.name: _values(field)[0]}))
        assert faults(dict(call.json or {}), rules(call.path)), field.name


def test_the_family_needs_a_mask_and_a_prompt_where_the_provider_does() -> None:
    for action, wire_name in bria.EDITS.items():
        needed = bria_edits.NEEDED.get(wire_name, ())
        rule = FAMILY.rule(action)
        assert (rule.prompt == "required") is ("prompt" in needed), action
        # What is expanded has no mask of a person's: the adapter brings the one that is needed.
        wanted = "mask" in needed and action != "expand"
        assert rule.mask == ("required" if wanted else "none"), action
