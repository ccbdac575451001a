"""The migrations that gave images their places and words, and the index that follows the table."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from generator.library import searching
from generator.library.searching import Term, hits, question
from generator.library.spans import Span
from generator.models import ImageAsset, ImageWords, Team, User
from tests.make import make_asset, make_generation

pytestmark = pytest.mark.django_db
DAY, HOUR = datetime(2026, 5, 17, tzinfo=UTC), timedelta(hours=1)
places = import_module("generator.migrations.0010_images_take_their_place")
words = import_module("generator.migrations.0013_search_words")
index = import_module("generator.migrations.0014_search")


def execute(sql: str, params: Any) -> None:
    """As a schema editor does."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # it alters no table that has checks to come
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql, params)


editor = SimpleNamespace(connection=connection, execute=execute)


def found(team: Team, typed: str) -> int:
    """How many images the index has for a word."""
    terms = [Term((f"_team{team.pk}",)), Term((typed,), begins=True)]
    return len(hits(question(team, terms), Span(), 10) or ())


def test_images_of_one_moment_that_were_there_get_places_of_their_own(
    member: User, team: Team
) -> None:
    there = make_asset(make_generation(member, team)).place
    bite = [ImageAsset(place=there + further) for further in (0, 1, 0, 0, 7, 2)]
    places._part(ImageAsset.objects, bite)
    assert [image.place - there for image in bite] == [1, 2, 3, 4, 7, 5]


def test_images_that_were_there_get_the_words_of_new_ones(
    member: User, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "BITE", 2)
    for prompt in ("a red fox", "夜の東京", "", "Crème", "a fox"):
        make_asset(make_generation(member, team, prompt=prompt))
    right = list(ImageWords.objects.order_by("place").values())
    ImageWords.objects.filter(words__contains="fox").delete()
    for _ in range(2):
        words.write_words(apps, editor)
    assert list(ImageWords.objects.order_by("place").values()) == right
    assert found(team, "fox") == 2


def test_the_index_can_be_made_twice_and_of_words_that_are_there(member: User, team: Team) -> None:
    make_asset(make_generation(member, team, prompt="a red fox"))
    index.drop_index(apps, editor)
    for _ in range(2):
        index.make_index(apps, editor)
    assert found(team, "fox") == 1


def test_the_index_follows_a_change_of_the_words(member: User, team: Team) -> None:
    image = make_asset(make_generation(member, team, prompt="a red fox"))
    ImageWords.objects.filter(image=image).update(words=f"_team{team.pk} owl")
    assert (found(team, "fox"), found(team, "owl")) == (0, 1)


def test_postgresql_is_not_asked_for_what_too_many_images_have(
    member: User, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "STRETCHES", 4)
    monkeypatch.setattr(searching, "PROBED", 2)
    monkeypatch.setattr(searching, "MOST_GATHERED", 3)
    for number in range(8):  # a fox is on most, but on none of the newest
        prompt = "a fox" if number < 5 else "an owl" if number < 7 else "a lynx"
        make_asset(make_generation(member, team, prompt=prompt), created_at=DAY + number * HOUR)
    lists_all = connection.vendor == "postgresql"
    for word, there in (("fox", 5), ("lynx", 1)):
        asked = question(team, [Term((f"_team{team.pk}",)), Term((word,), begins=True)])
        found = hits(asked, Span(), 10)
        if lists_all and there > 3:
            assert (asked.is_quick, found) == (False, None)
        else:
            assert found is not None
            assert len(found) == there


def test_an_image_and_its_words_are_written_together_or_not_at_all(
    member: User, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: ImageWords, **facts: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(ImageWords, "save", fail)
    with pytest.raises(RuntimeError):
        make_asset(make_generation(member, team))
    assert not ImageAsset.objects.exists()
