"""What the body of an error says, in any of its shapes (A2, B6, D5, M2).

The gateway puts the words of others into its own, so a fault is gathered from all levels of a
body, outermost first.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.providers.faults import Fault

_DEEPEST = 6
_NESTED = ("error", "message", "detail", "details", "inner_error", "innererror")
_LONGEST = 4000  # characters of a message that are looked at
_CODE = re.compile(r"[\w.:-]{1,80}")
_PARAMETER = re.compile(r"the parameter `(\w{1,40})`")
_WORD = re.compile(r"[A-Za-z][A-Za-z /_-]{0,40}")
# Ark's codes are like no other word. Gateways write them into their own sentence (D5).
_IN_TEXT = (
    "inputimagesensitivecontentdetected",
    "inputtextsensitivecontentdetected",
    "internalserviceerror",
    "invalidparameter",
    "outputimagesensitivecontentdetected",
)


def read_fault(answer: Any) -> Fault:
    """What an error body says, in any of the shapes of A2 and M2. Never raises."""
    levels = list(_levels(answer))
    facts = [level for level in levels if isinstance(level, dict)]
    texts = [level for level in levels if isinstance(level, str)]
    found = [said for level in facts if isinstance(said := level.get("moderation_details"), dict)]
    text = " ".join(texts)[:_LONGEST].lower()
    codes = [code for level in facts for code in _codes(level)]
    return Fault(
        codes=(*codes, *(code for code in _IN_TEXT if code in text and code not in codes)),
        types=tuple(str(level["type"]).lower() for level in facts if level.get("type")),
        text=text,
        param=next((param for level in facts if (param := _param(level))), _named_in(text)),
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
    match level:
        case {"loc": [*_, place]}:  # FastAPI: ["body", "size"]
            return str(place)
        case {"invalid_fields": [{"field": str(place)}, *_]}:  # Replicate: "input.size"
            return place.rpartition(".")[2]
        case _:
            return ""


def _named_in(text: str) -> str:
    # Ark: "The parameter `size` specified in the request is not valid: …"
    found = _PARAMETER.search(text)
    return found[1] if found else ""


def _categories(details: Mapping[str, Any]) -> list[str]:
    """Names of categories, if they look like names; at most five."""
    named = details.get("categories")
    words = [word for word in named if isinstance(word, str)] if isinstance(named, list) else []
    return [re.sub("[_/-]", " ", word) for word in words if _WORD.fullmatch(word)][:5]
