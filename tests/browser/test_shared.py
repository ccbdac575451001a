"""A sharing link on a phone, as a client without an account meets it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from generator import pictures
from generator.models import ImageAsset, ShareLink, ShareNote, SharePick
from generator.sharing import replying, secrets
from tests.make import make_asset, make_generation, make_link, make_picture, make_user


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A phone in the dark."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, color_scheme="dark"
    )
    yield context.new_page()
    context.close()


def make_images(count: int) -> list[ImageAsset]:
    """So many stored images."""
    member = make_user("member")
    generation = make_generation(member)
    return [
        make_asset(generation, position, data=make_picture(320, 240)) for position in range(count)
    ]


def test_a_client_opens_a_link_on_a_phone_picks_and_writes(phone: Page, site: str) -> None:
    complaints: list[str] = []
    phone.on("console", lambda line: complaints.append(line.text))
    phone.on("pageerror", lambda error: complaints.append(str(error)))
    strange: list[str] = []
    phone.on("request", lambda one: None if one.url.startswith(site) else strange.append(one.url))
    images = make_images(3)
    link = make_link(
        images[0].author, images, title=f"Poster round two {'o' * 90}", password="open sesame",
        takes_replies=True, watermark="Northlight",
    )  # fmt: skip
    phone.goto(f"{site}/s/{secrets.secret_of(link)}/")
    phone.get_by_label("Password").fill("wrong")
    phone.get_by_role("button", name="Show the images").click()
    expect(phone.get_by_role("alert")).to_contain_text("not the password")
    phone.get_by_label("Password").fill("open sesame")
    phone.get_by_role("button", name="Show the images").click()
    expect(phone.get_by_role("heading", name="Poster round two")).to_be_visible()
    assert phone.evaluate("document.images[0].decode().then(() => document.images[0].naturalWidth)")
    assert phone.evaluate("document.documentElement.scrollWidth") == 390

    heart = phone.get_by_role("button", name="Pick: Image 2")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    phone.get_by_role("link", name="Larger: Image 2").click()
    expect(phone.get_by_role("button", name="Pick")).to_have_attribute("aria-pressed", "true")
    phone.keyboard.press("ArrowRight")
    phone.get_by_role("link", name="Image before").wait_for()
    expect(phone.get_by_role("link", name="Next image")).to_have_count(0)
    phone.keyboard.press("Escape")
    phone.get_by_label("Note", exact=True).fill("The second one.")
    phone.get_by_role("button", name="Send the note").click()
    expect(phone.get_by_text("Your note is kept")).to_be_visible()
    assert [pick.image for pick in SharePick.objects.filter(link=link)] == [images[1]]
    assert ShareNote.objects.get(link=link).text == "The second one."

    ShareLink.objects.filter(pk=link.pk).update(revoked_at=link.created_at)
    assert complaints == []
    phone.reload()
    expect(phone.get_by_role("heading", name="There is nothing here")).to_be_visible()
    assert strange == []


def test_a_pick_that_is_refused_is_said_on_the_page_and_sent_once(
    phone: Page, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_images(2)
    link = make_link(images[0].author, images, takes_replies=True)
    monkeypatch.setattr(replying, "MOST_PICKS", 0)
    sent: list[str] = []
    phone.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    phone.goto(f"{site}/s/{secrets.secret_of(link)}/")
    heart = phone.get_by_role("button", name="Pick: Image 2")
    heart.click()
    expect(phone.get_by_role("alert")).to_be_in_viewport()
    expect(phone.get_by_role("alert")).to_contain_text("takes no more picks")
    expect(heart).to_have_attribute("aria-pressed", "false")
    assert len(sent) == 1
    monkeypatch.setattr(replying, "MOST_PICKS", 1)
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    expect(phone.get_by_role("alert")).to_have_count(0)
    ShareLink.objects.update(takes_replies=False)
    heart.click()
    expect(phone.get_by_role("alert")).to_contain_text("no longer taken here")
    assert len(sent) == 3


def test_a_link_can_be_read_and_picked_from_without_script(browser: Browser, site: str) -> None:
    images = make_images(2)
    link = make_link(images[0].author, images, takes_replies=True)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/s/{secrets.secret_of(link)}/")
    page.get_by_role("button", name="Pick: Image 1").click()
    expect(page.get_by_role("button", name="Pick: Image 1")).to_have_attribute(
        "aria-pressed", "true"
    )
    with page.expect_download() as found:
        page.get_by_role("link", name="Download: Image 1").click()
    assert pictures.inspect(found.value.path().read_bytes()).width == 320
    with page.expect_download() as found:
        page.get_by_role("link", name="Download all").click()
    assert found.value.suggested_filename == "images.zip"
    context.close()
