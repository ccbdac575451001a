"""Every page as people look at it: on a phone, in the dark, without scripts, with no complaint."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, ViewportSize, expect

from generator.models import Favourite, ImageAsset, Notice, Status, Team, User, Window
from tests.browser.conftest import Studio
from tests.make import make_asset, make_generation, make_picture, make_team, make_user, set_cap

PHONE: ViewportSize = {"width": 390, "height": 844}
UNBROKEN = "Zwölfkesseldampfer" * 12  # a word of more characters than fit in any line
# What is wider inside than outside, hides that, and shows no … for it.
CUT_OFF = """() => [...document.querySelectorAll("main :is(h1, h2, h3, p, dd, td, li)")].filter(
    (part) => part.scrollWidth > part.clientWidth + 1
        && !part.closest(".visually-hidden")
        && !["inline", "contents"].includes(getComputedStyle(part).display)
        && getComputedStyle(part).textOverflow !== "ellipsis"
).map((part) => part.className + ": " + part.textContent.slice(0, 40))"""

# What can be pressed in the parts named, and is on the screen under something else.
COVERED = """parts => [...document.querySelectorAll(parts)].flatMap(
    (part) => [...part.querySelectorAll("a, button")]
).filter((way) => {
    const { x, y, width, height } = way.getBoundingClientRect();
    return width && !way.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}).map((way) => way.outerHTML)"""


@pytest.fixture
def nora(studio: Studio) -> User:
    """Somebody with a few things made: images of all shapes, one failure."""
    nora = make_user("nora")
    team = make_team(nora, slug="northlight")
    done = make_generation(
        nora, team, prompt="A long prompt about " + "a teapot and its lid, " * 30 + UNBROKEN,
        status=Status.SUCCEEDED, count=3, cost=120,
    )  # fmt: skip
    for position, sides in enumerate([(640, 480), (300, 900), (900, 300)]):
        make_asset(done, position, data=make_picture(*sides))
    make_generation(
        nora, team, prompt=UNBROKEN, status=Status.FAILED, reason_code="content",
        reason="The provider’s safety rules refused this prompt.",
    )  # fmt: skip
    return nora


@pytest.fixture
def pages(studio: Studio, nora: User) -> list[str]:
    """Where somebody signed in can go."""
    image = ImageAsset.objects.first()
    assert image
    paths = [
        "/t/northlight/", "/t/northlight/?model=dall-e-3", "/t/northlight/library/",
        f"/t/northlight/images/{image.pk}/", "/t/nora/library/", "/account/",
        "/t/northlight/team/", "/t/nora/team/", "/t/northlight/team/leave", "/teams/new",
        "/accounts/password/change/", "/accounts/2fa/", "/accounts/sessions/", "/t/nowhere/",
    ]  # fmt: skip
    return [studio.address + path for path in paths]


@pytest.fixture
def phone(browser: Browser, studio: Studio, nora: User) -> Iterator[Page]:
    """A phone in nora's hand."""
    context = browser.new_context(viewport=PHONE, is_mobile=True, has_touch=True)
    studio.sign_in(context, nora)
    yield context.new_page()
    context.close()


def test_no_page_makes_the_browser_complain(
    studio: Studio, page: Page, said: list[str], nora: User, pages: list[str]
) -> None:
    page.goto(f"{studio.address}/accounts/login/")
    assert said == []
    studio.sign_in(page.context, nora)
    for address in pages:
        page.goto(address)
        expect(page.locator("main")).to_be_visible()
        if "nowhere" in address:
            assert said.pop().startswith(
                "Failed to load resource: the server responded with a status of 404"
            )
        assert said == [], address


def test_no_page_is_wider_than_a_phone_and_none_hides_words(
    studio: Studio, phone: Page, pages: list[str]
) -> None:
    for address in pages:
        phone.goto(address)
        width = phone.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], address
        assert phone.evaluate(CUT_OFF) == [], address
    phone.context.clear_cookies()
    phone.goto(f"{studio.address}/accounts/login/")
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_on_a_wide_page_settings_and_bill_stay_in_view_while_one_scrolls(
    studio: Studio, page: Page, nora: User
) -> None:
    studio.sign_in(page.context, nora)
    page.set_viewport_size({"width": 1440, "height": 700})
    page.goto(f"{studio.address}/t/northlight/?model=midjourney")
    page.mouse.move(700, 500)
    page.mouse.wheel(0, 2000)
    page.wait_for_function("scrollY > 50")
    for part in (".settings__head", ".settings__foot"):
        expect(page.locator(part)).to_be_in_viewport(ratio=1)


def test_on_a_phone_prompt_settings_and_button_are_under_the_thumb(
    studio: Studio, phone: Page
) -> None:
    phone.goto(f"{studio.address}/t/northlight/?model=gpt-image-2")
    make = phone.get_by_role("button", name="Make")
    prompt = phone.get_by_label("Prompt", exact=True)
    phone.mouse.wheel(0, 2000)
    for part in (prompt, make):
        expect(part).to_be_in_viewport(ratio=1)
        part.tap(trial=True)  # nothing lies over it
    sheet = phone.get_by_role("complementary", name="Settings")
    expect(sheet).to_be_hidden()
    phone.get_by_role("button", name="Settings").tap()
    expect(sheet).to_be_in_viewport(ratio=1)
    sheet.get_by_role("slider", name="Images").fill("4")
    sheet.get_by_role("button", name="Close").tap()
    expect(sheet).to_be_hidden()
    expect(make).to_contain_text("Make 4 images · 160 credits")
    phone.get_by_role("button", name="change the model").tap()
    menu = phone.get_by_role("group", name="Models")
    expect(menu).to_be_in_viewport(ratio=1)
    menu.get_by_role("link", name="Qwen Image 40").tap()
    expect(menu).to_be_hidden()
    expect(make).to_contain_text("Make 1 image · 40 credits")


def test_the_pages_follow_the_system_into_the_dark(
    studio: Studio, page: Page, nora: User, pages: list[str]
) -> None:
    studio.sign_in(page.context, nora)
    for address in pages:
        page.goto(address)
        light = {theme: ground(page, theme) for theme in ("light", "dark")}
        assert light["light"] > 0.8, address
        assert light["dark"] < 0.3, address


def ground(page: Page, theme: str) -> float:
    """How light the page's ground is in a theme, from 0 to 1, as Chromium paints it."""
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    return float(
        page.evaluate(
            """() => {
                const canvas = new OffscreenCanvas(1, 1).getContext("2d");
                canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
                canvas.fillRect(0, 0, 1, 1);
                const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
                return (red + green + blue) / 765;
            }"""
        )
    )


def test_every_image_in_feed_and_library_is_one_the_browser_can_show(
    studio: Studio, page: Page, nora: User
) -> None:
    studio.sign_in(page.context, nora)
    for path, images in (("", ".card img"), ("library/", ".tile img")):
        page.goto(f"{studio.address}/t/northlight/{path}")
        expect(page.locator(images)).to_have_count(3)
        for image in page.locator(images).all():
            image.scroll_into_view_if_needed()
            expect(image).to_have_js_property("complete", True)
            assert image.evaluate("image => image.naturalWidth") > 0


def test_what_was_just_made_is_liked_by_key_and_shared(
    studio: Studio, page: Page, nora: User, said: list[str]
) -> None:
    studio.sign_in(page.context, nora)
    page.goto(f"{studio.address}/t/northlight/")
    heart = page.locator(".picture .heart").nth(1)
    heart.press("Enter")
    expect(heart).to_have_attribute("aria-pressed", "true")
    expect(heart).to_be_focused()
    assert Favourite.objects.get().image.position == 1
    page.locator(".picture").nth(1).get_by_role("link", name="Share").click()
    expect(page.get_by_role("button", name="Make the link")).to_be_visible()
    assert said == []


def test_arrow_keys_go_from_image_to_image_and_the_picture_opens_at_its_size(
    studio: Studio, page: Page, nora: User, said: list[str]
) -> None:
    studio.sign_in(page.context, nora)
    first, second, third = ImageAsset.objects.newest_first()
    page.goto(f"{studio.address}/t/northlight/images/{first.pk}/")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/{second.pk}/")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/{third.pk}/")
    for key in ("1", "0"):  # it is small enough to be shown whole
        page.keyboard.press(key)
        expect(page.get_by_label("Shown at")).to_have_text("100 %")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**/{second.pk}/")
    picture = page.locator(".stage__picture img")
    expect(picture).to_have_js_property("naturalWidth", second.width)
    assert sides(picture) != (second.width, second.height)  # it is too high for the window
    page.get_by_role("button", name="100 %").click()
    assert sides(picture) == (second.width, second.height)
    page.get_by_role("button", name="Fit to window").click()
    assert sides(picture)[1] < second.height
    assert said == []


def sides(picture: Locator) -> tuple[int, int]:
    """How wide and high it is on the screen, in whole pixels."""
    box = picture.bounding_box()
    assert box
    return round(box["width"]), round(box["height"])


@pytest.mark.parametrize("size", [PHONE, {"width": 1440, "height": 900}])
def test_the_tools_of_an_image_are_in_sight_below_what_its_page_is_told(
    studio: Studio, page: Page, nora: User, size: ViewportSize
) -> None:
    team = Team.objects.get(slug="northlight")
    account = set_cap(team, nora, window=Window.DAY, credits=1000)
    Notice.objects.create(
        user=nora, account=account, window=Window.DAY, start=team.today(), percent=0
    )
    image = ImageAsset.objects.get(height=900)
    studio.sign_in(page.context, nora)
    page.set_viewport_size(size)
    page.goto(f"{studio.address}/t/northlight/images/{image.pk}/")
    expect(page.locator(".told")).to_be_in_viewport(ratio=1)
    expect(page.locator(".stage__tools")).to_be_in_viewport(ratio=1)
    assert page.evaluate(COVERED, ".stage__tools") == []
    page.get_by_role("button", name="Got it").click()
    expect(page.locator(".told")).to_have_count(0)
    expect(page.locator(".stage__tools")).to_be_in_viewport(ratio=1)


def test_a_notice_goes_by_itself_but_not_under_the_mouse_and_covers_no_control(
    studio: Studio, phone: Page
) -> None:
    phone.clock.install()
    image = ImageAsset.objects.newest_first()[0]
    phone.goto(f"{studio.address}/t/northlight/images/{image.pk}/")
    notice = phone.locator("#notices .notice")
    for is_read in (False, True):
        phone.get_by_role("button", name="Collect").click()
        phone.get_by_label("Name of a new collection").fill(f"Kilns {is_read}")
        phone.get_by_role("button", name="Add").click()
        expect(notice).to_have_count(1)
        phone.clock.pause_at(phone.evaluate("Date.now() + 500") / 1000)
        phone.keyboard.press("Escape")
        phone.evaluate("scrollTo(0, 0)")
        expect(notice).to_be_in_viewport(ratio=1)
        assert phone.evaluate(COVERED, ".top-bar, .tab-bar, .stage__bar") == []
        if is_read:
            notice.hover()
            phone.clock.run_for(60_000)
            expect(notice).to_be_visible()
            phone.mouse.move(5, 800)
        phone.clock.run_for(10_000)
        expect(notice).to_have_count(0)
        phone.clock.resume()


def test_without_scripts_the_pages_can_be_read(
    studio: Studio, browser: Browser, nora: User, pages: list[str]
) -> None:
    context = reader(browser, studio, nora)
    page = context.new_page()
    for address in pages:
        page.goto(address)
        expect(page.locator("main")).not_to_be_empty()
    page.goto(f"{studio.address}/t/northlight/library/")
    page.get_by_role("img").first.click()
    expect(page.locator(".label-panel .prompt")).to_contain_text("a teapot and its lid")
    page.goto(f"{studio.address}/t/northlight/")
    page.get_by_role("button", name="change the model").click()
    page.get_by_role("link", name="DALL·E 3").click()
    expect(page.get_by_role("group", name="Style")).to_be_visible()
    context.close()


def reader(browser: Browser, studio: Studio, user: User) -> BrowserContext:
    """A browser that runs no scripts, in which somebody has signed in."""
    context = browser.new_context(java_script_enabled=False)
    studio.sign_in(context, user)
    return context
