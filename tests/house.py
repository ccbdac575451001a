"""Two furnished teams and a browser for every kind of person: what the walks over all routes need.

What the second team has says SECRET somewhere: no page of the first may ever say it.
"""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core import mail, signing
from django.db import models, transaction
from django.test import Client
from django.utils import timezone

from generator.models import (
    Collected,
    Collection,
    Favourite,
    Generation,
    GivenReference,
    Invitation,
    Notice,
    QuotaAccount,
    Role,
    SharedImage,
    ShareLink,
    Status,
    Tag,
    Tagging,
    Team,
    User,
    Window,
)
from generator.models.sharing import Audience
from generator.models.storage import SALT
from generator.sharing import secrets
from tests.make import (
    add_member,
    make_asset,
    make_entry,
    make_generation,
    make_link,
    make_reference,
    make_team,
    make_user,
)

SECRET = "zanzibar"
BUTTON = {"id": "MJ::2", "label": "U2", "action": "upscale", "asks": ""}
ROLES = {
    "owner": Role.OWNER,
    "admin": Role.ADMIN,
    "author": Role.MEMBER,
    "mate": Role.MEMBER,
    "viewer": Role.VIEWER,
}
OUTSIDE = ("other", "stranger", "staff")  # signed in, and not of the team
UNKNOWN = ("suspended", "nobody", "visitor")  # who have to sign in
# What is written by looking: that somebody came.
UNCOUNTED = frozenset(
    {"sessions.session", "usersessions.usersession", "generator.sharevisit", "auth.permission"}
)
UNCOUNTED_FIELDS = frozenset({"last_login", "views", "last_opened_at"})


@dataclass(frozen=True, slots=True)
class House:
    """`team` and its `things` by name, as an address or a form says them; the same of `other`."""

    team: Team
    other: Team
    things: Mapping[str, str]
    theirs: Mapping[str, str]
    people: Mapping[str, User]
    browsers: Mapping[str, Client]


def build() -> House:
    """The whole house."""
    make_entry()
    people = {name: make_user(name) for name in (*ROLES, "suspended", *OUTSIDE, "helper", "friend")}
    User.objects.filter(username="staff").update(is_staff=True, is_superuser=True)
    team, other = make_team(slug="northlight"), make_team(slug="southpaw")
    for name, role in ROLES.items():
        add_member(team, people[name], role)
    add_member(team, people["suspended"])
    add_member(other, people["other"], Role.OWNER)
    things = furnish(team, people["author"], people["helper"], people["owner"], say="a teapot")
    theirs = furnish(
        other, people["other"], people["friend"], people["other"], say=f"{SECRET} spices"
    )
    make_accounts()
    browsers = {name: signed_in(people[name]) for name in (*ROLES, *OUTSIDE, "suspended")}
    browsers |= {"nobody": Client(), "visitor": Client()}
    User.objects.filter(username="suspended").update(is_active=False)
    return House(team, other, things, theirs, people, browsers)


def signed_in(user: User) -> Client:
    """A browser in which this person has signed in."""
    browser = Client(raise_request_exception=False)
    browser.force_login(user)
    return browser


def make_accounts() -> None:
    """The quota accounts that are made when somebody looks at a page for the first time."""
    for team in Team.objects.all():
        QuotaAccount.objects.pool(team)
        for user in User.objects.filter(memberships__team=team):
            QuotaAccount.objects.of(team, user)


def furnish(team: Team, author: User, helper: User, owner: User, *, say: str) -> dict[str, str]:
    """One of everything that a team can have, by `author`; `helper` is a member to do things to.
    All texts say `say`."""
    reference = make_reference(author, team)
    done = make_generation(
        author, team, prompt=say, status=Status.SUCCEEDED, cost=40, count=3, action="edit",
        references=(reference,),
    )  # fmt: skip
    image, second, trashed = (make_asset(done, position) for position in range(3))
    type(trashed).objects.filter(pk=trashed.pk).update(trashed_at=timezone.now(), trashed_by=author)
    grid = make_generation(
        author, team, prompt=say, wire_model="midjourney", status=Status.SUCCEEDED, cost=40,
        buttons=[BUTTON], task_id="7",
    )  # fmt: skip
    make_asset(grid)
    queued = make_generation(author, team, prompt=say)
    tag = Tag.objects.create(team=team, name=say)
    Tagging.objects.create(tag=tag, image=image)
    collection = Collection.objects.create(team=team, name=say, created_by=author)
    Collected.objects.create(collection=collection, image=image, added_by=author)
    invitation = Invitation(team=team, email=f"{say.split()[0]}@example.org", invited_by=owner)
    secret = invitation.new_secret()
    invitation.save()
    notice = Notice.objects.create(
        user=author, account=QuotaAccount.objects.of(team, author), window=Window.MONTH,
        start=team.today().replace(day=1), percent=50, cap=10,
    )  # fmt: skip
    link = make_link(author, [image], title=say, takes_replies=True)
    for_members = make_link(author, [image], takes_replies=True, audience=Audience.MEMBERS)
    revoked = make_link(author, [image], takes_replies=True, revoked_at=timezone.now())
    return {
        "slug": team.slug,
        "say": say,
        "generation": str(done.pk),
        "queued": str(queued.pk),
        "grid": str(grid.pk),
        "image": str(image.pk),
        "second": str(second.pk),
        "trashed": str(trashed.pk),
        "reference": str(reference.pk),
        "tag": str(tag.pk),
        "collection": str(collection.pk),
        "link": str(link.pk),
        "secret": secrets.secret_of(link),
        "shared": str(link.shared.get().pk),
        "for members": secrets.secret_of(for_members),
        "its image": str(for_members.shared.get().pk),
        "revoked": secrets.secret_of(revoked),
        "revoked image": str(revoked.shared.get().pk),
        "invitation": str(invitation.pk),
        "invited": secret,
        "notice": str(notice.pk),
        "member": str(add_member(team, helper).pk),
        "helper": str(helper.pk),
        "author": str(author.pk),
        "file": signing.dumps(image.file.name, salt=SALT),
        "batch": str(uuid.uuid4()),
    }


# ── What changed ──

Rows = dict[str, dict[Any, dict[str, Any]]]


def rows() -> Rows:
    """All that is stored, by table and key, but for what says that somebody looked."""
    return {
        label: {row[model._meta.pk.attname]: row for row in model._base_manager.values(*names)}
        for label, model, names in _tables()
    }


def _tables() -> Iterator[tuple[str, type[models.Model], list[str]]]:
    for model in apps.get_models(include_auto_created=True):
        facts = model._meta
        if facts.managed and not facts.proxy and facts.label_lower not in UNCOUNTED:
            fields = (field.attname for field in facts.concrete_fields)
            yield facts.label_lower, model, [f for f in fields if f not in UNCOUNTED_FIELDS]


def changed(before: Rows, after: Rows) -> list[tuple[str, Any, dict[str, Any]]]:
    """Rows that are new or other now, with their table and key; of those gone, an empty row."""
    found = []
    for label, table in after.items():
        found += [(label, pk, row) for pk, row in table.items() if before[label].get(pk) != row]
        found += [(label, pk, {}) for pk in before[label].keys() - table.keys()]
    return found


def sent() -> tuple[int, list[str]]:
    """Letters sent, and files stored."""
    return len(mail.outbox), sorted(str(path) for path in settings.DATA.rglob("*"))


@contextmanager
def undone() -> Iterator[None]:
    """What is done within is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def tied_across() -> list[str]:
    """Ties between what is one team's and what is another's: there must be none, ever."""
    f = models.F
    return [
        str(one)
        for rows in (
            Tagging.objects.exclude(tag__team=f("image__team")),
            Collected.objects.exclude(collection__team=f("image__team")),
            Favourite.objects.exclude(team=f("image__team")),
            SharedImage.objects.exclude(link__team=f("image__team")),
            ShareLink.objects.exclude(collection=None).exclude(collection__team=f("team")),
            GivenReference.objects.exclude(generation__team=f("reference__team")),
            Generation.objects.exclude(parent=None).exclude(parent__team=f("team")),
        )
        for one in rows
    ]
