"""What people give along with a prompt, a class at a time, through the pages that take it.

D1 and X1 (what is no image, bombs, drawings with scripts), S1 (links in place of images), and the
limits of each model: how many, how large, how heavy together, and which masks.
"""

import io
import json
import zlib
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from generator import briefs
from generator.families import FAMILIES
from generator.models import (
    Generation,
    ImageAsset,
    ReferenceImage,
    Status,
    Team,
    User,
)
from generator.models.storage import link_to
from tests.giving import HTMX, file, nothing_began, send, upload
from tests.living import posted
from tests.make import (
    make_asset,
    make_entry,
    make_generation,
    make_mask,
    make_picture,
    make_reference,
)
from tests.pictures.make import SVG, black_rows, encode, make_image, png_chunk, raw_png

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def maker(member: User) -> Client:
    """The member's browser."""
    browser = Client()
    browser.force_login(member)
    return browser


# ── What is no image (D1, X1) ──

HOSTILE_SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="alert(1)">
<script>alert(1)</script><image href="http://169.254.169.254/"/></svg>"""
ENTITIES = b"""<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<svg xmlns="http://www.w3.org/2000/svg">&b;</svg>"""
PNG, GIF = make_picture(), encode(make_image("P"), "GIF")


def animation() -> bytes:
    frames = [make_image("P", (40, 30)), make_image("P", (30, 40)).resize((40, 30))]
    return encode(frames[0], "GIF", save_all=True, append_images=frames[1:])


NO_IMAGES: dict[str, bytes] = {
    "nothing": b"",
    "text": b"no image at all",
    "a page": b"<!DOCTYPE html><script>alert(1)</script>",
    "a program": b"MZ" + bytes(500),
    "a zip": b"PK\x03\x04" + bytes(500),
    "a pdf": b"%PDF-1.7\n" + bytes(500),
    "a script for the shell": b"#!/bin/sh\nid",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n(id) run",
    "tiff": encode(make_image(), "TIFF"),
    "bmp": encode(make_image(), "BMP"),
    "icon": encode(make_image(size=(32, 32)), "ICO"),
    "the start of a png": PNG[:8],
    "half a png": PNG[: len(PNG) // 2],
    "an animation": animation(),
    "a drawing": SVG,
    "a drawing with a script": HOSTILE_SVG,
    "a drawing with entities": ENTITIES,
    "a drawing behind a mark": b"\xef\xbb\xbf \n" + HOSTILE_SVG,
    "a bomb": raw_png(30_000, 30_000, packed=zlib.compress(bytes(100_000))),
    "a bomb that is whole": raw_png(9_000, 5_000, packed=black_rows(9_000, 5_000)),
    "a bomb of one row": raw_png(2**31 - 1, 1, packed=b""),
    "a png of no size": raw_png(0, 0, packed=b""),
    "a png that says more than it holds": raw_png(4000, 4000, packed=zlib.compress(bytes(10))),
}


@pytest.mark.parametrize("kind", NO_IMAGES)
@pytest.mark.parametrize("said", ["image/png", "image/svg+xml", "text/html"])
def test_what_is_no_image_is_refused_by_its_bytes_whatever_it_is_called(
    maker: Client, team: Team, kind: str, said: str
) -> None:
    told = upload(maker, team, files=file(NO_IMAGES[kind], "heron.png", said))
    assert "heron.png:" in told
    assert not ReferenceImage.objects.exists()


@pytest.mark.parametrize("kind", NO_IMAGES)
def test_a_plain_form_with_what_is_no_image_begins_nothing(
    maker: Client, team: Team, kind: str
) -> None:
    send(maker, team, htmx=False, files=file(NO_IMAGES[kind]))
    nothing_began()
    assert not ReferenceImage.objects.exists()


@pytest.mark.parametrize("kind", [kind for kind in NO_IMAGES if kind != "a png of no size"])
def test_what_is_no_image_is_no_mask(maker: Client, team: Team, member: User, kind: str) -> None:
    over = str(make_reference(member, team).pk)
    answer = upload(maker, team, mask=file(NO_IMAGES[kind]), painted_over=over)
    assert not ReferenceImage.objects.filter(is_mask=True).exists(), answer


def test_what_stands_beside_the_pixels_is_not_kept(maker: Client, team: Team) -> None:
    hidden = b"<script>alert(1)</script>"
    text = png_chunk(b"tEXt", b"Comment\0" + hidden)
    polyglot = PNG[:33] + text + PNG[33:] + b"PK\x03\x04" + hidden
    upload(maker, team, files=file(polyglot, "a.html", "text/html"))
    kept = ReferenceImage.objects.get()
    with kept.file.open() as stored:
        data = stored.read()
    assert hidden not in data
    assert data.endswith(b"IEND\xaeB`\x82")
    answer = maker.get(link_to(kept.key))
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


@pytest.mark.parametrize(
    "name",
    ["../../../etc/passwd", "..\\..\\evil.png", "a\x00.png", "x" * 5000, "\u202egnp.exe", SCRIPT,
     "con.png", "/etc/passwd", "...", "\u2028.png"],
)  # fmt: skip
def test_the_name_of_a_file_names_nothing_here(
    maker: Client, team: Team, member: User, name: str
) -> None:
    answer = maker.post(
        reverse("references", args=[team.slug]), {"files": file(PNG, name)}, headers=HTMX
    )
    assert answer.status_code == 200
    assert "<script>" not in answer.content.decode()
    kept = ReferenceImage.objects.get()
    assert kept.key == f"teams/{team.pk}/references/{kept.pk}.png"
    assert not set(kept.name) & set("<>/\\\x00\u202e\"'")


# ── Links in place of images (S1) ──


@pytest.mark.parametrize("name", ["reference", "style_reference", "mask", "parent"])
@pytest.mark.parametrize(
    "link",
    ["http://169.254.169.254/latest/meta-data/", "https://images.example/1.png",
     "file:///etc/passwd", "data:image/png;base64,AAAA", "image:https://images.example/1.png",
     "//169.254.169.254/", "/files/x", "image:../../x", "\x00", "image:\x00", "x" * 100_000],
)  # fmt: skip
def test_a_link_is_no_image_and_is_never_called(
    maker: Client, team: Team, member: User, name: str, link: str
) -> None:
    for model in ("gpt-image-2", "midjourney"):
        make_entry(model)
        assert "not here any more" in send(maker, team, model=model, **{name: link})
    nothing_began()
    nobody = maker.get(reverse("studio", args=[team.slug]), {name: link[:2000]})
    assert nobody.status_code == 200


@pytest.mark.parametrize("field", ["url", "image_url", "base_url", "host", "webhook", "api_base"])
def test_no_field_of_a_form_says_where_to_go(maker: Client, team: Team, field: str) -> None:
    send(maker, team, **{field: "https://evil.example/"})
    assert "evil" not in json.dumps(Generation.objects.get().fields)


# ── Limits of the models ──

RULED = [
    (family, family.models[0].wire_model, action)
    for family in FAMILIES.values()
    for action, rule in family.actions.items()
    if rule.references and rule.starts_from != "button" and rule.is_for(family.models[0].wire_model)
]


@pytest.mark.parametrize("case", RULED, ids=lambda case: f"{case[1]} {case[2]}")
def test_one_image_more_than_a_model_takes_is_refused(
    maker: Client, team: Team, member: User, case: Any
) -> None:
    family, _wire_model, action = case
    data = posted(team, member, case, "a teapot")
    rule = family.rule(action).references
    row = make_reference(
        member, team, data=make_picture(rule.shortest_side + 64, 64 + rule.shortest_side)
    )
    copies = [
        ReferenceImage(**{f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields
                          if f.name != "id"})
        for _ in range(rule.most + 1)
    ]  # fmt: skip
    ReferenceImage.objects.bulk_create(copies)
    tokens = [str(one.pk) for one in copies]
    told = send(maker, team, **{**data, "reference": tokens})
    assert f"takes at most {'one image' if rule.most == 1 else rule.most}" in told
    if rule.least and family.rule(action).starts_from == "nothing":
        assert ": add " in send(maker, team, **{**data, "reference": tokens[: rule.least - 1]})
    nothing_began()


SERIES = [name for name, family in FAMILIES.items() if name.startswith("seedream")
          and "count" in family.fields]  # fmt: skip


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("count", ["16", "15.5", "0", "-3", "1e1", "9" * 50])
def test_a_sequence_is_of_fifteen_at_most(maker: Client, team: Team, name: str, count: str) -> None:
    model = FAMILIES[name].models[0].wire_model
    make_entry(model)
    send(maker, team, model=model, count=count)
    nothing_began()
    send(maker, team, model=model, count="15")
    assert Generation.objects.get().count == 15


@pytest.mark.parametrize("name", SERIES)
def test_a_sequence_counts_the_images_that_go_along(
    maker: Client, team: Team, member: User, name: str
) -> None:
    model = FAMILIES[name].models[0].wire_model
    make_entry(model)
    tokens = [str(make_reference(member, team, data=make_picture(64, 60 + n)).pk) for n in range(3)]
    told = send(maker, team, model=model, count="13", reference=tokens)
    assert "at most 12 can be made" in told
    nothing_began()
    send(maker, team, model=model, count="12", reference=tokens)
    assert Generation.objects.get().count == 12


OWN = [
    (family.models[0].wire_model, field)
    for family in FAMILIES.values()
    if (field := family.fields.get("size")) and field.own and field.is_for(
        family.models[0].wire_model, "create")
]  # fmt: skip


@pytest.mark.parametrize(("model", "field"), OWN, ids=[model for model, _ in OWN])
def test_a_size_outside_a_model_s_pixels_is_refused(
    maker: Client, team: Team, model: str, field: Any
) -> None:
    make_entry(model)
    own = field.own
    step = own.multiple_of
    below = int((own.least_pixels - 1) ** 0.5) // step * step
    above = (int(own.most_pixels**0.5) // step + 1) * step
    sizes = [(side, side) for side in (below, above) if side > 0]
    sizes += [(0, 0), (99_999, 16), (10**30, 10**30)]
    if step > 1:
        sizes.append((1025, 1025))
    for width, height in sizes:
        if f"{width}x{height}" in field.choices:
            continue
        for said in ({"size": f"{width}x{height}"},
                     {"size": "own", "size_width": width, "size_height": height}):  # fmt: skip
            send(maker, team, model=model, **said)
            assert not Generation.objects.exists(), (width, height)


def test_images_that_weigh_too_much_together_are_made_lighter(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = [encode(make_image("RGB", (300 + n, 300)), "PNG") for n in range(3)]
    light = make_picture(64, 64)
    given = tuple(make_reference(member, team, data=data) for data in (*noise, light))
    generation = make_generation(member, team, action="edit", references=given)
    rule = generation.rule.references
    assert rule
    most = sum(map(len, noise)) // 2
    usual = rule.all_bytes
    object.__setattr__(rule, "all_bytes", most)
    try:
        brief = briefs.brief_of(generation)
    finally:
        object.__setattr__(rule, "all_bytes", usual)
    weights = [len(one.data) for one in brief.references]
    assert sum(weights) <= most
    assert len(brief.references) == 4
    assert Image.open(io.BytesIO(brief.references[3].data)).size == (64, 64)


# ── Masks ──


def test_only_a_mask_is_a_mask(maker: Client, team: Team, member: User) -> None:
    reference = make_reference(member, team)
    image = make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=1))
    before = Generation.objects.count()
    for token in (str(reference.pk), str(make_reference(member, team).pk), f"image:{image.pk}"):
        told = send(maker, team, reference=str(reference.pk), mask=token)
        assert "That is an image, and not a mask." in told
    mask = make_reference(member, team, data=make_mask(), is_mask=True)
    assert "This is a mask" in send(maker, team, reference=str(mask.pk))
    assert Generation.objects.count() == before


def test_a_mask_of_another_size_than_the_image_is_refused_when_it_is_sent(
    maker: Client, team: Team, member: User
) -> None:
    reference = make_reference(member, team)
    mask = make_reference(member, team, data=make_mask(48, 64), is_mask=True)
    told = send(maker, team, reference=str(reference.pk), mask=str(mask.pk))
    assert "Paint it again." in told
    nothing_began()


def test_a_mask_over_nothing_is_refused(maker: Client, team: Team, member: User) -> None:
    make_entry("midjourney")
    parent = make_generation(
        member, team, wire_model="midjourney", status=Status.SUCCEEDED, cost=1, task_id="t1",
        buttons=[{"id": "MJ::Inpaint::1", "label": "Vary (Region)", "action": "fill",
                  "asks": "mask"}],
    )  # fmt: skip
    make_asset(parent)
    mask = make_reference(member, team, data=make_mask(7, 7), is_mask=True)
    sent = {"model": "midjourney", "parent": str(parent.pk), "button": "MJ::Inpaint::1",
            "mask": str(mask.pk)}  # fmt: skip
    for position in ("", "0", "7", "99"):
        send(maker, team, **sent, parent_position=position)
        assert Generation.objects.count() == 1, position


@pytest.mark.parametrize("level", [0, 127])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_mask_with_nothing_painted_is_refused(
    maker: Client, team: Team, member: User, mode: str, level: int
) -> None:
    over = str(make_reference(member, team).pk)
    colour: Any = {"L": level, "RGB": (level,) * 3, "RGBA": (255, 255, 255, level)}[mode]
    blank = encode(Image.new(mode, (64, 48), colour), "PNG")
    assert "Nothing is painted" in upload(maker, team, mask=file(blank), painted_over=over)
    assert not ReferenceImage.objects.filter(is_mask=True).exists()


# ── A drawing of the library ──


@pytest.mark.parametrize("name", ["reference", "style_reference"])
def test_a_drawing_of_the_library_goes_along_with_nothing(
    maker: Client, team: Team, member: User, settings: Any, name: str
) -> None:
    settings.STORAGE_IS_REACHABLE = True
    for model in ("gpt-image-2", "midjourney"):
        make_entry(model)
    drawing = make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=1))
    ImageAsset.objects.update(format="svg", extension="svg", content_type="image/svg+xml")
    model = "gpt-image-2" if name == "reference" else "midjourney"
    before = Generation.objects.count()
    told = send(maker, team, model=model, **{name: f"image:{drawing.pk}"})
    assert "This is a drawing (SVG)." in told
    assert Generation.objects.count() == before
