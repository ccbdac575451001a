"""Staff see whose links there are and close them; never what opens one."""

import re
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from generator.models import ShareLink, SharingRules, Status, Team, User
from generator.sharing import making, secrets
from tests.make import make_asset, make_collection, make_generation, make_link, make_user

LIST = "admin:generator_sharelink_changelist"


@pytest.fixture
def link(team: Team, member: User) -> ShareLink:
    """A link of the member's."""
    image = make_asset(make_generation(member, team))
    return make_link(member, [image], title="For Ada", password="open sesame")


def act(client: Client, action: str, *links: ShareLink, **sent: str) -> Any:
    """Choose links in the list and do something with them."""
    chosen = {"_selected_action": [link.pk for link in links], "action": action}
    return client.post(reverse(LIST), {**chosen, **sent}, follow=True)


def test_a_list_and_a_page_show_nothing_that_opens_a_link(staff: Client, link: ShareLink) -> None:
    for address in (
        reverse(LIST),
        reverse("admin:generator_sharelink_change", args=[link.pk]),
        reverse("admin:generator_sharelink_history", args=[link.pk]),
    ):
        text = staff.get(address).content.decode()
        assert "For Ada" in text
        for hidden in (
            secrets.secret_of(link),
            link.digest,
            link.password,
            bytes(link.nonce).hex(),
        ):
            assert hidden not in text


def test_nobody_on_the_staff_changes_what_a_link_allows(staff: Client, link: ShareLink) -> None:
    address = reverse("admin:generator_sharelink_change", args=[link.pk])
    assert staff.post(address, {"title": "mine"}).status_code == 403
    assert staff.get(reverse("admin:generator_sharelink_add")).status_code == 403
    link.refresh_from_db()
    assert link.title == "For Ada"


def test_links_are_revoked_once_that_is_confirmed(staff: Client, link: ShareLink) -> None:
    assert "For Ada" in act(staff, "revoke", link).content.decode()
    assert not ShareLink.objects.exclude(revoked_at=None).exists()
    said = act(staff, "revoke", link, confirmed="yes").content.decode()
    assert "1 link was revoked." in said
    link.refresh_from_db()
    assert link.revoked_at


def test_all_links_of_a_person_are_revoked_by_way_of_one(
    staff: Client, link: ShareLink, member: User
) -> None:
    another = make_link(member, collection=make_collection(member.personal_team))
    others = make_link(make_user())
    act(staff, "revoke_all_of", link, confirmed="yes")
    assert list(ShareLink.objects.filter(revoked_at=None)) == [others]
    another.refresh_from_db()
    assert another.revoked_at


def test_who_may_only_look_revokes_nothing(client: Client, link: ShareLink) -> None:
    looker = make_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_sharelink"))
    client.force_login(looker)
    act(client, "revoke", link, confirmed="yes")
    link.refresh_from_db()
    assert not link.revoked_at


def test_a_link_is_revoked_from_its_own_page_once_that_is_confirmed(
    staff: Client, client: Client, link: ShareLink
) -> None:
    there = reverse("admin:generator_sharelink_change", args=[link.pk])
    found = re.search(rf'href="([^"]*/{link.pk}/revoke[^"]*)"', staff.get(there).content.decode())
    assert found
    asked = staff.get(found.group(1)).content.decode()
    assert "For Ada" in asked
    for key in ("0", "x", "9" * 30):
        assert staff.get(found.group(1).replace(f"/{link.pk}/", f"/{key}/")).status_code == 404
    link.refresh_from_db()
    assert not link.revoked_at
    form = re.search(r'<form method="post" action="([^"]+)"', asked)
    assert form
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', asked))
    assert "1 link was revoked." in staff.post(form.group(1), sent, follow=True).content.decode()
    link.refresh_from_db()
    assert link.revoked_at
    assert found.group(1) not in staff.get(there).content.decode()
    looker = make_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_sharelink"))
    client.force_login(looker)
    assert client.get(found.group(1)).status_code == 403


def test_links_are_found_by_number_title_author_and_team(
    staff: Client, link: ShareLink, member: User, team: Team
) -> None:
    other = make_link(make_user("someone"), title="another")
    make_user("ada")  # whose name does not hide what is called so
    for term in (str(link.pk), "for ada", "Ada", member.username, team.name):
        text = staff.get(reverse(LIST), {"q": term}).content.decode()
        assert "For Ada" in text
        assert other.title not in text


def test_the_rules_are_one_row_and_hold_for_new_links(
    staff: Client, team: Team, member: User
) -> None:
    answer = staff.get(reverse("admin:generator_sharingrules_changelist"), follow=True)
    assert answer.status_code == 200
    there = reverse("admin:generator_sharingrules_change", args=[1])
    assert staff.post(there, {"default_days": "9"}).status_code == 302
    rules = SharingRules.objects.now()
    assert (rules.default_days, rules.never_allowed) == (9, False)
    for days in ("0", "3651", "-1"):
        assert staff.post(there, {"default_days": days}).status_code == 200
    assert SharingRules.objects.get().default_days == 9
    assert staff.get(reverse("admin:generator_sharingrules_add")).status_code == 403


def test_what_became_of_a_link_is_noted_without_what_opens_it(
    staff: Client, link: ShareLink, boss: User, member: User
) -> None:
    terms = making.Terms(title="For Bea", password="another one", watermark="Proof only")
    making.change(link, terms, by=member.memberships.get(team=link.team))
    act(staff, "revoke", link, confirmed="yes")
    lines = list(LogEntry.objects.get_for_object(link).order_by("pk"))
    said = " ".join(str(line.changes) for line in lines)
    assert "For Bea" in said
    assert "Proof only" in said
    assert "revoked_at" in said
    assert lines[-1].actor == boss
    for hidden in ("password", "nonce", "digest", secrets.secret_of(link)):
        assert hidden not in said


@pytest.mark.parametrize("become", [{"role": "member", "DELETE": "on"}, {"role": "viewer"}])
def test_whose_place_in_a_team_staff_take_away_has_no_open_link_there_and_nothing_that_waits(
    staff: Client, link: ShareLink, member: User, team: Team, become: dict[str, str],
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    waits = make_generation(member, team)
    membership = team.memberships.get(user=member)
    prefixes = ("memberships", "memberships-2", "accounts", "accounts-2")
    form = {f"{name}-{part}_FORMS": "0" for name in prefixes for part in ("TOTAL", "INITIAL")}
    form |= {
        "name": team.name, "time_zone": "UTC", "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "1", "memberships-0-id": f"{membership.pk}",
        "memberships-0-team": f"{team.pk}",
        **{f"memberships-0-{name}": value for name, value in become.items()},
    }  # fmt: skip
    there = reverse("admin:generator_team_change", args=[team.pk])
    with django_capture_on_commit_callbacks(execute=True):
        assert staff.post(there, form).status_code == 302
    assert not team.memberships.filter(role="member").exists()
    link.refresh_from_db()
    waits.refresh_from_db()
    assert link.revoked_at
    assert waits.status == Status.CANCELLED
