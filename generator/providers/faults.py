"""What an error of the gateway means for us: one table for every adapter (A2, A4, B6, M2).

Bodies come in many shapes, so a fault is gathered from all levels of a body, outermost first,
and judged by its codes before its status: status classes lie (K3). Of what the other side wrote
only words of ours reach a person, for its own may repeat the prompt or the key.
"""

import json
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from generator.errors import (
    ContentRefused,
    ProviderBusy,
    ProviderError,
    ProviderSilent,
    RequestRefused,
)

_DEEPEST = 6
_NESTED = ("error", "message", "detail", "details", "inner_error", "innererror")
_LONGEST = 4000  # characters of a message that are looked at
_CODE = re.compile(r"[\w.:-]{1,80}")
_WORD = re.compile(r"[A-Za-z][A-Za-z /_-]{0,40}")

MODERATION = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "moderation_blocked",
        "prompt_blocked",
        "sensitive_words_detected",
    }
)
MONEY = frozenset(
    {
        "billing_hard_limit_reached",
        "insufficient_quota",
        "insufficient_user_quota",
        "pre_consume_token_quota_failed",
    }
)
_TELL = "Please tell your administrator."
_NOT_ALLOWED = f"The gateway does not let this studio use this model. {_TELL}"
_BAD_KEY = f"The gateway did not accept the studio's key. {_TELL}"
_NO_MONEY = f"The studio's account at the gateway is out of money. {_TELL}"
_NOWHERE = f"The gateway knows no such address or model. {_TELL}"
# Whatever the status: fault was found with the request before anybody worked on it.
NEVER = {
    "access_denied": _NOT_ALLOWED,
    "api_key_invalid": _BAD_KEY,
    "api_not_implemented": "The gateway cannot do this with this model.",
    "bad_request_body": "The gateway could not read this request.",
    "convert_request_failed": "The gateway cannot make images with this model in this way.",
    "invalid_request": "The gateway refused this request as it stands.",
    "model_not_found": "The gateway does not offer this model at the moment. Try another one.",
    "permission_denied": _NOT_ALLOWED,
}
# The provider had been reached: nobody knows what it did.
REACHED = frozenset(
    {
        "bad_response",
        "bad_response_body",
        "channel:response_time_exceeded",
        "do_request_failed",
        "empty_response",
    }
)
# An error object is the gateway's own by its type, or by a code that only the gateway uses.
# Any other one with a 5xx came from further behind, and so the provider had been reached.
OWN_TYPES = frozenset({"comet_api_error", "new_api_error", "one_api_error", "shell_api_error"})
OWN_CODES = frozenset(
    {"bad_response_status_code", "channel:no_available_key", "token_concurrency_limit_reached"}
)
STATUSES = {
    401: _BAD_KEY,
    402: _NO_MONEY,
    403: _NOT_ALLOWED,
    404: _NOWHERE,
    405: _NOWHERE,
    413: "The request is too large for the gateway. Send fewer or smaller images.",
}
FIELDS = {
    "background": "background",
    "model": "model",
    "moderation": "safety rules",
    "n": "number of images",
    "output_compression": "compression",
    "output_format": "file format",
    "prompt": "prompt",
    "quality": "quality",
    "size": "size",
    "style": "style",
}
WRONG_ADDRESS = (
    "The gateway answered as if its address were wrong. "
    "Please tell your administrator: COMETAPI_BASE_URL says where it is."
)
REFUSED = "The provider refused this request as it stands."
SAFETY = "The provider's safety rules refused this prompt. Reword it, or try another model."
SAFETY_OF_IMAGE = (
    "The provider's safety rules withheld the image that was made. "
    "Reword the prompt, or try another model."
)
BUSY = "The model is too busy at the moment."
SILENT = (
    "No answer came that can be trusted. The image may have been made all the same, "
    "so the studio does not ask again by itself."
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What an error body says. Codes, types and text are in lower case, outermost level first."""

    codes: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    text: str = field(default="", repr=False)
    param: str = ""
    categories: tuple[str, ...] = ()
    stage: str = ""

    @property
    def code(self) -> str:
        """The gateway's own word for it; empty where it has none."""
        return self.codes[0] if self.codes else ""

    @property
    def is_own(self) -> bool:
        """Whether the gateway itself wrote it, and not somebody behind it."""
        return not OWN_TYPES.isdisjoint(self.types) or bool(self.code_among(OWN_CODES))

    def code_among(self, table: Container[str]) -> str:
        """The first of its codes that stands in a table; empty if none does."""
        return next((code for code in self.codes if code in table), "")


def judge(status: int, fault: Fault, *, is_page: bool = False) -> ProviderError:
    """The error to raise for a status and what the body says; `is_page`: HTML came instead.

    RequestRefused (or ContentRefused): it will never work so. ProviderBusy: it came to nothing
    for sure. ProviderSilent: it may be going on behind our back.
    """
    if _is_moderation(fault):
        return ContentRefused(
            _safety(fault), code=fault.code_among(MODERATION) or "content_policy_violation"
        )
    if fault.code_among(MONEY) or "quota is not enough" in fault.text:
        return RequestRefused(_NO_MONEY, code=fault.code_among(MONEY) or fault.code)
    if never := fault.code_among(NEVER):
        return RequestRefused(_refusal(status, fault, never), code=never)
    if status == 429:
        return ProviderBusy(BUSY, code=fault.code)
    if status == 408 or (is_page and status < 300):
        return ProviderSilent(SILENT, code=fault.code)
    if status < 500:
        nowhere = is_page or 300 <= status < 400
        return RequestRefused(_refusal(status, fault, nowhere=nowhere), code=fault.code)
    if status in {500, 502, 503} and fault.is_own and not fault.code_among(REACHED):
        return ProviderBusy(BUSY, code=fault.code)
    return ProviderSilent(SILENT, code=fault.code)


def _is_moderation(fault: Fault) -> bool:
    # Some gateways drop the code on the way and leave only OpenAI's sentence.
    return bool(fault.code_among(MODERATION)) or (
        not fault.code_among(NEVER) and "safety system" in fault.text
    )


def _safety(fault: Fault) -> str:
    said = SAFETY_OF_IMAGE if fault.stage == "output" else SAFETY
    return f"{said} What it named: {', '.join(fault.categories)}." if fault.categories else said


def _refusal(status: int, fault: Fault, never: str = "", *, nowhere: bool = False) -> str:
    label = FIELDS.get(fault.param)
    if never and not (never == "invalid_request" and label):
        return NEVER[never]
    if status in STATUSES:
        return STATUSES[status]
    if nowhere:
        return WRONG_ADDRESS
    return f"The provider did not accept the {label} that was asked for." if label else REFUSED


# ── Reading a body ──


def read_fault(answer: Any) -> Fault:
    """What an error body says, in any of the shapes of A2 and M2. Never raises."""
    levels = list(_levels(answer))
    facts = [level for level in levels if isinstance(level, dict)]
    texts = [level for level in levels if isinstance(level, str)]
    found = [said for level in facts if isinstance(said := level.get("moderation_details"), dict)]
    return Fault(
        codes=tuple(code for level in facts for code in _codes(level)),
        types=tuple(str(level["type"]).lower() for level in facts if level.get("type")),
        text=" ".join(texts)[:_LONGEST].lower(),
        param=next((param for level in facts if (param := _param(level))), ""),
        categories=tuple(word for details in found for word in _categories(details)),
        stage=next((str(details.get("moderation_stage")) for details in found), ""),
    )


def _levels(node: Any, depth: int = 0) -> Iterator[dict[str, Any] | str]:
    """Every object and every sentence on the way down, outermost first."""
    if depth > _DEEPEST:
        return
    match node:
        case str():
            inner = _escaped(node)
            yield from _levels(inner, depth + 1) if inner is not None else (node,)
        case list():
            for item in node[:_DEEPEST]:
                yield from _levels(item, depth + 1)
        case dict():
            yield node
            for key in _NESTED:
                yield from _levels(node.get(key), depth + 1)


def _escaped(text: str) -> Any:
    """The JSON that hides in a string (M2), or None."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _codes(level: Mapping[str, Any]) -> Iterator[str]:
    # Google writes numbers as `code` and words as `status` and `reason`; xAI whole sentences.
    for key in ("code", "status", "reason"):
        said = level.get(key)
        if isinstance(said, str) and _CODE.fullmatch(said):
            yield said.lower()
        elif key == "code" and isinstance(said, int) and not isinstance(said, bool):
            yield str(said)


def _param(level: Mapping[str, Any]) -> str:
    said = level.get("param")
    if isinstance(said, str) and said:
        return said
    place = level.get("loc")  # the form of FastAPI: ["body", "size"]
    return str(place[-1]) if isinstance(place, list) and place else ""


def _categories(details: Mapping[str, Any]) -> list[str]:
    """Names of categories, if they look like names; at most five."""
    named = details.get("categories")
    words = [word for word in named if isinstance(word, str)] if isinstance(named, list) else []
    return [re.sub("[_/-]", " ", word) for word in words if _WORD.fullmatch(word)][:5]
