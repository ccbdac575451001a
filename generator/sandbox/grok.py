"""Grok Imagine on `/v1/images/generations` and `/v1/images/edits` (I3, M2).

xAI's own words: a shape and a resolution in place of a size, JPEG, an answer without `created`,
errors as a code that is a sentence beside a string, and images that were withheld in an answer of
status 200. How the gateway wants edits is unproven (I3): both forms are taken.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from generator.sandbox import catalogue, paint, retouch, trouble
from generator.sandbox.canvas import Size
from generator.sandbox.desk import Asked, Desk, Said, in_base64
from generator.sandbox.forms import Form, Upload, from_data_uri
from generator.sandbox.gallery import Wish
from generator.sandbox.wire import Answer, Fields, Refused, as_json

MODELS = frozenset({"grok-imagine-image", "grok-imagine-image-quality"})
RATIOS = (
    "auto", "1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16", "2:1", "1:2", "20:9", "9:20",
    "19.5:9", "9:19.5",
)  # fmt: skip
SIDES = {"1k": 1024, "2k": 2048}
TICKS = 10_000_000_000  # of a US dollar
_MOST, _MOST_IMAGES = 10, 3
_IMAGE_BYTES = 20_000_000
_LONGEST_PROMPT = 4_000  # unpublished: the least that a client may count on
_FIELDS = {"model", "prompt", "n", "aspect_ratio", "resolution", "response_format", "user"}
_CHOICES: dict[str, Iterable[str]] = {
    "aspect_ratio": RATIOS,
    "resolution": SIDES,
    "response_format": ("url", "b64_json"),
}
_WITHHELD: Fields = {"respect_moderation": False}
_NOT_SHOWN = "Generated image rejected by content moderation."


@dataclass(frozen=True, slots=True)
class Order:
    """A request that may be carried out. `base` is the image to paint over, or None; `withheld`
    are the places of images that are not shown and not charged."""

    model: str
    prompt: str
    count: int
    size: Size
    as_link: bool
    base: bytes | None = None
    withheld: frozenset[int] = frozenset()

    @property
    def dollars(self) -> Decimal:
        """What it is charged."""
        shown = self.count - len(self.withheld)
        return catalogue.cost(self.model, "", self.size, shown, (0, 0))


def speaks_for(model: str) -> bool:
    """Whether this module answers for a model."""
    return model in MODELS


def carry_out(desk: Desk, asked: Asked) -> Answer:
    """The answer to an admitted request for new images."""
    return _painted(desk, asked, _order(_checked(asked.body, strict=desk.house.strict), None))


def carry_out_edit(desk: Desk, asked: Asked, form: Form) -> Answer:
    """The answer to an admitted request for images that are painted over the first of a form."""
    strict = desk.house.strict
    body, images = _from_json(form, strict=strict) if form.is_json else _from_parts(form)
    return _painted(desk, asked, _order(_checked(body, strict=strict), _first(images)))


def _painted(desk: Desk, asked: Asked, order: Order) -> Answer:
    match asked.word:
        case "refuse":
            raise _wrong(_NOT_SHOWN)
        case "withheld":
            # Looked at when it is done: the answer is a good one, and what it is about is missing.
            return as_json(_body([_WITHHELD] * order.count, Decimal(0)))
        case "partly":
            order = replace(order, withheld=frozenset(range(1, order.count, 2)))
        case word:
            desk.stumble(word, Refused(400, _NOT_SHOWN))
    return desk.carry_out(asked, order.dollars, lambda turn, word: _answer(desk, order, turn, word))


# ── What is asked ──


def _checked(body: Fields, *, strict: bool) -> Fields:
    """The fields, each as it must be. Raises `Said`; when not strict, wrong ones are left out."""
    said = {name: value for name, value in body.items() if value is not None}
    faults = {name: fault for name, value in said.items() if (fault := _fault(name, value))}
    prompt = said.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise _wrong("Prompt is required and must be a non-empty string.")
    if strict and len(prompt) > _LONGEST_PROMPT:
        raise _wrong(f"Prompt length is larger than the maximum allowed length {_LONGEST_PROMPT}.")
    if strict and faults:
        raise _wrong(next(iter(faults.values())))
    return {name: value for name, value in said.items() if name not in faults}


def _fault(name: str, value: object) -> str:
    if name not in _FIELDS:
        return f"Argument not supported: {name}"
    if name == "n":
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
            return f"The number of images must be between 1 and {_MOST}."
    elif name in _CHOICES and (not isinstance(value, str) or value not in _CHOICES[name]):
        return f"Invalid {name}: expected one of {', '.join(_CHOICES[name])}."
    return ""


def _order(body: Fields, base: bytes | None) -> Order:
    return Order(
        model=body["model"],
        prompt=body["prompt"],
        count=body.get("n", 1),
        size=_size(body.get("aspect_ratio", "auto"), body.get("resolution", "1k"), base),
        as_link=body.get("response_format", "url") == "url",
        base=base,
    )


def _size(ratio: str, resolution: str, base: bytes | None) -> Size:
    """Sides in steps of 16, together about as many pixels as the square of the resolution.

    Without a shape of one's own an edit takes that of its image.
    """
    if ratio != "auto":
        width, height = (float(part) for part in ratio.split(":"))
    else:
        width, height = retouch.opened(base).size if base is not None else (1, 1)
    side, shape = SIDES[resolution], math.sqrt(width / height)
    return round(side * shape / 16) * 16, round(side / shape / 16) * 16


# ── The images that came along ──


def _from_json(form: Form, *, strict: bool) -> tuple[Fields, list[Upload]]:
    """xAI's own form: `image`, or up to three `images`, each `{"type": "image_url", "url": …}`."""
    body = {name: said for name, said in form.fields.items() if name not in {"image", "images"}}
    one, several = form.fields.get("image"), form.fields.get("images")
    if one is not None and several is not None:
        raise _wrong("Only one of image and images may be given.")
    entries = [one] if one is not None else several
    if not isinstance(entries, list):
        raise _wrong("An image is required.")
    try:
        return body, [_linked(entry, strict=strict) for entry in entries]
    except (KeyError, ValueError):
        raise _wrong("Images must be given as objects with a url.") from None


def _linked(entry: object, *, strict: bool) -> Upload:
    if not isinstance(entry, dict) or entry.get("type", "image_url") != "image_url":
        raise ValueError("no object, or another kind of it")
    if strict and not entry.keys() <= {"type", "url"}:
        raise ValueError("more than it has")
    return from_data_uri(entry["url"], "image")


def _from_parts(form: Form) -> tuple[Fields, list[Upload]]:
    body: Fields = dict(form.fields)
    if str(body.get("n", "")).isdecimal():
        body["n"] = int(body["n"])
    if len(form.files) != len(form.named("image")):
        raise _wrong("Argument not supported: mask")
    return body, form.named("image")


def _first(images: list[Upload]) -> bytes:
    if not 1 <= len(images) <= _MOST_IMAGES:
        raise _wrong(f"Between 1 and {_MOST_IMAGES} images are required.")
    for image in images:
        try:
            fits = retouch.opened(image.data).format in {"PNG", "JPEG", "WEBP"}
        except Refused:
            fits = False
        if not fits or len(image.data) > _IMAGE_BYTES:
            raise _wrong("Unsupported or invalid image.")
    return images[0].data


# ── What is answered ──


def _answer(desk: Desk, order: Order, turn: int, word: str) -> Answer:
    as_link = order.as_link or word in trouble.LINKS
    entries = [
        _WITHHELD if place in order.withheld else _entry(desk, order, wish, word, as_link=as_link)
        for place, wish in enumerate(_wishes(desk, order, turn))
    ]
    reply = as_json(_body([] if word == "empty" else entries, order.dollars))
    return reply if as_link else desk.pace.spoiled(reply, word)


def _entry(desk: Desk, order: Order, wish: Wish, word: str, *, as_link: bool) -> Fields:
    if as_link:
        image = {"url": desk.link(wish, order.prompt, word)}
    else:
        image = {"b64_json": in_base64(desk.gallery, wish, word)}
    return {**image, "mime_type": "image/jpeg", "respect_moderation": True}


def _wishes(desk: Desk, order: Order, turn: int) -> Iterator[Wish]:
    for place in range(order.count):
        seed = paint.seed_for(order.prompt, order.model, order.size, place, turn)
        if order.base is None:
            yield Wish(seed, order.size, "jpeg")
        else:
            yield desk.retouched(order.base, None, seed, size=order.size, format="jpeg")


def _body(entries: list[Fields], dollars: Decimal) -> Fields:
    return {"data": entries, "usage": {"cost_in_usd_ticks": int(dollars * TICKS)}}


def _wrong(text: str) -> Said:
    """xAI's form of an error: a sentence as `code`, and a string (M2)."""
    return Said(as_json({"code": "Client specified an invalid argument", "error": text}, 400))
