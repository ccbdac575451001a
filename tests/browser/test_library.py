"""The library by hand: choosing by mouse, keyboard and finger, filters, the trash and back."""

import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, Route, expect

from generator.models import Favourite, ImageAsset, Status, Team, User
from tests.browser.conftest import Studio
from tests.make import add_member, make_asset, make_generation, make_picture, make_user

Opened = Callable[..., Page]

# As before Safari 18.3: the click does not say that it comes of a finger.
SAFARI_TAP = """link => {
    const of = { bubbles: true, cancelable: true };
    link.dispatchEvent(new PointerEvent("pointerdown", { ...of, pointerType: "touch" }));
    link.dispatchEvent(new PointerEvent("pointerup", { ...of, pointerType: "touch" }));
    link.dispatchEvent(new MouseEvent("click", { ...of, detail: 1 }));
}"""


@pytest.fixture
def images(team: Team, nora: User) -> list[ImageAsset]:
    """Six of nora's, the newest first; the newest shows a heron."""
    prompts = ["a teapot"] * 5 + ["a heron"]
    made = [
        make_asset(
            make_generation(nora, team, prompt=prompt, status=Status.SUCCEEDED, cost=40),
            data=make_picture(120, 90),
        )
        for prompt in prompts
    ]
    return made[::-1]


@pytest.fixture
def library(studio: Studio, nora: User, page: Page) -> Opened:
    """Open the library as nora."""

    def opened(query: str = "", *, on: Page = page) -> Page:
        studio.sign_in(on.context, nora)
        on.goto(f"{studio.address}/t/northlight/library/{query}")
        expect(tiles(on).first).to_be_visible()
        return on

    return opened


def tiles(page: Page) -> Locator:
    """The images that are seen on the wall."""
    return page.locator(".tile:visible")


def ticked(page: Page) -> list[int]:
    """Which of them are chosen, counted from the first."""
    return [at for at in range(tiles(page).count()) if circle(page, at).is_checked()]


def circle(page: Page, at: int) -> Locator:
    """The circle in the corner of one of them."""
    return tiles(page).nth(at).get_by_role("checkbox")


def bar(page: Page) -> Locator:
    """The bar over what is chosen."""
    return page.get_by_role("toolbar", name="What to do with the chosen images")


def test_images_are_chosen_by_shift_and_by_keyboard(
    library: Opened, images: list[ImageAsset], said: list[str]
) -> None:
    page = library()
    expect(bar(page)).to_be_hidden()
    circle(page, 1).check()
    circle(page, 3).click(modifiers=["Shift"])
    assert ticked(page) == [1, 2, 3]
    expect(bar(page)).to_contain_text("3 chosen")
    page.keyboard.press("Escape")
    assert ticked(page) == []
    expect(bar(page)).to_be_hidden()

    tiles(page).nth(0).get_by_role("link").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert ticked(page) == [1, 2, 3]
    page.keyboard.press("Control+a")
    assert ticked(page) == list(range(6))
    assert said == []


def test_a_filter_answers_in_place_and_is_taken_off_again(
    library: Opened, images: list[ImageAsset], said: list[str]
) -> None:
    page = library()
    page.keyboard.press("/")
    page.keyboard.type("heron")
    expect(tiles(page)).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/library/\?q=heron$"))
    page.get_by_label("Search in prompts").fill("")
    expect(tiles(page)).to_have_count(6)
    page.get_by_role("button", name="Shape").click()
    page.get_by_label("Tall").check()
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Take off: shape").click()
    expect(tiles(page)).to_have_count(6)
    page.go_back()
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    assert said == []


def test_what_was_found_stays_under_the_mouse_and_is_asked_for_once(
    library: Opened, images: list[ImageAsset], page: Page, said: list[str]
) -> None:
    page.clock.install()
    library()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "q=" in request.url else None)
    page.keyboard.press("/")
    page.keyboard.type("hero")
    page.keyboard.press("Enter")
    expect(tiles(page)).to_have_count(1)
    page.clock.run_for(600)  # the pause after which what was typed is asked for
    page.keyboard.type("n")
    expect(page).to_have_url(re.compile(r"q=heron$"))
    tiles(page).get_by_role("link").first.hover(position={"x": 60, "y": 80})
    page.mouse.down()
    page.evaluate("fetch('.?q=').then((answer) => answer.text())")  # as long as an answer takes
    page.mouse.up()
    page.wait_for_url("**/images/**")
    assert len([url for url in asked if "/library/?q=hero" in url]) == 2
    assert said == []


def test_an_open_sheet_stays_under_the_mouse_while_what_is_on_takes_another_row(
    library: Opened, images: list[ImageAsset], said: list[str]
) -> None:
    page = library()
    page.set_viewport_size({"width": 1200, "height": 800})
    button, sheet = page.get_by_role("button", name="Kind"), page.locator("#sheet-kind")
    button.click()
    stood, began = sheet.bounding_box(), button.bounding_box()
    for choice in sheet.get_by_role("checkbox").all()[:2]:
        choice.check()
        expect(page.locator(".filter__said")).to_be_visible()
    expect(page.locator(".filter__said")).to_contain_text(",")
    assert button.bounding_box() != began
    assert sheet.bounding_box() == stood
    assert said == []


def test_a_sheet_at_the_edge_of_the_window_stands_at_its_button(
    library: Opened, images: list[ImageAsset], said: list[str]
) -> None:
    page = library()
    page.set_viewport_size({"width": 1440, "height": 800})
    button, sheet = page.get_by_role("button", name="Tag", exact=True), page.locator("#sheet-tag")
    button.click()
    expect(sheet).to_have_attribute("data-stays", "")
    there, here = button.bounding_box(), sheet.bounding_box()
    assert there
    assert here
    assert abs(here["x"] + here["width"] - there["x"] - there["width"]) < 2
    assert said == []


def test_on_a_phone_a_sheet_of_choices_is_closed_by_its_button(
    library: Opened, images: list[ImageAsset], said: list[str]
) -> None:
    page = library()
    page.set_viewport_size({"width": 390, "height": 844})
    for name in ("Model", "Date"):
        page.get_by_role("button", name=name, exact=True).click()
        done = page.get_by_role("button", name="Done")
        expect(done).to_be_in_viewport(ratio=1)
        done.click()
        expect(page.locator(".sheet:popover-open")).to_have_count(0)
    assert said == []


def test_what_goes_into_the_trash_comes_back(
    library: Opened, images: list[ImageAsset], studio: Studio, said: list[str]
) -> None:
    page = library()
    for at in (0, 2):
        circle(page, at).check()
    bar(page).get_by_role("button", name="Move to trash").click()
    expect(page.get_by_text("2 images moved to the trash.")).to_be_visible()
    expect(tiles(page)).to_have_count(4)
    expect(page.get_by_text("4 images", exact=True)).to_be_visible()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("2 images restored.")).to_be_visible()
    expect(tiles(page)).to_have_count(6)
    expect(page.get_by_text("6 images", exact=True)).to_be_visible()

    circle(page, 1).check()
    bar(page).get_by_role("button", name="Move to trash").click()
    expect(tiles(page)).to_have_count(5)
    expect(page.get_by_text("1 image moved to the trash.")).to_be_visible()
    page.get_by_role("link", name="Trash").click()  # what is told covers no button
    expect(tiles(page)).to_have_count(1)
    expect(tiles(page)).to_contain_text("30 days left")
    expect(tiles(page).locator(".tile__select")).to_have_css("opacity", "1")
    tiles(page).get_by_role("img").click()
    assert ticked(page) == [0]
    bar(page).get_by_role("button", name="Restore").click()
    expect(page.get_by_text("1 image restored.")).to_be_visible()
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    assert ImageAsset.objects.kept().count() == 6
    assert said == []


def test_a_library_that_is_emptied_says_so_and_fills_again(
    library: Opened, images: list[ImageAsset], said: list[str]
) -> None:
    page = library()
    steps = page.evaluate("history.length")
    page.keyboard.press("Control+a")
    bar(page).get_by_role("button", name="Move to trash").click()
    expect(page.get_by_role("heading", name="No images yet")).to_be_visible()
    page.get_by_role("button", name="Restore").click()
    expect(tiles(page)).to_have_count(6)
    assert page.evaluate("history.length") == steps  # the same page, not one more to go back over
    assert said == []


def test_images_are_gathered_tagged_and_liked(
    library: Opened, images: list[ImageAsset], team: Team, said: list[str]
) -> None:
    page = library()
    circle(page, 0).check()
    circle(page, 1).check()
    bar(page).get_by_role("button", name="Add to collection").click()
    page.get_by_label("Name of a new one").fill("Spring")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 images added to “Spring”.")).to_be_visible()
    bar(page).get_by_role("button", name="Tag", exact=True).click()
    page.get_by_role("combobox", name="Tag").fill("birds")
    page.get_by_role("button", name="Put on").click()
    expect(page.get_by_text("2 images tagged “birds”.")).to_be_visible()
    for name, made in (("Collection", "Spring"), ("Tag", "birds")):
        page.get_by_role("search").get_by_role("button", name=name).click()
        expect(page.get_by_role("radio", name=made)).to_be_visible()
        page.keyboard.press("Escape")
    tiles(page).nth(2).hover()
    heart = tiles(page).nth(2).get_by_role("button", name="Favourite")
    heart.click()
    expect(heart).to_have_attribute("aria-pressed", "true")

    library(f"?collection={team.collections.get().pk}&tag={team.tags.get().pk}")
    expect(page.get_by_role("heading", name="Spring")).to_be_visible()
    expect(tiles(page)).to_have_count(2)
    circle(page, 0).check()
    bar(page).get_by_role("button", name="Take out of this collection").click()
    expect(tiles(page)).to_have_count(1)
    library("?favourites=1")
    expect(tiles(page)).to_have_count(1)
    assert said == []


def test_what_is_refused_is_said_in_its_sheet_and_what_others_moved_goes(
    library: Opened, images: list[ImageAsset], team: Team, said: list[str]
) -> None:
    page = library()
    page.set_viewport_size({"width": 390, "height": 844})
    for at in (0, 1):
        circle(page, at).check()
    ImageAsset.objects.filter(pk=images[0].pk).update(trashed_at=timezone.now())
    bar(page).get_by_role("button", name="Tag", exact=True).click()
    page.get_by_role("button", name="Put on").click()
    sheet = page.get_by_role("group", name="Tag", exact=True)
    expect(sheet.get_by_role("alert")).to_have_text("A tag needs a name.")
    expect(page.locator("#notices .notice")).to_have_count(0)
    expect(page.get_by_role("combobox", name="Tag")).to_be_focused()
    page.keyboard.type("late")
    expect(sheet.get_by_role("alert")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.locator("#notices p")).to_contain_text("1 is in the trash by now.")
    expect(tiles(page)).to_have_count(5)
    assert ticked(page) == [0]
    assert said == []


def test_what_others_made_is_not_offered_to_be_thrown_away(
    library: Opened, images: list[ImageAsset], team: Team, said: list[str]
) -> None:
    omar = make_user("omar")
    add_member(team, omar)
    make_asset(make_generation(omar, team, status=Status.SUCCEEDED), data=make_picture(120, 90))
    page = library()
    circle(page, 0).check()
    expect(bar(page).get_by_role("button", name="Tag")).to_be_visible()
    expect(bar(page).get_by_role("button", name="trash")).to_be_hidden()
    circle(page, 1).check()
    bar(page).get_by_role("button", name="Move 1 of 2 to trash").click()
    expect(tiles(page)).to_have_count(6)
    assert ticked(page) == [0]
    assert said == []


def test_favourites_that_are_chosen_can_be_favourites_no_more(
    library: Opened, images: list[ImageAsset], nora: User, said: list[str]
) -> None:
    page = library()
    circle(page, 0).check()
    bar(page).get_by_role("button", name="Favourite").click()
    expect(page.get_by_text("1 image added to your favourites.")).to_be_visible()
    bar(page).get_by_role("button", name="Take out of favourites").click()
    expect(page.get_by_text("1 image taken out of your favourites.")).to_be_visible()
    assert not Favourite.objects.filter(user=nora).exists()
    assert said == []


def test_the_focus_goes_into_a_sheet_and_back_to_its_button(
    library: Opened, images: list[ImageAsset], said: list[str]
) -> None:
    page = library()
    page.get_by_role("button", name="Shape").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Tall")).to_be_visible()
    expect(page.locator("#sheet-shape input").first).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Shape: ")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Shape: ")).to_be_focused()
    assert said == []


def test_the_focus_of_who_goes_by_key_stays_at_the_wall(
    library: Opened, images: list[ImageAsset], said: list[str]
) -> None:
    page = library()
    first, second, third = (tiles(page).nth(at).get_by_role("link").first for at in range(3))
    second.focus()
    page.keyboard.press("Space")
    press(bar(page).get_by_role("button", name="Choose none"))
    expect(second).to_be_focused()
    trashed, beside = (tiles(page).nth(at).get_attribute("data-image") for at in (1, 2))
    page.keyboard.press("Space")
    press(bar(page).get_by_role("button", name="Move to trash"))
    expect(tiles(page)).to_have_count(5)
    expect(page.locator(f'[data-image="{beside}"] > a')).to_be_focused()
    press(page.get_by_role("button", name="Restore"))
    expect(tiles(page)).to_have_count(6)
    expect(page.locator(f'[data-image="{trashed}"] > a')).to_be_focused()
    first.focus()
    page.keyboard.press("Control+a")
    press(bar(page).get_by_role("button", name="Move to trash"))
    expect(page.get_by_role("heading", name="No images yet")).to_be_visible()
    expect(page.get_by_role("button", name="Restore")).to_be_focused()
    expect(third).to_have_count(0)
    assert said == []


def press(button: Locator) -> None:
    """Press a button by key."""
    button.focus()
    button.press("Enter")


def test_after_back_it_is_still_said_what_failed_and_what_is_said_still_goes(
    library: Opened, images: list[ImageAsset], page: Page
) -> None:
    page.clock.install()
    library()
    page.get_by_role("button", name="Shape").click()
    page.get_by_label("Wide").check()
    expect(page).to_have_url(re.compile("shape=wide"))
    page.keyboard.press("Escape")
    page.go_back()
    expect(page).to_have_url(re.compile("/library/$"))
    expect(page.get_by_role("link", name="Take off: shape")).to_have_count(0)
    circle(page, 0).check()
    like, notice = bar(page).get_by_role("button", name="avourite"), page.locator("#notices p")
    like.click()
    expect(notice).to_have_text("1 image added to your favourites.")
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    page.clock.run_for(30_000)
    expect(notice).to_have_count(0)
    page.route("**/chosen", lambda route: route.fulfill(status=500))
    like.click()
    expect(notice).to_contain_text("The studio did not answer")


def test_typing_that_pauses_is_one_step_for_back(
    library: Opened, images: list[ImageAsset], said: list[str]
) -> None:
    page = library()
    page.keyboard.press("/")
    for letters, found in (("hero", "hero"), ("n", "heron"), (" a", r"heron\+a")):
        page.keyboard.type(letters)
        expect(page).to_have_url(re.compile(rf"\?q={found}$"))
    page.get_by_role("link", name="Favourites").click()
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.go_back()
    expect(tiles(page)).to_have_count(1)
    page.go_back()
    expect(tiles(page)).to_have_count(6)
    assert said == []


def test_deep_down_the_place_is_kept_and_only_what_is_loaded_is_chosen(
    library: Opened, team: Team, nora: User, said: list[str]
) -> None:
    made = make_generation(nora, team, status=Status.SUCCEEDED, cost=40)
    for position in range(150):
        make_asset(made, position, data=make_picture(120, 90))
    page = library()
    page.keyboard.press("Control+a")
    expect(bar(page)).to_contain_text("60 chosen: only those loaded so far")
    with page.expect_download() as archive:
        bar(page).get_by_role("button", name="Download all").click()
    with zipfile.ZipFile(archive.value.path()) as packed:
        assert len([name for name in packed.namelist() if name.endswith(".png")]) == 150
    page.keyboard.press("Escape")

    for loaded in (120, 150):
        page.locator(".sentinel").scroll_into_view_if_needed()
        expect(tiles(page)).to_have_count(loaded)
    deep = tiles(page).nth(110)
    deep.scroll_into_view_if_needed()
    circle(page, 112).check()
    stood, name = deep.bounding_box(), deep.get_attribute("data-image")
    for back in (page.go_back, page.get_by_role("link", name="Library").last.click):
        deep.get_by_role("link").first.click()
        page.wait_for_url(f"**/images/{name}/**")
        back()
        expect(tiles(page)).to_have_count(120)
        expect(deep.get_by_role("link").first).to_be_focused()
        assert deep.bounding_box() == stood
        expect(circle(page, 112)).to_be_checked()
    deep.get_by_role("link").first.click()
    page.wait_for_url(f"**/images/{name}/**")
    ImageAsset.objects.filter(pk=name).update(trashed_at=timezone.now())
    page.go_back()
    expect(tiles(page)).to_have_count(120)
    page.wait_for_function("scrollY > 500")
    assert said == []


def test_who_moves_on_while_pages_are_fetched_keeps_what_they_chose(
    library: Opened, team: Team, nora: User, said: list[str]
) -> None:
    made = make_generation(nora, team, status=Status.SUCCEEDED, cost=40)
    for position in range(65):
        make_asset(made, position, data=make_picture(120, 90))
    page = library("?shape=wide")
    expect(page.get_by_text("60 or more images found")).to_be_visible()
    page.locator(".sentinel").scroll_into_view_if_needed()
    expect(page.get_by_text("65 images found")).to_be_visible()
    circle(page, 64).check()
    tiles(page).nth(63).get_by_role("link").first.click()
    page.wait_for_url("**/images/**")
    held: list[Route] = []
    page.route("**/library/?*before=*", lambda route: held.append(route))
    with page.expect_request("**/library/?*before=*"):
        page.go_back()
    page.keyboard.press("Shift")
    held[0].continue_()
    expect(tiles(page)).to_have_count(65)
    expect(circle(page, 64)).to_be_checked()
    expect(bar(page)).to_contain_text("1 chosen")
    expect(tiles(page).nth(63).get_by_role("link").first).not_to_be_focused()
    assert said == []


def test_a_finger_that_rests_chooses_on_a_phone(
    library: Opened,
    images: list[ImageAsset],
    browser: Browser,
    browser_context_args: dict[str, Any],
) -> None:
    facts = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    context = browser.new_context(**{**browser_context_args, **facts})
    page = library(on=context.new_page())
    place = tiles(page).nth(1).bounding_box()
    assert place
    finger = context.new_cdp_session(page)
    spot = [{"x": place["x"] + 60, "y": place["y"] + 60}]
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": spot})
    expect(bar(page)).to_be_visible()
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert ticked(page) == [1]
    tiles(page).nth(2).get_by_role("link").first.tap()
    assert ticked(page) == [1, 2]
    tiles(page).nth(3).get_by_role("link").first.evaluate(SAFARI_TAP)
    assert ticked(page) == [1, 2, 3]
    tiles(page).nth(2).get_by_role("link").first.tap()
    assert ticked(page) == [1, 3]
    assert page.url.endswith("/library/")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    context.close()
