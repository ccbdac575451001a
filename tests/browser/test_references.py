"""Images given along, masks, several models and a provider's buttons, as somebody does it."""

import base64
import io
from typing import Any

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Browser, Locator, Page, Route, expect

from generator.models import Generation, ImageAsset, ReferenceImage, Status, Team, User
from tests.browser.conftest import Studio
from tests.browser.test_making import cards, expect_image, write
from tests.make import (
    make_asset,
    make_generation,
    make_mask,
    make_picture,
)
from tests.services.servers import until

WIDTH, HEIGHT = 600, 400


def file(name: str = "heron.png", width: int = WIDTH, height: int = HEIGHT) -> Any:
    """A file as somebody picks it."""
    return {"name": name, "mimeType": "image/png", "buffer": make_picture(width, height)}


@pytest.fixture
def bar(studio: Studio, nora: User, page: Page) -> Any:
    """Open the studio as nora: with a model, or whatever its address is to say."""

    def opened(query: str = "model=gpt-image-2", *, on: Page = page) -> Page:
        studio.sign_in(on.context, nora)
        on.goto(f"{studio.address}/t/northlight/?{query}")
        return on

    return opened


def tiles(page: Page) -> Locator:
    """The images in the strip, once the server has drawn it."""
    return page.locator("#reference-tiles .reference:not(.reference--waiting)")


def pick(page: Page, *files: Any) -> None:
    """Add files from the device."""
    page.get_by_role("button", name="Add images").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="From this device").click()
    chooser.value.set_files(list(files))


def send_button(page: Page) -> Locator:
    """The button that sends, whatever it says."""
    return page.locator("#send")


def stored(asset: ImageAsset) -> Image.Image:
    """The pixels of a stored image."""
    with asset.file.open() as data:
        return Image.open(io.BytesIO(data.read())).convert("RGB")


def changed(before: Image.Image, after: Image.Image) -> tuple[float, float]:
    """How much of the left third and of the right half of an image changed, from 0 to 1."""
    told = ImageChops.difference(before.resize(after.size), after).convert("L")
    told = told.point([255 if value > 24 else 0 for value in range(256)])
    width, height = told.size

    def share(box: tuple[int, int, int, int]) -> float:
        part = told.crop(box)
        return part.histogram()[255] / (part.width * part.height)

    return share((0, 0, width // 5, height)), share((width // 2, 0, width, height))


def test_a_painted_mask_changes_only_what_is_painted(page: Page, bar: Any, said: list[str]) -> None:
    bar()
    pick(page, file())
    expect(tiles(page)).to_have_count(1)
    expect(send_button(page)).to_contain_text("Edit · 40 credits")
    page.get_by_role("button", name="Paint what changes").click()
    page.get_by_label("Brush", exact=True).fill("60")
    box = page.locator("#mask-dialog canvas").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 9, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 9, box["y"] + box["height"] - 2, steps=5)
    page.mouse.up()
    page.get_by_role("button", name="Use this mask").click()
    expect(page.locator("#mask-dialog")).to_be_hidden()
    expect(page.get_by_text("Mask painted")).to_be_visible()
    mask = ReferenceImage.objects.get(is_mask=True)
    assert (mask.width, mask.height) == (WIDTH, HEIGHT)

    write(page, "a thicket of reeds")
    send_button(page).click()
    expect_image(cards(page).locator(".card__pictures"))
    before = Image.open(io.BytesIO(make_picture(WIDTH, HEIGHT))).convert("RGB")
    left, right = changed(before, stored(ImageAsset.objects.get()))
    assert left > 0.5
    assert right < 0.05
    assert said == []


def test_a_mask_is_painted_undone_and_refused_by_keys_alone(page: Page, bar: Any) -> None:
    bar()
    pick(page, file())
    page.get_by_role("button", name="Paint what changes").press("Enter")
    dialog = page.get_by_role("dialog", name="Paint over what is to change")
    canvas = dialog.locator("canvas")
    expect(canvas).to_be_focused()
    page.keyboard.press(" ")
    page.keyboard.press("Control+z")
    dialog.get_by_role("button", name="Use this mask").press("Enter")
    expect(dialog).to_contain_text("Nothing is painted in the mask.")
    canvas.focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press(" ")
    dialog.get_by_role("button", name="Use this mask").press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Paint what changes")).to_be_focused()
    page.get_by_role("button", name="Take the mask out").click()
    expect(page.get_by_text("Mask painted")).to_be_hidden()


def test_images_are_dropped_pasted_put_in_order_and_taken_out(
    page: Page, bar: Any, said: list[str]
) -> None:
    bar()
    for number, event in enumerate(("drop", "paste")):
        page.locator("#prompt").evaluate(
            """(prompt, [name, type, bytes]) => {
                const raw = Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0));
                const carrier = new DataTransfer();
                carrier.items.add(new File([raw], name, { type: "image/png" }));
                const facts = { bubbles: true, cancelable: true };
                prompt.dispatchEvent(type === "drop"
                    ? new DragEvent("drop", { ...facts, dataTransfer: carrier })
                    : new ClipboardEvent("paste", { ...facts, clipboardData: carrier }));
            }""",
            [f"{event}.png", event, base64.b64encode(make_picture(80 + number, 60)).decode()],
        )
        expect(tiles(page)).to_have_count(number + 1)
    expect(tiles(page).first.get_by_role("img")).to_have_attribute("alt", "Image 1: drop.png")
    page.get_by_role("button", name="Move image 2 to the left").click()
    expect(tiles(page).first.get_by_role("img")).to_have_attribute("alt", "Image 1: paste.png")
    page.get_by_role("button", name="Take out image 1").click()
    expect(tiles(page)).to_have_count(1)
    page.get_by_role("button", name="Take out image 1").click()
    expect(tiles(page)).to_have_count(0)
    expect(send_button(page)).to_contain_text("Make 1 image")
    assert said == []


def test_a_file_that_is_no_image_is_named_and_the_others_stay(page: Page, bar: Any) -> None:
    bar()
    words = {"name": "words.png", "mimeType": "image/png", "buffer": b"no image"}
    pick(page, file(), words)
    expect(page.locator("#file-refusals")).to_contain_text("words.png: The file is no image.")
    expect(tiles(page)).to_have_count(1)


@pytest.fixture
def uploads(page: Page) -> list[Route]:
    """Uploads on their way: none arrives before the test lets it."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "POST":
            held.append(route)
        else:
            route.continue_()

    page.route("**/references/", hold)
    return held


def send_too_early(page: Page) -> None:
    """Press the button, and the keys, while an image is on its way."""
    write(page, "in the rain")
    send_button(page).click()
    page.get_by_label("Prompt", exact=True).press("Control+Enter")
    expect(page.locator("#upload-note")).to_contain_text("Wait for the image")
    expect(send_button(page)).to_have_attribute("aria-busy", "true")


def until_held(page: Page, uploads: list[Route]) -> None:
    """Wait for the next upload; the page's events come while something is asked of it."""
    until(lambda: page.evaluate("1") and uploads, what="the next upload")


def test_what_is_sent_while_an_image_is_on_its_way_waits_for_it(
    page: Page, bar: Any, uploads: list[Route], said: list[str]
) -> None:
    bar()
    pick(page, file())
    pick(page, file("reeds.png", width=300))
    send_too_early(page)
    for _ in range(2):
        until_held(page, uploads)
        assert not Generation.objects.exists()
        uploads.pop().continue_()
    expect(cards(page)).to_have_count(1)
    expect(page.locator("#upload-note")).to_be_empty()
    edit = Generation.objects.get()
    assert edit.action == "edit"
    assert edit.given.count() == 2
    assert said == []


def test_without_the_image_that_was_to_go_along_nothing_is_sent(
    page: Page, bar: Any, uploads: list[Route]
) -> None:
    bar()
    words = {"name": "words.png", "mimeType": "image/png", "buffer": b"no image"}
    for end in (Route.continue_, Route.abort):
        pick(page, words)
        send_too_early(page)
        until_held(page, uploads)
        end(uploads.pop())
        expect(send_button(page)).not_to_have_attribute("aria-busy", "true")
        expect(page.locator("#upload-note")).to_be_empty()
    expect(page.locator("#file-refusals")).to_contain_text("words.png: The file is no image.")
    expect(cards(page)).to_have_count(0)
    assert not Generation.objects.exists()


def test_a_field_that_is_hidden_again_is_not_sent(page: Page, bar: Any) -> None:
    bar()
    page.get_by_text("WebP", exact=True).click()
    page.get_by_role("slider", name="Compression").fill("40")
    page.get_by_text("PNG", exact=True).click()
    expect(page.get_by_role("slider", name="Compression")).to_be_hidden()
    write(page, "a heron")
    send_button(page).click()
    expect(cards(page)).to_have_count(1)
    assert "output_compression" not in Generation.objects.get().fields


def test_an_image_of_the_library_is_edited_without_an_upload(
    page: Page, bar: Any, team: Team, nora: User
) -> None:
    image = make_asset(make_generation(nora, team, status=Status.SUCCEEDED, cost=40))
    bar("model=doubao-seedream-4-5-251128")
    page.get_by_role("button", name="Add images").click()
    choice = page.locator(f'[data-pick="image:{image.pk}"]')
    choice.click()
    expect(choice).to_have_attribute("aria-pressed", "true")
    expect(tiles(page)).to_have_count(1)
    page.keyboard.press("Escape")
    write(page, "in the rain")
    send_button(page).click()
    expect(cards(page)).to_have_count(2)
    expect_image(cards(page).first.locator(".card__pictures"))
    edit = Generation.objects.get(action="edit")
    assert edit.parent == image.generation
    assert edit.given.get().reference.asset == image


def test_a_model_that_takes_no_images_says_so_and_keeps_them(page: Page, bar: Any) -> None:
    bar()
    pick(page, file())
    expect(tiles(page)).to_have_count(1)
    page.get_by_role("button", name="change the model").click()
    page.get_by_role("link", name="DALL·E 3").click()
    expect(page.locator("#along")).to_contain_text("takes no images here")
    expect(tiles(page)).to_have_class(["reference reference--off"])
    write(page, "a heron")
    send_button(page).click()
    expect(page.locator("#prompt-errors")).to_contain_text("takes no images here")
    expect(tiles(page)).to_have_count(1)


def test_the_same_prompt_goes_to_two_models_side_by_side(
    page: Page, bar: Any, said: list[str]
) -> None:
    bar()
    page.get_by_role("button", name="change the model").click()
    page.get_by_label("Compare with DALL·E 2").check()
    expect(page.locator(".chip")).to_contain_text("DALL·E 2")
    page.keyboard.press("Escape")
    page.get_by_role("slider", name="Images").fill("2")
    expect(send_button(page)).to_contain_text("Make 4 images with 2 models · 120 credits")
    write(page, "a lighthouse")
    send_button(page).click()
    together = page.locator("[data-comparison]")
    expect(together.locator(".card")).to_have_count(2)
    expect(together).to_contain_text("2 models, side by side")
    expect(together.get_by_role("img")).to_have_count(4)
    first, second = (card.bounding_box() for card in together.locator(".card").all())
    assert first
    assert second
    assert first["y"] == second["y"]
    page.get_by_role("button", name="Do not compare with DALL·E 2").click()
    expect(send_button(page)).to_contain_text("Make 2 images · 80 credits")
    page.reload()
    expect(page.locator("[data-comparison] .card")).to_have_count(2)
    assert said == []


def test_one_of_midjourneys_four_pictures_is_taken_out_with_a_button(
    page: Page, bar: Any, said: list[str]
) -> None:
    bar("model=midjourney")
    write(page, "a harbour")
    send_button(page).click()
    button = page.get_by_role("button", name="U2")
    expect(button).to_be_visible(timeout=30_000)
    button.click()
    expect(cards(page)).to_have_count(2)
    expect(cards(page).last.get_by_role("button", name="U2")).to_contain_text("pressed before")
    region = cards(page).first.get_by_role("link", name="Vary (Region)")
    expect(region).to_be_visible(timeout=30_000)
    small = ImageAsset.objects.get(generation__action="upscale")
    grid = ImageAsset.objects.get(generation__action="create")
    assert (small.width * 2, small.height * 2) == (grid.width, grid.height)
    region.click()
    expect(page.locator(".start")).to_contain_text("Vary (Region) of an image by Midjourney")
    expect(page.get_by_role("button", name="Paint what changes")).to_be_visible()
    page.get_by_role("link", name="Do not start from this image").click()
    expect(page.locator(".start")).to_have_count(0)
    assert said == []


def test_a_description_becomes_the_next_prompt(page: Page, bar: Any) -> None:
    bar("model=midjourney")
    page.get_by_text("Describe", exact=True).click()
    expect(page.get_by_label("Prompt", exact=True)).to_be_disabled()
    expect(page.locator("#prompt-note")).to_contain_text("Nothing to write")
    pick(page, file())
    expect(tiles(page)).to_have_count(1)
    expect(send_button(page)).to_contain_text("Describe · 10 credits")
    send_button(page).click()
    use = page.get_by_role("link", name="Use as prompt").first
    expect(use).to_be_visible(timeout=30_000)
    text = page.locator(".texts__text p").first.inner_text()
    use.click()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value(text)
    expect(send_button(page)).to_contain_text("Make 1 image")


def test_without_scripts_an_image_is_given_along(
    studio: Studio, bar: Any, browser: Browser
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = bar(on=context.new_page())
    page.get_by_label("Images to give along").set_input_files(file())
    write(page, "in the rain")
    send_button(page).click()
    expect(cards(page)).to_contain_text("in the rain")
    until(lambda: Generation.objects.get().status == Status.SUCCEEDED, what="the image")
    edit = Generation.objects.get()
    assert edit.action == "edit"
    assert edit.given.get().reference.name == "heron.png"
    context.close()


def test_without_scripts_a_mask_goes_along_and_another_model_is_picked(
    studio: Studio, bar: Any, browser: Browser
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = bar("model=dall-e-3&prompt=in+the+rain", on=context.new_page())
    address = page.locator(".model[data-model='gpt-image-2']").get_attribute("href")
    page.goto(f"{studio.address}{address}")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("in the rain")
    page.get_by_label("Images to give along").set_input_files(file())
    mask = {"name": "mask.png", "mimeType": "image/png", "buffer": make_mask(WIDTH, HEIGHT)}
    page.get_by_label("Mask of the first image").set_input_files(mask)
    send_button(page).click()
    expect(cards(page)).to_contain_text("in the rain")
    edit = Generation.objects.get()
    assert set(edit.given.values_list("purpose", flat=True)) == {"reference", "mask"}
    context.close()


def test_on_a_phone_nothing_is_wider_than_it_and_images_can_be_given_along(
    studio: Studio, bar: Any, browser: Browser, team: Team, nora: User
) -> None:
    rows = [make_generation(nora, team, status=Status.SUCCEEDED, cost=40) for _ in range(3)]
    for row in rows:
        make_asset(row, data=make_picture(640, 480))
    Generation.objects.update(batch=rows[0].batch)
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    page = bar(on=context.new_page())
    expect(page.locator("[data-comparison] .card")).to_have_count(3)
    pick(page, file(), file(width=300))
    expect(tiles(page)).to_have_count(2)
    page.get_by_role("button", name="change the model").tap()
    page.get_by_label("Compare with GPT Image 1.5").check()
    page.get_by_label("Compare with GPT Image 1 mini").check()
    expect(page.locator(".chip")).to_have_count(2)
    page.keyboard.press("Escape")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for name in ("Take out image 1", "Paint what changes", "Add images", "change the model"):
        page.get_by_role("button", name=name).tap(trial=True)  # nothing lies over it
    small = page.locator(".model-button span").nth(1).bounding_box()
    assert small
    assert small["width"] > 60  # the model's name can be read
    page.get_by_role("button", name="Paint what changes").tap()
    expect(page.get_by_role("button", name="Use this mask")).to_be_in_viewport(ratio=1)
    context.close()


def reloaded(page: Page) -> None:
    """Load the page again, and wait until what was kept stands in it."""
    page.reload()
    expect(tiles(page)).to_have_count(1)


def test_images_mask_model_and_fields_outlive_a_reload_and_a_way_through_the_library(
    page: Page, bar: Any, said: list[str]
) -> None:
    bar("")
    page.get_by_role("button", name="change the model").click()
    page.get_by_role("link", name="GPT Image 1.5").click()
    pick(page, file())
    expect(tiles(page)).to_have_count(1)
    page.get_by_text("High", exact=True).click()
    page.get_by_role("button", name="Paint what changes").press("Enter")
    expect(page.locator("#mask-dialog canvas")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press(" ")
    page.get_by_role("button", name="Use this mask").press("Enter")
    expect(page.get_by_text("Mask painted")).to_be_visible()
    reloaded(page)
    expect(page.get_by_text("Mask painted")).to_be_visible()
    page.get_by_role("link", name="Library").first.click()
    page.get_by_role("link", name="Studio").first.click()
    expect(tiles(page)).to_have_count(1)
    expect(page.get_by_text("Mask painted")).to_be_visible()
    expect(page.locator("#model")).to_have_value("gpt-image-1.5")
    expect(page.locator("[name=quality]:checked")).to_have_value("high")
    page.get_by_role("button", name="Take out image 1").click()
    expect(page.locator("#upload-note")).to_have_text(
        "The mask belonged to that image and went with it."
    )
    expect(page.get_by_text("Mask painted")).to_be_hidden()
    assert said == []


def test_an_address_with_images_of_its_own_wins_over_what_was_kept(
    page: Page, bar: Any, team: Team, nora: User
) -> None:
    image = make_asset(make_generation(nora, team, status=Status.SUCCEEDED, cost=40))
    bar()
    pick(page, file())
    expect(tiles(page)).to_have_count(1)
    bar(f"image={image.pk}")
    page.wait_for_load_state("networkidle")
    expect(tiles(page)).to_have_count(1)
    expect(page.locator(f'[data-reference="image:{image.pk}"]')).to_have_count(1)


def test_on_a_phone_a_fault_in_the_settings_is_told_at_the_prompt(
    bar: Any, browser: Browser
) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True
    )
    page = bar(on=context.new_page())
    page.get_by_role("button", name="Settings").tap()
    page.get_by_text("Own", exact=True).tap()
    expect(page.get_by_text("Multiples of 16, 0.66 to 8.3 megapixels")).to_be_visible()
    page.get_by_label("Width in pixels").fill("1001")
    page.get_by_role("button", name="Close").first.tap()
    write(page, "a heron")
    send_button(page).tap()
    expect(page.locator("#prompt-errors")).to_contain_text("Both sides must be multiples of 16")
    page.get_by_role("button", name="Open the settings").tap()
    expect(page.get_by_label("Width in pixels")).to_be_focused()
    context.close()


def test_on_a_wide_page_the_faulty_field_has_the_focus_and_it_is_told_once(
    page: Page, bar: Any
) -> None:
    bar()
    page.get_by_text("Own", exact=True).click()
    page.get_by_label("Width in pixels").fill("1001")
    write(page, "a heron")
    send_button(page).click()
    expect(page.get_by_label("Width in pixels")).to_be_focused()
    expect(page.locator("[data-settings-fault]").first).to_be_hidden()


def test_a_turn_that_was_sent_is_left_and_the_next_starts_anew(
    page: Page, bar: Any, team: Team, nora: User
) -> None:
    parent = make_generation(
        nora, team, wire_model="gemini-3-pro-image-preview", family="gemini-3-pro-image",
        status=Status.SUCCEEDED, cost=40, memory="teams/1/memory",
    )  # fmt: skip
    make_asset(parent)
    bar(f"model={parent.wire_model}&parent={parent.pk}&parent_position=0")
    expect(page.locator(".start")).to_contain_text("Goes on")
    write(page, "in the rain")
    send_button(page).click()
    expect(cards(page)).to_have_count(2)
    expect(page.locator(".start")).to_have_count(0)
    assert Generation.objects.filter(parent=parent).count() == 1
