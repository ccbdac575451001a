"""Collections and tags: the page that lists both."""

import html
import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator.errors import NotAllowed
from generator.library import sorting
from generator.models import Collection, Deed, ImageAsset, Role, Status, Tag, Team, User
from generator.sharing import collections as sharing
from generator.views import collections
from tests.make import add_member, make_asset, make_generation, make_link, make_user
from tests.views.conftest import words


@pytest.fixture
def images(team: Team, member: User) -> list[ImageAsset]:
    """Three of the member's."""
    generation = make_generation(member, team, status=Status.SUCCEEDED, cost=40)
    return [make_asset(generation, position) for position in range(3)]


@pytest.fixture
def spring(team: Team, member: User, images: list[ImageAsset]) -> Collection:
    """A collection of all three."""
    spring = sorting.new_collection(team, member, "Spring")
    sorting.collect(team, member, images, spring)
    return spring


def page(client: Client, team: Team) -> str:
    return client.get(reverse("collections", args=[team.slug])).content.decode()


def test_a_collection_shows_how_many_it_holds_and_its_newest(
    viewer: Client, team: Team, spring: Collection, images: list[ImageAsset]
) -> None:
    shown = page(viewer, team)
    newest = max(images, key=lambda image: image.place)
    assert "Spring 3 images" in words(shown)
    assert reverse("picture", args=[team.slug, newest.pk, "small"]) in shown


def test_what_is_in_the_trash_is_in_no_collection(
    maker: Client, team: Team, spring: Collection
) -> None:
    newest = team.images.newest_first()[0]
    ImageAsset.objects.filter(pk=newest.pk).update(trashed_at=timezone.now())
    shown = page(maker, team)
    assert "Spring 2 images" in words(shown)
    assert str(newest.pk) not in shown


def test_a_large_collection_is_not_counted_to_its_end(
    maker: Client, team: Team, spring: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collections, "MOST_COUNTED", 2)
    assert "Spring more than 2 images" in words(page(maker, team))


def test_a_collection_is_the_library_under_its_name(
    maker: Client, team: Team, spring: Collection, member: User
) -> None:
    make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=40))
    shown = maker.get(
        reverse("library", args=[team.slug]), {"collection": spring.pk}
    ).content.decode()
    assert "<h1>Spring</h1>" in shown
    assert shown.count('class="tile"') == 3
    assert "Take out of this collection" in shown
    assert (
        f"?collection={spring.pk}"
        in re.findall(r'href="([^"]*links/new[^"]*collection[^"]*)"', shown)[0]
    )


def test_a_new_one_is_made_once(maker: Client, team: Team, spring: Collection) -> None:
    address = reverse("collections", args=[team.slug])
    assert maker.post(address, {"name": "Summer"}).status_code == 302
    again = maker.post(address, {"name": "SUMMER"})
    assert again.status_code == 200
    assert "There is a collection of this name" in words(again.content.decode())
    assert 'value="SUMMER"' in again.content.decode()
    assert "needs a name" in words(maker.post(address, {"name": " \u200b "}).content.decode())
    assert team.collections.count() == 2


def test_one_is_renamed_and_deleted_and_its_images_stay(
    maker: Client, team: Team, spring: Collection
) -> None:
    address = reverse("collection_edit", args=[team.slug, spring.pk])
    maker.post(address, {"do": "rename", "name": "<b>May</b>"})
    assert "&lt;b&gt;May&lt;/b&gt;" in page(maker, team)
    said = words(maker.post(address, {"do": "delete"}, follow=True).content.decode())
    assert "Its images are still here" in said
    assert not team.collections.exists()
    assert team.images.kept().count() == 3


def away(client: Client, collection: Collection, **said: str) -> str:
    """Delete a collection; the page that comes of it."""
    there = reverse("collection_edit", args=[collection.team.slug, collection.pk])
    answer = client.post(there, {"do": "delete", **said}, follow=True)
    return words(answer.content.decode())


def test_before_links_end_with_a_collection_it_is_asked_and_what_visitors_said_stays(
    maker: Client, team: Team, member: User, spring: Collection, images: list[ImageAsset]
) -> None:
    link = make_link(member, team=team, collection=spring)
    link.notes.create(visitor=uuid.uuid4(), text="The second one, please")
    link.picks.create(visitor=uuid.uuid4(), image=images[1])
    assert "1 sharing link of it ends with it" in away(maker, spring)
    assert team.collections.exists()
    make_link(member, team=team, collection=spring)  # what nobody was told of yet
    assert "2 sharing links of it end with it" in away(maker, spring, sure="1")
    assert "2 sharing links have ended." in away(maker, spring, sure="2")
    assert not team.collections.exists()
    link.refresh_from_db()
    newest = sorted(images, key=lambda image: -image.place)
    assert (link.collection, [row.image for row in link.shared.order_by("position")]) == (
        None, newest,
    )  # fmt: skip
    assert link.revoked_at
    shown = words(maker.get(reverse("link", args=[team.slug, link.pk])).content.decode())
    assert "The second one, please" in shown
    assert "1 visitor" in shown


def test_a_member_ends_no_open_links_of_others_by_deleting_what_they_show(
    maker: Client, team: Team, member: User, spring: Collection
) -> None:
    mate = make_user()
    admin = add_member(team, mate, Role.ADMIN)
    link = make_link(mate, team=team, collection=spring)
    assert "is shown by 1 open link of others" in away(maker, spring, sure="9")
    assert team.collections.exists()
    client = Client()
    client.force_login(mate)
    make_link(member, team=team, collection=spring)
    assert admin.may(Deed.SHARE_ANY)
    assert "2 sharing links have ended." in away(client, spring, sure="2")
    link.refresh_from_db()
    assert link.revoked_at


def test_revoked_links_stand_in_nobodys_way_and_stay_on_record(
    maker: Client, team: Team, spring: Collection
) -> None:
    mate = make_user()
    add_member(team, mate)
    link = make_link(mate, team=team, collection=spring, revoked_at=timezone.now())
    assert "is deleted" in away(maker, spring)
    link.refresh_from_db()
    assert link.shared.count() == 3


def test_who_may_not_sort_any_more_deletes_no_collection(
    team: Team, member: User, spring: Collection
) -> None:
    membership = team.memberships.get(user=member)
    team.memberships.update(role=Role.VIEWER)  # what `membership` says is of before
    with pytest.raises(NotAllowed):
        sharing.delete(spring, by=membership)


@pytest.mark.parametrize("length", [81, 400])
def test_a_name_that_is_too_long_is_refused_in_words_and_never_cut(
    maker: Client, team: Team, member: User, length: int
) -> None:
    there, said = reverse("collections", args=[team.slug]), "at most 80 characters in its name"
    row = sorting.new_collection(team, member, "Harbour")
    page = maker.get(there).content.decode()
    for field in re.findall(r"<input[^>]* name=\"name\"[^>]*>", page):
        assert "maxlength" not in field
    assert said in maker.post(there, {"name": "x" * length}).content.decode()
    edit = reverse("collection_edit", args=[team.slug, row.pk])
    answer = maker.post(edit, {"do": "rename", "name": "x" * length}, follow=True)
    assert said in answer.content.decode()
    assert [each.name for each in team.collections.all()] == ["Harbour"]


def test_a_tag_is_renamed_and_deleted_and_its_images_stay(
    maker: Client, team: Team, images: list[ImageAsset]
) -> None:
    tag, other = sorting.tag(team, images, "harbour"), sorting.tag(team, images[:1], "boats")
    assert "harbour 3 images" in words(page(maker, team))
    address = reverse("tag_edit", args=[team.slug, tag.pk])
    maker.post(address, {"do": "rename", "name": "port"})
    said = words(
        maker.post(address, {"do": "rename", "name": "Boats"}, follow=True).content.decode()
    )
    assert "There is a tag of this name" in said
    maker.post(address, {"do": "delete"})
    assert list(team.tags.all()) == [other]
    assert team.images.kept().count() == 3


def test_a_viewer_and_another_team_change_nothing(
    viewer: Client, stranger: Client, maker: Client, team: Team, spring: Collection,
    images: list[ImageAsset],
) -> None:  # fmt: skip
    tag = sorting.tag(team, images, "harbour")
    for client in (viewer, stranger):
        for name, pk in (("collection_edit", spring.pk), ("tag_edit", tag.pk)):
            address = reverse(name, args=[team.slug, pk])
            assert client.post(address, {"do": "delete"}).status_code == 404
        new = client.post(reverse("collections", args=[team.slug]), {"name": "Mine"})
        assert new.status_code == 404
    foreign = Tag.objects.create(team=make_user("else").personal_team, name="theirs")
    address = reverse("tag_edit", args=[team.slug, foreign.pk])
    assert maker.post(address, {"do": "delete"}).status_code == 404
    assert "Rename or delete" not in page(viewer, team)
    assert list(team.collections.all()) == [spring]


def test_many_collections_ask_the_same_questions(
    maker: Client, team: Team, member: User, images: list[ImageAsset],
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    for number in range(12):
        sorting.collect(
            team, member, images, sorting.new_collection(team, member, f"Number {number}")
        )
        sorting.tag(team, images, f"tag {number}")
    page(maker, team)
    with django_assert_max_num_queries(13):
        page(maker, team)


def names(shown: str) -> list[str]:
    """Of the collections and tags on the page, in their order."""
    return re.findall(r'library/\?(?:collection|tag)=\d+"[^>]*>([^<]+)</a>', shown)


def next_page(shown: str, what: str) -> str:
    """The address behind “More collections” or “More tags”."""
    found = re.search(rf'href="([^"]+)">More {what}', shown)
    return html.unescape(found[1]) if found else ""


def test_pages_of_names_follow_without_gap_or_repeat(
    maker: Client, team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collections, "COLLECTIONS", 2)
    monkeypatch.setattr(collections, "TAGS", 2)
    for name in ("Ärger", "ärger & more", "b", "C", "d"):
        sorting.new_collection(team, member, name)
        sorting.tag(team, [], f"tag {name}")
    for what, part in (("collections", slice(0, 2)), ("tags", slice(-2, None))):
        seen, address = list[str](), reverse("collections", args=[team.slug])
        while address:
            shown = maker.get(address).content.decode()
            seen += names(shown)[part] if next_page(shown, what) else names(shown)
            address = next_page(shown, what)
        own = [name for name in seen if name.startswith("tag ") == (what == "tags")]
        assert len(own) == len(set(own)) == 5


def test_a_further_page_of_tags_says_nothing_of_further_collections(
    maker: Client, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collections, "TAGS", 1)
    for name in ("autumn", "winter"):
        sorting.tag(team, [], name)
    further = maker.get(next_page(page(maker, team), "tags")).content.decode()
    assert names(further) == ["winter"]
    assert "No collections yet" in words(further)
    assert "No more collections" not in words(further)


def test_a_name_is_found_by_a_part_of_it(
    maker: Client, team: Team, member: User, images: list[ImageAsset]
) -> None:
    sorting.new_collection(team, member, "Ärger im Büro")
    sorting.new_collection(team, member, "100%")
    sorting.tag(team, images, "ärgerlich")
    there = reverse("collections", args=[team.slug])

    def found(said: str) -> list[str]:
        return names(maker.get(there, {"q": said}).content.decode())

    assert found(" ÄRGER") == ["Ärger im Büro", "ärgerlich"]
    assert found("%") == ["100%"]
    assert found("\0") == ["100%", "Ärger im Büro", "ärgerlich"]
    nothing = maker.get(there, {"q": "<b>X", "after": "z", "tags_after": "\ud7ff"})
    assert "No collection has “&lt;b&gt;X” in its name" in nothing.content.decode()
