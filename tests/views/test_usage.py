"""Usage: what is left, what was made and what it cost, and every line of it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator.models import LedgerEntry, QuotaAccount, Role, Team, User, Window
from generator.usage import Row
from generator.views.charts import chart
from generator.views.spending import Spending, spendings
from tests.make import add_member, make_asset, make_generation, make_user, set_cap
from tests.models.test_windows import at
from tests.spent import make_failed, make_made, written_at
from tests.views.conftest import SignIn, words

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def shown(client: Client, team: Team, route: str = "usage", **query: str) -> str:
    answer = client.get(reverse(route, args=[team.slug]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def lines(html: str) -> list[str]:
    """What each line of the ledger says."""
    table = html[html.index("ledger--lines") :]
    return [words(row) for row in re.findall(r"<tr><td.*?</tr>", table, re.S)]


@pytest.fixture
def lead(team: Team, sign_in: SignIn) -> Client:
    """One who steers the team."""
    user = make_user("lead")
    add_member(team, user, Role.ADMIN)
    return sign_in(user)


# ── what is left ──


def test_the_page_says_what_is_left_in_each_window_and_when_it_starts_anew(
    maker: Client, team: Team, member: User
) -> None:
    set_cap(team, member, window=Window.DAY, credits=200)
    set_cap(team, None, window=Window.MONTH, credits=50_000)
    make_made(member, team)
    make_generation(member, team)
    said = words(shown(maker, team))
    assert "Today 120 of 200 credits left" in said
    assert "80 spent, 40 of it held. Starts anew at midnight, in" in said
    assert "9,920 of 10,000 credits left" in said
    assert "Northlight together 49,920 of 50,000 credits left" in said
    assert "Days and months are those of UTC." in said


def test_what_was_granted_is_told_apart_from_the_cap(
    maker: Client, team: Team, member: User
) -> None:
    QuotaAccount.objects.of(team, member).grant(500, reason="poster week", by=None)
    said = words(shown(maker, team))
    assert "10,500 of 10,500 credits left" in said
    assert "Of the 10,500, 500 were granted." in said
    assert "of this month’s 10,000" not in said


def test_what_was_taken_back_beyond_the_cap_leaves_nothing_and_is_told(
    lead: Client, team: Team, member: User
) -> None:
    set_cap(team, None, window=Window.MONTH, credits=3_500)
    make_made(member, team)
    QuotaAccount.objects.pool(team).grant(-1_000_000, reason="too many", by=None)
    html = shown(lead, team, "team_usage")
    said = words(html[html.index('class="allowance"') : html.index('id="ledger"')])
    assert "0 credits left, 996,540 over" in said
    assert "40 spent. The cap is 3,500, and 1,000,000 were taken back." in said
    assert "-" not in words(html[html.index('class="allowance__left"') : html.index("</section>")])


def test_who_has_little_left_learns_whom_to_ask(maker: Client, team: Team, member: User) -> None:
    add_member(team, make_user("owner", first_name="Ingrid"), Role.OWNER)
    assert "ask" not in words(shown(maker, team))
    account = set_cap(team, member, window=Window.MONTH, credits=0)
    assert "For more, ask an administrator." in words(shown(maker, team))
    set_cap(team, member, window=Window.MONTH, credits=10)
    account.set_team_cap(Window.MONTH, 0)
    assert "For more, ask Ingrid." in words(shown(maker, team))


@pytest.mark.parametrize(
    ("moment", "zone", "said"),
    [
        (datetime(2026, 11, 21, 13, 5, tzinfo=UTC), "Europe/Berlin", "at midnight, in 9 h 55 min"),
        (datetime(2026, 11, 21, 22, 59, 30, tzinfo=UTC), "Europe/Berlin", "at midnight, in 1 min"),
        # The clocks go back that night: the day has 25 hours.
        (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), "Europe/Berlin", "at midnight, in 25 h 0 min"),
        # They go forward at midnight: there is none.
        (datetime(2026, 9, 6, 3, 0, tzinfo=UTC), "America/Santiago", "at 01:00, in 1 h 0 min"),
    ],
)
def test_a_day_starts_anew_at_the_teams_midnight(
    team: Team, member: User, moment: datetime, zone: str, said: str
) -> None:
    team.time_zone = zone
    team.save()
    account = set_cap(team, member, window=Window.DAY, credits=100)
    with at(moment):
        day = next(one for one in spendings(account) if one.window == Window.DAY)
        assert day.when_anew == said


@pytest.mark.parametrize(
    ("day", "spent", "said"),
    [
        (20, 20_000, "At this pace about 15,000 will be left."),
        (20, 40_000, "At this pace it will be used up around 23 November."),
        (2, 20_000, ""),
        (30, 20_000, ""),
        (20, 0, ""),
        (20, 46_000, ""),
    ],
)
def test_a_pace_is_told_where_it_means_something(day: int, spent: int, said: str) -> None:
    month = Spending(
        Window.MONTH, datetime(2026, 11, day).date(), 45_000, spent, held=0, granted=0, anew=None
    )
    assert month.pace == said


# ── the month ──


def test_what_was_made_stands_by_day_model_and_kind_and_failures_cost_nothing(
    maker: Client, team: Team, member: User
) -> None:
    make_made(member, team, came=2, count=2)
    make_made(member, team, came=1, wire_model="gpt-image-1")
    make_failed(member, team)
    html = shown(maker, team)
    said = words(html)
    assert "GPT Image 2 80 2 images" in said
    assert "Made from text" in said
    assert "1 of 3 did not work out. That cost nothing: all that was held for it was" in said
    assert re.search(
        r'<svg viewBox="0 0 100 100".* role="img" aria-label="Credits by day; most', html
    )


def test_bars_stand_for_credits_and_a_cap_far_above_them_is_not_drawn() -> None:
    days = [datetime(2026, 11, n).date() for n in range(1, 31)]
    rows = [Row(day, "", credits=10 * day.day, generations=1) for day in days]
    drawn = chart(rows, today=days[19], cap=400)
    assert drawn
    assert len(drawn.bars) == 20
    assert [drawn.bars[9].height, drawn.bars[19].height, drawn.cap_y] == ["25.00", "50.00", "0.00"]
    assert drawn.labels == ["1 Nov", "6", "11", "15", "today"]
    assert drawn.said == "Credits by day; most on 20 November, 200"
    above = chart(rows, today=days[19], cap=601)
    assert above
    assert (above.cap_y, above.bars[19].height) == ("", "100.00")


def test_another_month_shows_what_counts_in_it_and_what_was_written_in_it(
    maker: Client, team: Team, member: User
) -> None:
    earlier = timezone.now() - timedelta(days=40)
    made = make_made(member, team, begun_at=earlier, prompt="long ago")
    written_at(made.entries.all(), earlier, earlier.date())
    make_made(member, team, prompt="just now")
    month = f"{earlier:%Y-%m}"
    assert f'<option value="{month}">' in shown(maker, team)
    html = shown(maker, team, month=month)
    assert "long ago" in html
    assert "just now" not in html
    assert "credits left" not in html[html.index("<main") :]


def test_a_cap_of_today_is_not_drawn_into_a_month_that_is_over(
    maker: Client, team: Team, member: User
) -> None:
    set_cap(team, member, window=Window.DAY, credits=50)
    earlier = timezone.now() - timedelta(days=40)
    make_made(member, team, begun_at=earlier)
    assert 'class="cap"' not in shown(maker, team, month=f"{earlier:%Y-%m}")
    make_made(member, team)
    assert 'class="cap"' in shown(maker, team)


@pytest.mark.parametrize("month", ["2019-01", "9999-12", "0001-01", "x", "2026-13", "' or 1=1"])
def test_a_month_without_lines_is_the_running_one(maker: Client, team: Team, month: str) -> None:
    assert f"Nothing made in {timezone.now():%B %Y}" in shown(maker, team, month=month)


def test_nothing_made_yet_has_a_way_to_begin(maker: Client, viewer: Client, team: Team) -> None:
    assert "Make the first image" in shown(maker, team)
    assert "Make the first image" not in shown(viewer, team)


def test_a_viewer_reads_what_they_spent_and_of_nothing_that_is_left(
    maker: Client, lead: Client, team: Team, member: User
) -> None:
    set_cap(team, member, window=Window.DAY, credits=200)
    set_cap(team, None, window=Window.MONTH, credits=50_000)
    make_made(member, team)
    assert "credits left today" in words(shown(maker, team, "library"))
    team.memberships.filter(user=member).update(role=Role.VIEWER)
    for said in (
        words(shown(maker, team)),
        words(shown(maker, team, month="2019-01")),
        words(shown(maker, team, "library")),
        words(maker.get(reverse("account")).content.decode()),
        words(shown(lead, team, "team_usage", person=str(member.pk)).split("<main")[1]),
    ):
        for word in (" left ", "Left", "At this pace", "together 49", "dashed"):
            assert word not in said
    assert "40 credits spent You make nothing here any more" in words(shown(maker, team))
    assert "Northlight together 49,960" in words(shown(lead, team))


# ── the ledger ──


def test_every_line_says_what_happened_and_what_was_left(
    maker: Client, team: Team, member: User
) -> None:
    account = QuotaAccount.objects.of(team, member)
    make_made(member, team, came=1, count=2, prompt="a kettle")
    make_failed(member, team, prompt="a duke")
    account.grant(500, reason="poster week", by=make_user("ingrid"))
    account.grant(-100, reason="too many", by=None)
    said = [re.sub(r"^\d\d:\d\d ", "", line) for line in lines(shown(maker, team))]
    assert said == [
        "taken back too many −100 10,360",
        "granted poster week , by ingrid +500 10,460",
        "given back did not work out a duke GPT Image 2 +40 9,960",
        "held a duke GPT Image 2 −40 9,920",
        "settled at 40 a kettle GPT Image 2 +40 9,960",
        "held a kettle GPT Image 2 −80 9,920",
    ]


def test_lines_stand_at_the_hour_and_on_the_day_of_the_teams_clock(
    maker: Client, team: Team, member: User
) -> None:
    team.time_zone = "Pacific/Auckland"  # 13 hours ahead in November
    team.save()
    account = QuotaAccount.objects.of(team, member)
    written = datetime(2025, 11, 20, 11, 30, tzinfo=UTC)
    with at(written):
        account.grant(5, reason="late", by=None)
    written_at(account.entries.all(), written, written.date() + timedelta(days=1))
    html = shown(maker, team, month="2025-11")
    assert "00:30 granted late +5" in words(html)
    assert "21 November 2025" in words(html)
    assert 'datetime="2025-11-21T00:30:00+13:00"' in html


def test_a_line_leads_to_its_image_or_else_to_its_card(
    maker: Client, team: Team, member: User
) -> None:
    made, failed = make_made(member, team), make_failed(member, team)
    html = shown(maker, team)
    assert reverse("image", args=[team.slug, made.images.get().pk]) in html
    found = re.search(r'href="([^"]+#generation-[^"]+)"', html)
    assert found
    card = maker.get(found[1].replace("&amp;", "&")).content.decode()
    assert re.findall(r'id="generation-([0-9a-f-]{36})"', card)[0] == str(failed.pk)


def test_pages_of_lines_follow_without_gap_or_repeat_however_much_is_added(
    maker: Client, team: Team, member: User
) -> None:
    account = QuotaAccount.objects.of(team, member)
    for number in range(120):
        account.grant(1, reason=f"line {number};", by=None)
    same = LedgerEntry.objects.order_by("pk")[20:80]
    written_at(same, same[0].created_at, team.today())
    seen: list[str] = []
    html = shown(maker, team)
    while True:
        seen += re.findall(r"line \d+;", html)
        account.grant(1, reason="new", by=None)
        found = re.search(r'href="([^"]+)">Earlier lines', html)
        if not found:
            break
        html = maker.get(found[1].replace("&amp;", "&")).content.decode()
    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize(
    "before", ["x", "1-2-3", f"0-{2**63}", "9" * 30 + "-1", "1-", "0--5", "²-²"]
)
def test_a_place_that_is_none_is_the_first_page(
    maker: Client, team: Team, member: User, before: str
) -> None:
    make_made(member, team)
    assert len(lines(shown(maker, team, before=before))) == 2


# ── whose ──


def test_a_member_sees_their_own_use_only(
    maker: Client, mate: Client, team: Team, member: User
) -> None:
    make_made(member, team, prompt="mine alone")
    assert "mine alone" in shown(maker, team)
    assert "mine alone" not in shown(mate, team)
    for query in ({"person": str(member.pk)}, {"user": str(member.pk)}):
        assert "mine alone" not in shown(mate, team, **query)


def test_who_steers_sees_who_spent_what_on_which_model(
    lead: Client, team: Team, member: User
) -> None:
    make_made(member, team, came=2, count=2, prompt="a kettle")
    make_made(User.objects.get(username="lead"), team, prompt="a duke")
    html = shown(lead, team, "team_usage")
    people = words(html[html.index('id="people"') : html.index('id="ledger"')])
    assert "Person Credits GPT Image 2 Images Failed" in people
    assert "member 80 80 2 0 lead 40 40 1 0" in people
    # A narrow screen shows no heads, so that each number says what it is of.
    assert re.findall(r'data-label="([^"]+)"', html)[:3] == ["GPT Image 2", "Images", "Failed"]
    assert [re.sub(r"^\d\d:\d\d ", "", line) for line in lines(html)][-1] == (
        "held a kettle GPT Image 2 member −80"
    )
    found = re.search(r'href="([^"]+)">member<', html)
    assert found
    theirs = lead.get(found[1].replace("&amp;", "&")).content.decode()
    assert "Usage of member" in theirs
    assert "a kettle" in theirs
    assert "a duke" not in theirs
    assert "own-caps" not in theirs


def test_only_who_steers_a_team_sees_the_whole_of_it(
    maker: Client, viewer: Client, stranger: Client, lead: Client, team: Team, member: User
) -> None:
    routes = ["team_usage", "team_usage_sheet"]
    for route in routes:
        address = reverse(route, args=[team.slug])
        assert lead.get(address).status_code == 200
        for client in (maker, viewer, stranger):
            assert client.get(address).status_code == 404
            assert client.get(address, {"person": member.pk}).status_code == 404
    for route in ("usage", "usage_sheet"):
        assert stranger.get(reverse(route, args=[team.slug])).status_code == 404
        assert viewer.get(reverse(route, args=[team.slug])).status_code == 200


@pytest.mark.parametrize("person", ["0", "-1", "x", "9" * 15, "9" * 40, "²", "1 or 1"])
def test_nobody_of_that_key_is_in_the_team(lead: Client, team: Team, person: str) -> None:
    for route in ("team_usage", "team_usage_sheet"):
        assert lead.get(reverse(route, args=[team.slug]), {"person": person}).status_code == 404


def test_somebody_of_another_team_has_no_page_in_this_one(lead: Client, team: Team) -> None:
    other = make_user()
    make_made(other, other.personal_team)
    address = reverse("team_usage", args=[team.slug])
    assert lead.get(address, {"person": other.pk}).status_code == 404


def test_there_is_no_page_of_a_team_of_one(maker: Client, team: Team, member: User) -> None:
    own = member.personal_team
    assert maker.get(reverse("team_usage", args=[own.slug])).status_code == 404
    assert reverse("team_usage", args=[own.slug]) not in shown(maker, own)


# ── all of it ──


@pytest.mark.parametrize("route", ["usage", "team_usage"])
def test_much_use_asks_the_same_questions_as_little(
    lead: Client, team: Team, member: User, route: str, django_assert_num_queries: Any
) -> None:
    user = User.objects.get(username="lead")
    asset = make_asset(make_made(user, team), position=1)
    assert asset
    address = reverse(route, args=[team.slug])
    lead.get(address)
    with django_assert_num_queries(40, exact=False) as little:
        lead.get(address)
    for _ in range(4):
        make_made(member, team, wire_model="gpt-image-1")
        make_made(user, team)
        make_failed(user, team)
    with django_assert_num_queries(len(little)):
        lead.get(address)


def test_names_and_prompts_are_text_and_never_part_of_the_page(
    lead: Client, team: Team, member: User
) -> None:
    User.objects.filter(pk=member.pk).update(first_name=SCRIPT[:150])
    make_made(member, team, prompt=SCRIPT)
    QuotaAccount.objects.pool(team).grant(5, reason=SCRIPT, by=member)
    for html in (
        shown(lead, team, "team_usage"),
        shown(lead, team, "team_usage", person=str(member.pk)),
    ):
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "&lt;script&gt;alert(1)" in html
