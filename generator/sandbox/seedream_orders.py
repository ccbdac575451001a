"""From the JSON of a request to an order for Seedream, or to Ark's refusal (D1, D2, D5)."""

import base64
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image

from generator.sandbox.canvas import Size
from generator.sandbox.inputs import Choice, Number, Rule, Switch, Whole, faults, fits
from generator.sandbox.seedream_limits import COMMON, LIMITS, PRESETS, Limits
from generator.sandbox.wire import Answer, Fields, Refused, as_json

_FORMATS = {
    "png": "PNG",
    "jpeg": "JPEG",
    "webp": "WEBP",
    "bmp": "BMP",
    "tiff": "TIFF",
    "gif": "GIF",
}
_IMAGE_BYTES = 30 * 1024 * 1024
_IMAGE_PIXELS = 36_000_000
_MOST_IMAGES = 14
_TOGETHER = 15
_SEEDS = Whole(-1, 2_147_483_647)
_DATA = re.compile(r"data:image/([a-zA-Z0-9.+-]+);base64,(.*)", re.DOTALL)
_WIDE = re.compile(r"\b(wide|landscape|panorama|banner)\b", re.IGNORECASE)
_TALL = re.compile(r"\b(tall|portrait|poster)\b", re.IGNORECASE)


class ArkRefused(Refused):
    """A refusal in Ark's form: its own words, and `Request id: …` without brackets (D5, M2)."""

    def answer(self, request_id: str) -> Answer:
        """`{"error": {…}}` with a code in capitals."""
        digest = base64.b16encode(request_id.encode()).decode().lower()[:34]
        error = {
            "code": self.code,
            "message": f"{self.message} Request id: {digest}",
            "param": self.param or "",
            "type": self.kind,
        }
        return as_json({"error": error}, self.status, self.headers)


@dataclass(frozen=True, slots=True)
class Order:
    """A request that may be carried out. `images` are those that came along, as files."""

    model: str
    prompt: str
    size: Size
    count: int
    format: str
    as_link: bool
    watermark: bool
    seed: int | None
    images: tuple[bytes, ...]
    searches: bool


def check(body: Fields, *, strict: bool = True) -> Order:
    """The order that a request's JSON makes; its model must be one of `LIMITS`.

    Raises `Refused` as Ark does. When not strict, what is wrong is put right in silence.
    """
    body = {name: value for name, value in body.items() if value is not None}
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise ArkRefused(
            400,
            "The request failed because it is missing `prompt` parameter.",
            code="MissingParameter",
            kind="BadRequest",
        )
    limits = LIMITS[body["model"]]
    if strict:
        _check(body, limits)
    else:
        body = _mended(body, limits)
    return _order(body, limits)


def invalid(param: str, why: str) -> ArkRefused:
    """What Ark says of a field that it does not take."""
    message = f"The parameter `{param}` specified in the request is not valid: {why}."
    return ArkRefused(400, message, code="InvalidParameter", kind="BadRequest", param=param)


def _check(body: Fields, limits: Limits) -> None:
    for name in body:
        if name not in COMMON | limits.plain:
            raise invalid(name, "it is not supported by the current model")
    rules = _rules(limits)
    plain = {name: said for name, said in body.items() if name in rules}
    for name, why in faults(plain, rules, _why).items():
        raise invalid(name, why)
    for name, look in _LOOKS.items():
        if name in body:
            look(body[name], limits)
    if body.get("stream"):
        raise Refused(501, "the sandbox does not stream", code="api_not_implemented")
    _together(body)


def _mended(body: Fields, limits: Limits) -> Fields:
    """The same body without the fields that a strict reading would refuse."""
    kept: Fields = {"model": body["model"], "prompt": body["prompt"]}
    for name, value in body.items():
        try:
            _check({**kept, name: value}, limits)
        except Refused:
            continue
        kept[name] = value
    return kept


def _together(body: Fields) -> None:
    options = body.get("sequential_image_generation_options")
    if options is not None and body.get("sequential_image_generation") != "auto":
        why = "it is only allowed when `sequential_image_generation` is `auto`"
        raise invalid("sequential_image_generation_options", why)
    sent = len(_listed(body.get("image", [])))
    if sent + _asked_for(body) > _TOGETHER:
        why = f"the sum of input images and output images must not exceed {_TOGETHER}"
        raise invalid("sequential_image_generation_options.max_images", why)


def _asked_for(body: Fields) -> int:
    if body.get("sequential_image_generation") != "auto":
        return 1
    options: Fields = body.get("sequential_image_generation_options", {})
    most: int = options.get("max_images", 15)
    return most


# ── One field each ──


def _rules(limits: Limits) -> dict[str, Rule]:
    return {
        "watermark": Switch(),
        "response_format": Choice(("url", "b64_json")),
        "output_format": Choice(limits.formats),
        "sequential_image_generation": Choice(("auto", "disabled")),
        "stream": Switch(),
        "seed": _SEEDS,
        "guidance_scale": Number(1, 10),
    }


def _why(said: object, rule: Rule | None) -> str:
    match rule:
        case Choice(words):
            return f"it must be one of {words}"
        case Whole(least, most):
            return f"it must be a whole number from {least} to {most}"
        case Number(least, most):
            return f"it must be a number from {least} to {most}"
        case _:
            return "it must be a boolean"


def _look_at_size(said: object, limits: Limits) -> None:
    if not isinstance(said, str):
        raise invalid("size", "it must be a string")
    if said in limits.presets:
        return
    found = re.fullmatch(r"([1-9]\d{1,4})x([1-9]\d{1,4})", said)
    if found is None:
        raise invalid("size", "it must be WIDTHxHEIGHT or one of the presets of the model")
    width, height = int(found[1]), int(found[2])
    if limits.sides:
        least, most = limits.sides
        if not (least <= width <= most and least <= height <= most):
            raise invalid("size", f"image size must be between {least}x{least} and {most}x{most}")
    if width * height < limits.least_pixels:
        raise invalid("size", f"image size must be at least {limits.least_pixels} pixels")
    if width * height > 16_777_216:
        raise invalid("size", "image size must be at most 16777216 pixels")
    if max(width, height) > 16 * min(width, height):
        raise invalid("size", "the aspect ratio must be between 1/16 and 16")


def _look_at_images(said: object, limits: Limits) -> None:
    images = _listed(said)
    if not 1 <= len(images) <= _MOST_IMAGES:
        raise invalid("image", f"it must hold 1 to {_MOST_IMAGES} images")
    for image in images:
        _look_at_image(image)


def _listed(said: object) -> list[object]:
    """Upstream also takes a single image without a list."""
    return said if isinstance(said, list) else [said]


def _look_at_image(said: object) -> None:
    if isinstance(said, str) and said.startswith(("https://", "http://")):
        return
    data = _file(said)
    if data is None:
        raise invalid("image", "it must be a URL or data:image/<format>;base64,<data>")
    if len(data) > _IMAGE_BYTES:
        raise invalid("image", "an image must not be larger than 30 MB")
    try:
        image = Image.open(io.BytesIO(data), formats=list(_FORMATS.values()))
        width, height = image.size
        if width * height > _IMAGE_PIXELS:
            raise invalid("image", "an image must not have more than 36000000 pixels")
        image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise invalid("image", "an image cannot be decoded") from error
    if min(width, height) <= 14 or max(width, height) > 16 * min(width, height):
        raise invalid("image", "sides must be longer than 14 pixels, and the ratio 1/16 to 16")


def _file(said: object) -> bytes | None:
    """The bytes of a `data:` URI whose format is known and in lower case."""
    found = _DATA.fullmatch(said) if isinstance(said, str) else None
    if found is None or found[1] not in _FORMATS:
        return None
    try:
        return base64.b64decode(found[2], validate=True)
    except ValueError:
        return None


def _look_at_options(said: Any, limits: Limits) -> None:
    known = isinstance(said, dict) and not set(said) - {"max_images"}
    if not known or not fits(said.get("max_images", 15), Whole(1, 15)):
        raise invalid("sequential_image_generation_options", "max_images must be 1 to 15")


def _look_at_mode(said: object, limits: Limits) -> None:
    if not isinstance(said, dict) or said.get("mode") not in limits.modes or len(said) != 1:
        raise invalid("optimize_prompt_options", f"mode must be one of {limits.modes}")


def _look_at_tools(said: object, limits: Limits) -> None:
    if said != [{"type": "web_search"}]:
        raise invalid("tools", "only web_search is supported")


_LOOKS: dict[str, Callable[[Any, Limits], None]] = {
    "size": _look_at_size,
    "image": _look_at_images,
    "sequential_image_generation_options": _look_at_options,
    "optimize_prompt_options": _look_at_mode,
    "tools": _look_at_tools,
}


# ── The order ──


def _order(body: Fields, limits: Limits) -> Order:
    files = (_file(said) for said in _listed(body.get("image", [])))
    images = tuple(data for data in files if data is not None)
    seed = body.get("seed", -1) if not limits.is_new else -1
    return Order(
        model=body["model"],
        prompt=body["prompt"],
        size=_size(body, limits, images),
        count=_asked_for(body),
        format=body.get("output_format", "jpeg"),
        as_link=body.get("response_format", "url") == "url",
        watermark=body.get("watermark", True),
        seed=seed if seed >= 0 else None,
        images=images,
        searches="tools" in body,
    )


def _size(body: Fields, limits: Limits, images: tuple[bytes, ...]) -> Size:
    said = body.get("size", "2048x2048" if limits.is_new else "1024x1024")
    if said not in PRESETS:
        width, _, height = said.partition("x")
        return int(width), int(height)
    sizes = PRESETS[said]
    if images:
        width, height = Image.open(io.BytesIO(images[0])).size
        return min(sizes, key=lambda size: abs(size[0] / size[1] - width / height))
    square, _, _, wide, tall, *_ = sizes
    if _WIDE.search(body["prompt"]):
        return wide
    return tall if _TALL.search(body["prompt"]) else square
