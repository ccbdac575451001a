"""Seedream: series, the mark, what failed beside what came; what comes of it in the sandbox."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from generator.errors import (
    BadReply,
    ContentRefused,
    ProviderBusy,
    ProviderError,
    ProviderSilent,
    RequestRefused,
)
from generator.families import FAMILIES, Family, parse_size
from generator.providers import seedream
from generator.providers.base import Brief, Finished, InlineImage, LinkedImage, Parent, Reference
from generator.providers.gateway import Gateway
from generator.sandbox import Log, Sandbox
from tests.providers.recorded import in_json, recorded

NEWEST = "doubao-seedream-5-0-260128"
OLDEST = "doubao-seedream-3-0-t2i-250415"
OURS = [family for family in FAMILIES.values() if family.name.startswith("seedream-")]
PER_FAMILY = pytest.mark.parametrize("family", OURS, ids=lambda family: family.name)


def reference(width: int = 96, height: int = 64) -> Reference:
    """A real image to send along."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 40, 40)).save(file, "PNG")
    return Reference(file.getvalue(), "image/png", "red.png")


PICTURE = reference()


def brief(action: str = "create", **facts: Any) -> Brief:
    """A brief for Seedream 5.0, unless told otherwise."""
    facts = {"prompt": "a fox", "wire_model": NEWEST, "fields": {}, **facts}
    return Brief(action, **facts)


def said(action: str = "create", **facts: Any) -> dict[str, Any]:
    """The JSON that a brief becomes."""
    return dict(seedream.build_submit(brief(action, **facts)).json or {})


def answer(*entries: Any, **more: Any) -> Finished:
    """What is read out of an answer with these entries."""
    return seedream.parse_submit(in_json(200, {"created": 1, "data": list(entries), **more}))


# ── What is said ──


def test_one_image_is_asked_for_without_the_mark_and_without_a_series() -> None:
    call = seedream.build_submit(brief())
    assert (call.method, call.path, call.files) == ("POST", "/v1/images/generations", ())
    assert call.json == {
        "model": NEWEST,
        "prompt": "a fox",
        "response_format": "url",
        "watermark": False,
        "sequential_image_generation": "disabled",
    }


def test_the_mark_is_said_each_time_and_is_on_only_where_it_was_switched_on() -> None:
    assert said()["watermark"] is False
    assert said(fields={"watermark": False})["watermark"] is False
    assert said(fields={"watermark": None})["watermark"] is False
    assert said(fields={"watermark": True})["watermark"] is True
    assert said(wire_model=OLDEST)["watermark"] is False


def test_several_images_are_a_series_of_at_most_so_many() -> None:
    body = said(count=4)
    assert body["sequential_image_generation"] == "auto"
    assert body["sequential_image_generation_options"] == {"max_images": 4}
    assert "n" not in body


def test_the_oldest_model_is_told_no_word_of_series() -> None:
    body = said(wire_model=OLDEST, fields={"seed": 7, "guidance_scale": 3.5, "size": "512x768"})
    assert body == {
        "model": OLDEST,
        "prompt": "a fox",
        "response_format": "url",
        "watermark": False,
        "seed": 7,
        "guidance_scale": 3.5,
        "size": "512x768",
    }


def test_images_go_along_as_data_uris_in_their_order() -> None:
    first, second = reference(20, 30), Reference(b"\xff\xd8\xff", "image/jpeg", "x.jpg")
    uris = said("edit", references=(first, second))["image"]
    assert uris == [first.data_uri, second.data_uri]
    assert uris[1] == "data:image/jpeg;base64,/9j/"


def test_an_edit_of_an_earlier_image_is_said_by_the_image_alone() -> None:
    first = said("edit", references=(PICTURE,))
    assert said("edit", references=(PICTURE,), parent=Parent("t1", 2)) == first


def test_switches_and_choices_become_the_objects_of_the_wire() -> None:
    assert said(fields={"web_search": True})["tools"] == [{"type": "web_search"}]
    assert "tools" not in said(fields={"web_search": False})
    body = said(fields={"optimize_prompt": "fast", "output_format": "png", "size": None})
    assert body["optimize_prompt_options"] == {"mode": "fast"}
    assert body["output_format"] == "png"
    assert not {"web_search", "optimize_prompt", "size"} & set(body)


@pytest.mark.parametrize(
    ("sent", "count", "is_said"),
    [(1, 14, True), (14, 1, True), (7, 8, True), (1, 15, False), (15, 1, False), (8, 8, False)],
)
def test_images_sent_and_asked_for_are_fifteen_together(
    sent: int, count: int, is_said: bool
) -> None:
    facts = {"references": (PICTURE,) * sent, "count": count}
    if is_said:
        assert len(said("edit", **facts)["image"]) == sent
        return
    with pytest.raises(RequestRefused, match="15 together"):
        said("edit", **facts)


@pytest.mark.parametrize(
    "facts",
    [
        {"count": 16},
        {"fields": {"n": 2}},
        {"fields": {"negative_prompt": "blur"}},
        {"fields": {"response_format": "b64_json"}},
        {"fields": {"image": "x"}},
        {"action": "edit"},
        {"action": "vary", "references": (PICTURE,)},
        {"references": (PICTURE,)},
        {"action": "edit", "references": (PICTURE,), "mask": PICTURE},
        {"styles": (PICTURE,)},
        {"parent": Parent("t1")},
        {"button": "U1"},
        {"wire_model": OLDEST, "count": 2},
        {"wire_model": OLDEST, "action": "edit", "references": (PICTURE,)},
    ],
)
def test_what_the_route_has_no_words_for_is_refused_before_it_is_paid(
    facts: dict[str, Any],
) -> None:
    with pytest.raises(RequestRefused):
        said(**facts)


# ── What is read ──


def test_a_link_is_taken_byte_for_byte_with_its_size_and_what_it_took() -> None:
    finished = seedream.parse_submit(recorded("one", "seedream"))
    (image,) = finished.images
    assert isinstance(image, LinkedImage)
    assert image.url.endswith("&X-Tos-Signature=ab+c")
    assert "AK%2F20250908%2Fcn-beijing%2ftos" in image.url
    assert finished.used == {"size": "2048x2048"}
    assert finished.usage["generated_images"] == 1
    assert finished.usage["total_tokens"] == 16384
    assert finished.request_id == "2026020513313084131287jXTpB855"
    assert (finished.failed_members, finished.problem) == (0, "")


def test_an_image_inside_is_read_too_and_a_size_with_another_sign() -> None:
    finished = seedream.parse_submit(recorded("one_inside", "seedream"))
    assert finished.images == (InlineImage(b"\x89PNG\r\n\x1a\n\0\1"),)
    assert finished.used == {"size": "1280x720"}


@pytest.mark.parametrize(
    ("name", "images", "generated", "size"),
    [
        ("sequence", 3, 3, "3136x1344"),
        ("bare", 2, 2, None),
        ("no_usage", 1, 1, None),
        ("usage_merged", 1, 1, "2048x2048"),
        ("web_search", 1, 1, "2048x2048"),
        ("nested", 1, 1, "2048x2048"),
    ],
)
def test_what_a_gateway_leaves_out_is_counted_from_the_images(
    name: str, images: int, generated: int, size: str | None
) -> None:
    finished = seedream.parse_submit(recorded(name, "seedream"))
    assert len(finished.images) == images
    assert finished.usage["generated_images"] == generated
    assert finished.used.get("size") == size
    assert finished.failed_members == 0


def test_what_the_search_took_is_kept() -> None:
    usage = seedream.parse_submit(recorded("web_search", "seedream")).usage
    assert usage["tool_usage"] == {"web_search": 2}


def test_members_that_were_refused_do_not_cost_the_others() -> None:
    finished = seedream.parse_submit(recorded("partly", "seedream"))
    urls = [image.url for image in finished.images if isinstance(image, LinkedImage)]
    names = [url.partition("?")[0].rpartition("/")[2] for url in urls]
    assert names == ["a.jpeg", "c.jpeg"]
    assert finished.failed_members == 2
    assert finished.problem == "2 images were refused by the provider's safety rules."


def test_a_member_that_broke_is_told_from_one_that_was_refused() -> None:
    finished = seedream.parse_submit(recorded("cut_short", "seedream"))
    assert (len(finished.images), finished.failed_members) == (1, 1)
    assert finished.problem == "1 image was not made by the provider."


def test_each_reason_has_its_own_sentence_and_none_is_the_providers() -> None:
    secret = "a fox asleep sk-live0123456789"
    finished = answer(
        {"url": "https://a/b"},
        {"error": {"code": "OutputImageSensitiveContentDetected", "message": secret}},
        {"error": {"code": secret, "message": secret}},
        {"error": secret},
        {"b64_json": "!"},
        {"url": ""},
        7,
    )
    assert finished.failed_members == 6
    assert finished.problem == (
        "1 image was refused by the provider's safety rules. 3 images were not made by the "
        "provider. 2 images were sent in a form that cannot be read."
    )


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("all_refused", ContentRefused, "outputimagesensitivecontentdetected"),
        ("all_failed", RequestRefused, "internalserviceerror"),
        ("empty", ContentRefused, "empty"),
        ("error_in_200", ContentRefused, "outputimagesensitivecontentdetected"),
        ("too_small", RequestRefused, "invalidparameter"),
        ("text_refused", ContentRefused, "inputtextsensitivecontentdetected"),
        ("escaped_451", ContentRefused, "inputtextsensitivecontentdetected"),
        ("in_a_sentence_451", ContentRefused, "outputimagesensitivecontentdetected"),
        ("burst", ProviderBusy, "ratelimitexceeded.endpointrpmexceeded"),
        ("internal", ProviderSilent, "internalserviceerror"),
    ],
)
def test_where_nothing_came_the_error_says_why(
    name: str, kind: type[ProviderError], code: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        seedream.parse_submit(recorded(name, "seedream"))
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert caught.value.request_id


def test_a_refusal_among_failures_is_what_the_person_is_told() -> None:
    with pytest.raises(ContentRefused):
        answer(
            {"error": {"code": "InternalServiceError", "message": ""}},
            {"error": {"code": "OutputImageSensitiveContentDetected", "message": ""}},
        )


@pytest.mark.parametrize("entry", [None, 7, "text", ["x"], {"url": 7}, {"b64_json": "!"}])
def test_an_entry_that_is_none_is_an_answer_that_cannot_be_read(entry: Any) -> None:
    with pytest.raises(BadReply):
        answer(entry)


@pytest.mark.parametrize("size", [None, 7, "", "2K", "0x4", "2048 by 2048", {"w": 1}, "x" * 9000])
def test_a_size_that_is_none_is_left_out(size: Any) -> None:
    assert answer({"url": "https://a/b", "size": size}).used == {}


@pytest.mark.parametrize("usage", [None, [], "many", 7])
def test_usage_that_says_nothing_costs_no_image(usage: Any) -> None:
    assert answer({"url": "https://a/b"}, usage=usage).usage == {"generated_images": 1}


# ── Through the sandbox ──


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def sandbox(log: Log) -> Sandbox:
    return Sandbox(log=log, sleep=lambda seconds: None)


@pytest.fixture
def gateway(sandbox: Sandbox) -> Iterator[Gateway]:
    transport = httpx.WSGITransport(app=sandbox)
    gateway = Gateway("http://sandbox/v1", key="sk-test1234", transport=transport)
    yield gateway
    gateway.close()


def submit(gateway: Gateway, said: Brief) -> Finished:
    outcome = gateway.submit(seedream, said, deadline=30)
    assert isinstance(outcome, Finished)
    return outcome


def file_behind(sandbox: Sandbox, image: object) -> Image.Image:
    """The decoded image behind a link."""
    assert isinstance(image, LinkedImage)
    with httpx.Client(transport=httpx.WSGITransport(app=sandbox.images)) as stranger:
        return Image.open(io.BytesIO(stranger.get(image.url).content)).convert("RGB")


@PER_FAMILY
def test_every_model_makes_an_image_of_its_usual_size(
    gateway: Gateway, sandbox: Sandbox, family: Family
) -> None:
    said = brief(wire_model=family.models[0].wire_model)
    finished = submit(gateway, said)
    assert finished.used["size"] == family.fields["size"].default
    size = file_behind(sandbox, finished.images[0]).size
    assert size == parse_size(family.fields["size"].default)


def test_an_edit_shows_the_image_that_was_sent(gateway: Gateway, sandbox: Sandbox) -> None:
    fields = {"size": "1280x720"}
    model = "doubao-seedream-4-0-250828"
    facts = {"wire_model": model, "fields": fields}
    edited = submit(gateway, brief("edit", references=(reference(160, 90),), **facts))
    image = file_behind(sandbox, edited.images[0])
    red, green, _ = image.resize((1, 1)).getpixel((0, 0))
    assert red > green + 40


def test_a_series_with_refused_members_costs_only_what_came(gateway: Gateway, log: Log) -> None:
    finished = submit(gateway, brief(prompt="a fox [partly]", count=5))
    assert (len(finished.images), finished.failed_members) == (3, 2)
    assert finished.usage["generated_images"] == 3
    price = FAMILIES["seedream-5"].models[0].credits
    assert price is not None
    assert int(log.used * 1000) == 3 * price


@pytest.mark.parametrize(
    ("word", "count", "kind"),
    [
        ("busy", 1, ProviderBusy),
        ("refuse", 1, ContentRefused),
        ("withheld", 1, ContentRefused),
        ("withheld", 3, ContentRefused),
        ("fail", 1, ProviderSilent),
        ("broken", 1, ProviderSilent),
        ("money", 1, RequestRefused),
        ("error", 1, RequestRefused),
        ("html", 1, ProviderSilent),
        ("empty", 2, ContentRefused),
        ("silent", 1, ProviderSilent),
        ("524", 1, ProviderSilent),
    ],
)
def test_trouble_of_the_sandbox_comes_to_its_kind(
    gateway: Gateway, word: str, count: int, kind: type[ProviderError]
) -> None:
    with pytest.raises(ProviderError) as caught:
        submit(gateway, brief(prompt=f"a teapot [{word}]", count=count))
    assert type(caught.value) is kind
    assert "teapot" not in str(caught.value)


def test_base64_of_a_reference_is_not_printed() -> None:
    text = base64.b64encode(PICTURE.data).decode()
    call = seedream.build_submit(brief("edit", references=(PICTURE,)))
    assert text[:40] not in repr(call)
