"""Who may see what: the team of a request, and the frame that every page stands in."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, Concatenate
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.db.models import F, Q
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, resolve_url
from django.utils.decorators import sync_and_async_middleware
from django.utils.functional import SimpleLazyObject
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from generator import noticing
from generator.models import Cap, Deed, Membership, QuotaAccount, Team, User, Window, WindowTotal

LAST_TEAM = "team"


class PersonRequest(HttpRequest):
    """A request of somebody signed in."""

    user: User
    htmx: HtmxDetails


class TeamRequest(PersonRequest):
    """A request inside a team that its user is a member of."""

    team: Team
    membership: Membership


def in_team[**P, R: HttpResponseBase](
    view: Callable[Concatenate[TeamRequest, P], R],
) -> Callable[..., R]:
    """Give the view `request.team` and `request.membership` for the team named in the path.

    To one who is no member the team does not exist: 404.
    """

    @wraps(view)
    def inner(request: TeamRequest, team: str, *args: P.args, **kwargs: P.kwargs) -> R:
        enter(request, team)
        return view(request, *args, **kwargs)

    return inner


def needs[**P, R: HttpResponseBase](
    deed: Deed,
) -> Callable[[Callable[Concatenate[TeamRequest, P], R]], Callable[..., R]]:
    """Let in those whose role may do it (below `in_team`); to others the page does not exist."""

    def gate(view: Callable[Concatenate[TeamRequest, P], R]) -> Callable[..., R]:
        @wraps(view)
        def inner(request: TeamRequest, *args: P.args, **kwargs: P.kwargs) -> R:
            if not request.membership.may(deed):
                raise Http404
            return view(request, *args, **kwargs)

        return inner

    return gate


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
    """The team that `/` opens: the last one visited, else the first they share, else their own."""
    teams = Team.objects.of(request.user)
    last = teams.filter(slug=request.session.get(LAST_TEAM, "")).first()
    return last or teams.first() or Team.objects.create_personal(request.user)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one cap leaves now: a member's own, or (`shared`) the whole team's."""

    window: Window
    credits: int
    of: int
    shared: bool

    @property
    def when(self) -> str:
        """The window in the words of a sentence."""
        words = {Window.DAY: "today", Window.MONTH: "this month", Window.EVER: "in all"}
        return f"{words[self.window]}, team" if self.shared else words[self.window]

    @property
    def low(self) -> int:
        """Below this a meter warns loudly."""
        return self.of // 10

    @property
    def high(self) -> int:
        """Below this a meter warns."""
        return self.of // 4

    @property
    def shown(self) -> int:
        """What is left, in words and on a meter: never below nought."""
        return max(self.credits, 0)

    @property
    def over(self) -> int:
        """By how much more was spent than is allowed."""
        return max(-self.credits, 0)


def allowances(team: Team, user: User) -> list[Allowance]:
    """What every cap of a member and of their team leaves now, the tightest first."""
    day = team.today()
    caps = list(Cap.objects.filter(account__in=_accounts(team, user)).select_related("account"))
    spent = {
        (total.account_id, total.window, total.start): total.credits
        for total in WindowTotal.objects.filter(
            account__in={cap.account_id for cap in caps},
            start__in={window.start(day) for window in Window},
        )
    }
    rows = []
    for cap in caps:
        window = Window(cap.window)
        left = cap.holds + spent.get((cap.account_id, window, window.start(day)), 0)
        rows.append(Allowance(window, left, cap.holds, shared=cap.account.user_id is None))
    return sorted(rows, key=lambda row: (row.credits, row.window))


def _accounts(team: Team, user: User) -> list[QuotaAccount]:
    mine = Q(user=user) | Q(user=None)
    accounts = list(QuotaAccount.objects.filter(mine, team=team))
    if len(accounts) < 2:
        accounts = [QuotaAccount.objects.of(team, user), QuotaAccount.objects.pool(team)]
    return accounts


def shell(request: HttpRequest) -> dict[str, Any]:
    """The context of the frame: the team, its siblings, what is left, which gateway this is.

    All of it is looked up only where a template asks: fragments and the admin do not.
    """
    frame: dict[str, Any] = {"demo": settings.DEMO, "sandbox": settings.SANDBOX}
    user = getattr(request, "user", None)
    if not isinstance(user, AnonymousUser | None):
        here = getattr(request, "team", None)
        team: Any = here or SimpleLazyObject(lambda: home_team(request))  # type: ignore[arg-type]
        mine: Any = SimpleLazyObject(lambda: _membership(request, user, team))
        # Who only looks has nothing left to spend, whatever caps they had.
        caps: Any = SimpleLazyObject(
            lambda: allowances(team, user) if mine and mine.may_make else []
        )
        frame |= {
            "team": team,
            "membership": getattr(request, "membership", None),
            "teams": Team.objects.of(user).annotate(role=F("memberships__role")),
            # The way to sharing links.
            "may_share": SimpleLazyObject(lambda: bool(mine) and mine.may(Deed.SHARE)),
            "allowances": caps,
            "left": SimpleLazyObject(lambda: next(iter(caps), None)),
        }
        if here:
            frame["told_of"] = SimpleLazyObject(lambda: noticing.unseen(here, user))
    return frame


def _membership(request: HttpRequest, user: User, team: Team) -> Membership | None:
    """What the person is in the team that the frame is of."""
    here: Membership | None = getattr(request, "membership", None)
    return here or Membership.objects.filter(team__pk=team.pk, user=user).first()


@sync_and_async_middleware
def htmx_login(get_response: Any) -> Any:
    """Send the whole page to the sign-in where a fragment was asked for, never into a card."""

    def mended(request: Any, response: HttpResponseBase) -> HttpResponseBase:
        there = urlsplit(response.headers.get("Location", "")).path
        if not request.htmx or there != resolve_url(settings.LOGIN_URL):
            return response
        page = request.htmx.current_url_abs_path or "/"
        return HttpResponseClientRedirect(f"{there}?{urlencode({'next': page})}")

    if iscoroutinefunction(get_response):

        async def asynchronous(request: Any) -> HttpResponseBase:
            return mended(request, await get_response(request))

        return asynchronous

    def synchronous(request: Any) -> HttpResponseBase:
        return mended(request, get_response(request))

    return synchronous


def go_home(request: PersonRequest, message: str) -> HttpResponseBase:
    """Say something and open the studio."""
    messages.info(request, message)
    return redirect("home")
