"""What a person who was suspended, left a team or only looks there now, still had waiting."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q

from generator.errors import AlreadyMoved, IllegalMove
from generator.lifecycle.beginning import cancel
from generator.models import Deed, Generation, Membership, Status, Team, User
from generator.models.roles import roles_that_may


def withdraw(author: User, team: Team | None = None) -> int:
    """Cancel all that waits of this author, in this team or in all of them, and say how many; the
    credits go back.

    Not inside a transaction: each is one of its own, or accounts would be locked before the next
    generation, and a worker that closes that one holds it and waits for them.
    """
    waiting = author.generations.filter(status=Status.QUEUED)
    return _cancelled(waiting.filter(team=team) if team else waiting)


def withdraw_of_suspended() -> int:
    """Cancel what waits of anybody suspended, or in a team where its author does not make images
    any more, having left or only looking; say how many.

    Most goes at once, as above. This is for what a request in the same moment began, and for
    what came back into the line after a busy provider.
    """
    makers = Membership.objects.filter(role__in=roles_that_may(Deed.MAKE))
    makes = makers.filter(team=OuterRef("team"), user=OuterRef("author"))
    gone = Q(author__is_active=False) | ~Exists(makes)
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
