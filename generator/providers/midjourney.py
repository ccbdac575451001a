"""Midjourney answers with a task, and what it made with buttons for the next one (F).

There is no model in a call: the catalogue's `midjourney` and `niji` are two bots. Settings are
flags of the prompt, four images are one file, and every button pressed is a task of its own. Some
buttons ask back: the task then waits in a dialog that `build_continue` answers.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

from generator import pictures
from generator.errors import ContentRefused, RequestRefused
from generator.providers import midjourney_prompts as prompts
from generator.providers import midjourney_refusals as refusals
from generator.providers.base import (
    JSON,
    LONGEST_PROMPT,
    Brief,
    Call,
    Dialog,
    Finished,
    LinkedImage,
    Outcome,
    Pending,
    Reference,
    Reply,
)
from generator.providers.cleaning import is_whole
from generator.providers.failed_tasks import unknown_task
from generator.providers.midjourney_buttons import read_buttons
from generator.providers.midjourney_refusals import CANCELLED
from generator.providers.reading import LONGEST_NOTE, is_task_id

BOTS = {"midjourney": "MID_JOURNEY", "niji": "NIJI_JOURNEY"}
# By the field `speed`. `accountFilter` in the body is the other way to say it (F1).
SPEEDS = {"fast": "", "turbo": "/mj-turbo", "relax": "/mj-relax"}
BUTTONS = frozenset({"fill", "pan", "reroll", "upscale", "vary", "zoom"})
ACTIONS = BUTTONS | {"blend", "create", "describe", "edit"}
FIELDS = frozenset(prompts.FLAGS) | {"dimensions", "speed", "zoom"}
# What of them an action has words for, beside the speed.
_FIELDS = {
    "blend": frozenset({"dimensions"}),
    "create": frozenset(prompts.FLAGS),
    "edit": frozenset(prompts.FLAGS),
    "zoom": frozenset({"zoom"}),
}
# How many images go along: (least, most). More than five prompts of images nobody has tried.
_REFERENCES = {"blend": (2, 5), "create": (0, 5), "describe": (1, 1), "edit": (1, 1)}
# Which area of the editor's mask is painted anew: "white" or "transparent" (M9 leaves it open).
EDITOR_REPAINTS: str = "white"
USUAL_ZOOM = 2
_PROGRESS = re.compile(r"\s*(\d{1,3})(?:\.\d+)?\s*%?\s*")
_AHEAD = re.compile(r"\b(\d{1,6}) tasks? ahead")
# Before each of the four suggestions: 1️⃣, or what is left of it.
_NUMBERED = re.compile(r"(?:^|\n)\s*[1-9](?:\ufe0f?\u20e3|[.)])\s*")
EMPTY = (
    "Midjourney finished without an image, as it does when its safety rules object. "
    "Reword the prompt, or try another model."
)


def build_submit(brief: Brief) -> Call:
    """The paid call (F1): imagine, edits, blend, describe, or a button.

    Raises RequestRefused for what these have no words for. The prompt of a button without a
    dialog is not said: Midjourney knows what the picture was made from.
    """
    _check(brief)
    match brief.action:
        case "create":
            return _call(brief, "imagine", _imagine(brief))
        case "edit":
            return _call(brief, "edits", _edits(brief))
        case "blend":
            body = {"base64Array": _images(brief), **_dimensions(brief), **_bot(brief)}
            return _call(brief, "blend", body)
        case "describe":
            return _call(brief, "describe", {"base64": _images(brief)[0], **_bot(brief)})
        case _:
            return _call(brief, "action", _pressed(brief))


def build_continue(brief: Brief, task_id: str) -> Call:
    """The paid answer to a dialog (F4): a mask and a prompt, or a prompt that says how far out.

    Raises RequestRefused where the brief has no answer to it.
    """
    body = {"taskId": task_id}
    match brief.action:
        case "fill":
            prompts.typed_flags(brief.prompt)
            said = {"prompt": brief.prompt} if brief.prompt else {}
            body |= {**said, "maskBase64": _painted(brief).data_uri}
        case "zoom":
            zoom = brief.fields.get("zoom")
            body["prompt"] = prompts.zoomed(brief.prompt, USUAL_ZOOM if zoom is None else zoom)
        case _ if brief.prompt:
            prompts.typed_flags(brief.prompt)
            body["prompt"] = brief.prompt
        case _:
            raise RequestRefused("Midjourney asks back here, and there is nothing to answer.")
    return _call(brief, "modal", body)


def parse_submit(reply: Reply) -> Pending:
    """The task that was taken (F2). Whether code 21 opened a dialog, its first look tells.

    Raises what its code means, and ValueError for a code or an id that is none.
    """
    answer = refusals.accepted(reply)
    return Pending(_task_id(answer["result"]), note=_queue(answer), request_id=reply.request_id)


def build_poll(task_id: str) -> Call:
    """The free look (F1)."""
    return Call("GET", f"/mj/task/{quote(task_id, safe='')}/fetch")


def parse_poll(reply: Reply) -> Outcome:
    """How far the task is, the dialog it opened, or what was made (F3).

    Raises RequestRefused or ContentRefused for one that failed, TaskUnknown for one that is not
    there.
    """
    task = refusals.looked_at(reply)
    if task is None:
        raise unknown_task(reply.request_id)
    if isinstance(task.get("result"), dict):  # nested once more by some versions
        task = task["result"]
    match task["status"]:
        case "SUCCESS":
            return _finished(reply, task)
        case "MODAL":
            return Dialog(_id_of(task), request_id=reply.request_id)
        case "FAILURE":
            raise refusals.failure(task.get("failReason"), reply.request_id)
        case "CANCEL":
            raise RequestRefused(CANCELLED, code="cancel", request_id=reply.request_id)
        case None | "" | "NOT_START" | "SUBMITTED" | "IN_PROGRESS":
            return _pending(reply, task)
        case str(word):
            return _pending(reply, task, note=word[:LONGEST_NOTE])
        case _:
            raise TypeError("a status that is no word")


# ── Saying it ──


def _check(brief: Brief) -> None:
    if brief.action not in ACTIONS or brief.wire_model not in BOTS:
        raise RequestRefused("Midjourney cannot do this.")
    if brief.count != 1:
        raise RequestRefused("Midjourney makes one file at a time: a grid of four images.")
    known = _FIELDS.get(brief.action, frozenset()) | {"speed"}
    said = {name for name, value in brief.fields.items() if value is not None}
    if unsaid := sorted(said - known):
        raise RequestRefused(f"The {', '.join(unsaid)} cannot be said to Midjourney here.")
    least, most = _REFERENCES.get(brief.action, (0, 0))
    if not least <= len(brief.references) <= most:
        raise RequestRefused(f"Midjourney takes {_count(least, most)} for this.")
    if brief.styles and brief.action not in {"create", "edit"}:
        raise RequestRefused("Midjourney takes no reference for the look here.")
    if brief.mask and brief.action not in {"edit", "fill"}:
        raise RequestRefused("Midjourney takes no mask here.")
    if brief.prompt and brief.action in {"blend", "describe"}:
        raise RequestRefused("Midjourney takes no prompt here, only images.")


def _count(least: int, most: int) -> str:
    if most == 0:
        return "no images"
    if least == most:
        return "just one image"
    return f"{least} to {most} images"


def _call(brief: Brief, verb: str, body: Mapping[str, JSON]) -> Call:
    speed = brief.fields.get("speed") or "fast"
    if speed not in SPEEDS:
        raise RequestRefused("Midjourney does not know this speed.")
    return Call("POST", f"{SPEEDS[speed]}/mj/submit/{verb}", json=body)


def _imagine(brief: Brief) -> dict[str, JSON]:
    images = {"base64Array": _images(brief)} if brief.references else {}
    prompt = prompts.written(brief, weighs_images=bool(images))
    return {"prompt": prompt, **images, **_bot(brief)}


def _edits(brief: Brief) -> dict[str, JSON]:
    prompt = prompts.written(brief, weighs_images=False)
    mask = {"maskBase64": _editor_mask(brief.mask)} if brief.mask else {}
    return {"prompt": prompt, "image": _images(brief)[0], **mask, **_bot(brief)}


def _editor_mask(mask: Reference) -> str:
    if EDITOR_REPAINTS == "white":
        return mask.data_uri
    return Reference(pictures.transparent_mask(mask.data), "image/png", "mask.png").data_uri


def _pressed(brief: Brief) -> dict[str, JSON]:
    if not brief.button or brief.parent is None or not brief.parent.task_id:
        raise RequestRefused("This starts from a button of a picture that Midjourney made.")
    # Said only in a dialog, but found wanting before anything is asked for.
    if brief.action == "fill":
        _painted(brief)
    if brief.action in {"fill", "zoom"}:
        prompts.typed_flags(brief.prompt)
    return {"taskId": brief.parent.task_id, "customId": brief.button}


def _painted(brief: Brief) -> Reference:
    if brief.mask is None:
        raise RequestRefused("Paint over what Midjourney is to change.")
    return brief.mask


def _images(brief: Brief) -> list[str]:
    return [reference.data_uri for reference in brief.references]


def _dimensions(brief: Brief) -> dict[str, JSON]:
    shape = brief.fields.get("dimensions")
    return {"dimensions": shape} if shape else {}


def _bot(brief: Brief) -> dict[str, JSON]:
    return {"botType": BOTS[brief.wire_model]}


# ── Reading it ──


def _task_id(said: JSON) -> str:
    """The id as text: some are numbers. Raises ValueError for what is none."""
    task_id = str(said) if is_whole(said) else said
    if not is_task_id(task_id):
        raise ValueError("no id that a task can have")
    return task_id


def _id_of(task: Mapping[str, JSON]) -> str:
    """The id that a look names; empty where it names none, for we know what we asked for."""
    try:
        return _task_id(task.get("id"))
    except ValueError:
        return ""


def _queue(answer: Mapping[str, JSON]) -> str:
    """Where in the queue it is: said by a number, or in a sentence where 22 became 1 (M2)."""
    properties = answer.get("properties")
    ahead = properties.get("numberOfQueues") if isinstance(properties, dict) else None
    if not is_whole(ahead):
        found = _AHEAD.search(str(answer.get("description")))
        ahead = int(found[1]) if found else None
    if ahead is not None:
        return f"in queue, {ahead} ahead"
    return "in queue" if answer["code"] == 22 else ""


def _pending(reply: Reply, task: Mapping[str, JSON], note: str = "") -> Pending:
    found = _PROGRESS.fullmatch(str(task.get("progress")))
    progress = min(int(found[1]), 100) if found else None
    return Pending(_id_of(task), note=note, progress=progress, request_id=reply.request_id)


def _finished(reply: Reply, task: Mapping[str, JSON]) -> Finished:
    link = task.get("imageUrl") or ""
    buttons = read_buttons(task.get("buttons"))
    if task.get("action") == "DESCRIBE" or not link:
        if not (texts := _suggestions(task)):
            raise ContentRefused(EMPTY, code="empty", request_id=reply.request_id)
        return Finished(images=(), texts=texts, request_id=reply.request_id)
    final = _final_prompt(task)
    if not isinstance(link, str):
        raise TypeError("no link")
    used = {**prompts.read(final), "prompt": final} if final else {}
    return Finished(
        images=(LinkedImage(link),), used=used, request_id=reply.request_id, buttons=buttons
    )


def _final_prompt(task: Mapping[str, JSON]) -> str:
    return _text(_finally(task)) or _text(task.get("promptEn"))


def _finally(task: Mapping[str, JSON]) -> JSON:
    properties = task.get("properties")
    return properties.get("finalPrompt") if isinstance(properties, dict) else None


def _text(said: JSON) -> str:
    return said.strip()[:LONGEST_PROMPT] if isinstance(said, str) else ""


def _suggestions(task: Mapping[str, JSON]) -> tuple[str, ...]:
    """The four prompts of *describe*, without the numbers before them (F4).

    None for a task of another kind, as far as it says of which it is.
    """
    text = _text(task.get("promptEn")) or _text(_finally(task))
    if task.get("action") != "DESCRIBE" and not _NUMBERED.match(text):
        return ()
    pieces = _NUMBERED.split(text) if _NUMBERED.search(text) else text.split("\n\n")
    return tuple(stripped for piece in pieces if (stripped := piece.strip()))
