"""families.toml held to the sandbox's strict reading: every field, every choice, every bound.

Whether the sandbox takes something is asked with a prompt that its safety rules refuse: they
come after every check and before any painting.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from generator.errors import ContentRefused, RequestRefused
from generator.families import FAMILIES, Family, Field
from generator.providers import ADAPTERS
from generator.providers.base import Brief, Call
from tests.providers.asking import (
    CASES,
    PROMPT,
    Case,
    bad,
    brief_for,
    good,
    named,
    needed,
    reference,
)
from tests.providers.carrying import Carrier, carrying

# Fields that a model is sent for nothing: its provider takes and ignores them, or the document
# does not say that it does not. The families leave them out all the same.
IGNORED = {
    ("kling", "image_fidelity"),  # without an image (I2)
    ("midjourney", "image_weight"),  # of an edit: a flag of any prompt (F1)
    ("midjourney", "quality"),  # the same
    ("midjourney", "tile"),  # the same
    ("replicate", "aspect_ratio"),  # with an image, whose shape rules (I1)
    ("replicate", "size"),  # the same
    ("seedream", "guidance_scale"),  # (D1)
    ("seedream", "optimize_prompt"),  # "standard" is what all do (D2)
    ("seedream", "seed"),  # (J)
}
# Fields whose list or bound is a choice of ours: the provider takes more than it.
OPEN = {
    ("midjourney", "aspect_ratio"),  # any two whole numbers
    ("midjourney", "negative_prompt"),  # a part of the prompt
}
REFUSED = f"{PROMPT} [withheld]"
EVERY = pytest.mark.parametrize("case", CASES, ids=named)


@pytest.fixture(scope="module")
def carrier() -> Iterator[Carrier]:
    with carrying() as carrier:
        yield carrier


def is_taken(carrier: Carrier, family: Family, brief: Brief, call: Call | None = None) -> bool:
    """Whether adapter and sandbox have nothing to say against it."""
    try:
        carrier.carry(family, brief, call=call)
    except ContentRefused:
        return True
    except RequestRefused:
        return False
    return "[withheld]" not in brief.prompt


def _brief(carrier: Carrier, case: Case, fields: Mapping[str, Any] | None = None) -> Brief:
    brief = brief_for(carrier, case, REFUSED, fields=fields or {})
    rule = case[0].rule(case[2]).references
    if rule and not brief.references:  # some fields are said only where there is an image
        brief = replace(brief, references=(reference(rule),))
    return brief


def _fields(case: Case) -> dict[str, Field]:
    family, wire_model, action = case
    return family.fields_for(wire_model, action)


def _is_ruled_out(family: Family, fields: Mapping[str, Any]) -> bool:
    """Whether the family itself says that these do not go together."""
    return any(
        all(fields.get(name) == value for name, value in rule.items() if name != "message")
        for rule in family.refuses
    )


@EVERY
def test_the_word_that_tells_is_refused_for_what_it_says_only(carrier: Carrier, case: Case) -> None:
    """Without this, the others could all pass because nothing is ever taken."""
    assert is_taken(carrier, case[0], _brief(carrier, case))


@EVERY
def test_every_choice_and_every_bound_is_taken(carrier: Carrier, case: Case) -> None:
    family = case[0]
    for field in _fields(case).values():
        for value in good(field):
            brief = _brief(carrier, case, {**needed(family, field), field.name: value})
            if not _is_ruled_out(family, brief.fields):
                assert is_taken(carrier, family, brief), brief.fields


@EVERY
def test_a_prompt_is_taken_up_to_its_limit(carrier: Carrier, case: Case) -> None:
    family, _, action = case
    if family.rule(action).prompt != "none" and family.rule(action).starts_from != "button":
        prompt = f"{'x' * (family.prompt_limit - len(REFUSED) - 1)} {REFUSED}"
        assert len(prompt) == family.prompt_limit
        assert is_taken(carrier, family, brief_for(carrier, case, prompt))


@EVERY
def test_every_value_beyond_is_refused(carrier: Carrier, case: Case) -> None:
    family, _, action = case
    protocol = family.rule(action).protocol
    for field in _fields(case).values():
        for value in bad(field):
            if (protocol, field.name) in OPEN and value != "other":
                continue
            brief = _brief(carrier, case, {**needed(family, field), field.name: value})
            assert not is_taken(carrier, family, brief), (field.name, value)


@EVERY
def test_what_the_family_rules_out_is_refused(carrier: Carrier, case: Case) -> None:
    family = case[0]
    for rule in family.refuses:
        fields = {name: value for name, value in rule.items() if name != "message"}
        if fields.keys() <= _fields(case).keys():
            assert not is_taken(carrier, family, _brief(carrier, case, fields)), fields


@EVERY
def test_a_field_of_other_models_is_refused(carrier: Carrier, case: Case) -> None:
    family, _, action = case
    own = _fields(case)
    protocol = family.rule(action).protocol
    others = {
        field.name: field
        for other in FAMILIES.values()
        for field in other.fields.values()
        if field.name not in own and field.kind != "count"
    }
    for field in others.values():
        if (protocol, field.name) in IGNORED:
            continue
        for value in [one for one in good(field) if one not in ("auto", False)][:1]:
            brief = _brief(carrier, case, {field.name: value})
            assert not is_taken(carrier, family, brief), (protocol, field.name, value)


# ── How many ──


@EVERY
def test_as_many_as_the_family_says_are_taken_and_not_one_more(
    carrier: Carrier, case: Case
) -> None:
    family, _, action = case
    count = _fields(case).get("count")
    most = int(count.most or 1) if count else 1
    rule = family.rule(action).references
    brief = _brief(carrier, case)
    if rule and rule.together:
        most = min(most, rule.together - len(brief.references))
    assert is_taken(carrier, family, replace(brief, count=most))
    assert not is_taken(carrier, family, replace(brief, count=most + 1))


# ── What the protocol has no word for ──


def _places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every object of a body."""
    if isinstance(node, Mapping):
        yield path
        for name, value in node.items():
            yield from _places(value, (*path, name))
    elif isinstance(node, list | tuple):
        for place, value in enumerate(node):
            yield from _places(value, (*path, place))


def _with_one_more(call: Call) -> Iterator[tuple[Any, Call]]:
    """The call with one field too many, at each place where there could be one."""
    if call.json is None:
        yield "form", replace(call, data={**(call.data or {}), "moon_phase": "full"})
        return
    for path in _places(call.json):
        body: Any = deepcopy(dict(call.json))
        node = body
        for step in path:
            node = node[step]
        node["moon_phase"] = "full"
        yield path, replace(call, json=body)


@EVERY
def test_a_field_too_many_is_refused_wherever_it_stands(carrier: Carrier, case: Case) -> None:
    family, _, action = case
    brief = _brief(carrier, case)
    adapter = ADAPTERS[family.rule(action).protocol]
    before = carrier.log.paid_calls
    for place, call in _with_one_more(adapter.build_submit(brief)):
        assert not is_taken(carrier, family, brief, call), place
    assert carrier.log.paid_calls == before
