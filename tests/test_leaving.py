"""Whoever is suspended is out at once; what they made goes over, and stays theirs."""

import asyncio
import uuid
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import DatabaseError
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from generator import jobs, leaving, lifecycle
from generator.errors import NotAllowed
from generator.live import CHANNELS, MEMBERS, watch
from generator.models import Generation, Membership, Role, ShareLink, Status, Team, User, Window
from tests.make import (
    PASSWORD,
    add_member,
    make_asked,
    make_asset,
    make_entry,
    make_generation,
    make_link,
    make_team,
    make_user,
    set_cap,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    """A superuser."""
    return make_user("boss", is_staff=True, is_superuser=True)


def sign_in(user: User) -> tuple[Client, Any]:
    """A browser in which somebody signs in by the page, and the answer."""
    cache.clear()
    client = Client()
    form = {"login": user.email, "password": PASSWORD}
    return client, client.post(reverse("account_login"), form, follow=True)


# ── suspend ──


def test_a_suspended_person_is_refused_by_every_page_they_had_open(
    team: Team, member: User, boss: User
) -> None:
    client, _answer = sign_in(member)
    generation = make_generation(member, team)
    asset = make_asset(generation)
    reading = [
        reverse("studio", args=[team.slug]),
        reverse("library", args=[team.slug]),
        reverse("card", args=[team.slug, generation.pk]),
        reverse("image", args=[team.slug, asset.pk]),
        reverse("picture", args=[team.slug, asset.pk, "original"]),
        reverse("download", args=[team.slug, asset.pk]),
        reverse("live", args=[team.slug]),
        reverse("account"),
    ]
    writing = [
        reverse("create", args=[team.slug]),
        reverse("cancel", args=[team.slug, generation.pk]),
        reverse("again", args=[team.slug, generation.pk]),
    ]
    assert client.get(reading[0]).status_code == 200
    leaving.suspend(member, by=boss)
    doors = [client.get(path) for path in reading] + [client.post(path) for path in writing]
    assert all(door.status_code == 302 for door in doors)
    assert all(door["Location"].startswith(reverse("account_login")) for door in doors)


def test_a_suspended_person_s_sessions_are_gone_and_do_not_come_back(
    member: User, boss: User
) -> None:
    sign_in(member)
    client, _answer = sign_in(member)
    assert Session.objects.count() == 2
    leaving.suspend(member, by=boss)
    assert not Session.objects.exists()
    leaving.open_again(member, by=boss)
    assert client.get(reverse("account")).status_code == 302


def test_a_suspended_person_is_told_so_where_they_sign_in(member: User, boss: User) -> None:
    leaving.suspend(member, by=boss)
    _client, answer = sign_in(member)
    assert "This account is suspended" in answer.content.decode()


def test_what_waits_is_withdrawn_and_its_credits_go_back(
    team: Team, member: User, boss: User
) -> None:
    account = set_cap(team, member, window=Window.MONTH, credits=1000)
    waiting = [make_generation(member, team) for _ in range(2)]
    running = make_generation(member, team, status=Status.RUNNING)
    another = make_generation(add_member(team, make_user("other")).user, team)
    assert leaving.suspend(member, by=boss).withdrawn == 2
    for generation in (*waiting, running, another):
        generation.refresh_from_db()
    assert {generation.status for generation in waiting} == {Status.CANCELLED}
    assert (running.status, another.status) == (Status.RUNNING, Status.QUEUED)
    assert account.left(Window.MONTH, team.today()) == 1000 - running.price


def test_links_of_the_suspended_are_closed_and_stay_so(
    team: Team, member: User, boss: User
) -> None:
    image = make_asset(make_generation(member, team))
    link, mates = make_link(member, [image]), make_link(add_member(team, boss).user, [image])
    assert leaving.suspend(member, by=boss).revoked == 1
    leaving.open_again(member, by=boss)
    assert list(ShareLink.objects.open(timezone.now())) == [mates]
    link.refresh_from_db()
    assert link.revoked_at


def test_links_stay_closed_when_what_was_made_goes_over(
    team: Team, member: User, boss: User
) -> None:
    link = make_link(member, [make_asset(make_generation(member))])
    User.objects.filter(pk=member.pk).update(is_active=False)
    member.refresh_from_db()
    leaving.hand_over(member, boss, by=boss)
    link.refresh_from_db()
    assert (link.author, bool(link.revoked_at)) == (member, True)


def test_what_comes_back_into_the_line_later_is_not_started_but_withdrawn(
    team: Team, member: User, boss: User
) -> None:
    late = make_generation(member, team, status=Status.SUBMITTING)
    leaving.suspend(member, by=boss)
    Generation.objects.filter(pk=late.pk).update(status=Status.QUEUED)
    jobs.sweep()
    late.refresh_from_db()
    assert late.status == Status.CANCELLED


def test_a_suspended_person_begins_nothing(team: Team, member: User, boss: User) -> None:
    leaving.suspend(member, by=boss)
    entry, asked = make_entry(), make_asked()
    with pytest.raises(NotAllowed):
        lifecycle.begin(member, team, entry, asked, batch=uuid.uuid4())


def test_nobody_suspends_themselves_nor_mere_staff_a_superuser(boss: User) -> None:
    clerk = make_user("clerk", is_staff=True)
    for user, by in ((boss, boss), (boss, clerk), (clerk, clerk)):
        with pytest.raises(NotAllowed):
            leaving.suspend(user, by=by)
    assert User.objects.filter(is_active=True).count() == 2
    boss.is_active = False
    boss.save()
    with pytest.raises(NotAllowed):
        leaving.open_again(boss, by=clerk)


def test_an_open_stream_ends_at_once(team: Team, member: User, boss: User) -> None:
    async def watching() -> Any:
        client = AsyncClient()
        await client.aforce_login(member)
        answer: Any = await client.get(reverse("live", args=[team.slug]))
        stream = aiter(answer.streaming_content)
        await anext(stream)
        told = asyncio.ensure_future(anext(stream, None))
        await asyncio.sleep(0.05)
        await sync_to_async(leaving.suspend)(member, by=boss)
        watch._hand_out(f"{CHANNELS}{team.pk}", MEMBERS)
        return await asyncio.wait_for(told, 5)

    assert async_to_sync(watching)() is None


def test_open_pages_of_all_their_teams_are_told_to_look(
    team: Team, member: User, boss: User, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    said: list[tuple[str, str]] = []
    monkeypatch.setattr("generator.live._publish", lambda *line: said.append(line))
    with django_capture_on_commit_callbacks(execute=True):
        leaving.suspend(member, by=boss)
    personal = Team.objects.get(personal_of=member)
    assert set(said) == {(f"{CHANNELS}{each.pk}", MEMBERS) for each in (team, personal)}


# ── hand over ──


@pytest.fixture
def leaver(boss: User) -> User:
    """Mara, suspended, with a team of her own."""
    mara = make_user("mara", first_name="Mara")
    leaving.suspend(mara, by=boss)
    return mara


def test_what_a_leaver_made_is_found_by_the_successor_and_stays_the_leaver_s(
    member: User, boss: User
) -> None:
    leaver = make_user("mara", first_name="Mara")
    personal = Team.objects.get(personal_of=leaver)
    asset = make_asset(make_generation(leaver, personal, status=Status.SUCCEEDED))
    leaving.suspend(leaver, by=boss)
    leaving.hand_over(leaver, member, by=boss)
    personal.refresh_from_db()
    assert (personal.name, personal.personal_of) == ("Mara's images", None)
    client = Client()
    client.force_login(member)
    assert client.get(reverse("image", args=[personal.slug, asset.pk])).status_code == 200
    asset.generation.refresh_from_db()
    assert asset.generation.author == leaver


def test_teams_that_would_have_no_owner_get_one_and_the_leaver_is_nowhere(
    leaver: User, member: User, boss: User
) -> None:
    alone = make_team(leaver, slug="alone", role=Role.OWNER)
    shared = make_team(leaver, boss, slug="shared", role=Role.OWNER)
    ghosts = make_team(leaver, make_user("ghost", is_active=False), slug="ghosts", role=Role.OWNER)
    plain = make_team(leaver, member, slug="plain")
    over = leaving.hand_over(leaver, member, by=boss)
    assert set(over.orphaned) == {alone, ghosts}
    assert set(over.left) == {shared, plain}
    owned = Membership.objects.filter(user=member, role=Role.OWNER, team__personal_of=None)
    assert {each.team.slug for each in owned} == {"alone", "ghosts", "mara"}
    assert not Membership.objects.filter(user=leaver).exists()
    assert Membership.objects.get(team=plain, user=member).role == Role.MEMBER


@pytest.mark.parametrize("wrong", ["active", "suspended successor", "oneself", "not allowed"])
def test_a_hand_over_that_may_not_be_changes_nothing(
    leaver: User, member: User, boss: User, wrong: str
) -> None:
    to, by = member, boss
    match wrong:
        case "active":
            leaving.open_again(leaver, by=boss)
        case "suspended successor":
            leaving.suspend(member, by=boss)
        case "oneself":
            to = leaver
        case "not allowed":
            User.objects.filter(pk=leaver.pk).update(is_superuser=True)
            leaver.refresh_from_db()
            by = make_user("clerk", is_staff=True)
    with pytest.raises(NotAllowed):
        leaving.hand_over(leaver, to, by=by)
    assert Team.objects.filter(personal_of=leaver).exists()
    assert Membership.objects.filter(user=leaver).count() == 1


def test_no_hand_over_without_its_line_in_the_log(
    leaver: User, member: User, boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_line: Any, **_more: Any) -> None:
        raise DatabaseError("no room for it")

    monkeypatch.setattr("generator.audit.note", gone)
    with pytest.raises(DatabaseError):
        leaving.hand_over(leaver, member, by=boss)
    assert Team.objects.filter(personal_of=leaver).exists()


def test_a_leaver_who_is_opened_again_gets_a_new_team_of_their_own(
    leaver: User, member: User, boss: User
) -> None:
    leaving.hand_over(leaver, member, by=boss)
    leaving.open_again(leaver, by=boss)
    client, _answer = sign_in(leaver)
    client.get("/", follow=True)
    fresh = Team.objects.get(personal_of=leaver)
    assert fresh.slug.startswith("mara-")
    assert list(Team.objects.of(leaver)) == [fresh]


def test_a_second_hand_over_finds_nothing_and_breaks_nothing(
    leaver: User, member: User, boss: User
) -> None:
    leaving.hand_over(leaver, member, by=boss)
    assert leaving.hand_over(leaver, boss, by=boss).to_own == ()
