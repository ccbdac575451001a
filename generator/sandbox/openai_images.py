"""`POST /v1/images/generations`: what a carried-out order is answered with (B3, B5)."""

from dataclasses import replace
from decimal import Decimal

from generator.sandbox import catalogue, paint, trouble
from generator.sandbox.gallery import Gallery, Wish, bomb, encode64
from generator.sandbox.links import Links
from generator.sandbox.orders import Order
from generator.sandbox.pace import Pace
from generator.sandbox.wire import Answer, Fields, Refused, as_json

PRIVATE = "http://169.254.169.254/latest/meta-data/"
GARBAGE = b"This is no image at all. " * 40


def refusal(order: Order) -> Refused:
    """The safety refusal in the words of the model's family (B6)."""
    words = "Your request was rejected by the safety system."
    match order.family:
        case "gpt":
            details = {"moderation_stage": "input", "categories": ["violence"]}
            return Refused(
                400,
                f"{words} safety_violations=[violence].",
                code="moderation_blocked",
                kind="image_generation_user_error",
                param=None,
                more={"moderation_details": details},
            )
        case "dall-e":
            return Refused(
                400,
                f"{words} Your prompt may contain text that is not allowed by it.",
                code="content_policy_violation",
                kind="invalid_request_error",
                param=None,
            )
        case _:
            return Refused(400, "sensitive words detected", code="sensitive_words_detected")


def tokens(order: Order) -> tuple[int, int]:
    """(input, output) tokens of the whole order; zeros where images are priced each."""
    if order.family != "gpt":
        return 0, 0
    each = catalogue.output_tokens(order.model, order.quality, order.size)
    return 8 + len(order.prompt) // 4, each * order.count


def cost(order: Order) -> Decimal:
    """US dollars that the order is charged."""
    return catalogue.cost(order.model, order.quality, order.size, order.count, tokens(order))


def wishes(order: Order, turn: int) -> list[Wish]:
    """What to paint: no two alike, and another picture each time the same is asked for again."""
    return [
        Wish(
            seed=paint.seed_for(order.prompt, order.model, order.size, index, turn),
            size=order.size,
            format=order.format,
            compression=order.compression,
            transparent=order.background == "transparent",
        )
        for index in range(order.count)
    ]


def answer(
    order: Order, turn: int, word: str, gallery: Gallery, links: Links, origin: str, pace: Pace
) -> Answer:
    """The answer of status 200, spoiled as the word of trouble says; `turn` counts repeats."""
    as_link = order.as_link or word in trouble.LINKS
    if word == "empty":
        entries: list[Fields] = []
    elif as_link:
        entries = [_link(order, wish, word, links, origin) for wish in wishes(order, turn)]
    else:
        entries = [{"b64_json": _base64(wish, word, gallery)} for wish in wishes(order, turn)]
    reply = as_json(_body(order, [_with_twins(order, entry) for entry in entries], pace.now()))
    return reply if as_link else pace.spoiled(reply, word)


def file_of(wish: Wish, word: str, gallery: Gallery) -> bytes:
    """The image file of a wish, or what the word of trouble puts in its place."""
    match word:
        case "garbage":
            return GARBAGE
        case "bomb":
            return bomb()
        case "lies":
            other = "jpeg" if wish.format != "jpeg" else "png"
            return gallery.picture(replace(wish, format=other, transparent=False)).data
        case _:
            return gallery.picture(wish).data


def _base64(wish: Wish, word: str, gallery: Gallery) -> str:
    if word in trouble.SPOILED_FILE:
        return encode64(file_of(wish, word, gallery))
    return gallery.picture(wish).text


def _link(order: Order, wish: Wish, word: str, links: Links, origin: str) -> Fields:
    if word == "private":
        return {"url": PRIVATE}
    spoils = word in trouble.SPOILED_FILE | trouble.SPOILED_BODY | {"redirect"}
    fault = word if spoils else ""
    expired = word == "expired"
    return {"url": links.make(origin, wish, order.prompt, fault=fault, expired=expired)}


def _with_twins(order: Order, entry: Fields) -> Fields:
    """An entry with what stands beside the image: some of the family send all keys, empty."""
    if order.model == "dall-e-3":
        mood = "vivid, dramatic light" if order.style == "vivid" else "calm, natural light"
        revised = f"{order.prompt.rstrip(' .')}. The scene is shown in {mood}."
        return {"revised_prompt": revised, **entry}
    if order.model in {"dall-e-2", "qwen-image", "gpt-image-1.5"}:
        return {"url": "", "b64_json": "", "revised_prompt": "", **entry}
    return entry


def _body(order: Order, entries: list[Fields], now: float) -> Fields:
    body: Fields = {"created": int(now), "data": entries}
    if order.family != "gpt":
        return body
    width, height = order.size
    echo = {
        "background": order.background,
        "output_format": order.format,
        "quality": order.quality,
        "size": f"{width}x{height}",
    }
    return {**body, **echo, "usage": _usage(order)}


def _usage(order: Order) -> Fields:
    """One of the three shapes of B5, by model."""
    given, made = tokens(order)
    total = given + made
    plain: Fields = {
        "input_tokens": given,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": given},
        "output_tokens": made,
        "total_tokens": total,
    }
    if order.model in {"gpt-image-1", "gpt-image-1-mini"}:
        return plain
    if order.model != "gpt-image-1.5":
        return {**plain, "output_tokens_details": {"image_tokens": made, "text_tokens": 0}}
    return {
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "prompt_tokens_details": {"cached_tokens_details": {}},
        "completion_tokens_details": {},
        **plain,
        "claude_cache_creation_5_m_tokens": 0,
        "claude_cache_creation_1_h_tokens": 0,
    }
