"""A file that is made while it is sent: as much memory for a large one as for a small one."""

from collections.abc import AsyncIterator, Generator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header


def streamed(
    request: HttpRequest, parts: Generator[bytes], *, filename: str, content_type: str
) -> StreamingHttpResponse:
    """The parts as a file to keep, each made when the one before it is gone.

    The generator is closed when the reader leaves. While it waits it should hold no connection to
    the database: who loads a file may take an hour.
    """
    if request.method == "HEAD":
        parts.close()  # nobody reads what a server would make all the same
    # A server of the one kind cannot hand the other's iterator over a piece at a time.
    content = _apart(parts) if isinstance(request, ASGIRequest) else parts
    answer = _Streamed(content, parts=parts, content_type=content_type)
    answer["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    answer["X-Accel-Buffering"] = "no"  # a proxy would fill its disk with it first
    return answer


class _Streamed(StreamingHttpResponse):
    """Closes what makes it. Django does not end an async iterator whose reader left between two
    parts, and when Python finds it, its thread is gone; `close` runs in that thread."""

    def __init__(self, *args: Any, parts: Generator[bytes], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parts = parts

    def close(self) -> None:
        """The end, whether all was sent or not."""
        try:
            self._parts.close()
        finally:
            super().close()


async def _apart(parts: Generator[bytes]) -> AsyncIterator[bytes]:
    """Each part made in the request's own thread, one after the other."""
    while part := await sync_to_async(_next)(parts):
        yield part


def _next(parts: Generator[bytes]) -> bytes:
    return next(parts, b"")
