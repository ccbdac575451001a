"""Kling's images: a task to come back for, and its own numbers for what goes wrong (I2).

`code` 0 says that the question was understood, even where the task has failed; any other code is
an error, whatever the status.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from generator.errors import (
    ContentRefused,
    ProviderError,
    RequestRefused,
)
from generator.providers.base import JSON, Brief, Call, Finished, LinkedImage, Pending, Reply
from generator.providers.cleaning import LONGEST_SAID, is_whole
from generator.providers.failed_tasks import failure, unknown_task
from generator.providers.fault_bodies import read_fault
from generator.providers.faults import EMPTY, REFUSED, Fault, judge
from generator.providers.reading import (
    LONGEST_NOTE,
    is_task_id,
    json_or_none,
    raise_for_error,
    unreadable,
)
from generator.providers.saying import said_fields

PATH = "/kling/v1/images/generations"
ACTIONS = frozenset({"create", "edit"})
FIELDS = frozenset({"aspect_ratio", "negative_prompt", "image_fidelity"})
# Kling's own codes, as the status and the word of the gateway that mean the same.
CODES = {
    "1000": (401, "api_key_invalid"),
    "1001": (401, "api_key_invalid"),
    "1002": (401, "api_key_invalid"),
    "1003": (401, "api_key_invalid"),
    "1004": (401, "api_key_invalid"),
    "1100": (403, "access_denied"),
    "1101": (403, "insufficient_quota"),  # in arrears
    "1102": (403, "insufficient_quota"),  # what was paid for in advance is used up
    "1103": (403, "access_denied"),
    "1200": (400, ""),
    "1201": (400, ""),
    "1202": (404, ""),
    "1203": (404, "model_not_found"),
    "1300": (400, "content_policy_violation"),
    "1301": (400, "content_policy_violation"),
    "1302": (429, ""),  # too fast
    "1303": (429, ""),  # too many at once
    "1304": (403, "access_denied"),
    "5000": (504, ""),  # nobody knows what it did before it broke
    "5001": (504, ""),
    "5002": (504, ""),
}
NO_SUCH_TASK = frozenset({"1203", "task_not_exist"})
_OWN_ID = re.compile(r"[\w.:-]{1,120}")


def build_submit(brief: Brief) -> Call:
    """The paid call (I2). Raises RequestRefused for what this route has no words for."""
    _refuse_unsayable(brief)
    fields = said_fields(brief.fields, FIELDS)
    body = {"model_name": brief.wire_model, "prompt": brief.prompt, "n": brief.count, **fields}
    if brief.references:
        body["image"] = brief.references[0].base64
    return Call("POST", PATH, json=body)


def _refuse_unsayable(brief: Brief) -> None:
    if brief.action not in ACTIONS or brief.mask or brief.styles or brief.button:
        raise RequestRefused("Here this model makes images from a prompt, or changes a whole one.")
    if len(brief.references) != (brief.action == "edit"):
        raise RequestRefused("An edit starts from one image, and nothing else takes any.")
    # What an edit starts from goes along as an image; the task behind it cannot be said.
    if brief.parent and not brief.references:
        raise RequestRefused("This model cannot go on from an earlier task.")
    if brief.references and brief.fields.get("negative_prompt"):
        raise RequestRefused("This model takes no negative prompt beside an image.")


def parse_submit(reply: Reply) -> Pending | Finished:
    """The task (I2). Raises what `raise_for_error` does, and what Kling's own codes mean."""
    outcome = _outcome(reply)
    if isinstance(outcome, Pending) and outcome.note:
        raise unreadable(reply)
    return outcome


def build_poll(task_id: str) -> Call:
    """The free look."""
    return Call("GET", f"{PATH}/{quote(task_id, safe='')}", deadline=60)


def parse_poll(reply: Reply) -> Pending | Finished:
    """What there is so far.

    Raises as `parse_submit` does, RequestRefused or ContentRefused for a task that failed, and
    TaskUnknown for one that Kling does not know.
    """
    if _knows_no_such_task(reply):
        raise unknown_task(reply.request_id)
    return _outcome(reply)


def _outcome(reply: Reply) -> Pending | Finished:
    answer = _read(reply)
    data = answer["data"]
    request_id = reply.request_id or _own_id(answer)
    match data["task_status"]:
        case "submitted" | "processing":
            return Pending(_task_id(data), request_id=request_id)
        case "succeed":
            return _finished(data, request_id)
        case "failed":
            # The sentence beside it is all that tells safety rules from the rest.
            raise failure(data.get("task_status_msg"), request_id)
        case str(word):
            return Pending(_task_id(data), note=word[:LONGEST_NOTE] or "?", request_id=request_id)
        case _:
            raise unreadable(reply)


def _read(reply: Reply) -> Mapping[str, JSON]:
    """The answer, if its code is 0; else raise what the code means."""
    fault = _fault(reply)
    if code := fault.code_among(CODES):
        raise _judged(code, fault, reply)
    answer: Mapping[str, JSON] = raise_for_error(reply)
    if str(answer["code"]) != "0":
        raise RequestRefused(REFUSED, code=fault.code, request_id=reply.request_id)
    return answer


def _fault(reply: Reply) -> Fault:
    return read_fault(json_or_none(reply))


def _judged(code: str, fault: Fault, reply: Reply) -> ProviderError:
    status, word = CODES[code]
    error = judge(status, replace(fault, codes=(word,) if word else ()))
    error.code = code
    error.request_id = reply.request_id
    error.retry_after = reply.retry_after
    return error


def _knows_no_such_task(reply: Reply) -> bool:
    # The document does not say how it is put: Kling's own code, the family's word, or 404.
    return bool(_fault(reply).code_among(NO_SUCH_TASK)) or (
        reply.status == 404 and not reply.is_page
    )


def _task_id(data: Mapping[str, JSON]) -> str:
    said = data["task_id"]
    task_id = str(said) if is_whole(said) else said
    if not is_task_id(task_id):
        raise ValueError("no id that a task can have")
    return task_id


def _own_id(answer: Mapping[str, JSON]) -> str:
    said = answer.get("request_id")
    return said if isinstance(said, str) and _OWN_ID.fullmatch(said) else ""


def _finished(data: Mapping[str, JSON], request_id: str) -> Finished:
    """The images in the order of their index; a `watermark_url` beside one is left alone (M2)."""
    entries = data["task_result"]["images"] or []
    if not entries:
        raise ContentRefused(EMPTY, code="empty", request_id=request_id)
    # All of them are paid for: one that cannot be read must not cost the rest.
    links = [link for entry in sorted(entries, key=_index) if (link := _link(entry))]
    if not links:
        raise ValueError("no link at all")
    missing = len(entries) - len(links)
    return Finished(
        images=tuple(LinkedImage(link) for link in links),
        usage=_usage(data),
        request_id=request_id,
        failed_members=missing,
        problem=f"{missing} image{'s' if missing > 1 else ''} did not come." if missing else "",
    )


def _index(entry: JSON) -> int:
    said = entry.get("index") if isinstance(entry, Mapping) else None
    return said if is_whole(said) else 0


def _link(entry: JSON) -> str:
    said = entry.get("url") if isinstance(entry, Mapping) else None
    return said if isinstance(said, str) else ""


def _usage(data: Mapping[str, JSON]) -> dict[str, str]:
    said = data.get("final_unit_deduction")
    return {"final_unit_deduction": str(said)[:LONGEST_SAID]} if said else {}
