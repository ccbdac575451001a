"""The page of an image: its neighbours in a look, what one may do with it, and the trash."""

import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from generator.library import sorting
from generator.models import (
    Collection,
    Favourite,
    ImageAsset,
    Role,
    Status,
    Tag,
    Team,
    User,
)
from generator.views.images import MOST_OFFERED
from tests.make import add_member, make_asset, make_generation, make_user
from tests.views.conftest import SignIn, words

DEEDS = {"Share", "Collect", "Tag", "Trash"}


@pytest.fixture
def images(team: Team, member: User) -> list[ImageAsset]:
    """Four, the newest first: a heron, a stork, a heron, a stork."""
    made = []
    for prompt in ("a stork", "a heron", "a stork", "a heron"):
        generation = make_generation(
            member, team, prompt=prompt, status=Status.SUCCEEDED, cost=40, request_id="req_7f3c"
        )
        made.append(make_asset(generation))
    return made[::-1]


def page(client: Client, image: ImageAsset, query: str = "") -> str:
    there = reverse("image", args=[image.team.slug, image.pk])
    return client.get(f"{there}?{query}" if query else there).content.decode()


def link(html: str, rel: str) -> str:
    found = re.search(rf'<a [^>]*href="([^"]+)" rel="{rel}"', html)
    return found[1].replace("&amp;", "&") if found else ""


def put_away(image: ImageAsset, by: User | None = None) -> ImageAsset:
    image.trashed_at, image.trashed_by = timezone.now(), by
    image.save()
    return image


# ── Neighbours ──


def test_arrows_stay_within_what_was_looked_for(maker: Client, images: list[ImageAsset]) -> None:
    heron, _, other_heron, _ = images
    html = page(maker, heron, "q=heron")
    there = reverse("image", args=[heron.team.slug, other_heron.pk])
    assert link(html, "next") == f"{there}?q=heron"
    assert link(html, "prev") == ""
    assert link(page(maker, other_heron, "q=heron"), "next") == ""
    assert link(page(maker, heron), "next").endswith(f"{images[1].pk}/")


def test_the_way_back_is_to_the_library_as_it_was(
    maker: Client, team: Team, member: User, images: list[ImageAsset]
) -> None:
    library = reverse("library", args=[team.slug])
    assert f'href="{library}?q=heron">Library</a>' in page(maker, images[0], "q=heron&nonsense=1")
    birds = sorting.new_collection(team, member, "Birds")
    html = page(maker, images[0], f"collection={birds.pk}")
    assert f'href="{library}?collection={birds.pk}">Birds</a>' in html
    theirs = Collection.objects.create(team=make_user().personal_team, name="Secret")
    assert "Secret" not in page(maker, images[0], f"collection={theirs.pk}")


def test_arrows_pass_over_what_is_in_the_trash(maker: Client, images: list[ImageAsset]) -> None:
    put_away(images[1])
    assert link(page(maker, images[0]), "next").endswith(f"{images[2].pk}/")
    assert link(page(maker, images[2]), "prev").endswith(f"{images[0].pk}/")


# ── What one may do ──


@pytest.fixture
def owner(team: Team, sign_in: SignIn) -> Client:
    user = make_user("owner")
    add_member(team, user, Role.OWNER)
    return sign_in(user)


def offered(html: str) -> set[str]:
    texts = re.findall(r"<(?:a|button)[^>]*class=\"button[^>]*>(.*?)</(?:a|button)>", html, re.S)
    return {words(text) for text in texts} & DEEDS


def test_everybody_is_offered_what_they_may_do(
    maker: Client, mate: Client, viewer: Client, owner: Client, images: list[ImageAsset]
) -> None:
    assert offered(page(maker, images[0])) == DEEDS
    assert offered(page(mate, images[0])) == DEEDS - {"Trash"}  # somebody else made it
    assert offered(page(owner, images[0])) == DEEDS
    seen = page(viewer, images[0])
    assert offered(seen) == set()
    assert 'aria-label="Favourite"' in seen
    assert "Download PNG" in words(seen)


def test_a_heart_is_one_s_own_and_a_press_away(
    maker: Client, viewer: Client, team: Team, images: list[ImageAsset]
) -> None:
    here = reverse("image", args=[team.slug, images[0].pk])
    sent = {"do": "favourite", "image": images[0].pk, "next": here}
    answer = viewer.post(reverse("choose", args=[team.slug]), sent)
    assert answer.url == here
    assert Favourite.objects.count() == 1
    assert 'id="heart-button" aria-pressed="true"' in page(viewer, images[0])
    assert 'id="heart-button" aria-pressed="false"' in page(maker, images[0])


def test_the_page_shows_its_tags_and_collections_and_offers_the_others(
    maker: Client, team: Team, member: User, images: list[ImageAsset]
) -> None:
    sorting.tag(team, images[:1], "wading")
    sorting.tag(team, images[1:2], "storks")
    birds = sorting.new_collection(team, member, "Birds")
    sorting.new_collection(team, member, "Fish")
    sorting.collect(team, member, images[:1], birds)
    html = page(maker, images[0])
    assert "Collections and tags Birds wading" in words(html)
    assert '<option value="storks">' in html
    assert '<option value="wading">' not in html
    assert re.search(r'aria-pressed="true"><span>Birds', html)
    assert re.search(r'aria-pressed="false"><span>Fish', html)


def test_what_is_done_on_the_page_leads_back_to_it_and_never_elsewhere(
    maker: Client, team: Team, images: list[ImageAsset]
) -> None:
    here = reverse("image", args=[team.slug, images[0].pk]) + "?q=heron"
    choose = reverse("choose", args=[team.slug])
    sent = {"do": "tag", "image": images[0].pk, "tag": "wading", "next": here}
    assert maker.post(choose, sent).url == here
    for elsewhere in ("https://example.org/", "//example.org", "javascript:alert(1)"):
        answer = maker.post(choose, sent | {"next": elsewhere})
        assert answer.url == reverse("library", args=[team.slug])


def test_what_is_thrown_away_leads_to_the_next_and_can_be_taken_back(
    maker: Client, team: Team, images: list[ImageAsset]
) -> None:
    html = page(maker, images[0], "q=heron")
    after = re.search(r'name="next" value="([^"]*trashed[^"]*)"', html)
    assert after
    there = after[1].replace("&amp;", "&")
    assert str(images[2].pk) in there
    sent = {"do": "trash", "image": images[0].pk, "next": there}
    answer = maker.post(reverse("choose", args=[team.slug]), sent, follow=True)
    assert "Moved to the trash. Undo" in words(answer.content.decode())
    undo = {"do": "restore", "image": images[0].pk}
    maker.post(reverse("choose", args=[team.slug]), undo)
    assert ImageAsset.objects.kept().filter(pk=images[0].pk).exists()
    assert "Undo" not in words(maker.get(there).content.decode())


def test_nobody_is_offered_to_take_back_what_they_may_not(
    mate: Client, maker: Client, stranger: Client, images: list[ImageAsset]
) -> None:
    put_away(images[0])
    for named in (images[0].pk, uuid.uuid4(), "x", "%00"):
        assert "Moved to the trash" not in page(mate, images[1], f"trashed={named}")
    assert "Moved to the trash" in page(maker, images[1], f"trashed={images[0].pk}")


# ── In the trash ──


@pytest.fixture
def thrown_away(member: User, images: list[ImageAsset]) -> ImageAsset:
    images[1].thumbnails_at = timezone.now()
    return put_away(images[1], by=member)


def test_of_one_in_the_trash_there_is_a_page_for_who_may_restore_it(
    maker: Client, owner: Client, mate: Client, viewer: Client, thrown_away: ImageAsset
) -> None:
    there = reverse("image", args=[thrown_away.team.slug, thrown_away.pk])
    for client in (maker, owner):
        html = client.get(there).content.decode()
        assert "In the trash since" in words(html)
        assert "put there by member" in words(html)
        assert 'value="restore"' in html
        assert offered(html) == set()
        assert "Download PNG" not in html
        assert "Go on from this image" not in html
        assert link(html, "next") == ""
    for client in (mate, viewer):
        assert client.get(there).status_code == 404


def test_of_one_in_the_trash_only_thumbnails_are_shown_to_who_may_restore_it(
    maker: Client, owner: Client, mate: Client, viewer: Client, thrown_away: ImageAsset
) -> None:
    def status(client: Client, size: str) -> int:
        args = [thrown_away.team.slug, thrown_away.pk, size]
        return client.get(reverse("picture", args=args)).status_code

    for client in (maker, owner):
        assert [status(client, size) for size in ("small", "large", "original")] == [302, 302, 404]
    for client in (mate, viewer):
        assert {status(client, size) for size in ("small", "large", "original")} == {404}
    there = reverse("download", args=[thrown_away.team.slug, thrown_away.pk])
    assert maker.get(there).status_code == 404


def test_an_original_never_stands_in_for_a_thumbnail_in_the_trash(
    maker: Client, thrown_away: ImageAsset
) -> None:
    ImageAsset.objects.update(thumbnails_at=None)
    there = reverse("picture", args=[thrown_away.team.slug, thrown_away.pk, "small"])
    assert maker.get(there).url.endswith("drawing.svg")


def test_a_menu_that_does_not_list_all_says_so(
    maker: Client, team: Team, images: list[ImageAsset]
) -> None:
    for number in range(MOST_OFFERED + 1):
        Collection.objects.create(team=team, name=f"set {number:03}")
        Tag.objects.create(team=team, name=f"tag {number:03}")
    said = words(page(maker, images[0]))
    assert "There are more than these 100." in said
    assert "There are more tags than the 100 suggested here." in said
    Collection.objects.filter(name="set 100").delete()
    Tag.objects.filter(name="tag 100").delete()
    assert "There are more" not in words(page(maker, images[0]))


def test_siblings_and_family_leave_the_trash_out(maker: Client, team: Team, member: User) -> None:
    grid = make_generation(member, team, status=Status.SUCCEEDED, count=3, cost=120)
    first, second, third = (make_asset(grid, at) for at in range(3))
    child = make_generation(member, team, parent=grid, status=Status.SUCCEEDED, cost=40)
    make_asset(child)
    put_away(second)
    html = page(maker, third)
    assert str(second.pk) not in html
    assert str(first.pk) in html
    assert "2 of 2 made together" in words(html)
    assert "Images 1 3" in words(html) or "Images 3 3" in words(html)  # as many were made


def test_a_page_takes_as_many_queries_with_much_around_an_image_as_with_little(
    maker: Client, team: Team, member: User, images: list[ImageAsset]
) -> None:
    def count(image: ImageAsset) -> int:
        with CaptureQueriesContext(connection) as seen:
            page(maker, image)
        return len(seen)

    sorting.tag(team, images[:1], "wading")
    sorting.collect(team, member, images[:1], sorting.new_collection(team, member, "Birds"))
    page(maker, images[1])  # the first page of a visit also notes the team
    little = count(images[0])
    for at in range(1, 4):
        make_asset(images[0].generation, at)
        sorting.tag(team, images[:1], f"tag {at}")
        sorting.tag(team, images[1:], f"other {at}")
        birds = sorting.new_collection(team, member, f"Birds {at}")
        sorting.collect(team, member, images[:1], birds)
    assert count(images[0]) == little
