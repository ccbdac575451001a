"""What a person who was suspended still had waiting."""

from collections.abc import Iterable

from generator.errors import AlreadyMoved, IllegalMove
from generator.lifecycle.beginning import cancel
from generator.models import Generation, Status, User


def withdraw(author: User) -> int:
    """Cancel all that waits of this author, and say how many; the credits go back."""
    return _cancelled(author.generations.filter(status=Status.QUEUED))


def withdraw_of_suspended() -> int:
    """Cancel what waits of anybody suspended, and say how many.

    Most goes with `withdraw` at once. This is for what a request in the same moment began, and for
    what came back into the line after a busy provider.
    """
    return _cancelled(Generation.objects.filter(status=Status.QUEUED, author__is_active=False))


def _cancelled(waiting: Iterable[Generation]) -> int:
    count = 0
    for generation in waiting:
        try:
            cancel(generation)
        except (AlreadyMoved, IllegalMove):
            continue  # a worker was first: it is paid for, and goes on to its end
        count += 1
    return count
