"""What people give along with a prompt, a class at a time, through the pages that take it.

D1 and X1 (what is no image, bombs, drawings with scripts), S1 (links in place of images), I1
(images, masks and buttons of others), A2 (fields that nobody offered), C1 and D2 (requests from
elsewhere, and spoilt ones) on every way in; and the limits of each model.
"""

import io
import json
import uuid
import zlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse
from PIL import Image

from generator import briefs, catalogue_sync
from generator.families import FAMILIES
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
    storage,
)
from generator.models.storage import link_for_provider, link_to
from generator.providers.directory import Directory, Listed
from tests.living import KEY, Studio, living, posted
from tests.make import (
    add_member,
    make_asset,
    make_entry,
    make_generation,
    make_mask,
    make_picture,
    make_reference,
    make_user,
)
from tests.pictures.make import SVG, black_rows, encode, make_image, png_chunk, raw_png
from tests.scripted import CAP, left
from tests.views.conftest import words

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def maker(member: User) -> Client:
    """The member's browser."""
    browser = Client()
    browser.force_login(member)
    return browser


def file(data: bytes, name: str = "heron.png", said: str = "image/png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type=said)


def upload(browser: Client, team: Team, /, **sent: Any) -> str:
    """What the page is told of an upload."""
    answer = browser.post(reverse("references", args=[team.slug]), sent, headers=HTMX)
    assert answer.status_code == 200
    return words(answer.content.decode())


def send(browser: Client, team: Team, /, *, htmx: bool = True, **fields: Any) -> str:
    """What the page is told of what was sent."""
    sent = {"batch": str(uuid.uuid4()), "model": "gpt-image-2", "prompt": "a teapot", **fields}
    headers = HTMX if htmx else None
    answer = browser.post(reverse("create", args=[team.slug]), sent, headers=headers)
    assert answer.status_code in {200, 302}, answer.status_code
    return words(answer.content.decode())


def nothing_began() -> None:
    assert not Generation.objects.exists()
    assert not LedgerEntry.objects.filter(kind="reserve").exists()


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
    assert f"takes at most {'one reference image' if rule.most == 1 else rule.most}" in told
    if rule.least and family.rule(action).starts_from == "nothing":
        assert "Add " in send(maker, team, **{**data, "reference": tokens[: rule.least - 1]})
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


# ── Other people's (I1), other origins (C1), other fields (A2), spoilt requests (D2) ──


@pytest.fixture
def people(team: Team, member: User) -> dict[str, Client]:
    """A browser for each kind of person who may change nothing here."""
    viewer, stranger, gone = (make_user(name) for name in ("viewer", "other", "gone"))
    add_member(team, viewer, Role.VIEWER)
    add_member(team, gone)
    clients = {name: Client() for name in ("viewer", "other", "gone", "anonymous")}
    for user in (viewer, stranger, gone):
        clients[user.username].force_login(user)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    return clients


@pytest.fixture
def grid(team: Team, member: User) -> Generation:
    """Something that Midjourney made, with a button."""
    make_entry("midjourney")
    grid = make_generation(
        member, team, wire_model="midjourney", status=Status.SUCCEEDED, cost=1, task_id="t1",
        buttons=[{"id": "MJ::U1", "label": "U1", "action": "upscale", "asks": ""}],
    )  # fmt: skip
    make_asset(grid)
    return grid


def ways_in(team: Team, grid: Generation) -> dict[str, tuple[str, Callable[[], dict[str, Any]]]]:
    """Every route of issue 3 that changes something, and what a page would post."""
    batch = str(uuid.uuid4())
    return {
        "upload": (reverse("references", args=[team.slug]), lambda: {"files": file(PNG)}),
        "mask": (
            reverse("references", args=[team.slug]),
            lambda: {"mask": file(make_mask()), "painted_over": f"image:{grid.images.get().pk}"},
        ),
        "press": (
            reverse("press", args=[team.slug, grid.pk]),
            lambda: {"button": "MJ::U1", "batch": batch},
        ),
        "create": (
            reverse("create", args=[team.slug]),
            lambda: {"model": "gpt-image-2", "prompt": "x", "batch": batch, "files": file(PNG)},
        ),
    }


WAYS = ["upload", "mask", "press", "create"]


@pytest.mark.parametrize("way", WAYS)
def test_nobody_but_makers_of_the_team_gives_or_presses_anything(
    people: dict[str, Client], team: Team, grid: Generation, way: str
) -> None:
    path, sent = ways_in(team, grid)[way]
    for name, browser in people.items():
        assert browser.post(path, sent()).status_code in {200, 302, 400, 404}, name
        assert Generation.objects.count() == 1, name
        assert not ReferenceImage.objects.exists(), name


@pytest.mark.parametrize("way", WAYS)
def test_no_change_without_the_forms_token_and_none_by_looking(
    member: User, team: Team, grid: Generation, way: str
) -> None:
    path, sent = ways_in(team, grid)[way]
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(member)
    assert browser.post(path, sent()).status_code == 403
    data = {name: value for name, value in sent().items() if isinstance(value, str)}
    assert browser.get(path, data).status_code in {200, 405}
    assert Generation.objects.count() == 1
    assert not ReferenceImage.objects.exists()


@pytest.mark.parametrize("way", WAYS)
def test_what_was_forged_into_a_request_changes_nothing(
    maker: Client, member: User, team: Team, grid: Generation, way: str
) -> None:
    other = make_user("else")
    forged = {"team": other.personal_team.pk, "author": other.pk, "author_id": other.pk,
              "price": "0", "cost": "0", "credits": "0", "status": "succeeded", "task_id": "t9",
              "action": "create", "wire_model": "dall-e-3", "protocol": "flux", "family": "flux",
              "is_mask": "1", "asset": str(grid.images.get().pk), "memory": "teams/1/x",
              "key": "../x", "button_label": "free", "is_staff": "on"}  # fmt: skip
    path, sent = ways_in(team, grid)[way]
    maker.post(path, {**forged, **sent()})
    for generation in Generation.objects.exclude(pk=grid.pk):
        assert generation.price > 0
        assert (generation.team, generation.author) == (team, member)
        assert (generation.status, generation.task_id, generation.memory) == ("queued", "", "")
        assert generation.wire_model in {"gpt-image-2", "midjourney"}
    for reference in ReferenceImage.objects.all():
        assert (reference.team, reference.author) == (team, member)
        assert reference.asset is None
        assert reference.is_mask is (way == "mask")
    member.refresh_from_db()
    assert not member.is_staff


SPOILT: list[tuple[bytes, str]] = [
    (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
    (b"--x\r\nContent-Disposition: form-data; name=files; filename=a\r\n\r\n",
     "multipart/form-data; boundary=x"),
    (b"", "multipart/form-data"),
    (b"x", "multipart/form-data; boundary=" + "y" * 5000),
    (b"\x1f\x8b" + bytes(100), "application/x-www-form-urlencoded"),
    (b"[" * 100_000, "application/json"),
    (b"a=" + b"b" * 2_000_000, "application/x-www-form-urlencoded"),
    (b"&".join(b"reference=%d" % n for n in range(1000)), "application/x-www-form-urlencoded"),
    (b"files=x&mask=y&painted_over=z&button=&batch=", "application/x-www-form-urlencoded"),
    (b"reference=%00&model=%00&mask=%00&parent=%00&button=%00&action=%00&also=%00",
     "application/x-www-form-urlencoded"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "content_type"), SPOILT)
@pytest.mark.parametrize("way", WAYS)
def test_a_spoilt_body_is_answered_and_changes_nothing(
    maker: Client, team: Team, grid: Generation, way: str, body: bytes, content_type: str
) -> None:
    path, _sent = ways_in(team, grid)[way]
    assert maker.post(path, body, content_type=content_type).status_code < 500
    assert Generation.objects.count() == 1
    assert not ReferenceImage.objects.exists()


@pytest.fixture
def no_nought_in_the_database() -> Iterator[None]:
    """PostgreSQL takes no NUL in a text: a query with one would be a broken page there."""

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        assert not any("\0" in str(one) for one in params or ()), sql
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield


NOUGHT = "gpt-\x00image"


@pytest.mark.usefixtures("no_nought_in_the_database")
@pytest.mark.parametrize(
    "name",
    ["model", "also", "action", "prompt", "reference", "mask", "parent", "parent_position",
     "button", "batch", "size", "style_reference", "negative_prompt"],
)  # fmt: skip
def test_no_field_brings_a_nought_to_the_database(
    maker: Client, team: Team, grid: Generation, name: str
) -> None:
    send(maker, team, **{name: NOUGHT})
    for route in ("studio", "fields"):
        said = {"model": "gpt-image-2", name: NOUGHT}
        assert maker.get(reverse(route, args=[team.slug]), said).status_code in {200, 404}
    maker.post(reverse("press", args=[team.slug, grid.pk]), {name: NOUGHT, "button": "MJ::U1"})


# ── Buttons ──


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with living() as studio:
        yield studio


@pytest.fixture
def made(studio: Studio, team: Team, member: User) -> Generation:
    """Four pictures of the sandbox's Midjourney, with their buttons."""
    case = FAMILIES["midjourney"], "midjourney", "create"
    made = studio.make(team, member, case, "a teapot")
    assert made.status == Status.SUCCEEDED, made.reason
    return made


def button_of(generation: Generation, label: str) -> str:
    return next(str(row["id"]) for row in generation.buttons if row["label"] == label)


def press(browser: Client, parent: Generation, button: str, batch: str = "") -> Any:
    path = reverse("press", args=[parent.team.slug, parent.pk])
    return browser.post(path, {"button": button, "batch": batch or str(uuid.uuid4())})


def test_a_button_pressed_twice_at_once_is_paid_once(
    studio: Studio, maker: Client, made: Generation
) -> None:
    before, batch = studio.log.paid_calls, str(uuid.uuid4())
    for _ in range(2):
        press(maker, made, button_of(made, "U1"), batch)
    (pressed,) = Generation.objects.filter(parent=made)
    assert studio.carry(pressed).status == Status.SUCCEEDED
    assert studio.log.paid_calls == before + 1
    assert left(pressed) == CAP - made.cost - pressed.price


def test_a_button_whose_task_expired_costs_nothing_and_says_so(
    studio: Studio, maker: Client, made: Generation
) -> None:
    before = studio.log.paid_calls
    studio.sandbox.desk.tasks._kept.clear()
    press(maker, made, button_of(made, "U2"))
    pressed = studio.carry(Generation.objects.get(parent=made))
    assert pressed.status == Status.FAILED
    assert pressed.reason
    assert "MJ::" not in pressed.reason
    assert studio.log.paid_calls == before
    assert left(pressed) == CAP - made.cost


def test_a_button_that_was_never_offered_cannot_be_pressed(
    maker: Client, made: Generation, team: Team, member: User
) -> None:
    other = make_generation(
        member, team, wire_model="midjourney", status=Status.SUCCEEDED, cost=1, task_id="t2",
        buttons=[{"id": "MJ::JOB::other", "label": "U1", "action": "upscale", "asks": ""}],
    )  # fmt: skip
    for forged in ("MJ::JOB::upsample::1::forged", "U1", "", "0", "MJ::JOB::other", SCRIPT):
        press(maker, made, forged)
    sent = {"model": "midjourney", "parent": str(made.pk), "button": "MJ::JOB::other"}
    send(maker, team, **sent)
    failed = make_generation(
        member, team, wire_model="midjourney", status=Status.FAILED, buttons=other.buttons
    )
    press(maker, failed, "MJ::JOB::other")
    # Of another model: what a provider's button does, no other can.
    send(maker, team, model="gpt-image-2", parent=str(other.pk), button="MJ::JOB::other")
    assert not Generation.objects.exclude(parent=None).exists()


def test_a_refusal_in_a_dialog_is_said_as_such_and_costs_nothing(
    studio: Studio, maker: Client, made: Generation, team: Team
) -> None:
    press(maker, made, button_of(made, "U1"))
    one = studio.carry(Generation.objects.get(parent=made))
    before = studio.log.paid_calls
    asking = next(row for row in one.buttons if row["action"] == "zoom" and row["asks"])
    sent = {"model": "midjourney", "parent": str(one.pk), "button": asking["id"]}
    send(maker, team, **sent, prompt="an unspeakable teapot [refuse]")
    zoomed = studio.carry(Generation.objects.get(parent=one))
    assert (zoomed.status, zoomed.reason_code) == (Status.FAILED, "content")
    assert "unspeakable" not in zoomed.reason
    assert left(zoomed) == CAP - made.cost - one.cost
    assert studio.log.paid_calls <= before + 1


# ── What a model remembers ──


def test_what_a_model_remembers_is_behind_no_link_and_of_its_own_team_only(
    studio: Studio, maker: Client, team: Team, member: User
) -> None:
    model = "gemini-3.1-flash-image-preview"
    case = FAMILIES["gemini-3-flash-image"], model, "create"
    first = studio.make(team, member, case, "a teapot")
    assert first.memory
    pages = [
        reverse("studio", args=[team.slug]),
        reverse("card", args=[team.slug, first.pk]),
        reverse("image", args=[team.slug, first.images.get().pk]),
    ]
    for path in pages:
        assert first.memory not in maker.get(path).content.decode()
    other = make_user("else")
    browser = Client()
    browser.force_login(other)
    sent = {"model": model, "action": "edit", "parent": str(first.pk)}
    assert "not here any more" in send(browser, other.personal_team, **sent)
    assert not Generation.objects.exclude(pk=first.pk).exists()


# ── Links for providers ──


def test_a_link_for_a_provider_is_made_only_where_the_storage_can_be_reached(
    studio: Studio, maker: Client, team: Team, member: User, settings: Any
) -> None:
    make_entry("midjourney")
    style = str(make_reference(member, team).pk)
    told = send(maker, team, model="midjourney", style_reference=style)
    assert "takes no reference images here" in told
    nothing_began()
    settings.STORAGE_IS_REACHABLE = True
    send(maker, team, model="midjourney", style_reference=style)
    generation = Generation.objects.get()
    settings.STORAGE_IS_REACHABLE = False
    # The deployment changed its mind before it was sent.
    assert studio.carry(generation).status == Status.FAILED
    assert left(generation) == CAP


def test_a_link_for_a_provider_opens_one_file_for_an_hour(
    team: Team, member: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = make_reference(member, team)
    settings.IMAGE_LINK_LIFE = -1  # a page's own links are over long before
    path = link_for_provider(reference.key).removeprefix(settings.ADDRESS)
    assert Client().get(path).status_code == 200
    assert Client().get(path[:-1]).status_code == 404
    assert Client().get(link_to(reference.key)).status_code == 404
    monkeypatch.setattr(storage, "PROVIDER_LINK_LIFE", -1)
    assert Client().get(path).status_code == 404


# ── Text of strangers (X2) ──


def test_words_of_providers_and_of_files_are_text_on_every_page(
    maker: Client, team: Team, member: User, grid: Generation
) -> None:
    reference = make_reference(member, team)
    ReferenceImage.objects.update(name=SCRIPT[:120])
    facts: dict[str, Any] = {
        "status": Status.SUCCEEDED, "cost": 1, "texts": [SCRIPT], "reason": SCRIPT,
        "used": {SCRIPT: SCRIPT, "seed": SCRIPT}, "usage": {SCRIPT: 3}, "button_label": SCRIPT[:80],
        "buttons": [{"id": SCRIPT[:90], "label": SCRIPT, "action": "upscale", "asks": ""},
                    {"id": "javascript:x", "label": SCRIPT, "action": "zoom", "asks": "prompt"}],
    }  # fmt: skip
    said = make_generation(
        member, team, wire_model="midjourney", parent=grid, parent_position=0, **facts
    )
    edit = make_generation(member, team, action="edit", references=(reference,), **facts)
    paths = [reverse("studio", args=[team.slug]), reverse("library", args=[team.slug])]
    for one in (said, edit):
        asset = make_asset(one)
        paths += [
            reverse("image", args=[team.slug, asset.pk]),
            reverse("card", args=[team.slug, one.pk]),
            reverse("studio", args=[team.slug]) + f"?from={one.pk}",
        ]
    paths.append(reverse("studio", args=[team.slug]) + f"?parent={said.pk}&button=javascript:x"
                 "&model=midjourney")  # fmt: skip
    for path in paths:
        answer = maker.get(path)
        assert answer.status_code == 200, path
        page = answer.content.decode()
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
        assert 'href="javascript:' not in page, path


# ── The directory and the balance (T1, D2) ──

ROWS = [
    Listed(id, name=SCRIPT[:120], provider=SCRIPT[:60], description=SCRIPT, model_type="image",
           per_request=Decimal("0.01"))
    for id in ("x" * 120, "../../admin", "flux-2-pro/../../v1", "gpt-image-2/..", "@evil.example")
]  # fmt: skip


def test_whatever_a_gateway_lists_is_offered_to_nobody_by_itself(
    team: Team, member: User, maker: Client
) -> None:
    class Listing:
        def list_models(self) -> Directory:
            return Directory(tuple(ROWS), is_whole=True)

    before = set(CatalogueEntry.objects.pickable().values_list("wire_model", flat=True))
    catalogue_sync.sync(Listing())  # type: ignore[arg-type]
    after = set(CatalogueEntry.objects.pickable().values_list("wire_model", flat=True))
    assert after <= before
    assert CatalogueEntry.objects.filter(wire_model__in=[row.id for row in ROWS]).count() == 5
    for row in ROWS:
        assert "is not offered" in send(maker, team, model=row.id)
    nothing_began()
    staff = make_user("staff", is_staff=True, is_superuser=True)
    maker.force_login(staff)
    page = maker.get(reverse("admin:generator_catalogueentry_changelist"), follow=True)
    assert page.status_code == 200
    assert "<script>alert" not in page.content.decode()


def test_the_key_is_in_no_page_that_shows_the_balance(
    studio: Studio, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from generator import jobs

    caplog.set_level("DEBUG")
    settings.COMETAPI_KEY = KEY
    monkeypatch.setattr(jobs, "open_gateway", lambda: studio.gateway)
    staff, browser = make_user("staff", is_staff=True, is_superuser=True), Client()
    browser.force_login(staff)
    for name in ("admin:index", "admin:generator_catalogueentry_changelist"):
        page = browser.get(reverse(name), follow=True)
        assert page.status_code == 200
        assert KEY not in page.content.decode()
    assert KEY not in caplog.text
