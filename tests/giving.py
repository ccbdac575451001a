"""What a page posts when images are given along, and what it is told."""

import uuid
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from generator.models import (
    Generation,
    LedgerEntry,
    Team,
)
from tests.views.conftest import words

HTMX = {"HX-Request": "true"}


def file(data: bytes, name: str = "heron.png", said: str = "image/png") -> SimpleUploadedFile:
    """A file as a browser sends it: its bytes, its name, and what it is said to be."""
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
    """No generation, and no credits held."""
    assert not Generation.objects.exists()
    assert not LedgerEntry.objects.filter(kind="reserve").exists()
