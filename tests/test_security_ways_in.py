"""The ways in that images brought with them, a class at a time: who may take them, and with what.

I1 (images, masks, buttons and memories of others), C1 and D2 (requests from elsewhere, and spoilt
ones), A2 (fields that nobody offered), X2 and T1 (words of strangers, the key): uploads, masks,
links for providers, the gateway's own list. Buttons have a file of their own.
"""

import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from generator import catalogue_sync
from generator.models import (
    CatalogueEntry,
    Generation,
    ReferenceImage,
    Role,
    Status,
    Team,
    User,
    storage,
)
from generator.models.storage import link_for_provider, link_to
from generator.providers.directory import Directory, Listed
from tests.giving import file, nothing_began, send
from tests.living import KEY, Studio, living
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
from tests.scripted import CAP, left

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def maker(member: User) -> Client:
    """The member's browser."""
    browser = Client()
    browser.force_login(member)
    return browser


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
        "upload": (
            reverse("references", args=[team.slug]),
            lambda: {"files": file(make_picture())},
        ),
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
            lambda: {
                "model": "gpt-image-2",
                "prompt": "x",
                "batch": batch,
                "files": file(make_picture()),
            },
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


# ── Links for providers ──


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with living() as studio:
        yield studio


def test_a_link_for_a_provider_is_made_only_where_the_storage_can_be_reached(
    studio: Studio, maker: Client, team: Team, member: User, settings: Any
) -> None:
    make_entry("midjourney")
    style = str(make_reference(member, team).pk)
    told = send(maker, team, model="midjourney", style_reference=style)
    assert "takes no images here" in told
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
    for id in ("x" * 120, "../../admin", "flux-2-pro/../../v1", "gpt-image-2-2099-01-01", "@evil")
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
