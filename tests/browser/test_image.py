"""An image looked at closely, its neighbours, and images side by side, as somebody does it."""

import re

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from generator import pictures
from generator.models import Favourite, ImageAsset, Status, Tag, Team, User, image_storage
from tests.browser.conftest import Studio
from tests.make import make_asset, make_generation, make_picture

WIDTH, HEIGHT = 2000, 1400


@pytest.fixture
def images(nora: User, team: Team) -> list[ImageAsset]:
    """Three of nora's, the newest first: a heron, a stork, a heron."""
    made = []
    for prompt in ("a heron at dawn", "a stork", "a heron at noon"):
        generation = make_generation(nora, team, prompt=prompt, status=Status.SUCCEEDED, cost=40)
        made.append(make_asset(generation, data=make_picture(WIDTH, HEIGHT)))
    return made[::-1]


def show(studio: Studio, page: Page, nora: User, path: str) -> None:
    studio.sign_in(page.context, nora)
    page.goto(f"{studio.address}/t/northlight/{path}")


def have_thumbnail(image: ImageAsset) -> None:
    """As the worker for pictures would have made it."""
    with image.file.open() as file:
        small = pictures.thumbnail(file.read(), edge=pictures.THUMBNAIL_EDGES["large"])
    image_storage().save(image.thumbnail_key("large"), ContentFile(small))
    ImageAsset.objects.filter(pk=image.pk).update(thumbnails_at=timezone.now())


def percent(page: Page) -> int:
    return int(page.locator("[data-zoom-words]").inner_text().split()[0])


def scale(page: Page, number: int = 0) -> str:
    picture = page.locator(".stage__picture img, .pane__frame img").nth(number)
    return str(picture.evaluate("img => img.style.transform"))


def test_a_picture_is_zoomed_and_moved_by_keys_buttons_wheel_and_mouse(
    studio: Studio, page: Page, nora: User, images: list[ImageAsset], said: list[str]
) -> None:
    have_thumbnail(images[1])
    show(studio, page, nora, f"images/{images[1].pk}/")
    expect(page.locator(".stage__picture img")).to_have_attribute("src", re.compile("large$"))
    words = page.locator("[data-zoom-words]")
    expect(words).not_to_have_text("100 %")
    fitted = percent(page)
    assert fitted < 50
    page.keyboard.press("+")
    assert abs(percent(page) - fitted * 1.25) <= 1
    page.get_by_role("button", name="Fit to window").click()
    expect(words).to_have_text(f"{fitted} %")
    page.get_by_role("button", name="Show at 100 %").click()
    expect(words).to_have_text("100 %")
    expect(page.locator(".stage__picture img")).to_have_attribute("src", re.compile("original$"))
    before = scale(page)
    page.keyboard.press("ArrowRight")  # moves what is zoomed, and turns no page
    assert scale(page) != before
    middle = page.locator(".stage__picture").bounding_box()
    assert middle
    x, y = middle["x"] + middle["width"] / 2, middle["y"] + middle["height"] / 2
    before = scale(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y + 40, steps=3)
    page.mouse.up()
    assert scale(page) != before
    page.mouse.dblclick(x, y)
    expect(words).to_have_text(f"{fitted} %")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    expect(words).not_to_have_text(f"{fitted} %")
    page.keyboard.press("0")
    expect(words).to_have_text(f"{fitted} %")
    assert said == []


def test_arrows_turn_to_the_neighbours_within_what_was_looked_for(
    studio: Studio, page: Page, nora: User, images: list[ImageAsset]
) -> None:
    show(studio, page, nora, f"images/{images[0].pk}/?q=heron")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(f"{images[2].pk}/\\?q=heron$"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile(f"{images[0].pk}/\\?q=heron$"))
    page.get_by_role("button", name="Tag", exact=True).click()
    page.get_by_label("Tag", exact=True).press("ArrowRight")  # a field keeps its arrows
    expect(page).to_have_url(re.compile(str(images[0].pk)))


def test_an_image_is_liked_tagged_and_thrown_away_from_its_page(
    studio: Studio, page: Page, nora: User, images: list[ImageAsset], said: list[str]
) -> None:
    show(studio, page, nora, f"images/{images[0].pk}/")
    heart = page.get_by_role("button", name="Favourite")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")
    expect(heart).to_be_focused()
    assert Favourite.objects.filter(user=nora).count() == 1
    page.get_by_role("button", name="Tag", exact=True).click()
    for word in ("wading", "grey"):
        page.get_by_label("Tag", exact=True).fill(word)
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name=f"Take the tag {word} off")).to_be_visible()
        expect(page.get_by_label("Tag", exact=True)).to_be_focused()
    page.get_by_role("button", name="Take the tag grey off").click()
    expect(page.locator("#kept-in .badge")).to_have_text(["wading"])
    assert list(Tag.objects.values_list("name", flat=True)) == ["wading"]
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Trash").click()
    expect(page).to_have_url(re.compile(f"images/{images[1].pk}/"))
    assert ImageAsset.objects.trashed().count() == 1
    page.get_by_role("button", name="Undo").click()
    expect(page).to_have_url(re.compile(f"images/{images[0].pk}/"))
    assert not ImageAsset.objects.trashed().exists()
    assert said == []


def test_images_beside_each_other_are_zoomed_together(
    studio: Studio, page: Page, nora: User, images: list[ImageAsset], said: list[str]
) -> None:
    asked = "&".join(f"image={image.pk}" for image in images)
    show(studio, page, nora, f"compare/?{asked}")
    page.keyboard.press("+")
    assert scale(page) != ""
    assert scale(page, 0) == scale(page, 1) == scale(page, 2)
    expect(page.get_by_role("row", name=re.compile("^Prompt differs"))).to_be_visible()
    page.get_by_role("link", name="Take C away").click()
    expect(page.get_by_role("heading", name="Compare 2 images")).to_be_visible()
    assert said == []


def test_two_to_four_chosen_in_the_library_can_be_compared(
    studio: Studio, page: Page, nora: User, images: list[ImageAsset]
) -> None:
    show(studio, page, nora, "library/")
    boxes = page.locator(".tile input[name=image]")
    compare = page.get_by_role("button", name="Compare")
    boxes.nth(0).check(force=True)
    expect(compare).to_be_hidden()
    boxes.nth(2).check(force=True)
    compare.click()
    expect(page.get_by_role("heading", name="Compare 2 images")).to_be_visible()


def test_on_a_phone_a_finger_turns_the_page_and_nothing_is_too_wide(
    studio: Studio, browser: Browser, nora: User, images: list[ImageAsset]
) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    phone = context.new_page()
    asked = "&".join(f"image={image.pk}" for image in images)
    show(studio, phone, nora, f"compare/?{asked}")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    show(studio, phone, nora, f"images/{images[0].pk}/")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    stage = phone.locator(".stage__picture").bounding_box()
    assert stage
    client = context.new_cdp_session(phone)
    x, y = stage["x"] + stage["width"] * 0.8, stage["y"] + stage["height"] / 2
    for kind, at in (("touchStart", x), ("touchMove", x - 60), ("touchMove", x - 160)):
        points = [{"x": at, "y": y}]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(phone).to_have_url(re.compile(str(images[1].pk)))
    context.close()
