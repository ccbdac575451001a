"""The page on which staff see who spent what on which model."""

import csv
import io
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generator.models import Team, User
from tests.make import make_team, make_user
from tests.using import make_use


def shown(client: Client, **asked: Any) -> str:
    """What the page reads, in one line."""
    answer = client.get("/admin/usage/", asked)
    assert answer.status_code == 200
    page = answer.content.decode()
    return " ".join(re.sub(r"<[^>]*>", " ", page[page.index('class="board"') :]).split())


def sheet(client: Client, **asked: Any) -> list[dict[str, str]]:
    """The spreadsheet, as a reader of CSV has it."""
    answer = client.get("/admin/usage/sums.csv", asked)
    assert answer.status_code == 200
    assert "attachment" in answer["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


@pytest.fixture
def today() -> date:
    """The day that the page counts as today."""
    return timezone.localdate()


@pytest.fixture
def jonas(db: None) -> User:
    """Somebody who made things."""
    return make_user("jonas", first_name="Jonas", last_name="Hale")


@pytest.fixture
def used(jonas: User, boss: User, today: date) -> Team:
    """Two people, two models, two teams."""
    team, other = make_team(jonas, boss, slug="northlight"), make_team(jonas, slug="southwind")
    make_use(jonas, team, today, credits=700, images=7, generations=8, failures=1)
    make_use(jonas, team, today, credits=50, wire_model="flux", label="FLUX", action="edit")
    make_use(jonas, other, today, credits=9)
    make_use(boss, team, today, credits=200, wire_model="flux", label="FLUX")
    make_use(boss, team, today - timedelta(days=400), credits=99_999)
    return team


def test_it_says_who_spent_what_on_which_model(staff: Client, used: Team) -> None:
    page = shown(staff)
    assert "Credits 959" in page
    assert "Jonas Hale 759 709 50" in page  # together, and on each model
    assert "mara 200 0 200" in page
    assert "Northlight 950" in page
    assert "create 909" in page
    assert "edit 50" in page


def test_it_is_narrowed_by_team_person_and_model(staff: Client, used: Team, jonas: User) -> None:
    assert "Credits 950" in shown(staff, team=used.pk)
    assert "Credits 759" in shown(staff, person=jonas.pk)
    assert "Credits 250" in shown(staff, model="flux")
    assert "Credits 50" in shown(staff, team=used.pk, person=jonas.pk, model="flux")
    assert "Nothing was made" in shown(staff, period="last-month", person=jonas.pk)


def test_the_days_are_there_to_be_read_as_well(staff: Client, used: Team, today: date) -> None:
    page = shown(staff)
    assert "The days as a table" in page
    assert f"{today:%-d %B %Y} 959 10 11 1" in page


@pytest.mark.parametrize("nonsense", ["0", "-1", "x", "9" * 40, "٣", "1 or 1=1", "\0"])
def test_nonsense_in_the_address_counts_for_nothing(
    staff: Client, used: Team, nonsense: str
) -> None:
    assert "Credits 959" in shown(staff, team=nonsense, person=nonsense, period=nonsense)
    assert "Credits 0" in shown(staff, model=nonsense.replace("\0", "nothing"))


def test_the_spreadsheet_adds_up_to_the_page(staff: Client, used: Team, jonas: User) -> None:
    rows = sheet(staff)
    assert sum(int(row["Credits"]) for row in rows) == 959
    assert rows[0] == {
        "Team": "Northlight", "Person": "Jonas Hale", "Account": "jonas", "Model": "GPT Image 2",
        "Model id": "gpt-image-2", "Kind": "create", "Credits": "700", "Images": "7",
        "Generations": "8", "Failures": "1",
    }  # fmt: skip
    assert {row["Team"] for row in sheet(staff, team=used.pk)} == {"Northlight"}


def test_no_name_becomes_a_formula(staff: Client, today: date) -> None:
    bad = '=HYPERLINK("http://evil.example","x")'
    user = make_user("bad", first_name=bad)
    team = Team.objects.create(name="@SUM(1)", slug="sums")
    make_use(user, team, today, label="+1", wire_model="-2")
    (row,) = sheet(staff)
    for head in ("Team", "Person", "Model", "Model id"):
        assert row[head].startswith("'"), head


@pytest.mark.parametrize("path", ["/admin/usage/", "/admin/usage/sums.csv"])
def test_it_is_for_staff_with_the_right_to_see_use(client: Client, path: str, used: Team) -> None:
    user = make_user("helper", is_staff=True)
    client.force_login(user)
    assert client.get(path).status_code == 403
    client.force_login(make_user("nobody"))
    assert client.get(path).status_code == 302


def test_who_may_not_see_people_and_teams_sees_none_here(
    client: Client, used: Team, jonas: User
) -> None:
    helper = make_user("helper", is_staff=True)
    helper.user_permissions.set(Permission.objects.filter(codename="view_usagetotal"))
    client.force_login(helper)
    page = shown(client, person=jonas.pk, team=used.pk)
    assert "Credits 959" in page  # what they may not see, they cannot ask for
    assert "Jonas" not in page
    assert "Northlight" not in page
    assert client.get("/admin/usage/sums.csv").status_code == 403


def test_it_asks_as_often_however_many_people_there_are(
    staff: Client, used: Team, today: date
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            shown(staff)
        return len(queries)

    asked()
    few = asked()
    for n in range(60):
        make_use(make_user(), used, today, wire_model=f"model-{n}", label=f"Model {n}")
    assert asked() == few
    assert "And 12 more people" in shown(staff)
