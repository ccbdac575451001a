"""Images beside each other: which, and where they differ."""

import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from generator.models import Generation, GivenReference, ImageAsset, Status, Team, User
from generator.views.comparing import pieces
from tests.make import make_asset, make_generation, make_reference, make_user
from tests.views.conftest import words

Images = list[ImageAsset]


@pytest.fixture
def images(team: Team, member: User) -> Images:
    """Three of one generation, and two made with other settings."""
    one = make_generation(
        member, team, status=Status.SUCCEEDED, cost=120, count=3, fields={"quality": "high"},
        prompt="A grey heron in reeds",
    )  # fmt: skip
    other = make_generation(
        member, team, status=Status.SUCCEEDED, cost=40, count=2, fields={"quality": "low"},
        prompt="A white heron in reeds", used={"quality": "medium"},
    )  # fmt: skip
    return [make_asset(one, at) for at in range(3)] + [make_asset(other, at) for at in range(2)]


def asked(team: Team, images: Images) -> str:
    there = reverse("compare", args=[team.slug])
    return there + "?" + "&".join(f"image={image.pk}" for image in images)


def row(page: str, label: str) -> str:
    """A line of the facts, in words."""
    rows = re.findall(r"<tr.*?</tr>", page, re.DOTALL)
    return next(said for said in map(words, rows) if said.startswith(label))


def test_two_to_four_stand_beside_each_other_in_the_order_asked_for(
    viewer: Client, team: Team, images: Images
) -> None:
    for count in (2, 3, 4):
        shown = [images[3], *images[: count - 1]]
        page = viewer.get(asked(team, shown)).content.decode()
        frames = re.findall(r"data-pane.*?images/([0-9a-f-]{36})/picture/large", page)
        assert frames == [str(image.pk) for image in shown]
        assert f"Compare {count} images" in words(page)


def test_settings_that_differ_are_marked_and_the_others_are_not(
    maker: Client, team: Team, images: Images
) -> None:
    page = maker.get(asked(team, [images[0], images[3]])).content.decode()
    assert row(page, "Quality") == "Quality differs High Medium (asked for Low)"
    assert row(page, "Cost") == "Cost differs 120 credits for 3 images 40 credits for 2 images"
    assert row(page, "Model") == "Model GPT Image 2 GPT Image 2"
    assert row(page, "Size").startswith("Size 64 × 48")
    alike = maker.get(asked(team, images[:2])).content.decode()
    assert "differs" not in row(alike, "Quality")
    assert "differs" not in row(alike, "Prompt")


def test_what_was_given_along_and_what_they_were_made_from_stand_beside_each_other(
    maker: Client, member: User, team: Team, images: Images
) -> None:
    start = make_generation(member, team, status=Status.SUCCEEDED, cost=40)
    parent, mine = make_asset(start), make_reference(member, team)
    for at, image in enumerate((images[1], images[3])):
        GivenReference.objects.create(generation=image.generation, reference=mine)
        Generation.objects.filter(pk=image.generation_id).update(parent=start)
        assert f"images/{parent.pk}/picture/small" in _cells(maker, team, images, "Made from")
        shown = _cells(maker, team, images, "Given along")
        assert f"references/{mine.pk}" in shown
        assert ("differs" in words(shown)) == (at == 0)  # until both have the same
    ImageAsset.objects.filter(pk=parent.pk).update(trashed_at=timezone.now())
    shown = _cells(maker, team, images, "Made from")
    assert "in the trash" in words(shown)
    assert str(parent.pk) not in shown
    ImageAsset.objects.filter(pk=parent.pk).delete()
    assert "deleted" in words(_cells(maker, team, images, "Made from"))


def test_where_nothing_was_given_along_nothing_is_said_of_it(
    maker: Client, team: Team, images: Images
) -> None:
    page = maker.get(asked(team, [images[1], images[3]])).content.decode()
    assert "Given along" not in page
    assert "Made from</" not in page


def _cells(maker: Client, team: Team, images: Images, label: str) -> str:
    page = maker.get(asked(team, [images[1], images[3]])).content.decode()
    rows = re.findall(r"<tr.*?</tr>", page, re.DOTALL)
    return next(one for one in rows if words(one).startswith(label))


def test_words_that_not_every_prompt_has_are_marked(
    maker: Client, team: Team, images: Images
) -> None:
    page = maker.get(asked(team, [images[0], images[3]])).content.decode()
    assert re.findall("<mark>(.*?)</mark>", page) == ["grey", "white"]
    assert "words that not all of them have" in words(page)
    assert "<mark>" not in maker.get(asked(team, images[:2])).content.decode()


def test_a_prompt_is_the_same_put_together_again() -> None:
    prompts = ["", "  a, b!\n«c»", "b’s b"]
    told = ["".join(piece.text for piece in one) for one in pieces(prompts)]
    assert told == prompts


def test_a_very_long_prompt_is_no_harder(maker: Client) -> None:
    [first, _] = pieces(["a " * 16_000, "b " * 16_000])
    assert sum(piece.only for piece in first) == 16_000


def test_fewer_than_two_are_told_what_to_do(maker: Client, team: Team, images: Images) -> None:
    for shown in ([], images[:1], [images[0], images[0]]):
        answer = maker.get(asked(team, shown))
        assert answer.status_code == 200
        assert "Choose two to four images in the library" in words(answer.content.decode())


def test_one_in_the_trash_is_left_out_and_that_is_said(
    maker: Client, team: Team, images: Images
) -> None:
    ImageAsset.objects.filter(pk=images[1].pk).update(trashed_at=timezone.now())
    page = maker.get(asked(team, images[:3])).content.decode()
    assert "Compare 2 images" in words(page)
    assert "1 of the images is in the trash and is left out." in words(page)
    assert str(images[1].pk) not in page


def test_more_than_four_are_cut_and_that_is_said(maker: Client, team: Team, images: Images) -> None:
    said = words(maker.get(asked(team, images)).content.decode())
    assert "Compare 4 images" in said
    assert "These are the first four" in said


def test_what_is_not_the_team_s_is_not_there(
    maker: Client, stranger: Client, team: Team, images: Images
) -> None:
    theirs = make_asset(make_generation(make_user(), status=Status.SUCCEEDED, cost=40))
    assert maker.get(asked(team, [images[0], theirs])).status_code == 404
    assert stranger.get(asked(team, images[:2])).status_code == 404
    there = reverse("compare", args=[team.slug])
    for word in (uuid.uuid4(), "x", "%00", f"{images[0].pk}'"):
        assert maker.get(f"{there}?image={images[0].pk}&image={word}").status_code == 404


def test_one_can_be_taken_away_moved_or_changed_for_a_relative(
    maker: Client, team: Team, images: Images
) -> None:
    page = maker.get(asked(team, [images[0], images[3]])).content.decode().replace("&amp;", "&")
    [one, other], spare = (images[0].pk, images[3].pk), images[4].pk
    assert f'href="?image={other}"' in page  # A taken away
    assert f'href="?image={other}&image={one}"' in page  # B before A
    assert f'href="?image={one}&image={spare}"' in page  # a relative of B in its place
    assert f'href="?image={one}&image={other}&image={spare}"' in page  # and beside both


def test_what_was_chosen_in_the_library_leads_to_an_address_that_can_be_kept(
    maker: Client, team: Team, images: Images
) -> None:
    named = ",".join(str(image.pk) for image in images[:2])
    answer = maker.post(reverse("compare", args=[team.slug]), {"image": named, "name": "x"})
    assert answer.url == asked(team, images[:2])
    shown = maker.get(reverse("library", args=[team.slug])).content.decode()
    assert f'formaction="{reverse("compare", args=[team.slug])}"' in shown


def test_four_are_read_with_as_few_queries_as_two(
    maker: Client, team: Team, images: Images
) -> None:
    maker.get(asked(team, images[:2]))
    counts = []
    for shown in (images[:2], images[1:]):
        with CaptureQueriesContext(connection) as seen:
            maker.get(asked(team, shown))
        counts.append(len(seen))
    assert counts[0] == counts[1]
