"""One step of a generation: the paid call, a free look, the answer to a dialog."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from generator import briefs, live, patience, providers
from generator.errors import (
    BadReply,
    ProviderBusy,
    ProviderError,
    SpoolFull,
    StudioError,
    TaskUnknown,
)
from generator.lifecycle.ending import MOST_ATTEMPTS, fail, growing_pause, look_again, refuse
from generator.lifecycle.listening import listening
from generator.lifecycle.storing import begin_storing, gave_up, keep, store, store_later
from generator.models import Generation, Status, Step
from generator.models.storage import spool
from generator.models.turns import slow_down
from generator.providers.base import Dialog, Finished, Outcome, Pending
from generator.providers.gateway import Gateway
from generator.providers.witness import Witness

STUMBLE_PAUSE = 30.0  # seconds
MOST_STUMBLES = 60  # in one generation: half an hour
LONGEST_WAIT = 60.0  # seconds between two looks, whatever is asked for: links end in ten minutes
POLL_LEASE = timedelta(minutes=2)
LEASE_MARGIN = timedelta(minutes=1)
LONGEST_TASK_ID = 200
UNKNOWN = "unknown"  # the note of a generation whose task was not known at the last look
LIMIT = "limit"  # the note of one that waits since its provider is asked too often
BUG = "Something went wrong in the studio itself."
LOST = (
    "The studio stopped while the model was working, and cannot know whether it finished. "
    "It is not sent again by itself."
)


def advance(generation: Generation, gateway: Gateway) -> float | None:
    """Take one step. Returns the pause before the next in seconds, or None at the end.

    The generation must be claimed. Raises AlreadyMoved if it was lost to someone else.
    """
    match Status(generation.status):
        case Status.SUBMITTING:
            return _take_up(generation)
        case Status.RUNNING:
            with listening(generation, Step.LOOK) as witness:
                return _poll(generation, gateway, witness)
        case Status.STORING:
            return store(generation, gateway)
        case _:
            return None


def _take_up(generation: Generation) -> float | None:
    """Go on from *submitting*, where only an expired claim leads: the worker died in the paid
    call, or after it, and what it had put down by then says which."""
    manifest = spool().manifest(generation.pk)
    if manifest is None:
        return fail(generation, LOST, code="lost")
    if "task_id" in manifest:
        return _run(generation, manifest)
    return begin_storing(generation, manifest)


def submit(generation: Generation, gateway: Gateway) -> float | None:
    """Make the paid call of a generation that has just been moved to *submitting* for us."""
    live.moved(generation)
    adapter = providers.ADAPTERS[generation.protocol]
    deadline = generation.rule.deadline
    with listening(generation, Step.SUBMIT) as witness:
        try:
            brief = briefs.brief_of(generation)
            # Images may take a while to fetch and to fit: the lease is for the call.
            generation.hold_until(_lease(generation))
            with patience.awaiting():
                outcome = gateway.submit(adapter, brief, deadline=deadline, witness=witness)
        except ProviderBusy as error:
            return _try_again_later(generation, error)
        except ProviderError as error:
            return refuse(generation, error)
        return _take(generation, outcome)


def _lease(generation: Generation) -> datetime:
    return timezone.now() + timedelta(seconds=generation.rule.deadline) + LEASE_MARGIN


def stumble(generation: Generation, error: Exception) -> None:
    """What to do when a step raised: a bug of ours, the database away, or a StudioError, whose
    words are then the reason.

    A paid call that may have been made is never made again; one whose reply lies in the spool,
    and anything later, is taken up again. Nothing is done if the claim was lost meanwhile.
    """
    reason = str(error) if isinstance(error, StudioError) else BUG
    mine = Generation.objects.filter(pk=generation.pk, claimed_by=generation.claimed_by).first()
    if mine is None:
        return
    match Status(mine.status):
        case Status.SUBMITTING if spool().manifest(mine.pk) is None:
            fail(mine, reason, code="bug")
        case Status.SUBMITTING | Status.RUNNING if mine.storing_attempts >= MOST_STUMBLES:
            fail(mine, reason, code="bug")
        case Status.SUBMITTING | Status.RUNNING:
            look_again(mine, STUMBLE_PAUSE, storing_attempts=mine.storing_attempts + 1)
        case Status.STORING if gave_up(mine):
            fail(mine, reason, code="bug")
        case Status.STORING:
            store_later(mine, note="storage")


def _try_again_later(generation: Generation, error: ProviderBusy) -> float | None:
    _heed(generation, error)
    if generation.attempts >= MOST_ATTEMPTS:
        return refuse(generation, error)
    pause = growing_pause(generation.attempts, asked_for=error.retry_after)
    generation.move_to(
        Status.QUEUED, due_at=timezone.now() + timedelta(seconds=pause), claimed_by="",
        note=LIMIT if error.is_limit else "busy",
    )  # fmt: skip
    live.moved(generation)
    return pause


def _heed(generation: Generation, error: ProviderBusy) -> None:
    if error.is_limit:
        slow_down(generation.provider)


def _take(generation: Generation, outcome: Outcome) -> float | None:
    match outcome:
        case Pending():
            return _wait_for_task(generation, outcome)
        case Dialog(task_id=task_id, request_id=request_id):
            # Answered when a look finds it open: a word like "dialog" may mean other things (F2).
            return _wait_for_task(generation, Pending(task_id, request_id=request_id))
        case Finished(images=(), texts=()):
            return fail(
                generation, "The model answered without an image.", code="empty",
                request_id=outcome.request_id,
            )  # fmt: skip
        case Finished():
            return keep(generation, outcome)


def _wait_for_task(generation: Generation, pending: Pending) -> float | None:
    if len(pending.task_id) > LONGEST_TASK_ID:
        return fail(generation, "The provider's answer could not be read.", code="unreadable")
    taken = {
        "task_id": pending.task_id,
        "note": pending.note[:120],
        "progress": pending.progress,
        "request_id": (pending.request_id or generation.request_id)[:120],
        "usage": {**generation.usage, **pending.usage},
    }
    # The id of a paid task is as little to be lost as an image: a database may be away just now.
    with suppress(SpoolFull):
        spool().put(generation.pk, [], taken)
    return _run(generation, taken)


def _run(generation: Generation, taken: dict[str, Any]) -> float:
    """Move to *running* with what is known of the task."""
    pause = generation.takes.poll_every
    due_at = timezone.now() + timedelta(seconds=pause)
    generation.move_to(Status.RUNNING, due_at=due_at, claimed_by="", **taken)
    live.moved(generation)
    return pause


def _poll(generation: Generation, gateway: Gateway, witness: Witness) -> float | None:
    adapter = providers.POLLING_ADAPTERS[generation.protocol]
    family = generation.takes
    age = generation.seconds or 0.0
    is_late = age > generation.rule.deadline
    try:
        with patience.awaiting():
            outcome = gateway.poll(adapter, generation.task_id, witness=witness)
    except ProviderBusy as error:
        _heed(generation, error)
        if is_late:
            return refuse(generation, error)
        pause = min(error.retry_after or 0, LONGEST_WAIT)
        return look_again(generation, max(pause, family.poll_every))
    except TaskUnknown as error:
        # Just made, it may not have got round yet; later it is asked once more (E4, H4).
        if age <= family.grace or generation.note != UNKNOWN:
            return look_again(generation, family.poll_every, note=UNKNOWN)
        return refuse(generation, error)
    except ProviderError as error:
        if is_late or _is_its_end(error):
            return refuse(generation, error)
        return look_again(generation, family.poll_every)
    match outcome:
        case Pending() | Dialog() if is_late:
            return fail(generation, "The model took longer than it may.", code="late")
        case Dialog() if generation.answered == generation.task_id:
            # It may stay open for a moment after it was answered: once is paid, twice is not.
            return look_again(generation, family.poll_every)
        case Pending():
            return look_again(
                generation, family.poll_every, note=outcome.note[:120], progress=outcome.progress
            )
        case Dialog():
            return _answer(generation, gateway)
        case Finished():
            return _take(generation, outcome)


def _is_its_end(error: ProviderError) -> bool:
    """Whether a look says that the task came to nothing, and not only that the look did."""
    return not (isinstance(error, BadReply) or error.is_of_the_call)


def _answer(generation: Generation, gateway: Gateway) -> float | None:
    """Answer a dialog: a paid step like a submit, so it is *submitting* while it lasts."""
    adapter = providers.DIALOG_ADAPTERS[generation.protocol]
    deadline = generation.rule.deadline
    generation.move_to(
        Status.SUBMITTING, note="", due_at=_lease(generation), attempts=generation.attempts + 1,
        answered=generation.task_id,
    )  # fmt: skip
    with listening(generation, Step.ANSWER) as witness:
        try:
            brief = briefs.brief_of(generation)
            generation.hold_until(_lease(generation))
            with patience.awaiting():
                outcome = gateway.answer(
                    adapter, brief, generation.task_id, deadline=deadline, witness=witness
                )
        except ProviderBusy as error:
            _heed(generation, error)
            if generation.attempts >= MOST_ATTEMPTS:
                return refuse(generation, error)
            # The dialog is still open: the next look finds it, and it is answered again.
            pause = growing_pause(generation.attempts, asked_for=error.retry_after)
            due_at = timezone.now() + timedelta(seconds=pause)
            facts = {"note": "busy", "due_at": due_at, "claimed_by": "", "answered": ""}
            generation.move_to(Status.RUNNING, **facts)
            return pause
        except ProviderError as error:
            return refuse(generation, error)
        return _take(generation, outcome)
