"""What staff give back: of a generation that was paid, or that is given up."""

from django.db import transaction

from generator.errors import StudioError
from generator.lifecycle.ending import fail
from generator.models import FINAL, Generation, Status, UsageTotal, User
from generator.models.quota import accounts_holding

IS_BEING_KEPT = (
    "Its images are being kept at this moment. Look again in a minute: then give back what it cost."
)


def give_back(generation: Generation, *, reason: str, by: User | None) -> int:
    """Give the credits of a generation back to its author and team; says how many.

    Of one that succeeded, what it cost, once, on the day of its reservation. One that is
    unfinished fails for this `reason`, with the code "staff", and what was held is released.
    Raises StudioError for one that cost nothing or was given back before, and for one whose images
    are being kept: nobody gets images for nothing. AlreadyMoved where a worker was first.
    """
    if not reason.strip():
        raise StudioError("Say why the credits are given back.")
    if generation.status not in FINAL:
        return _give_up(generation, reason=reason)
    if generation.status != Status.SUCCEEDED:
        raise StudioError("This cost nothing: there is nothing to give back.")
    with transaction.atomic():
        holding = accounts_holding(generation)
        entries = [account.give_back(generation, reason=reason, by=by) for account in holding]
        if not entries:
            raise StudioError("This cost nothing: there is nothing to give back.")
        given = entries[0].credits
        # A generation stands in two accounts, and once in the usage.
        UsageTotal.objects.add(generation, day=entries[0].counts_on, credits=-given)
    return given


def _give_up(generation: Generation, *, reason: str) -> int:
    if generation.status == Status.STORING and generation.claimed_by:
        raise StudioError(IS_BEING_KEPT)  # a worker has it in hand
    with transaction.atomic():
        fail(generation, reason, code="staff")
        if generation.images.exists():
            raise StudioError(IS_BEING_KEPT)
    return generation.price
