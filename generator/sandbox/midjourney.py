"""`/mj/…`: Midjourney as a machine of buttons (F).

Every submit makes a task; a task ends with buttons, and pressing one makes another task. Two of
them open a dialog first. HTTP says little: what became of a submit stands in its `code`.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from generator.sandbox import midjourney_orders as orders
from generator.sandbox import price_rows
from generator.sandbox.desk import Asked, Desk, Said
from generator.sandbox.gallery import Wish, encode
from generator.sandbox.midjourney_jobs import Job, pressed, with_buttons
from generator.sandbox.midjourney_orders import Asker, BadOrder
from generator.sandbox.midjourney_scenes import sheet
from generator.sandbox.tasks import Task
from generator.sandbox.wire import Answer, Fields, Refused, Visit, as_json

SPEEDS = ("fast", "turbo", "relax")
# The price row of what a task does (F7), where it is not called as its action.
_ROWS = {"CUSTOM_ZOOM": "zoom", "HIGH_VARIATION": "variation", "LOW_VARIATION": "variation"}
MAKERS: dict[str, Callable[[Asker], Job]] = {
    "imagine": orders.imagine,
    "blend": orders.blend,
    "describe": orders.describe,
    "edits": orders.edits,
}
# How far a task is from where on: its status and progress (L).
_WALK = (
    (0.9, "IN_PROGRESS", "93%"),
    (0.65, "IN_PROGRESS", "62%"),
    (0.35, "IN_PROGRESS", "31%"),
    (0.1, "SUBMITTED", "0%"),
    (0.0, "", ""),
)
ODD = "UNDER_REVIEW"
BANNED = "gore"
AHEAD = 3  # how many tasks the queue has before one that is queued
FAILED = "The task could not be carried out, please submit it again"
WITHHELD = "Banned prompt detected: the result was blocked by our AI moderator"


def answer(desk: Desk, visit: Visit, path: list[str]) -> Answer | None:
    """The answer, if the address is one of Midjourney's, with or without a speed before it."""
    speed, rest = _speed_of(path)
    match visit.method, rest:
        case "POST", ["mj", "submit", verb] if verb in orders.FIELDS:
            try:
                return _submitted(desk, visit, verb, speed)
            except BadOrder as bad:
                return flat(400, str(bad), 4)
        case "GET", ["mj", "task", id, "fetch"]:
            desk.look(visit)
            task = desk.tasks.look_for(id, Job)
            return flat(400, "task_no_found", 4) if task is None else as_json(_shown(desk, task))
        case "POST", ["mj", "task", "list-by-condition"]:
            desk.look(visit)
            found = (desk.tasks.look_for(id, Job) for id in _ids(desk, visit))
            return as_json([_shown(desk, task) for task in found if task is not None])
    return None


def flat(status: int, description: str, code: int, **more: str) -> Answer:
    """The flat form of errors (F6); `more` are headers."""
    body = {"description": description, "type": "comet_api_error", "code": code}
    return as_json(body, status, more)


def dollars(job: Job, speed: str) -> Decimal:
    """What a task costs, by what it does and its speed."""
    row = _ROWS.get(job.action, job.action.lower())
    kind = next((word for word in ("subtle", "creative") if word in job.custom_id), "")
    if row == "upscale" and kind:
        row = f"upscale-{kind}"
    return Decimal(str(price_rows.dollars(speed, row)))


def _speed_of(path: list[str]) -> tuple[str, list[str]]:
    head, *rest = path
    speed = head.removeprefix("mj-")
    return (speed, rest) if head.startswith("mj-") and speed in SPEEDS else ("fast", path)


# ── Submits ──


def _submitted(desk: Desk, visit: Visit, verb: str, speed: str) -> Answer:
    # A press is counted under its button: it has no prompt of its own.
    key = "customId" if verb == "action" else "prompt"
    try:
        asked = desk.receive(visit, lambda body: body.get(key))
    except Refused as refused:
        if refused.code == "bad_request_body":
            raise BadOrder("bind_request_body_failed") from refused
        raise
    asker = Asker(asked.body, desk.house.strict, desk.log.paid(asked.prompt))
    asker.check(verb)
    _stumble(asked.word)
    speed = asker.modes[0].lower() if asker.modes else speed
    match verb:
        case "action":
            return _pressed(desk, asked, asker, speed)
        case "modal":
            return _answered(desk, asked, asker, speed)
        case _:
            job = replace(MAKERS[verb](asker), state=asker.text("state"))
            return _begun(desk, asked, job, speed, as_text=verb == "imagine")


def _stumble(word: str) -> None:
    """The words that end a submit, in Midjourney's own forms (F2, F6, M2)."""
    match word:
        case "busy":
            raise Said(flat(429, "当前分组负载已饱和,请稍后再试", 30, **{"Retry-After": "1"}))
        case "full":
            raise Said(as_json({"code": 23, "description": "Queue is full, please try later"}))
        case "refuse":
            banned = {"promptEn": f"a picture of {BANNED}", "bannedWord": BANNED}
            said = {"code": 24, "description": "May contain sensitive words", "properties": banned}
            raise Said(as_json(said))
        case "money":
            raise Said(flat(400, "quota_not_enough", 4))
        case "error":
            raise Said(as_json({"code": 9, "description": "system error", "result": ""}))
        case "broken":
            # The upstream sent a page; what it did, nobody knows (M2).
            body = {"description": "unmarshal_response_body_failed", "type": "upstream_error"}
            raise Said(as_json({**body, "code": 4}, 500))


def _pressed(desk: Desk, asked: Asked, asker: Asker, speed: str) -> Answer:
    id = asker.need("taskId", "task_id_is_required")
    custom_id = asker.need("customId", "custom_id_is_required")
    parent = desk.tasks.find(id)
    if parent is None or not isinstance(parent.order, Job):
        raise BadOrder("task_not_found")
    if _status(desk, parent)[0] != "SUCCESS":
        raise BadOrder("task_status_not_success")
    if not any(custom_id == button["customId"] for button in parent.order.buttons):
        raise BadOrder("index_parse_failed")
    if custom_id not in parent.order.presses:
        raise BadOrder(f"unknown_action: {custom_id}")
    job = pressed(parent.order, parent.order.presses[custom_id], custom_id)
    job = replace(job, state=asker.text("state"))
    if not job.dialog:
        return _begun(desk, asked, job, speed)
    # A dialog costs nothing; what is made after it does.
    task = desk.tasks.begin(asked.prompt, "", 0, order=job, id=_new_id())
    return _accepted(task, code=21, description="Waiting for window confirm")


def _answered(desk: Desk, asked: Asked, asker: Asker, speed: str) -> Answer:
    task = desk.tasks.find(asker.need("taskId", "task_id_is_required"))
    if task is None or not isinstance(task.order, Job):
        raise BadOrder("task_not_found")
    if not task.order.dialog:
        raise BadOrder("task_status_not_modal")
    return _begun(desk, asked, orders.answered(asker, task.order), speed, id=task.id)


def _begun(
    desk: Desk, asked: Asked, job: Job, speed: str, *, id: str = "", as_text: bool = False
) -> Answer:
    """Charge and begin a task; one that fails costs nothing (F6), nor one without an image."""
    failure = job.failure or {"fail": FAILED, "withheld": WITHHELD}.get(asked.word, "")
    job = replace(with_buttons(job), failure=failure)
    id = id or _new_id()
    task = desk.begin(asked, dollars(job, speed), job, id=id, fails=bool(failure))
    if asked.word == "queue":
        said = f"In queue, there are {AHEAD} tasks ahead"
        more = {"numberOfQueues": AHEAD}
        return _accepted(task, code=22, description=said, as_text=as_text, more=more)
    return _accepted(task, as_text=as_text)


def _accepted(
    task: Task,
    *,
    code: int = 1,
    description: str = "Submission successful",
    as_text: bool = False,
    more: Fields | None = None,
) -> Answer:
    properties = {
        "discordInstanceId": "1118138338562560102",
        "discordChannelId": "",
        **(more or {}),
    }
    return as_json(
        {
            "code": code,
            "description": description,
            # Text after an imagine, a number after all others.
            "result": task.id if as_text else int(task.id),
            "properties": properties,
        }
    )


def _new_id() -> str:
    return str(10**15 + secrets.randbelow(10**15))


# ── Looks ──


def _ids(desk: Desk, visit: Visit) -> list[str]:
    try:
        body = json.loads(visit.body(desk.house.body_limit))
        return [str(id) for id in body["ids"]]
    except (KeyError, TypeError, ValueError):
        raise Said(flat(400, "bind_request_body_failed", 4)) from None


def _status(desk: Desk, task: Task) -> tuple[str, str]:
    """Status and progress of a task, as they are now."""
    job: Job = task.order
    done = task.progress(desk.pace.now())
    if done >= 1:
        if job.dialog:
            return "MODAL", "0%"
        return ("FAILURE", "") if job.failure else ("SUCCESS", "100%")
    status, progress = next((word, said) for start, word, said in _WALK if done >= start)
    return (ODD, progress) if task.word == "odd" else (status, progress)


def _shown(desk: Desk, task: Task) -> Fields:
    """The task object (F3), with places that are empty as the real one has them."""
    job: Job = task.order
    status, progress = _status(desk, task)
    is_made = status == "SUCCESS" and task.word != "empty"
    said = _numbered(job.suggestions) if is_made and job.suggestions else job.prompt
    started = 0 if status in {"", "SUBMITTED"} else _milliseconds(task.started)
    return {
        "id": task.id,
        "action": job.action,
        "customId": job.custom_id,
        "botType": job.bot,
        "prompt": job.prompt,
        "promptEn": said,
        "description": "Submission successful",
        "state": job.state,
        "submitTime": _milliseconds(task.started),
        "startTime": started,
        "finishTime": _milliseconds(task.ready) if progress == "100%" else 0,
        "imageUrl": _image_url(desk, task, status) if is_made or progress == "62%" else "",
        "videoUrl": "",
        "videoUrls": None,
        "status": status,
        "progress": progress,
        "failReason": job.failure if status == "FAILURE" else "",
        "buttons": list(job.buttons) if is_made else [],
        "maskBase64": "",
        "properties": {"finalPrompt": said, "finalZhPrompt": ""} if is_made else None,
    }


def _image_url(desk: Desk, task: Task, status: str) -> str:
    job: Job = task.order
    if job.suggestions:
        return ""
    if status != "SUCCESS":  # a preview, which is not the picture
        return desk.link(Wish(task.turn, (64, 64)), task.prompt)
    wish = desk.gallery.promise(f"mj-{task.id}", lambda: _file(job), job.size, "png")
    return desk.link(wish, task.prompt, task.word)


def _file(job: Job) -> bytes:
    return encode(sheet(job.scenes), "png")


def _numbered(suggestions: tuple[str, ...]) -> str:
    return "\n\n".join(f"{n}\ufe0f\u20e3 {said}" for n, said in enumerate(suggestions, start=1))


def _milliseconds(moment: float) -> int:
    return int(moment * 1000)
