"""Every action of every model of families.toml, through its adapter and the strict sandbox.

The sandbox is a second reading of the gateway's documentation that shares no line with the
adapters. Where the two agree, neither has been read wrongly by one of them alone. Everything here
is made from the families alone: a new one, or a new protocol, is held to it as it comes.
"""

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image

from generator import pictures
from generator.errors import BadReply, ProviderError, RequestRefused
from generator.families import FAMILIES, Family, parse_size
from generator.providers import ADAPTERS, DIALOG_ADAPTERS, POLLING_ADAPTERS
from generator.providers.base import Brief, Call, Parent, Reference
from tests.providers.asking import (
    CASES,
    Case,
    brief_for,
    mask_of,
    named,
    offered,
    protocol_of,
    reference,
    smallest,
)
from tests.providers.carrying import Carried, Carrier, carrying

# Models of a family differ in what they take (the fields have tests of their own), not in how it
# is said; and families of a protocol not in how much is.
FIRSTS = list({(case[0].name, case[2]): case for case in reversed(CASES)}.values())
_COUNTED = [case for case in FIRSTS if "count" in case[0].fields_for(case[1], case[2])]
OF_MANY = list({(protocol_of(case), case[2]): case for case in reversed(_COUNTED)}.values())
OF_MASKS = [case for case in FIRSTS if case[0].rule(case[2]).mask != "none"]
OF_MEMORY = [case for case in FIRSTS if case[0].rule(case[2]).starts_from == "memory"]
OF_REFERENCES = [case for case in FIRSTS if case[0].rule(case[2]).references]
PIXELS = 2_500_000  # what is larger is painted no other way, only longer


@pytest.fixture(scope="module")
def carrier() -> Iterator[Carrier]:
    """A sandbox whose work takes twenty seconds of its own clock, and none of ours."""
    with carrying(delay=20) as carrier:
        yield carrier


def keys_stayed_at_the_gateway(carrier: Carrier) -> bool:
    """Whether every request to the gateway carried the key, and none to the image host."""
    return all(seen.carried_key is (seen.host == "gateway") for seen in carrier.log.requests)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_every_action_of_every_model_makes_what_it_says(carrier: Carrier, case: Case) -> None:
    family, _, action = case
    brief = brief_for(carrier, case)
    before = carrier.log.paid_calls
    made = carrier.carry(family, brief)
    if family.rule(action).answer == "text":
        assert made.finished.texts
        assert not made.files
    else:
        assert made.files
        for file in made.files:
            assert pictures.inspect(file).width > 15
    assert carrier.log.paid_calls > before
    assert made.finished.failed_members == 0
    assert all(seen.progress is None or 0 <= seen.progress <= 100 for seen in made.seen)
    # Twenty seconds are more than one look.
    assert bool(made.task_id) is (len(made.seen) > 1)
    assert keys_stayed_at_the_gateway(carrier)


# ── What was asked for is what comes ──


def _shapes() -> Iterator[tuple[Case, str, str]]:
    """Every size in pixels and every shape that a family lists."""
    for case in FIRSTS:
        family, wire_model, action = case
        for name in ("size", "aspect_ratio") if action == "create" else ():
            field = family.fields_for(wire_model, action).get(name)
            for choice in field.choices if field else ():
                size = parse_size(choice)
                if ":" in choice or (size and size[0] * size[1] <= PIXELS):
                    yield case, name, choice


SHAPES = list({(protocol_of(case), *said): (case, *said) for case, *said in _shapes()}.values())


@pytest.mark.parametrize(
    ("case", "name", "choice"),
    SHAPES,
    ids=[f"{named(case)} {name} {choice}" for case, name, choice in SHAPES],
)
def test_an_image_has_the_size_or_shape_that_was_asked_for(
    carrier: Carrier, case: Case, name: str, choice: str
) -> None:
    family, wire_model, action = case
    only = family.fields_for(wire_model, action)[name].only_with
    fields = {name: choice, **({only.field: only.values[0]} if only else {})}
    made = carrier.carry(family, brief_for(carrier, case, fields=fields))
    picture = pictures.inspect(made.files[0])
    if size := parse_size(choice):
        assert (picture.width, picture.height) == size
    else:
        across, down = map(float, choice.split(":"))
        assert picture.width / picture.height == pytest.approx(across / down, rel=0.04)


FORMATS = list(
    {
        (protocol_of(case), case[2], choice): (case, choice)
        for case in FIRSTS
        if (field := case[0].fields_for(case[1], case[2]).get("output_format"))
        for choice in field.choices
    }.values()
)


@pytest.mark.parametrize(
    ("case", "choice"), FORMATS, ids=[f"{named(case)} {choice}" for case, choice in FORMATS]
)
def test_a_file_has_the_format_that_was_asked_for(
    carrier: Carrier, case: Case, choice: str
) -> None:
    fields = {**smallest(case), "output_format": choice}
    made = carrier.carry(case[0], brief_for(carrier, case, fields=fields))
    assert pictures.inspect(made.files[0]).format == choice


@pytest.mark.parametrize("case", OF_MANY, ids=named)
def test_as_many_images_come_as_were_asked_for_and_no_two_are_alike(
    carrier: Carrier, case: Case
) -> None:
    family = case[0]
    made = carrier.carry(family, brief_for(carrier, case, fields=smallest(case), count=3))
    assert len(set(made.files)) == 3


# ── What goes along ──


@pytest.mark.parametrize("case", OF_REFERENCES, ids=named)
def test_as_many_references_go_along_as_the_family_takes(carrier: Carrier, case: Case) -> None:
    family, _, action = case
    rule = family.rule(action).references
    assert rule is not None
    most = min(rule.most, rule.together - 1) if rule.together else rule.most
    many = tuple(reference(rule, number) for number in range(most))
    brief = brief_for(carrier, case)
    made = carrier.carry(family, replace(brief, references=many))
    assert made.files or made.finished.texts


@pytest.mark.parametrize("case", OF_REFERENCES, ids=named)
def test_one_reference_too_many_is_refused(carrier: Carrier, case: Case) -> None:
    family, _, action = case
    rule = family.rule(action).references
    assert rule is not None
    many = tuple(reference(rule, number) for number in range(rule.most + 1))
    before = carrier.log.paid_calls
    with pytest.raises(RequestRefused):
        carrier.carry(family, replace(brief_for(carrier, case), references=many))
    assert carrier.log.paid_calls == before


@pytest.mark.parametrize("case", OF_MASKS, ids=named)
def test_only_what_the_mask_shows_changes(carrier: Carrier, case: Case) -> None:
    brief = brief_for(carrier, case)
    if not brief.references:
        parent, brief = _with_its_parent(carrier, case)
        first = Reference(parent, "image/png", "image.png")
    else:
        first = brief.references[0]
        brief = replace(brief, mask=mask_of(first))
    made = carrier.carry(case[0], brief)
    before, after = _opened(first.data), _opened(made.files[0])
    # Whatever the provider does with the edges, the lower right is far from the mask.
    for place in ((0.6, 0.9), (0.9, 0.9), (0.9, 0.3), (0.1, 0.9)):
        assert _far(before, after, place) < 60, place
    changed = [_far(before, after, (x / 20, y / 20)) for x in range(2, 8) for y in range(2, 8)]
    assert max(changed) > 60


def _with_its_parent(carrier: Carrier, case: Case) -> tuple[bytes, Brief]:
    """What a button was pressed under, and the brief that presses it."""
    made, _ = offered(carrier, *case)
    return made.files[0], brief_for(carrier, case)


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def _far(before: Image.Image, after: Image.Image, place: tuple[float, float]) -> int:
    """How far two images are apart at a place (0 to 1), by the colour that differs most."""
    one, other = (
        image.getpixel((int(place[0] * image.width), int(place[1] * image.height)))
        for image in (before, after)
    )
    assert isinstance(one, tuple)
    assert isinstance(other, tuple)
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("case", OF_MEMORY, ids=named)
def test_a_conversation_goes_on_from_what_is_remembered(carrier: Carrier, case: Case) -> None:
    family, wire_model, _ = case
    # Of no usual shape, so that the second image shows what it goes on from.
    shape = family.fields["aspect_ratio"].choices[-1]
    said = brief_for(carrier, (family, wire_model, "create"), fields={"aspect_ratio": shape})
    first = carrier.carry(family, said)
    assert _opened(first.files[0]).width != _opened(first.files[0]).height
    assert first.finished.memory is not None
    parent = Parent(memory=first.finished.memory)
    brief = brief_for(carrier, case, prompt="in winter", references=(), parent=parent)
    second = carrier.carry(family, brief)
    assert _opened(second.files[0]).size == _opened(first.files[0]).size
    assert len(second.finished.memory or b"") > len(first.finished.memory)


# ── Who is spoken to ──


@pytest.fixture(scope="module")
def stranger() -> Iterator[Carrier]:
    """Whoever comes to the sandbox with another key."""
    with carrying(key="sk-another1") as carrier:
        yield carrier


ONE_OF_EACH = list({protocol_of(case): case for case in reversed(CASES)}.items())


@pytest.mark.parametrize(
    "case", [case for _, case in ONE_OF_EACH], ids=[protocol for protocol, _ in ONE_OF_EACH]
)
def test_the_sandbox_is_asked_with_its_key_or_refuses(stranger: Carrier, case: Case) -> None:
    with pytest.raises(RequestRefused, match="key"):
        stranger.carry(case[0], brief_for(stranger, case))
    assert stranger.log.paid_calls == 0


@pytest.mark.parametrize("protocol", sorted(ADAPTERS))
def test_an_answer_of_another_protocol_cannot_be_read(carrier: Carrier, protocol: str) -> None:
    """A row of the gateway's model list is JSON without an error, and no image."""
    adapter = ADAPTERS[protocol]
    reply = carrier.gateway.send(Call("GET", "/api/model/gpt-image-2"))
    with pytest.raises((BadReply, KeyError, TypeError, ValueError, AttributeError)):
        adapter.parse_submit(reply)


def test_every_protocol_has_a_family_and_every_poller_and_asker_is_an_adapter() -> None:
    spoken = {rule.protocol for family in FAMILIES.values() for rule in family.actions.values()}
    assert spoken == set(ADAPTERS)
    assert set(DIALOG_ADAPTERS) <= set(POLLING_ADAPTERS) <= set(ADAPTERS)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_every_action_is_one_that_the_adapter_knows(family: Family) -> None:
    for rule in family.actions.values():
        assert rule.action in ADAPTERS[rule.protocol].ACTIONS


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_a_task_that_is_not_known_yet_is_looked_for_twice(family: Family) -> None:
    assert family.grace == 0 or family.grace > 2 * family.poll_every


def test_a_carrier_gives_up_on_nothing_it_can_name(carrier: Carrier) -> None:
    """The helper itself: what it raises is what the adapters raise."""
    family = FAMILIES["gpt-image-1"]
    brief = Brief("create", "a teapot", "no-such-model", {})
    with pytest.raises(ProviderError):
        carrier.carry(family, brief)
    assert isinstance(carrier.carry(family, replace(brief, wire_model="gpt-image-1")), Carried)
