"""The Replicate format: any of its models by owner and name, everything inside `input` (I1).

A look is answered in one of two shapes, Replicate's own or a task of the gateway; which of them is
live is not known (M8), so both are read alike. The addresses in an answer are Replicate's, and are
never called (K10).
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

from generator.errors import RequestRefused
from generator.providers.base import (
    JSON,
    Brief,
    Call,
    Finished,
    InlineImage,
    LinkedImage,
    Outcome,
    Pending,
    Reference,
    Reply,
)
from generator.providers.cleaning import LONGEST_SAID, is_whole, modest
from generator.providers.failed_tasks import CANCELLED, NO_IMAGE, failure, unknown_task
from generator.providers.reading import LONGEST_NOTE, is_task_id, raise_for_error, read_image
from generator.providers.saying import read_sides, said_fields

ROOT = "/replicate/v1"
ACTIONS = frozenset({"create", "edit", "vary"})
# What some model has words for. `size` becomes width and height, the count `num_outputs`.
FIELDS = frozenset(
    {
        "aspect_ratio",
        "cfg",
        "go_fast",
        "guidance",
        "guidance_scale",
        "image_prompt_strength",
        "interval",
        "megapixels",
        "negative_prompt",
        "num_inference_steps",
        "output_format",
        "output_quality",
        "prompt_strength",
        "prompt_upsampling",
        "raw",
        "refine",
        "resolution",
        "safety_tolerance",
        "scheduler",
        "seed",
        "size",
        "steps",
    }
)
# Which names the images of an edit have, by the end of the model's id; `image` for all others.
LISTS = re.compile(r"/flux-2-[\w.-]+")  # `input_images`: a list
NUMBERED = re.compile(r"/flux-kontext-[\w.-]+")  # `input_image`, `input_image_2`, …
AUTO, MATCH = "auto", "match_input_image"  # our word for the shape of the reference, and theirs
_MODEL = re.compile(r"[a-z0-9][\w.-]{0,99}/[a-z0-9][\w.-]{0,99}", re.ASCII | re.IGNORECASE)
_GONE = re.compile(r"not found|could ?n.t be found|could not be found|not exist|task_not_exist")
_SEED = re.compile(r"using seed:?\s*(\d{1,19})\b", re.IGNORECASE)
_NOT_ALL = (
    "Not every image came out. The provider does not say why: its safety rules may be the reason."
)
_REMOVED = "The provider has deleted this image already: it keeps them for an hour only."


def build_submit(brief: Brief) -> Call:
    """The paid call. Raises RequestRefused for what the format has no words for."""
    if not _MODEL.fullmatch(brief.wire_model):
        raise RequestRefused("The name of such a model is owner/name, and this one is not.")
    if brief.button or brief.styles:
        raise RequestRefused("This model takes a prompt and images to work on, and nothing else.")
    said = {"prompt": brief.prompt, **_settings(brief), **_images(brief)}
    return Call("POST", f"{ROOT}/models/{brief.wire_model}/predictions", json={"input": said})


def parse_submit(reply: Reply) -> Outcome:
    """The task, or what became of it at once.

    Raises ValueError for a status that no document names: what it means for money is not known.
    """
    task = _read_task(reply)
    task_id = _task_id(task)
    if not task_id:
        raise ValueError("no id that a task can have")
    outcome = _outcome(task, reply)
    if isinstance(outcome, Pending) and outcome.note:
        raise ValueError("a status that no document names")
    return outcome


def build_poll(task_id: str) -> Call:
    """The free look. It was once seen to hang for 45 s: hence its deadline."""
    return Call("GET", f"{ROOT}/predictions/{quote(task_id, safe='')}", deadline=90)


def parse_poll(reply: Reply) -> Outcome:
    """What there is so far, in either shape.

    Raises RequestRefused (it failed, was called off, or has no image) or ContentRefused,
    TaskUnknown, and what `raise_for_error` does.
    """
    if reply.status in {400, 404} and not reply.is_page and _GONE.search(_text(reply)):
        raise unknown_task(reply.request_id)
    return _outcome(_read_task(reply), reply)


def _settings(brief: Brief) -> dict[str, JSON]:
    said = said_fields(brief.fields, FIELDS)
    if said.get("aspect_ratio") == AUTO:
        del said["aspect_ratio"]
        if brief.references:  # else there is nothing to match: the model's own default holds
            said["aspect_ratio"] = MATCH
    if said.get("output_format") == "jpeg":
        said["output_format"] = "jpg"
    size = said.pop("size", AUTO)
    if size != AUTO:
        said |= read_sides(size)
    if brief.count > 1:  # one is everybody's default, and most models refuse the word
        said["num_outputs"] = brief.count
    return said


def _images(brief: Brief) -> dict[str, JSON]:
    addresses = [_address(reference) for reference in brief.references]
    name = brief.wire_model[brief.wire_model.index("/") :]
    match brief.action, addresses:
        case "create", []:
            said: dict[str, JSON] = {}
        case "vary", [one]:
            said = {"image_prompt": one}
        case "edit", [_, *_] if LISTS.fullmatch(name):
            said = {"input_images": addresses}
        case "edit", [first, *others] if NUMBERED.fullmatch(name):
            more = {f"input_image_{n}": one for n, one in enumerate(others, start=2)}
            said = {"input_image": first, **more}
        case "edit", [one]:
            # White is what changes, here as with us (J).
            return {"image": one, **({"mask": _address(brief.mask)} if brief.mask else {})}
        case (("create" | "vary" | "edit"), _):
            raise RequestRefused("This model cannot do that with so many images.")
        case _:
            raise RequestRefused("This model cannot do that.")
    if brief.mask:
        raise RequestRefused("This model cannot be told which part of an image is to change.")
    return said


def _address(reference: Reference) -> str:
    # The page says URLs; Replicate itself takes data URIs too, for who cannot be reached.
    return reference.link or reference.data_uri


# ── Reading ──


def _read_task(reply: Reply) -> dict[str, JSON]:
    """The task of either shape, flat: what the gateway says about it wins over what lies within.

    A task may carry an `error` and be no error of the call.
    """
    answer = raise_for_error(reply) if reply.is_page or not 200 <= reply.status < 300 else None
    answer = reply.json() if answer is None else answer
    match answer:
        case {"status": str()}:
            return dict(answer)
        case {"data": {"status": str()} as outer}:
            inner = outer.get("data")
            said = {name: value for name, value in outer.items() if value not in (None, "")}
            return {**inner, **said} if isinstance(inner, dict) else said
        case {"code": str() as code} if "not_exist" in code or "not_found" in code:
            raise unknown_task(reply.request_id)
    return dict(raise_for_error(reply))


def _outcome(task: Mapping[str, JSON], reply: Reply) -> Outcome:
    match task["status"].lower():
        case "succeeded" | "success":
            return _finished(task, reply)
        case "failed" | "failure" | "error":
            reasons = [task.get("error"), task.get("fail_reason")]
            raise failure(reasons, reply.request_id)
        case "canceled" | "cancelled" | "aborted":
            raise RequestRefused(CANCELLED, code="task_cancelled", request_id=reply.request_id)
        case "starting" | "processing" | "submitted" | "queued" | "in_progress":
            return _pending(task, "", reply)
        case word if word:
            return _pending(task, task["status"][:LONGEST_NOTE], reply)
        case _:
            raise ValueError("no status")


def _pending(task: Mapping[str, JSON], note: str, reply: Reply) -> Pending:
    found = re.fullmatch(r"(\d{1,3})%", str(task.get("progress")), re.ASCII)
    return Pending(
        _task_id(task),
        note=note,
        progress=min(int(found[1]), 100) if found else None,
        request_id=reply.request_id,
    )


def _task_id(task: Mapping[str, JSON]) -> str:
    # The gateway's own name for it comes first: that is what the gateway is asked about.
    for name in ("task_id", "id"):
        said = task.get(name)
        if is_task_id(said):
            return said
    return ""


def _finished(task: Mapping[str, JSON], reply: Reply) -> Finished:
    output = task.get("output")
    entries = output if isinstance(output, list) else [output]
    images = tuple(image for entry in entries if (image := _image(entry)) is not None)
    if not images:
        removed = task.get("data_removed") is True
        raise RequestRefused(
            _REMOVED if removed else NO_IMAGE,
            code="removed" if removed else "empty",
            request_id=reply.request_id,
        )
    asked = _asked(task).get("num_outputs")
    wanted = asked if is_whole(asked) else len(entries)
    metrics = task.get("metrics")
    missing = min(max(wanted - len(images), 0), 100)
    return Finished(
        images=images,
        used=_used(task),
        usage=modest(metrics, least=()) if isinstance(metrics, dict) else {},
        request_id=reply.request_id,
        failed_members=missing,
        problem=_NOT_ALL if missing else "",
    )


def _image(entry: JSON) -> InlineImage | LinkedImage | None:
    return read_image({"url": entry}) if isinstance(entry, str) else None


def _used(task: Mapping[str, JSON]) -> dict[str, JSON]:
    """What it was told, as it repeats it, and the seed that its log names."""
    asked = _asked(task)
    used = {
        name: _clipped(asked[name])
        for name in sorted(FIELDS & asked.keys())
        if _is_plain(asked[name])
    }
    if used.get("output_format") == "jpg":
        used["output_format"] = "jpeg"
    if used.get("aspect_ratio") == MATCH:
        used["aspect_ratio"] = AUTO
    match asked:
        case {"width": int(width), "height": int(height)}:
            used["size"] = f"{width}x{height}"
    logs = task.get("logs")
    if isinstance(logs, str) and (found := _SEED.search(logs, 0, 10_000)):
        used["seed"] = int(found[1])
    return used


def _asked(task: Mapping[str, JSON]) -> Mapping[str, JSON]:
    asked = task.get("input")
    return asked if isinstance(asked, dict) else {}


def _is_plain(said: JSON) -> bool:
    return isinstance(said, str | int | float)


def _clipped(said: JSON) -> JSON:
    return said[:LONGEST_SAID] if isinstance(said, str) else said


def _text(reply: Reply) -> str:
    return reply.body[:4000].decode("utf-8", "replace").lower()
