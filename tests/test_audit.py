"""The audit log: who changed what, when and from where; and never a secret."""

import asyncio
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from asgiref.sync import async_to_sync
from auditlog.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core.handlers.asgi import ASGIRequest
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from generator import audit
from generator.models import (
    Cap,
    CatalogueEntry,
    Invitation,
    Membership,
    QuotaAccount,
    StartingCaps,
    Team,
    User,
    Window,
)
from tests.make import PASSWORD, make_asset, make_entry, make_generation, make_user, set_cap

pytestmark = pytest.mark.django_db
# Nothing with such a name is ever to be watched (T1).
SECRET = ("password", "secret", "digest", "token", "session", "seed", "data", "key", "hash")


def lines(row: Any) -> list[Any]:
    """What the log says of a row, oldest first."""
    return list(LogEntry.objects.get_for_object(row).order_by("pk"))


@pytest.fixture
def boss() -> User:
    """A superuser."""
    return make_user("boss", is_staff=True, is_superuser=True)


def rename(client: Client, team: Team, **headers: str) -> Any:
    """Rename a team as staff do, and give the line that the log has of it."""
    prefixes = ("memberships", "memberships-2", "accounts", "accounts-2")
    form = {f"{name}-{part}_FORMS": "0" for name in prefixes for part in ("TOTAL", "INITIAL")}
    form |= {"name": "Southlight", "time_zone": "UTC"}
    there = reverse("admin:generator_team_change", args=[team.pk])
    assert client.post(there, form, headers=headers).status_code == 302
    return lines(team)[-1]


def test_a_line_says_who_changed_what_and_from_where(
    client: Client, boss: User, team: Team
) -> None:
    client.force_login(boss)
    line = rename(client, team)
    assert line.changes == {"name": ["Northlight", "Southlight"]}
    assert (line.actor, line.actor_email) == (boss, boss.email)
    assert line.remote_addr == "127.0.0.1"


def test_an_address_that_the_visitor_made_up_counts_for_nothing(
    client: Client, boss: User, team: Team
) -> None:
    client.force_login(boss)
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9"}
    assert rename(client, team, **forged).remote_addr == "127.0.0.1"


def test_behind_a_proxy_it_is_what_the_proxy_saw(
    client: Client, boss: User, team: Team, settings: Any
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    client.force_login(boss)
    forwarded = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}
    assert rename(client, team, **forwarded).remote_addr == "198.51.100.7"


def test_what_happens_outside_a_request_is_the_studio_s_own(team: Team) -> None:
    team.name = "Southlight"
    team.save()
    assert (lines(team)[-1].actor, lines(team)[-1].remote_addr) == (None, None)


def test_the_middleware_keeps_requests_apart_in_one_event_loop(boss: User) -> None:
    seen: dict[str, Any] = {}

    async def view(request: ASGIRequest) -> HttpResponse:
        await asyncio.sleep(0)
        seen[request.path] = audit._request.get()
        return HttpResponse()

    async def both() -> None:
        door = audit.remember_request(view)
        one, two = RequestFactory().get("/one"), RequestFactory().get("/two")
        await asyncio.gather(door(one), door(two))

    async_to_sync(both)()
    assert {path: request.path for path, request in seen.items()} == {
        "/one": "/one",
        "/two": "/two",
    }
    assert audit._request.get() is None


def test_making_and_reading_images_writes_nothing_down(
    client: Client, team: Team, member: User
) -> None:
    client.force_login(member)
    LogEntry.objects.all().delete()
    make_asset(make_generation(member, team))
    client.get(reverse("studio", args=[team.slug]))
    call_command("clearsessions")
    assert not list(LogEntry.objects.values("changes", "object_repr"))


def test_signing_in_writes_nothing_down(client: Client, member: User) -> None:
    LogEntry.objects.filter(content_type__model="user").delete()
    client.post(reverse("account_login"), {"login": member.email, "password": PASSWORD})
    assert client.get(reverse("account")).status_code == 200
    assert not LogEntry.objects.filter(content_type__model="user").exists()


def test_a_cap_s_line_says_whose_it_was(team: Team, member: User) -> None:
    account = QuotaAccount.objects.of(team, member)
    account.set_cap(Window.MONTH, 500)
    cap = Cap.objects.get(account=account, window=Window.MONTH)
    line = lines(cap)[-1]
    assert line.changes == {"credits": ["10000", "500"]}
    assert line.additional_data["account"] == "member in Northlight"


def test_rights_that_are_given_are_written_down(boss: User) -> None:
    boss.user_permissions.add(Permission.objects.get(codename="view_team"))
    assert lines(boss)[-1].changes["user_permissions"]["operation"] == "add"


def test_a_note_names_whoever_is_said(team: Team, boss: User) -> None:
    audit.note(team, "looked at", by=boss)
    line = lines(team)[-1]
    assert (line.additional_data, line.actor) == ({"note": "looked at"}, boss)


# ── No secrets (T1) ──


@pytest.mark.parametrize("model", list(audit.WATCHED), ids=lambda model: model.__name__)
def test_no_field_that_holds_a_secret_is_watched(model: Any) -> None:
    for name in audit.WATCHED[model]:
        assert not set(name.split("_")) & set(SECRET), name
        assert model._meta.get_field(name).get_internal_type() != "BinaryField"


def test_after_everything_was_changed_no_secret_is_in_the_log(
    client: Client, boss: User, team: Team, settings: Any
) -> None:
    settings.COMETAPI_KEY = "sk-the-gateway-s-own-key"
    client.post(reverse("account_login"), {"login": boss.email, "password": PASSWORD})
    seed = generate_totp_secret()
    factor = TOTP.activate(boss, seed).instance
    invitation = Invitation(team=team, email="nora@example.org")
    words = [invitation.new_secret(), invitation.secret_digest, seed, factor.data["secret"]]
    invitation.save()
    boss.set_password("another secret word")
    boss.save()
    Authenticator.objects.get().delete()
    entry = make_entry(credits_each=7, listed={"key": settings.COMETAPI_KEY})
    set_cap(team, boss, window=Window.DAY, credits=3)
    StartingCaps(member_day=5).save()
    Group.objects.create(name="clerks")
    email = EmailAddress.objects.create(user=boss, email="b@example.org")
    for row in (invitation, entry, email, Membership.objects.first(), boss):
        assert row is not None
        row.save()
    assert {line.content_type.model_class() for line in LogEntry.objects.all()} == {
        User, Team, Membership, Invitation, Authenticator, EmailAddress, Group, CatalogueEntry,
        Cap, StartingCaps,
    }  # fmt: skip
    words += [boss.password, PASSWORD, settings.COMETAPI_KEY, client.session.session_key or "?"]
    text = str(list(LogEntry.objects.values()))
    assert [word for word in words if word in text] == []
