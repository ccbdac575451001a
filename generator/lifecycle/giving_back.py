"""What staff give back: of a generation that was paid, or that is given up."""

from django.db import transaction

from generator.errors import StudioError
from generator.lifecycle.ending import fail
from generator.models import FINAL, Generation, Status, UsageTotal, User
from generator.models.quota import accounts_holding


def give_back(generation: Generation, *, reason: str, by: User | None) -> int:
    """Give the credits of a generation back to its author and team; says how many.

    Of one that succeeded, what it cost, once, on the day of its reservation. One that is
    unfinished fails for this `reason`, with the code "staff", and what was held is released.
    Raises StudioError for one that cost nothing or was given back before, AlreadyMoved where a
    worker was first.
    """
    if not reason.strip():
        raise StudioError("Say why the credits are given back.")
    if generation.status not in FINAL:
        fail(generation, reason, code="staff")
        return generation.price
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
