"""What a person who was suspended, or left a team, still had waiting."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q

from generator.errors import AlreadyMoved, IllegalMove
from generator.lifecycle.beginning import cancel
from generator.models import Generation, Membership, Status, Team, User


def withdraw(author: User, team: Team | None = None) -> int:
    """Cancel all that waits of this author, in this team or in all of them, and say how many; the
    credits go back."""
    waiting = author.generations.filter(status=Status.QUEUED)
    return _cancelled(waiting.filter(team=team) if team else waiting)


def withdraw_of_suspended() -> int:
    """Cancel what waits of anybody suspended, or in a team that its author left; say how many.

    Most goes with `withdraw` at once. This is for what a request in the same moment began, and for
    what came back into the line after a busy provider.
    """
    is_member = Membership.objects.filter(team=OuterRef("team"), user=OuterRef("author"))
    gone = Q(author__is_active=False) | ~Exists(is_member)
    return _cancelled(Generation.objects.filter(gone, status=Status.QUEUED))


def _cancelled(waiting: Iterable[Generation]) -> int:
    count = 0
    for generation in waiting:
        try:
            cancel(generation)
        except (AlreadyMoved, IllegalMove):
            continue  # a worker was first: it is paid for, and goes on to its end
        count += 1
    return count
