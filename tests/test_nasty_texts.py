"""Texts that are more than text, wherever they are shown: pages, letters, tables, names of files.

X2, L3 and P1: markup, formulas, paths, marks that turn the direction, what breaks a line.
"""

import csv
import io
import unicodedata
import uuid
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib import admin
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from generator.models import (
    CatalogueEntry,
    Collection,
    Generation,
    ImageAsset,
    Invitation,
    ReferenceImage,
    ShareLink,
    ShareNote,
    ShareVisit,
    Tag,
    Team,
    User,
)
from generator.noticing import mail_invitation
from tests.house import House, build, changed, rows, undone
from tests.test_routes import METHODS, ROUTES

pytestmark = pytest.mark.django_db

MARKUP = "'\"></title><evil onevil=1>"  # short: it fits into a tag
PATH = "\u202e=1+1../..\\..\\gnp.exe"
LONG = "é" * 400
BROKEN = "a\x00b\r\nSet-Cookie: evil=1\r\n\r\n\x1b[2J\u2028"


class Page(HTMLParser):
    """What of a page is markup that no page of the studio has."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a foreign element, a handler, and an address that runs."""
        facts = {name: value or "" for name, value in attrs}
        if tag == "evil" or any(name.startswith("on") for name in facts):
            self.faults.append(f"<{tag} {facts}>")
        for name in ("href", "src", "action", "content"):
            if facts.get(name, "").strip().lower().startswith(("javascript:", "//evil")):
                self.faults.append(f"{name} of <{tag}>")


def faults_of(answer: Any) -> list[str]:
    """What is wrong with an answer in which a nasty text may stand."""
    found = [f"status {answer.status_code}"] if answer.status_code == 500 else []
    for name, value in answer.headers.items():
        if any(unicodedata.category(sign) == "Cc" for sign in value) or "evil=1" in value:
            found.append(f"{name}: {value!r}")
    if "text/html" in answer.headers.get("Content-Type", "") and not answer.streaming:
        page = Page()
        page.feed(answer.content.decode())
        found += page.faults
    return found


NAMED: list[tuple[Any, str, int]] = [
    (Tag, "name", 40), (Collection, "name", 80), (ShareLink, "title", 80)
]  # fmt: skip


@pytest.fixture
def house() -> House:
    """The house of the routes' walk."""
    return build()


def say_everywhere(text: str) -> None:
    """Let all that people and providers can say be this."""
    User.objects.update(first_name=text[:150])
    Team.objects.update(name=text[:80])
    CatalogueEntry.objects.filter(wire_model="gpt-image-2").update(label=text[:120])
    Generation.objects.update(
        prompt=text, reason=text, note=text[:40], label=text[:120], provider=text[:40],
        request_id=text[:100], button_label=text[:40], texts=[text], used={text: text},
        fields={"size": text, text: text}, usage={text: 7},
    )  # fmt: skip
    ImageAsset.objects.update(revised_prompt=text)
    ReferenceImage.objects.update(name=text[:120])
    for model, field, longest in NAMED:
        for row in model._base_manager.all():
            setattr(row, field, f"{text[: longest - 12]}{row.pk}")
            row.save(update_fields=[field])
    for link in ShareLink.objects.all():
        ShareNote.objects.create(link=link, visitor=uuid.uuid4(), name=text[:80], text=text)
        ShareVisit.objects.create(link=link, agent=text[:200])
    ShareLink.objects.update(shows_prompt=True)


@pytest.mark.parametrize("text", [MARKUP, PATH])
def test_no_page_takes_a_text_for_more_than_text(house: House, text: str) -> None:
    say_everywhere(text)
    wrong = []
    for name, route in ROUTES.items():
        for method in METHODS:
            if (route.get if method == "get" else route.post) is None or name == "live":
                continue
            address = route.address(name, house.team.slug, house.things, house.things)
            sent = () if method == "get" else (route.form(house.things),)
            with undone():
                answer = getattr(house.browsers["owner"], method)(address, *sent)
                wrong += [f"{method} {name}: {fault}" for fault in faults_of(answer)]
    assert not wrong, "\n".join(wrong)


def test_the_preview_card_of_a_link_says_its_title_and_no_more(house: House) -> None:
    say_everywhere(MARKUP)
    address = reverse("shared", args=[house.things["secret"]])
    answer = house.browsers["nobody"].get(address, headers={"user-agent": "Slackbot 1.0"})
    assert faults_of(answer) == []
    assert 'property="og:title" content="&#x27;&quot;&gt;' in answer.content.decode()


def test_no_page_of_the_admin_takes_a_text_for_more_than_text(house: House) -> None:
    say_everywhere(MARKUP)
    browser, wrong = house.browsers["staff"], []
    for model in admin.site._registry:
        facts = model._meta
        if facts.app_label != "generator" or not model._default_manager.exists():
            continue
        stem = f"admin:generator_{facts.model_name}"
        pk = model._default_manager.latest("pk").pk
        for path in (reverse(f"{stem}_changelist"), reverse(f"{stem}_change", args=[pk])):
            found = [one for one in faults_of(browser.get(path, follow=True)) if "evil" in one]
            wrong += [f"{path}: {fault}" for fault in found]
    assert not wrong, "\n".join(wrong)


def test_a_letter_takes_no_name_for_markup_or_for_a_header(house: House) -> None:
    for text in (MARKUP, BROKEN.replace("\0", "")):
        Team.objects.update(name=text[:80])
        User.objects.update(first_name=text[:150])
        pk = int(house.things["invitation"])
        Invitation.objects.update(mailed_at=None, mail_at=timezone.now())
        mail_invitation(pk, address="https://studio.example.org")
        letter = mail.outbox[-1]
        assert "\n" not in letter.subject
        assert "\r" not in letter.subject
        page = Page()
        page.feed(str(letter.alternatives[0][0]))
        assert page.faults == []
        assert "Set-Cookie" not in letter.message()


@pytest.mark.parametrize("text", [MARKUP, PATH, LONG, "=1+1", "CON", ".."])
def test_files_in_an_archive_have_names_that_are_safe_everywhere(house: House, text: str) -> None:
    say_everywhere(text)
    answer = house.browsers["author"].post(
        reverse("zip", args=[house.team.slug]), {"image": house.things["image"]}
    )
    assert faults_of(answer) == []
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert len(archive.namelist()) > 1
    for name in archive.namelist():
        assert ".." not in name.split("/")
        assert not name.startswith("/")
        assert not set(name) & set('\\:*?"<>|')
        assert all(unicodedata.category(sign) not in ("Cc", "Cf") for sign in name), name
        assert max(len(part.encode()) for part in name.split("/")) <= 255
        assert name.split("/")[-1].split(".")[0].upper() not in ("", "CON", "NUL")
    sheet = next(name for name in archive.namelist() if name.endswith(".csv"))
    for cell in _cells(archive.read(sheet)):
        assert not cell.lstrip("\u202e ").startswith(("=", "+", "@"))


def _cells(sheet: bytes) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(sheet.decode("utf-8-sig"))) for cell in row]


def test_a_text_that_is_sent_is_refused_or_kept_without_what_is_no_text(house: House) -> None:
    """Every field of every form, by whoever may."""
    wrong: list[str] = []
    before = rows()
    for name, answer in _sent_everywhere(house, BROKEN):
        wrong += [f"{name}: {fault}" for fault in faults_of(answer)]
        for table, pk, row in changed(before, rows()):
            texts = [value for value in row.values() if isinstance(value, str)]
            if any("\0" in text or "\x1b" in text for text in texts):
                wrong.append(f"{name} kept it in {table} {pk}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("text", [MARKUP, LONG, "CON"])
def test_no_form_breaks_over_a_text(house: House, text: str) -> None:
    answers = _sent_everywhere(house, text)
    wrong = [f"{name}: {fault}" for name, answer in answers for fault in faults_of(answer)]
    assert not wrong, "\n".join(wrong)


def _sent_everywhere(house: House, text: str) -> Iterator[tuple[str, Any]]:
    for name, route in ROUTES.items():
        if route.post is None:
            continue
        address = route.address(name, house.team.slug, house.things, house.things)
        form = route.form(house.things)
        texts = {field: text for field in (*form, *TEXTS) if field not in FIXED}
        person = "author" if route.only_own else "owner"
        asked: list[str] = []
        with undone(), connection.execute_wrapper(_nul_noted(asked)):
            yield name, house.browsers[person].post(address, {**form, **texts})
        assert not asked, f"{name} asks with {asked}"


TEXTS = ("name", "title", "text", "tag", "watermark", "q", "prompt", "password", "next", "back")
FIXED = ("do", "image", "batch", "model", "make", "collection", "endless", "audience", "download")


def _nul_noted(asked: list[str]) -> Any:
    """Notes what the database is asked with a NUL in it: PostgreSQL takes none."""

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.extend(str(one) for one in params or () if "\0" in str(one))
        return execute(sql, params, many, context)

    return note


# ── Addresses and searches ──


def test_no_address_asks_the_database_for_what_it_cannot_hold(house: House) -> None:
    wrong: list[str] = []
    asked: list[str] = []
    for text in ("a\0b", "9" * 40, "-1", "2026-13-45"):
        query = dict.fromkeys(ASKED, text)
        for name, route in ROUTES.items():
            if route.get is None or name == "live" or " " in name:
                continue
            address = route.address(name, house.team.slug, house.things, house.things)
            with connection.execute_wrapper(_nul_noted(asked)), undone():
                answer = house.browsers["owner"].get(address.partition("?")[0], query)
            if answer.status_code >= 500 and answer.status_code != route.status:
                wrong.append(f"{name} of {text[:12]!r}: {answer.status_code}")
            wrong += [f"{name} asks with {one!r}" for one in asked]
            asked.clear()
    assert not wrong, "\n".join(wrong)


ASKED = (
    "q", "model", "author", "since", "until", "kind", "shape", "favourites", "collection", "tag",
    "before", "after", "notes", "month", "person", "image", "from", "parent", "parent_position",
    "button", "action", "prompt", "reference", "as", "edge", "size", "whose", "trashed", "next",
)  # fmt: skip


WORDS = (
    "%", "%%%%" * 500, "*", "_", "?" * 99, "a" * 10_000, "teapot " * 2000, '"', "\"teapot",
    "' OR 1=1 --", "NEAR(", "teapot*", "AND OR NOT", "(((", "a:b", "-teapot", "^teapot", "\\",
)  # fmt: skip


def test_a_search_of_anything_is_answered_plainly_and_with_no_more_queries(house: House) -> None:
    """Wildcards, quotation marks and the signs of full-text search are no words (Q2)."""
    browser, library = house.browsers["owner"], reverse("library", args=[house.team.slug])
    with CaptureQueriesContext(connection) as usual:
        assert house.things["image"] in browser.get(library, {"q": "teapot"}).content.decode()
    for words in WORDS:
        with CaptureQueriesContext(connection) as odd:
            answer = browser.get(library, {"q": words})
        assert answer.status_code == 200, words[:20]
        assert len(odd) <= len(usual), words[:20]
        assert sum(len(query["sql"]) for query in odd) < 100_000, words[:20]
        # A sign that is no letter finds nothing, and not everything.
        found = house.things["image"] in answer.content.decode()
        assert found is ("teapot" in words), words[:20]
