"""From a reply that must not be lost to images that are kept, and the books closed."""

import logging
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from generator import keeping, live, noticing
from generator.errors import SpoolFull
from generator.lifecycle.ending import clear_spool, fail, growing_pause, look_again
from generator.models import Generation, Status, UsageTotal
from generator.models.quota import accounts_holding
from generator.models.storage import spool
from generator.prices import Basis
from generator.providers.base import Finished, InlineImage, LinkedImage
from generator.providers.gateway import Gateway

logger = logging.getLogger(__name__)

STORE_LEASE = timedelta(minutes=30)
STORING_TRIES = 3000  # one each half minute: about a day
LINK_TRIES = 5
LONGEST_TEXT = 8000  # characters of one text that a model says
MOST_FAILED = 999
MOST_IMAGES = 20
MOST_TEXTS = 20
MOST_BUTTONS = 40
# What was lost by us, by its code: whatever else could not be kept was "unusable" as it came.
OUR_OWN = {keeping.REFUSED: "storage", keeping.LOST: "spool"}


def keep(generation: Generation, finished: Finished) -> float | None:
    """Put the reply down where nothing can lose it, then move to *storing*."""
    # Of a model that decides by itself how many it makes, all are kept (M2).
    decides = "count" not in generation.takes.fields
    images = finished.images[: MOST_IMAGES if decides else generation.count]
    inline = [(n, image.data) for n, image in enumerate(images) if isinstance(image, InlineImage)]
    manifest = {
        "outcome": [_row(generation, image) for image in images],
        "used": dict(finished.used),
        # What was said when the task was taken holds where the end says nothing else.
        "usage": {**generation.usage, **finished.usage},
        "texts": [text[:LONGEST_TEXT] for text in finished.texts[:MOST_TEXTS]],
        "buttons": [asdict(button) for button in finished.buttons[:MOST_BUTTONS]],
        "memory": generation.memory_key if finished.memory else "",
        "failed_members": min(finished.failed_members, MOST_FAILED),
        "reason": finished.problem,
        "request_id": (finished.request_id or generation.request_id)[:120],
    }
    try:
        spool().put(generation.pk, inline, manifest, memory=finished.memory)
    except SpoolFull as error:
        logger.error("A paid image was lost: the spool's disk is full or not writable.")
        return fail(generation, str(error), code="spool", request_id=finished.request_id)
    return begin_storing(generation, manifest)


def _row(generation: Generation, image: InlineImage | LinkedImage) -> dict[str, Any]:
    # Some repeat the prompt as it was (E4): that is no revision of it.
    is_same = image.revised_prompt.strip() == generation.prompt.strip()
    row: dict[str, Any] = {"revised_prompt": "" if is_same else image.revised_prompt}
    if isinstance(image, LinkedImage):
        row["url"] = image.url
        if image.comes_later:
            row["later"] = True
    return row


def begin_storing(generation: Generation, manifest: dict[str, Any]) -> float | None:
    """Move to *storing* with what the manifest says, and keep what can be kept at once."""
    due_at = timezone.now() + STORE_LEASE
    generation.move_to(Status.STORING, note="", progress=None, due_at=due_at, **manifest)
    live.moved(generation)
    return store(generation, gateway=None)


def store(generation: Generation, gateway: Gateway | None) -> float | None:
    """Keep whatever is not kept yet, and close the books.

    Without a gateway (straight after the reply) links are left for the next step.
    """
    if gateway is None and any("url" in row for row in generation.outcome):
        return 0.0
    try:
        problem = keeping.keep_images(
            generation, gateway, last_try_of_links=_links_gave_up(generation),
            last_try=gave_up(generation),
        )  # fmt: skip
        keeping.keep_memory(generation, last_try=gave_up(generation))
    except keeping.NotYet as error:
        return store_later(generation, note=error.note)
    return _finish(generation, problem)


def gave_up(generation: Generation) -> bool:
    """Whether the storage has been tried often enough."""
    # Tries, not hours: a studio that was off over the weekend has not tried.
    return generation.storing_attempts >= STORING_TRIES


def _links_gave_up(generation: Generation) -> bool:
    if any("later" in row for row in generation.outcome):
        return (generation.seconds or 0) > generation.rule.deadline
    return generation.link_attempts >= LINK_TRIES


def store_later(generation: Generation, *, note: str) -> float:
    """Wait for the *link* or the *storage* that did not answer."""
    counter = "storing_attempts" if note == "storage" else "link_attempts"
    attempt = getattr(generation, counter) + 1
    pause = generation.takes.poll_every if note == "later" else growing_pause(min(attempt, 6))
    look_again(generation, pause, note=note, **{counter: attempt})
    return pause


def _finish(generation: Generation, problem: str) -> float | None:
    made = generation.images.count()
    said = generation.texts and generation.rule.answer == "text"
    if not (made or said):
        code = OUR_OWN.get(problem, "unusable")
        return fail(generation, problem or "No image could be kept.", code=code)
    cost = _cost(generation, made=made or generation.count)
    reason = " ".join(filter(None, (generation.reason, problem)))
    with transaction.atomic():
        generation.move_to(Status.SUCCEEDED, cost=cost, reason=reason, note="", outcome=[])
        holding = accounts_holding(generation)
        entries = [account.settle(generation, cost=cost) for account in holding]
        if entries:
            UsageTotal.objects.add(
                generation, day=entries[0].counts_on, credits=cost, images=made, generations=1
            )
            noticing.tell(generation.team, holding)
        live.moved(generation)
    clear_spool(generation)
    return None


def _cost(generation: Generation, *, made: int) -> int:
    """Credits that this many images (or a text) took, by what the generation copied at its start:
    whatever has changed in the catalogue since is not its business."""
    basis = Basis.from_row(generation.price_basis)
    if basis is None:  # an older release began it: so many credits an image
        return min(made, generation.count) * generation.price // generation.count
    pixels = sum(across * down for across, down in generation.images.values_list("width", "height"))
    return basis.cost(made=made, asked=generation.count, pixels=pixels, usage=generation.usage)
