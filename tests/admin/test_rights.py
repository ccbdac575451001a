"""What staff see and may do who are not superusers, and what nobody on the staff sees."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from generator.models import (
    Generation,
    Invitation,
    KeptReply,
    LedgerEntry,
    QuotaAccount,
    Status,
    Step,
    Team,
    User,
)
from tests.make import PASSWORD, make_asset, make_generation, make_team, make_user
from tests.scripted import ScriptedGateway, images, run

pytestmark = pytest.mark.django_db

PERSON = "admin:generator_user_change"


def sign_in_clerk(client: Client, *codenames: str) -> User:
    """Somebody on the staff with these permissions, signed in."""
    clerk = make_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(clerk)
    return clerk


def succeeded(author: User) -> Generation:
    """A generation that cost something."""
    make_generation(author)
    return run(ScriptedGateway(images()))


# ── Secrets (T1) ──


def every_page(client: Client) -> Iterator[tuple[str, str]]:
    """Each list of the admin, and each row's page with its history: the address and what it says.

    Those that this reader may not open say nothing.
    """
    for model in admin.site._registry:
        if model._meta.app_label == "django_rq":  # asks Valkey, which does not run here
            continue
        stem = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        paths = [reverse(f"{stem}_changelist")]
        paths += [
            reverse(f"{stem}_{name}", args=[row.pk])
            for row in model._default_manager.all()[:20]
            for name in ("change", "history")
        ]
        for path in paths:
            answer = client.get(path, follow=True)
            if answer.status_code == 200:
                yield path, answer.content.decode()


@pytest.mark.parametrize("reader", ["superuser", "view only", "every permission"])
def test_no_page_of_the_admin_holds_a_secret(
    client: Client, member: User, reader: str, settings: Any
) -> None:
    settings.COMETAPI_KEY = "sk-a-key-of-the-gateway"
    clerk = make_user("clerk", is_staff=True, is_superuser=reader == "superuser")
    rights = Permission.objects.all()
    if reader == "view only":
        rights = rights.filter(codename__startswith="view_")
    clerk.user_permissions.set(rights)
    make_user("other boss", is_staff=True, is_superuser=True)
    Group.objects.create(name="clerks")
    generation = succeeded(member)
    make_asset(generation, position=1)
    KeptReply.objects.create(generation=generation, step=Step.SUBMIT, status=200, seconds=1)
    seed = generate_totp_secret()
    factor = TOTP.activate(member, seed).instance
    invitation = Invitation(team=make_team(), email="nora@example.org", invited_by=clerk)
    link = invitation.new_secret()
    invitation.save()
    Client().force_login(member)
    client.force_login(clerk)
    secrets = {
        "password": [user.password for user in User.objects.all()],
        "session": [session.session_key for session in Session.objects.all()],
        "second factor": [seed, factor.data["secret"]],
        "invitation": [link, invitation.secret_digest],
        "key": [settings.COMETAPI_KEY, settings.SECRET_KEY],
    }
    assert all(text for texts in secrets.values() for text in texts)
    pages = list(every_page(client))
    assert len(pages) > 30
    held = {
        (path, name)
        for path, page in pages
        for name, texts in secrets.items()
        if any(text in page for text in texts)
    }
    assert held == set()


# ── Staff who would raise themselves ──


def test_a_group_s_permissions_are_for_superusers_to_give(client: Client) -> None:
    clerk = sign_in_clerk(client, "view_group", "change_group", "add_group")
    group = Group.objects.create(name="clerks")
    clerk.groups.add(group)
    everything = [str(pk) for pk in Permission.objects.values_list("pk", flat=True)]
    form = {"name": "the clerks", "permissions": everything}
    client.post(reverse("admin:auth_group_change", args=[group.pk]), form)
    client.post(reverse("admin:auth_group_add"), {**form, "name": "more"})
    assert set(Group.objects.values_list("name", flat=True)) == {"the clerks", "more"}
    assert not Permission.objects.filter(group__isnull=False).exists()


def add_address(person: User) -> None:
    """The address that they sign in with."""
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)


def person_form(person: User, **more: str) -> dict[str, str]:
    """What a person's page sends, with their one address changed."""
    address = EmailAddress.objects.get(user=person)
    lists = ("accounts", "memberships", "authenticator_set")
    return {
        "username": person.username, "email": "mine@example.org", "first_name": "Tess",
        **{f"{name}-{part}_FORMS": "0" for name in lists for part in ("TOTAL", "INITIAL")},
        "emailaddress_set-TOTAL_FORMS": "1", "emailaddress_set-INITIAL_FORMS": "1",
        "emailaddress_set-0-id": str(address.pk), "emailaddress_set-0-user": str(person.pk),
        "emailaddress_set-0-email": "mine@example.org", "emailaddress_set-0-verified": "on",
        "emailaddress_set-0-primary": "on", **more,
    }  # fmt: skip


PEOPLE = ["view_user", "change_user", "view_emailaddress", "change_emailaddress",
          "view_authenticator", "delete_authenticator"]  # fmt: skip


@pytest.mark.parametrize("whose", ["theirs", "another's"])
def test_how_staff_come_in_is_for_superusers_to_change(client: Client, whose: str) -> None:
    clerk = sign_in_clerk(client, *PEOPLE)
    person = clerk if whose == "theirs" else make_user("treasurer", is_staff=True)
    add_address(person)
    factor = TOTP.activate(person, generate_totp_secret()).instance
    there = reverse(PERSON, args=[person.pk])
    taken = {"authenticator_set-TOTAL_FORMS": "1", "authenticator_set-INITIAL_FORMS": "1",
             "authenticator_set-0-id": str(factor.pk), "authenticator_set-0-user": str(person.pk),
             "authenticator_set-0-DELETE": "on"}  # fmt: skip
    client.post(there, person_form(person, **taken))
    words = {"password1": "mine now, surely", "password2": "mine now, surely",
             "usable_password": "true"}  # fmt: skip
    answer = client.post(reverse("admin:auth_user_password_change", args=[person.pk]), words)
    assert answer.status_code == 403
    before = person.email
    person.refresh_from_db()
    assert (person.email, person.check_password(PASSWORD)) == (before, True)
    assert EmailAddress.objects.get(user=person).email == before
    assert Authenticator.objects.filter(user=person).exists()
    # Their own name is theirs to change; nothing of another's is.
    assert person.first_name == ("Tess" if whose == "theirs" else "")


def test_of_people_who_are_not_staff_it_is_for_staff_to_change(
    client: Client, member: User
) -> None:
    sign_in_clerk(client, *PEOPLE)
    add_address(member)
    client.post(reverse(PERSON, args=[member.pk]), person_form(member))
    member.refresh_from_db()
    assert member.email == "mine@example.org"
    assert EmailAddress.objects.get(user=member).email == "mine@example.org"


def test_staff_are_suspended_by_superusers_alone(client: Client) -> None:
    sign_in_clerk(client, *PEOPLE)
    treasurer = make_user("treasurer", is_staff=True)
    there = reverse("admin:generator_user_suspend", args=[treasurer.pk])
    assert client.post(there).status_code == 403
    chosen = {"action": "suspend", "_selected_action": [treasurer.pk], "confirmed": "yes"}
    page = client.post(reverse("admin:generator_user_changelist"), chosen, follow=True)
    assert "Only a superuser may do this to staff." in page.content.decode()
    treasurer.refresh_from_db()
    assert treasurer.is_active


def test_mere_staff_hand_nothing_over_to_themselves(client: Client, member: User) -> None:
    clerk = sign_in_clerk(client, *PEOPLE)
    client.post(reverse("admin:generator_user_suspend", args=[member.pk]))
    there = reverse("admin:generator_user_hand_over", args=[member.pk])
    page = client.post(there, {"to": str(clerk.pk)})
    assert page.context["form"].errors["to"] == ["Only a superuser may hand over to themselves."]
    assert Team.objects.filter(personal_of=member).exists()


# ── Giving back ──

GIVE_BACK = "admin:generator_generation_give_back_here"


def give_back(client: Client, generation: Generation) -> int:
    """Give back in both ways that there are; says how many entries that made."""
    client.post(reverse(GIVE_BACK, args=[generation.pk]), {"reason": "asked for"})
    chosen = {"action": "give_back", "_selected_action": [str(generation.pk)], "reason": "so"}
    client.post(reverse("admin:generator_generation_changelist"), chosen)
    return LedgerEntry.objects.filter(generation=generation, reason__in=["asked for", "so"]).count()


def test_giving_back_needs_the_right_to_grant(client: Client, member: User) -> None:
    clerk = sign_in_clerk(client, "view_generation", "change_generation")
    generation = succeeded(member)
    page = client.get(reverse("admin:generator_generation_change", args=[generation.pk]))
    assert reverse(GIVE_BACK, args=[generation.pk]) not in page.content.decode()
    assert give_back(client, generation) == 0
    clerk.user_permissions.add(Permission.objects.get(codename="add_ledgerentry"))
    assert give_back(client, generation) == 2  # the member's account and the pool


@pytest.mark.parametrize("is_superuser", [False, True])
def test_what_is_one_s_own_only_a_superuser_gives_back(client: Client, is_superuser: bool) -> None:
    clerk = sign_in_clerk(client, "view_generation", "change_generation", "add_ledgerentry")
    User.objects.filter(pk=clerk.pk).update(is_superuser=is_superuser)
    generation = succeeded(clerk)
    assert give_back(client, generation) == (2 if is_superuser else 0)


# ── What is shown to whom ──


def test_the_gateway_s_answer_is_for_those_who_may_see_answers(
    client: Client, member: User
) -> None:
    clerk = sign_in_clerk(client, "view_generation")
    generation = make_generation(member, status=Status.FAILED, reason_code="busy")
    KeptReply.objects.create(
        generation=generation, step=Step.SUBMIT, status=524, seconds=1, text="stranger's words"
    )
    there = reverse("admin:generator_generation_change", args=[generation.pk])
    page = client.get(there).content.decode()
    assert "The provider had no room" in page
    assert "stranger" not in page
    assert "524" not in page
    clerk.user_permissions.add(Permission.objects.get(codename="view_keptreply"))
    assert "stranger&#x27;s words" in client.get(there).content.decode()


@pytest.mark.parametrize("owner", ["user", "team"])
def test_a_page_shows_and_leads_to_what_its_reader_may_see(
    client: Client, team: Team, member: User, owner: str
) -> None:
    clerk = sign_in_clerk(client, f"view_{owner}")
    succeeded(member)
    key = member.pk if owner == "user" else team.pk
    there = reverse(f"admin:generator_{owner}_change", args=[key])
    before = QuotaAccount.objects.count()
    page = client.get(there).content.decode()
    for absent in ("What they used", "Their generations", "What they changed", "this month:"):
        assert absent not in page
    assert QuotaAccount.objects.count() == before
    rights = ["view_usagetotal", "view_generation", "view_logentry"]
    clerk.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    page = client.get(there).content.decode()
    assert "What they used" in page
    assert "Their generations" in page
    assert ("What they changed" in page) == (owner == "user")
    assert ("this month:" in page) == (owner == "user")


@pytest.mark.parametrize("model", ["user", "quotaaccount"])
def test_beside_an_account_stand_only_the_ways_that_its_reader_may_go(
    client: Client, team: Team, member: User, model: str
) -> None:
    clerk = sign_in_clerk(client, "view_user", "view_quotaaccount", "view_membership")
    account = QuotaAccount.objects.of(team, member)
    key = member.pk if model == "user" else account.pk
    there = reverse(f"admin:generator_{model}_change", args=[key])
    give, ledger = (
        f"{reverse(f'admin:generator_ledgerentry_{name}')}?account"
        for name in ("add", "changelist")
    )

    def seen() -> tuple[bool, bool, bool]:
        text = client.get(there).content.decode()
        return give in text, ledger in text, "sed this month" in text

    assert "left" in client.get(there).content.decode()
    assert seen() == (False, False, False)
    if model == "user":
        assert reverse("admin:generator_team_changelist") not in client.get(there).content.decode()
    for right, expected in (
        ("add_ledgerentry", (True, False, False)),
        ("view_ledgerentry", (True, True, False)),
        ("view_usagetotal", (True, True, model == "user")),
    ):
        clerk.user_permissions.add(Permission.objects.get(codename=right))
        assert seen() == expected
