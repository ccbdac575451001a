"""Images to keep: one, as made or in another form, and many as one ZIP."""

from collections.abc import Generator

from django.http import HttpRequest, StreamingHttpResponse

from generator.views.streaming import streamed


def zip_answer(
    request: HttpRequest, chunks: Generator[bytes], filename: str
) -> StreamingHttpResponse:
    """An archive (`zipping.stream`) as a file to keep, sent while it is made.

    It may be called from a view that is no coroutine, under ASGI and WSGI. The generator is closed
    when the reader leaves. What it reads from the database it should read in bites, and give the
    connection back after each (`packing.in_bites` does).
    """
    return streamed(request, chunks, filename=filename, content_type="application/zip")
