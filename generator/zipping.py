"""A ZIP that is written while it is sent, in as much memory for a million files as for one.

Files are stored, not packed: images do not get smaller. What grows with the number of files (the
archive's directory, the manifest) waits in temporary files. Python's own `zipfile` writes the
format, with ZIP64 where it is needed.
"""

import json
import stat
import struct
import unicodedata
from collections.abc import Buffer, Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import dropwhile
from tempfile import SpooledTemporaryFile
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from generator import sheets
from generator.errors import StudioError

EPOCH = datetime(1980, 1, 1, tzinfo=UTC)  # a ZIP knows no earlier moment
CHUNK = 256 * 1024  # bytes; what is read of a file at once, and about what is handed on at once
LONGEST_NAME = 120  # bytes of UTF-8
MISSING = "The file could not be read and is not in this archive."
CUT_SHORT = "Only the beginning of the file could be read."

_FILE = (stat.S_IFREG | 0o644) << 16  # as Unix says it
_IN_MEMORY = 1 << 20  # bytes of a temporary file before it goes to disk
# Windows opens a device where a file is called so, whatever its ending.
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in (*range(10), "¹", "²", "³")}
)

type Fact = str | int | float | bool | list[Fact] | dict[str, Fact] | None


class Unreadable(StudioError):
    """A file's bytes cannot be had. The archive goes on without it, and its manifest says so."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive, and what the manifest says of it.

    `title` may be anybody's words (a prompt): the name is made of a number and what is harmless in
    it. `folder` is our own, parted by slashes, "" for none. `chunks` opens the file and gives its
    bytes piece by piece; it is called when the file's turn has come, and may raise `Unreadable`.
    `size` is in bytes. `facts` have the same keys for all entries of an archive; values are what
    JSON can hold.
    """

    title: str
    extension: str
    chunks: Callable[[], Iterator[bytes]]
    size: int
    modified: datetime
    facts: Mapping[str, Fact]
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A text file of ours beside the images: packed, under exactly this name, in no manifest."""

    name: str
    chunks: Callable[[], Iterator[bytes]]
    modified: datetime


def stream(entries: Iterable[Entry | Document]) -> Generator[bytes]:
    """The archive, piece by piece; it ends with `manifest.csv` and `manifest.json`.

    Each entry is taken from `entries`, and its file opened, when its turn has come. Close the
    iterator to stop early: the open file is closed with it. Whatever is raised but `Unreadable`
    breaks off the archive.
    """
    sink, last = _Sink(), EPOCH
    with (
        closing(_file_that_waits()) as end,
        closing(_Manifest()) as manifest,
        ZipFile(sink, "w", ZIP_STORED) as archive,
        closing(_Directory()) as directory,  # closed first: nothing is written for who left
    ):
        archive.filelist, archive.NameToInfo = directory, _NoNames()
        number = 0
        for entry in entries:
            last = max(last, entry.modified)
            if isinstance(entry, Document):
                yield from _written(archive, sink, entry)
                continue
            number += 1
            path = _path(entry, number)
            note = yield from _stored(archive, sink, entry, path)
            manifest.add(path, entry.facts, note)
            if sink.is_full:
                yield sink.taken()
        for document in manifest.documents(last):
            yield from _written(archive, sink, document)
        yield sink.taken()
        # The directory of a million files is written in one go: 170 MB.
        sink.goes_into = end
        archive.close()
        yield from _read(end)


def safe_name(text: str, *, most: int = LONGEST_NAME) -> str:
    """What of the text may be part of a file's name on any system: letters and digits, and dashes
    for all else. At most `most` bytes of UTF-8, and "" if nothing is left.
    """
    composed = unicodedata.normalize("NFC", text[: 4 * most])
    kept = "".join(char if unicodedata.category(char)[0] in "LMN" else " " for char in composed)
    # A mark that stands alone would change our own dash before it.
    words = (_from_its_first_letter(word) for word in kept.split())
    name = "-".join(word for word in words if word)
    name = name.encode()[:most].decode(errors="ignore").rstrip("-")
    return f"{name}-"[:most] if name.casefold() in _DEVICES else name


def _from_its_first_letter(word: str) -> str:
    return "".join(dropwhile(lambda char: unicodedata.category(char).startswith("M"), word))


def _path(entry: Entry, number: int) -> str:
    """The number makes it unique, also where capitals and small letters are the same."""
    start, end = f"{number:04}", f".{entry.extension}"
    title = safe_name(entry.title, most=LONGEST_NAME - len(f"{start}-{end}"))
    folders = [safe_name(part) for part in entry.folder.split("/")]
    name = f"{start}-{title}" if title else start
    return "/".join([*filter(None, folders), f"{name}{end}"])


# ── Written ──


def _stored(
    archive: ZipFile, sink: "_Sink", entry: Entry, path: str
) -> Generator[bytes, None, str]:
    """Write an image; what comes back at the end is the manifest's note, mostly empty."""
    with _closing(entry.chunks()) as chunks:
        try:
            first = next(chunks, b"")
        except Unreadable:
            return MISSING
        info = _info(path, entry.modified, ZIP_STORED)
        info.file_size = max(entry.size, len(first))
        with archive.open(info, "w") as target:
            target.write(first)
            while True:
                try:
                    chunk = next(chunks, b"")
                except Unreadable:
                    return CUT_SHORT
                if not chunk:
                    return ""
                target.write(chunk)
                if sink.is_full:
                    yield sink.taken()


def _written(archive: ZipFile, sink: "_Sink", document: Document) -> Iterator[bytes]:
    info = _info(document.name, document.modified, ZIP_DEFLATED)
    # How long it gets is not known before; with ZIP64 it may be of any length.
    with (
        _closing(document.chunks()) as chunks,
        archive.open(info, "w", force_zip64=True) as target,
    ):
        for chunk in chunks:
            target.write(chunk)
            if sink.is_full:
                yield sink.taken()


def _info(path: str, modified: datetime, packed: int) -> ZipInfo:
    moment = max(modified.astimezone(UTC), EPOCH).timetuple()[:6]
    info = ZipInfo(path, moment)
    info.compress_type = packed
    info.external_attr = _FILE
    return info


@contextmanager
def _closing(chunks: Iterator[bytes]) -> Iterator[Iterator[bytes]]:
    try:
        yield chunks
    finally:
        if isinstance(chunks, Generator):
            chunks.close()


class _Sink:
    """Where the archive is written to, and taken away from."""

    goes_into: IO[bytes] | None = None  # in place of what is held

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: Buffer) -> int:
        """Hold it."""
        if self.goes_into:
            return self.goes_into.write(data)
        before = len(self._held)
        self._held += data
        return len(self._held) - before

    def flush(self) -> None:
        """There is nothing behind it."""

    def close(self) -> None:
        """There is nothing behind it."""

    @property
    def is_full(self) -> bool:
        return len(self._held) >= CHUNK

    def taken(self) -> bytes:
        data = bytes(self._held)
        self._held.clear()
        return data


# ── What waits for the end ──


def _file_that_waits() -> IO[bytes]:
    return SpooledTemporaryFile(_IN_MEMORY)


class _Manifest:
    """A line for each image, as CSV and as JSON."""

    def __init__(self) -> None:
        self._table, self._list = _file_that_waits(), _file_that_waits()
        self._heads: list[str] = []

    def add(self, path: str, facts: Mapping[str, Fact], note: str) -> None:
        row = {"file": "" if note == MISSING else path, **facts, "note": note}
        if not self._heads:
            self._heads = list(row)
            self._table.write(sheets.BOM.encode() + sheets.lines([self._heads]))
        self._table.write(sheets.lines([[as_cell(row.get(head)) for head in self._heads]]))
        self._list.write(b",\n" if self._list.tell() else b"[\n")
        self._list.write(as_json(row))

    def documents(self, moment: datetime) -> Iterator[Document]:
        self._list.write(b"\n]\n" if self._list.tell() else b"[]\n")
        yield Document("manifest.csv", lambda: _read(self._table), moment)
        yield Document("manifest.json", lambda: _read(self._list), moment)

    def close(self) -> None:
        self._table.close()
        self._list.close()


def as_cell(value: Fact) -> str | int | None:
    """A fact as a spreadsheet's cell takes it: lists and mappings as JSON."""
    if value is None or (isinstance(value, str | int) and not isinstance(value, bool)):
        return value
    return as_json(value).decode()


def as_json(value: Fact) -> bytes:
    """A fact in one line of JSON."""
    return json.dumps(value, ensure_ascii=False).encode(errors="replace")


def _read(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk


class _Directory(list[ZipInfo]):
    """`ZipFile.filelist` in a temporary file: a million of its objects would take 900 MB."""

    _LINE = struct.Struct("<HHHIQQQ6H")

    def __init__(self) -> None:
        super().__init__()
        self._lines = _file_that_waits()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, info: ZipInfo, /) -> None:
        """Write down what the archive's directory will say of a file."""
        name = info.filename.encode()
        facts = (
            len(name), info.compress_type, info.flag_bits, info.CRC, info.compress_size,
            info.file_size, info.header_offset, *info.date_time,
        )  # fmt: skip
        self._lines.write(self._LINE.pack(*facts) + name)
        self._count += 1

    def __iter__(self) -> Iterator[ZipInfo]:
        if self._lines.closed:
            return
        self._lines.seek(0)
        while line := self._lines.read(self._LINE.size):
            length, packed, flags, crc, compressed, size, offset, *moment = self._LINE.unpack(line)
            year, month, day, hour, minute, second = moment
            name = self._lines.read(length).decode()
            info = ZipInfo(name, (year, month, day, hour, minute, second))
            info.compress_type, info.flag_bits, info.CRC = packed, flags, crc
            info.compress_size, info.file_size, info.header_offset = compressed, size, offset
            info.external_attr = _FILE
            yield info

    def close(self) -> None:
        """Give up the file, and forget what was in it."""
        self._lines.close()
        self._count = 0


class _NoNames(dict[str, ZipInfo]):
    """`ZipFile.NameToInfo`, which is for reading: our names are unique by their numbers."""

    def __setitem__(self, name: str, info: ZipInfo, /) -> None:
        """Keep nothing."""
