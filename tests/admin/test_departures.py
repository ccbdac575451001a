"""Staff suspend, open again and hand over, asked first and told what was done."""

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from generator.models import Membership, Role, Status, Team, User
from tests.make import make_generation, make_team, make_user

PERSON, SUSPEND = "admin:generator_user_change", "admin:generator_user_suspend"
OPEN, HAND_OVER = "admin:generator_user_open_again", "admin:generator_user_hand_over"


def at(name: str, person: User) -> str:
    """The address of this page of a person."""
    return reverse(name, args=[person.pk])


def test_a_person_s_page_suspends_them_once_that_is_confirmed(
    staff: Client, boss: User, team: Team, member: User
) -> None:
    waiting = make_generation(member, team)
    asked = staff.get(at(SUSPEND, member)).content.decode()
    assert "1 waiting generation is withdrawn; the credits go back." in asked
    page = staff.post(at(SUSPEND, member), follow=True).content.decode()
    assert "1 account was suspended. 1 waiting generation was withdrawn." in page
    assert "nobody can sign in to this account" in page
    waiting.refresh_from_db()
    assert waiting.status == Status.CANCELLED
    line = LogEntry.objects.get_for_object(member).latest()
    assert (line.changes, line.actor) == ({"is_active": ["True", "False"]}, boss)
    staff.post(at(OPEN, member))
    member.refresh_from_db()
    assert member.is_active


def test_nothing_of_it_is_done_by_merely_looking(staff: Client, member: User) -> None:
    for name in (SUSPEND, OPEN, HAND_OVER):
        staff.get(at(name, member))
    member.refresh_from_db()
    assert member.is_active


def test_one_cannot_suspend_oneself_and_is_told_so(staff: Client, boss: User) -> None:
    assert at(SUSPEND, boss) not in staff.get(at(PERSON, boss)).content.decode()
    page = staff.post(at(SUSPEND, boss), follow=True).content.decode()
    assert "You cannot suspend yourself." in page
    boss.refresh_from_db()
    assert boss.is_active


def test_where_nothing_waits_nothing_is_said_of_what_waits(staff: Client, member: User) -> None:
    assert "waiting generation" not in staff.get(at(SUSPEND, member)).content.decode()
    page = staff.post(at(SUSPEND, member), follow=True).content.decode()
    assert "1 account was suspended." in page
    assert "withdrawn" not in page


def test_that_one_cannot_suspend_oneself_is_said_before_the_form(
    staff: Client, boss: User, member: User
) -> None:
    page = staff.get(at(SUSPEND, boss), follow=True).content.decode()
    assert "You cannot suspend yourself." in page
    assert "All sessions end" not in page
    chosen = {"action": "suspend", "_selected_action": [boss.pk, member.pk]}
    page = staff.post(reverse("admin:generator_user_changelist"), chosen).content.decode()
    assert "You cannot suspend yourself." in page
    assert f'value="{member.pk}"' in page
    assert f'name="_selected_action" value="{boss.pk}"' not in page


def test_where_nothing_is_left_to_hand_over_that_is_said_and_there_is_no_button(
    staff: Client, member: User
) -> None:
    leaver = make_user("leaver", is_active=False)
    staff.post(at(HAND_OVER, leaver), {"to": member.pk})
    page = staff.get(at(HAND_OVER, leaver)).content.decode()
    assert "Nothing is left to hand over" in page
    assert 'name="to"' not in page


def test_who_gets_it_is_picked_by_name(staff: Client) -> None:
    make_user("rosa.costa.17", first_name="Rosa", last_name="Costa")
    leaver = make_user("leaver", is_active=False)
    there = reverse("admin:generator_user_names")
    assert f'data-ajax--url="{there}"' in staff.get(at(HAND_OVER, leaver)).content.decode()
    asked = {"app_label": "generator", "model_name": "membership", "field_name": "user"}
    (found,) = staff.get(there, {**asked, "term": "costa"}).json()["results"]
    assert found["text"] == "Rosa Costa · rosa.costa.17"


@pytest.mark.django_db
def test_who_may_not_see_people_looks_none_up(client: Client) -> None:
    client.force_login(make_user("looker", is_staff=True))
    asked = {"app_label": "generator", "model_name": "membership", "field_name": "user"}
    assert client.get(reverse("admin:generator_user_names"), asked).status_code == 403


def test_the_page_before_a_hand_over_says_what_goes_and_the_one_after_what_went(
    staff: Client, member: User
) -> None:
    mara = make_user("leaver", first_name="Lea", is_active=False)
    make_team(mara, slug="alone", role=Role.OWNER)
    make_team(mara, member, slug="plain")
    asked = staff.get(at(HAND_OVER, mara)).content.decode()
    assert "Lea&#x27;s images" in asked
    assert "Alone" in asked
    assert "also leaves: Plain." in asked
    page = staff.post(at(HAND_OVER, mara), {"to": member.pk}, follow=True).content.decode()
    assert "member owns now: Lea&#x27;s images, Alone. Lea is in no team any more." in page
    assert not Membership.objects.filter(user=mara).exists()
    note = LogEntry.objects.get_for_object(mara).latest().additional_data["note"]
    assert note.startswith("member owns now")


@pytest.mark.parametrize("to", ["", "0", "nobody", "themselves", "suspended"])
def test_a_hand_over_to_nobody_who_can_take_it_is_refused_on_its_page(
    staff: Client, to: str
) -> None:
    leaver = make_user("leaver", is_active=False)
    ghost = make_user("ghost", is_active=False)
    chosen = {"themselves": str(leaver.pk), "suspended": str(ghost.pk)}.get(to, to)
    answer = staff.post(at(HAND_OVER, leaver), {"to": chosen})
    assert answer.status_code == 200
    assert answer.context["form"].errors["to"]
    assert Team.objects.filter(personal_of=leaver).exists()


def test_staff_who_may_not_change_people_shut_and_hand_over_nothing(
    client: Client, member: User
) -> None:
    viewer = make_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_user"))
    client.force_login(viewer)
    assert at(SUSPEND, member) not in client.get(at(PERSON, member)).content.decode()
    for name in (SUSPEND, OPEN, HAND_OVER):
        assert client.post(at(name, member), {"to": viewer.pk}).status_code == 403
    member.refresh_from_db()
    assert member.is_active


def test_for_one_who_is_not_staff_there_is_no_such_page(client: Client, member: User) -> None:
    other = make_user("other")
    client.force_login(other)
    assert client.post(at(SUSPEND, member), follow=True).status_code == 403
    member.refresh_from_db()
    assert member.is_active


def test_an_account_is_not_shut_by_a_mere_tick(staff: Client, member: User) -> None:
    assert 'name="is_active"' not in staff.get(at(PERSON, member)).content.decode()


def test_a_password_that_staff_set_is_noted_without_it(
    staff: Client, boss: User, member: User
) -> None:
    words = {"password1": "quite another word", "password2": "quite another word",
             "usable_password": "true"}  # fmt: skip
    staff.post(reverse("admin:auth_user_password_change", args=[member.pk]), words)
    member.refresh_from_db()
    assert member.check_password("quite another word")
    line = LogEntry.objects.get_for_object(member).latest()
    assert (line.actor, line.additional_data) == (boss, {"note": "set a password"})
    text = str(list(LogEntry.objects.values()))
    assert "quite another word" not in text
    assert member.password not in text
