"""What is done with chosen images, with a script and without one."""

import re
from collections.abc import Iterable

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from generator.models import Collected, Collection, Favourite, ImageAsset, Role, Status, Team, User
from tests.make import add_member, make_asset, make_generation, make_user
from tests.views.conftest import SignIn, words

HTMX = {"HX-Request": "true"}


@pytest.fixture
def images(team: Team, member: User) -> list[ImageAsset]:
    """Three of the member's."""
    generation = make_generation(member, team, status=Status.SUCCEEDED, cost=40)
    return [make_asset(generation, position) for position in range(3)]


def choose(
    client: Client, team: Team, do: str, images: Iterable[ImageAsset], **fields: str
) -> HttpResponse:
    """Press a button of the bar, as a script does: every image in one field."""
    named = ",".join(str(image.pk) for image in images)
    data = {"do": do, "image": named, **fields}
    return client.post(reverse("choose", args=[team.slug]), data, headers=HTMX)  # type: ignore[return-value]


def told(answer: HttpResponse) -> str:
    return words(answer.content.decode())


def done_to(answer: HttpResponse) -> set[str]:
    """The images that the answer says it was done to."""
    found = re.search(r'data-images="([^"]*)"', answer.content.decode())
    return set(found[1].split(",")) if found and found[1] else set()


def test_a_favourite_is_ones_own(
    maker: Client, viewer: Client, team: Team, images: list[ImageAsset], member: User
) -> None:
    assert "2 images added to your favourites" in told(
        choose(viewer, team, "favourite", images[:2])
    )
    assert not Favourite.objects.filter(user=member).exists()
    page = viewer.get(reverse("library", args=[team.slug]), {"favourites": "1"}).content.decode()
    assert page.count('class="tile"') == 2
    assert 'class="tile"' not in maker.get(
        reverse("library", args=[team.slug]), {"favourites": "1"}
    ).content.decode()  # fmt: skip


def test_a_heart_turns(maker: Client, team: Team, images: list[ImageAsset], member: User) -> None:
    heart = reverse("favourite", args=[team.slug, images[0].pk])
    assert 'aria-pressed="true"' in maker.post(heart, {"on": "1"}, headers=HTMX).content.decode()
    assert Favourite.objects.filter(user=member, image=images[0]).exists()
    assert 'aria-pressed="false"' in maker.post(heart, {"on": "0"}, headers=HTMX).content.decode()
    assert not Favourite.objects.exists()


def test_a_tag_is_put_on_and_taken_off(maker: Client, team: Team, images: list[ImageAsset]) -> None:
    assert "3 images tagged “harbour”" in told(choose(maker, team, "tag", images, tag=" harbour "))
    tag = team.tags.get()
    shown = maker.get(reverse("library", args=[team.slug]), {"tag": tag.pk}).content.decode()
    assert shown.count('class="tile"') == 3
    choose(maker, team, "untag", images[:1], tag="HARBOUR")
    assert tag.taggings.count() == 2
    assert "no such tag" in told(choose(maker, team, "untag", images, tag="beach"))


@pytest.mark.parametrize("name", ["👩\u200d🚀", "می\u200cخواهم", "a\u200bb", "\u202eright"])
def test_a_tag_is_taken_off_and_found_by_the_text_it_was_put_on_with(
    maker: Client, team: Team, images: list[ImageAsset], name: str
) -> None:
    choose(maker, team, "tag", images, tag=name)
    listed = maker.get(reverse("collections", args=[team.slug]), {"q": name}).content.decode()
    assert team.tags.get().name in words(listed)
    assert "There is no such tag" not in told(choose(maker, team, "untag", images, tag=name))
    assert not team.tags.exists()


def test_a_tag_that_comes_and_goes_does_so_among_the_filters(
    maker: Client, team: Team, images: list[ImageAsset]
) -> None:
    drawn = choose(maker, team, "tag", images, tag="beach", back="").content.decode()
    assert '<option value="beach">' in drawn
    drawn = choose(maker, team, "untag", images, tag="beach", back="").content.decode()
    assert 'id="choices-tag"' in drawn
    assert '<option value="beach">' not in drawn


def test_images_go_into_a_collection_that_is_there_or_a_new_one(
    maker: Client, team: Team, images: list[ImageAsset]
) -> None:
    assert "added to “Spring”" in told(choose(maker, team, "collect", images[:2], name="Spring"))
    spring = team.collections.get()
    choose(maker, team, "collect", images, collection=str(spring.pk))
    assert spring.collected.count() == 3
    choose(maker, team, "uncollect", images[:1], shown=str(spring.pk))
    assert spring.collected.count() == 2
    assert "name of a new one" in told(choose(maker, team, "collect", images))
    assert "added to “Spring”" in told(choose(maker, team, "collect", images, name=" SPRING"))
    assert team.collections.get().collected.count() == 3


def test_another_teams_collection_takes_nothing(
    maker: Client, team: Team, images: list[ImageAsset]
) -> None:
    foreign = Collection.objects.create(team=make_user("else").personal_team, name="Theirs")
    said = told(choose(maker, team, "collect", images, collection=str(foreign.pk)))
    assert "not there any more" in said
    assert not Collected.objects.exists()


def test_another_teams_image_is_as_good_as_none(maker: Client, team: Team) -> None:
    foreign = make_asset(make_generation(status=Status.SUCCEEDED, cost=40))
    assert "none of those is here" in told(choose(maker, team, "trash", [foreign]))
    foreign.refresh_from_db()
    assert foreign.trashed_at is None


def test_a_member_throws_away_only_what_they_made(
    mate: Client, team: Team, images: list[ImageAsset]
) -> None:
    theirs = make_asset(
        make_generation(User.objects.get(username="mate"), team, status=Status.SUCCEEDED, cost=40)
    )
    answer = choose(mate, team, "trash", [*images, theirs])
    assert "1 image moved to the trash. 3 images stay" in told(answer)
    assert done_to(answer) == {str(theirs.pk)}
    assert set(team.images.kept()) == set(images)


def test_an_admin_throws_away_anybodys_and_takes_it_back(
    team: Team, images: list[ImageAsset], sign_in: SignIn
) -> None:
    admin = make_user("admin")
    add_member(team, admin, Role.ADMIN)
    client = sign_in(admin)
    assert "3 images moved to the trash. Restore" in told(choose(client, team, "trash", images))
    assert not team.images.kept().exists()
    assert "3 images restored" in told(choose(client, team, "restore", images))
    assert team.images.kept().count() == 3


@pytest.mark.parametrize(
    "do", ["tag", "untag", "collect", "uncollect", "trash", "restore", "share"]
)
def test_a_viewer_keeps_no_order(
    viewer: Client, team: Team, images: list[ImageAsset], do: str
) -> None:
    assert choose(viewer, team, do, images, tag="x", name="x").status_code == 404
    assert team.images.kept().count() == 3


def test_a_viewer_sees_no_button_for_what_they_may_not(
    viewer: Client, maker: Client, team: Team, images: list[ImageAsset]
) -> None:
    page = reverse("library", args=[team.slug])
    for word in ("Move to trash", "Add to collection", "Put on", ">Share<"):
        assert word in maker.get(page).content.decode()
        assert word not in viewer.get(page).content.decode()


def test_ten_thousand_can_be_chosen_and_no_more(
    maker: Client, team: Team, images: list[ImageAsset]
) -> None:
    image = images[0]
    first = _many(image, 9_998)
    assert "10,000 images added to your favourites" in told(
        _named(maker, team, [*first, images[1].pk, image.pk])
    )
    assert "at most 10,000" in told(
        _named(maker, team, [*first, *(image.pk for image in images)])
    )  # fmt: skip


def _many(image: ImageAsset, count: int) -> list[object]:
    fields = {
        field.attname: getattr(image, field.attname)
        for field in ImageAsset._meta.concrete_fields
        if field.name not in ("id", "place", "position")
    }
    rows = [
        ImageAsset(**fields, place=image.place + 10 + number, position=10 + number)
        for number in range(count)
    ]
    ImageAsset.objects.bulk_create(rows)
    return [row.pk for row in rows]


def _named(client: Client, team: Team, pks: list[object]) -> HttpResponse:
    data = {"do": "favourite", "image": ",".join(map(str, pks))}
    return client.post(reverse("choose", args=[team.slug]), data, headers=HTMX)  # type: ignore[return-value]


def test_without_a_script_one_comes_back_to_the_same_view(
    maker: Client, team: Team, images: list[ImageAsset]
) -> None:
    data = {
        "do": "trash", "image": [str(image.pk) for image in images[:2]],
        "back": "q=teapot&evil=//elsewhere",
    }  # fmt: skip
    answer = maker.post(reverse("choose", args=[team.slug]), data, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("library", args=[team.slug]) + "?q=teapot"
    page = answer.content.decode()
    assert "2 images moved to the trash." in words(page)
    assert reverse("trash", args=[team.slug]) in page


def test_nothing_chosen_says_how_to_choose(maker: Client, team: Team) -> None:
    answer = maker.post(reverse("choose", args=[team.slug]), {"do": "trash"}, headers=HTMX)
    assert "Choose images first: tick" in told(answer)  # type: ignore[arg-type]


def test_a_deed_that_is_none_is_not_there(
    maker: Client, team: Team, images: list[ImageAsset]
) -> None:
    assert choose(maker, team, "explode", images).status_code == 404
    assert choose(maker, team, "", images).status_code == 404
    assert maker.get(reverse("choose", args=[team.slug])).status_code == 405


def test_sharing_goes_on_to_the_page_that_makes_the_link(
    maker: Client, team: Team, images: list[ImageAsset]
) -> None:
    answer = choose(maker, team, "share", images[:2])
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("link_new", args=[team.slug]))
    assert answer["Location"].count("image=") == 2


def test_two_people_moving_the_same_image_agree_in_the_end(
    maker: Client, team: Team, images: list[ImageAsset]
) -> None:
    choose(maker, team, "trash", images[:1])
    assert "none of those is here" in told(choose(maker, team, "trash", images[:1]))
    assert "none of those is here" in told(choose(maker, team, "tag", images[:1], tag="late"))


def test_what_somebody_else_has_moved_is_told_and_leaves(
    maker: Client, team: Team, images: list[ImageAsset]
) -> None:
    choose(maker, team, "trash", [images[0]])
    for do, fields in (("tag", {"tag": "late"}), ("favourite", {}), ("trash", {})):
        answer = choose(maker, team, do, images[:2], **fields)
        assert "1 image " in told(answer)
        assert "1 is in the trash by now." in told(answer)
        assert done_to(answer) == {str(images[1].pk)}
        assert f'data-gone="{images[0].pk}"' in answer.content.decode()
        ImageAsset.objects.filter(pk=images[1].pk).update(trashed_at=None)
    ImageAsset.objects.filter(pk=images[0].pk).delete()
    answer = choose(maker, team, "tag", images[:2], tag="later")
    assert "1 is not there any more." in told(answer)
    choose(maker, team, "trash", [images[2]])
    assert "2 are not in the trash any more." in told(choose(maker, team, "restore", images))
