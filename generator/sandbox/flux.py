"""`/flux/v1`: Flux in the form of Black Forest Labs (E)."""

from generator.sandbox import catalogue, errands, retouch
from generator.sandbox.canvas import Size
from generator.sandbox.desk import Asked, Desk, Said, no_channel
from generator.sandbox.errands import Errand, Motif
from generator.sandbox.inputs import (
    Choice,
    Number,
    Picture,
    Rule,
    Switch,
    Whole,
    Words,
    faults,
    sized,
    take_image,
)
from generator.sandbox.tasks import Task
from generator.sandbox.wire import Answer, Fields, Refused, Visit, as_json

LIFE = 600.0  # seconds from the making of an image to the end of its link, and of its task
# Upstream it is a host of the maker's, which no client is to call. This one does not exist.
POLLING_HOST = "https://api.us1.bfl.invalid"
LONGEST_PROMPT = 10_000
RATIOS = ("21:9", "16:9", "3:2", "4:3", "5:4", "1:1", "4:5", "3:4", "2:3", "9:16", "9:21")
_IMAGES = ("input_image", *(f"input_image_{n}" for n in range(2, 9)))


def _rules(tolerance: int, **more: Rule) -> dict[str, Rule]:
    return {
        "prompt": Words(LONGEST_PROMPT),
        "seed": Whole(0, 2**32 - 1),
        "prompt_upsampling": Switch(),
        "safety_tolerance": Whole(0, tolerance),
        "output_format": Choice(("jpeg", "png")),
        "webhook_url": Words(2000),
        "webhook_secret": Words(2000),
        **more,
    }


def _sides(least: int, most: int, step: int) -> dict[str, Rule]:
    return {side: Whole(least, most, step) for side in ("width", "height")}


def _images(count: int) -> dict[str, Rule]:
    return {name: Picture(bare=True) for name in _IMAGES[:count]}


_FLUX_2 = _rules(5, **_sides(256, 2048, 16), **_images(8))
_FLUX_1 = _rules(6, **_sides(256, 1440, 32), image_prompt=Picture(bare=True))
_TUNED: dict[str, Rule] = {"steps": Whole(1, 50), "guidance": Number(1.5, 5)}
_KONTEXT = _rules(6, aspect_ratio=Choice(RATIOS), **_images(4))
RULES: dict[str, dict[str, Rule]] = {
    "flux-2-pro": _FLUX_2,
    "flux-2-max": _FLUX_2,
    "flux-2-flex": {**_FLUX_2, "steps": Whole(1, 50), "guidance": Number(1.5, 10)},
    "flux-pro-1.1": _FLUX_1,
    "flux-pro": {**_FLUX_1, **_TUNED, "interval": Whole(1, 4)},
    "flux-dev": {**_FLUX_1, **_TUNED},
    "flux-pro-1.1-ultra": _rules(
        6,
        aspect_ratio=Choice(RATIOS),
        raw=Switch(),
        image_prompt=Picture(bare=True),
        image_prompt_strength=Number(0, 1),
    ),
    "flux-kontext-pro": _KONTEXT,
    "flux-kontext-max": _KONTEXT,
}


def answer(desk: Desk, visit: Visit, path: list[str]) -> Answer | None:
    """The answer to a submit or a look, if this is such an address."""
    match visit.method, path:
        case "GET", ["flux", "v1", "get_result"]:
            return _look(desk, visit)
        case "POST", ["flux", "v1", model]:
            return _submit(desk, desk.receive(visit, lambda body: body.get("prompt")), model)
        case _:
            return None


def _submit(desk: Desk, asked: Asked, model: str) -> Answer:
    rules = RULES.get(model)
    if rules is None:
        raise no_channel(model)
    body = _checked(asked.body, rules, strict=desk.house.strict)
    errands.stumble(desk, asked)
    motif = _motif(model, body)
    dollars = catalogue.cost(model, "", (1, 1), 1, (0, 0))
    errand = Errand(
        model, errands.wishes(desk, asked, motif), errands.seed_of(desk, motif), LIFE, dollars, body
    )
    task = errands.begin(desk, asked, errand)
    url = f"{POLLING_HOST}/v1/get_result?id={task.id}"
    return as_json({"id": task.id, "polling_url": url, **_took(errand)})


def _checked(body: Fields, rules: dict[str, Rule], *, strict: bool) -> Fields:
    """The body, if it may be carried out; when not strict, without what is wrong."""
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        raise _unprocessable("prompt", "Field required", "missing")
    wrong = faults({name: said for name, said in body.items() if said is not None}, rules)
    if "image_prompt_strength" in body and "image_prompt" not in body:
        wrong["image_prompt_strength"] = "Only with an image_prompt"
    for name, fault in wrong.items() if strict else ():
        raise _unprocessable(name, fault, "value_error")
    return {name: said for name, said in body.items() if said is not None and name not in wrong}


def _unprocessable(name: str, fault: str, kind: str, *, place: str = "body") -> Said:
    detail = {"loc": [place, name], "msg": fault, "type": kind}
    return Said(as_json({"detail": [detail]}, 422))


def _motif(model: str, body: Fields) -> Motif:
    images = [take_image(body, name) for name in (*_IMAGES, "image_prompt")]
    base = next((image for image in images if image), None)
    for image in images:
        if image:
            _opened(image)
    return Motif(
        prompt=body["prompt"],
        model=model,
        size=_size(model, body, base),
        format=body.get("output_format") or "jpeg",
        seed=body.get("seed"),
        base=base,
    )


def _opened(image: bytes) -> Size:
    try:
        return retouch.opened(image).size
    except Refused as refused:
        raise _unprocessable("input_image", "Invalid image", "value_error") from refused


def _size(model: str, body: Fields, base: bytes | None) -> Size:
    if "aspect_ratio" in RULES[model]:
        if "kontext" not in model:
            return sized(body.get("aspect_ratio") or "16:9", 2048 * 2048, 32)
        if ratio := body.get("aspect_ratio"):
            return sized(ratio, 1024 * 1024, 16)
    width, height = body.get("width"), body.get("height")
    if width or height:
        return width or 1024, height or 1024
    if base is not None and "image_prompt" not in RULES[model]:
        return _like(_opened(base))
    return (1024, 768) if "image_prompt" in RULES[model] else (1024, 1024)


def _like(size: Size) -> Size:
    """An edit is as large as its first image, in steps of 16 and up to 4 megapixels."""
    width, height = size
    scale = min(1.0, (2048 * 2048 / (width * height)) ** 0.5)
    wide, high = (max(16, int(side * scale) // 16 * 16) for side in size)
    return wide, high


def _took(errand: Errand) -> Fields:
    """What the maker says it takes: in cents, and in megapixels."""
    width, height = errand.wishes[0].size
    cents = float(errand.dollars * 100)
    return {"cost": cents, "input_mp": 0.0, "output_mp": round(width * height / 1e6, 2)}


# ── Looking ──


def _look(desk: Desk, visit: Visit) -> Answer:
    desk.look(visit)
    id = visit.asked.get("id", "")
    if not id:
        raise _unprocessable("id", "Field required", "missing", place="query")
    task = errands.find(desk, id)
    now = desk.pace.now()
    if task is None or (task.progress(now) >= 1 and now > task.ready + task.order.life):
        return _state(id, "Task not found")
    done = task.progress(now)
    if done < 1:
        word = "Reticulating" if task.word == "odd" else "Pending"
        return _state(id, word, progress=round(done, 2) if done else None)
    return _over(desk, task)


def _over(desk: Desk, task: Task) -> Answer:
    match task.word:
        case "refuse":
            reasons = {"Moderation Reasons": ["Violence"]}
            return _state(task.id, "Request Moderated", details=reasons)
        case "withheld":
            reasons = {"Moderation Reasons": ["Derivative Works Filter"]}
            return _state(task.id, "Content Moderated", details=reasons)
        case "fail":
            return _state(task.id, "Error", details="Generation failed on all workers")
    sample = None if task.word == "empty" else errands.links(desk, task)[0]
    result = {
        "seed": task.order.seed,
        "prompt": _prompt_used(task),
        "sample": sample,
        "duration": round(task.ready - task.started, 3),
        "start_time": task.started,
        "end_time": task.ready,
    }
    return _state(task.id, "Ready", result=result, **_took(task.order))


def _prompt_used(task: Task) -> str:
    """Rewritten, if that was asked for."""
    if not task.order.said.get("prompt_upsampling"):
        return task.prompt
    return f"{task.prompt.rstrip(' .')}. Rich in detail, in soft light."


def _state(
    id: str, status: str, *, result: Fields | None = None, progress: float | None = None,
    **more: object,
) -> Answer:  # fmt: skip
    state = {"id": id, "status": status, "result": result, "progress": progress, **more}
    return as_json(state)
