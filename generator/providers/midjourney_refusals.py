"""What Midjourney's codes and sentences mean for us (F2, F3, F6, M2).

A submit is judged by the number in `code`, whatever the HTTP status says. Errors come as a flat
object with such a number, or in the gateway's own envelope (A2).
"""

import re
from collections.abc import Mapping

from generator.errors import (
    ContentRefused,
    ProviderBusy,
    ProviderError,
    ProviderSilent,
    RequestRefused,
)
from generator.providers import faults
from generator.providers.base import JSON, Reply
from generator.providers.cleaning import is_whole
from generator.providers.fault_bodies import read_fault
from generator.providers.reading import json_or_none, raise_for_error

ACCEPTED = frozenset({1, 21, 22})
BUSY = {23: "Midjourney's queue is full at the moment.", 30: faults.BUSY}
BANNED = 24
_GONE = (
    "Midjourney no longer knows what this starts from, or its button is over. "
    "Make the picture again and go on from the new one."
)
_NOT_DONE = (
    "What this starts from is not finished at Midjourney, or did not succeed. "
    "Nothing can be made from it."
)
_NO_BUTTON = "The gateway cannot press this button of Midjourney's. Use another one."
_UNREAD = "The gateway could not read this request."
_FAILED = "Midjourney failed before it began. Nothing was made; try it once more."
_NO_ACCOUNT = "Midjourney has no account free for this at the moment. Try again later."
# By the first word of `description`; the gateway's own words (F6).
DESCRIPTIONS = {
    "bind_request_body_failed": _UNREAD,
    "custom_id_is_required": _UNREAD,
    "index_parse_failed": _NO_BUTTON,
    "prompt_is_required": "Midjourney needs a prompt for this.",
    "task_id_is_required": _UNREAD,
    "task_no_found": _GONE,
    "task_not_exist": _GONE,
    "task_not_found": _GONE,
    "task_status_not_success": _NOT_DONE,
    "unknown_action": _NO_BUTTON,
}
UNKNOWN_TASK = frozenset({"task_no_found", "task_not_exist", "task_not_found"})
NO_MONEY = frozenset({"quota_not_enough", "user_quota_not_enough"})
# The provider had been reached: nobody knows what it did.
REACHED = frozenset(
    {
        "close_response_body_failed",
        "do_request_failed",
        "read_response_body_failed",
        "unmarshal_response_body_failed",
    }
)
CODES = {3: _NO_ACCOUNT, 5: _FAILED, 9: _FAILED}
# Words in the reason of a task that failed, in this order.
_MODERATION = re.compile(
    r"banned|moderat|sensitive|nsfw|content polic|community|violat|blocked|敏感|违规|违禁|审核"
)
REASONS = (
    (
        re.compile(r"parameter|unrecognized|invalid (?:value|aspect|version)"),
        "Midjourney did not take one of the settings or flags. "
        "Look through those in the prompt, or choose another version.",
    ),
    (
        re.compile(r"time ?d? ?out|超时"),
        "Midjourney gave up because it took too long. Try it once more, or at another speed.",
    ),
    (
        re.compile(r"queue|job limit|concurren|队列"),
        "Midjourney's queue was full and it gave up. Try again later.",
    ),
)
FAILED = "Midjourney says that the task failed. Try it once more, or change the prompt."
CANCELLED = "The task was cancelled at Midjourney."
_PLAIN_WORD = re.compile(r"[^\W\d_]{2,30}")


def accepted(reply: Reply) -> Mapping[str, JSON]:
    """The answer to a submit that was taken: code 1, 21 or 22.

    Raises what the code means, what `raise_for_error` does for the other error form, and
    ValueError for a code that no document names.
    """
    answer = _flat(reply)
    if answer is None:
        if (word := _word_in_envelope(reply)) in DESCRIPTIONS:
            raise RequestRefused(DESCRIPTIONS[word], code=word, request_id=reply.request_id)
        raise_for_error(reply)
        raise ValueError("not an answer to a submit")
    if 200 <= reply.status < 300 and answer["code"] in ACCEPTED:
        return answer
    error = _meaning(reply, answer)
    error.request_id = reply.request_id
    error.retry_after = reply.retry_after
    raise error


def looked_at(reply: Reply) -> Mapping[str, JSON] | None:
    """The answer to a look at a task; None for a task that is not known there.

    Raises ProviderBusy where the gateway cannot tell now, else what `raise_for_error` does.
    """
    answer = _flat(reply)
    word = _word_in_envelope(reply) if answer is None else _first_word(answer["description"])
    if word in UNKNOWN_TASK:
        return None
    if answer is None or "status" in answer or isinstance(answer["result"], dict):
        said: Mapping[str, JSON] = raise_for_error(reply)
        return said
    if reply.status in faults.STATUSES:
        raise_for_error(reply)
    # A look costs nothing: whatever keeps the gateway from telling may pass.
    raise ProviderBusy(
        faults.BUSY,
        code=str(answer["code"]),
        request_id=reply.request_id,
        retry_after=reply.retry_after,
        is_limit=reply.status == 429 or answer["code"] == 30,
    )


def failure(reason: JSON, request_id: str) -> RequestRefused:
    """What to raise for a task that failed after it was taken."""
    text = reason.lower() if isinstance(reason, str) else ""
    if _MODERATION.search(text):
        return ContentRefused(faults.SAFETY, code="failure", request_id=request_id)
    said = next((sentence for words, sentence in REASONS if words.search(text)), FAILED)
    return RequestRefused(said, code="failure", request_id=request_id)


def _first_word(said: JSON) -> str:
    """The word that a description begins with; the gateway writes its own words there."""
    if not isinstance(said, str):
        return ""
    return re.split(r"[\s:(]", said.strip().lower(), maxsplit=1)[0]


def _word_in_envelope(reply: Reply) -> str:
    """The same of the other error form, which occurs here too (M2)."""
    answer = json_or_none(reply)
    is_error = isinstance(answer, dict) and answer.get("error")
    return _first_word(read_fault(answer).text) if is_error else ""


def _flat(reply: Reply) -> dict[str, JSON] | None:
    """The flat form, its code as a number, and never without `description` and `result`.

    None for any other answer.
    """
    answer = json_or_none(reply)
    if not isinstance(answer, dict) or answer.get("error"):
        return None
    if answer.keys().isdisjoint({"description", "result"}):
        return None
    code = answer.get("code")
    if isinstance(code, str) and re.fullmatch(r"\d{1,3}", code):
        code = int(code)
    if not is_whole(code):
        return None
    return {"description": "", "result": None, **answer, "code": code}


def _meaning(reply: Reply, answer: Mapping[str, JSON]) -> ProviderError:
    code: int = answer["code"]
    word = _first_word(answer["description"])
    if code == BANNED:
        return ContentRefused(_safety(answer), code="24")
    if code in BUSY or reply.status == 429:
        return ProviderBusy(BUSY.get(code, faults.BUSY), code=str(code), is_limit=True)
    if word in NO_MONEY:
        return faults.judge(403, faults.Fault(codes=("insufficient_user_quota",)))
    if word in DESCRIPTIONS:
        return RequestRefused(DESCRIPTIONS[word], code=word)
    if word in REACHED or reply.status >= 500:
        return ProviderSilent(faults.SILENT, code=str(code))
    if reply.status in faults.STATUSES:
        return RequestRefused(faults.STATUSES[reply.status], code=str(code))
    return _by_code(reply, code, _text(answer))


def _by_code(reply: Reply, code: int, text: str) -> ProviderError:
    match code:
        case 3 if "task" in text or "任务" in text:
            return RequestRefused(_GONE, code="3")
        case 4 if "button" in text or "customid" in text:
            return RequestRefused(_GONE, code="4")
        case 4:
            return RequestRefused(_parameter(text), code="4")
        case _ if code in CODES:
            return RequestRefused(CODES[code], code=str(code))
        case _ if reply.status < 300:
            raise ValueError("a code that no document names")
        case _:
            return RequestRefused(faults.REFUSED, code=str(code))


def _text(answer: Mapping[str, JSON]) -> str:
    said = answer.get("description")
    return said.lower() if isinstance(said, str) else ""


# What a parameter error may be about: the words for it, and ours. The first that fits.
_ABOUT = (
    ("mask", "mask"),
    ("dimensions", "shape"),
    ("bottype", "model"),
    ("base64", "images that went along"),
    ("image", "images that went along"),
    ("prompt", "prompt"),
)


def _parameter(text: str) -> str:
    about = next((ours for theirs, ours in _ABOUT if theirs in text), "")
    return f"Midjourney did not accept the {about}." if about else faults.REFUSED


def _safety(answer: Mapping[str, JSON]) -> str:
    """A banned word is named only if it looks like a word and nothing else."""
    properties = answer.get("properties")
    word = properties.get("bannedWord") if isinstance(properties, dict) else None
    if isinstance(word, str) and _PLAIN_WORD.fullmatch(word.strip()):
        return f"{faults.SAFETY} What it named: {word.strip()}."
    return faults.SAFETY
