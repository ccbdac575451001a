"""What it costs, as somebody sees it who changes the form: told anew at every change."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, Request, Route, expect

from generator.models import Generation, Role, Team, User
from tests.browser.conftest import Studio
from tests.make import make_entry, make_picture

Open = Callable[[str], Page]


@pytest.fixture
def open_studio(studio: Studio, team: Team, nora: User, page: Page) -> Open:
    """Open the studio as nora with this model picked."""

    def opened(model: str) -> Page:
        studio.sign_in(page.context, nora)
        page.goto(f"{studio.address}/t/northlight/?model={model}")
        return page

    return opened


def test_the_price_follows_every_change_and_the_prompt_stays_here(
    studio: Studio, open_studio: Open, said: list[str]
) -> None:
    make_entry("dall-e-3")
    page = open_studio("dall-e-3")
    asked: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/price"):
            asked.append(request.post_data or "")

    page.on("request", note)
    send, bill = page.locator("#send-words"), page.locator(".settings__foot")
    page.get_by_label("Prompt", exact=True).fill("nobody else's business")
    expect(send).to_have_text("Make 1 image · 40 credits")
    page.get_by_text("HD", exact=True).click()
    expect(send).to_have_text("Make 1 image · 80 credits")
    expect(bill).to_contain_text("9,920")
    page.get_by_text("Wide", exact=True).click()
    expect(send).to_have_text("Make 1 image · 120 credits")
    assert len(asked) == 2
    assert "business" not in " ".join(asked)

    page.get_by_role("button", name="change the model").click()
    page.get_by_role("checkbox", name="Compare with DALL·E 2").check()
    expect(send).to_have_text("Make 2 images with 2 models · 140 credits")
    chip = page.get_by_role("list", name="Compared with").get_by_role("listitem")
    expect(chip).to_contain_text("20")
    page.keyboard.press("Escape")
    chip.get_by_role("button").click()
    expect(send).to_have_text("Make 1 image · 120 credits")
    expect(page.get_by_role("status").filter(has_text="Make 1 image")).to_have_text(
        "Make 1 image · 120 credits"
    )
    assert not Generation.objects.exists()
    assert said == []


def test_the_price_follows_count_and_images_and_what_has_the_focus_keeps_it(
    open_studio: Open,
) -> None:
    make_entry("gpt-image-1")
    page = open_studio("gpt-image-1")
    send = page.locator("#send-words")
    one = send.inner_text()
    slider = page.get_by_role("slider", name="Images")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(send).to_contain_text("Make 2 images")
    expect(slider).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(send).to_have_text(one)
    files = [
        FilePayload(name=f"{n}.png", mimeType="image/png", buffer=make_picture(80 + n, 80))
        for n in range(4)
    ]
    page.locator("#upload [name=files]").set_input_files(files)
    expect(page.locator(".reference")).to_have_count(4)
    expect(send).to_contain_text("Edit")
    assert _credits(send.inner_text()) > _credits(one)


def test_the_price_follows_how_much_is_written_once_who_types_rests(
    open_studio: Open, said: list[str]
) -> None:
    make_entry("gpt-image-1")
    page = open_studio("gpt-image-1")
    asked: list[str] = []
    page.on(
        "request",
        lambda one: asked.append(one.post_data or "") if one.url.endswith("/price") else None,
    )
    send, prompt = page.locator("#send-words"), page.get_by_label("Prompt", exact=True)
    usual = send.inner_text()
    prompt.fill("字" * 9000)
    prompt.press_sequentially("business")
    expect(send).not_to_have_text(usual)
    dear = _credits(send.inner_text())
    assert dear > _credits(usual) + 30
    assert len(asked) == 1
    assert "prompt_bytes=27008" in asked[0]
    assert "business" not in asked[0]
    # Another model, and back: what is written is still told of.
    for model in ("DALL·E 2", "GPT Image 1"):
        page.get_by_role("button", name="change the model").click()
        page.get_by_role("link", name=re.compile(f"^{model} ")).first.click()
        expect(page.locator("#model-button")).to_contain_text(model)
    expect(send).to_contain_text(f"{dear:,} credits")
    page.reload()
    expect(send).to_contain_text(f"{dear:,} credits")
    page.get_by_role("button", name="Make").click()
    expect(page.locator("#feed-cards .card")).to_contain_text("business")
    assert Generation.objects.get().price == dear
    assert said == []


def _credits(words: str) -> int:
    (found,) = re.findall(r"([\d,]+) credits", words)
    return int(found.replace(",", ""))


def test_who_sends_at_once_waits_for_no_price_and_pays_the_true_one(open_studio: Open) -> None:
    page = open_studio("dall-e-2")
    page.route("**/price", lambda route: None)  # the answer never comes
    page.get_by_label("Prompt", exact=True).fill("four pebbles")
    page.get_by_role("slider", name="Images").fill("4")
    page.get_by_role("button", name="Make").click()
    expect(page.locator("#feed-cards .card")).to_contain_text("four pebbles")
    assert Generation.objects.get().price == 80


def test_a_price_that_changed_is_shown_and_asked_about(open_studio: Open) -> None:
    page = open_studio("dall-e-2")
    page.get_by_label("Prompt", exact=True).fill("a pebble")
    make_entry("dall-e-2", credits_each=35)
    button = page.get_by_role("button", name="Make")
    button.click()
    alert = page.get_by_role("alert").filter(has_text="has changed")
    expect(alert).to_contain_text("1 image is 35 credits now, it was 20 when this page was shown.")
    expect(button).to_contain_text("35 credits")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a pebble")
    assert not Generation.objects.exists()
    button.click()
    card = page.locator("#feed-cards .card")
    expect(card).to_contain_text("a pebble")
    expect(page.locator("#left-after")).to_contain_text("9,930")  # and what comes next is counted
    again = card.get_by_role("button", name="Again")
    expect(again).to_contain_text("35")
    make_entry("dall-e-2", credits_each=45)
    again.click()
    expect(page.locator("#notices")).to_contain_text("1 image is 45 credits now, it was 35")
    expect(again).to_contain_text("45")
    again.click()
    expect(page.locator("#feed-cards .card")).to_have_count(2)


def test_that_the_price_changed_is_said_of_the_form_as_it_stood_and_no_longer(
    open_studio: Open,
) -> None:
    page = open_studio("dall-e-2")
    page.get_by_label("Prompt", exact=True).fill("a pebble")
    make_entry("dall-e-2", credits_each=35)
    page.get_by_role("button", name="Make").click()
    alert = page.get_by_text("1 image is 35 credits now")
    expect(alert).to_be_visible()
    page.get_by_role("slider", name="Images").fill("3")
    expect(alert).to_have_count(0)
    expect(page.locator("#send-words")).to_have_text("Make 3 images · 105 credits")


def test_a_price_that_does_not_come_leaves_the_last_one_and_says_that_it_is_old(
    open_studio: Open,
) -> None:
    page = open_studio("dall-e-2")

    def refuse(route: Route) -> Any:
        route.abort()

    page.route("**/price", refuse)
    page.get_by_role("slider", name="Images").fill("4")
    note = page.get_by_text(re.compile(r"The price is that of \d\d:\d\d"))
    expect(note).to_be_visible()
    expect(page.locator("#send-words")).to_have_text("Make 1 image · 20 credits")
    expect(page.locator("#notices")).to_be_empty()
    page.unroute("**/price", refuse)
    page.get_by_role("slider", name="Images").fill("3")
    expect(page.locator("#send-words")).to_have_text("Make 3 images · 60 credits")
    expect(note).to_have_count(0)


def test_who_became_a_viewer_meanwhile_reads_why_they_make_nothing_and_nothing_beside_it(
    open_studio: Open, team: Team, nora: User, said: list[str]
) -> None:
    page = open_studio("dall-e-2")
    team.memberships.filter(user=nora).update(role=Role.VIEWER)
    with page.expect_response("**/price"):
        page.get_by_role("slider", name="Images").fill("2")
    page.get_by_label("Prompt", exact=True).fill("a lantern")
    with page.expect_response("**/generations/"):
        page.locator("#send").click()
    expect(page.get_by_role("alert").get_by_text("but not make new ones")).to_be_visible()
    expect(page.locator("#price-note")).to_be_empty()
    expect(page.locator("#notices")).to_be_empty()
    assert said == []
