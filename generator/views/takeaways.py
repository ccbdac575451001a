"""Leaving with everything: what one person made, and what one team made."""

from django.http import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_POST

from generator import packing, takeaway, zipping
from generator.access import PersonRequest, TeamRequest, in_team, needs
from generator.models import Deed
from generator.takeaway import Whose
from generator.views.downloads import zip_answer


@require_POST
def mine(request: PersonRequest) -> HttpResponseBase:
    """What somebody made in all teams that they are in."""
    return _answer(request, takeaway.of_person(request.user), request.user.username)


@require_POST
@in_team
@needs(Deed.TAKE_ALL)
def together(request: TeamRequest) -> HttpResponseBase:
    """What everybody made in a team, for those who steer it."""
    return _answer(request, takeaway.of_team(request.team, by=request.user), request.team.slug)


def _answer(request: PersonRequest, whose: Whose, name: str) -> HttpResponseBase:
    parts = ("everything", zipping.safe_name(name, most=60), f"{timezone.now():%Y-%m-%d}")
    filename = f"{'-'.join(filter(None, parts))}.zip"
    packing.give_back_connection()
    return zip_answer(request, zipping.stream(takeaway.entries(whose)), filename)
