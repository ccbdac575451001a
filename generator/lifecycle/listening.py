"""What the gateway answered is kept for staff, once nothing hangs on it any more."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error as DatabaseTrouble
from django.db import transaction

from generator.errors import NotOffered
from generator.models import Generation, KeptReply, Step
from generator.providers.witness import Heard, Witness

logger = logging.getLogger(__name__)

FORBEARS = 5  # generations up from one without a prompt of its own


@contextmanager
def listening(generation: Generation, step: Step) -> Iterator[Witness]:
    """A witness for the calls of a step, whose reply is kept when the step is over.

    Of looks only those are kept that moved the generation, or that went wrong in a new way. What
    cannot be written is let go: nothing that was paid for may be lost over it.
    """
    is_look = step == Step.LOOK
    witness = Witness(_words(generation), at_once=not is_look)
    before = generation.status
    try:
        yield witness
    finally:
        try:
            if not is_look or generation.status != before or _is_new_trouble(generation, witness):
                _keep(generation, step, witness.heard())
        except DatabaseTrouble as error:
            logger.warning("A reply was not kept for staff: %s", type(error).__name__)


def _words(generation: Generation) -> list[str]:
    """The texts of its author, which no kept reply repeats."""
    try:
        known = generation.takes.fields
    except NotOffered:
        known = {}
    own = [
        value
        for name, value in generation.fields.items()
        if isinstance(value, str) and (name not in known or known[name].kind == "text")
    ]
    return [generation.prompt or _inherited(generation), *own]


def _inherited(generation: Generation) -> str:
    """The prompt that a provider repeats where a button was pressed without one."""
    forbear = generation.parent
    for _ in range(FORBEARS):
        if forbear is None or forbear.prompt:
            break
        forbear = forbear.parent
    return forbear.prompt if forbear else ""


def _is_new_trouble(generation: Generation, witness: Witness) -> bool:
    if witness.status is None or 200 <= witness.status < 300:
        return False
    last = generation.replies.last()
    return last is None or (last.step, last.status) != (Step.LOOK, witness.status)


def _keep(generation: Generation, step: Step, heard: Heard | None) -> None:
    if heard is None:
        return
    with transaction.atomic():
        KeptReply.objects.create(
            generation=generation, step=step, status=heard.status, seconds=heard.seconds,
            request_id=heard.request_id[:120], text=heard.text, at=heard.at,
        )  # fmt: skip
