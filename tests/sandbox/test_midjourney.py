"""The sandbox's Midjourney: the whole flow of buttons, and pictures that show it (F4)."""

from decimal import Decimal

import httpx
import pytest
from PIL import Image, ImageChops

from generator.sandbox import Log
from tests.sandbox.conftest import KEY
from tests.sandbox.midjourney_client import HEADERS, Midjourney, quadrant, uri


@pytest.fixture
def mj(client: httpx.Client) -> Midjourney:
    return Midjourney(client)


@pytest.fixture
def grid(mj: Midjourney) -> str:
    """A finished grid of a prompt."""
    return mj.begin("imagine", prompt="a fox in snow --ar 3:2")


@pytest.fixture
def single(mj: Midjourney, grid: str) -> str:
    """Its third picture."""
    return mj.press(grid, "U3")


def same(one: Image.Image, other: Image.Image) -> bool:
    """Whether two images are alike in every pixel."""
    return one.size == other.size and one.tobytes() == other.tobytes()


def test_a_grid_is_four_different_pictures_in_one_file(mj: Midjourney, grid: str) -> None:
    picture = mj.picture(grid)
    parts = [quadrant(picture, number) for number in range(1, 5)]
    assert len({part.tobytes() for part in parts}) == 4
    assert parts[0].width / parts[0].height == pytest.approx(1.5, rel=0.02)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_an_upscale_is_exactly_its_quadrant(mj: Midjourney, grid: str, number: int) -> None:
    upscaled = mj.picture(mj.press(grid, f"U{number}"))
    assert same(upscaled, quadrant(mj.picture(grid), number))


def test_a_fresh_grid_has_nine_buttons_and_their_ids_are_never_the_same(mj: Midjourney) -> None:
    first, second = (mj.look(mj.begin("imagine", prompt="a fox"))["buttons"] for _ in range(2))
    assert len(first) == 9
    assert {button["customId"] for button in first}.isdisjoint(
        button["customId"] for button in second
    )
    assert first[0].keys() == {"customId", "emoji", "label", "type", "style"}


def test_variations_are_a_new_grid_in_which_the_picture_can_be_known_again(
    mj: Midjourney, grid: str
) -> None:
    base = quadrant(mj.picture(grid), 2)
    varied = mj.picture(mj.press(grid, "V2"))
    for number in range(1, 5):
        part = quadrant(varied, number)
        assert not same(part, base)
        assert _distance(part, base) < _distance(part, base.transpose(Image.Transpose.ROTATE_180))


def test_again_makes_four_others_from_the_same_prompt(mj: Midjourney, grid: str) -> None:
    again = mj.press(grid, "🔄")
    assert not same(mj.picture(again), mj.picture(grid))
    assert mj.look(again)["action"] == "REROLL"
    assert mj.look(again)["prompt"] == mj.look(grid)["prompt"]


@pytest.mark.parametrize(("label", "factor"), [("Zoom Out 2x", 2), ("Zoom Out 1.5x", 1.5)])
def test_zooming_out_puts_the_picture_smaller_into_the_middle(
    mj: Midjourney, single: str, label: str, factor: float
) -> None:
    old, new = mj.picture(single), mj.picture(mj.press(single, label))
    assert new.size == old.size
    small = old.resize((round(old.width / factor), round(old.height / factor)))
    left, top = (new.width - small.width) // 2, (new.height - small.height) // 2
    middle = new.crop((left, top, left + small.width, top + small.height))
    assert same(middle, small)


@pytest.mark.parametrize(
    ("arrow", "grown", "at"),
    [
        ("⬅️", "width", (1, 0)),
        ("➡️", "width", (0, 0)),
        ("⬆️", "height", (0, 1)),
        ("⬇️", "height", (0, 0)),
    ],
)
def test_panning_grows_the_picture_to_one_side(
    mj: Midjourney, single: str, arrow: str, grown: str, at: tuple[int, int]
) -> None:
    old, new = mj.picture(single), mj.picture(mj.press(single, arrow))
    assert getattr(new, grown) > getattr(old, grown)
    left, top = at[0] * (new.width - old.width), at[1] * (new.height - old.height)
    assert same(new.crop((left, top, left + old.width, top + old.height)), old)


@pytest.mark.parametrize("label", ["Upscale (Subtle)", "Upscale (Creative)"])
def test_enlarging_doubles_both_sides(mj: Midjourney, single: str, label: str) -> None:
    old, new = mj.picture(single), mj.picture(mj.press(single, label))
    assert new.size == (old.width * 2, old.height * 2)
    assert _distance(new.resize(old.size), old) < 30


def test_a_picture_does_not_grow_for_ever(mj: Midjourney, single: str) -> None:
    larger = mj.press(single, "Upscale (Subtle)")
    labels = {button["label"] for button in mj.look(larger)["buttons"]}
    assert "Zoom Out 2x" in labels
    assert "Upscale (Subtle)" not in labels


def test_a_region_opens_a_dialog_and_only_what_is_white_changes(
    mj: Midjourney, log: Log, single: str
) -> None:
    old, paid = mj.picture(single), log.paid_calls
    reply = mj.post("action", {"taskId": single, "customId": mj.button(single, "Vary (Region)")})
    id = str(reply.json()["result"])
    assert (reply.json()["code"], mj.look(id)["status"]) == (21, "MODAL")
    assert log.paid_calls == paid  # a dialog costs nothing
    mask = Image.new("L", old.size, 0)
    mask.paste(255, (30, 20, 190, 90))
    assert mj.begin("modal", taskId=int(id) and id, prompt="a hat", maskBase64=uri(mask)) == id
    assert log.paid("a hat") == 1
    new = mj.picture(id)
    changed = ImageChops.difference(new, old).convert("L").point([0] + [255] * 255)
    assert ImageChops.subtract(changed, mask).getbbox() is None
    box = changed.getbbox()
    assert box is not None
    assert all(abs(found - asked) < 10 for found, asked in zip(box, (30, 20, 190, 90), strict=True))


def test_a_custom_zoom_goes_as_far_as_the_prompt_says(mj: Midjourney, single: str) -> None:
    id = mj.press(single, "Custom Zoom")
    assert mj.look(id)["status"] == "MODAL"
    mj.begin("modal", taskId=id, prompt="a fox --zoom 1.25")
    old, new = mj.picture(single), mj.picture(id)
    small = old.resize((round(old.width / 1.25), round(old.height / 1.25)))
    left, top = (new.width - small.width) // 2, (new.height - small.height) // 2
    assert same(new.crop((left, top, left + small.width, top + small.height)), small)


def test_a_dialog_is_answered_once(mj: Midjourney, log: Log, single: str) -> None:
    id = mj.press(single, "Custom Zoom")
    mj.begin("modal", taskId=id, prompt="a fox --zoom 1.25")
    paid = log.paid_calls
    assert mj.post("modal", {"taskId": id, "prompt": "x --zoom 2"}).status_code == 400
    assert log.paid_calls == paid


def test_blend_mixes_images_in_the_shape_that_was_asked_for(mj: Midjourney) -> None:
    red, blue = (Image.new("RGB", (90, 90), colour) for colour in ("red", "blue"))
    id = mj.begin("blend", base64Array=[uri(red), uri(blue)], dimensions="PORTRAIT")
    part = quadrant(mj.picture(id), 1)
    assert part.height / part.width == pytest.approx(1.5, rel=0.05)
    mean = part.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(mean, tuple)
    assert mean[0] > mean[1] < mean[2]


def test_describe_gives_four_prompts_and_no_picture(mj: Midjourney) -> None:
    id = mj.begin("describe", base64=uri(Image.new("RGB", (90, 60), "red"), "JPEG"))
    task = mj.look(id)
    assert (task["action"], task["imageUrl"]) == ("DESCRIBE", "")
    pieces = task["promptEn"].split("\n\n")
    assert [piece[0] for piece in pieces] == ["1", "2", "3", "4"]
    assert all(piece.endswith("--ar 3:2") for piece in pieces)
    link = mj.begin("describe", link="https://x.example/a.png")
    assert mj.look(link)["promptEn"] != task["promptEn"]


def test_the_editor_paints_over_the_image_only_where_the_mask_is_white(mj: Midjourney) -> None:
    image = Image.linear_gradient("L").convert("RGB").resize((320, 200))
    mask = Image.new("L", image.size, 0)
    mask.paste(255, (10, 100, 120, 190))
    id = mj.begin("edits", prompt="a pond", image=uri(image), maskBase64=uri(mask))
    changed = ImageChops.difference(mj.picture(id), image).convert("L").point([0] + [255] * 255)
    assert ImageChops.subtract(changed, mask).getbbox() is None
    assert changed.getbbox() is not None
    everywhere = mj.picture(mj.begin("edits", prompt="a pond", image=uri(image)))
    assert everywhere.size == image.size


def test_image_prompts_show_through(mj: Midjourney) -> None:
    red = Image.new("RGB", (400, 200), "red")
    plain = mj.picture(mj.begin("imagine", prompt="a fox --seed 5"))
    led = mj.picture(mj.begin("imagine", prompt="a fox --seed 5", base64Array=[uri(red)]))
    assert _distance(led, Image.new("RGB", led.size, "red")) < _distance(
        plain, Image.new("RGB", plain.size, "red")
    )


def test_a_seed_paints_the_same_again_and_without_one_it_does_not(mj: Midjourney) -> None:
    def twice(prompt: str) -> list[Image.Image]:
        return [mj.picture(mj.begin("imagine", prompt=prompt)) for _ in range(2)]

    assert same(*twice("a fox --seed 5"))
    assert not same(*twice("a fox"))


def test_the_final_prompt_names_the_version_of_its_bot(mj: Midjourney) -> None:
    niji = mj.begin("imagine", prompt="a fox", botType="NIJI_JOURNEY", state="mine")
    task = mj.look(niji)
    assert task["properties"]["finalPrompt"] == "a fox --niji 6"
    assert (task["botType"], task["state"]) == ("NIJI_JOURNEY", "mine")
    plain = mj.look(mj.begin("imagine", prompt="a fox --v 6.1"))
    assert plain["properties"]["finalPrompt"] == "a fox --v 6.1"


def test_a_button_of_an_older_task_still_works(mj: Midjourney, grid: str) -> None:
    for label in ("U1", "V3", "U1"):
        assert mj.look(mj.press(grid, label))["status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("prefix", "dollars"),
    [("", "0.04"), ("/mj-fast", "0.04"), ("/mj-turbo", "0.08"), ("/mj-relax", "0.02")],
)
def test_a_speed_before_the_address_has_its_price(
    mj: Midjourney, log: Log, prefix: str, dollars: str
) -> None:
    mj.begin("imagine", prefix, prompt="a fox")
    assert log.used == Decimal(dollars)


def test_the_account_filter_is_the_other_way_to_name_a_speed(mj: Midjourney, log: Log) -> None:
    mj.begin("imagine", prompt="a fox", accountFilter={"modes": ["TURBO"]})
    assert log.used == Decimal("0.08")


def test_every_step_is_charged_by_what_it_does(mj: Midjourney, log: Log, grid: str) -> None:
    def costs(label: str, of: str) -> tuple[str, Decimal]:
        before = log.used
        return mj.press(of, label), log.used - before

    single, cost = costs("U1", grid)
    assert cost == Decimal("0.01")
    assert costs("Upscale (Subtle)", single)[1] == Decimal("0.02")
    assert costs("Vary (Strong)", single)[1] == Decimal("0.04")
    assert costs("Custom Zoom", single)[1] == 0


def test_a_press_is_counted_under_its_button(mj: Midjourney, log: Log, grid: str) -> None:
    id = mj.button(grid, "U1")
    mj.press(grid, "U1")
    assert (log.paid(id), log.paid("a fox in snow --ar 3:2")) == (1, 1)


def test_several_tasks_are_listed_and_the_unknown_left_out(
    mj: Midjourney, client: httpx.Client, grid: str, single: str
) -> None:
    body = {"ids": [single, "1", int(grid)]}
    reply = client.post("/mj/task/list-by-condition", json=body, headers=HEADERS)
    assert [task["id"] for task in reply.json()] == [single, grid]
    assert reply.json()[1]["status"] == "SUCCESS"


def test_ids_are_text_after_an_imagine_and_numbers_after_all_others(
    mj: Midjourney, grid: str
) -> None:
    assert isinstance(mj.post("imagine", {"prompt": "a fox"}).json()["result"], str)
    press = {"taskId": grid, "customId": mj.button(grid, "U1")}
    assert isinstance(mj.post("action", press).json()["result"], int)


def test_the_picture_lies_on_the_image_host_and_no_key_goes_there(
    mj: Midjourney, client: httpx.Client, grid: str
) -> None:
    link = mj.look(grid)["imageUrl"]
    assert link.startswith("http://images.sandbox/")
    assert client.get(link, headers={"Authorization": f"Bearer {KEY}"}).status_code == 400


def _distance(one: Image.Image, other: Image.Image) -> float:
    """How far two images of one size are apart, in levels."""
    difference = ImageChops.difference(one.convert("RGB"), other.convert("RGB")).convert("L")
    histogram = difference.histogram()
    return sum(level * count for level, count in enumerate(histogram)) / sum(histogram)
