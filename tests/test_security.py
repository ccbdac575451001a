"""What went wrong in products like ours, a class at a time: each test walks a class, not a case.

D2 (bodies that break things), R1 (the queue as a way to run code), T1 (the key where it must not
be), X2 (text that turns into a page). Who may do what is walked in test_routes.
"""

import json
import logging
import uuid
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import serializers
from django.test import Client
from django.urls import reverse

from generator import jobs, lifecycle
from generator.models import (
    CatalogueEntry,
    Generation,
    ImageAsset,
    LedgerEntry,
    Role,
    Status,
    Team,
    User,
)
from generator.sandbox import Sandbox
from generator.sandbox.serve import serving
from tests.make import add_member, make_asset, make_generation, make_user

KEY = "sk-sentinel-0123456789abcdef"
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.fixture
def asset(team: Team, member: User) -> ImageAsset:
    """An image of the member's, in the team."""
    return make_asset(make_generation(member, team, status=Status.SUCCEEDED))


@pytest.fixture
def people(team: Team, member: User) -> dict[str, Client]:
    """A browser for each kind of person there is."""
    mate, viewer, stranger, gone = (make_user(name) for name in ("mate", "viewer", "other", "gone"))
    add_member(team, mate)
    add_member(team, viewer, Role.VIEWER)
    add_member(team, gone)
    people = {"author": member, "mate": mate, "viewer": viewer, "stranger": stranger, "gone": gone}
    clients = {name: Client() for name in [*people, "anonymous"]}
    for name, user in people.items():
        clients[name].force_login(user)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    return clients


READ_ROUTES = ["studio", "library", "live", "card", "image", "picture", "download", "fields",
               "usage", "usage_sheet", "references"]  # fmt: skip


def address(name: str, asset: ImageAsset) -> str:
    generation = asset.generation
    more: dict[str, list[Any]] = {
        "card": [generation.pk],
        "cancel": [generation.pk],
        "again": [generation.pk],
        "image": [asset.pk],
        "picture": [asset.pk, "original"],
        "download": [asset.pk],
    }
    return reverse(name, args=[asset.team.slug, *more.get(name, [])])


def test_one_who_left_the_team_sees_nothing_of_it_any_more(
    people: dict[str, Client], asset: ImageAsset
) -> None:
    User.objects.get(username="mate").memberships.filter(team=asset.team).delete()
    for route in READ_ROUTES:
        assert people["mate"].get(address(route, asset)).status_code == 404


# ── D2 ──

BODIES: list[dict[str, Any]] = [
    {},
    {"batch": str(uuid.uuid4()), "model": "../../etc/passwd", "prompt": "x"},
    {"batch": str(uuid.uuid4()), "model": "gpt-image-2", "prompt": "\x00\x1b \n"},
    {"batch": str(uuid.uuid4()), "model": "gpt-image-2", "prompt": "x", "count": "9" * 400},
    {"batch": str(uuid.uuid4()), "model": "gpt-image-2", "prompt": "x", "count": "-1"},
    {"batch": str(uuid.uuid4()), "model": "gpt-image-2", "prompt": "x", "size": "1x" * 5000},
    {"batch": str(uuid.uuid4()), "model": "gpt-image-2", "prompt": ["a", "b"], "size": ["", "9x9"]},
    {"batch": str(uuid.uuid4()), "model": "dall-e-3", "prompt": "x", "background": "transparent"},
]


@pytest.mark.parametrize("body", BODIES)
def test_a_spoilt_form_is_answered_and_begins_nothing(
    people: dict[str, Client], asset: ImageAsset, body: dict[str, Any]
) -> None:
    before = Generation.objects.count()
    assert people["author"].post(address("create", asset), body).status_code == 200
    assert Generation.objects.count() == before


def test_what_can_be_mended_is_mended(people: dict[str, Client], asset: ImageAsset) -> None:
    for sent in ({"batch": "no uuid", "prompt": "x"}, {"prompt": "x\x00\x1b"}):
        people["author"].post(address("create", asset), {"model": "dall-e-3", **sent})
    begun = Generation.objects.exclude(pk=asset.generation_id)
    assert [generation.prompt for generation in begun] == ["x", "x"]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\x1f\x8b" + b"\x00" * 100, "application/x-www-form-urlencoded"),
        (b"{" * 100_000, "application/json"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"a=" + b"b" * 2_000_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"f%d=1" % n for n in range(1000)), "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_is_no_form_never_breaks_a_route(
    people: dict[str, Client], asset: ImageAsset, body: bytes, content_type: str
) -> None:
    for route in ("create", "cancel", "again"):
        answer = people["author"].post(address(route, asset), body, content_type=content_type)
        assert answer.status_code < 500, route


# ── R1 ──


def test_jobs_carry_ids_in_json_and_nothing_else(
    team: Team, member: User, queue: Any, settings: Any
) -> None:
    for facts in django_settings.RQ_QUEUES.values():
        assert facts["SERIALIZER"] == "rq.serializers.JSONSerializer"
    make_generation(member, team, prompt="a secret prompt")
    make_generation(member, team, prompt="another", status=Status.STORING)
    jobs.sweep()
    jobs.look_for_due({})
    assert queue.sent
    for _name, arguments in queue.sent:
        for argument in arguments:
            assert str(uuid.UUID(argument)) == argument


# ── T1 ──


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("trouble", ["refuse", "busy", "html", "silent", "money", "private"])
def test_the_key_and_the_prompt_stay_out_of_logs_rows_pages_and_jobs(
    settings: Any, caplog: pytest.LogCaptureFixture, queue: Any, trouble: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    staff = make_user("staff", is_staff=True, is_superuser=True)
    secret = f"an unspeakable teapot [{trouble}]"
    generation = make_generation(staff, staff.personal_team, prompt=secret, wire_model="dall-e-3")
    with serving(Sandbox()) as doors:
        settings.COMETAPI_KEY = KEY
        settings.COMETAPI_BASE_URL = doors.gateway
        settings.COMETAPI_IMAGE_ORIGINS = [doors.images]
        jobs.open_gateway.cache_clear()
        jobs.start_next()
        jobs.open_gateway().close()
        jobs.open_gateway.cache_clear()
    generation.refresh_from_db()
    assert generation.status in {Status.FAILED, Status.QUEUED}
    assert KEY not in caplog.text
    # Django says each query at this level, prompts and all; nobody else may.
    ours = [record for record in caplog.records if record.name != "django.db.backends"]
    assert not [record for record in ours if "unspeakable" in record.getMessage()]
    assert "unspeakable" not in generation.reason
    rows = [*Generation.objects.all(), *LedgerEntry.objects.all(), *CatalogueEntry.objects.all()]
    assert KEY not in serializers.serialize("json", rows)
    assert KEY not in json.dumps(queue.sent)
    browser = Client()
    browser.force_login(staff)
    for path in (
        reverse("studio", args=[staff.personal_team.slug]),
        reverse("admin:generator_generation_change", args=[generation.pk]),
        reverse("admin:generator_generation_changelist"),
    ):
        assert KEY not in browser.get(path, follow=True).content.decode()


def test_an_error_page_says_nothing_of_settings_or_code(
    people: dict[str, Client], asset: ImageAsset, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.COMETAPI_KEY = KEY

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError(f"broken with {KEY}")

    monkeypatch.setattr(lifecycle, "begin", broken)
    browser = people["author"]
    browser.raise_request_exception = False
    sent = {"batch": str(uuid.uuid4()), "model": "gpt-image-2", "prompt": "x", "size": "auto",
            "quality": "auto", "count": "1", "background": "auto", "output_format": "png",
            "moderation": "auto"}  # fmt: skip
    answer = browser.post(address("create", asset), sent)
    assert answer.status_code == 500
    assert KEY not in answer.content.decode()
    assert "Traceback" not in answer.content.decode()


# ── X2 ──


def test_text_of_people_and_providers_is_text_on_every_page(
    people: dict[str, Client], team: Team, member: User
) -> None:
    User.objects.filter(pk=member.pk).update(
        first_name=SCRIPT[:140], is_staff=True, is_superuser=True
    )
    Team.objects.filter(pk=team.pk).update(name=SCRIPT[:80])
    CatalogueEntry.objects.update(label=SCRIPT[:120])
    done = make_generation(
        member, team, prompt=SCRIPT, status=Status.SUCCEEDED, reason=SCRIPT, cost=1,
        used={"quality": SCRIPT}, request_id=SCRIPT[:100],
    )  # fmt: skip
    asset = make_asset(done, revised_prompt=SCRIPT)
    make_generation(member, team, prompt=SCRIPT, status=Status.FAILED, reason=SCRIPT)
    make_generation(member, team, prompt=SCRIPT, status=Status.RUNNING, note=SCRIPT)
    paths = [address(route, asset) for route in ("studio", "library", "card", "image")]
    paths += [
        reverse("studio", args=[team.slug]) + f"?from={done.pk}",
        reverse("account"),
        reverse("admin:generator_generation_changelist"),
        reverse("admin:generator_generation_change", args=[done.pk]),
        reverse("admin:generator_team_changelist"),
    ]
    for path in paths:
        answer = people["author"].get(path)
        assert answer.status_code == 200, path
        page = answer.content.decode()
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
