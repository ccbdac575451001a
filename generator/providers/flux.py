"""Flux in the form of its maker, Black Forest Labs: a task, looked at by its id (E).

One image a task. FLUX.2 and Kontext take images to work on (`input_image`, `input_image_2`, …),
FLUX.1 one to start from (`image_prompt`); all in base64 without a prefix (K18). The address for
polling in the answer is another host's, and is never read (K10).
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

from generator.errors import ContentRefused, RequestRefused
from generator.providers.base import JSON, Brief, Call, Finished, Outcome, Pending, Reply
from generator.providers.cleaning import is_number, modest
from generator.providers.failed_tasks import failure, no_image, unknown_task
from generator.providers.faults import SAFETY, SAFETY_OF_IMAGE
from generator.providers.reading import LONGEST_NOTE, is_task_id, raise_for_error, read_image
from generator.providers.saying import read_sides, said_fields

ROOT = "/flux/v1"
ACTIONS = frozenset({"create", "edit", "vary"})
# What some model of the route has words for; `size` becomes width and height.
FIELDS = frozenset(
    {
        "aspect_ratio",
        "guidance",
        "image_prompt_strength",
        "interval",
        "output_format",
        "prompt_upsampling",
        "raw",
        "safety_tolerance",
        "seed",
        "size",
        "steps",
    }
)
AUTO = "auto"  # a size or a shape that the model chooses: nothing is said
MOST_IMAGES = 8
_MODEL = re.compile(r"[a-z0-9][\w.-]{0,99}", re.ASCII | re.IGNORECASE)
_TOOK = ("cost", "input_mp", "output_mp")


def build_submit(brief: Brief) -> Call:
    """The paid call (E2). Raises RequestRefused for what the route has no words for."""
    if not _MODEL.fullmatch(brief.wire_model):
        raise RequestRefused("This is no name that a model of this kind can have.")
    if brief.mask or brief.button or brief.styles:
        raise RequestRefused("This model takes a prompt and images to work on, and nothing else.")
    if brief.count != 1:
        raise RequestRefused("This model makes one image at a time: more cannot be said to it.")
    body = {"prompt": brief.prompt, **_settings(brief.fields), **_images(brief)}
    return Call("POST", f"{ROOT}/{brief.wire_model}", json=body)


def parse_submit(reply: Reply) -> Pending:
    """The task and what it takes (E3). Raises as `raise_for_error` does."""
    answer = raise_for_error(reply)
    if not is_task_id(answer["id"]):
        raise ValueError("no id that a task can have")
    return Pending(answer["id"], request_id=reply.request_id, usage=_took(answer))


def build_poll(task_id: str) -> Call:
    """The free look, at the gateway and nowhere else (E4)."""
    return Call("GET", f"{ROOT}/get_result?id={quote(task_id, safe='')}", deadline=60)


def parse_poll(reply: Reply) -> Outcome:
    """What there is so far (E4).

    Raises ContentRefused (the prompt or the image was refused), RequestRefused (it failed, or
    says it is done without an image), TaskUnknown, and what `raise_for_error` does.
    """
    answer = _read_state(reply)
    match answer["status"]:
        case "Ready":
            return _finished(answer, reply)
        case "Request Moderated":
            raise _refused(SAFETY, "request_moderated", reply)
        case "Content Moderated":
            raise _refused(SAFETY_OF_IMAGE, "content_moderated", reply)
        case "Error":
            raise failure(_reasons(answer), reply.request_id)
        case "Task not found":
            raise unknown_task(reply.request_id)
        case "Pending":
            return _pending(answer, "", reply)
        case str() as word if word:
            return _pending(answer, word[:LONGEST_NOTE], reply)
        case _:
            raise ValueError("no status")


def _settings(fields: Mapping[str, JSON]) -> dict[str, JSON]:
    said = said_fields(fields, FIELDS)
    if said.get("aspect_ratio") == AUTO:
        del said["aspect_ratio"]
    size = said.pop("size", AUTO)
    return said if size == AUTO else {**said, **read_sides(size)}


def _images(brief: Brief) -> dict[str, str]:
    match brief.action, len(brief.references):
        case "create", 0:
            return {}
        case "vary", 1:
            return {"image_prompt": brief.references[0].base64}
        case "edit", count if 1 <= count <= MOST_IMAGES:
            names = ["input_image", *(f"input_image_{n}" for n in range(2, count + 1))]
            pairs = zip(names, brief.references, strict=True)
            return {name: reference.base64 for name, reference in pairs}
        case (("create" | "vary" | "edit"), _):
            raise RequestRefused("This model cannot do that with so many images.")
        case _:
            raise RequestRefused("This model cannot do that.")


# ── Reading ──


def _read_state(reply: Reply) -> Mapping[str, JSON]:
    """The answer to a look. One with a status may carry an `error` and be no error of the call."""
    if not reply.is_page and (200 <= reply.status < 300 or reply.status == 404):
        answer = reply.json()
        if isinstance(answer, dict) and isinstance(answer.get("status"), str):
            return answer
        if reply.status == 404 and "task not found" in str(answer.get("detail")).lower():
            raise unknown_task(reply.request_id)
    state: Mapping[str, JSON] = raise_for_error(reply)
    return state


def _finished(answer: Mapping[str, JSON], reply: Reply) -> Finished:
    result = answer["result"]
    image = read_image({"url": result.get("sample"), "revised_prompt": result.get("prompt")})
    if image is None:
        raise no_image(reply.request_id)
    seed = result.get("seed")
    took = _took(answer)
    if is_number(result.get("duration")) and result["duration"]:
        took["duration"] = result["duration"]
    return Finished(
        images=(image,),
        # Through some gateways everything that is not known is nought (M2).
        used={"seed": seed} if is_number(seed) and seed else {},
        usage=took,
        request_id=reply.request_id,
    )


def _took(answer: Mapping[str, JSON]) -> dict[str, JSON]:
    """The price in the maker's cents, and megapixels; said with the task or with its end (E3)."""
    took = {name: answer[name] for name in _TOOK if is_number(answer.get(name))}
    return modest(took, least=())


def _pending(answer: Mapping[str, JSON], note: str, reply: Reply) -> Pending:
    done, task_id = answer.get("progress"), answer.get("id")
    return Pending(
        task_id if is_task_id(task_id) else "",
        note=note,
        progress=round(100 * done) if is_number(done) and 0 <= done <= 1 else None,
        request_id=reply.request_id,
    )


def _reasons(answer: Mapping[str, JSON]) -> list[JSON]:
    """Where a task that failed says why: in text, or in an object. Never the prompt."""
    result = answer.get("result")
    if isinstance(result, dict):
        result = [result.get(name) for name in ("error", "message", "details")]
    return [result, *(answer.get(name) for name in ("error", "message", "details"))]


def _refused(sentence: str, code: str, reply: Reply) -> ContentRefused:
    return ContentRefused(sentence, code=code, request_id=reply.request_id)
