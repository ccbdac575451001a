"""`POST /v1/images/generations`: what a carried-out order is answered with (B3, B5)."""

from collections.abc import Callable, Iterable
from decimal import Decimal

from generator.sandbox import catalogue, limits, openai_streams, orders, paint, trouble
from generator.sandbox.desk import Asked, Desk, in_base64
from generator.sandbox.gallery import Wish
from generator.sandbox.orders import Order
from generator.sandbox.wire import Answer, Fields, Refused, as_json


def refusal(order: Order, word: str = "") -> Refused:
    """The safety refusal in the words of the model's family (B6).

    GPT image models say whether it was the prompt, or the image after it was made (`withheld`).
    """
    words = "Your request was rejected by the safety system."
    match order.family:
        case "gpt":
            stage = "output" if word == "withheld" else "input"
            details = {"moderation_stage": stage, "categories": ["violence"]}
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


def cost(order: Order, spent: tuple[int, int]) -> Decimal:
    """US dollars that the order is charged; `spent` are its (input, output) tokens."""
    return catalogue.cost(order.model, order.quality, order.size, order.count, spent)


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


def speaks_for(model: str) -> bool:
    """Whether this module answers for a model of the route."""
    return limits.limits_of(model) is not None


def carry_out(desk: Desk, asked: Asked) -> Answer:
    """The answer to an admitted request for one of its models."""
    house = desk.house
    order = orders.check(asked.body, strict=house.strict, refuse_format=house.refuse_format)
    desk.stumble(asked.word, refusal(order, asked.word))
    return desk.carry_out(
        asked,
        cost(order, tokens(order)),
        lambda turn, word: painted(desk, order, wishes(order, turn), word, _usage),
    )


def painted(
    desk: Desk, order: Order, wishes: Iterable[Wish], word: str, usage: Callable[[Order], Fields],
    kind: str = "image_generation",
) -> Answer:  # fmt: skip
    """The answer of status 200, spoiled as the word of trouble says.

    `usage` tells what an order takes; `kind` is what the events of a stream begin with. One wish
    at a time: what the gallery keeps of large ones would not last for ten.
    """
    if order.streams:
        events = openai_streams.events(desk, order, wishes, word, usage, kind)
        return desk.pace.spoiled(events, word)
    as_link = order.as_link or word in trouble.LINKS
    if word == "empty":
        entries: list[Fields] = []
    elif as_link:
        entries = [{"url": desk.link(wish, order.prompt, word)} for wish in wishes]
    else:
        entries = [{"b64_json": in_base64(desk.gallery, wish, word)} for wish in wishes]
    entries = [_with_twins(order, entry) for entry in entries]
    reply = as_json(_body(order, entries, usage(order), desk.pace.now()))
    return reply if as_link else desk.pace.spoiled(reply, word)


def _with_twins(order: Order, entry: Fields) -> Fields:
    """An entry with what stands beside the image: some of the family send all keys, empty."""
    if order.model == "dall-e-3":
        mood = "vivid, dramatic light" if order.style == "vivid" else "calm, natural light"
        revised = f"{order.prompt.rstrip(' .')}. The scene is shown in {mood}."
        return {"revised_prompt": revised, **entry}
    if order.model in {"dall-e-2", "qwen-image", "gpt-image-1.5"}:
        return {"url": "", "b64_json": "", "revised_prompt": "", **entry}
    return entry


def _body(order: Order, entries: list[Fields], usage: Fields, now: float) -> Fields:
    body: Fields = {"created": int(now), "data": entries}
    if order.family != "gpt":
        return body
    return {**body, **order.echo, "usage": usage}


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
    return merged_usage(plain)


def merged_usage(plain: Fields) -> Fields:
    """The third shape of B5: the provider's own words among the gateway's."""
    return {
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "prompt_tokens_details": {"cached_tokens_details": {}},
        "completion_tokens_details": {},
        **plain,
        "claude_cache_creation_5_m_tokens": 0,
        "claude_cache_creation_1_h_tokens": 0,
    }
