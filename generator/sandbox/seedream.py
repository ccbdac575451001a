"""Seedream on `POST /v1/images/generations`: series, members that fail, marked images (D)."""

import base64
import io

from PIL import Image, ImageDraw, ImageFont

from generator.sandbox import catalogue, paint, retouch, seedream_orders, trouble
from generator.sandbox.canvas import WHITE, Size
from generator.sandbox.desk import Asked, Desk, file_of
from generator.sandbox.gallery import Wish, encode
from generator.sandbox.seedream_limits import LIMITS
from generator.sandbox.seedream_orders import ArkRefused, Order
from generator.sandbox.wire import Answer, Fields, as_json

_PIXELS_PER_TOKEN = 256
_MARK = "AI generated"


def speaks_for(model: str) -> bool:
    """Whether this module answers for a model of the route."""
    return model in LIMITS


def carry_out(desk: Desk, asked: Asked) -> Answer:
    """The answer to an admitted request for one of its models."""
    order = seedream_orders.check(asked.body, strict=desk.house.strict)
    if asked.word == "withheld":
        return _withheld(desk, asked, order)
    desk.stumble(asked.word, _sensitive("InputTextSensitiveContentDetected", "input text"))
    if asked.word == "fail":
        message = "The service encountered an unexpected internal error."
        raise ArkRefused(500, message, code="InternalServiceError", kind="InternalServerError")
    made = order.count - len(_refused(order, asked.word))
    # What is billed is what was made (D3).
    dollars = catalogue.cost(order.model, "", order.size, made, (0, 0))
    return desk.carry_out(asked, dollars, lambda turn, word: _painted(desk, order, turn, word))


def _withheld(desk: Desk, asked: Asked, order: Order) -> Answer:
    """All was made and none may be shown: an error, or a series of which every member is one."""
    desk.pace.wait_until(asked.started + desk.house.delay)
    if order.count == 1:
        raise _sensitive("OutputImageSensitiveContentDetected", "output image")
    entries: list[Fields] = [{"error": _member_error()} for _ in range(order.count)]
    return as_json(_body(order, entries, desk.pace.now()))


def _sensitive(code: str, what: str) -> ArkRefused:
    message = f"The request failed because the {what} may contain sensitive information."
    return ArkRefused(400, message, code=code, kind="BadRequest")


def _refused(order: Order, word: str) -> set[int]:
    """Which members of a series the safety rules withhold: every second one."""
    return set(range(1, order.count, 2)) if word == "partly" else set()


def _painted(desk: Desk, order: Order, turn: int, word: str) -> Answer:
    """The answer of status 200, spoiled as the word of trouble says; `turn` counts repeats."""
    as_link = order.as_link or word in trouble.LINKS
    refused = _refused(order, word)
    entries: list[Fields] = []
    for index in range(0 if word == "empty" else order.count):
        if index in refused:
            entries.append({"error": _member_error()})
            continue
        wish = _wish(desk, order, _seed(order, index, turn))
        entries.append(
            {"url": desk.link(wish, order.prompt, word)}
            if as_link
            else {"b64_json": base64.b64encode(file_of(desk.gallery, wish, word)).decode()}
        )
        entries[-1]["size"] = f"{order.size[0]}x{order.size[1]}"
    reply = as_json(_body(order, entries, desk.pace.now()))
    return reply if as_link else desk.pace.spoiled(reply, word)


def _seed(order: Order, index: int, turn: int) -> int:
    """What drives the painter: with a seed of one's own the same picture comes each time."""
    again = turn if order.seed is None else f"seed {order.seed}"
    return paint.seed_for(order.prompt, order.model, order.size, index, again)


def _member_error() -> Fields:
    refusal = _sensitive("OutputImageSensitiveContentDetected", "output image")
    return {"code": refusal.code, "message": refusal.message}


def _wish(desk: Desk, order: Order, seed: int) -> Wish:
    """What to paint: over the first image that came along, if one did, and with the mark."""
    if not order.watermark:
        if not order.images:
            return Wish(seed, order.size, order.format)
        return desk.retouched(order.images[0], None, seed, size=order.size, format=order.format)
    if order.images:
        data, _ = retouch.retouched(order.images[0], None, seed, order.size, "png")
        image = Image.open(io.BytesIO(data)).convert("RGB")
    else:
        image = paint.paint(seed, order.size)
    _mark(image)
    return desk.gallery.keep(encode(image, order.format), order.size, order.format)


def mark_box(size: Size) -> tuple[int, int, int, int]:
    """Where the mark stands: (left, top, right, bottom), in the lower right corner."""
    width, height = size
    unit = max(8, min(size) // 20)
    return max(0, width - 6 * unit), height - unit, width, height


def _mark(image: Image.Image) -> None:
    """Ark's own mark, printed where everybody sees it (D2: `watermark`)."""
    left, top, right, bottom = mark_box(image.size)
    pen = ImageDraw.Draw(image)
    pen.rectangle((left, top, right, bottom), fill=WHITE)
    font = ImageFont.load_default((bottom - top) * 0.7)
    pen.text((left + (bottom - top) // 3, top), _MARK, fill=(0, 0, 0), font=font)


def _body(order: Order, entries: list[Fields], now: float) -> Fields:
    made = sum("error" not in entry for entry in entries)
    tokens = made * order.size[0] * order.size[1] // _PIXELS_PER_TOKEN
    usage: Fields = {"generated_images": made, "output_tokens": tokens, "total_tokens": tokens}
    body: Fields = {"model": order.model, "created": int(now), "data": entries}
    if order.searches:
        body["tools"] = [{"type": "web_search"}]
        usage["tool_usage"] = {"web_search": 1}
    return {**body, "usage": usage}
