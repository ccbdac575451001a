"""What an image page offers: exactly what some offered model can do with that image."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from generator.forms.prompt import PromptForm
from generator.models import CatalogueEntry, Generation, ImageAsset, Status, Team, User
from generator.offers import buttons_of, offers_for
from tests.make import make_asset, make_entry, make_generation, make_picture

pytestmark = pytest.mark.django_db
SIDES = ("left", "right", "up", "down")


def made(member: User, team: Team, size: tuple[int, int] = (640, 480), **facts: Any) -> ImageAsset:
    generation = make_generation(member, team, status=Status.SUCCEEDED, **facts)
    return make_asset(generation, data=make_picture(*size))


def offered() -> list[CatalogueEntry]:
    return list(CatalogueEntry.objects.pickable())


def only(*wire_models: str) -> None:
    """Offer these models alone."""
    make_entry()
    CatalogueEntry.objects.exclude(wire_model__in=wire_models).update(offered=False)


def test_nothing_is_offered_that_no_offered_model_can_do(team: Team, member: User) -> None:
    asset = made(member, team)
    only("dall-e-3")
    assert offers_for(asset, offered()) == []
    only("gpt-image-2")
    CatalogueEntry.objects.filter(wire_model="gpt-image-2").update(offered=True)
    assert [offer.action for offer in offers_for(asset, offered())] == ["edit"]


def test_the_price_is_that_of_the_model_it_opens(team: Team, member: User) -> None:
    asset = made(member, team)
    CatalogueEntry.objects.exclude(wire_model__startswith="gpt-image").update(offered=False)
    make_entry("gpt-image-1-mini", price_kind="image", credits_each=3)
    (edit,) = offers_for(asset, offered())
    assert (edit.models[0], edit.price) == ("GPT Image 2", 40)
    assert "GPT Image 1 mini" in edit.models
    CatalogueEntry.objects.filter(wire_model="gpt-image-2").update(offered=False)
    (edit,) = offers_for(asset, offered())
    assert (edit.models[0], edit.price) == ("GPT Image 1 mini", 3)


def test_every_way_to_pan_has_a_sign_of_its_own(team: Team, member: User) -> None:
    make_entry("midjourney")
    rows = [{**ROW, "label": f"Pan {side}", "action": "pan"} for side in SIDES]
    generation = make_generation(
        member, team, wire_model="midjourney", status=Status.SUCCEEDED, buttons=rows
    )
    assert len({offer.icon for offer in buttons_of(generation)}) == len(SIDES)


def test_an_image_that_a_model_would_refuse_is_not_offered_to_it(team: Team, member: User) -> None:
    wide, square = made(member, team, (640, 480)), made(member, team, (512, 512))
    only("dall-e-2")
    assert offers_for(wide, offered()) == []
    assert [offer.action for offer in offers_for(square, offered())] == ["edit"]


def test_every_offer_leads_to_a_form_that_takes_the_image(team: Team, member: User) -> None:
    asset = made(member, team)
    offers = offers_for(asset, offered())
    assert {offer.action for offer in offers} >= {
        "edit", "vary", "fill", "erase", "expand", "upscale", "enhance", "replace_background",
        "describe",
    }  # fmt: skip
    for offer in offers:
        said = {name: values[0] for name, values in parse_qs(offer.query).items()}
        given = {**said, "reference": [f"image:{said['image']}"]}
        form = PromptForm(initial=given, team=team, author=member)
        assert form.action == offer.action
        assert [one.asset for one in form.references] == [asset]


def test_a_model_that_remembers_goes_on_from_there(team: Team, member: User) -> None:
    asset = made(member, team, wire_model="gemini-3-pro-image", memory="teams/x/memory")
    edit = next(one for one in offers_for(asset, offered()) if one.action == "edit")
    said = parse_qs(edit.query)
    assert said["parent"] == [str(asset.generation_id)]
    assert "image" not in said


def test_a_drawing_is_offered_to_nobody(team: Team, member: User) -> None:
    asset = made(member, team)
    asset.format = "svg"
    assert offers_for(asset, offered()) == []


# ── The provider's own buttons ──


ROW = {"id": "MJ::1", "label": "U1", "action": "upscale", "asks": ""}


def grid(member: User, team: Team) -> Generation:
    region = {"id": "MJ::2", "label": "Vary (Region)", "action": "fill", "asks": "mask"}
    return make_generation(
        member, team, wire_model="midjourney", status=Status.SUCCEEDED, buttons=[ROW, region]
    )


def test_the_buttons_of_a_provider_stand_there_with_their_prices(team: Team, member: User) -> None:
    make_entry("midjourney", rates={"upscale": 7})
    upscale, region = buttons_of(grid(member, team))
    assert (upscale.label, upscale.price, upscale.is_pressed) == ("U1", 7, True)
    assert not region.is_pressed


def test_no_button_of_a_model_that_is_not_offered_any_more(team: Team, member: User) -> None:
    generation = grid(member, team)
    CatalogueEntry.objects.filter(wire_model="midjourney").update(offered=False)
    generation.refresh_from_db()
    assert list(buttons_of(generation)) == []
