"""A lower cap of one's own: set by oneself, for oneself, and never a higher one."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from generator.models import Cap, QuotaAccount, Team, User, Window
from tests.make import make_generation, set_cap
from tests.views.conftest import words


def send(client: Client, team: Team, **sent: str) -> tuple[int, str]:
    """Set a cap; the status, and what the page that follows says."""
    answer = client.post(reverse("own_cap", args=[team.slug]), sent)
    shown = client.get(answer["Location"]) if answer.status_code == 302 else answer
    return answer.status_code, shown.content.decode()


def own(team: Team, user: User) -> dict[str, int | None]:
    account = QuotaAccount.objects.of(team, user)
    return {cap.window: cap.own_credits for cap in account.caps.all()}


def test_a_cap_of_ones_own_holds_from_then_on_and_can_be_taken_back(
    maker: Client, team: Team, member: User
) -> None:
    status, said = send(maker, team, window="day", credits=" 500 ")
    assert status == 302
    assert "You can now spend 500 credits a day at most." in said
    assert own(team, member)["day"] == 500
    assert "You set this cap yourself." in said
    status, said = send(maker, team, window="day", credits="")
    assert "Your own daily cap is gone." in said
    assert "day" not in own(team, member)


def test_nothing_may_be_spent_under_a_cap_of_nought(
    maker: Client, team: Team, member: User
) -> None:
    assert send(maker, team, window="day", credits="0")[0] == 302
    assert QuotaAccount.objects.of(team, member).left(Window.DAY, team.today()) == 0


@pytest.mark.parametrize("typed", ["1,500", "1500", "1\u00a0500", "1\u202f500", "1\u2009500"])
def test_a_cap_may_be_typed_as_pages_print_it(
    maker: Client, team: Team, member: User, typed: str
) -> None:
    status, said = send(maker, team, window="day", credits=typed)
    assert status == 302
    assert "You can now spend 1,500 credits a day at most." in said
    assert own(team, member)["day"] == 1500


def test_one_credit_is_one(maker: Client, team: Team, member: User) -> None:
    said = words(send(maker, team, window="day", credits="1")[1])
    assert "You can now spend 1 credit a day at most." in said
    assert "1 credit left today" in said
    assert "1 of 1 credit left" in said
    assert "1 credits" not in said


def test_a_cap_below_what_was_spent_says_how_much_is_over(
    maker: Client, team: Team, member: User
) -> None:
    make_generation(member, team)
    html = send(maker, team, window="day", credits="5")[1]
    said = words(html)
    assert "Today 0 of 5 credits left, 35 over" in said
    assert "0 credits left today, 35 over" in said  # beside every page
    assert "35" not in re.findall(r"[-−]([0-9]+)", said)
    studio = words(maker.get(reverse("studio", args=[team.slug])).content.decode())
    assert "0 credits left today, 35 over" in studio
    assert "-35" not in studio


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("-5", "cannot be below 0"),
        ("−5", "cannot be below 0"),
        ("1.5", "digits only"),
        ("1,5", "digits only"),
        ("1,50,000", "digits only"),
        ("1,500,", "digits only"),
        ("1,500\u00a0000", "digits only"),
        ("1 500", "digits only"),
        ("1,000,000,000,001", "At most 1,000,000,000,000"),
        ("1e9", "digits only"),
        ("many", "digits only"),
        ("٥٠", "digits only"),
        ("0x10", "digits only"),
        ("9" * 39, "digits only"),
        ("1000000000001", "At most 1,000,000,000,000"),
        ("10001", "at most 10,000"),
        ("<b>1</b>", "digits only"),
    ],
)
def test_what_is_no_lower_cap_is_refused_by_the_field_and_stays_there(
    maker: Client, team: Team, member: User, typed: str, said: str
) -> None:
    set_cap(team, member, window=Window.MONTH, credits=10_000)
    status, shown = send(maker, team, window="month", credits=typed)
    assert status == 200
    assert said in words(shown)
    assert f'value="{typed.replace("<", "&lt;").replace(">", "&gt;")}"' in shown
    assert shown.count('aria-invalid="true"') == 1
    assert own(team, member) == {"month": None}


def test_the_cap_is_ones_own_whatever_else_is_sent(
    maker: Client, team: Team, member: User, mate: Client
) -> None:
    mates = User.objects.get(username="mate")
    other = QuotaAccount.objects.of(team, mates)
    sent = {"account": other.pk, "user": mates.pk, "person": mates.pk, "pk": other.pk}
    status, _said = send(
        maker,
        team,
        window="day",
        credits="7",
        own_credits="9",
        **{k: str(v) for k, v in sent.items()},
    )
    assert status == 302
    assert own(team, member)["day"] == 7
    assert "day" not in own(team, mates)
    assert not Cap.objects.filter(account__user=None, window="day").exists()
    assert set(Cap.objects.values_list("credits", flat=True)) == {None, 10_000}


def test_beside_the_field_stands_what_holds_besides_the_teams_cap_too(
    maker: Client, team: Team, member: User
) -> None:
    def said() -> str:
        return words(maker.get(reverse("usage", args=[team.slug])).content.decode())

    assert "Nothing else caps you a day." in said()
    set_cap(team, None, window=Window.DAY, credits=50)
    assert "Nothing else caps you a day." not in said()
    assert "Nothing but the team’s cap holds you back a day." in said()
    set_cap(team, member, window=Window.DAY, credits=70)
    assert "You may spend up to 70 a day. The team’s cap holds as well." in said()


@pytest.mark.parametrize("window", ["", "week", "DAY"])
def test_there_is_no_other_window(maker: Client, team: Team, member: User, window: str) -> None:
    assert send(maker, team, window=window, credits="5")[0] == 404


def test_only_who_makes_caps_themselves(
    viewer: Client, stranger: Client, maker: Client, team: Team
) -> None:
    before = Cap.objects.count()
    for client in (viewer, stranger):
        assert send(client, team, window="day", credits="5")[0] == 404
    again = maker.get(reverse("own_cap", args=[team.slug]))
    assert again["Location"] == reverse("usage", args=[team.slug])
    shown = viewer.get(reverse("usage", args=[team.slug])).content.decode()
    assert "own-caps" not in shown
    assert not Cap.objects.filter(own_credits__isnull=False).exists()
    assert Cap.objects.count() >= before


def test_a_refusal_by_ones_own_cap_is_seen_on_the_page(
    maker: Client, team: Team, member: User
) -> None:
    make_generation(member, team)
    send(maker, team, window="day", credits="40")
    said = words(maker.get(reverse("usage", args=[team.slug])).content.decode())
    assert "0 of 40 credits left" in said
    assert "40 spent, 40 of it held." in said
