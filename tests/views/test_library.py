"""The library: every image of the team, newest first, without end."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator.models import ImageAsset, Status, Team, User
from generator.views.library import days
from tests.make import make_asset, make_generation
from tests.views.conftest import words


def tiles(shown: str) -> list[str]:
    return re.findall(r'class="tile".*?/images/([0-9a-f-]{36})/"', shown)


def test_pages_follow_without_gap_or_repeat_however_much_is_added(
    maker: Client, team: Team, member: User
) -> None:
    generation = make_generation(member, team, status=Status.SUCCEEDED, cost=40)
    first = make_asset(generation)
    ImageAsset.objects.bulk_create(
        _copy(first, position=position, place=first.place - position) for position in range(1, 150)
    )
    seen: list[str] = []
    address: str | None = reverse("library", args=[team.slug])
    while address:
        shown = maker.get(address).content.decode()
        seen += tiles(shown)
        make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=40))
        found = re.search(r'<a href="([^"]+before=[^"]+)">Earlier', shown)
        address = found and found[1]
    assert len(seen) == len(set(seen)) == 150


def _copy(asset: ImageAsset, **facts: Any) -> ImageAsset:
    fields = {
        field.attname: getattr(asset, field.attname)
        for field in ImageAsset._meta.concrete_fields
        if field.name != "id"
    }
    return ImageAsset(**{**fields, **facts})


def test_a_long_library_asks_the_same_questions(
    maker: Client, team: Team, member: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=40))
    maker.get(reverse("library", args=[team.slug]))
    with django_assert_max_num_queries(15):
        maker.get(reverse("library", args=[team.slug]))


def test_the_place_of_a_picture_is_known_before_it_has_loaded(
    maker: Client, team: Team, member: User
) -> None:
    make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=40))
    shown = maker.get(reverse("library", args=[team.slug])).content.decode()
    assert 'data-ratio="133"' in shown
    assert 'width="64" height="48"' in shown
    assert 'loading="lazy"' in shown


def test_days_end_by_the_teams_own_calendar(team: Team, member: User) -> None:
    team.time_zone = "Pacific/Auckland"  # 13 hours ahead in November
    generation = make_generation(member, team, status=Status.SUCCEEDED, cost=40)
    late = make_asset(generation, 0, created_at=datetime(2020, 11, 20, 11, 30, tzinfo=UTC))
    early = make_asset(generation, 1, created_at=datetime(2020, 11, 20, 10, 30, tzinfo=UTC))
    assert [(day.title, day.images) for day in days([late, early], team)] == [
        ("21 November 2020", [late]),
        ("20 November 2020", [early]),
    ]


def test_the_last_two_days_have_names(team: Team, member: User) -> None:
    generation = make_generation(member, team, status=Status.SUCCEEDED, cost=40)
    now = timezone.now()
    images = [
        make_asset(generation, position, created_at=now - timedelta(days=position))
        for position in range(2)
    ]
    assert [day.title for day in days(images, team)] == ["Today", "Yesterday"]


def test_an_empty_library_says_what_will_be_there(maker: Client, team: Team) -> None:
    said = words(maker.get(reverse("library", args=[team.slug])).content.decode())
    assert "No images yet" in said


def test_the_library_holds_the_teams_images_only(
    maker: Client, viewer: Client, team: Team, member: User
) -> None:
    ours = make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=40))
    make_asset(make_generation(status=Status.SUCCEEDED, cost=40))
    for client in (maker, viewer):
        shown = client.get(reverse("library", args=[team.slug])).content.decode()
        assert tiles(shown) == [str(ours.pk)]
