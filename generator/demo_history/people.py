"""Who a made-up history is about: teams in several time zones, and the people in them."""

from dataclasses import dataclass
from datetime import date
from random import Random
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password
from django.utils.text import slugify

from generator.demo_history.words import FIRST_NAMES, LAST_NAMES, TEAMS
from generator.models import Membership, QuotaAccount, Role, Team, User

DOMAIN = "northlight.example"
MOST_PEOPLE = len(FIRST_NAMES) * len(LAST_NAMES)


@dataclass(frozen=True, slots=True)
class Seat:
    """One who makes images in one team, and how much of all of it is theirs."""

    team: Team
    user: User
    account: int  # primary keys of the member's account and of the pool
    pool: int
    weight: float
    zone: ZoneInfo
    today: date


def seats(generations: int, rng: Random) -> list[Seat]:
    """The people of a history of this length, made where they are missing.

    They have no password, so nobody signs in as one of them. Northlight is their first team, with
    whoever is in it already.
    """
    count = min(max(round(40 * (generations / 10_000) ** 0.35), 8), MOST_PEOPLE)
    teams = [_team(place) for place in range(min(max(round(count / 6.7), 2), len(TEAMS)))]
    for number in range(count):
        _join(_person(number), teams, number)
    members = Membership.objects.filter(team__in=teams, user__is_active=True).order_by("pk")
    makers = [one for one in members.select_related("user", "team") if one.may_make]
    return [_seat(member, rng) for member in makers]


def _team(place: int) -> Team:
    name, time_zone = TEAMS[place]
    facts = {"name": name, "time_zone": time_zone}
    return Team.objects.get_or_create(slug=slugify(name), defaults=facts)[0]


def _person(number: int) -> User:
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    last = LAST_NAMES[(number // len(FIRST_NAMES) + 5 * number) % len(LAST_NAMES)]
    username = f"{first}.{last}.{number}".lower()
    there = User.objects.filter(username=username).first()
    return there or User.objects.create(
        username=username, email=f"{username}@{DOMAIN}", password=make_password(None),
        first_name=first, last_name=last,
    )  # fmt: skip


def _join(user: User, teams: list[Team], number: int) -> None:
    """Each in one team, every seventh in two; the first of a team owns it, the second steers."""
    rank = number // len(teams)
    role = {0: Role.OWNER, 1: Role.ADMIN, 5: Role.VIEWER}.get(rank, Role.MEMBER)
    places = [(number % len(teams), role)]
    if number % 7 == 3:
        places.append(((number + 1) % len(teams), Role.MEMBER))
    for place, as_what in places:
        Membership.objects.get_or_create(team=teams[place], user=user, defaults={"role": as_what})


def _seat(member: Membership, rng: Random) -> Seat:
    return Seat(
        team=member.team,
        user=member.user,
        account=QuotaAccount.objects.of(member.team, member.user).pk,
        pool=QuotaAccount.objects.pool(member.team).pk,
        weight=rng.paretovariate(1.6),
        zone=ZoneInfo(member.team.time_zone),
        today=member.team.today(),
    )
