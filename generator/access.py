"""Who may see what: the team of a request, and the frame that every page stands in."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect

from generator.models import Membership, QuotaAccount, Team, User, Window

LAST_TEAM = "team"


class PersonRequest(HttpRequest):
    """A request of somebody signed in."""

    user: User


class TeamRequest(PersonRequest):
    """A request inside a team that its user is a member of."""

    team: Team
    membership: Membership


def in_team[**P, R: HttpResponseBase](
    view: Callable[Concatenate[TeamRequest, P], R],
) -> Callable[Concatenate[Any, str, P], R]:
    """Give the view `request.team` and `request.membership` for the team named in the path.

    To one who is no member the team does not exist: 404.
    """

    @wraps(view)
    def inner(request: TeamRequest, team: str, *args: P.args, **kwargs: P.kwargs) -> R:
        enter(request, team)
        return view(request, *args, **kwargs)

    return inner


def enter(request: TeamRequest, slug: str) -> None:
    """Set the request's team and membership. Raises Http404 for one who is no member."""
    membership = get_object_or_404(
        Membership.objects.select_related("team"), team__slug=slug, user=request.user
    )
    membership.user = request.user
    request.team, request.membership = membership.team, membership
    # The address says the team; the session only remembers which one `/` opens.
    if request.session.get(LAST_TEAM) != slug:
        request.session[LAST_TEAM] = slug


def home_team(request: PersonRequest) -> Team:
    """The team that `/` opens: the last one visited, else the person's own."""
    teams = Team.objects.of(request.user)
    last = teams.filter(slug=request.session.get(LAST_TEAM, "")).first()
    return last or teams.first() or Team.objects.create_personal(request.user)


def left(team: Team, user: User) -> dict[str, Any] | None:
    """What a member has left in the tightest window that caps them, for every page's frame.

    `{"credits", "of", "window"}`, or None where nothing is capped.
    """
    day = team.today()
    rows = []
    for account in (QuotaAccount.objects.of(team, user), QuotaAccount.objects.pool(team)):
        rows += [
            {
                "credits": cap.credits + account.total(Window(cap.window), day),
                "of": cap.credits,
                "window": Window(cap.window),
            }
            for cap in account.caps.all()
        ]
    return min(rows, key=lambda row: row["credits"], default=None)


def shell(request: HttpRequest) -> dict[str, Any]:
    """The context of the frame: the team, its siblings, what is left, which gateway this is."""
    frame: dict[str, Any] = {"demo": settings.DEMO, "sandbox": settings.SANDBOX}
    team = getattr(request, "team", None)
    if team is not None and isinstance(request.user, User):
        frame |= {
            "team": team,
            "membership": request.membership,  # type: ignore[attr-defined]
            "teams": Team.objects.of(request.user),
            "left": left(team, request.user),
        }
    return frame


def go_home(request: PersonRequest, message: str) -> HttpResponseBase:
    """Say something and open the studio."""
    messages.info(request, message)
    return redirect("home")
