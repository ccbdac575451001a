"""What one request may bring: stopped before it fills the disk."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from comet_site import bounds
from generator import uploading
from generator.models import ReferenceImage, Team
from tests.make import make_picture

MB = bytes(1024 * 1024)


def ask(path: str, *, said: int | None = None, chunks: Iterator[bytes]) -> tuple[int, int]:
    """The status that a request ends with, and how many bytes of it were taken."""
    taken = 0
    sent: list[Any] = []

    async def reads_all(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> dict[str, Any]:
        nonlocal taken
        chunk = next(chunks, b"")
        taken += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [] if said is None else [(b"content-length", str(said).encode())]
    scope = {"type": "http", "path": path, "headers": headers}
    asyncio.run(bounds.bounded(reads_all)(scope, receive, send))
    return sent[0]["status"], taken


@pytest.mark.parametrize(
    ("path", "most"), [("/t/x/references/", 200), ("/t/x/generations/", 200), ("/account/", 8)]
)
def test_a_body_is_stopped_where_its_bound_is(path: str, most: int) -> None:
    assert ask(path, chunks=iter([MB] * most)) == (200, most * len(MB))
    status, taken = ask(path, chunks=iter([MB] * (most + 50)))
    assert status == 413
    assert taken == (most + 1) * len(MB)


def test_a_body_that_says_it_is_too_large_is_not_even_begun() -> None:
    assert ask("/t/x/references/", said=201 * len(MB), chunks=iter([MB])) == (413, 0)


def test_a_length_that_is_no_number_counts_for_nothing() -> None:
    async def never(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/", "headers": [(b"content-length", b"x")]}
    asyncio.run(bounds.bounded(never)(scope, None, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 200


def test_files_are_counted_together() -> None:
    bound = uploading.Bound()
    bound.came = uploading.MOST - 1
    assert bound.receive_data_chunk(b"x", 0) == b"x"
    with pytest.raises(RequestDataTooBig):
        bound.receive_data_chunk(b"x", 1)


def test_a_request_that_says_too_much_is_refused_before_it_is_read() -> None:
    with pytest.raises(RequestDataTooBig):
        uploading.Bound().handle_raw_input(None, {}, uploading.MOST + 1, b"")


def test_more_files_than_anybody_needs_are_refused(maker: Client, team: Team) -> None:
    files = [SimpleUploadedFile(f"{n}.png", b"x") for n in range(uploading.MOST_FILES + 1)]
    answer = maker.post(reverse("references", args=[team.slug]), {"files": files})
    assert answer.status_code == 400
    assert not ReferenceImage.objects.exists()


def test_files_of_somebody_without_a_session_are_not_taken(team: Team) -> None:
    file = SimpleUploadedFile("a.png", make_picture())
    answer = Client().post(reverse("references", args=[team.slug]), {"files": [file]})
    assert answer.status_code in (302, 400)
    assert not ReferenceImage.objects.exists()
