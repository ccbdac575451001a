"""Bodies that bring images along: a multipart form, or JSON with images as `data:` URIs (C, M2).

What is recorded of files is told without the bytes: a log of a thousand requests must fit into
memory.
"""

import base64
import email
import email.message
import json
import re
from dataclasses import dataclass, field

from generator.sandbox.wire import Fields, Refused, Visit

_MOST_PARTS = 100
_LIST = re.compile(r"\[\d*\]$")
_DATA_URI = re.compile(r"data:([\w.+/-]+);base64,(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a form. `name` is its part's, without the brackets of a list."""

    name: str
    file_name: str
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a body, and its files in their order. Text parts are text, JSON is JSON."""

    fields: Fields
    files: tuple[Upload, ...] = ()
    is_json: bool = False

    def named(self, name: str) -> list[Upload]:
        """The files of this name, whether they came as `x`, `x[]` or `x[0]`."""
        return [file for file in self.files if file.name == name]

    @property
    def record(self) -> Fields:
        """The same without the bytes of any file."""
        files: dict[str, list[Fields]] = {}
        for file in self.files:
            facts = {"file": file.file_name, "type": file.content_type, "bytes": len(file.data)}
            files.setdefault(file.name, []).append(facts)
        return {**self.fields, **files}


def read(visit: Visit, limit: int) -> Form:
    """The body of a visit, at most `limit` bytes.

    Raises `Refused` for one that is too large, for a part that came twice, and for a content type
    that is neither; ValueError for a body that is not what its type says.
    """
    head = email.message.Message()
    head["Content-Type"] = visit.headers.get("content-type", "")
    match head.get_content_type():
        case "application/json":
            fields = json.loads(visit.body(limit))
            if not isinstance(fields, dict):
                raise ValueError("not an object")
            return Form(fields, is_json=True)
        case "multipart/form-data":
            return _form(visit.body(limit), str(head.get_param("boundary") or ""))
        case other:
            message = (
                f"Unsupported content type: '{other}'. This API method only accepts "
                "'multipart/form-data' requests."
            )
            raise Refused(
                400, message, code="unsupported_content_type", kind="invalid_request_error"
            )


def from_data_uri(text: object, name: str) -> Upload:
    """The file in a `data:` URI. Raises ValueError for anything else, such as an address."""
    found = _DATA_URI.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("no data URI")
    return Upload(name, "", found[1], base64.b64decode(found[2], validate=True))


def _form(body: bytes, boundary: str) -> Form:
    if not 1 <= len(boundary) <= 70:
        raise ValueError("no boundary")
    # A boundary stands nowhere else: the bytes between two of them are the part's, as they are.
    _, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("ascii"), _MOST_PARTS + 1)
    if len(parts) > _MOST_PARTS or not parts or not parts[-1].startswith(b"--"):
        raise ValueError("a form without an end, or with too many parts")
    fields: Fields = {}
    files: list[Upload] = []
    for part in parts[:-1]:
        name, file = _part(part)
        if isinstance(file, Upload):
            files.append(file)
        elif name in fields:
            raise _twice(name)
        else:
            fields[name] = file
    return Form(fields, tuple(files))


def _part(part: bytes) -> tuple[str, Upload | str]:
    """One part: its name, and the file or the text in it."""
    head, end, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not end:
        raise ValueError("a part without a head")
    facts = email.message_from_bytes(head)
    name = facts.get_param("name", header="content-disposition")
    if not isinstance(name, str) or not name:
        raise ValueError("a part without a name")
    if (file_name := facts.get_filename()) is None:
        return name, data.decode()
    # A part that says nothing of its type is text by the letter (RFC 7578), and no image.
    return name, Upload(_LIST.sub("", name), file_name, facts.get_content_type(), data)


def _twice(name: str) -> Refused:
    message = (
        f"Duplicate parameter: '{name}'. You provided multiple values for this parameter, "
        "whereas only one is allowed."
    )
    return Refused(
        400, message, code="duplicate_parameter", kind="invalid_request_error", param=name
    )
