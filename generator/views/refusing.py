"""How a refusal is told to a program: a status, and the facts in JSON."""

import math
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from generator.errors import (
    AlreadyMoved,
    IllegalMove,
    NotAllowed,
    NotOffered,
    PriceChanged,
    QuotaExceeded,
    StudioError,
)
from generator.forms.prompt import PromptForm


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks; browsers, and whoever takes anything, are shown a page."""
    return request.accepts("application/json") and not request.accepts("text/html")


def told(error: StudioError) -> JsonResponse:
    """`{"error": {"type": …, "message": …}}`; of a cap 429, its facts and `Retry-After` (M2)."""
    match error:
        case QuotaExceeded():
            return _too_much(error)
        case AlreadyMoved() | IllegalMove():
            return _answer(409, "already_moved", str(error))
        case PriceChanged():
            return _answer(409, "price_changed", str(error))
        case NotOffered():
            return _answer(400, "not_offered", str(error))
        case NotAllowed():
            return _answer(400, "not_allowed", str(error))
        case _:
            return _answer(400, "refused", str(error))


def told_invalid(form: PromptForm) -> JsonResponse:
    """The same for a form that is not valid: what is wrong, by field as well."""
    by_field = {name or "": [str(text) for text in texts] for name, texts in form.errors.items()}
    sentences = dict.fromkeys(text for texts in by_field.values() for text in texts)
    return _answer(400, "invalid", " ".join(sentences), fields=by_field)


def _too_much(error: QuotaExceeded) -> JsonResponse:
    resets_at = error.resets_at
    answer = _answer(
        429, "quota_exceeded", str(error), window=error.window, needed=error.needed,
        left=error.left, missing=error.missing,
        resets_at=resets_at.isoformat() if resets_at else None,
    )  # fmt: skip
    if resets_at:
        answer["Retry-After"] = max(math.ceil((resets_at - timezone.now()).total_seconds()), 1)
    return answer


def _answer(status: int, kind: str, message: str, **facts: Any) -> JsonResponse:
    return JsonResponse({"error": {"type": kind, "message": message, **facts}}, status=status)
