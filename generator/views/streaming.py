"""A file that is made while it is sent: as much memory for a large one as for a small one."""

import logging
from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass
from functools import partial

from asgiref.sync import sync_to_async
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

from generator.packing import BrokenOff

logger = logging.getLogger(__name__)


def streamed(
    request: HttpRequest, parts: Generator[bytes], *, filename: str, content_type: str
) -> StreamingHttpResponse:
    """The parts as a file to keep, each made when the one before it is gone.

    The generator is closed when the reader leaves. While it waits it should hold no connection to
    the database: who loads a file may take an hour. Where it raises BrokenOff, the connection
    breaks, so that a browser says that the file is not whole.
    """
    if request.method == "HEAD":
        parts.close()  # nobody reads what a server would make all the same
    # A server of the one kind cannot hand the other's iterator over a piece at a time.
    content = _Apart(parts) if isinstance(request, ASGIRequest) else parts
    answer = StreamingHttpResponse(content, content_type=content_type)
    answer["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    answer["X-Accel-Buffering"] = "no"  # a proxy would fill its disk with it first
    return answer


@dataclass(frozen=True, slots=True)
class _Apart:
    """Each part made in the request's own thread, one after the other.

    Django ends no async iterator whose reader left between two parts, but calls `close`, and in
    that thread.
    """

    parts: Generator[bytes]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        following = sync_to_async(partial(next, self.parts, b""))
        try:
            while part := await following():
                yield part
        except BrokenOff as error:
            logger.warning("A download was broken off: %s", error)
            # As if the reader had left: Django puts all away, and never says that this was the end.
            raise RequestAborted from error

    def close(self) -> None:
        """The end, whether all was sent or not."""
        self.parts.close()
