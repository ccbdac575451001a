"""The library: every image of the team, newest first, without end."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator.library import sorting, walking
from generator.models import ImageAsset, Shape, Status, Team, User
from generator.views import filters
from generator.views.library import days
from tests.make import (
    add_member,
    make_asset,
    make_collection,
    make_generation,
    make_picture,
    make_user,
)
from tests.views.conftest import words


def tiles(shown: str) -> list[str]:
    return re.findall(r'class="tile".*?/images/([0-9a-f-]{36})/["?]', shown)


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


def found(client: Client, team: Team, **asked: Any) -> list[str]:
    """The images that the library shows for an address."""
    return tiles(client.get(reverse("library", args=[team.slug]), asked).content.decode())


def made(author: User, team: Team, prompt: str = "a teapot", **facts: Any) -> ImageAsset:
    generation = make_generation(
        author, team, prompt=prompt, status=Status.SUCCEEDED, cost=40,
        wire_model=facts.pop("wire_model", "gpt-image-2"),
    )  # fmt: skip
    return make_asset(generation, **facts)


def test_every_filter_of_the_address_narrows_the_wall(
    maker: Client, team: Team, member: User
) -> None:
    other = make_user("other")
    add_member(team, other)
    mine = made(member, team, "a red teapot")
    tall = made(other, team, "a red kettle", data=make_picture(40, 80))
    assert found(maker, team, q="red") == [str(tall.pk), str(mine.pk)]
    assert found(maker, team, q="teap red") == [str(mine.pk)]
    assert found(maker, team, author=other.pk) == [str(tall.pk)]
    assert found(maker, team, author=[member.pk, other.pk]) == [str(tall.pk), str(mine.pk)]
    assert found(maker, team, shape=Shape.TALL) == [str(tall.pk)]
    assert found(maker, team, kind="edit") == []
    assert found(maker, team, model="gpt-image-2", until="2020-01-01") == []
    tag = sorting.tag(team, [mine], "kitchen")
    assert found(maker, team, tag=tag.pk) == [str(mine.pk)]
    sorting.favourite(member, [tall], on=True)
    assert found(maker, team, favourites="1") == [str(tall.pk)]


def test_what_is_on_stands_on_its_button_with_a_way_to_take_it_off(
    maker: Client, team: Team, member: User
) -> None:
    made(member, team)
    shown = maker.get(
        reverse("library", args=[team.slug]),
        {"q": "teapot", "author": member.pk, "since": "2020-05-03"},
    ).content.decode()
    assert "Author: member" in words(shown)
    assert "Date: Since 3 May 2020" in words(shown)
    assert 'href="/t/northlight/library/?q=teapot&amp;since=2020-05-03"' in shown
    assert f'href="/t/northlight/library/?q=teapot&amp;author={member.pk}"' in shown


def test_an_image_is_opened_within_what_was_looked_for(
    maker: Client, team: Team, member: User
) -> None:
    image = made(member, team)
    shown = maker.get(reverse("library", args=[team.slug]), {"q": "teapot", "before": ""})
    assert f"/images/{image.pk}/?q=teapot" in shown.content.decode()


def test_a_search_without_a_word_says_so_and_shows_nothing(
    maker: Client, team: Team, member: User
) -> None:
    made(member, team)
    for typed in ("%%%", "***", '""', "_"):
        shown = maker.get(reverse("library", args=[team.slug]), {"q": typed}).content.decode()
        assert tiles(shown) == []
        assert "No word to look for" in words(shown)


def test_nothing_found_says_what_to_loosen(maker: Client, team: Team, member: User) -> None:
    made(member, team)
    page = reverse("library", args=[team.slug])
    both = words(maker.get(page, {"q": "zebra", "shape": "tall"}).content.decode())
    assert "Try fewer words, or take a filter off" in both
    one = words(maker.get(page, {"shape": "tall"}).content.decode())
    assert "No image fits this filter" in one


def test_where_the_newest_hold_nothing_one_may_look_further(
    maker: Client, team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "WALKED", (2, 4))
    images = [made(member, team) for _ in range(11)]
    collection = make_collection(team, images)
    sorting.favourite(member, images[:1], on=True)
    address = f"{reverse('library', args=[team.slug])}?collection={collection.pk}&favourites=1"
    shown = maker.get(address).content.decode()
    assert "still looking" in shown
    assert "Nothing found" not in shown
    further = re.search(r'<a href="([^"]+before=[^"]+)">Look further', shown)
    assert further
    shown = maker.get(html.unescape(further[1])).content.decode()
    assert tiles(shown) == [str(images[0].pk)]


def test_a_look_further_that_finds_no_more_says_so(maker: Client, team: Team, member: User) -> None:
    made(member, team)
    address = f"{reverse('library', args=[team.slug])}?before=1"
    shown = maker.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "Nothing earlier" in shown


def test_words_that_do_not_count_are_said(maker: Client, team: Team) -> None:
    address = reverse("library", args=[team.slug])
    few, many = ("+".join(f"a{n}" for n in range(count)) for count in (60, 61))
    assert "words count" not in maker.get(f"{address}?q={few}").content.decode()
    assert "Only the first 60 words count" in maker.get(f"{address}?q={many}").content.decode()


def test_ten_thousand_letters_and_nonsense_are_no_error(
    maker: Client, team: Team, member: User
) -> None:
    image = made(member, team)
    assert found(maker, team, q="x" * 10_000) == []
    nonsense = {"author": "x", "since": "yesterday", "shape": "round", "tag": "-1", "before": "x"}
    assert found(maker, team, **nonsense) == [str(image.pk)]


def test_a_collection_of_another_team_is_not_here(maker: Client, team: Team) -> None:
    foreign = make_collection(make_user("else").personal_team)
    answer = maker.get(reverse("library", args=[team.slug]), {"collection": foreign.pk})
    assert answer.status_code == 404


def test_new_ones_are_told_of_and_not_put_in(maker: Client, team: Team, member: User) -> None:
    first = made(member, team)
    page = reverse("library", args=[team.slug])
    assert f"after={first.place}" in maker.get(page).content.decode()
    assert words(maker.get(page, {"after": str(first.place)}).content.decode()) == ""
    made(member, team)
    made(member, team, "a heron")
    assert words(maker.get(page, {"after": str(first.place)}).content.decode()) == "2 new images"
    said = maker.get(page, {"after": str(first.place), "q": "heron"}).content.decode()
    assert words(said) == "1 new image"


def test_a_filter_changes_the_wall_alone_and_the_address(
    maker: Client, team: Team, member: User
) -> None:
    made(member, team)
    answer = maker.get(
        reverse("library", args=[team.slug]), {"q": " teapot ", "since": "", "tag": ""},
        headers={"HX-Request": "true", "HX-Target": "found"},
    )  # fmt: skip
    shown = answer.content.decode()
    assert len(tiles(shown)) == 1
    assert "<html" not in shown
    assert answer["HX-Push-Url"] == "/t/northlight/library/?q=teapot"
    assert "HX-Target" in answer["Vary"]


def test_what_is_thrown_away_is_not_in_the_library(maker: Client, team: Team, member: User) -> None:
    image = made(member, team)
    ImageAsset.objects.filter(pk=image.pk).update(trashed_at=timezone.now(), trashed_by=member)
    assert found(maker, team) == []


def test_a_set_that_is_not_listed_any_more_is_still_called_by_its_name(
    maker: Client, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "MOST_LISTED", 1)
    sorting.tag(team, [], "autumn")
    last = sorting.tag(team, [], "winter")
    shown = maker.get(reverse("library", args=[team.slug]), {"tag": last.pk}).content.decode()
    assert "Tag: winter" in words(shown)
    assert "the others are under" in sheet(shown, "tag")


def test_only_a_sheet_that_leaves_some_out_says_where_the_others_are(
    maker: Client, team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sorting.tag(team, [], "autumn")
    ada = make_user("ada")
    add_member(team, ada)
    for author in (member, ada):
        make_asset(make_generation(author, team, status=Status.SUCCEEDED, cost=40))
    monkeypatch.setattr(filters, "MOST_LISTED", 1)
    shown = maker.get(reverse("library", args=[team.slug])).content.decode()
    assert "autumn" in sheet(shown, "tag")
    assert not [name for name in ("author", "model", "tag") if "the others" in sheet(shown, name)]


def sheet(shown: str, name: str) -> str:
    """The words of a filter's sheet."""
    return words(shown.partition(f'id="choices-{name}"')[2].partition("</fieldset>")[0])
