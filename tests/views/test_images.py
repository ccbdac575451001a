"""Images: who gets their bytes, as what, and what a download says."""

import io
import re
import uuid
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import signing
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from generator.models import (
    Generation,
    ImageAsset,
    ReferenceImage,
    Status,
    Team,
    User,
    image_storage,
)
from generator.models.storage import SALT
from tests.make import make_asset, make_generation, make_picture
from tests.views.conftest import words

ROUTES = ("image", "download", "small", "large", "original")


def address(image: ImageAsset, route: str, *, team: Team | None = None) -> str:
    slug = (team or image.team).slug
    if route in ("image", "download"):
        return reverse(route, args=[slug, image.pk])
    return reverse("picture", args=[slug, image.pk, route])


def stored(image: ImageAsset) -> bytes:
    with image.file.open() as file:
        return bytes(file.read())


@pytest.fixture
def image(team: Team, member: User) -> ImageAsset:
    """One of two that the member made."""
    generation = make_generation(
        member, team, status=Status.SUCCEEDED, cost=80, count=2, prompt="a heron in reeds",
        fields={"quality": "high"}, used={"quality": "medium", "background": "opaque"},
        request_id="req_7f3c",
    )  # fmt: skip
    make_asset(generation, 1)
    return make_asset(generation, 0, revised_prompt="a grey heron")


@pytest.mark.parametrize("route", ROUTES)
def test_members_and_viewers_see_an_image_and_nobody_else_does(
    maker: Client, mate: Client, viewer: Client, stranger: Client, image: ImageAsset, route: str
) -> None:
    for client in (maker, mate, viewer):
        assert client.get(address(image, route)).status_code in (200, 302)
    own = stranger.get("/").wsgi_request.user.personal_team
    for client, team in ((stranger, None), (stranger, own)):
        assert client.get(address(image, route, team=team)).status_code == 404
    assert Client().get(address(image, route)).url.startswith(reverse("account_login"))


def test_a_picture_is_a_signed_link_of_short_life(
    maker: Client, image: ImageAsset, settings: Any
) -> None:
    answer = maker.get(address(image, "original"))
    assert answer.url.startswith("/files/")
    private, age = answer["Cache-Control"].split(", max-age=")
    assert private == "private"
    assert int(age) < settings.IMAGE_LINK_LIFE
    file = Client().get(answer.url)
    assert file.content == stored(image)
    assert file["Content-Type"] == "image/png"


def test_the_original_stands_in_until_the_thumbnail_is_made(
    maker: Client, image: ImageAsset
) -> None:
    small = address(image, "small")
    assert _name_behind(maker.get(small).url) == image.file.name
    ImageAsset.objects.update(thumbnails_at=image.created_at)
    assert _name_behind(maker.get(small).url) == image.thumbnail_key("small")


def _name_behind(url: str) -> str:
    return str(image_storage().name_in(url.removeprefix("/files/").replace("%3A", ":")))  # type: ignore[attr-defined]


def test_there_are_three_sizes_and_no_more(maker: Client, image: ImageAsset) -> None:
    assert maker.get(address(image, "huge")).status_code == 404


def _file(name: object, *, salt: str = SALT) -> Any:
    return Client().get(reverse("file", args=[signing.dumps(name, salt=salt)]))


def test_files_run_nothing_on_the_studios_origin(image: ImageAsset) -> None:
    answer = _file(image.file.name)
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("extension", ["svg", "html", "js", "PNG", "png.html"])
def test_the_content_type_is_by_our_own_table(extension: str) -> None:
    name = f"teams/1/x.{extension}"
    image_storage().save(name, io.BytesIO(b"<script>alert(1)</script>"))
    answer = _file(name)
    if extension == "svg":
        assert answer["Content-Disposition"] == "attachment"
    else:
        assert answer["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "name",
    ["../secret-key", "/etc/passwd", "teams/../../secret-key", "", ".", "nobody.png", "a\x00b.png"],
)
def test_no_link_leads_out_of_the_storage(name: str) -> None:
    (django_settings.DATA / "secret-key").write_text("secret")
    assert _file(name).status_code == 404


def test_a_link_that_was_tampered_with_or_is_over_is_gone(image: ImageAsset, settings: Any) -> None:
    good = signing.dumps(image.file.name, salt=SALT)
    assert Client().get(reverse("file", args=[good])).status_code == 200
    for token in (good[:-1] + ("A" if good[-1] != "A" else "B"), "x", "a:b:c"):
        assert Client().get(reverse("file", args=[token])).status_code == 404
    assert _file(image.file.name, salt="other").status_code == 404
    settings.IMAGE_LINK_LIFE = -1
    assert Client().get(reverse("file", args=[good])).status_code == 404


def test_the_author_s_own_copy_says_prompt_and_settings(maker: Client, image: ImageAsset) -> None:
    answer = maker.get(address(image, "download"))
    assert b"a heron in reeds" in answer.content
    assert b"gpt-image-2" in answer.content
    kept = stored(image)
    assert b"a heron in reeds" not in kept
    assert _pixels(answer.content) == _pixels(kept)
    assert answer["Content-Disposition"] == f'attachment; filename="{image.file_name()}"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Type"] == "image/png"


def _pixels(data: bytes) -> bytes:
    return Image.open(io.BytesIO(data)).tobytes()


def test_others_get_the_stored_bytes(mate: Client, viewer: Client, image: ImageAsset) -> None:
    for client in (mate, viewer):
        assert client.get(address(image, "download")).content == stored(image)


def test_the_administrator_can_keep_settings_out_of_downloads(
    maker: Client, image: ImageAsset, settings: Any
) -> None:
    settings.KEEP_SETTINGS_IN_DOWNLOADS = False
    assert maker.get(address(image, "download")).content == stored(image)


def test_the_page_says_what_was_asked_what_was_used_and_where_they_differ(
    maker: Client, image: ImageAsset
) -> None:
    said = words(maker.get(address(image, "image")).content.decode())
    assert "Quality High Medium differs" in said
    assert "Background Auto Opaque differs" in said
    assert "File PNG PNG" in said
    assert "Images 2 2 Background" in said
    assert "Compression" not in said  # nobody set it, and nobody spoke of it
    assert "Size Auto 64 × 48 differs" in said
    assert "What the model made of it a grey heron" in said
    assert "GPT Image 2, OpenAI" in said
    assert "80 credits for 2 images" in said
    assert "req_7f3c" in said
    assert "Download PNG" in said


def test_arrows_lead_through_the_library_in_its_order(
    maker: Client, team: Team, member: User
) -> None:
    generation = make_generation(member, team, status=Status.SUCCEEDED, cost=40)
    older, middle, newer = (make_asset(generation, position) for position in range(3))
    shown = maker.get(address(middle, "image")).content.decode()
    assert f'href="{address(newer, "image")}" rel="prev"' in shown
    assert f'href="{address(older, "image")}" rel="next"' in shown
    assert 'rel="next"' not in maker.get(address(older, "image")).content.decode()
    assert 'rel="prev"' not in maker.get(address(newer, "image")).content.decode()


def test_arrows_never_lead_out_of_the_team(maker: Client, image: ImageAsset) -> None:
    theirs = make_generation(status=Status.SUCCEEDED, cost=40)
    make_asset(theirs)
    shown = maker.get(address(image, "image")).content.decode()
    assert theirs.team.slug not in shown


def test_a_viewer_is_offered_no_making(viewer: Client, image: ImageAsset) -> None:
    said = words(viewer.get(address(image, "image")).content.decode())
    assert "Use these settings" not in said
    assert "Again ·" not in said


def test_a_forged_id_leads_nowhere(maker: Client, team: Team) -> None:
    for route in ("image", "download"):
        assert maker.get(reverse(route, args=[team.slug, uuid.uuid4()])).status_code == 404


def test_a_webp_keeps_its_pixels_in_the_author_s_copy(
    maker: Client, team: Team, member: User
) -> None:
    generation = make_generation(member, team, status=Status.SUCCEEDED, cost=40)
    image = make_asset(generation, data=make_picture(format="WEBP", lossless=True))
    answer = maker.get(address(image, "download"))
    assert answer["Content-Type"] == "image/webp"
    assert _pixels(answer.content) == _pixels(stored(image))


def test_a_storage_that_does_not_answer_is_said_and_not_a_broken_page(
    maker: Client, image: ImageAsset
) -> None:
    image_storage().delete(image.file.name or "")
    answer = maker.get(address(image, "download"), follow=True)
    assert answer.status_code == 200
    assert "The image storage does not answer." in words(answer.content.decode())


# ── Going on ──


def test_the_page_offers_what_can_be_done_with_its_price(maker: Client, image: ImageAsset) -> None:
    said = words(maker.get(address(image, "image")).content.decode())
    assert "Go on from this image" in said
    assert re.search(r"Edit GPT Image 2 · \d+", said)
    assert re.search(r"Describe \w+ · \d+", said)


def test_a_viewer_is_offered_nothing(viewer: Client, image: ImageAsset) -> None:
    Generation.objects.update(buttons=[ROW])
    said = words(viewer.get(address(image, "image")).content.decode())
    assert "Go on from this image" not in said
    assert "U2" not in said


ROW = {"id": "MJ::2", "label": "U2", "action": "upscale", "asks": ""}


def test_buttons_of_the_provider_can_be_pressed_from_the_page(
    maker: Client, team: Team, member: User
) -> None:
    grid = make_generation(
        member, team, wire_model="midjourney", status=Status.SUCCEEDED, buttons=[ROW], task_id="7"
    )
    page = maker.get(address(make_asset(grid), "image")).content.decode()
    assert "What Midjourney offers next" in page
    assert 'value="MJ::2"' in page
    sent = {"button": "MJ::2", "batch": str(uuid.uuid4()), "parent_position": "0"}
    maker.post(reverse("press", args=[team.slug, grid.pk]), sent)
    child = Generation.objects.get(parent=grid)
    assert (child.action, child.button, child.button_label) == ("upscale", "MJ::2", "U2")


def test_the_page_shows_what_went_along_and_the_family(
    maker: Client, team: Team, member: User, image: ImageAsset
) -> None:
    reference = ReferenceImage.objects.saved(
        ReferenceImage.objects.standing_for(team, member, image)
    )
    child = make_generation(
        member, team, action="edit", parent=image.generation, parent_position=0,
        references=(reference,), status=Status.SUCCEEDED,
    )  # fmt: skip
    edited = make_asset(child)
    page = maker.get(address(edited, "image")).content.decode()
    assert "Given along" in page
    assert page.count(address(image, "image")) >= 2  # given along, and in the family
    assert address(edited, "image") in maker.get(address(image, "image")).content.decode()


def test_the_page_says_what_the_provider_reports_and_what_the_model_said(
    maker: Client, team: Team, member: User
) -> None:
    generation = make_generation(
        member, team, status=Status.SUCCEEDED, usage={"output_tokens": 196, "cost": 3.5},
        texts=["Here is your heron."], reason="1 image was refused by the safety rules.",
        used={"seed": 7},
    )  # fmt: skip
    said = words(maker.get(address(make_asset(generation), "image")).content.decode())
    assert "Output tokens 196" in said
    assert "Here is your heron." in said
    assert "1 image was refused by the safety rules." in said
    assert "Seed – 7" in said


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0h9v9z"/></svg>'


def test_a_drawing_is_saved_and_never_shown_as_it_came(
    maker: Client, team: Team, member: User
) -> None:
    generation = make_generation(member, team, status=Status.SUCCEEDED)
    drawing = make_asset(generation, data=SVG)
    for size in ("small", "large", "original"):
        assert maker.get(address(drawing, size)).url.endswith("drawing.svg")
    saved = maker.get(address(drawing, "download"))
    assert saved["Content-Disposition"].startswith("attachment")
    drawing.thumbnails_at = timezone.now()
    drawing.save()
    assert "drawing.svg" not in maker.get(address(drawing, "large")).url
    assert maker.get(address(drawing, "original")).url.endswith("drawing.svg")


def test_an_image_without_a_prompt_is_called_by_what_was_done(
    maker: Client, team: Team, member: User
) -> None:
    first = make_generation(member, team, status=Status.SUCCEEDED, prompt="a yellow raincoat")
    done = make_generation(
        member, team, wire_model="bria", action="enhance", prompt="", parent=first,
        status=Status.SUCCEEDED,
    )  # fmt: skip
    asset = make_asset(done)
    assert asset.alt == "Enhance, by Bria"
    said = words(maker.get(address(asset, "image")).content.decode())
    assert "Enhance: a yellow raincoat" in said
