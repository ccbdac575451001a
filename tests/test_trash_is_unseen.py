"""What is in the trash is shown, handed out and started from nowhere but on the trash's own page.

P2, a second route around a flag: each way to an image outside the library is walked here.
"""

import io
import re
import uuid
import zipfile
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator import briefs
from generator.family_tree import tree_of
from generator.forms.given import find_reference, find_start
from generator.models import (
    CatalogueEntry,
    Generation,
    ImageAsset,
    LedgerEntry,
    ReferenceImage,
    Role,
    Status,
    Team,
    User,
)
from generator.offers import offers_for
from tests.house import build, changed, rows
from tests.make import add_member, make_asset, make_generation, make_mask, make_user
from tests.test_routes import ROUTES
from tests.views.conftest import words

pytestmark = pytest.mark.django_db
BUTTON = {"id": "MJ::2", "label": "U2", "action": "upscale", "asks": ""}


@pytest.fixture
def maker(member: User) -> Client:
    """The member's browser."""
    browser = Client()
    browser.force_login(member)
    return browser


@pytest.fixture
def kept(team: Team, member: User) -> ImageAsset:
    """The first of two images; the other is in the trash."""
    generation = make_generation(member, team, status=Status.SUCCEEDED, cost=80, count=2)
    throw_away(make_asset(generation, 1))
    return make_asset(generation, 0)


@pytest.fixture
def trashed(kept: ImageAsset) -> ImageAsset:
    """The other one."""
    return kept.generation.images.trashed().get()


def throw_away(*images: ImageAsset) -> None:
    ImageAsset.objects.filter(pk__in=[one.pk for one in images]).update(trashed_at=timezone.now())


def as_reference(member: User, team: Team, image: ImageAsset) -> ReferenceImage:
    return ReferenceImage.objects.saved(ReferenceImage.objects.standing_for(team, member, image))


def begin(browser: Client, team: Team, **sent: Any) -> Any:
    plain = {"batch": str(uuid.uuid4()), "model": "gpt-image-2", "prompt": "x"}
    return browser.post(reverse("create", args=[team.slug]), {**plain, **sent})


# ── Shown ──


def test_a_card_shows_what_is_kept_and_says_what_is_not(maker: Client, kept: ImageAsset) -> None:
    address = reverse("card", args=[kept.team.slug, kept.generation_id])
    page = maker.get(address).content.decode()
    assert page.count("<img") == 1
    assert "1 of 2 in the trash." in words(page)
    throw_away(kept)
    page = maker.get(address).content.decode()
    assert "All 2 images are in the trash." in words(page)
    assert "<img" not in page
    assert "card__pictures" not in page
    kept.generation.images.all().delete()
    assert "Its images were deleted." in words(maker.get(address).content.decode())


def test_no_page_names_an_image_in_the_trash(
    maker: Client, team: Team, member: User, kept: ImageAsset, trashed: ImageAsset
) -> None:
    child = make_generation(
        member, team, action="edit", parent=kept.generation, parent_position=1,
        references=(as_reference(member, team, trashed),), status=Status.SUCCEEDED, cost=40,
    )  # fmt: skip
    edited = make_asset(child)
    paths = [
        reverse("studio", args=[team.slug]),
        reverse("studio", args=[team.slug]) + f"?from={child.pk}",
        reverse("studio", args=[team.slug]) + f"?image={trashed.pk}",
        reverse("card", args=[team.slug, child.pk]),
        reverse("references", args=[team.slug]),
        reverse("library", args=[team.slug]),
        reverse("usage", args=[team.slug]),
        reverse("image", args=[team.slug, kept.pk]),
        reverse("image", args=[team.slug, edited.pk]),
    ]
    for path in paths:
        answer = maker.get(path)
        assert answer.status_code == 200, path
        # A form says again what it was given, but only as what is not here any more.
        shown = re.sub(r'<input type="hidden"[^>]*>', "", answer.content.decode())
        assert str(trashed.pk) not in shown, path


def test_nothing_hands_out_the_bytes_of_what_is_in_the_trash(
    maker: Client, team: Team, member: User, trashed: ImageAsset
) -> None:
    reference = as_reference(member, team, trashed)
    for path in (
        reverse("download", args=[team.slug, trashed.pk]),
        reverse("picture", args=[team.slug, trashed.pk, "original"]),
        reverse("reference_picture", args=[team.slug, reference.pk]),
        reverse("reference_picture", args=[team.slug, reference.pk]) + "?size=full",
    ):
        assert maker.get(path).status_code == 404, path


def test_only_who_may_restore_it_sees_it_on_its_page_and_small(
    team: Team, maker: Client, trashed: ImageAsset
) -> None:
    people = {"viewer": Role.VIEWER, "mate": Role.MEMBER, "admin": Role.ADMIN}
    page = reverse("image", args=[team.slug, trashed.pk])
    paths = [page, reverse("picture", args=[team.slug, trashed.pk, "small"])]
    answers = {"author": [maker.get(path).status_code for path in paths]}
    for name, role in people.items():
        add_member(team, make_user(name), role)
        browser = Client()
        browser.force_login(User.objects.get(username=name))
        answers[name] = [browser.get(path).status_code for path in paths]
    seen = [200, 302]
    assert answers == {"author": seen, "admin": seen, "mate": [404, 404], "viewer": [404, 404]}
    assert "In the trash since" in words(maker.get(page).content.decode())


def test_a_line_of_the_ledger_leads_to_what_can_be_opened(
    maker: Client, kept: ImageAsset, trashed: ImageAsset
) -> None:
    usage = reverse("usage", args=[kept.team.slug])
    assert str(kept.pk) in maker.get(usage).content.decode()
    throw_away(kept)
    page = maker.get(usage).content.decode()
    assert str(kept.pk) not in page
    assert f"#generation-{kept.generation_id}" in page


def test_a_family_tells_what_is_in_the_trash(team: Team, member: User, kept: ImageAsset) -> None:
    make_generation(member, team, action="edit", parent=kept.generation)
    tree = tree_of(Generation.objects.get(pk=kept.generation_id))
    assert tree
    assert (tree.images, tree.trashed) == ([kept], 1)


def test_staff_see_that_it_is_in_the_trash(client: Client, trashed: ImageAsset) -> None:
    client.force_login(User.objects.create_superuser("root", "root@example.org"))
    path = reverse("admin:generator_imageasset_change", args=[trashed.pk])
    assert "Trashed at" in words(client.get(path).content.decode())


# ── Started from ──


def test_nobody_starts_from_what_is_in_the_trash(
    maker: Client, team: Team, member: User, trashed: ImageAsset
) -> None:
    reference = as_reference(member, team, trashed)
    parent = {"parent": str(trashed.generation_id), "parent_position": "1", "action": "edit"}
    for sent in (
        {"reference": f"image:{trashed.pk}"},
        {"reference": str(reference.pk)},
        {"style_reference": f"image:{trashed.pk}"},
        parent,
    ):
        answer = begin(maker, team, **sent)
        assert answer.status_code == 200
        assert Generation.objects.count() == 1, sent
    assert "is in the trash. Restore it first." in words(
        begin(maker, team, **parent).content.decode()
    )


def test_a_mask_is_not_painted_over_it(maker: Client, team: Team, trashed: ImageAsset) -> None:
    sent = {"mask": SimpleUploadedFile("m.png", make_mask()), "painted_over": f"image:{trashed.pk}"}
    answer = maker.post(reverse("references", args=[team.slug]), sent)
    assert "is not here any more" in words(answer.content.decode())
    assert not ReferenceImage.objects.filter(is_mask=True).exists()


def test_neither_a_button_nor_a_memory_leads_on_from_the_trash(
    maker: Client, team: Team, member: User
) -> None:
    grid = make_generation(
        member, team, wire_model="midjourney", status=Status.SUCCEEDED, buttons=[BUTTON],
        task_id="7", memory="teams/x/memory",
    )  # fmt: skip
    image = make_asset(grid)
    card = reverse("card", args=[team.slug, grid.pk])
    assert "MJ::2" in maker.get(card).content.decode()
    throw_away(image)
    assert "MJ::2" not in maker.get(card).content.decode()
    maker.post(reverse("press", args=[team.slug, grid.pk]), {"button": "MJ::2"})
    assert Generation.objects.count() == 1
    for said in ({"button": "MJ::2"}, {}):
        with pytest.raises(ValidationError, match="in the trash"):
            find_start(team, {"parent": str(grid.pk), **said})


def test_the_same_once_more_is_refused_where_what_went_along_is_in_the_trash(
    maker: Client, team: Team, member: User, trashed: ImageAsset
) -> None:
    child = make_generation(
        member, team, action="edit", references=(as_reference(member, team, trashed),),
        status=Status.SUCCEEDED,
    )  # fmt: skip
    before = Generation.objects.count()
    again = maker.post(reverse("again", args=[team.slug, child.pk]), follow=True)
    assert "not here any more" in words(again.content.decode())
    assert Generation.objects.count() == before


def test_nothing_is_offered_for_it(trashed: ImageAsset) -> None:
    assert offers_for(trashed, CatalogueEntry.objects.pickable()) == []


def test_a_shell_does_not_start_from_it_either(team: Team, trashed: ImageAsset) -> None:
    with pytest.raises(CommandError, match="no generation or image"):
        call_command(
            "generate", "x", model="gpt-image-2", person="member", team=team.slug,
            parent=str(trashed.pk),
        )  # fmt: skip


# ── What goes on ──


def test_what_was_accepted_before_goes_on_with_it(
    team: Team, member: User, kept: ImageAsset
) -> None:
    reference = as_reference(member, team, kept)
    child = make_generation(
        member, team, action="edit", parent=kept.generation, parent_position=0,
        references=(reference,),
    )  # fmt: skip
    throw_away(kept)
    (given,) = briefs.brief_of(Generation.objects.get(pk=child.pk)).references
    assert given.data


def test_what_is_restored_is_there_again(team: Team, member: User, trashed: ImageAsset) -> None:
    ImageAsset.objects.update(trashed_at=None)
    assert find_reference(team, member, f"image:{trashed.pk}").asset == trashed


def test_the_trash_changes_nothing_in_the_ledger(
    maker: Client, team: Team, kept: ImageAsset
) -> None:
    before = list(LedgerEntry.objects.order_by("pk").values())
    throw_away(kept)
    maker.get(reverse("studio", args=[team.slug]))
    assert list(LedgerEntry.objects.order_by("pk").values()) == before


# ── By every route ──


def test_by_no_route_does_a_team_mate_or_a_visitor_meet_what_somebody_threw_away() -> None:
    house = build()
    image = house.things["image"]
    ImageAsset.objects.filter(pk=image).update(trashed_at=timezone.now())
    secret = [house.things["secret"]]
    for name, route in ROUTES.items():
        if route.get is None or name == "live":
            continue
        address = route.address(name, house.team.slug, house.things, house.things)
        for person in ("mate", "viewer", "visitor"):
            answer = house.browsers[person].get(address)
            if route.of == "image" or name in ("shared_picture", "shared_download"):
                is_out = answer.headers.get("Location", "").startswith("/accounts/login/")
                assert is_out or answer.status_code == 404, f"{name} by {person}"
            elif answer.headers.get("Content-Type", "").startswith("text/html"):
                shown = re.sub(r'<input type="hidden"[^>]*>', "", answer.content.decode())
                assert image not in shown, f"{name} by {person}"
    packed = house.browsers["visitor"].get(reverse("shared_zip", args=secret))
    names = zipfile.ZipFile(io.BytesIO(b"".join(packed.streaming_content))).namelist()
    assert not [name for name in names if name.endswith(".png")]
    chosen = {"image": image}
    refused = house.browsers["mate"].post(reverse("zip", args=[house.team.slug]), chosen)
    assert refused.status_code == 302
    for do in ("favourite", "tag", "collect", "restore", "share"):
        before = rows()
        sent = {**chosen, "do": do, "tag": "x", "collection": house.things["collection"]}
        house.browsers["mate"].post(reverse("choose", args=[house.team.slug]), sent)
        assert changed(before, rows()) == [], do
