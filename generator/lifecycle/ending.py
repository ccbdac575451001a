"""What steps have in common: failing, giving back, waiting a while."""

import random
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from generator import live
from generator.errors import (
    BadReply,
    ContentRefused,
    ProviderBusy,
    ProviderError,
    ProviderSilent,
    TaskUnknown,
)
from generator.models import Generation, Status, UsageTotal
from generator.models.quota import accounts_holding
from generator.models.storage import spool

MOST_ATTEMPTS = 5


def fail(generation: Generation, reason: str, *, code: str, request_id: str = "") -> float | None:
    """The end without images: said on the row, and the credits go back."""
    facts = {"request_id": request_id[:120]} if request_id else {}
    with transaction.atomic():
        generation.move_to(Status.FAILED, reason=reason, reason_code=code, outcome=[], **facts)
        release(generation, failed=True)
        live.moved(generation)
    if code not in {"lost", "bug"}:  # what may yet be looked for is left to the daily round
        clear_spool(generation)
    return None


def clear_spool(generation: Generation) -> None:
    """Forget what lies in the spool for it, once that it has ended is committed.

    A caller's own transaction may still be taken back, and a paid image lies nowhere else.
    """
    transaction.on_commit(partial(spool().clear, generation.pk))


def refuse(generation: Generation, error: ProviderError) -> float | None:
    """Fail for what the gateway or the provider said, or did not say."""
    match error:
        case ContentRefused():
            code = "content"
        case ProviderSilent():
            code = "silent"
        case ProviderBusy():
            code = "busy"
        case BadReply():
            code = "unreadable"
        case TaskUnknown():
            code = "gone"
        case _:
            code = "refused"
    return fail(generation, str(error), code=code, request_id=error.request_id)


def release(generation: Generation, *, failed: bool = False) -> None:
    """Give back what was held; a failure counts in the usage, at no cost."""
    entries = [account.release(generation) for account in accounts_holding(generation)]
    if failed and entries:
        UsageTotal.objects.add(
            generation, day=entries[0].counts_on, credits=0, generations=1, failures=1
        )


def growing_pause(attempt: int, *, asked_for: float | None = None) -> float:
    """Seconds before the next try: 1, 2, 4, … at most 30, and up to one more by chance (A4).

    A pause that the other side asked for is kept if it is longer.
    """
    pause = min(30.0, 2.0 ** (attempt - 1)) + random.random()  # noqa: S311
    return max(pause, asked_for or 0.0)


def look_again(generation: Generation, pause: float, **facts: Any) -> float:
    """Let go of the claim until the next look; tell the pages if any of the facts is new."""
    changed = any(getattr(generation, name) != value for name, value in facts.items())
    Generation.objects.filter(pk=generation.pk, claimed_by=generation.claimed_by).update(
        due_at=timezone.now() + timedelta(seconds=pause), claimed_by="", **facts
    )
    if changed:
        live.moved(generation)
    return pause
