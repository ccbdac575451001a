"""The log of changes is read, filtered and searched; nobody writes in it."""

from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from generator import audit
from generator.models import QuotaAccount, Team, User, Window
from tests.make import make_user

LIST, LINE = "admin:auditlog_logentry_changelist", "admin:auditlog_logentry_change"


def rows(staff: Client, **asked: Any) -> list[Any]:
    """The lines that the list shows."""
    return list(staff.get(reverse(LIST), asked).context["cl"].result_list)


def test_a_line_is_told_in_words_and_leads_to_what_was_changed(
    staff: Client, boss: User, team: Team, member: User
) -> None:
    account = QuotaAccount.objects.of(team, member)
    account.set_cap(Window.MONTH, 500)
    audit.note(account, "Gave 5 credits.", by=boss)
    page = staff.get(reverse(LIST)).content.decode()
    for seen in ("credits a month: 10,000 → 500", "cap: member in Northlight", "Gave 5 credits.",
                 reverse("admin:generator_quotaaccount_change", args=[account.pk])):  # fmt: skip
        assert seen in page
    made = LogEntry.objects.filter(content_type__model="team").earliest()
    assert "time zone: UTC" in staff.get(reverse(LINE, args=[made.pk])).content.decode()


def test_a_cap_s_line_says_which_window_and_what_it_was_and_is(
    staff: Client, team: Team, member: User
) -> None:
    account = QuotaAccount.objects.of(team, member)
    account.set_cap(Window.DAY, 1500)
    account.set_own_cap(Window.EVER, 200)
    account.set_cap(Window.DAY, None)
    page = staff.get(reverse(LIST)).content.decode()
    for seen in ("credits a day: none → 1,500", "set by the member in all: none → 200",
                 "credits a day: 1,500 → none"):  # fmt: skip
        assert seen in page


def test_it_is_filtered_by_kind_and_person_and_searched(
    staff: Client, boss: User, team: Team, member: User
) -> None:
    audit.note(team, "looked at", by=boss)
    assert {line.content_type.model for line in rows(staff, kind="generator.team")} == {"team"}
    assert [line.actor for line in rows(staff, actor=str(boss.pk))] == [boss]
    assert all(line.actor is None for line in rows(staff, actor="0"))
    assert rows(staff, q="mara")[0].actor == boss
    assert str(member.pk) in {line.object_pk for line in rows(staff, q="member")}


@pytest.mark.parametrize("by", ["search", "link"])
def test_what_was_done_to_somebody_is_found_by_name_and_from_their_page(
    staff: Client, team: Team, member: User, by: str
) -> None:
    account = QuotaAccount.objects.of(team, member)
    account.set_cap(Window.DAY, 1500)
    account.set_cap(Window.DAY, None)  # the cap is gone, its lines are not
    audit.note(account, "Gave 5 credits.")
    QuotaAccount.objects.of(team, make_user("jonas")).set_cap(Window.DAY, 7)
    asked = {"search": {"q": "member"}, "link": {"about": str(member.pk)}}[by]
    assert f"?about={member.pk}" in staff.get(
        reverse("admin:generator_user_change", args=[member.pk])
    ).content.decode()  # fmt: skip
    found = rows(staff, **asked)
    page = staff.get(reverse(LIST), asked).content.decode()
    for seen in ("none → 1,500", "1,500 → none", "Gave 5 credits."):
        assert seen in page
    assert "none → 7" not in page
    assert {line.content_type.model for line in found} >= {"user", "quotaaccount", "cap"}


@pytest.mark.parametrize("asked", [{"about": "x"}, {"about": "9" * 30},
                                   {"actor": "x' OR 1"}, {"kind": "no.such"}, {"q": "\0%'" * 50},
                                   {"actor": "9" * 30}, {"p": "99999999"}])  # fmt: skip
def test_what_nobody_would_ask_breaks_nothing(staff: Client, asked: dict[str, str]) -> None:
    assert staff.get(reverse(LIST), asked, follow=True).status_code == 200


def test_nobody_adds_changes_or_deletes_a_line(staff: Client, team: Team) -> None:
    line = LogEntry.objects.latest()
    assert staff.get(reverse("admin:auditlog_logentry_add")).status_code == 403
    assert staff.post(reverse(LINE, args=[line.pk]), {"object_repr": "x"}).status_code == 403
    delete = reverse("admin:auditlog_logentry_delete", args=[line.pk])
    assert staff.post(delete, {"post": "yes"}).status_code == 403
    count = LogEntry.objects.count()
    form = {"action": "delete_selected", "_selected_action": [line.pk], "post": "yes"}
    staff.post(reverse(LIST), form)
    assert LogEntry.objects.count() == count


def test_it_is_read_only_by_those_who_may(client: Client, db: None) -> None:
    clerk = make_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_user"))
    client.force_login(clerk)
    assert client.get(reverse(LIST)).status_code == 403


def test_words_of_people_in_it_stay_text(staff: Client, boss: User) -> None:
    boss.first_name = "<script>alert(1)</script>"
    boss.save()
    audit.note(boss, "<img src=x onerror=alert(1)>", by=boss)
    page = staff.get(reverse(LIST)).content.decode()
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
