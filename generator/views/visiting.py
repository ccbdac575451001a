"""The door of a sharing link: who may come in, and the one page for whoever may not."""

import hmac
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Concatenate

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.views.decorators.debug import sensitive_variables

from generator.models import Audience, Came, Membership, ShareLink, User
from generator.sharing import coming, opening, secrets

VISIT = 3600  # seconds that a counted visit lasts
UNLOCKED = 12 * 3600  # seconds that a password opens
KEPT = 90 * 86_400  # seconds that a visitor's picks stay theirs
COOKIE = "visit"
_SALT = "generator.views.visiting"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Pass:
    """What the visitor's cookie says: who they are, when their visit was counted, by which hash of
    a password they got in, and when. Times are seconds since 1970, nought for never."""

    visitor: uuid.UUID
    since: int = 0
    lock: str = ""
    unlocked: int = 0

    @property
    def is_in(self) -> bool:
        """Whether their visit was counted and is not over."""
        return time.time() - self.since < VISIT

    @property
    def was_in(self) -> bool:
        """Whether a visit of theirs was ever begun."""
        return self.since > 0


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody before a link that they may open now, or could with its password."""

    link: ShareLink
    secret: str
    known: Pass
    visitor: coming.Visitor
    user: int | None  # who is signed in

    @property
    def is_locked(self) -> bool:
        """Whether the link wants a password that this visitor has not given."""
        is_fresh = time.time() - self.known.unlocked < UNLOCKED
        return bool(self.link.password) and not (is_fresh and self._knows_password)

    @property
    def may_see(self) -> bool:
        """Whether bytes are for them: a link of so many views shows them to counted visits."""
        return not self.is_locked and (self.link.most_views is None or self.known.is_in)

    @property
    def may_reply(self) -> bool:
        """Whether they were shown the images, by the password that holds now: what they write of
        them is not lost because it took them longer than a visit."""
        return self.known.was_in and (not self.link.password or self._knows_password)

    @property
    def has_room(self) -> bool:
        """Whether the link's views are not used up."""
        most = self.link.most_views
        return most is None or self.link.views < most

    @property
    def has_more(self) -> bool:
        """Whether the images are still for them: their visit goes on, or another may begin."""
        return self.known.is_in or self.has_room

    @property
    def is_own(self) -> bool:
        """Whether it is the author who looks, or the team at what it shows to others."""
        if self.user is None:
            return False
        if self.link.audience == Audience.MEMBERS:
            return self.user == self.link.author_id
        team = Membership.objects.filter(team=self.link.team_id, user=self.user)
        return self.user == self.link.author_id or team.exists()

    @property
    def address(self) -> str:
        """Where the cookie belongs, and nothing else of the studio."""
        return f"/s/{self.secret}/"

    def log(self, came: Came) -> None:
        """Write down what they did, unless they are of the house."""
        if not self.is_own:
            coming.log(self.link, self.visitor, came)

    def keep(self, answer: HttpResponse, known: Pass) -> None:
        """Give the visitor their cookie; it is good for this link alone."""
        words = [known.visitor.hex, known.since, known.lock, known.unlocked]
        answer.set_cookie(
            COOKIE,
            signing.dumps(words, salt=_salt(self.link.digest)),
            max_age=KEPT,
            path=self.address,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )

    def unlocked(self) -> Pass:
        """What the cookie says once the password was right."""
        return replace(self.known, lock=lock_of(self.link), unlocked=int(time.time()))

    def counted(self) -> Pass:
        """What the cookie says once the visit was counted."""
        return replace(self.known, since=int(time.time()))

    @property
    def _knows_password(self) -> bool:
        return hmac.compare_digest(self.known.lock, lock_of(self.link))


def lock_of(link: ShareLink) -> str:
    """What stands for a link's password in a cookie: another as soon as the password is."""
    return salted_hmac(
        f"{_SALT}.lock", f"{link.pk} {link.password}", algorithm="sha256"
    ).hexdigest()


type _View[**P] = Callable[Concatenate[HttpRequest, Visit, P], HttpResponseBase]


def visits[**P](view: _View[P]) -> Callable[..., HttpResponseBase]:
    """Give the view the visit; whoever has no link that is open to them gets the one page."""
    return _at_the_door(view, once=False)


def comes_back[**P](view: _View[P]) -> Callable[..., HttpResponseBase]:
    """As `visits`; whoever was in once comes this far though the link's views are used up."""
    return _at_the_door(view, once=True)


def gone(request: HttpRequest) -> HttpResponse:
    """Over, revoked, used up, mistyped, for others: one page, the same for all."""
    return render(request, "shared/gone.html", status=404)


def _at_the_door[**P](view: _View[P], *, once: bool) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    @sensitive_variables("secret")
    def inner(
        request: HttpRequest, secret: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        visit = _visit(request, secret, once=once)
        answer = gone(request) if visit is None else view(request, visit, *args, **kwargs)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer

    return login_not_required(inner)


def _visit(request: HttpRequest, secret: str, *, once: bool) -> Visit | None:
    known = _known(request, secret)
    user = request.user.pk if isinstance(request.user, User) else None
    is_in = known.was_in if once else known.is_in
    link = opening.opened(secret, user=user, now=timezone.now(), is_in=is_in)
    if link is None:
        return None
    agent = coming.cleaned_agent(request.META.get("HTTP_USER_AGENT", ""))
    visitor = coming.Visitor(known.visitor, _network(request), agent)
    return Visit(link, secret, known, visitor, user)


def _network(request: HttpRequest) -> str:
    try:
        return coming.shortened(get_adapter().get_client_ip(request))
    except PermissionDenied:  # nobody says where it comes from: behind a socket, say
        return ""


def _known(request: HttpRequest, secret: str) -> Pass:
    try:
        words = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=_salt(secrets.digest_of(secret)), max_age=KEPT
        )
        return Pass(uuid.UUID(words[0]), words[1], words[2], words[3])
    except signing.BadSignature:
        return Pass(uuid.uuid4())


def _salt(digest: str) -> str:
    return f"{_SALT} {digest}"


def shows_card(link: ShareLink) -> bool:
    """Whether a chat program may be given an image: of a link that anybody may open, and often."""
    is_for_all = link.audience == Audience.ANYONE
    return is_for_all and not link.password and link.most_views is None
