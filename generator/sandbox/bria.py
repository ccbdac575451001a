"""`/bria`: images and drawings from text, answered at once (H1, H2). Edits are `bria_edits`."""

from decimal import Decimal
from typing import Any

from generator.sandbox import bria_edits, catalogue, paint
from generator.sandbox.bria_form import SEED, BriaRefused, checked, moderated
from generator.sandbox.canvas import Size
from generator.sandbox.desk import Asked, Desk
from generator.sandbox.gallery import Wish
from generator.sandbox.inputs import Choice, Number, Rule, Switch, Whole, Words, sized
from generator.sandbox.wire import Answer, Fields, Refused, Visit, as_json

RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9")
_NEVER = 10 * 365 * 86400.0  # seconds
_BASE: dict[str, Rule] = {
    "prompt": Words(2000),
    "num_results": Whole(1, 4),
    "aspect_ratio": Choice(RATIOS),
    "seed": SEED,
    "negative_prompt": Words(1000),
    "steps_num": Whole(20, 50),
    "text_guidance_scale": Number(1, 10),
    "medium": Choice(("photography", "art")),
    "sync": Switch(),
}
_SWITCHES = (
    "prompt_enhancement",
    "enhance_image",
    "prompt_content_moderation",
    "content_moderation",
    "ip_signal",
)
_GUIDANCE = (
    "controlnet_canny",
    "controlnet_depth",
    "controlnet_recoloring",
    "controlnet_color_grid",
)
_IMAGE_RULES: dict[str, Rule] = {**_BASE, **{name: Switch() for name in _SWITCHES}}
# The page calls guidance_method_2_scale required, which is surely a slip (H2).
_VECTOR_RULES: dict[str, Rule] = {
    **_BASE,
    **{f"guidance_method_{n}": Choice(_GUIDANCE) for n in (1, 2)},
    **{f"guidance_method_{n}_scale": Number(0, 1) for n in (1, 2)},
}


def answer(desk: Desk, visit: Visit, path: list[str]) -> Answer | None:
    """The answer to whatever is said to Bria, if this is such an address."""
    match visit.method, path:
        case "POST", ["bria", "text-to-image"]:
            return _images(desk, _received(desk, visit))
        case "POST", ["bria", "text-to-vector"]:
            return _vectors(desk, _received(desk, visit))
        case "POST", ["bria", "image", "edit", action]:
            return bria_edits.submit(desk, _received(desk, visit), action)
        case "GET", ["bria", id]:
            return bria_edits.look(desk, visit, id)
        case _, ["bria", *_]:
            desk.look(visit)
            raise BriaRefused(404, "Not Found")
        case _:
            return None


def _received(desk: Desk, visit: Visit) -> Asked:
    return desk.receive(visit, lambda body: body.get("prompt"))


def _images(desk: Desk, asked: Asked) -> Answer:
    """Final links, whatever `sync` says (H1)."""
    body = checked(asked.body, _IMAGE_RULES, needed=("prompt",), strict=desk.house.strict)
    if asked.word != "withheld":
        desk.stumble(asked.word, moderated())
    count = body.get("num_results", 4)
    if asked.word == "withheld":
        return _said([_blocked()] * count)

    def made(turn: int, word: str) -> Answer:
        seeds = [] if word == "empty" else _seeds(body, "bria", count, turn)
        return _said(_members(desk, asked, body, seeds, format="png"), body)

    return desk.carry_out(asked, _price(desk, "bria", body, asked.word), made)


def _vectors(desk: Desk, asked: Asked) -> Answer:
    """Links at once, and the drawings behind them later, unless `sync` is asked for (H2)."""
    body = checked(asked.body, _VECTOR_RULES, needed=("prompt",), strict=desk.house.strict)
    count = body.get("num_results", 4)
    if asked.word == "withheld":
        return _said([_blocked()] * count)
    desk.stumble(asked.word, moderated())
    if asked.word == "empty":
        return _said([])
    if asked.word == "fail":
        raise Refused(500, "do request failed", code="do_request_failed")
    task = desk.begin(asked, _price(desk, "bria-vector", body, asked.word), None)
    since = task.ready
    if task.word in {"stuck", "odd", "gone"}:
        since += _NEVER
    elif body.get("sync"):
        desk.pace.wait_until(task.ready)
    seeds = _seeds(body, "bria-vector", count, task.turn)
    return _said(_members(desk, asked, body, seeds, format="svg", since=since), body)


def _price(desk: Desk, model: str, body: Fields, word: str) -> Decimal:
    count = body.get("num_results", 4)
    paid = count - count // 2 if word == "partly" else count
    return catalogue.cost(model, "", (1, 1), paid, (0, 0))


def _seeds(body: Fields, model: str, count: int, turn: int) -> list[int]:
    first = body.get("seed")
    if first is None:
        first = paint.seed_for(body["prompt"], model, turn) % 2**31
    return [(first + number) % 2**31 for number in range(count)]


def _members(
    desk: Desk, asked: Asked, body: Fields, seeds: list[int], *, format: str, since: float = 0
) -> list[Fields]:
    size = _size(body)
    members = []
    for number, seed in enumerate(seeds):
        if asked.word == "partly" and number % 2:
            members.append(_blocked())
            continue
        wish = Wish(paint.seed_for(asked.prompt, "bria", seed), size, format)
        link = desk.link(wish, asked.prompt, asked.word, since=since)
        uuid = f"{paint.seed_for(asked.prompt, seed):016x}_{seed}"
        members.append({"urls": [link], "seed": seed, "uuid": uuid})
    return members


def _size(body: Fields) -> Size:
    return sized(body.get("aspect_ratio") or "1:1", 1024 * 1024, 8)


def _blocked() -> Fields:
    return {"blocked": True, "description": "The image was blocked by content moderation"}


def _said(members: list[Fields], body: Fields | None = None) -> Answer:
    said: dict[str, Any] = {"result": members}
    if body and body.get("ip_signal"):
        said["warning"] = "The prompt may contain intellectual property"
    return as_json(said)
