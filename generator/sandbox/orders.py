"""From the JSON of a request to an order, or to the refusal that the real ones give (B6).

Two voices refuse: the gateway before it asks anyone (`comet_api_error`, often with status 500
and `invalid_request`), and the provider behind it (`invalid_request_error`, status 400).
"""

import re
from dataclasses import dataclass

from generator.sandbox.canvas import Size
from generator.sandbox.limits import Limits, limits_of
from generator.sandbox.wire import Fields, Refused

# GPT Image 2: 576x1024 was refused; nothing below 1024x640 is known to work.
_LEAST_PIXELS, _MOST_PIXELS = 655_360, 3840 * 2160
_CHOICES = {
    "output_format": ("png", "jpeg", "webp"),
    "background": ("transparent", "opaque", "auto"),
    "moderation": ("auto", "low"),
    "style": ("vivid", "natural"),
    "response_format": ("url", "b64_json"),
    "input_fidelity": ("low", "high"),
}
_RANGES = {"output_compression": (0, 100), "partial_images": (0, 3)}


@dataclass(frozen=True, slots=True)
class Order:
    """A request that may be carried out, every `auto` resolved."""

    model: str
    family: str
    prompt: str
    count: int
    size: Size
    quality: str
    format: str
    compression: int
    background: str
    as_link: bool
    style: str
    streams: bool = False
    drafts: int = 0  # partial images before each whole one

    @property
    def echo(self) -> Fields:
        """What an answer repeats of it (B3)."""
        width, height = self.size
        return {
            "background": self.background,
            "output_format": self.format,
            "quality": self.quality,
            "size": f"{width}x{height}",
        }


def check(
    body: Fields, limits: Limits | None = None, *, strict: bool = True, refuse_format: bool = True
) -> Order:
    """The order that a request's fields make; its model must be one of `LIMITS`.

    `limits`: those of another route than generations. `refuse_format` is what a GPT image model
    does about `response_format`: refuse it, or ignore it (the sources disagree, B6). Raises
    `Refused` as the gateway and the providers do. When not strict, what is wrong is put right in
    silence.
    """
    body = {name: value for name, value in body.items() if value is not None}
    limits = limits or limits_of(body["model"])
    assert limits is not None
    prompt = _prompt(body)
    if limits.family == "gpt" and not refuse_format:
        body.pop("response_format", None)
    if strict:
        _gateway_checks(body, limits)
        _provider_checks(body, limits)
    else:
        body = _mended(body, limits)
    return _order(body, limits, prompt)


def _prompt(body: Fields) -> str:
    prompt = body.get("prompt")
    if prompt is None:
        raise Refused(500, "field prompt is required", code="invalid_request")
    if not isinstance(prompt, str):
        raise _wrong_type("prompt", "a string", prompt)
    if not prompt.strip():
        raise Refused(500, "prompt is required", code="invalid_request")
    return prompt


def _gateway_checks(body: Fields, limits: Limits) -> None:
    size = body.get("size", "")
    if isinstance(size, str) and "×" in size:
        raise Refused(
            500,
            "size an unexpected error occurred in the parameter, please use 'x' instead of the "
            "multiplication sign '×'",
            code="invalid_request",
        )
    if limits.family == "dall-e" and "size" in body and size not in limits.sizes:
        sizes = ", ".join(limits.sizes)
        message = f"size must be one of {sizes} for {body['model']}"
        raise Refused(500, message, code="invalid_request")
    if limits.family == "qwen" and body.get("n", 1) != 1:
        raise Refused(500, f"n must be 1 for {body['model']}", code="invalid_request")


def _provider_checks(body: Fields, limits: Limits) -> None:
    for name in body:
        if name not in limits.fields:
            raise _provider(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    if len(body["prompt"]) > limits.prompt:
        raise _provider(
            f"Invalid 'prompt': string too long. Expected a string with maximum length "
            f"{limits.prompt}, but got a string with length {len(body['prompt'])} instead.",
            "prompt",
            "string_above_max_length",
        )
    _whole_between("n", body, 1, limits.most)
    for name, (least, most) in _RANGES.items():
        _whole_between(name, body, least, most)
    if not isinstance(body.get("stream", False), bool):
        raise _wrong_type("stream", "a boolean", body["stream"])
    for name, choices in (*_CHOICES.items(), ("quality", limits.qualities)):
        _one_of(name, body, choices)
    _size(body, limits)
    _together(body, limits)


def _together(body: Fields, limits: Limits) -> None:
    """The rules about fields that do not go with each other."""
    file = body.get("output_format", "png")
    if body.get("background") == "transparent":
        if not limits.transparent:
            message = "Transparent background is not supported for this model."
            raise _provider(message, "background", "invalid_value")
        if file == "jpeg":
            message = "Transparent background is not supported for JPEG output format."
            raise _provider(message, "background", "invalid_value")
    if "output_compression" in body and file == "png" and body["output_compression"] != 100:
        message = "Compression less than 100 is not supported for PNG output format."
        raise _provider(message, "output_compression", "invalid_value")
    if "partial_images" in body and not body.get("stream"):
        message = "'partial_images' is only allowed when 'stream' is true."
        raise _provider(message, "partial_images", "invalid_value")


def _size(body: Fields, limits: Limits) -> None:
    size = body.get("size", limits.sizes[0])
    if not isinstance(size, str):
        raise _wrong_type("size", "a string", size)
    if size in limits.sizes:
        return
    if not limits.free_size:
        _one_of("size", body, limits.sizes)
    if problem := _free_size_problem(size):
        raise _provider(f"Invalid size '{size}'. {problem}", "size", "invalid_value")


def _free_size_problem(size: str) -> str:
    """What is wrong with a size for GPT Image 2; empty if nothing is."""
    match = re.fullmatch(r"([1-9]\d{1,4})x([1-9]\d{1,4})", size)
    if match is None:
        return "Expected WIDTHxHEIGHT or 'auto'."
    width, height = int(match[1]), int(match[2])
    if width % 16 or height % 16:
        return "Width and height must both be divisible by 16."
    if max(width, height) > 3 * min(width, height):
        return "The aspect ratio must be between 1:3 and 3:1."
    if max(width, height) > 3840 or width * height > _MOST_PIXELS:
        return "Requested resolution is above the maximum of 3840x2160."
    if width * height < _LEAST_PIXELS:
        return "Requested resolution is below the current minimum pixel budget."
    return ""


def _one_of(name: str, body: Fields, choices: tuple[str, ...]) -> None:
    if name in body and body[name] not in choices:
        allowed = ", ".join(f"'{choice}'" for choice in choices)
        message = f"Invalid value: '{body[name]}'. Supported values are: {allowed}."
        raise _provider(message, name, "invalid_value")


def _whole_between(name: str, body: Fields, least: int, most: int) -> None:
    value = body.get(name, least)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type(name, "an integer", value)
    if value > most:
        what, sign, bound = "above maximum", "<=", most
    elif value < least:
        what, sign, bound = "below minimum", ">=", least
    else:
        return
    raise _provider(
        f"Invalid '{name}': integer {what} value. Expected a value {sign} {bound}, "
        f"but got {value} instead.",
        name,
        f"integer_{what.replace('imum', '')}_value".replace(" ", "_"),
    )


def _provider(message: str, param: str, code: str) -> Refused:
    return Refused(400, message, code=code, kind="invalid_request_error", param=param)


def _wrong_type(name: str, expected: str, value: object) -> Refused:
    names = {bool: "a boolean", int: "an integer", float: "a number", str: "a string"}
    got = names.get(type(value), "an object" if isinstance(value, dict) else "an array")
    message = f"Invalid type for '{name}': expected {expected}, but got {got} instead."
    return _provider(message, name, "invalid_type")


def _mended(body: Fields, limits: Limits) -> Fields:
    """The same body without the fields that a strict reading would refuse."""
    kept: Fields = {"model": body["model"], "prompt": "…"}
    for name, value in body.items():
        try:
            _gateway_checks({**kept, name: value}, limits)
            _provider_checks({**kept, name: value}, limits)
        except Refused:
            continue
        kept[name] = value
    return kept


def _order(body: Fields, limits: Limits, prompt: str) -> Order:
    gpt = limits.family == "gpt"
    size = body.get("size", limits.sizes[0])
    width, _, height = ("1024x1024" if size == "auto" else size).partition("x")
    quality = body.get("quality", limits.qualities[0] if limits.qualities else "")
    background = body.get("background", "auto")
    return Order(
        model=body["model"],
        family=limits.family,
        prompt=prompt,
        count=body.get("n", 1),
        size=(int(width), int(height)),
        quality="medium" if quality == "auto" else quality,
        format=body.get("output_format", limits.format),
        compression=body.get("output_compression", 100 if gpt else 90),
        background="opaque" if background == "auto" else background,
        as_link=not gpt and body.get("response_format", "url") == "url",
        style=body.get("style", "vivid"),
        streams=body.get("stream", False),
        drafts=body.get("partial_images", 0),
    )
