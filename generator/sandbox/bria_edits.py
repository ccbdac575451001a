"""`/bria/image/edit/{action}` and `/bria/{request_id}`: edits, a task each (H3, H4)."""

import io
import secrets
from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageOps

from generator.sandbox import catalogue, paint, retouch
from generator.sandbox.bria_form import SEED, BriaRefused, checked, moderated
from generator.sandbox.canvas import Size
from generator.sandbox.desk import Asked, Desk, new_id
from generator.sandbox.gallery import Wish, encode
from generator.sandbox.inputs import Choice, Picture, Rule, Switch, Whole, Words, decoded
from generator.sandbox.tasks import Task
from generator.sandbox.wire import Answer, Fields, Refused, Visit, as_json

# Upstream it is a host of the maker's, which no client is to call. This one does not exist.
STATUS_HOST = "https://engine.prod.bria-api.invalid"
MOST_BYTES = 12_000_000
_SIDE = 5000  # pixels; a longer one is not made
_VISUAL: dict[str, Rule] = {
    "image": Picture(bare=True),
    "num_results": Whole(1, 1),
    "visual_input_content_moderation": Switch(),
    "visual_output_content_moderation": Switch(),
}
_MASK: dict[str, Rule] = {"mask": Picture(bare=True)}
_WORDS: dict[str, Rule] = {"prompt": Words(2000), "negative_prompt": Words(1000), "seed": SEED}
_ALPHA: dict[str, Rule] = {"preserve_alpha": Switch()}
_KIND: dict[str, Rule] = {"mask_type": Choice(("manual", "automatic"))}
_REFINE: dict[str, Rule] = {"refine_prompt": Switch()}
_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9")
RULES: dict[str, dict[str, Rule]] = {
    "erase": _VISUAL | _MASK | _KIND | _ALPHA,
    "gen_fill": _VISUAL | _MASK | _KIND | _ALPHA | _WORDS | _REFINE,
    "expand": _VISUAL | _MASK | _ALPHA | _WORDS | {"aspect_ratio": Choice(_RATIOS)},
    "enhance": _VISUAL
    | _ALPHA
    | {"resolution": Choice(("1MP", "2MP", "4MP")), "steps_num": Whole(20, 50), "seed": SEED},
    "increase_resolution": _VISUAL | _ALPHA | {"desired_increase": Whole(2, 4, 2)},
    "replace_background": _VISUAL
    | _WORDS
    | _REFINE
    | {"mode": Choice(("base", "fast", "high_control")), "original_quality": Switch()},
}
# The mask of expand is the page's word; upstream a shape is enough.
NEEDED: dict[str, tuple[str, ...]] = {
    "erase": ("image", "mask"),
    "gen_fill": ("image", "mask", "prompt"),
    "expand": ("image", "mask"),
    "replace_background": ("image", "prompt"),
}


@dataclass(frozen=True, slots=True)
class Edit:
    """What a task makes, and what its answer repeats."""

    wish: Wish
    seed: int
    refined_prompt: str = field(default="", repr=False)


def submit(desk: Desk, asked: Asked, action: str) -> Answer:
    """The task of an edit. Raises `Refused`."""
    if action not in RULES:
        raise BriaRefused(404, f"There is no edit {action[:40]}")
    _weigh(asked.body)
    needed = NEEDED.get(action, ("image",))
    body = checked(asked.body, RULES[action], needed=needed, strict=desk.house.strict)
    if asked.word != "withheld":
        desk.stumble(asked.word, moderated())
    image, mask = _taken(body, "image"), _taken(body, "mask")
    if image and mask and _opened(image, "image").size != _opened(mask, "mask").size:
        raise BriaRefused(422, "mask: must be as large as the image", param="mask")
    seed = body.get("seed")
    if seed is None:
        seed = paint.seed_for(asked.prompt, action, desk.log.paid(asked.prompt)) % 2**31
    edit = Edit(_wish(desk, action, body, image, mask, seed), seed, _refined(body))
    id = new_id()
    desk.begin(asked, catalogue.cost("bria", "", (1, 1), 1, (0, 0)), edit, id=id)
    return as_json({"request_id": id, "status_url": f"{STATUS_HOST}/v2/status/{id}"})


def look(desk: Desk, visit: Visit, id: str) -> Answer:
    """The state of a task. The id in the answer is another one each time (M2)."""
    desk.look(visit)
    task = desk.tasks.look_for(id, Edit)
    if task is None:
        raise BriaRefused(404, "Request not found")
    if task.progress(desk.pace.now()) < 1:
        return _state("RENDERING" if task.word == "odd" else "IN_PROGRESS")
    return _over(desk, task)


def _over(desk: Desk, task: Task) -> Answer:
    match task.word:
        case "fail":
            return _failed("Internal error while processing the image")
        case "withheld":
            return _failed("The result did not pass content moderation")
        case "empty":
            return _state("COMPLETED", result={})
    edit: Edit = task.order
    link = desk.link(edit.wish, task.prompt, task.word)
    result = {"image_url": link, "seed": edit.seed, "refined_prompt": edit.refined_prompt}
    return _state("COMPLETED", result=result)


def _failed(message: str) -> Answer:
    return _state("ERROR", error={"code": 500, "message": message, "details": None})


def _state(status: str, **more: Fields) -> Answer:
    return as_json({"status": status, "request_id": secrets.token_hex(16), **more})


def _refined(body: Fields) -> str:
    return f"{body['prompt']}, in natural light" if body.get("refine_prompt") else ""


# ── Images that came along ──


def _weigh(body: Fields) -> None:
    for name in ("image", "mask"):
        if isinstance(said := body.get(name), str) and len(said) > MOST_BYTES * 4 / 3 + 100:
            raise BriaRefused(413, f"{name}: may have up to 12 MB", param=name)


def _taken(body: Fields, name: str) -> bytes | None:
    """The image of a field; None for one behind a URL, which is not fetched."""
    said = body.get(name)
    image = decoded(said) if isinstance(said, str) else None
    if image and not image.startswith((b"\x89PNG", b"\xff\xd8\xff", b"RIFF")):
        raise BriaRefused(415, f"{name}: must be JPEG, PNG or WebP", param=name)
    return image


def _opened(data: bytes, name: str) -> Image.Image:
    try:
        return retouch.opened(data, name)
    except Refused as refused:
        raise BriaRefused(422, f"{name}: cannot be read", param=name) from refused


# ── What is made ──


def _wish(
    desk: Desk, action: str, body: Fields, image: bytes | None, mask: bytes | None, seed: int
) -> Wish:
    if image is None:
        return Wish(paint.seed_for(action, seed), (1024, 1024))
    base = _opened(image, "image")
    made = paint.seed_for(body.get("prompt", ""), action, seed)
    match action:
        case "increase_resolution":
            return _enlarged(desk, base, float(body.get("desired_increase", 2)))
        case "enhance":
            pixels = int(body.get("resolution", "1MP")[0]) * 1_000_000
            return _enlarged(desk, base, (pixels / (base.width * base.height)) ** 0.5)
        case "expand":
            return _expanded(desk, base, mask, body.get("aspect_ratio"), made)
        case "replace_background":
            return desk.retouched(image, _png(_surroundings(base.size)), made)
        case _:
            return desk.retouched(image, mask, made)


def _enlarged(desk: Desk, base: Image.Image, times: float) -> Wish:
    size = round(base.width * times), round(base.height * times)
    if max(size) > _SIDE:
        raise BriaRefused(422, f"The result would be larger than {_SIDE} pixels", param="image")
    made = base.convert("RGBA" if base.has_transparency_data else "RGB")
    return desk.gallery.keep(
        encode(made.resize(size, Image.Resampling.LANCZOS), "png"), size, "png"
    )


def _expanded(
    desk: Desk, base: Image.Image, mask: bytes | None, ratio: str | None, seed: int
) -> Wish:
    """On a canvas of the ratio just large enough, in its middle; what is around it is new."""
    size = _canvas(base.size, ratio) if ratio else base.size
    place = (size[0] - base.width) // 2, (size[1] - base.height) // 2
    canvas, change = Image.new("RGB", size), Image.new("L", size, "white")
    canvas.paste(base.convert("RGB"), place)
    within = _opened(mask, "mask").convert("L") if mask else Image.new("L", base.size)
    change.paste(within, place)
    return desk.retouched(_png(canvas), _png(change), seed)


def _canvas(size: Size, ratio: str) -> Size:
    wide, high = (int(side) for side in ratio.split(":"))
    width, height = size
    return max(width, round(height * wide / high)), max(height, round(width * high / wide))


def _surroundings(size: Size) -> Image.Image:
    """What is taken for the background: all but the middle, white."""
    width, height = size
    middle = Image.new("L", size)
    box = (width // 4, height // 6, width - width // 4, height - height // 12)
    ImageDraw.Draw(middle).ellipse(box, fill=255)
    return ImageOps.invert(middle)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()
