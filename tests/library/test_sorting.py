"""Tags, collections and favourites; and what somebody has chosen."""

import uuid
from typing import Any

import pytest

from generator.errors import StudioError
from generator.library import sorting
from generator.library.choosing import MOST_CHOSEN, chosen
from generator.models import Collected, Collection, Favourite, ImageAsset, Tag, Tagging, Team, User
from generator.models.library import NamedQuerySet
from tests.make import make_asset, make_generation, make_team

pytestmark = pytest.mark.django_db


@pytest.fixture
def images(member: User, team: Team) -> list[ImageAsset]:
    """Three images of the team."""
    generation = make_generation(member, team)
    return [make_asset(generation, position) for position in range(3)]


def test_a_tie_has_the_place_of_its_image_and_is_there_once(
    images: list[ImageAsset], member: User, team: Team
) -> None:
    collection = sorting.new_collection(team, member, "Spring")
    for _ in range(2):
        sorting.favourite(member, images[:2], on=True)
        sorting.tag(team, images[:2], "liked")
        sorting.collect(team, member, ImageAsset.objects.filter(team=team), collection)
    for kind, there in ((Favourite, images[:2]), (Tagging, images[:2]), (Collected, images)):
        places = kind.objects.values_list("place", flat=True)
        assert sorted(places) == sorted(image.place for image in there)


def test_what_is_taken_off_is_off(images: list[ImageAsset], member: User, team: Team) -> None:
    collection = sorting.new_collection(team, member, "Spring")
    sorting.collect(team, member, images, collection)
    sorting.favourite(member, images, on=True)
    tag = sorting.tag(team, images, "liked")
    sorting.uncollect(collection, images[:1])
    sorting.favourite(member, images[:1], on=False)
    sorting.untag(tag, images[:1])
    assert Collected.objects.count() == Favourite.objects.count() == Tagging.objects.count() == 2


def test_a_tag_on_no_image_is_gone(images: list[ImageAsset], team: Team) -> None:
    tag = sorting.tag(team, images, "liked")
    sorting.untag(tag, ImageAsset.objects.filter(taggings__tag=tag))
    assert not Tag.objects.exists()


def test_case_and_spaces_make_no_second_tag(images: list[ImageAsset], team: Team) -> None:
    first = sorting.tag(team, images[:1], "For  the\tclient")
    assert sorting.tag(team, images[1:], " for the CLIENT ") == first
    assert Tag.objects.get().name == "For the client"


SAME = [
    ("For the client", " for  the CLIENT "), ("Ärger", "ärger"), ("Straße", "STRASSE"),
    ("İstanbul", "i\u0307stanbul"), ("Cafe\u0301", "CAFÉ"), ("ΟΔΟΣ", "οδος"),
    ("می\u200cخواهم", "میخواهم"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "same"), SAME)
def test_names_are_the_same_whatever_their_case_and_spelling(
    one: str, same: str, images: list[ImageAsset], member: User, team: Team
) -> None:
    assert sorting.tag(team, images[1:], same) == sorting.tag(team, images[:1], one)
    sorting.new_collection(team, member, one)
    with pytest.raises(StudioError, match="another"):
        sorting.new_collection(team, member, same)
    other = sorting.new_collection(team, member, "other")
    with pytest.raises(StudioError, match="another"):
        sorting.rename(other, same)


def test_the_longest_name_fits_folded(member: User, team: Team) -> None:
    assert sorting.tag(team, [], "ΐ" * 40).name == "ΐ" * 40
    assert sorting.new_collection(team, member, "ŉ" * 80).name == "ŉ" * 80


def test_a_dot_makes_another_name(team: Team) -> None:
    assert sorting.tag(team, [], "Istanbul") != sorting.tag(team, [], "İstanbul")


@pytest.mark.django_db(transaction=True)
def test_a_tag_that_is_deleted_while_it_is_put_on_is_made_again(
    images: list[ImageAsset], team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = sorting.tag(team, images, "liked")
    _deleting_meanwhile(monkeypatch, gone)
    there = sorting.tag(team, images[:1], "liked")
    assert Tag.objects.get() == there != gone
    assert Tagging.objects.get().tag == there


@pytest.mark.django_db(transaction=True)
def test_a_collection_that_is_gone_is_neither_filled_nor_renamed_but_said(
    images: list[ImageAsset], member: User, team: Team
) -> None:
    spring = sorting.new_collection(team, member, "Spring")
    Collection.objects.all().delete()
    with pytest.raises(StudioError, match="not there any more"):
        sorting.collect(team, member, images, spring)
    with pytest.raises(StudioError, match="not there any more"):
        sorting.rename(spring, "Summer")
    assert sorting.uncollect(spring, images) == 0
    assert not Collected.objects.exists()


def _deleting_meanwhile(monkeypatch: pytest.MonkeyPatch, tag: Tag) -> None:
    """Have somebody delete the tag once, between its being found and its being held."""
    held = NamedQuerySet.held

    def late(rows: Any, pk: int) -> Any:
        Tag.objects.filter(pk=tag.pk).delete()
        return held(rows, pk)

    monkeypatch.setattr(NamedQuerySet, "held", late)


def test_teams_have_tags_and_collections_of_their_own(member: User, team: Team) -> None:
    other = make_team(member)
    image = make_asset(make_generation(member, other))
    assert sorting.tag(team, [], "liked") != sorting.tag(other, [image], "liked")
    with pytest.raises(StudioError):
        sorting.collect(other, member, [image], sorting.new_collection(team, member, "Spring"))
    assert sorting.new_collection(other, member, "spring")


@pytest.mark.parametrize("name", ["", "  ", "\x00\x07", "\u200b\u202e", "x" * 81])
def test_a_name_that_is_none_is_refused_in_words(name: str, member: User, team: Team) -> None:
    with pytest.raises(StudioError, match="name"):
        sorting.tag(team, [], name)
    with pytest.raises(StudioError, match="name"):
        sorting.new_collection(team, member, name)


def test_two_collections_have_two_names(member: User, team: Team) -> None:
    sorting.new_collection(team, member, "Spring")
    other = sorting.new_collection(team, member, "=1+1/../\u202eAutumn")
    assert other.name == "=1+1/../Autumn"
    with pytest.raises(StudioError, match="another"):
        sorting.new_collection(team, member, "SPRING")
    with pytest.raises(StudioError, match="another"):
        sorting.rename(other, "spring")


def test_chosen_are_the_team_s_kept_images_and_nothing_else(
    images: list[ImageAsset], member: User, team: Team
) -> None:
    elsewhere = make_asset(make_generation(member))
    ImageAsset.objects.filter(pk=images[2].pk).update(trashed_at=images[2].created_at)
    named = [str(one.pk) for one in (*images, elsewhere)]
    found = chosen(team, [*named, named[0], str(uuid.uuid4()), "x", "", "1; DROP TABLE", "\x00"])
    assert set(found) == set(images[:2])


def test_ten_thousand_may_be_chosen_and_no_more(team: Team) -> None:
    keys = [str(uuid.uuid4()) for _ in range(MOST_CHOSEN + 1)]
    assert not chosen(team, keys[:-1]).exists()
    with pytest.raises(StudioError, match="10,000"):
        chosen(team, keys)
