"""The trash: what lies there, for whom, and how long still."""

import re
import uuid
from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator.models import Generation, ImageAsset, Role, Status, Team, User
from generator.views.trash import TrashPlace
from tests.make import add_member, make_asset, make_generation, make_user
from tests.views.conftest import SignIn, words


def thrown(user: User, team: Team, days: int = 0, count: int = 1) -> list[ImageAsset]:
    """Images of this author that were thrown away some days ago."""
    generation = make_generation(user, team, status=Status.SUCCEEDED, cost=40)
    images = [make_asset(generation, position) for position in range(count)]
    moment = timezone.now() - timedelta(days=days, hours=1)
    ImageAsset.objects.filter(pk__in=[image.pk for image in images]).update(
        trashed_at=moment, trashed_by=user
    )
    return images


def shown(page: str) -> list[str]:
    return re.findall(r'data-image="([0-9a-f-]{36})"', page)


def test_what_was_thrown_away_last_comes_first_with_the_days_it_has_left(
    maker: Client, team: Team, member: User
) -> None:
    (old,), (new,) = thrown(member, team, days=28), thrown(member, team)
    page = maker.get(reverse("trash", args=[team.slug])).content.decode()
    assert shown(page) == [str(new.pk), str(old.pk)]
    assert re.findall(r"<p>(\d+ days?) left</p>", page) == ["30 days", "2 days"]


def test_pages_of_the_trash_follow_without_gap_or_repeat(
    maker: Client, team: Team, member: User, monkeypatch: Any
) -> None:
    monkeypatch.setattr("generator.views.trash.IMAGES", 3)
    wanted = {str(image.pk) for days in range(4) for image in thrown(member, team, days, count=2)}
    seen: list[str] = []
    address: str | None = reverse("trash", args=[team.slug])
    while address:
        page = maker.get(address).content.decode()
        seen += shown(page)
        found = re.search(r'href="([^"]+before=[^"]+)"', page)
        address = found and found[1]
    assert len(seen) == 8
    assert set(seen) == wanted


def test_a_page_of_trash_or_feed_begins_in_an_index(team: Team, member: User) -> None:
    now = timezone.now()
    trash = ImageAsset.objects.trashed().filter(TrashPlace(now, 5).behind, team=team)
    trash = trash.order_by("-trashed_at", "-place")
    feed = Generation.objects.filter(team=team).after(now, uuid.uuid4()).newest_first()
    plans = [rows[:5].explain() for rows in (trash, trash.filter(author=member), feed)]
    for plan, index in zip(
        plans, ("images_in_the_trash", "trash_by_author", "generations_of_a_team"), strict=True
    ):
        assert re.fullmatch(rf"[\d ]*SEARCH \w+ USING INDEX {index} \([^)]*_at<\?\)", plan), plan


def test_a_member_finds_their_own_there_and_an_admin_everybodys(
    mate: Client, maker: Client, team: Team, member: User, sign_in: SignIn
) -> None:
    admin = make_user("admin")
    add_member(team, admin, Role.ADMIN)
    (image,) = thrown(member, team)
    page = reverse("trash", args=[team.slug])
    picture = reverse("trashed_picture", args=[team.slug, image.pk])
    assert "The trash is empty" in words(mate.get(page).content.decode())
    assert mate.get(picture).status_code == 404
    for client in (maker, sign_in(admin)):
        assert shown(client.get(page).content.decode()) == [str(image.pk)]
        assert client.get(picture).status_code == 302


def test_a_viewer_has_no_trash(viewer: Client, team: Team, member: User) -> None:
    (image,) = thrown(member, team)
    assert viewer.get(reverse("trash", args=[team.slug])).status_code == 404
    assert viewer.get(reverse("trashed_picture", args=[team.slug, image.pk])).status_code == 404
    assert "Trash" not in words(viewer.get(reverse("library", args=[team.slug])).content.decode())


def test_what_is_kept_has_no_picture_in_the_trash(maker: Client, team: Team, member: User) -> None:
    kept = make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=40))
    assert maker.get(reverse("trashed_picture", args=[team.slug, kept.pk])).status_code == 404


def test_a_place_that_is_none_begins_at_the_top(maker: Client, team: Team, member: User) -> None:
    (image,) = thrown(member, team)
    for place in ("x", "-", "1-", "9" * 18 + "-1", "-1-1"):
        page = maker.get(reverse("trash", args=[team.slug]), {"before": place}).content.decode()
        assert shown(page) == [str(image.pk)]


def test_a_full_trash_asks_the_same_questions(
    maker: Client, team: Team, member: User, django_assert_max_num_queries: Any
) -> None:
    thrown(member, team, count=10)
    maker.get(reverse("trash", args=[team.slug]))
    with django_assert_max_num_queries(11):
        maker.get(reverse("trash", args=[team.slug]))
