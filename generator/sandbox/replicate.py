"""`/replicate/v1`: predictions, told in Replicate's own form or as tasks of the gateway (I1)."""

import time
from typing import Any

from generator.sandbox import catalogue, errands, retouch
from generator.sandbox.canvas import Size
from generator.sandbox.desk import Asked, Desk, Said, no_channel
from generator.sandbox.errands import Errand, Motif
from generator.sandbox.inputs import faults, sized, take_image
from generator.sandbox.replicate_models import CUSTOM, MATCH, MODELS, Model
from generator.sandbox.tasks import Task
from generator.sandbox.wire import Answer, Fields, Refused, Visit, as_json

LIFE = 3600.0  # seconds from the making of an image to the end of its link
# Upstream these are addresses at Replicate, which no client is to call. This host does not exist.
HOST = "https://api.replicate.invalid"
_IMAGES = (
    "image",
    "image_prompt",
    "input_images",
    "input_image",
    *(f"input_image_{n}" for n in (2, 3, 4)),
)
_NO_SUCH = "The requested resource could not be found."


def answer(desk: Desk, visit: Visit, path: list[str]) -> Answer | None:
    """The answer to a submit or a look, if this is such an address."""
    match visit.method, path:
        case "POST", ["replicate", "v1", "models", owner, name, "predictions"]:
            return _submit(desk, desk.receive(visit, _prompt), f"{owner}/{name}")
        case "GET", ["replicate", "v1", "predictions", id]:
            return _look(desk, visit, id)
        case _:
            return None


def _prompt(body: Fields) -> object:
    said = body.get("input")
    return said.get("prompt") if isinstance(said, dict) else None


def _submit(desk: Desk, asked: Asked, model: str) -> Answer:
    rules = MODELS.get(model)
    if rules is None:
        raise no_channel(model)
    said = _checked(asked.body, rules, strict=desk.house.strict)
    errands.stumble(desk, asked)
    motif = _motif(model, rules, said)
    paid = motif.count - motif.count // 2 if asked.word == "partly" else motif.count
    dollars = catalogue.cost(model, "", (1, 1), paid, (0, 0))
    errand = Errand(
        model, errands.wishes(desk, asked, motif), errands.seed_of(desk, motif), LIFE, dollars, said
    )
    task = errands.begin(desk, asked, errand)
    return as_json(_native(task, "starting", {"output": None, "logs": ""}), 201)


def _checked(body: Fields, model: Model, *, strict: bool) -> Fields:
    """The input, if it may be carried out; when not strict, without what is wrong."""
    said = body.get("input")
    if not isinstance(said, dict):
        raise _invalid({"input": "input is required"})
    if strict and (more := body.keys() - {"input", "webhook", "webhook_events_filter"}):
        raise _invalid(dict.fromkeys(sorted(more), "Additional property is not allowed"))
    if not isinstance(said.get("prompt"), str) or not said["prompt"]:
        raise _invalid({"input": "prompt is required"})
    wrong = faults({name: one for name, one in said.items() if one is not None}, model.rules)
    wrong |= {name: fault for name, fault in _together(said, model).items() if name in said}
    if wrong and strict:
        raise _invalid({f"input.{name}": fault for name, fault in wrong.items()})
    return {name: one for name, one in said.items() if one is not None and name not in wrong}


def _together(said: Fields, model: Model) -> dict[str, str]:
    """The fields that go with another one only."""
    wrong = {}
    if "aspect_ratio" in model.rules:
        if said.get("aspect_ratio") == CUSTOM:
            wrong["resolution"] = "Not used when aspect_ratio is custom"
        else:
            wrong |= dict.fromkeys(("width", "height"), "Only used when aspect_ratio is custom")
    if "image" in said:
        shapes = ("aspect_ratio", "megapixels", "width", "height")
        wrong |= dict.fromkeys(shapes, "Not used with an image")
    else:
        wrong |= dict.fromkeys(("mask", "prompt_strength"), "Only used with an image")
    if "image_prompt" not in said:
        wrong["image_prompt_strength"] = "Only used with an image_prompt"
    return wrong


def _invalid(wrong: dict[str, str]) -> Said:
    fields = [
        {"type": "invalid", "field": name, "description": text} for name, text in wrong.items()
    ]
    text = "".join(f"- {name}: {fault}\n" for name, fault in wrong.items())
    return _problem(422, "Input validation failed", text, invalid_fields=fields)


def _problem(status: int, title: str, detail: str, **more: Any) -> Said:
    said = as_json({"title": title, "detail": detail, "status": status, **more}, status)
    return Said(Answer(said.status, "application/problem+json", said.body))


def _motif(model: str, rules: Model, said: Fields) -> Motif:
    images = [image for name in _IMAGES if (image := take_image(said, name))]
    change = take_image(said, "mask")
    for image in (*images, *([change] if change else [])):
        _opened(image)
    base = images[0] if images else None
    return Motif(
        prompt=said["prompt"],
        model=model,
        size=_size(rules, said, base),
        format=str(said.get("output_format", rules.usual)).replace("jpg", "jpeg"),
        count=said.get("num_outputs", 1),
        seed=said.get("seed"),
        base=base,
        change=change,
    )


def _opened(image: bytes) -> Size:
    try:
        return retouch.opened(image).size
    except Refused as refused:
        raise _invalid({"input.image": "Does not match format 'uri'"}) from refused


def _size(model: Model, said: Fields, base: bytes | None) -> Size:
    ratio = said.get("aspect_ratio", "")
    matches = ratio == MATCH or "image" in said or ("input_image" in said and not ratio)
    if base is not None and matches:
        return _opened(base)
    if "width" in said or "height" in said or ratio == CUSTOM:
        return said.get("width", 1024), said.get("height", 1024)
    factor = {"0.25": 0.25, "2 MP": 2, "4 MP": 4}
    pixels = model.pixels * factor.get(str(said.get("megapixels", said.get("resolution"))), 1)
    return sized("1:1" if ratio in {"", MATCH} else ratio, int(pixels), 16)


# ── Looking ──


def _look(desk: Desk, visit: Visit, id: str) -> Answer:
    desk.look(visit)
    task = errands.find(desk, id)
    if task is None or task.order.model not in MODELS:
        raise _problem(404, "Not found", _NO_SUCH)
    wrapped = MODELS[task.order.model].wrapped
    return as_json((_wrapped if wrapped else _state)(desk, task))


def _state(desk: Desk, task: Task) -> Fields:
    """Replicate's own form. Its output is absent until there is one (M2)."""
    done, errand = task.progress(desk.pace.now()), task.order
    if done < 0.3 and task.word != "odd":
        return _native(task, "starting", {"logs": ""})
    if done < 1:
        word = "reticulating" if task.word == "odd" else "processing"
        half = {"output": errands.links(desk, task)[:1]} if _has_half(task, done) else {}
        return _native(task, word, {"logs": f"Using seed: {errand.seed}\n", **half})
    logs = f"Using seed: {errand.seed}\nrunning on all workers\n"
    if fault := _fault(task):
        return _native(task, "failed", {"logs": logs, "error": fault, "output": None})
    took = {"image_count": len(errand.wishes), "predict_time": task.ready - task.started}
    over = desk.pace.now() > task.ready + LIFE
    output = None if over else _output(desk, task)
    facts = {"logs": logs, "output": output, "metrics": took, "data_removed": over}
    return _native(task, "succeeded", facts, ended=True)


def _wrapped(desk: Desk, task: Task) -> Fields:
    """A task of the gateway, with the provider's own answer inside."""
    done = task.progress(desk.pace.now())
    inner = _state(desk, task)
    match inner["status"]:
        case "succeeded":
            word = "SUCCESS"
        case "failed":
            word = "FAILURE"
        case "starting":
            word = "SUBMITTED" if done == 0 else "QUEUED"
        case "processing":
            word = "IN_PROGRESS"
        case other:
            word = other.upper()
    state = {
        "task_id": task.id,
        "platform": "replicate",
        "action": "predictions",
        "status": word,
        "fail_reason": inner.get("error") or "",
        "submit_time": int(task.started),
        "finish_time": int(task.ready) if done == 1 else 0,
        "progress": f"{int(100 * done)}%",
        "data": inner,
    }
    return {"code": "success", "message": "", "data": state}


def _has_half(task: Task, done: float) -> bool:
    return done >= 0.6 and len(task.order.wishes) > 1 and task.word == ""


def _fault(task: Task) -> str:
    match task.word:
        case "refuse":
            sentence = "The input or output was flagged as sensitive."
            return f"{sentence} Please try again with different inputs. (E005) ({task.id[:8]})"
        case "withheld":
            return "NSFW content detected. Try running it again, or try a different prompt."
        case "fail":
            return "Prediction interrupted; please retry (code: PA)"
        case _:
            return ""


def _output(desk: Desk, task: Task) -> list[str] | str | None:
    links = [] if task.word == "empty" else errands.links(desk, task)
    if MODELS[task.order.model].lists:
        return links[::2] if task.word == "partly" else links
    return links[0] if links else None


def _native(task: Task, status: str, facts: Fields, *, ended: bool = False) -> Fields:
    here = f"{HOST}/v1/predictions/{task.id}"
    times = {"started_at": _stamp(task.started), "completed_at": _stamp(task.ready)}
    return {
        "id": task.id,
        "model": task.order.model,
        "version": "hidden",
        "input": task.order.said,
        "data_removed": False,
        "error": None,
        "source": "api",
        "status": status,
        "created_at": _stamp(task.started),
        "urls": {
            "cancel": f"{here}/cancel",
            "get": here,
            "stream": f"{HOST}/stream/{task.id}",
            "web": f"{HOST}/p/{task.id}",
        },
        **(times if ended else {}),
        **facts,
    }


def _stamp(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(moment))
