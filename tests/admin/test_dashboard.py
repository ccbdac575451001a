"""The admin's first page: right sums, what needs a look, and nothing for eyes it is not for."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from generator.models import Ceiling, Generation, Status, Team, User, WorkerSeen
from tests.make import make_generation, make_team, make_user
from tests.using import make_use

BOXES = (
    "Credits by day", "Right now", "Money at the gateway", "Storage used", 'id="top-models"',
    'id="top-people"', 'id="top-teams"', "Why generations failed",
)  # fmt: skip


def dashboard(client: Client, period: str = "") -> str:
    """The page as it is sent."""
    answer = client.get("/admin/", {"period": period} if period else {})
    assert answer.status_code == 200
    return answer.content.decode()


def words(page: str) -> str:
    """What of it is read, in one line."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


@pytest.fixture
def helper(client: Client, db: None) -> Callable[..., Client]:
    """Signs in somebody on the staff who has only these rights."""

    def sign_in(*rights: str) -> Client:
        user = make_user("helper", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=rights))
        client.force_login(user)
        return client

    return sign_in


def test_the_first_page_says_who_made_what_with_which_model(staff: Client, boss: User) -> None:
    jonas = make_user("jonas", first_name="Jonas", last_name="Hale")
    team = make_team(jonas, slug="northlight")
    today = timezone.localdate()
    make_use(jonas, team, today, credits=1200, images=30, generations=10, failures=2)
    make_use(boss, team, today, credits=34, wire_model="flux-2-max", label="FLUX.2 max")
    page = words(dashboard(staff))
    assert "Credits 1,234" in page
    assert "Images 31" in page
    assert "Failed 18.2 % 2 of 11" in page
    assert "People active 2" in page
    assert "Jonas Hale 1,200 30" in page
    assert "FLUX.2 max 34" in page
    assert "Northlight 1,234 31" in page


def test_the_period_is_asked_for_in_the_address_and_compared_with_the_one_before(
    staff: Client, boss: User
) -> None:
    team = make_team(boss)
    today = timezone.localdate()
    make_use(boss, team, today, credits=300)
    make_use(boss, team, today - timedelta(days=8), credits=200)
    page = words(dashboard(staff, "7-days"))
    assert "Credits 300 ▲ 50 %, was 200" in page
    assert "Credits 500" in words(dashboard(staff, "30-days"))


def test_what_fails_is_found_from_the_first_page_and_its_list_opens(
    staff: Client, member: User
) -> None:
    WorkerSeen.objects.beat("w1")
    failed = [make_generation(member, status=Status.FAILED, reason_code="silent") for _n in "123"]
    page = dashboard(staff)
    assert "Failed without an answer" in page
    assert "No answer came" in page
    links = re.findall(r'href="(/admin/generator/generation/\?[^"]*)"', page)
    assert links
    for link in links:
        listed = staff.get(link.replace("&amp;", "&"))
        assert listed.status_code == 200, link
        assert all(str(one.pk) in listed.content.decode() for one in failed), link
    assert reverse("admin:generator_generation_change", args=[failed[-1].pk]) in page


def test_nothing_to_look_at_is_said_kindly(staff: Client, member: User) -> None:
    WorkerSeen.objects.beat("w1")
    make_generation(member)
    assert "Everything is fine." in dashboard(staff)


@pytest.mark.parametrize(
    ("rights", "is_said"),
    [
        ([], False),
        (["view_generation"], False),
        (["view_catalogueentry"], False),
        (["view_generation", "view_catalogueentry"], True),
    ],
)
def test_that_all_is_fine_is_said_to_who_may_see_all_that_could_not_be(
    helper: Callable[..., Client], member: User, rights: list[str], is_said: bool
) -> None:
    WorkerSeen.objects.beat("w1")
    make_generation(member)
    assert ("Everything is fine." in dashboard(helper(*rights))) == is_said


def test_what_was_made_where_tomorrow_has_begun_is_in_the_sums(staff: Client, boss: User) -> None:
    team = make_team(boss, slug="kiritimati")
    make_use(boss, team, timezone.localdate() + timedelta(days=1), credits=777)
    for path in ("/admin/", "/admin/usage/"):
        page = words(staff.get(path, {"period": "7-days"}).content.decode())
        assert "Credits 777" in page
        assert "Kiritimati 777" in page
        assert "Days are those of each team's own calendar." in page


def test_a_tomorrow_without_use_is_no_day_of_the_chart(staff: Client, boss: User) -> None:
    make_use(boss, make_team(boss), timezone.localdate())
    days = staff.get("/admin/", {"period": "7-days"}).context["use"].days
    assert (len(days), days[-1].key) == (7, timezone.localdate())


def test_a_new_studio_says_what_to_do_first_until_something_is_made(
    staff: Client, member: User
) -> None:
    assert "what to do first" in dashboard(staff)
    make_generation(member)
    assert "what to do first" not in dashboard(staff)


def test_no_worker_and_slowed_providers_are_said(staff: Client, settings: Any) -> None:
    Ceiling.objects.create(name="openai", at_once=3, changed_at=timezone.now())
    page = words(dashboard(staff))
    assert "No worker is running" in page
    assert f"Slowed down: openai 3 of {settings.PROVIDER_AT_ONCE} at once" in page


@pytest.mark.parametrize(
    ("rights", "shown"),
    [
        ([], ["Right now"]),
        (["view_usagetotal"], ["Credits by day", "Right now", 'id="top-models"']),
        (["view_generation"], ["Right now", "Why generations failed"]),
        (["view_user", "view_team"], ["Right now"]),
        (
            ["view_usagetotal", "view_user"],
            ["Credits by day", "Right now", 'id="top-models"', 'id="top-people"'],
        ),
        (["view_catalogueentry"], ["Right now", "Money at the gateway"]),
        (["view_imageasset"], ["Right now", "Storage used"]),
    ],
)
def test_staff_see_the_boxes_that_they_may_see(
    helper: Callable[..., Client], member: User, rights: list[str], shown: list[str]
) -> None:
    team = make_team(member, slug="northlight")
    make_use(member, team, timezone.localdate())
    make_generation(member, team, status=Status.FAILED, reason_code="silent")
    page = dashboard(helper(*rights))
    assert [box for box in BOXES if box in page] == shown
    assert ("Failed without an answer" in page) == ("view_generation" in rights)
    if "view_user" not in rights or "view_usagetotal" not in rights:
        assert member.shown_name not in page
    assert "Northlight" not in page


def test_no_prompt_stands_on_the_first_page(staff: Client, member: User) -> None:
    for status in (Status.QUEUED, Status.FAILED):
        make_generation(member, prompt="the unannounced merger", status=status)
    assert "merger" not in dashboard(staff)


def test_names_that_are_hostile_stay_text(staff: Client, db: None) -> None:
    bad = "<script>alert(1)</script>"
    user = make_user("bad", first_name=bad)
    team = make_team(user)
    Team.objects.filter(pk=team.pk).update(name=bad)
    make_use(user, team, timezone.localdate(), label=bad, wire_model=bad)
    make_generation(user, team, status=Status.FAILED, reason_code=bad, label=bad)
    Ceiling.objects.create(name=bad, at_once=1, changed_at=timezone.now())
    for path in ("/admin/", "/admin/usage/", f"/admin/usage/?model={bad}&team={team.pk}"):
        page = staff.get(path).content.decode()
        assert bad not in page
        assert "&lt;script&gt;alert(1)" in page


def test_the_first_page_asks_as_often_however_much_there_is(
    staff: Client, member: User, boss: User
) -> None:
    today = timezone.localdate()
    team = make_team(member, boss)

    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            dashboard(staff)
        return len(queries)

    first = make_generation(member, team, status=Status.FAILED, reason_code="silent")
    make_use(member, team, today)
    asked()  # the balance and the storage are looked up and kept
    few = asked()
    for n in range(30):
        first.pk, first._state.adding = None, True
        first.status = Status.FAILED if n % 2 else Status.SUCCEEDED
        first.save()
        make_use(make_user(), make_team(), today - timedelta(days=n % 5), credits=n)
    assert asked() == few
    assert few < 45


def test_pages_come_from_this_house_alone(staff: Client) -> None:
    for path in ("/admin/", "/admin/usage/"):
        page = staff.get(path).content.decode()
        assert not re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', page)


def test_the_sidebar_leads_to_what_one_may_see_and_every_link_opens(staff: Client) -> None:
    page = dashboard(staff)
    sidebar = page[page.index('id="nav-sidebar-apps"') :]
    links = {link for link in re.findall(r'href="(/admin/[^"]*)"', sidebar) if "logout" not in link}
    assert {"/admin/usage/", "/admin/generator/user/", "/admin/auditlog/logentry/"} <= links
    for link in links:
        if "django_rq" not in link:  # its own pages ask Valkey itself
            assert staff.get(link, follow=True).status_code == 200, link


def test_the_sidebar_of_somebody_with_few_rights_is_short(helper: Callable[..., Client]) -> None:
    page = dashboard(helper("view_team"))
    links = set(re.findall(r'href="(/admin/[^"?]*)"', page))
    assert "/admin/generator/team/" in links
    assert not links & {"/admin/usage/", "/admin/generator/user/", "/admin/auth/group/"}


def test_a_generation_is_read_by_no_count_of_its_table(staff: Client, member: User) -> None:
    make_generation(member)
    dashboard(staff)
    with CaptureQueriesContext(connection) as queries:
        dashboard(staff)
    table = Generation._meta.db_table
    whole = [
        query["sql"]
        for query in queries
        if f'FROM "{table}"' in query["sql"]
        and "WHERE" not in query["sql"]
        and "LIMIT" not in query["sql"]
    ]
    assert whole == []
