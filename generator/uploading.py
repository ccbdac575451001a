"""A bound for files on their way in, before they are written down (`FILE_UPLOAD_HANDLERS`)."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

MOST = 200 * 1024 * 1024  # bytes, all files of one request
MOST_FILES = 20


class Bound(FileUploadHandler):
    """Stands first: counts what comes, and stops a request that is over the bound.

    Who is not signed in has nothing to send: their files are not even written down.
    """

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.came = 0
        self.files = 0

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803 - Django's name
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        """Refuse by what is said, before anything is read."""
        if (content_length or 0) > MOST:
            raise RequestDataTooBig("Files of more than 200 MB in one request.")

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """One more file."""
        super().new_file(*args, **kwargs)
        self.files += 1
        user = getattr(self.request, "user", None)
        if self.files > MOST_FILES or user is None or not user.is_authenticated:
            raise RequestDataTooBig("Files that nobody asked for.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Hand the bytes on to whoever keeps them."""
        self.came += len(raw_data)
        if self.came > MOST:
            raise RequestDataTooBig("Files of more than 200 MB in one request.")
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Keep nothing here."""
