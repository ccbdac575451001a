"""What staff may do to people, teams and invitations."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from generator.models import Invitation, Membership, Role, Team, User
from tests.make import PASSWORD, make_team, make_user


def test_a_person_made_here_has_a_team_of_their_own(staff: Client) -> None:
    form = {"username": "nora", "email": "nora@example.org", "usable_password": "true",
            "password1": PASSWORD, "password2": PASSWORD}  # fmt: skip
    staff.post(reverse("admin:generator_user_add"), form)
    assert User.objects.get(username="nora").personal_team.slug == "nora"


def test_people_are_suspended_and_opened_again_but_nobody_shuts_themselves_out(
    staff: Client, boss: User
) -> None:
    jonas = make_user("jonas")
    there = reverse("admin:generator_user_changelist")
    chosen = [boss.pk, jonas.pk]
    asked = staff.post(there, {"action": "suspend", "_selected_action": chosen})
    assert "All sessions end" in asked.content.decode()
    assert User.objects.filter(is_active=True).count() == 2
    form = {"action": "suspend", "_selected_action": chosen, "confirmed": "yes"}
    staff.post(there, form)
    assert set(User.objects.filter(is_active=True)) == {boss}
    staff.post(there, {"action": "open_again", "_selected_action": chosen})
    assert set(User.objects.filter(is_active=True)) == {boss, jonas}


@pytest.mark.parametrize("model", ["user", "team"])
def test_people_and_teams_cannot_be_deleted(staff: Client, model: str, boss: User) -> None:
    row: Any = boss if model == "user" else boss.personal_team
    there = reverse(f"admin:generator_{model}_delete", args=[row.pk])
    assert staff.post(there, {"post": "yes"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).exists()


def test_mere_staff_give_nobody_rights_and_do_not_touch_a_superuser(
    client: Client, boss: User
) -> None:
    clerk = make_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["change_user", "view_user"]))
    client.force_login(clerk)
    there = reverse("admin:generator_user_change", args=[clerk.pk])
    form = {"username": "clerk", "email": clerk.email, "is_active": "on", "is_staff": "on",
            "is_superuser": "on", "first_name": "Clara", **no_inlines()}  # fmt: skip
    client.post(there, form)
    clerk.refresh_from_db()
    assert (clerk.first_name, clerk.is_superuser) == ("Clara", False)
    password = {"password1": "mine now, surely", "password2": "mine now, surely"}
    client.post(reverse("admin:auth_user_password_change", args=[boss.pk]), password)
    suspend = {"action": "suspend", "_selected_action": [boss.pk], "confirmed": "yes"}
    client.post(reverse("admin:generator_user_changelist"), suspend)
    assert client.post(reverse("admin:generator_user_suspend", args=[boss.pk])).status_code == 403
    boss.refresh_from_db()
    assert boss.check_password(PASSWORD)
    assert boss.is_active


def no_inlines(*prefixes: str) -> dict[str, str]:
    """The management forms of these lists, else of those on a person's page, empty."""
    prefixes = prefixes or ("accounts", "memberships", "emailaddress_set", "authenticator_set")
    return {f"{prefix}-{part}_FORMS": "0" for prefix in prefixes for part in ("TOTAL", "INITIAL")}


def test_staff_put_somebody_into_a_team_with_a_role(staff: Client, boss: User) -> None:
    team = make_team(slug="northlight")
    jonas = make_user("jonas")
    form = {"name": "Northlight", "slug": "northlight", "time_zone": "UTC",
            **no_inlines("memberships", "accounts", "accounts-2"),
            "memberships-2-TOTAL_FORMS": "1", "memberships-2-INITIAL_FORMS": "0",
            "memberships-2-0-user": str(jonas.pk), "memberships-2-0-role": "viewer"}  # fmt: skip
    staff.post(reverse("admin:generator_team_change", args=[team.pk]), form)
    assert Membership.objects.get(team=team).role == Role.VIEWER


def invite(staff: Client, team: Team) -> str:
    """Make an invitation as staff do, and give what the next page says."""
    form = {"team": str(team.pk), "email": "nora@example.org", "role": "member",
            "expires_at_0": "2999-01-01", "expires_at_1": "00:00"}  # fmt: skip
    answer = staff.post(reverse("admin:generator_invitation_add"), form, follow=True)
    return answer.content.decode()


def test_an_invitation_s_link_is_shown_once_works_and_is_not_kept(
    staff: Client, client: Client, boss: User
) -> None:
    page = invite(staff, make_team(slug="northlight"))
    link = re.search(r"http://testserver(/invitations/([\w-]+)/)", page)
    assert link is not None
    path, secret = link.groups()
    invitation = Invitation.objects.get()
    assert invitation.invited_by == boss
    assert Invitation.objects.open(secret) == invitation
    assert Client().get(path).status_code == 200
    for again in (reverse("admin:generator_invitation_changelist"),
                  reverse("admin:generator_invitation_change", args=[invitation.pk])):  # fmt: skip
        assert secret not in staff.get(again).content.decode()
    kept = str(Invitation.objects.values().get()) + str(list(LogEntry.objects.values()))
    assert secret not in kept


def test_deleting_an_invitation_takes_its_link_back(staff: Client) -> None:
    page = invite(staff, make_team(slug="northlight"))
    link = re.search(r"http://testserver(/invitations/[\w-]+/)", page)
    assert link is not None
    there = reverse("admin:generator_invitation_delete", args=[Invitation.objects.get().pk])
    staff.post(there, {"post": "yes"})
    assert Client().get(link[1]).status_code == 404


def test_the_list_calls_the_column_of_names_a_name(staff: Client) -> None:
    page = staff.get(reverse("admin:generator_user_changelist")).content.decode()
    assert "full name" not in page.lower()
