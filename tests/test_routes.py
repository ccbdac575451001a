"""Every route by every kind of person: the whole matrix as one walk.

A1 to I3 of the classes in SECURITY. A route that is missing in ROUTES fails here: say who may.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import URLPattern, reverse

from generator.models import Deed, Role
from generator.models.roles import may
from generator.urls import urlpatterns
from tests.conftest import FakeQueue
from tests.house import (
    OUTSIDE,
    ROLES,
    SECRET,
    UNKNOWN,
    House,
    build,
    changed,
    rows,
    sent,
    tied_across,
    undone,
)  # fmt: skip

pytestmark = pytest.mark.django_db

ANYBODY = "anybody"  # with or without an account
LINKED = "linked"  # members of the team who have a link that is for them alone
NOBODY = "nobody"  # not one
PERSON = "person"  # whoever is signed in: what they meet is their own
METHODS = ("get", "post")

Who = Deed | str | None
Things = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Route:
    """Who may `get` and `post` it; None for what it does not take.

    `of` names the thing of the house that stands in its address, `more` what follows. `own` is the
    deed that is enough for what is one's own. `asks` and `sends` are the query and the
    form, in which `{image}` stands for that thing's id. `told`: who may not is told so on a page.
    A word behind the name of a route tells apart what it is asked to do.
    """

    get: Who = None
    post: Who = None
    of: str = ""
    more: tuple[str, ...] = ()
    own: Deed | None = None
    only_own: bool = False  # not even owners may do it to others'
    asks: str = ""
    sends: str = ""
    told: bool = False
    status: int = 200  # of an answer that tells another state than that all is well

    def address(self, name: str, slug: str, of: Things, asks: Things) -> str:
        """Where it is in this team: of one's things, asked for another's."""
        name = name.split()[0]
        team = [slug] if name in IN_A_TEAM else []
        thing = [of[self.of]] if self.of else []
        more = [one.format(**of) for one in self.more]
        return reverse(name, args=[*team, *thing, *more]) + f"?{self.asks.format(**asks)}"

    def form(self, things: Things) -> dict[str, list[str]]:
        """What a form would post."""
        return dict(QueryDict(self.sends.format(**things)).lists())


TERMS = "&endless=on&audience=anyone&download=none"
PROMPT = "model=gpt-image-2&prompt=x&batch={batch}"

# One line a route. What a role may do is in `generator/models/roles.py`, and nowhere else.
ROUTES: dict[str, Route] = {
    "home": Route(get=PERSON, post=PERSON),
    "studio": Route(get=Deed.LOOK, asks="from={generation}&image={image}&parent={generation}"),
    "create": Route(post=Deed.MAKE, sends=PROMPT + "&reference=image:{image}&parent={generation}",
                    told=True),
    "fields": Route(get=Deed.MAKE, post=Deed.MAKE, asks="model=gpt-image-2&reference=image:{image}",
                    sends=PROMPT),
    "price": Route(post=Deed.MAKE, sends=PROMPT + "&reference=image:{image}", told=True),
    "card": Route(get=Deed.LOOK, of="generation", asks="together"),
    "cancel": Route(post=Deed.CANCEL_ANY, own=Deed.MAKE, of="queued"),
    "again": Route(post=Deed.MAKE, of="generation", sends="batch={batch}", told=True),
    "press": Route(post=Deed.MAKE, of="grid", sends="batch={batch}&button=MJ::2"),
    "references": Route(get=Deed.MAKE, post=Deed.MAKE, sends="painted_over=image:{image}"),
    "reference_picture": Route(get=Deed.LOOK, of="reference"),
    "got_it": Route(post=Deed.LOOK, of="notice", only_own=True),
    "live": Route(get=Deed.LOOK, post=Deed.LOOK),
    "library": Route(get=Deed.LOOK, asks="tag={tag}&collection={collection}&author={author}"),
    "choose": Route(post=Deed.FAVOURITE, sends="do=favourite&image={image}"),
    "choose tag": Route(post=Deed.ORGANISE, sends="do=tag&tag=new&image={image}"),
    "choose untag": Route(post=Deed.ORGANISE, sends="do=untag&tag={say}&image={image}"),
    "choose collect": Route(post=Deed.ORGANISE,
                            sends="do=collect&collection={collection}&image={second}"),
    "choose uncollect": Route(post=Deed.ORGANISE,
                              sends="do=uncollect&collection={collection}&image={image}"),
    "choose trash": Route(post=Deed.TRASH_OWN, sends="do=trash&image={image}"),
    "choose restore": Route(post=Deed.TRASH_OWN, sends="do=restore&image={trashed}"),
    "choose share": Route(post=Deed.SHARE, sends="do=share&image={image}"),
    "choose zip": Route(post=Deed.LOOK, sends="do=zip&image={image}"),
    "collections": Route(get=Deed.LOOK, post=Deed.ORGANISE, sends="name=New"),
    "collection_edit": Route(post=Deed.ORGANISE, of="collection", sends="do=rename&name=New"),
    "tag_edit": Route(post=Deed.ORGANISE, of="tag", sends="do=delete"),
    "trash": Route(get=Deed.TRASH_OWN),
    "trashed_picture": Route(get=Deed.TRASH_ANY, own=Deed.TRASH_OWN, of="trashed"),
    "favourite": Route(post=Deed.FAVOURITE, of="image"),
    "zip": Route(post=Deed.LOOK, sends="image={image}"),
    "links": Route(get=Deed.SHARE),
    "link_new": Route(get=Deed.SHARE, post=Deed.SHARE, asks="image={image}",
                      sends="make=1&image={image}" + TERMS),
    "link": Route(get=Deed.SHARE_ANY, post=Deed.SHARE_ANY, own=Deed.SHARE, of="link",
                  sends="title=New" + TERMS),
    "link_revoke": Route(post=Deed.SHARE_ANY, own=Deed.SHARE, of="link"),
    "links_revoke": Route(post=Deed.SHARE),
    "links_revoke team": Route(post=Deed.SHARE_ANY, sends="whose=team"),
    "link_qr": Route(get=Deed.SHARE_ANY, own=Deed.SHARE, of="link"),
    "team": Route(get=Deed.LOOK),
    "team_new": Route(get=PERSON, post=PERSON, sends="name=New&time_zone=UTC"),
    "team_settings": Route(get=Deed.RENAME, post=Deed.RENAME, sends="name=New&time_zone=UTC"),
    "invite": Route(get=Deed.INVITE, post=Deed.INVITE,
                    sends="addresses=new@example.org&role=viewer"),
    "invitation_withdraw": Route(post=Deed.INVITE, of="invitation"),
    "member_role": Route(post=Deed.SET_ROLES, of="member", sends="role=viewer"),
    "member_remove": Route(get=Deed.REMOVE, post=Deed.REMOVE, of="member"),
    "member_cap": Route(get=Deed.SET_CAPS, post=Deed.SET_CAPS, of="member", sends="month=5"),
    "team_caps": Route(get=Deed.SET_CAPS, post=Deed.SET_CAPS, sends="month=5"),
    "team_leave": Route(get=Deed.LEAVE, post=Deed.LEAVE),
    "team_hand_over": Route(get=Deed.HAND_OVER, post=Deed.HAND_OVER, sends="to={member}"),
    "team_takeaway": Route(post=Deed.TAKE_ALL),
    "takeaway": Route(post=PERSON),
    "usage": Route(get=Deed.LOOK),
    "usage_sheet": Route(get=Deed.LOOK),
    "own_cap": Route(get=Deed.MAKE, post=Deed.MAKE, sends="window=month&credits=5"),
    "team_usage": Route(get=Deed.SEE_USAGE, asks="person={author}"),
    "team_usage_sheet": Route(get=Deed.SEE_USAGE, asks="person={author}"),
    "compare": Route(get=Deed.LOOK, post=Deed.LOOK, asks="image={image}&image={second}",
                     sends="image={image}&image={second}"),
    "image": Route(get=Deed.LOOK, of="image"),
    "picture": Route(get=Deed.LOOK, of="image", more=("original",)),
    "download": Route(get=Deed.LOOK, of="image"),
    "file": Route(get=ANYBODY, of="file"),  # a signed link of short life, as a bucket's would be
    "shared": Route(get=ANYBODY, post=ANYBODY, of="secret"),
    "shared members": Route(get=LINKED, post=LINKED, of="for members"),
    "shared revoked": Route(get=NOBODY, post=NOBODY, of="revoked"),
    "shared_picture": Route(get=ANYBODY, of="secret", more=("{shared}", "small")),
    "shared_picture members": Route(get=LINKED, of="for members", more=("{its image}", "small")),
    "shared_picture revoked": Route(get=NOBODY, of="revoked", more=("{revoked image}", "small")),
    "shared_picture other": Route(get=NOBODY, of="secret", more=("{its image}", "small")),
    "shared_download": Route(get=ANYBODY, of="secret", more=("{shared}",)),
    "shared_download members": Route(get=LINKED, of="for members", more=("{its image}",)),
    "shared_download revoked": Route(get=NOBODY, of="revoked", more=("{revoked image}",)),
    "shared_zip": Route(get=ANYBODY, of="secret"),
    "shared_zip members": Route(get=LINKED, of="for members"),
    "shared_zip revoked": Route(get=NOBODY, of="revoked"),
    "shared_reply": Route(get=ANYBODY, post=ANYBODY, of="secret", sends="pick={shared}&on=1"),
    "shared_reply members": Route(get=LINKED, post=LINKED, of="for members", sends="text=Fine"),
    "shared_reply revoked": Route(get=NOBODY, post=NOBODY, of="revoked", sends="text=Fine"),
    "shared_nothing": Route(get=NOBODY, post=NOBODY, of="secret", more=("zzz",)),
    "account": Route(get=PERSON),
    "invitation": Route(get=ANYBODY, post=ANYBODY, of="invited"),  # the way in
    "healthz": Route(get=ANYBODY, post=ANYBODY),
    "readyz": Route(get=ANYBODY, post=ANYBODY, status=503),  # no worker runs
}  # fmt: skip

THERE: dict[str, URLPattern] = {str(one.name): one for one in urlpatterns}
IN_A_TEAM = {name for name, one in THERE.items() if "<slug:team>" in str(one.pattern)}
EVERYBODY = (*ROLES, *OUTSIDE, *UNKNOWN)


@pytest.fixture
def house(settings: Any) -> House:
    """Two teams with everything in them, and all the people."""
    return build()


def test_of_every_route_it_is_said_who_may() -> None:
    told = {name.split()[0] for name in ROUTES}
    assert told - THERE.keys() == set(), "these are gone: take them out"
    assert THERE.keys() - told == set(), "say who may"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of the walk."""

    name: str
    method: str
    person: str

    @property
    def route(self) -> Route:
        """The line of the table."""
        return ROUTES[self.name]

    @property
    def who(self) -> Who:
        """Who may."""
        return self.route.get if self.method == "get" else self.route.post

    @property
    def outcome(self) -> str:
        """`in`, `sign in`, `gone` (404), `told` or `no such method`."""
        public = {ANYBODY, LINKED, NOBODY} & {self.route.get, self.route.post}
        if self.person in UNKNOWN and not public:
            return "sign in"
        match self.who:
            case None:
                return "no such method"
            case "anybody" | "person":
                return "in"
            case "linked":
                return "in" if self.person in ROLES else "gone"
            case "nobody":
                return "gone"
        if self.person in OUTSIDE:
            return "gone"
        return "in" if self._may() else "told" if self.route.told else "gone"

    def _may(self) -> bool:
        role, is_own = ROLES[self.person], self.person == "author"
        if self.route.only_own and not is_own:
            return False
        own = self.route.own if is_own else None
        return may(role, Deed(str(self.who))) or (own is not None and may(role, own))

    def made(self, house: House) -> Any:
        """The answer."""
        address = self.route.address(self.name, house.team.slug, house.things, house.things)
        browser = house.browsers[self.person]
        if self.method == "get":
            return browser.get(address)
        return browser.post(address, self.route.form(house.things))


def met(answer: Any) -> str:
    """What somebody met, in the words of `Visit.outcome`."""
    there = answer.headers.get("Location", "")
    if there.startswith("/accounts/login/"):
        return "sign in"
    match answer.status_code:
        case 404:
            return "gone"
        case 405:
            return "no such method"
        case 200 | 204 | 302 | 303 | 307:
            return "in"
        case status:
            return str(status)


def visits(name: str) -> Iterator[Visit]:
    for method in METHODS:
        # What it does not take, it takes of nobody: three say as much as all.
        is_taken = method in _methods(ROUTES[name])
        for person in EVERYBODY if is_taken else ("owner", "other", "nobody"):
            yield Visit(name, method, person)


def test_every_route_lets_in_those_who_may_and_nobody_else(house: House, queue: FakeQueue) -> None:
    wrong = []
    before, files = rows(), sent()
    for name in ROUTES:
        for visit in visits(name):
            if visit.method == "post" and visit.outcome == "in":
                with undone():
                    wrong += _faults(visit, met(visit.made(house)))
                continue
            wrong += _faults(visit, met(visit.made(house)))
        # Whoever only looks, or was refused, has changed nothing.
        if found := changed(before, after := rows()):
            wrong.append(f"{name} changed {found}")
            before = after
    assert not wrong, "\n".join(wrong)
    assert files[0] == sent()[0]


def _faults(visit: Visit, outcome: str) -> list[str]:
    wanted = "in" if visit.outcome == "told" else visit.outcome
    if wanted == "in" and visit.route.status != 200:
        wanted = str(visit.route.status)
    if outcome == wanted:
        return []
    return [f"{visit.method} {visit.name} by {visit.person}: {outcome}, and not {visit.outcome}"]


# ── Other teams' things ──

NOTHING = {"int": "9" * 30, "uuid": str(uuid.UUID(int=7))}


def test_what_is_another_teams_is_not_there_in_ones_own(house: House) -> None:
    wrong = []
    before = rows()
    for name, route in ROUTES.items():
        if not (route.of and name.split()[0] in IN_A_TEAM):
            continue
        address = route.address(name, house.team.slug, house.theirs, house.things)
        for person in (*ROLES, "other"):
            for method in _methods(route):
                browser = house.browsers[person]
                sent = () if method == "get" else (route.form(house.things),)
                outcome = met(getattr(browser, method)(address, *sent))
                wrong += [] if outcome == "gone" else [f"{method} {name} by {person}: {outcome}"]
    assert not wrong, "\n".join(wrong)
    assert changed(before, rows()) == []


def _methods(route: Route) -> list[str]:
    return [one for one in METHODS if (route.get if one == "get" else route.post)]


def test_no_form_and_no_address_reaches_what_is_another_teams(house: House) -> None:
    """Whoever owns a team asks for the other's things in every field of every form and address."""
    wrong = []
    before = rows()
    for name, route in ROUTES.items():
        if name.split()[0] not in IN_A_TEAM:
            continue
        address = route.address(name, house.team.slug, house.things, house.theirs)
        for method in _methods(route):
            form = () if method == "get" else (route.form(house.theirs),)
            with undone():
                answer = getattr(house.browsers["owner"], method)(address, *form)
                if answer.status_code >= 500 or SECRET in _text(answer):
                    wrong.append(f"{method} {name}: {answer.status_code}, or it tells")
                wrong += [f"{method} {name} ties {one}" for one in tied_across()]
                wrong += [
                    f"{method} {name} changed {row}"
                    for row in changed(before, rows())
                    if _is_theirs(row, house)
                ]
    assert not wrong, "\n".join(wrong)


def _text(answer: Any) -> str:
    """What an answer says; of a stream nothing, if it has no end."""
    if not answer.streaming:
        return str(answer.content.decode(errors="replace"))
    if answer.is_async:
        return ""
    return b"".join(answer.streaming_content).decode(errors="replace")


def _is_theirs(row: tuple[str, Any, dict[str, Any]], house: House) -> bool:
    return row[2].get("team_id") == house.other.pk


def test_an_address_of_nothing_is_not_there(house: House) -> None:
    for name, route in ROUTES.items():
        pattern = str(THERE[name.split()[0]].pattern)
        kind = "int" if "<int:pk>" in pattern else "uuid" if "<uuid:pk>" in pattern else ""
        if not kind:
            continue
        nothing = dict.fromkeys(house.things, NOTHING[kind])
        address = route.address(name, house.team.slug, nothing, house.things)
        for method in _methods(route):
            answer = getattr(house.browsers["owner"], method)(address)
            assert answer.status_code == 404, f"{method} {name}: {answer.status_code}"


# ── Requests from elsewhere (C1) ──


def test_nothing_is_taken_without_the_forms_token_and_nothing_told_to_other_origins(
    house: House,
) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(house.people["owner"])
    for name, route in ROUTES.items():
        address = route.address(name, house.team.slug, house.things, house.things)
        if route.post:
            assert strict.post(address, route.form(house.things)).status_code == 403, name
        if route.get and name != "live":
            answer = strict.get(address, headers={"origin": "https://evil.example"})
            assert "Access-Control-Allow-Origin" not in answer, name


# ── Fields that nobody offered (A2) ──

NUMBER = 987_654_321
FORGED = {
    **dict.fromkeys(("quota", "cost", "price", "credits", "views", "place", "size", "id", "pk",
                     "width", "position", "visits", "limit"), str(NUMBER)),
    **dict.fromkeys(("trashed_at", "revoked_at", "created_at", "accepted_at", "expires_at",
                     "last_opened_at", "seen_at"), "1999-01-01T00:00:00Z"),
    **dict.fromkeys(("is_staff", "is_superuser", "is_active", "is_mask"), "on"),
    **dict.fromkeys(("digest", "nonce", "secret_digest", "slug", "status", "memory"), "forged"),
    "role": "owner",
}  # fmt: skip


def test_fields_that_nobody_offered_are_not_stored(house: House) -> None:
    wrong = []
    before = rows()
    theirs = {
        "team": str(house.other.pk), "team_id": str(house.other.pk), "team_slug": house.other.slug,
        **dict.fromkeys(
            ("author", "user", "author_id", "user_id", "by", "invited_by", "trashed_by", "owner"),
            str(house.people["friend"].pk),
        ),
    }  # fmt: skip
    for name, route in ROUTES.items():
        if route.post is None:
            continue
        address = route.address(name, house.team.slug, house.things, house.things)
        form = {**FORGED, **theirs, **route.form(house.things)}
        # By who may least, of those who may.
        person = "author" if Visit(name, "post", "author").outcome == "in" else "owner"
        with undone():
            answer = house.browsers[person].post(address, form)
            if answer.status_code >= 500 and answer.status_code != route.status:
                wrong.append(f"{name} by {person}: {answer.status_code}")
            for table, pk, row in changed(before, rows()):
                if fault := _forged(row, route, house):
                    wrong.append(f"{name} by {person}: {fault} in {table} {pk}")
    assert not wrong, "\n".join(wrong)


def _forged(row: Mapping[str, Any], route: Route, house: House) -> str:
    """What of a row that changed was posted, and must not have been taken."""
    for name, value in row.items():
        text = str(value)
        if str(NUMBER) in text or text.startswith("1999-01-01") or "forged" in text:
            return name
        if name.endswith("_id") and value == house.people["friend"].pk and "team" not in name:
            return name if name in ("author_id", "user_id", "by_id", "trashed_by_id") else ""
    if row.get("team_id") == house.other.pk:
        return "team"
    if row.get("is_staff") or row.get("is_superuser"):
        return "is_staff"
    is_asked = "role=" in route.sends or route.post in (PERSON, Deed.HAND_OVER)
    return "role" if row.get("role") == Role.OWNER and not is_asked else ""
