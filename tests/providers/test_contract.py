"""Every adapter through the sandbox, and families.toml held to the sandbox's strict reading.

The sandbox is a second reading of the gateway's documentation (B2) that shares no line with the
adapters. Where the two agree, neither has been read wrongly by one of them alone.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from generator import pictures
from generator.errors import (
    BadReply,
    ContentRefused,
    LinkRefused,
    LinkSilent,
    ProviderBusy,
    ProviderError,
    ProviderSilent,
    RequestRefused,
)
from generator.families import FAMILIES, Family, Field, parse_size
from generator.providers import ADAPTERS
from generator.providers.base import Brief, Call, Finished, InlineImage
from generator.providers.gateway import Gateway
from generator.sandbox import Log, Sandbox, limits, orders
from generator.sandbox.serve import serving
from generator.sandbox.wire import Refused

KEY = "sk-test1234"
PER_FAMILY = pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)


@pytest.fixture(scope="module")
def log() -> Log:
    return Log()


@pytest.fixture(scope="module")
def gateway(log: Log) -> Iterator[Gateway]:
    """A gateway to a sandbox on real sockets, whose image host is the one private exception."""
    with serving(Sandbox(KEY, log)) as doors:
        gateway = Gateway(f"{doors.gateway}/v1", key=KEY, image_origins=[doors.images])
        yield gateway
        gateway.close()


def defaults(family: Family) -> dict[str, Any]:
    """What the form sends where nothing was touched: every default that applies."""
    return {
        name: field.default
        for name, field in family.fields.items()
        if field.kind != "count" and field.only_with is None
    }


def brief(wire_model: str, family: Family, prompt: str = "a teapot", **facts: Any) -> Brief:
    facts = {"fields": defaults(family), **facts}
    return Brief("create", prompt, wire_model, **facts)


def made(gateway: Gateway, family: Family, said: Brief) -> tuple[Finished, list[bytes]]:
    """What comes of a brief, and the files."""
    outcome = gateway.submit(ADAPTERS[family.protocol], said, deadline=30)
    assert isinstance(outcome, Finished)
    return outcome, [
        image.data if isinstance(image, InlineImage) else gateway.fetch(image.url, deadline=10)
        for image in outcome.images
    ]


MODELS = [(family, model.wire_model) for family in FAMILIES.values() for model in family.models] + [
    (FAMILIES["gpt-image-2"], "gpt-image-2-2026-04-21")
]


@pytest.mark.parametrize(("family", "wire_model"), MODELS, ids=[model for _, model in MODELS])
def test_every_model_makes_an_image_with_its_defaults(
    gateway: Gateway, log: Log, family: Family, wire_model: str
) -> None:
    before = len(log.requests)
    outcome, (file,) = made(gateway, family, brief(wire_model, family))
    picture = pictures.inspect(file)
    asked = parse_size(family.fields["size"].default)
    echoed = parse_size(str(outcome.used.get("size", "")))
    assert (picture.width, picture.height) == (asked or echoed)
    asked_for, *fetched = log.requests[before:]
    assert (asked_for.host, asked_for.carried_key) == ("gateway", True)
    assert all((seen.host, seen.carried_key) == ("images", False) for seen in fetched)


SIZES = [
    (family, size)
    for family in FAMILIES.values()
    for size in (*family.fields["size"].choices, *(["1216x544"] * bool(family.fields["size"].own)))
    if size != "auto"
]


@pytest.mark.parametrize(
    ("family", "size"), SIZES, ids=[f"{family.name} {size}" for family, size in SIZES]
)
def test_an_image_has_the_size_that_was_asked_for(
    gateway: Gateway, family: Family, size: str
) -> None:
    fields = {**defaults(family), "size": size}
    said = brief(family.models[0].wire_model, family, fields=fields)
    _, (file,) = made(gateway, family, said)
    picture = pictures.inspect(file)
    assert f"{picture.width}x{picture.height}" == size


def test_as_many_images_come_as_were_asked_for(gateway: Gateway) -> None:
    family = FAMILIES["dall-e-2"]
    said = brief("dall-e-2", family, fields={"size": "256x256"}, count=3)
    _, files = made(gateway, family, said)
    assert len(set(files)) == 3


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("busy", ProviderBusy),
        ("refuse", ContentRefused),
        ("broken", ProviderSilent),
        ("money", RequestRefused),
        ("error", RequestRefused),
        ("html", ProviderSilent),
        ("empty", ContentRefused),
        ("silent", ProviderSilent),
        ("524", ProviderSilent),
        ("expired", LinkRefused),
        ("private", LinkRefused),
        ("redirect", LinkRefused),
        ("half", LinkSilent),
    ],
)
def test_trouble_of_the_sandbox_comes_to_its_kind(
    gateway: Gateway, word: str, kind: type[ProviderError]
) -> None:
    family = FAMILIES["dall-e-2"]
    with pytest.raises(ProviderError) as caught:
        made(gateway, family, brief("dall-e-2", family, f"a teapot [{word}]"))
    assert type(caught.value) is kind
    assert "teapot" not in str(caught.value)


def test_the_sandbox_is_asked_with_its_key_or_refuses(gateway: Gateway) -> None:
    family = FAMILIES["dall-e-2"]
    with serving(Sandbox("sk-another1")) as doors:
        stranger = Gateway(doors.gateway, key=KEY)
        with pytest.raises(RequestRefused, match="key"):
            made(stranger, family, brief("dall-e-2", family))
        stranger.close()


# ── families.toml held to the sandbox's strict reading ──


def accepts(body: dict[str, Any]) -> bool:
    """Whether the strict sandbox carries out this JSON."""
    try:
        orders.check(body)
    except Refused:
        return False
    return True


def said(family: Family, wire_model: str = "", **facts: Any) -> dict[str, Any]:
    """The JSON that a family's adapter makes of a brief."""
    wire_model = wire_model or family.models[0].wire_model
    call = ADAPTERS[family.protocol].build_submit(brief(wire_model, family, **facts))
    return dict(call.json or {})


def _listed(family: Family) -> list[Field]:
    return [field for field in family.fields.values() if field.choices]


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
    everywhere = [
        (field.name, choice)
        for other in FAMILIES.values()
        for field in _listed(other)
        for choice in (*field.choices, "other", "", 7, True, ["png"])
    ]
    for name, value in everywhere:
        own = family.fields.get(name)
        if (own and value in own.choices) or (family.name, name, value) in NO_CHOICE:
            continue
        if own and own.own and isinstance(value, str) and (size := parse_size(value)):
            fits = own.own.fault(*size) == ""
            assert accepts({**said(family), name: value}) is fits, value
            continue
        assert not accepts({**said(family), name: value}), (name, value)


@PER_FAMILY
def test_whole_numbers_are_taken_within_their_bounds_and_not_beyond(family: Family) -> None:
    for field in family.fields.values():
        if field.kind not in {"count", "integer"}:
            continue
        assert field.least is not None
        assert field.most is not None
        word = "n" if field.kind == "count" else field.name
        others = [{}]
        if only := field.only_with:
            others = [{only.field: value} for value in only.values]
        for other in others:
            for value in (field.least, field.most):
                assert accepts({**said(family), **other, word: value}), (other, word, value)
            for value in (field.least - 1, field.most + 1, str(field.least), 1.5):
                assert not accepts({**said(family), **other, word: value}), (word, value)


@PER_FAMILY
def test_a_family_without_a_count_takes_one_image(family: Family) -> None:
    if "count" not in family.fields:
        assert not accepts({**said(family), "n": 2})


@PER_FAMILY
def test_a_field_that_needs_another_is_refused_without_it(family: Family) -> None:
    for field in family.fields.values():
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


def test_an_answer_of_another_protocol_cannot_be_read(gateway: Gateway) -> None:
    """A row of the gateway's model list is JSON without an error, and no image."""
    adapter = ADAPTERS["openai_images"]
    reply = gateway.send(Call("GET", "/api/model/gpt-image-2"))
    with pytest.raises((BadReply, KeyError, TypeError)):
        adapter.parse_submit(reply)
