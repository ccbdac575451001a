"""A reader who leaves: nothing in the log, and nothing held on to."""

import asyncio
from typing import Any

import pytest

from comet_site.leaving import told_late

BEGINNING = {"type": "http.response.start", "status": 200, "headers": []}
GONE = {"type": "http.disconnect"}


def visit(application: Any, *messages: Any) -> None:
    """Somebody sends these, and leaves."""
    calls = [*messages, GONE]

    async def receive() -> Any:
        return calls.pop(0)

    async def send(message: Any) -> None:
        pass

    asyncio.run(told_late(application)({"type": "http"}, receive, send))


def body(text: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": text, "more_body": more}


@pytest.mark.parametrize("parts", [[body(b"")], [body(b"a", more=True), body(b"b")]])
def test_a_page_is_made_to_its_end_before_the_studio_hears_that_its_reader_left(
    parts: list[Any],
) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        for part in parts:
            assert await receive() == part
        told = asyncio.create_task(receive())
        for _ in range(9):  # as long as the page takes
            await asyncio.sleep(0)
        assert not told.done()
        await send(BEGINNING)
        assert await told == GONE

    visit(application, *parts)


def test_who_leaves_before_all_is_sent_is_told_of_at_once() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["more_body"]
        assert await receive() == GONE

    visit(application, body(b"half a form", more=True))
