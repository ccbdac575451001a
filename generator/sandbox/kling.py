"""`/kling/v1/images/generations`: Kling's images, a task each (I2)."""

import base64
import io
import re
from dataclasses import dataclass

from PIL import Image

from generator.sandbox import catalogue, paint
from generator.sandbox.canvas import Size
from generator.sandbox.desk import Asked, Desk, no_channel
from generator.sandbox.gallery import Wish
from generator.sandbox.inputs import Choice, Number, Rule, Whole, Words, faults
from generator.sandbox.tasks import Task
from generator.sandbox.wire import Answer, Fields, Refused, Visit, as_json

# Which size a ratio comes in is not published: about a megapixel.
_SIZES: dict[str, Size] = {
    "16:9": (1280, 720),
    "9:16": (720, 1280),
    "1:1": (1024, 1024),
    "4:3": (1152, 864),
    "3:4": (864, 1152),
    "3:2": (1248, 832),
    "2:3": (832, 1248),
}
_MODELS = ("kling-v1", "kling-v1-5", "kling-v2")
_RULES: dict[str, Rule] = {
    "model_name": Choice(_MODELS),
    "prompt": Words(500),
    "negative_prompt": Words(200),
    "image_fidelity": Number(0, 1),
    "n": Whole(1, 9),
    "aspect_ratio": Choice(tuple(_SIZES)),
    "callback_url": Words(2000),
}
_IMAGE_BYTES = 10 * 1024 * 1024
_SHORTEST_SIDE = 300
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


class KlingRefused(Refused):
    """A refusal in Kling's form: a number of its own, and no `error`."""

    def __init__(
        self, status: int, code: int, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, message, code=str(code), headers=headers)

    def answer(self, request_id: str) -> Answer:
        """`{"code": …, "message": …, "request_id": …}`."""
        body = {"code": int(self.code or 0), "message": self.message, "request_id": request_id}
        return as_json(body, self.status, self.headers)


@dataclass(frozen=True, slots=True)
class Order:
    """A request that may be carried out; `image` is the file that came along."""

    model: str
    prompt: str
    size: Size
    count: int
    image: bytes | None


@dataclass(frozen=True, slots=True)
class _Work:
    """What a task is to paint."""

    wishes: tuple[Wish, ...]


def answer(desk: Desk, visit: Visit, path: list[str]) -> Answer | None:
    """The answer to a submit or a look, if this is such an address."""
    match visit.method, path:
        case "POST", ["kling", "v1", "images", "generations"]:
            return _submit(desk, desk.receive(visit, lambda body: body.get("prompt")), visit)
        case "GET", ["kling", "v1", "images", "generations", id]:
            desk.look(visit)
            return _look(desk, visit, id)
        case _:
            return None


def _submit(desk: Desk, asked: Asked, visit: Visit) -> Answer:
    order = check(asked.body, strict=desk.house.strict)
    _stumble(desk, asked)
    work = _Work(_wishes(desk, order, desk.log.paid(asked.prompt)))
    dollars = catalogue.cost(order.model, "", order.size, order.count, (0, 0))
    task = desk.begin(asked, dollars, work)
    return as_json(_said(task, visit, "submitted"))


def _stumble(desk: Desk, asked: Asked) -> None:
    match asked.word:
        case "busy":
            raise KlingRefused(429, 1302, "API request too fast", headers={"Retry-After": "1"})
        case "error":
            raise KlingRefused(200, 1200, "Invalid request parameters")
        case word if word != "withheld":  # that the task tells
            desk.stumble(word, KlingRefused(400, 1301, "Content security policy triggered"))


def _wishes(desk: Desk, order: Order, turn: int) -> tuple[Wish, ...]:
    seeds = [
        paint.seed_for(order.prompt, order.model, order.size, index, turn)
        for index in range(order.count)
    ]
    if order.image is None:
        return tuple(Wish(seed, order.size) for seed in seeds)
    return tuple(desk.retouched(order.image, None, seed, size=order.size) for seed in seeds)


# ── Looking ──


def _look(desk: Desk, visit: Visit, id: str) -> Answer:
    task = desk.tasks.look_for(id, _Work)
    if task is None:
        raise KlingRefused(404, 1203, "task not found")
    return as_json(_state(desk, visit, task, task.order))


def _state(desk: Desk, visit: Visit, task: Task, work: _Work) -> Fields:
    done = task.progress(desk.pace.now())
    if done < 1:
        if task.word == "odd":
            return _said(task, visit, "throttling")
        return _said(task, visit, "submitted" if done < 0.2 else "processing")
    match task.word:
        case "fail":
            return _said(task, visit, "failed", task_status_msg="Image generation failed")
        case "withheld":
            message = "Failure to pass the risk control system"
            return _said(task, visit, "failed", task_status_msg=message)
    wishes = () if task.word == "empty" else work.wishes
    images = [
        {"index": index, "url": desk.link(wish, task.prompt, task.word)}
        for index, wish in enumerate(wishes)
    ]
    return _said(task, visit, "succeed", task_result={"images": images})


def _said(task: Task, visit: Visit, status: str, **more: object) -> Fields:
    data = {
        "task_id": task.id,
        "task_status": status,
        "task_status_msg": "",
        "created_at": int(task.started * 1000),
        "updated_at": int(task.started * 1000),
        "task_info": {"external_task_id": ""},
        "task_result": None,
        **more,
    }
    return {"code": 0, "message": "SUCCEED", "request_id": visit.request_id, "data": data}


# ── From JSON to an order ──


def check(body: Fields, *, strict: bool = True) -> Order:
    """The order that a request's JSON makes.

    Raises `Refused` as the gateway and Kling do. When not strict, what is wrong is put right in
    silence.
    """
    body = {name: value for name, value in body.items() if value is not None}
    model = body.get("model_name", _MODELS[0])
    if model not in _MODELS:
        raise no_channel(str(model))
    wrong = _faults(body)
    if strict and wrong:
        name, why = next(iter(wrong.items()))
        raise KlingRefused(400, 1201, f"{name} {why}")
    if "prompt" in wrong:
        raise KlingRefused(400, 1201, f"prompt {wrong['prompt']}")
    body = {name: value for name, value in body.items() if name not in wrong}
    return Order(
        model=model,
        prompt=body["prompt"],
        size=_SIZES[body.get("aspect_ratio", "16:9")],
        count=body.get("n", 1),
        image=_file(body.get("image")),
    )


def _faults(body: Fields) -> dict[str, str]:
    """What is wrong, by field."""
    plain = {name: said for name, said in body.items() if name != "image"}
    wrong = faults(plain, _RULES, _why)
    if "image" in body and (why := _picture(body["image"])):
        wrong["image"] = why
    if not isinstance(body.get("prompt"), str) or not body["prompt"].strip():
        wrong["prompt"] = "cannot be empty"
    if "image" in body and body.get("negative_prompt"):
        wrong["negative_prompt"] = "is not supported with an image"
    return wrong


def _why(said: object, rule: Rule | None) -> str:
    match rule:
        case None:
            return "is not a known parameter"
        case Words(longest):
            return f"must be text of at most {longest} characters"
        case Whole(least, most) | Number(least, most):
            return f"must be from {least} to {most}"
        case _:
            return f"value '{said}' is invalid"


def _picture(said: object) -> str:
    """An address, or base64 without a prefix (K18); JPEG or PNG, and not too small."""
    if isinstance(said, str) and said.startswith(("https://", "http://")):
        return ""
    data = _file(said)
    if data is None:
        return "must be base64 without a prefix, or a URL"
    if len(data) > _IMAGE_BYTES:
        return "must not be larger than 10 MB"
    try:
        image = Image.open(io.BytesIO(data), formats=["JPEG", "PNG"])
        if min(image.size) < _SHORTEST_SIDE:
            return "must have 300 by 300 pixels or more"
        image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return "must be a JPEG or PNG file"
    return ""


def _file(said: object) -> bytes | None:
    if not isinstance(said, str) or not _BASE64.fullmatch(said):
        return None
    try:
        return base64.b64decode(said, validate=True)
    except ValueError:
        return None
