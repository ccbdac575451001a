"""The price of a form: told at every change, and asked about where it changed meanwhile."""

import re
import uuid
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from generator.forms.pricing import Shown
from generator.models import CatalogueEntry, Generation, LedgerEntry, Status, Team, User, Window
from tests.make import (
    make_asset,
    make_entry,
    make_generation,
    make_picture,
    make_reference,
    set_cap,
)
from tests.views.conftest import words

HTMX = {"HX-Request": "true"}
JSON = {"Accept": "application/json"}


def told(client: Client, team: Team, **fields: Any) -> str:
    """What the page is told of the form as it stands."""
    sent = {"model": "gpt-image-2", **fields}
    answer = client.post(reverse("price", args=[team.slug]), sent, headers=HTMX)
    assert answer.status_code == 200
    return str(answer.content.decode())


def tags(html: str) -> list[str]:
    """The prices that a form carries along."""
    return [unescape(tag) for tag in re.findall(r'name="price_tag" value="([^"]+)"', html)]


def post(client: Client, team: Team, *, headers: Any = HTMX, **fields: Any) -> Any:
    sent = {"batch": str(uuid.uuid4()), "model": "gpt-image-2", "prompt": "a teapot", **fields}
    return client.post(reverse("create", args=[team.slug]), sent, headers=headers)


# ── Told without sending ──


def test_the_price_is_told_for_the_form_as_it_stands_and_nothing_is_begun(
    maker: Client, team: Team
) -> None:
    said = words(told(maker, team, count="3", size="1024x1536"))
    assert "3 images at 40 120 credits" in said
    assert "Make 3 images · 120 credits" in said
    assert "Left this month, after this 9,880" in said
    assert not Generation.objects.exists()
    assert not LedgerEntry.objects.exists()


def test_size_and_quality_are_in_the_price(maker: Client, team: Team) -> None:
    make_entry("dall-e-3")
    usual, better = (
        words(told(maker, team, model="dall-e-3", size="1024x1024", quality=quality))
        for quality in ("standard", "hd")
    )
    assert "1 image at 40" in usual
    assert "1 image at 80" in better


def test_images_that_go_along_are_in_a_price_by_tokens(
    maker: Client, team: Team, member: User
) -> None:
    make_entry("gpt-image-1")
    images = [str(make_reference(member, team).pk) for _ in range(4)]
    alone, along = (
        _cost(told(maker, team, model="gpt-image-1", action="edit", reference=given))
        for given in (images[:1], images)
    )
    assert alone < along


def _cost(html: str) -> int:
    (found,) = re.findall(r'<dd class="bill__total">([\d,]+) credits', html)
    return int(found.replace(",", ""))


def test_how_much_is_written_is_in_a_price_by_tokens_and_in_no_other(
    maker: Client, team: Team
) -> None:
    make_entry("gpt-image-1")
    for model, grows in (("gpt-image-1", True), ("gpt-image-2", False)):
        short, long = (
            _cost(told(maker, team, model=model, prompt_bytes=size)) for size in ("150", "90000")
        )
        assert (long > short) is grows
    both = [
        _cost(told(maker, team, model="gpt-image-2", also="gpt-image-1", prompt_bytes=size))
        for size in ("150", "90000")
    ]
    assert both[0] < both[1]


@pytest.mark.parametrize("said", ["-90000", "9" * 30, "x", "\0", "１２３", "1e9", ""])
def test_a_length_that_is_none_is_taken_as_none(maker: Client, team: Team, said: str) -> None:
    make_entry("gpt-image-1")
    usual = _cost(told(maker, team, model="gpt-image-1"))
    assert _cost(told(maker, team, model="gpt-image-1", prompt_bytes=said)) == usual


def test_what_is_held_is_by_what_was_written_whatever_length_is_posted(
    maker: Client, team: Team
) -> None:
    make_entry("gpt-image-1")
    long = "字" * 30_000
    told_of = _cost(told(maker, team, model="gpt-image-1", prompt_bytes=str(len(long.encode()))))
    post(maker, team, model="gpt-image-1", prompt=long, prompt_bytes="1")
    assert Generation.objects.get().price == told_of


def test_who_typed_on_is_not_told_that_the_price_has_changed(maker: Client, team: Team) -> None:
    make_entry("gpt-image-1")
    shown = tags(told(maker, team, model="gpt-image-1", prompt_bytes="10"))
    post(maker, team, model="gpt-image-1", prompt="word " * 5000, price_tag=shown)
    dear = Generation.objects.get()
    make_entry("gpt-image-1", tokens_in=9000)
    said = words(
        post(
            maker, team, model="gpt-image-1", prompt="word " * 5000, price_tag=shown
        ).content.decode()
    )
    assert "The price of GPT Image 1 has changed" in said
    assert Generation.objects.get() == dear


def test_compared_models_have_their_own_price_and_are_in_the_sum(maker: Client, team: Team) -> None:
    html = told(maker, team, count="2", also=["dall-e-3", "dall-e-2"])
    pk = CatalogueEntry.objects.get(wire_model="dall-e-2").pk
    assert f'innerHTML:#also-price-{pk}">40<' in html
    assert _cost(html) == 2 * 40 + 40 + 2 * 20
    assert [tag.split()[0] for tag in tags(html)] == ["gpt-image-2", "dall-e-3", "dall-e-2"]


def test_a_field_that_is_no_good_is_priced_at_its_default(maker: Client, team: Team) -> None:
    for count in ("0", "-3", "999999999999", "x", ""):
        assert _cost(told(maker, team, count=count)) == 40


def test_what_is_left_is_what_the_ledger_says_now(maker: Client, team: Team, member: User) -> None:
    assert "Left this month, after this 9,960" in words(told(maker, team))
    make_generation(member, team, count=2)
    said = words(told(maker, team))
    assert "Left this month, after this 9,880" in said
    assert "9,920 left this month" in said


def test_more_than_is_left_is_said_before_it_is_sent(
    maker: Client, team: Team, member: User
) -> None:
    set_cap(team, member, window=Window.MONTH, credits=40)
    assert "80 more than you have left this month" in words(told(maker, team, count="3"))
    set_cap(team, None, window=Window.DAY, credits=10)
    assert "110 more than the team has left today" in words(told(maker, team, count="3"))
    assert "more than" not in words(told(maker, team, model="dall-e-2", size="256x256"))


def test_a_price_by_use_says_so_and_another_does_not(maker: Client, team: Team) -> None:
    assert "Counted by use" in words(told(maker, team, model="gpt-image-1"))
    assert "Counted by use" not in words(told(maker, team, model="dall-e-3"))


def test_viewers_and_strangers_are_told_no_price(
    viewer: Client, stranger: Client, maker: Client, team: Team
) -> None:
    address = reverse("price", args=[team.slug])
    # A page that a member has open who is a viewer now takes a refusal for a studio gone silent.
    answer = viewer.post(address, {"model": "gpt-image-2"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert stranger.post(address, {"model": "gpt-image-2"}).status_code == 404
    assert maker.get(address).status_code == 405


@pytest.mark.parametrize("facts", [{"offered": False}, {"credits_each": None}])
def test_a_model_nobody_may_pick_has_no_price(
    maker: Client, team: Team, facts: dict[str, Any]
) -> None:
    make_entry("dall-e-3", **facts)
    address = reverse("price", args=[team.slug])
    for model in ("dall-e-3", "no-such-model", "", "\0"):
        assert maker.post(address, {"model": model}).status_code == 404


def test_telling_a_price_asks_few_questions(
    maker: Client, team: Team, django_assert_max_num_queries: Any
) -> None:
    told(maker, team)
    with django_assert_max_num_queries(12):
        told(maker, team, count="3")


# ── A price that changed between the form and the sending ──


@pytest.mark.parametrize("headers", [HTMX, None])
def test_a_price_that_changed_is_told_and_pressing_again_sends(
    maker: Client, team: Team, headers: Any
) -> None:
    shown = tags(told(maker, team, count="4"))
    make_entry(credits_each=50)
    answer = post(maker, team, headers=headers, count="4", price_tag=shown).content.decode()
    assert (
        "The price of GPT Image 2 has changed: 4 images are 200 credits now, they were 160 when "
        "this page was shown. Nothing was sent. Press the button again to make them."
    ) in words(answer)
    assert "Make 4 images · 200 credits" in words(answer)
    assert not Generation.objects.exists()
    post(maker, team, headers=headers, count="4", price_tag=tags(answer))
    assert Generation.objects.get().price == 200


def test_what_has_begun_and_is_sent_once_more_is_found_and_not_asked_about(
    maker: Client, team: Team
) -> None:
    batch, shown = str(uuid.uuid4()), tags(told(maker, team))
    post(maker, team, batch=batch, price_tag=shown)
    make_entry(credits_each=50)
    answer = post(maker, team, batch=batch, price_tag=shown).content.decode()
    assert "has changed" not in words(answer)
    assert f"generation-{Generation.objects.get().pk}" in answer
    assert "has changed" in words(post(maker, team, price_tag=shown).content.decode())


def test_that_the_price_changed_can_be_told_from_other_faults(maker: Client, team: Team) -> None:
    shown = tags(told(maker, team))
    make_entry(credits_each=50)
    assert "data-price-fault" in post(maker, team, price_tag=shown).content.decode()
    assert "data-price-fault" not in post(maker, team, negative_prompt="x").content.decode()


def test_what_a_page_posts_at_its_default_is_what_was_shown(maker: Client, team: Team) -> None:
    shown = tags(told(maker, team, model="dall-e-3"))
    make_entry("dall-e-3", credits_each=50)
    usual = {"size": "1024x1024", "quality": "standard", "style": "vivid"}
    said = words(post(maker, team, model="dall-e-3", price_tag=shown, **usual).content.decode())
    assert "1 image is 50 credits now, it was 40 when this page was shown." in said


def test_a_price_that_fell_is_asked_about_as_well(maker: Client, team: Team) -> None:
    shown = tags(told(maker, team))
    make_entry(credits_each=10)
    said = words(post(maker, team, price_tag=shown).content.decode())
    assert "1 image is 10 credits now, it was 40" in said
    assert not Generation.objects.exists()


def test_each_compared_model_is_held_to_its_own_price(maker: Client, team: Team) -> None:
    shown = tags(told(maker, team, also=["dall-e-3", "dall-e-2"]))
    make_entry("dall-e-2", credits_each=33)
    answer = post(maker, team, also=["dall-e-3", "dall-e-2"], price_tag=shown).content.decode()
    assert "The price of DALL·E 2 has changed: 1 image is 33 credits now" in words(answer)
    assert "The price of DALL·E 3" not in words(answer)
    assert not Generation.objects.exists()
    post(maker, team, also=["dall-e-3", "dall-e-2"], price_tag=tags(answer))
    assert sorted(Generation.objects.values_list("price", flat=True)) == [33, 40, 40]


def test_who_sends_before_the_new_price_is_told_is_not_refused_for_that(
    maker: Client, team: Team
) -> None:
    shown = tags(told(maker, team, count="1"))
    post(maker, team, count="4", price_tag=shown)
    assert Generation.objects.get().price == 160


def test_who_sends_before_that_is_asked_all_the_same_where_the_prices_changed(
    maker: Client, team: Team
) -> None:
    shown = tags(told(maker, team, count="1"))
    make_entry(credits_each=50)
    said = words(post(maker, team, count="4", price_tag=shown).content.decode())
    assert "4 images are 200 credits now. Nothing was sent." in said
    assert not Generation.objects.exists()


def test_nobody_is_asked_where_the_price_of_this_is_what_it_was(maker: Client, team: Team) -> None:
    shown = tags(told(maker, team, model="midjourney"))
    make_entry("midjourney", rates={"upscale": 77})
    post(maker, team, model="midjourney", price_tag=shown)
    assert Generation.objects.exists()


def test_a_program_that_saw_no_price_is_not_asked_and_one_that_did_is_told_in_json(
    maker: Client, team: Team
) -> None:
    shown = tags(told(maker, team))
    make_entry(credits_each=50)
    post(maker, team)
    assert Generation.objects.get().price == 50
    answer = post(maker, team, headers=JSON, price_tag=shown)
    assert (answer.status_code, answer.json()["error"]["type"]) == (409, "price_changed")


# ── Steering the cost (M3, A2) ──


@pytest.mark.parametrize(
    "forged",
    [
        {"price": "0", "cost": "1", "each": "0", "credits": "0", "left": "999999"},
        {"price_tag": "gpt-image-2 1 x y"},
        {"price_tag": "x"},
        {"price_tag": "\0"},
        {"price_tag": "gpt-image-2 -5 - -"},
        {"price_tag": f"gpt-image-2 {'9' * 500} - -"},
        {"price_tag": ["dall-e-2 0 - -"] * 100},
        {"prompt_bytes": "9999999"},
        {"count": "-4"},
        {"count": "0"},
        {"count": "1000000000000000000000"},
        {"count": "4e9"},
    ],
)
def test_what_is_posted_never_says_what_it_costs(
    maker: Client, team: Team, forged: dict[str, Any]
) -> None:
    assert post(maker, team, **forged).status_code == 200
    for generation in Generation.objects.all():
        assert generation.price == 40 * generation.count
        assert generation.count == 1


@pytest.mark.parametrize("facts", [{"offered": False}, {"credits_each": None}])
def test_a_forged_tag_opens_no_model_that_nobody_may_pick(
    maker: Client, team: Team, facts: dict[str, Any]
) -> None:
    entry = make_entry("dall-e-3", **facts)
    tag = str(Shown("dall-e-3", 0, entry.price_tag))
    said = words(post(maker, team, model="dall-e-3", price_tag=tag).content.decode())
    assert "not offered" in said
    assert not Generation.objects.exists()


# ── Cards ──


U1 = {"id": "U1", "label": "U1", "action": "upscale", "asks": ""}
V1 = {"id": "V1", "label": "V1", "action": "vary", "asks": ""}


@pytest.fixture
def grid(team: Team, member: User) -> Generation:
    """What Midjourney made, with buttons."""
    make_entry("midjourney", rates={"create": 50, "upscale": 20, "vary": 50})
    made = make_generation(
        member, team, wire_model="midjourney", status=Status.SUCCEEDED, cost=50, buttons=[U1, V1]
    )
    make_asset(made)
    return made


def act(
    client: Client, what: str, generation: Generation, *, htmx: bool = True, **sent: Any
) -> Any:
    address = reverse(what, args=[generation.team.slug, generation.pk])
    sent = {"batch": str(uuid.uuid4()), **sent}
    return client.post(address, sent, headers=HTMX if htmx else None)


def shown_on(html: str) -> list[str]:
    """What the buttons of cards say that they cost, as they post it."""
    return re.findall(r'name="shown" value="([^"]+)"', html)


def card(client: Client, generation: Generation) -> str:
    answer = client.get(reverse("card", args=[generation.team.slug, generation.pk]))
    return str(answer.content.decode())


def test_again_at_a_new_price_is_asked_about_and_its_button_says_it(
    maker: Client, team: Team, member: User
) -> None:
    first = make_generation(member, team, count=2, status=Status.SUCCEEDED, cost=80)
    shown = shown_on(card(maker, first))
    assert shown == ["80"]
    make_entry(credits_each=50)
    answer = act(maker, "again", first, shown=shown)
    html = answer.content.decode()
    assert "2 images are 100 credits now, they were 80" in words(html)
    assert answer["HX-Reswap"] == "none"
    assert f'innerHTML:#again-price-{first.pk}">100<' in html
    assert Generation.objects.count() == 1
    act(maker, "again", first, shown=shown_on(html))
    assert Generation.objects.exclude(pk=first.pk).get().price == 100


def test_again_with_all_that_went_along_is_not_asked_without_need(
    maker: Client, team: Team, member: User
) -> None:
    make_entry("gpt-image-1")
    given = tuple(make_reference(member, team, data=make_picture(80, 80)) for _ in range(3))
    first = make_generation(
        member, team, wire_model="gpt-image-1", action="edit", references=given, count=3,
        fields={"size": "1536x1024", "quality": "high"}, status=Status.SUCCEEDED, cost=1,
    )  # fmt: skip
    act(maker, "again", first, shown=shown_on(card(maker, first)))
    second = Generation.objects.exclude(pk=first.pk).get()
    assert second.price == first.price


def test_again_in_a_long_conversation_is_not_asked_without_need(
    maker: Client, team: Team, member: User
) -> None:
    parent = make_generation(
        member, team, wire_model="gemini-3-pro-image", status=Status.SUCCEEDED, cost=137,
        memory="teams/x/memory", usage={"input_tokens": 90_000, "output_tokens": 1200},
    )  # fmt: skip
    first = make_generation(
        member, team, wire_model="gemini-3-pro-image", action="edit", parent=parent,
        fields={}, prompt="字" * 5000, status=Status.SUCCEEDED, cost=1,
    )  # fmt: skip
    assert first.price > parent.price + 90
    act(maker, "again", first, shown=shown_on(card(maker, first)))
    assert Generation.objects.filter(price=first.price).count() == 2


def test_a_button_at_a_new_price_is_asked_about_and_the_others_say_theirs(
    maker: Client, grid: Generation
) -> None:
    shown = shown_on(card(maker, grid))
    assert {"20 U1", "50 V1"} <= set(shown)
    make_entry("midjourney", rates={"create": 50, "upscale": 25, "vary": 60})
    html = act(maker, "press", grid, button="U1", shown=shown).content.decode()
    assert "1 image is 25 credits now, it was 20" in words(html)
    assert {"25 U1", "60 V1"} <= set(shown_on(html))
    assert not grid.children.exists()
    act(maker, "press", grid, button="U1", shown=shown_on(html))
    assert grid.children.get().price == 25


def test_on_the_page_of_an_image_it_is_asked_there(maker: Client, grid: Generation) -> None:
    image = grid.images.get()
    address = reverse("image", args=[grid.team.slug, image.pk])
    shown = shown_on(maker.get(address).content.decode())
    make_entry("midjourney", rates={"create": 60, "upscale": 25, "vary": 60})
    for what, more in (("press", {"button": "U1"}), ("again", {})):
        answer = act(maker, what, grid, htmx=False, shown=shown, on=str(image.pk), **more)
        assert (answer.status_code, answer["Location"]) == (302, address)
        assert "has changed" in words(maker.get(address).content.decode())
    assert Generation.objects.count() == 1
    elsewhere = act(maker, "again", grid, htmx=False, shown=shown, on="//evil.example/")
    assert elsewhere["Location"] == reverse("studio", args=[grid.team.slug])


def test_a_card_says_what_was_held_where_it_took_something_else(
    maker: Client, team: Team, member: User
) -> None:
    less = make_generation(member, team, count=2, status=Status.SUCCEEDED, cost=63)
    just = make_generation(member, team, status=Status.SUCCEEDED, cost=40)
    assert "63 credits (80 held)" in words(card(maker, less))
    assert "held" not in words(card(maker, just))
    image = make_asset(less)
    page = maker.get(reverse("image", args=[team.slug, image.pk])).content.decode()
    assert "63 credits; 80 were held" in words(page)


def test_the_menu_says_about_where_it_is_counted_by_use(maker: Client, team: Team) -> None:
    page = words(maker.get(reverse("studio", args=[team.slug])).content.decode())
    entry = CatalogueEntry.objects.get(wire_model="gpt-image-1")
    assert f"GPT Image 1 about {entry.usual_price} credits" in page
    assert "DALL·E 3 40 credits" in page
