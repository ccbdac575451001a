"""`POST /v1/images/edits`: images that come along are painted over (C, M2).

The result shows the first image, and something new just where the mask is transparent: so people
and tests see whether the mask was meant as OpenAI means it. Without a mask all of it shows through.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace

from PIL import Image, ImageChops

from generator.sandbox import grok, limits, openai_images, orders, paint, retouch
from generator.sandbox.canvas import Size
from generator.sandbox.desk import Asked, Desk
from generator.sandbox.forms import Form, Upload, from_data_uri, read
from generator.sandbox.gallery import Wish
from generator.sandbox.generations import find_channel
from generator.sandbox.limits import EditLimits
from generator.sandbox.orders import Order
from generator.sandbox.wire import Answer, Fields, Refused, Visit

_IMAGE_TOKENS = {"low": 768, "high": 4096}  # of one image; the first as recorded in B5
_SIZES: tuple[Size, ...] = ((1024, 1024), (1536, 1024), (1024, 1536))
_MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_MODES = {"RGB", "RGBA", "L", "LA"}
_MASK_BYTES = 4_000_000
_NUMBERS = ("n", "output_compression", "partial_images")


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be painted over: the image, its size, and what is white where it changes."""

    base: bytes
    size: Size
    change: bytes | None
    images: int
    fidelity: str


def answer(desk: Desk, visit: Visit, path: list[str]) -> Answer | None:
    """The answer of whoever speaks for the model, if this is the route."""
    if (visit.method, path) != ("POST", ["v1", "images", "edits"]):
        return None
    forms: list[Form] = []

    def recorded(visit: Visit, limit: int) -> Fields:
        forms.append(read(visit, limit))
        return forms[0].record

    asked = desk.receive(visit, lambda body: body.get("prompt"), read=recorded)
    model, form = find_channel(asked.body), forms[0]
    if grok.speaks_for(model):
        return grok.carry_out_edit(desk, asked, form)
    return _carry_out(desk, asked, form, _limits(model))


def _limits(model: str) -> EditLimits:
    if (found := limits.edit_limits_of(model)) is not None:
        return found
    if limits.limits_of(model) is not None and model.startswith("dall-e"):
        raise _provider(f"Invalid value: '{model}'. Value must be 'dall-e-2'.", "model")
    message = "not supported model for image edits"
    raise Refused(500, message, code="convert_request_failed")


def _carry_out(desk: Desk, asked: Asked, form: Form, limits: EditLimits) -> Answer:
    house = desk.house
    fields, images, mask = _sorted(form, limits, strict=house.strict)
    order = orders.check(
        fields, limits.takes, strict=house.strict, refuse_format=house.refuse_format
    )
    work = _work(images, mask, limits, fields)
    order = replace(order, size=_size(order, fields, work.size))
    desk.stumble(asked.word, openai_images.refusal(order, asked.word))
    spent = _tokens(order, work)
    return desk.carry_out(
        asked,
        openai_images.cost(order, spent),
        lambda turn, word: openai_images.painted(
            desk,
            order,
            _wishes(desk, order, work, turn),
            word,
            lambda order: _usage(order, work),
            "image_edit",
        ),
    )


# ── What came ──


def _sorted(
    form: Form, limits: EditLimits, *, strict: bool
) -> tuple[Fields, list[Upload], list[Upload]]:
    """The fields as JSON would have them, the images, and the masks: one, or none."""
    if form.is_json:
        return _from_json(form, limits)
    fields = {name: _value(name, text) for name, text in form.fields.items()}
    for name in ("image", "image[]", "mask"):
        if name in fields:
            raise _provider(
                f"Invalid type for '{name}': expected a file, but got a string instead.",
                name, "invalid_type",
            )  # fmt: skip
    for file in form.files:
        if strict and file.name not in {"image", "mask"}:
            raise _provider(f"Unknown parameter: '{file.name}'.", file.name, "unknown_parameter")
    return fields, form.named("image"), form.named("mask")


def _value(name: str, text: str) -> object:
    """A text part as what it means; one that is no number stays text, and is refused as such."""
    if name in _NUMBERS and text.removeprefix("-").isdecimal() and len(text) < 10:
        return int(text)
    if name == "stream" and text in {"true", "false"}:
        return text == "true"
    return text


def _from_json(form: Form, limits: EditLimits) -> tuple[Fields, list[Upload], list[Upload]]:
    """OpenAI's own JSON form (M2): `images: [{"image_url": …}]`, and a mask of the same form."""
    if not limits.takes_json:
        message = "This API method only accepts 'multipart/form-data' requests for this model."
        raise _provider(message, None, "unsupported_content_type")
    fields = {name: said for name, said in form.fields.items() if name not in {"images", "mask"}}
    entries, mask = form.fields.get("images") or [], form.fields.get("mask")
    if not isinstance(entries, list):
        raise _provider(
            "Invalid type for 'images': expected an array of objects.", "images", "invalid_type"
        )
    images = [
        _referenced(entry, f"images[{place}]", "image") for place, entry in enumerate(entries)
    ]
    return fields, images, [_referenced(mask, "mask", "mask")] if mask else []


def _referenced(entry: object, place: str, name: str) -> Upload:
    address = entry["image_url"] if isinstance(entry, dict) and [*entry] == ["image_url"] else None
    try:
        return from_data_uri(address, name)
    except ValueError as error:
        # The real one fetches addresses; the sandbox goes nowhere.
        message = f"Invalid '{place}.image_url'. Expected a base64-encoded data URL."
        raise _provider(message, f"{place}.image_url") from error


# ── The images ──


def _work(images: list[Upload], masks: list[Upload], limits: EditLimits, fields: Fields) -> _Work:
    if not images:
        raise _provider(
            "Missing required parameter: 'image'.", "image", "missing_required_parameter"
        )
    if len(images) > limits.images:
        raise _provider(
            f"Invalid 'image': array too long. Expected an array with maximum length "
            f"{limits.images}, but got an array with length {len(images)} instead.",
            "image",
            "array_above_max_length",
        )
    if len(masks) > 1 or (masks and not limits.takes_mask):
        raise _provider("Unknown parameter: 'mask'.", "mask", "unknown_parameter")
    pictures = [_image(file, place, limits) for place, file in enumerate(images, 1)]
    return _Work(
        base=images[0].data,
        size=pictures[0].size,
        change=_change(pictures[0], masks[0] if masks else None, limits),
        images=len(images),
        fidelity="high" if fields.get("input_fidelity") == "high" else "low",
    )


def _image(file: Upload, place: int, limits: EditLimits) -> Image.Image:
    supported = [_MEDIA_TYPES[format] for format in limits.formats]
    if file.content_type not in supported:
        raise _provider(
            f"Invalid file 'image': unsupported mimetype ('{file.content_type}'). "
            f"Supported file formats are {', '.join(supported)}.",
            "image",
            "unsupported_file_mimetype",
        )
    if len(file.data) >= limits.image_bytes:
        most = limits.image_bytes // 1_000_000
        raise _provider(f"Image {place} must be less than {most} MB.", "image", "image_too_large")
    image = _opened(file, f"image {place}", limits.formats)
    if image.mode not in _MODES:
        raise _unfit(f"Invalid image file or mode for image {place}, please check your image file.")
    if limits.is_square and image.width != image.height:
        raise _unfit("Uploaded image must be square.")
    return image


def _opened(file: Upload, name: str, formats: tuple[str, ...]) -> Image.Image:
    try:
        image = retouch.opened(file.data, name)
    except Refused as refused:
        raise _unfit(
            f"Invalid image file or mode for {name}, please check your image file."
        ) from refused
    if image.format not in formats:
        raise _unfit(f"Invalid image file or mode for {name}, please check your image file.")
    return image


def _change(first: Image.Image, mask: Upload | None, limits: EditLimits) -> bytes | None:
    """A grey image, white where the mask is clear: there the image is to change (C)."""
    if mask is None:
        if not limits.needs_mask:
            return None
        if "A" not in first.getbands():
            raise _unfit("Invalid input image - without a mask the image must have transparency")
        return _white_where_clear(first)
    if mask.content_type != "image/png" or len(mask.data) >= _MASK_BYTES:
        raise _unfit("Invalid mask image format - mask must be a PNG of less than 4 MB")
    image = _opened(mask, "mask", ("PNG",))
    if image.size != first.size:
        raise _unfit("Invalid mask image format - mask size does not match image size")
    if "A" not in image.getbands():
        raise _unfit("Invalid mask image format - mask image missing alpha channel")
    return _white_where_clear(image)


def _white_where_clear(image: Image.Image) -> bytes:
    """Only what is wholly transparent is edited (C)."""
    opacity = ImageChops.invert(image.getchannel("A"))
    target = io.BytesIO()
    opacity.point([0] * 255 + [255]).save(target, "PNG")
    return target.getvalue()


def _unfit(message: str) -> Refused:
    return Refused(
        400, message, code="invalid_image_file", kind="image_generation_user_error", param=None
    )


def _provider(message: str, param: str | None, code: str = "invalid_value") -> Refused:
    return Refused(400, message, code=code, kind="invalid_request_error", param=param)


# ── What is made ──


def _size(order: Order, fields: Fields, base: Size) -> Size:
    """`auto` takes the shape of the image; a model without sizes takes all of its size."""
    if order.family == "qwen":
        return base
    if order.family != "gpt" or fields.get("size", "auto") != "auto":
        return order.size
    shape = base[0] / base[1]
    return min(_SIZES, key=lambda size: abs(size[0] / size[1] - shape))


def _wishes(desk: Desk, order: Order, work: _Work, turn: int) -> Iterator[Wish]:
    for index in range(order.count):
        yield desk.retouched(
            work.base,
            work.change,
            paint.seed_for(order.prompt, order.model, order.size, index, turn),
            size=order.size,
            format=order.format,
            compression=order.compression,
            transparent=order.background == "transparent",
        )


def _tokens(order: Order, work: _Work) -> tuple[int, int]:
    given, made = openai_images.tokens(order)
    return (given + _image_tokens(work), made) if order.family == "gpt" else (given, made)


def _image_tokens(work: _Work) -> int:
    return _IMAGE_TOKENS[work.fidelity] * work.images


def _usage(order: Order, work: _Work) -> Fields:
    """Merged by the gateway, whatever the model (B5, shape 3)."""
    given, made = _tokens(order, work)
    shown = _image_tokens(work)
    details = {
        "image_tokens": shown,
        "text_tokens": given - shown,
        "cached_tokens_details": {},
    }
    return openai_images.merged_usage(
        {
            "input_tokens": given,
            "input_tokens_details": details,
            "output_tokens": made,
            "total_tokens": given + made,
        }
    )
