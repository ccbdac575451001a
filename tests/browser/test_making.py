"""Making images, as somebody at a browser does it: the whole way, and nothing of it pretended."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from generator.models import Generation, ImageAsset, Status, Team, User
from tests.browser.conftest import DELAY, Studio, fill_sign_in
from tests.make import add_member, make_user
from tests.services.servers import until

REAL_HASHER = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]


Open = Callable[..., Page]


@pytest.fixture
def open_studio(studio: Studio, nora: User, page: Page) -> Open:
    """Open the studio as nora, with a model picked; a small and quick one where none is said."""

    def opened(model: str = "dall-e-2", *, on: Page = page) -> Page:
        studio.sign_in(on.context, nora)
        on.goto(f"{studio.address}/t/northlight/?model={model}")
        return on

    return opened


def write(page: Page, prompt: str) -> None:
    """Write the prompt."""
    page.get_by_label("Prompt", exact=True).fill(prompt)


def make_button(page: Page) -> Locator:
    """The button that sends, whatever it says it costs."""
    return page.get_by_role("button", name="Make")


def cards(page: Page) -> Locator:
    """The cards of the feed, newest first."""
    return page.locator("#feed-cards .card")


def expect_image(card: Locator) -> Locator:
    """Wait for the image on a card, and hold it to be one that the browser could decode."""
    image = card.get_by_role("img")
    expect(image).to_be_visible()
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.naturalWidth") > 0
    return image


def test_a_prompt_becomes_an_image_before_one_s_eyes_and_is_kept(
    studio: Studio, page: Page, said: list[str], team: Team, settings: Any
) -> None:
    settings.PASSWORD_HASHERS = REAL_HASHER  # as the web server has it
    add_member(team, nora := make_user("nora"))
    fill_sign_in(page, studio.address, nora)
    page.goto(f"{studio.address}/t/northlight/")
    page.evaluate("window.isTheSamePage = true")

    write(page, "A copper teapot on a slate table")
    page.get_by_role("button", name="change the model").click()
    page.get_by_label("Find a model").fill("image 2")
    page.get_by_role("link", name="GPT Image 2 40").click()
    expect(page.locator("#model")).to_have_value("gpt-image-2")
    make_button(page).click()
    card = cards(page)
    expect(card).to_be_visible(timeout=1000 * DELAY)
    assert not ImageAsset.objects.exists()
    expect(card.get_by_text("Working")).to_be_visible()
    expect(card).to_contain_text("A copper teapot on a slate table")

    expect_image(card)
    expect(card).to_contain_text("40 credits")
    expect(page.locator("#left-top")).to_contain_text("9,960 left")
    assert page.evaluate("window.isTheSamePage")
    until(lambda: ImageAsset.objects.get().thumbnails_at, what="the thumbnails")

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Library").first.click()
    tile = page.get_by_role("link").filter(has=page.get_by_role("img", name="A copper teapot"))
    small = expect_image(tile)
    assert (
        page.request.get(studio.address + (small.get_attribute("src") or "")).headers[
            "content-type"
        ]
        == "image/webp"
    )
    tile.click()
    expect(page.locator(".label-panel .prompt")).to_have_text("A copper teapot on a slate table")
    expect_image(page.locator(".stage"))
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download PNG").click()
    data = coming.value.path().read_bytes()
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("PNG", (1024, 1024))
        assert "A copper teapot on a slate table" in image.info["xmp"].decode()
    assert said == []


def test_ctrl_and_enter_send_and_the_prompt_stays_for_the_next(
    page: Page, open_studio: Open
) -> None:
    open_studio()
    write(page, "a pebble")
    page.keyboard.press("Control+Enter")
    expect_image(cards(page))
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a pebble")
    page.keyboard.press("Control+Enter")  # the answer brought a fresh batch id along
    expect(cards(page)).to_have_count(2)


def test_cost_and_what_is_left_follow_the_count(page: Page, open_studio: Open) -> None:
    open_studio("gpt-image-2")
    page.get_by_role("slider", name="Images").fill("3")
    expect(make_button(page)).to_contain_text("Make 3 images · 120 credits")
    bill = page.locator(".settings__foot")
    expect(bill).to_contain_text("3 images at 40")
    expect(bill).to_contain_text("120 credits")
    expect(bill).to_contain_text("9,880")
    page.get_by_role("slider", name="Images").press("ArrowLeft")
    expect(make_button(page)).to_contain_text("Make 2 images · 80 credits")


def test_another_model_brings_its_own_fields_and_keeps_the_prompt(
    page: Page, open_studio: Open
) -> None:
    open_studio("gpt-image-2")
    write(page, "a lighthouse")
    panel = page.get_by_role("complementary", name="Settings")
    expect(panel.get_by_role("group", name="Background")).to_be_visible()
    expect(panel.get_by_role("group", name="Style")).to_have_count(0)
    page.get_by_role("button", name="change the model").click()
    page.get_by_role("link", name="DALL·E 3").click()
    expect(panel.get_by_role("group", name="Style")).to_be_visible()
    expect(panel.get_by_role("group", name="Background")).to_have_count(0)
    expect(panel.get_by_role("slider", name="Images")).to_have_count(0)
    expect(page.locator("#model")).to_have_value("dall-e-3")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a lighthouse")
    expect(page.get_by_role("group", name="Models")).to_be_hidden()


def test_compression_is_asked_only_where_the_file_is_compressed(
    page: Page, open_studio: Open
) -> None:
    open_studio("gpt-image-2")
    compression = page.get_by_role("slider", name="Compression")
    expect(compression).to_be_hidden()
    page.get_by_text("JPEG", exact=True).click()
    expect(compression).to_be_visible()
    page.get_by_text("PNG", exact=True).click()
    expect(compression).to_be_hidden()


def test_a_refused_prompt_ends_in_words_and_costs_nothing(
    page: Page, open_studio: Open, nora: User
) -> None:
    open_studio()
    write(page, "a fight [refuse]")
    make_button(page).click()
    card = cards(page)
    expect(card).to_contain_text("Failed: The provider's safety rules refused this prompt.")
    expect(card.locator("time[data-clock]")).to_have_text(re.compile(r"^\d\d:\d\d$"))
    expect(card).to_contain_text("It cost nothing.")
    page.reload()
    expect(page.locator("#left-top")).to_contain_text("10,000 left")
    assert [entry.credits for entry in nora.accounts.get().entries.order_by("pk")] == [-20, 20]


def test_a_prompt_left_empty_is_told_beside_it(page: Page, open_studio: Open) -> None:
    open_studio()
    make_button(page).click()
    expect(page.get_by_role("alert")).to_contain_text("Write what the image should show.")
    expect(page.get_by_label("Prompt", exact=True)).to_have_attribute("aria-invalid", "true")
    assert not Generation.objects.exists()


def test_a_double_click_makes_one_card(page: Page, open_studio: Open, studio: Studio) -> None:
    open_studio()
    write(page, "one pebble, pressed twice")
    make_button(page).dblclick()
    expect_image(cards(page))
    page.reload()
    expect(cards(page)).to_have_count(1)
    assert Generation.objects.count() == 1
    prompts = [(request.json or {}).get("prompt") for request in studio.log.requests]
    assert prompts.count("one pebble, pressed twice") == 1


def test_a_teammate_s_page_shows_what_another_begins_and_how_it_ends(
    studio: Studio, page: Page, open_studio: Open, team: Team, browser: Browser
) -> None:
    add_member(team, mate := make_user("mate", first_name="Mika"))
    context = browser.new_context()
    studio.sign_in(context, mate)
    watching = context.new_page()
    with watching.expect_response("**/live"):
        watching.goto(f"{studio.address}/t/northlight/")
    open_studio()
    write(page, "seen by two")
    make_button(page).click()
    expect(cards(watching)).to_contain_text("seen by two")
    expect(cards(watching)).to_contain_text("by nora")
    expect_image(cards(watching))
    context.close()


def test_one_who_reaches_for_no_mouse_makes_an_image(page: Page, open_studio: Open) -> None:
    open_studio("gpt-image-1-mini")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    press_until(page, "Tab", page.get_by_label("Prompt", exact=True))
    page.keyboard.type("by keys alone")
    press_until(page, "Tab", page.get_by_role("button", name="change the model"), most=1)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Find a model")).to_be_focused()
    page.keyboard.type("dall·e 2")
    press_until(page, "Tab", page.get_by_role("link", name="DALL·E 2"), most=2)
    page.keyboard.press("Enter")
    expect(page.locator("#model")).to_have_value("dall-e-2")
    expect(page.get_by_role("button", name="change the model")).to_be_focused()
    press_until(page, "Tab", make_button(page), most=3)
    page.keyboard.press("Enter")
    expect_image(cards(page))


def press_until(page: Page, key: str, there: Locator, *, most: int = 4) -> None:
    """Press a key until something has the focus, at most so often."""
    for _ in range(most):
        page.keyboard.press(key)
        if there.evaluate("element => element === document.activeElement"):
            return
    expect(there).to_be_focused(timeout=1)


def test_without_scripts_an_image_is_made_and_found(
    studio: Studio, open_studio: Open, browser: Browser
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = open_studio(on=context.new_page())
    write(page, "made by a plain form")
    page.get_by_role("spinbutton", name="Images").fill("2")
    make_button(page).click()
    expect(cards(page)).to_contain_text("made by a plain form")
    until(lambda: Generation.objects.get().status == Status.SUCCEEDED, what="the image")
    assert Generation.objects.get().count == 2
    page.reload()
    expect(cards(page).get_by_role("img")).to_have_count(2)
    page.goto(f"{studio.address}/t/northlight/library/")
    expect(page.get_by_role("img", name="made by a plain form")).to_have_count(2)
    context.close()


def test_a_prompt_outlives_a_sign_in_that_has_expired(
    open_studio: Open, studio: Studio, nora: User
) -> None:
    page = open_studio()
    write(page, "a lighthouse at dusk")
    page.context.clear_cookies(name="sessionid")
    make_button(page).click()
    expect(page).to_have_url(re.compile("/accounts/login/"))
    studio.sign_in(page.context, nora)
    page.goto(f"{studio.address}/t/northlight/?model=dall-e-2")
    prompt = page.get_by_label("Prompt", exact=True)
    expect(prompt).to_have_value("a lighthouse at dusk")
    make_button(page).click()
    expect(cards(page)).to_have_count(1)
    page.reload()
    expect(prompt).to_have_value("")
