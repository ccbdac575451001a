"""begin, advance, cancel: the rules of a generation that span rows.

`advance` takes one step for whatever status it finds and returns the pause in seconds before
the next, or None at the end. It is handed its gateway and knows nothing of the queue. Network
and storage work happen outside transactions, with no database connection held; the database
work at the end of a step is one short transaction, the move first, so that whoever loses the
move never reaches the ledger.
"""

import hashlib
import json
import logging
import random
import uuid
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from generator import keeping, live, patience, providers
from generator.errors import (
    BadReply,
    ContentRefused,
    NotAllowed,
    ProviderBusy,
    ProviderError,
    ProviderSilent,
    SpoolFull,
    StudioError,
)
from generator.models import (
    CatalogueEntry,
    Generation,
    Membership,
    QuotaAccount,
    Status,
    Team,
    User,
)
from generator.models.quota import accounts_holding
from generator.models.storage import spool
from generator.providers.base import Brief, Finished, InlineImage, Outcome, Pending
from generator.providers.gateway import Gateway

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
POLL_EVERY = 4.0  # seconds
STUMBLE_PAUSE = 30.0  # seconds
POLL_LEASE = timedelta(minutes=2)
STORE_LEASE = timedelta(minutes=30)
STORING_TRIES = 3000  # one each half minute: about a day
LINK_TRIES = 5
BUG = "Something went wrong in the studio itself."
LOST = (
    "The studio stopped while the model was working, and cannot know whether it finished. "
    "It is not sent again by itself."
)


# ── begin ──


def key_of(
    *, batch: uuid.UUID, team: Team, author: User, entry: CatalogueEntry, brief: Brief
) -> uuid.UUID:
    """The same for a double click or a form sent again, another for any change in it."""
    form = json.dumps([brief.action, brief.prompt, brief.count, dict(brief.fields)], sort_keys=True)
    digest = hashlib.sha256(form.encode()).hexdigest()
    return uuid.uuid5(batch, f"{team.pk}:{author.pk}:{entry.pk}:{digest}")


def begin(
    author: User, team: Team, entry: CatalogueEntry, brief: Brief, *, batch: uuid.UUID
) -> Generation:
    """Accept a prompt: the generation and its reservations, in one transaction.

    The same order of the same batch finds the generation that is already there. Raises
    NotAllowed for one who may not make images in this team, NotOffered for a model without
    offer or price, QuotaExceeded where a cap would be passed.
    """
    pk = key_of(batch=batch, team=team, author=author, entry=entry, brief=brief)
    with transaction.atomic():
        membership = Membership.objects.filter(team=team, user=author).first()
        if membership is None or not membership.may_make or not author.is_active:
            raise NotAllowed("You may look at this team's images, but not make new ones.")
        # The lock comes before the look-up: of two clicks the second finds the first's row.
        accounts = QuotaAccount.objects.concerned(team, author)
        there = team.generations.filter(pk=pk).first()
        if there is not None:
            return there
        price = entry.price(brief.count)
        generation = Generation.objects.create(
            pk=pk,
            batch=batch,
            team=team,
            author=author,
            price=price,
            **_copied(entry),
            action=brief.action,
            prompt=brief.prompt,
            fields=dict(brief.fields),
            count=brief.count,
        )
        day = team.today()
        for account in accounts:
            account.reserve(generation, credits=price, day=day)
        live.moved(generation)
    return generation


def _copied(entry: CatalogueEntry) -> dict[str, Any]:
    family = entry.takes
    return {
        "entry": entry,
        "label": entry.label,
        "provider": family.provider,
        "family": family.name,
        "protocol": family.protocol,
        "wire_model": entry.wire_model,
        "price_basis": entry.price_basis(),
    }


def brief_of(generation: Generation) -> Brief:
    """What the adapter is told."""
    return Brief(
        action=generation.action,
        prompt=generation.prompt,
        wire_model=generation.wire_model,
        fields=generation.fields,
        count=generation.count,
    )


# ── cancel ──


def cancel(generation: Generation) -> None:
    """Withdraw a generation that waits. Raises AlreadyMoved or IllegalMove once it has begun."""
    with transaction.atomic():
        generation.move_to(Status.CANCELLED)
        _release(generation)
        live.moved(generation)


# ── advance ──


def advance(generation: Generation, gateway: Gateway) -> float | None:
    """Take one step. Returns the pause before the next in seconds, or None at the end.

    The generation must be claimed. Raises AlreadyMoved if it was lost to someone else.
    """
    match Status(generation.status):
        case Status.SUBMITTING:
            # Only an expired claim leads here: the worker died in the paid call, or after it.
            manifest = spool().manifest(generation.pk)
            if manifest is None:
                return _fail(generation, LOST, code="lost")
            return _begin_storing(generation, manifest)
        case Status.RUNNING:
            return _poll(generation, gateway)
        case Status.STORING:
            return _store(generation, gateway)
        case _:
            return None


def submit(generation: Generation, gateway: Gateway) -> float | None:
    """Make the paid call of a generation that has just been moved to *submitting* for us."""
    live.moved(generation)
    adapter = providers.ADAPTERS[generation.protocol]
    deadline = generation.takes.deadline
    try:
        with patience.awaiting():
            outcome = gateway.submit(adapter, brief_of(generation), deadline=deadline)
    except ProviderBusy as error:
        return _try_again_later(generation, error)
    except ProviderError as error:
        return _refuse(generation, error)
    return _take(generation, outcome)


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
            _fail(mine, reason, code="bug")
        case Status.SUBMITTING | Status.RUNNING:
            _look_again(mine, STUMBLE_PAUSE)
        case Status.STORING if _gave_up(mine):
            _fail(mine, reason, code="bug")
        case Status.STORING:
            _store_later(mine, note="storage")


def _try_again_later(generation: Generation, error: ProviderBusy) -> float | None:
    if generation.attempts >= MOST_ATTEMPTS:
        return _refuse(generation, error)
    pause = growing_pause(generation.attempts, asked_for=error.retry_after)
    generation.move_to(
        Status.QUEUED, due_at=timezone.now() + timedelta(seconds=pause), claimed_by="",
        note="busy",
    )  # fmt: skip
    live.moved(generation)
    return pause


def growing_pause(attempt: int, *, asked_for: float | None = None) -> float:
    """Seconds before the next try: 1, 2, 4, … at most 30, and up to one more by chance (A4).

    A pause that the other side asked for is kept if it is longer.
    """
    pause = min(30.0, 2.0 ** (attempt - 1)) + random.random()  # noqa: S311
    return max(pause, asked_for or 0.0)


def _refuse(generation: Generation, error: ProviderError) -> float | None:
    match error:
        case ContentRefused():
            code = "content"
        case ProviderSilent():
            code = "silent"
        case ProviderBusy():
            code = "busy"
        case BadReply():
            code = "unreadable"
        case _:
            code = "refused"
    return _fail(generation, str(error), code=code, request_id=error.request_id)


def _fail(generation: Generation, reason: str, *, code: str, request_id: str = "") -> float | None:
    facts = {"request_id": request_id[:120]} if request_id else {}
    with transaction.atomic():
        generation.move_to(Status.FAILED, reason=reason, reason_code=code, outcome=[], **facts)
        _release(generation)
        live.moved(generation)
    if code not in {"lost", "bug"}:  # what may yet be looked for is left to the daily round
        spool().clear(generation.pk)
    return None


def _release(generation: Generation) -> None:
    for account in accounts_holding(generation):
        account.release(generation)


def _take(generation: Generation, outcome: Outcome) -> float | None:
    match outcome:
        case Pending():
            return _wait_for_task(generation, outcome)
        case Finished(images=()):
            return _fail(
                generation, "The model answered without an image.", code="empty",
                request_id=outcome.request_id,
            )  # fmt: skip
        case Finished():
            return _keep(generation, outcome)


def _wait_for_task(generation: Generation, pending: Pending) -> float:
    generation.move_to(
        Status.RUNNING,
        task_id=pending.task_id,
        note=pending.note[:120],
        progress=pending.progress,
        request_id=pending.request_id or generation.request_id,
        due_at=timezone.now() + timedelta(seconds=POLL_EVERY),
        claimed_by="",
    )
    live.moved(generation)
    return POLL_EVERY


def _poll(generation: Generation, gateway: Gateway) -> float | None:
    adapter = providers.POLLING_ADAPTERS[generation.protocol]
    age = generation.seconds or 0.0
    try:
        with patience.awaiting():
            outcome = gateway.poll(adapter, generation.task_id)
    except ProviderBusy as error:
        if age > generation.takes.deadline:
            return _refuse(generation, error)
        return _look_again(generation, error.retry_after or POLL_EVERY)
    except ProviderError as error:
        return _refuse(generation, error)
    match outcome:
        case Pending() if age > generation.takes.deadline:
            return _fail(generation, "The model took longer than it may.", code="late")
        case Pending():
            return _look_again(
                generation, POLL_EVERY, note=outcome.note[:120], progress=outcome.progress
            )
        case Finished():
            return _take(generation, outcome)


def _look_again(generation: Generation, pause: float, **facts: Any) -> float:
    changed = any(getattr(generation, name) != value for name, value in facts.items())
    Generation.objects.filter(pk=generation.pk, claimed_by=generation.claimed_by).update(
        due_at=timezone.now() + timedelta(seconds=pause), claimed_by="", **facts
    )
    if changed:
        live.moved(generation)
    return pause


def _keep(generation: Generation, finished: Finished) -> float | None:
    """Images exist: put the reply down where nothing can lose it, then move to *storing*."""
    images = finished.images[: generation.count]
    inline = [(n, image.data) for n, image in enumerate(images) if isinstance(image, InlineImage)]
    manifest = {
        "outcome": [
            {"revised_prompt": image.revised_prompt}
            if isinstance(image, InlineImage)
            else {"revised_prompt": image.revised_prompt, "url": image.url}
            for image in images
        ],
        "used": dict(finished.used),
        "usage": dict(finished.usage),
        "request_id": finished.request_id[:120],
    }
    try:
        spool().put(generation.pk, inline, manifest)
    except SpoolFull as error:
        logger.error("A paid image was lost: the spool's disk is full or not writable.")
        return _fail(generation, str(error), code="spool", request_id=finished.request_id)
    return _begin_storing(generation, manifest)


def _begin_storing(generation: Generation, manifest: dict[str, Any]) -> float | None:
    due_at = timezone.now() + STORE_LEASE
    generation.move_to(Status.STORING, note="", progress=None, due_at=due_at, **manifest)
    live.moved(generation)
    return _store(generation, gateway=None)


def _store(generation: Generation, gateway: Gateway | None) -> float | None:
    """Keep whatever is not kept yet, and close the books.

    Without a gateway (straight after the reply) links are left for the next step.
    """
    if gateway is None and any("url" in row for row in generation.outcome):
        return 0.0
    last_try_of_links = generation.link_attempts >= LINK_TRIES
    try:
        problem = keeping.keep_images(
            generation, gateway, last_try_of_links=last_try_of_links, last_try=_gave_up(generation)
        )
    except keeping.NotYet as error:
        return _store_later(generation, note=error.note)
    return _finish(generation, problem)


def _gave_up(generation: Generation) -> bool:
    # Tries, not hours: a studio that was off over the weekend has not tried.
    return generation.storing_attempts >= STORING_TRIES


def _store_later(generation: Generation, *, note: str) -> float:
    counter = "link_attempts" if note == "link" else "storing_attempts"
    attempt = getattr(generation, counter) + 1
    pause = growing_pause(min(attempt, 6))
    facts = {"note": note, counter: attempt}
    Generation.objects.filter(pk=generation.pk, claimed_by=generation.claimed_by).update(
        due_at=timezone.now() + timedelta(seconds=pause), claimed_by="", **facts
    )
    live.moved(generation)
    return pause


def _finish(generation: Generation, problem: str) -> float | None:
    made = generation.images.count()
    if not made:
        return _fail(generation, problem or "No image could be kept.", code="unusable")
    cost = min(made, generation.count) * generation.price // generation.count
    with transaction.atomic():
        generation.move_to(Status.SUCCEEDED, cost=cost, reason=problem, note="", outcome=[])
        for account in accounts_holding(generation):
            account.settle(generation, cost=cost)
        live.moved(generation)
    spool().clear(generation.pk)
    return None
