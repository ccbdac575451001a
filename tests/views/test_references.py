"""Images given along: who may add them, what is kept, and that no other team's come in."""

import io
import re
import uuid
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from generator.models import Generation, ReferenceImage, Status, Team, User
from generator.views import references
from tests.make import (
    make_asset,
    make_entry,
    make_generation,
    make_mask,
    make_picture,
    make_reference,
    make_team,
    make_user,
)
from tests.views.conftest import words

HTMX = {"HX-Request": "true"}


def file(data: bytes | None = None, name: str = "heron.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, make_picture() if data is None else data)


def add(client: Client, where: Team, /, *files: SimpleUploadedFile, **fields: Any) -> Any:
    address = reverse("references", args=[where.slug])
    return client.post(address, {"files": list(files), **fields}, headers=HTMX)


def send(client: Client, team: Team, *, htmx: bool = True, **fields: Any) -> Any:
    sent = {"batch": str(uuid.uuid4()), "model": "gpt-image-2", "prompt": "a teapot", **fields}
    return client.post(reverse("create", args=[team.slug]), sent, headers=HTMX if htmx else None)


def bar(client: Client, team: Team, **fields: Any) -> str:
    """The prompt bar as it is drawn anew for what it holds."""
    sent = {"model": "gpt-image-2", **fields}
    answer = client.post(reverse("fields", args=[team.slug]), sent, headers=HTMX)
    assert answer.status_code == 200
    return str(answer.content.decode())


# ── Adding ──


def test_files_become_tiles_and_what_is_none_is_told_by_its_name(
    maker: Client, team: Team, member: User
) -> None:
    said = add(maker, team, file(), file(b"no image", "words.png")).content.decode()
    kept = ReferenceImage.objects.get()
    assert (kept.team, kept.author, kept.name) == (team, member, "heron.png")
    assert f'name="reference" value="{kept.pk}"' in said
    assert "words.png: The file is no image." in words(said)


def test_a_drawing_is_refused_with_what_to_do(maker: Client, team: Team) -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    assert "Export it as PNG" in words(add(maker, team, file(svg, "a.svg")).content.decode())
    assert not ReferenceImage.objects.exists()


def test_the_name_of_a_file_is_text_wherever_it_is_shown(maker: Client, team: Team) -> None:
    said = add(maker, team, file(b"x", "\u202e<b>evil</b>.png")).content.decode()
    assert "<b>" not in said
    assert "\u202e" not in said


def test_a_file_that_is_too_heavy_is_not_read(
    maker: Client, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "LARGEST", 100)
    assert "It weighs more than" in words(add(maker, team, file()).content.decode())
    assert not ReferenceImage.objects.exists()


def test_the_seventeenth_file_is_left_out_in_words(maker: Client, team: Team) -> None:
    files = [file(make_picture(20 + n, 20)) for n in range(17)]
    assert "At most 16 files at once" in words(add(maker, team, *files).content.decode())
    assert ReferenceImage.objects.count() == 16


def test_nothing_chosen_is_said(maker: Client, team: Team) -> None:
    assert "Choose an image first." in words(add(maker, team).content.decode())


def test_the_same_image_added_twice_is_one(maker: Client, team: Team) -> None:
    for _ in range(2):
        add(maker, team, file())
    assert ReferenceImage.objects.count() == 1


def test_images_for_the_look_stand_in_their_own_strip(maker: Client, team: Team) -> None:
    said = add(maker, team, file(), purpose="style_reference").content.decode()
    assert 'name="style_reference"' in said
    assert "beforeend:#style-tiles" in said
    forged = add(maker, team, file(make_picture(9, 9)), purpose='"><script>').content.decode()
    assert 'name="reference"' in forged
    assert "<script>" not in forged


def test_viewers_strangers_and_other_teams_add_and_see_nothing(
    viewer: Client, stranger: Client, maker: Client, team: Team
) -> None:
    other = make_team(make_user("else"))
    for client, where in ((viewer, team), (stranger, team), (maker, other)):
        assert add(client, where, file()).status_code == 404
        assert client.get(reverse("references", args=[where.slug])).status_code == 404
    assert Client().get(reverse("references", args=[team.slug])).status_code == 302
    assert not ReferenceImage.objects.exists()


def test_the_library_offers_the_teams_newest_images_and_no_drawing(
    maker: Client, team: Team, member: User
) -> None:
    ours = make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=40, count=2))
    make_asset(ours.generation, 1)
    type(ours).objects.filter(position=1).update(format="svg")
    theirs = make_asset(make_generation(status=Status.SUCCEEDED, cost=40))
    said = maker.get(reverse("references", args=[team.slug])).content.decode()
    assert re.findall(r'data-pick="([^"]+)"', said) == [f"image:{ours.pk}"]
    assert str(theirs.pk) not in said


# ── Seeing ──


def picture(client: Client, team: Team, reference: ReferenceImage, **query: str) -> Any:
    return client.get(reverse("reference_picture", args=[team.slug, reference.pk]), query)


def test_a_reference_is_its_authors_until_it_is_used_and_then_the_teams(
    maker: Client, mate: Client, viewer: Client, stranger: Client, team: Team, member: User
) -> None:
    reference = make_reference(member, team)
    assert picture(maker, team, reference).url.startswith("/files/")
    for client in (mate, viewer, stranger):
        assert picture(client, team, reference).status_code == 404
    make_generation(member, team, action="edit", references=(reference,))
    for client in (mate, viewer):
        assert picture(client, team, reference).status_code == 302
    assert picture(stranger, team, reference).status_code == 404


def test_a_reference_is_seen_in_its_own_team_only(maker: Client, team: Team, member: User) -> None:
    elsewhere = make_reference(member, member.personal_team)
    assert picture(maker, team, elsewhere).status_code == 404
    assert picture(maker, member.personal_team, elsewhere).status_code == 302


def test_a_small_copy_is_shown_and_all_of_it_only_to_paint_over(maker: Client, team: Team) -> None:
    add(maker, team, file(make_picture(900, 600)))
    reference = ReferenceImage.objects.get()
    small, full = picture(maker, team, reference), picture(maker, team, reference, size="full")
    assert small["Cache-Control"].startswith("private, max-age=")
    assert maker.get(small.url)["Content-Type"] == "image/webp"
    assert maker.get(full.url)["Content-Type"] == "image/png"


# ── In the prompt bar ──


def test_an_image_given_along_makes_it_an_edit(maker: Client, team: Team, member: User) -> None:
    reference = make_reference(member, team)
    said = bar(maker, team, reference=str(reference.pk))
    assert f'value="{reference.pk}"' in said
    assert "Edit · 40 credits" in words(said)
    assert 'name="moderation"' not in said  # an edit has no word for it
    assert send(maker, team, reference=str(reference.pk)).status_code == 200
    generation = Generation.objects.get()
    assert generation.action == "edit"
    assert generation.given.get().reference == reference


def test_the_order_of_the_strip_is_the_order_that_is_sent(
    maker: Client, team: Team, member: User
) -> None:
    first, second = make_reference(member, team), make_reference(member, team)
    send(maker, team, reference=[str(second.pk), str(first.pk)])
    assert [one.reference for one in Generation.objects.get().given.order_by("position")] == [
        second, first,
    ]  # fmt: skip


def test_an_image_of_the_library_goes_along_without_an_upload(
    maker: Client, team: Team, member: User
) -> None:
    image = make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=40))
    address = reverse("studio", args=[team.slug])
    shown = maker.get(address, {"image": image.pk}).content.decode()
    assert f'name="reference" value="image:{image.pk}"' in shown
    assert "Edit · 40 credits" in words(shown)
    assert not ReferenceImage.objects.exists()
    send(maker, team, reference=f"image:{image.pk}")
    assert Generation.objects.get(action="edit").parent == image.generation


def test_an_address_with_images_picks_a_model_that_takes_them(
    maker: Client, team: Team, member: User
) -> None:
    make_generation(member, team, wire_model="dall-e-3")  # the model used last
    image = make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=40))
    Generation.objects.filter(wire_model="dall-e-3").update(created_at="2100-01-01T00:00Z")
    shown = maker.get(reverse("studio", args=[team.slug]), {"image": image.pk}).content.decode()
    assert 'id="model" name="model" value="dall-e-3"' not in shown
    assert "takes no images" not in shown


def test_a_model_that_takes_none_keeps_them_greyed_and_refuses_beside_them(
    maker: Client, team: Team, member: User
) -> None:
    reference = make_reference(member, team)
    said = bar(maker, team, model="dall-e-3", reference=str(reference.pk))
    assert f'value="{reference.pk}"' in said
    assert "reference--off" in said
    assert "Image 1: DALL·E 3 takes no images here." in words(said)
    refused = send(maker, team, model="dall-e-3", reference=str(reference.pk))
    assert "takes no images here" in words(refused.content.decode())
    assert not Generation.objects.exists()


def test_one_image_too_many_is_marked_and_the_others_are_not(
    maker: Client, team: Team, member: User
) -> None:
    make_entry("dall-e-2")
    tokens = [str(make_reference(member, team, data=make_picture(64, 64)).pk) for _ in range(2)]
    said = bar(maker, team, model="dall-e-2", reference=tokens)
    assert said.count("reference--off") == 1
    assert "Image 2: DALL·E 2 takes at most 1." in words(said)


def test_what_will_be_made_smaller_is_said_before(maker: Client, team: Team, member: User) -> None:
    reference = make_reference(member, team)
    ReferenceImage.objects.update(width=12_000, height=9_000)
    assert "Will be sent smaller, about" in words(bar(maker, team, reference=str(reference.pk)))


@pytest.mark.parametrize("name", ["reference", "style_reference", "mask", "parent"])
def test_what_belongs_to_others_is_not_there(
    maker: Client, team: Team, member: User, name: str
) -> None:
    other = make_user("other")
    theirs = make_generation(other, status=Status.SUCCEEDED, cost=40)
    tokens = {
        "parent": [str(theirs.pk)],
        "mask": [str(make_reference(other, is_mask=True).pk)],
    }.get(name) or [
        str(make_reference(other).pk),
        str(make_reference(other, team).pk),  # of a mate who has not used it
        str(make_reference(member, member.personal_team).pk),
        f"image:{make_asset(theirs).pk}",
        "image:x",
        "'; --",
    ]
    before = Generation.objects.count()
    for token in tokens:
        answer = send(maker, team, **{name: token})
        assert "is not here any more" in words(answer.content.decode()), token
        assert maker.get(reverse("studio", args=[team.slug]), {name: token}).status_code == 200
    assert Generation.objects.count() == before


def test_extra_fields_of_an_upload_change_nothing(maker: Client, team: Team, member: User) -> None:
    other = make_team(make_user("else"))
    forged = {"team": other.pk, "author": "1", "is_mask": "1", "width": "1", "asset": "1"}
    add(maker, team, file(), **forged)
    kept = ReferenceImage.objects.get()
    assert (kept.team, kept.author, kept.is_mask, kept.width) == (team, member, False, 64)
    assert kept.asset is None


# ── Masks ──


def blank(width: int, height: int) -> bytes:
    """What the editor sends where nothing is painted."""
    out = io.BytesIO()
    Image.new("RGBA", (width, height)).save(out, "PNG")
    return out.getvalue()


def paint(client: Client, team: Team, data: bytes, over: str) -> Any:
    address = reverse("references", args=[team.slug])
    sent = {"mask": SimpleUploadedFile("mask.png", data), "painted_over": over}
    return client.post(address, sent, headers=HTMX)


def test_a_mask_painted_over_an_image_goes_along(maker: Client, team: Team, member: User) -> None:
    reference = make_reference(member, team)
    answer = paint(maker, team, make_mask(), str(reference.pk))
    mask = ReferenceImage.objects.get(is_mask=True)
    assert f'name="mask" value="{mask.pk}"' in answer.content.decode()
    assert "mask-kept" in answer["HX-Trigger"]
    send(maker, team, reference=str(reference.pk), mask=str(mask.pk))
    given = Generation.objects.get().given
    assert {one.purpose: one.reference for one in given.all()} == {
        "reference": reference, "mask": mask,
    }  # fmt: skip


def test_a_mask_can_be_painted_over_an_image_of_the_library(
    maker: Client, team: Team, member: User
) -> None:
    image = make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=40))
    assert "HX-Trigger" in paint(maker, team, make_mask(), f"image:{image.pk}")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (make_mask(32, 48), "They must be of the same size."),
        (make_mask(2, 48), "They must be of the same size."),
        (b"no image", "not an image made of pixels"),
        (blank(64, 48), "Nothing is painted"),
    ],
)
def test_a_mask_that_means_nothing_is_refused_in_words(
    maker: Client, team: Team, member: User, data: bytes, said: str
) -> None:
    reference = make_reference(member, team)
    answer = paint(maker, team, data, str(reference.pk))
    assert said in words(answer.content.decode())
    assert 'id="mask-refusal"' in answer.content.decode()
    assert "HX-Trigger" not in answer
    assert not ReferenceImage.objects.filter(is_mask=True).exists()


def test_an_image_of_another_team_is_not_painted_over(maker: Client, team: Team) -> None:
    theirs = make_reference(make_user("else"))
    for over in (str(theirs.pk), "", "x"):
        answer = paint(maker, team, make_mask(), over)
        assert "not here any more" in words(answer.content.decode())
    assert not ReferenceImage.objects.filter(is_mask=True).exists()


def test_the_editor_is_offered_where_the_model_takes_a_mask(
    maker: Client, team: Team, member: User
) -> None:
    reference = str(make_reference(member, team).pk)
    assert f'data-paint="{reference}"' in bar(maker, team, reference=reference)
    assert "data-paint" not in bar(maker, team, model="qwen-image-edit", reference=reference)
    assert "data-paint" not in bar(maker, team)


# ── A plain form ──


def test_a_plain_form_brings_files_along(maker: Client, team: Team) -> None:
    # The plain form has the fields of an image from text: one that nobody touched is no fault.
    files = [file(), file(make_picture(30, 30))]
    answer = send(maker, team, htmx=False, files=files, moderation="auto")
    generation = Generation.objects.get()
    assert answer.status_code == 302
    assert generation.action == "edit"
    assert generation.given.count() == 2


def test_a_field_that_somebody_set_is_refused_by_name_and_not_left_out(
    maker: Client, team: Team
) -> None:
    answer = send(maker, team, htmx=False, files=[file()], moderation="low")
    assert "does not take the field “moderation” here" in words(answer.content.decode())
    assert not Generation.objects.exists()


def test_a_plain_form_sent_twice_begins_once(maker: Client, team: Team) -> None:
    batch = str(uuid.uuid4())
    for _ in range(2):
        send(maker, team, htmx=False, batch=batch, files=[file()])
    assert Generation.objects.count() == 1


def test_a_refused_plain_form_keeps_the_images_and_says_which_was_none(
    maker: Client, team: Team
) -> None:
    answer = send(maker, team, htmx=False, prompt="", files=[file(), file(b"x", "words.png")])
    shown = answer.content.decode()
    kept = ReferenceImage.objects.get()
    assert f'name="reference" value="{kept.pk}"' in shown
    assert "words.png: The file is no image." in words(shown)
    assert not Generation.objects.exists()


def test_a_refused_file_of_a_plain_form_is_one_message(maker: Client, team: Team) -> None:
    files, mask = [file(b"x", "words.png")], mask_file()
    answer = send(
        maker, team, htmx=False, model="dall-e-2", action="edit", files=files, mask_file=mask
    )
    told = answer.content.decode().partition('id="prompt-errors"')[2].partition("</div>")[0]
    assert told.count("<p") == 1
    assert "words.png: The file is no image." in words(told)


def plain(client: Client, team: Team, **fields: Any) -> str:
    """What a plain form is told; nothing where it began something."""
    return words(send(client, team, htmx=False, **fields).content.decode())


def mask_file(width: int = 64, height: int = 48) -> SimpleUploadedFile:
    return SimpleUploadedFile("mask.png", make_mask(width, height))


@pytest.mark.parametrize(
    ("model", "action"), [("dall-e-2", ""), ("gpt-image-2", ""), ("bria", "erase")]
)
def test_a_plain_form_brings_a_mask_over_its_first_image(
    maker: Client, team: Team, model: str, action: str
) -> None:
    first = file(make_picture(64, 64))
    sent = {"model": model, "action": action, "files": [first], "mask_file": mask_file(64, 64)}
    assert plain(maker, team, **sent) == ""
    given = Generation.objects.get().given
    assert {one.purpose: one.reference.is_mask for one in given.all()} == {
        "reference": False, "mask": True,
    }  # fmt: skip


def test_a_mask_of_a_plain_form_that_means_nothing_is_refused_beside_the_others(
    maker: Client, team: Team
) -> None:
    assert "They must be of the same size." in plain(
        maker, team, files=[file()], mask_file=mask_file(32, 48)
    )
    assert "there is none here" in plain(maker, team, mask_file=mask_file())
    assert not Generation.objects.exists()
    assert not ReferenceImage.objects.filter(is_mask=True).exists()


def test_a_plain_form_with_a_mask_sent_twice_begins_once(maker: Client, team: Team) -> None:
    batch = str(uuid.uuid4())
    for _ in range(2):
        assert plain(maker, team, batch=batch, files=[file()], mask_file=mask_file()) == ""
    assert Generation.objects.count() == 1


def test_the_plain_form_asks_for_a_mask_where_the_model_takes_one(
    maker: Client, team: Team
) -> None:
    address = reverse("studio", args=[team.slug])
    shown = {
        model: 'name="mask_file"' in maker.get(address, {"model": model}).content.decode()
        for model in ("gpt-image-2", "dall-e-3")
    }
    assert shown == {"gpt-image-2": True, "dall-e-3": False}


def test_a_viewers_files_are_not_kept(viewer: Client, team: Team) -> None:
    send(viewer, team, htmx=False, files=[file()], mask_file=mask_file())
    assert not ReferenceImage.objects.exists()


def test_images_for_the_look_are_offered_where_the_provider_can_reach_them(
    maker: Client, team: Team, member: User, settings: Any
) -> None:
    style = str(make_reference(member, team).pk)
    settings.STORAGE_IS_REACHABLE = True
    shown = bar(maker, team, model="midjourney", style_reference=style)
    assert 'data-choose="style_reference"' in shown
    assert f'name="style_reference" value="{style}"' in shown
    assert "reference--off" not in shown
    settings.STORAGE_IS_REACHABLE = False
    shown = bar(maker, team, model="midjourney", style_reference=style)
    assert 'data-choose="style_reference"' not in shown
    assert "reference--off" in shown  # it stays, and says why
    assert "data-choose" not in bar(maker, team, model="midjourney")


def test_without_scripts_each_image_can_be_taken_out_by_a_link(
    maker: Client, team: Team, member: User
) -> None:
    first, second = (make_reference(member, team) for _ in range(2))
    both = [str(first.pk), str(second.pk)]
    shown = plain_page(maker, team, model="dall-e-3", reference=both, prompt="a heron")
    hrefs = re.findall(r'<a class="reference__remove" href="([^"]+)"', shown)
    kept = [maker.get(unescape(href)).content.decode() for href in hrefs]
    assert [re.findall(r'name="reference" value="([^"]+)"', page) for page in kept] == [
        [both[1]], [both[0]],
    ]  # fmt: skip
    assert all(">a heron</textarea>" in page for page in kept)


def test_a_mask_that_the_model_does_not_take_is_told_at_once(
    maker: Client, team: Team, member: User
) -> None:
    mask = make_reference(member, team, data=make_mask(64, 48), is_mask=True)
    reference = make_reference(member, team)
    said = bar(maker, team, model="dall-e-3", reference=str(reference.pk), mask=str(mask.pk))
    assert "DALL·E 3 takes no mask here. Take it out, or pick another model." in words(said)


def plain_page(client: Client, team: Team, **fields: Any) -> str:
    """The page on which a plain form is refused."""
    return str(send(client, team, htmx=False, **fields).content.decode())
