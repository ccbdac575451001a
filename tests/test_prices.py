"""What is held and what is charged: every kind of price, rounded once, bounded, from a copy."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from comet_site import env
from generator import lifecycle
from generator.errors import NotOffered
from generator.families import FAMILIES, Field, read
from generator.models import CatalogueEntry, Generation, PriceKind, PriceSource, Team, User
from generator.prices import LARGEST_COST, Basis
from generator.providers.reading import read_usage
from tests.make import make_asked, make_entry, make_generation
from tests.scripted import CAP, ScriptedGateway, images, left, run

IMAGE = Basis("image", each=Decimal(40))
REQUEST = Basis("request", each=Decimal(40))
MEGAPIXEL = Basis("megapixel", each=Decimal(15), megapixels=Decimal("1.048576"))
TOKENS = Basis(
    "tokens",
    tokens_in=Decimal(4000),
    tokens_out=Decimal(24_000),
    given=Decimal(50),
    out=Decimal(1056),
)


def cost(basis: Basis, made: int, asked: int = 4, pixels: int = 0, **usage: Any) -> int:
    return basis.cost(made=made, asked=asked, pixels=pixels, usage=usage)


# ── Held ──


@pytest.mark.parametrize(
    ("basis", "one", "three"),
    [
        (IMAGE, 40, 120),
        (REQUEST, 40, 40),
        (MEGAPIXEL, 16, 48),
        (TOKENS, 26, 77),
        (replace(IMAGE, times=Decimal("0.45"), each=Decimal(20)), 9, 27),
        (replace(IMAGE, ratio=Decimal("0.8"), factor=Decimal("1.1")), 36, 106),
        (replace(IMAGE, each=Decimal(0)), 0, 0),
    ],
)
def test_what_is_held_is_rounded_up_once_at_the_end(basis: Basis, one: int, three: int) -> None:
    assert (basis.price(1), basis.price(3)) == (one, three)


@pytest.mark.parametrize("count", [0, -1, -(10**30)])
def test_less_than_one_image_has_no_price(count: int) -> None:
    with pytest.raises(NotOffered):
        IMAGE.price(count)


def test_more_credits_than_can_be_written_down_are_a_refusal_in_words() -> None:
    assert replace(IMAGE, each=Decimal(LARGEST_COST)).price(1) == LARGEST_COST
    for basis in (IMAGE, MEGAPIXEL, TOKENS):
        with pytest.raises(NotOffered, match="more credits than can be counted"):
            basis.price(10**12)


# ── Charged ──


@pytest.mark.parametrize("basis", [IMAGE, REQUEST, MEGAPIXEL, TOKENS])
def test_nothing_made_costs_nothing(basis: Basis) -> None:
    assert cost(basis, 0, pixels=10**6, output_tokens=10**6) == 0


def test_by_the_image_each_that_came_is_charged_and_none_that_nobody_asked_for() -> None:
    assert [cost(IMAGE, made) for made in (1, 3, 4, 9)] == [40, 120, 160, 160]


def test_by_the_request_all_of_it_is_charged_if_anything_came() -> None:
    assert [cost(REQUEST, made) for made in (1, 4)] == [40, 40]


def test_by_the_megapixel_the_pixels_that_were_kept_are_charged() -> None:
    assert cost(MEGAPIXEL, 2, pixels=2 * 4096 * 4096) == ceil(15 * 33.554432)
    assert cost(MEGAPIXEL, 2) == MEGAPIXEL.price(2)


def test_by_the_token_the_gateways_own_count_is_charged_be_it_less_or_more() -> None:
    assert cost(TOKENS, 1, input_tokens=19, output_tokens=196) == 5
    more = cost(TOKENS, 1, input_tokens=785, output_tokens=4160)
    assert more == 103 > TOKENS.price(1)


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": 785, "output_tokens": 196, "total_tokens": 981,
         "input_tokens_details": {"image_tokens": 768, "text_tokens": 17},
         "output_tokens_details": {"image_tokens": 196, "text_tokens": 0}},
        {"input_tokens": 785, "output_tokens": 196, "total_tokens": 981},
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 981, "input_tokens": 785,
         "output_tokens": 196, "claude_cache_creation_1_h_tokens": 0},
        {"prompt_tokens": 785, "completion_tokens": 196, "total_tokens": 981},
        {"input_tokens": 785, "output_tokens": 0, "completion_tokens": 196},
        {"prompt_tokens": "785", "output_tokens": "196"},
        {"input_tokens": 785, "output_tokens": 0, "total_tokens": 981},
        {"output_tokens": 196, "total_tokens": 981},
    ],
)  # fmt: skip
def test_every_shape_of_usage_costs_the_same(usage: Any) -> None:
    assert TOKENS.cost(made=1, asked=1, pixels=0, usage=read_usage(usage)) == 8


@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"input_tokens": 0, "output_tokens": 0, "total_tokens": 981},
        {"output_tokens": "196"},
        {"output_tokens": True},
        {"output_tokens": -5},
        {"output_tokens": None, "input_tokens": 4.5},
    ],
)
def test_where_the_gateway_counts_no_tokens_what_was_expected_is_charged(usage: Any) -> None:
    assert TOKENS.cost(made=2, asked=4, pixels=0, usage=usage) == TOKENS.price(2)


def test_half_a_count_is_made_whole_by_what_was_expected() -> None:
    assert cost(TOKENS, 2, input_tokens=50, total_tokens=50) == TOKENS.price(2)
    assert cost(TOKENS, 1, output_tokens=1056, total_tokens=1056) == TOKENS.price(1)


@pytest.mark.parametrize("tokens", [10**15, 10**200])
def test_a_count_out_of_all_measure_still_fits_into_its_column(tokens: int) -> None:
    assert cost(TOKENS, 1, output_tokens=tokens) == LARGEST_COST


NUMBERS = st.decimals(0, 10**8, places=4)
FACTORS = st.decimals(Decimal("0.0001"), 10, places=4)
BASES = st.builds(
    Basis,
    kind=st.sampled_from(["image", "request", "megapixel", "tokens"]),
    each=NUMBERS, tokens_in=NUMBERS, tokens_out=NUMBERS, times=FACTORS, ratio=FACTORS,
    factor=FACTORS, megapixels=FACTORS, given=st.integers(0, 10**6).map(Decimal),
    out=st.integers(0, 10**6).map(Decimal), source=st.sampled_from(PriceSource.values),
)  # fmt: skip


@given(BASES, st.integers(1, 15), st.integers(0, 15), st.integers(0, 10**9), st.integers(1, 10**7))
@settings(deadline=None)
def test_a_copy_costs_the_same_as_its_original_and_never_less_than_it_should(
    basis: Basis, asked: int, made: int, pixels: int, tokens: int
) -> None:
    copied = Basis.from_row(basis.as_row())
    assert copied is not None
    usage = {"input_tokens": 7, "output_tokens": tokens}
    ours = copied.cost(made=made, asked=asked, pixels=pixels, usage=usage)
    assert ours == basis.cost(made=made, asked=asked, pixels=pixels, usage=usage)
    assert 0 <= ours <= LARGEST_COST
    if basis.kind == "tokens" and made:
        spent = 7 * Fraction(basis.tokens_in) + tokens * Fraction(basis.tokens_out)
        exact = spent / 10**6 * Fraction(basis.ratio) * Fraction(basis.factor)
        assert ours == min(ceil(exact), LARGEST_COST)


@given(BASES, st.integers(1, 14))
@settings(deadline=None)
def test_more_images_are_never_held_for_less(basis: Basis, count: int) -> None:
    try:
        more = basis.price(count + 1)
    except NotOffered:
        return
    assert 0 <= basis.price(count) <= more


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"kind": "image", "credits_per_image": 40},
        {"kind": "image", "credits_each": 40, "source": "gateway"},
        {"kind": "hour", "each": "40"},
        {"kind": "image", "each": "a lot"},
        {"kind": "image", "each": "NaN"},
        {"kind": "image", "each": "-40"},
        {"kind": "image", "each": "1e999999"},
    ],
)
def test_what_is_no_copy_of_a_price_is_none(row: dict[str, Any]) -> None:
    assert Basis.from_row(row) is None


# ── The price of an entry ──


@pytest.mark.django_db
def test_the_price_follows_what_is_set() -> None:
    wide = {"size": "1792x1024"}
    dalle = make_entry("dall-e-3")
    assert dalle.price(1) == 40
    assert dalle.price(1, "create", wide) == 80
    assert dalle.price(1, "create", {"quality": "hd"}) == 80
    assert dalle.price(1, "create", {"quality": "hd", **wide}) == 120
    assert make_entry("dall-e-2").price(3, "create", {"size": "256x256"}) == 24
    entry = make_entry("gpt-image-1")
    assert entry.price(1) == entry.price(1, "create", {"quality": "medium"}) == 34
    assert entry.price(1, "create", {"quality": "low"}) == 9
    assert entry.price(1, "create", {"size": "1536x1024", "quality": "high"}) == 200
    usual = entry.price(1, "edit", references=2)
    assert usual > entry.price(1, "edit", references=1) > entry.price(1, "edit")
    assert entry.price(1, "edit", {"input_fidelity": "high"}, references=2) > usual
    gemini = make_entry("gemini-3-pro-image")
    assert gemini.price(1) == gemini.price(1, "create", {"size": "1K"}) == 137
    assert gemini.price(1, "create", {"size": "4K"}) == 305
    assert gemini.price(1, "create", {"aspect_ratio": "21:9"}) == 137


@pytest.mark.django_db
def test_a_price_by_the_megapixel_follows_the_size_and_words_for_it() -> None:
    by = {"price_kind": PriceKind.MEGAPIXEL, "credits_each": 10, "price_source": PriceSource.STAFF}
    assert make_entry("flux-2-pro", **by).price(2, "create", {"size": "2048x2048"}) == 84
    assert make_entry("doubao-seedream-4-5-251128", **by).price(1, "create", {"size": "4K"}) == 168
    assert make_entry("grok-imagine-image", **by).price(1, "create", {"resolution": "2k"}) == 42
    assert make_entry("flux-pro-1.1-ultra", **by).price(1) == 40
    dalle = make_entry("dall-e-3", **by)
    assert dalle.price(1, "create", {"size": "1792x1024", "quality": "hd"}) == 19


@pytest.mark.django_db
def test_the_gateways_ratio_and_our_factor_are_put_on_every_price_but_the_staffs(
    settings: Any,
) -> None:
    settings.PRICE_FACTOR = Decimal("1.25")
    entry = make_entry("qwen-image", ratio=Decimal("0.8"), price_source=PriceSource.GATEWAY)
    assert entry.price(1) == 40
    entry.ratio = Decimal("0.5")
    assert entry.price(1) == 25
    entry.ratio = Decimal(50)
    assert entry.price(1) == 50
    entry.ratio, entry.price_source = Decimal("0.5"), PriceSource.STAFF
    assert entry.price(1) == 40


@pytest.mark.parametrize("said", ["0", "-1", "NaN", "Infinity", "free", "1001", "1,5"])
def test_a_factor_that_is_no_positive_number_stops_the_start_by_name(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_PRICE_FACTOR", said)
    with pytest.raises(ImproperlyConfigured, match="STUDIO_PRICE_FACTOR"):
        env.positive("STUDIO_PRICE_FACTOR", Decimal(1))
    monkeypatch.setenv("STUDIO_PRICE_FACTOR", " 1.25 ")
    assert env.positive("STUDIO_PRICE_FACTOR", Decimal(1)) == Decimal("1.25")


@pytest.mark.django_db
def test_a_price_has_words_and_a_tag_that_is_another_with_every_change() -> None:
    assert make_entry("qwen-image").price_words == "40 credits"
    assert make_entry("gpt-image-1").price_words == "about 34 credits"
    entry = make_entry("gpt-image-2")
    tags = {entry.price_tag}
    for name, value in (
        ("credits_each", 41), ("price_source", PriceSource.GATEWAY), ("ratio", Decimal("0.5")),
        ("rates", {"edit": 5}), ("price_kind", PriceKind.TOKENS), ("tokens_in", Decimal(1)),
        ("tokens_out", Decimal(2)),
    ):  # fmt: skip
        setattr(entry, name, value)
        tags.add(entry.price_tag)
    assert len(tags) == 8
    entry.save()
    assert CatalogueEntry.objects.get(pk=entry.pk).price_tag in tags
    entry.label = "Another name"
    assert entry.price_tag in tags
    assert make_entry("qwen-image", credits_each=None).price_words == "no price"


def _choices(field: Field) -> Iterator[Any]:
    yield from field.choices
    if field.kind == "switch":
        yield from (True, False)
    if field.kind == "text":
        yield "1e999"
    yield from (number for number in (field.least, field.most) if number is not None)


@pytest.mark.django_db
def test_whatever_can_be_picked_has_a_price_for_every_choice() -> None:
    CatalogueEntry.objects.fill()
    entries = list(CatalogueEntry.objects.pickable())
    assert len(entries) == CatalogueEntry.objects.count()
    for entry in entries:
        family = FAMILIES[entry.family]
        for action in (one for one in family.actions if entry.can(one)):
            for name, field in family.fields_for(entry.wire_model, action).items():
                for choice in _choices(field):
                    assert entry.price(1, action, {name: choice}) > 0, (entry, action, name)


UNPRICED: list[dict[str, Any]] = [
    {"credits_each": None},
    {"credits_each": None, "rates": {"create": 40}},
    {"offered": False},
    {"family": "gone"},
    {"family": ""},
    {"price_kind": "hour"},
    {"price_kind": PriceKind.TOKENS, "tokens_in": None, "tokens_out": Decimal(5)},
    {"price_kind": PriceKind.TOKENS, "tokens_in": Decimal(5), "tokens_out": None},
    {"price_kind": PriceKind.TOKENS, "tokens_in": Decimal(5), "tokens_out": Decimal(5)},
]


@pytest.mark.django_db
@pytest.mark.parametrize("facts", UNPRICED)
def test_what_cannot_be_picked_is_refused_however_it_is_asked_for(
    member: User, facts: dict[str, Any]
) -> None:
    entry = make_entry("qwen-image", **facts)
    assert entry not in CatalogueEntry.objects.pickable()
    with pytest.raises(NotOffered):
        entry.price(1)
    with pytest.raises(NotOffered):
        lifecycle.begin(member, member.personal_team, entry, make_asked(), batch=uuid.uuid4())
    assert not Generation.objects.exists()


@pytest.mark.parametrize("facts", UNPRICED)
def test_what_cannot_be_picked_is_refused_by_direct_post(
    client: Client, team: Team, member: User, facts: dict[str, Any]
) -> None:
    make_entry("qwen-image", **facts)
    client.force_login(member)
    sent = {"model": "qwen-image", "action": "create", "prompt": "a heron", "size": "1024x1024",
            "batch": str(uuid.uuid4()), "price": "0", "cost": "0"}  # fmt: skip
    answer = client.post(reverse("create", args=[team.slug]), sent)
    assert "is not offered" in answer.content.decode()
    assert not Generation.objects.exists()


# ── Settled ──


def begun(member: User, team: Team, **facts: Any) -> Generation:
    """A generation of a model that is priced by tokens."""
    return make_generation(member, team, wire_model="gpt-image-1", **facts)


def test_a_generation_is_settled_at_the_tokens_it_took_and_the_rest_given_back(
    team: Team, member: User
) -> None:
    generation = begun(member, team)
    assert (generation.price, left(generation)) == (34, CAP - 34)
    usage = {"input_tokens": 10, "output_tokens": 272, "total_tokens": 282}
    done = run(ScriptedGateway(images(usage=usage)))
    assert (done.cost, left(done)) == (9, CAP - 9)


def test_a_cost_above_the_price_is_written_as_it_is(team: Team, member: User) -> None:
    begun(member, team)
    usage = {"input_tokens": 10, "output_tokens": 4160, "total_tokens": 4170}
    done = run(ScriptedGateway(images(usage=usage)))
    assert (done.cost, left(done)) == (134, CAP - 134)


def test_a_price_that_changes_while_images_are_made_changes_nothing_for_them(
    team: Team, member: User
) -> None:
    begun(member, team)
    make_entry("gpt-image-1", price_kind=PriceKind.IMAGE, credits_each=900)
    usage = {"input_tokens": 10, "output_tokens": 272, "total_tokens": 282}
    assert run(ScriptedGateway(images(usage=usage))).cost == 9


def by_staff(kind: PriceKind, credits: int) -> dict[str, Any]:
    return {"price_kind": kind, "credits_each": credits, "price_source": PriceSource.STAFF}


def test_a_request_is_charged_whole_for_the_one_image_that_came(team: Team, member: User) -> None:
    make_entry("gpt-image-2", **by_staff(PriceKind.REQUEST, 70))
    entry = CatalogueEntry.objects.get(wire_model="gpt-image-2")
    asked = make_asked(count=3)
    generation = lifecycle.begin(member, team, entry, asked, batch=uuid.uuid4())
    assert generation.price == 70
    assert run(ScriptedGateway(images(1))).cost == 70


def test_megapixels_are_charged_by_the_images_that_were_kept(team: Team, member: User) -> None:
    entry = make_entry("gpt-image-2", **by_staff(PriceKind.MEGAPIXEL, 1_000))
    asked = make_asked(count=3)
    generation = lifecycle.begin(member, team, entry, asked, batch=uuid.uuid4())
    assert generation.price == 3146
    # They are 64 and 65 pixels wide and 48 high.
    assert run(ScriptedGateway(images(2))).cost == ceil(1000 * 129 * 48 / 10**6)


@pytest.mark.parametrize(
    "row", [{}, {"kind": "image", "credits_each": 40, "source": "file"},
            {"kind": "image", "credits_per_image": 40}],
)  # fmt: skip
def test_a_generation_that_an_older_release_began_is_settled_by_the_image(
    team: Team, member: User, row: dict[str, Any]
) -> None:
    generation = make_generation(member, team, count=3, price_basis=row)
    done = run(ScriptedGateway(images(2)))
    assert (generation.price, done.cost, left(done)) == (120, 80, CAP - 80)


# ── What the families file says ──

ONE = """
[[family]]
name = "x"
protocol = "openai_images"
provider = "X"
prompt_limit = 10
models = [{ id = "x-1", label = "X", %s }]
fields = {}
actions = {}
"""


@pytest.mark.parametrize(
    ("price", "more"),
    [
        ("tokens = { in = 1, out = 2 }", ""),
        ("tokens = { in = 1 }", ""),
        ('kind = "hour", credits = 1', ""),
        ("tokens = { in = 1, out = 2 }",
         'tokens = { by = "size", usual = "2K", image = { 1K = 5 } }'),
    ],
)  # fmt: skip
def test_a_family_whose_price_cannot_be_foreseen_stops_the_start_by_name(
    price: str, more: str
) -> None:
    with pytest.raises(ValueError, match="x"):
        read(ONE % price + more)


def test_tokens_of_a_family_are_enough_to_price_its_models() -> None:
    tokens = 'tokens = { by = "size", usual = "1K", image = { 1K = 5 } }'
    (family,) = read(ONE % "tokens = { in = 1, out = 2.5 }" + tokens).values()
    assert family.models[0].tokens_out == Decimal("2.5")
