"""What is held for much text and long conversations, where a price hangs on tokens (M3)."""

import uuid
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from generator import lifecycle
from generator.errors import QuotaExceeded
from generator.families import FAMILIES
from generator.models import Generation, PriceKind, ReferenceImage, Status, Team, User, Window
from generator.models.references import tokens_before
from generator.prices import Basis
from tests.make import (
    make_asked,
    make_asset,
    make_entry,
    make_generation,
    make_user,
    set_cap,
)

pytestmark = pytest.mark.django_db

TALKER = "gemini-3-pro-image"
DEAR: dict[str, Any] = {
    "price_kind": PriceKind.TOKENS, "credits_each": None,
    "tokens_in": Decimal(8000), "tokens_out": Decimal(30000),
}  # fmt: skip
SMALL = {"size": "1024x1024", "quality": "low"}


@pytest.fixture
def author() -> User:
    return make_user()


@pytest.fixture
def team(author: User) -> Team:
    return author.personal_team


def talk(author: User, **facts: Any) -> Generation:
    """One that its model remembers."""
    said = {"memory": "teams/x/memory", "usage": {"input_tokens": 5000, "output_tokens": 1200}}
    return make_generation(
        author, author.personal_team, wire_model=TALKER, status=Status.SUCCEEDED, cost=1,
        **said | facts,
    )  # fmt: skip


def given(generation: Generation) -> Decimal:
    """Tokens that are expected to go in."""
    return Decimal(generation.price_basis["given"])


def test_no_prompt_is_long_enough_to_pass_a_cap(author: User, team: Team) -> None:
    entry = make_entry("gpt-image-2", **DEAR)
    set_cap(team, author, window=Window.MONTH, credits=70)
    asked = make_asked("字" * 32_000, fields=SMALL)
    with pytest.raises(QuotaExceeded):
        lifecycle.begin(author, team, entry, asked, batch=uuid.uuid4())
    assert not Generation.objects.exists()


@pytest.mark.parametrize(
    ("prompt", "tokens"),
    [("字" * 32_000, 32_000), ("a word or two " * 2000, 7000), ("🦊" * 1000, 1300), ("tea", 10)],
)
def test_what_is_held_covers_what_a_text_of_this_length_takes(
    author: User, prompt: str, tokens: int
) -> None:
    make_entry("gpt-image-1")
    begun = make_generation(author, prompt=prompt, fields=SMALL, wire_model="gpt-image-1")
    basis = Basis.from_row(begun.price_basis)
    assert basis
    usage = {"input_tokens": tokens, "output_tokens": 272}
    cost = basis.cost(made=1, asked=1, pixels=0, usage=usage)
    assert cost <= begun.price <= 2 * cost


def test_a_short_prompt_is_held_as_one_of_usual_length(author: User) -> None:
    first, second = (
        make_generation(author, prompt=prompt, wire_model="gpt-image-1")
        for prompt in ("a", "a" * 150)
    )
    assert given(first) == given(second) == 50
    assert given(make_generation(author, prompt="a" * 151, wire_model="gpt-image-1")) == 51


def test_other_texts_that_go_along_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = make_entry("stability-ai/sdxl", **DEAR)
    family = entry.takes
    pricing = replace(family.pricing, tokens=FAMILIES["gpt-image-1"].pricing.tokens)
    monkeypatch.setitem(FAMILIES, family.name, replace(family, pricing=pricing))
    one, more = (
        entry.price_basis("create", {"negative_prompt": "x" * size}, words=300) for size in (0, 900)
    )
    assert (one["given"], more["given"]) == ("100", "400")


def test_a_conversation_that_goes_on_is_held_for_whole(author: User) -> None:
    made = talk(author)
    on = make_generation(author, made.team, wire_model=TALKER, action="edit", parent=made)
    assert given(on) == 50 + 5000 + 1200
    assert on.price > made.price


def test_a_conversation_that_is_not_told_is_not_held_for(author: User) -> None:
    made = talk(author)
    ours = ReferenceImage.objects
    shown = ours.saved(ours.standing_for(made.team, author, make_asset(made)))
    seen = make_generation(
        author, made.team, wire_model=TALKER, action="edit", parent=made, references=(shown,)
    )
    alone = make_entry(TALKER).basis("edit", references=1)
    assert alone
    assert given(seen) == alone.given
    other = make_generation(author, made.team, wire_model="gpt-image-1", action="edit", parent=made)
    assert given(other) == 50


@pytest.mark.parametrize(
    "usage", [{}, {"input_tokens": "many"}, {"input_tokens": -9, "output_tokens": None}]
)
def test_a_conversation_of_which_nobody_said_how_long_it_is_counts_as_none(
    author: User, usage: dict[str, Any]
) -> None:
    assert tokens_before(talk(author, usage=usage), make_entry(TALKER), "edit") == 0
