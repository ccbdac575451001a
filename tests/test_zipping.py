"""An archive is written while it is sent, and opens on every system."""

import io
import json
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator import zipping
from generator.zipping import CHUNK, LONGEST_NAME, Document, Entry, Unreadable, safe_name, stream

NOON = datetime(2026, 11, 21, 12, 30, 10, tzinfo=UTC)
RESERVED = ("con", "PRN", "aux", "nul", "COM1", "lpt9", "com¹", "CONIN$")


def make_entry(title: str = "a heron", data: bytes = b"pixels", **facts: object) -> Entry:
    """A file of an archive."""
    more = {"chunks": lambda: iter([data]), "size": len(data), "modified": NOON, **facts}
    return Entry(title=title, extension="png", facts={"prompt": title}, **more)  # type: ignore[arg-type]


def opened(*entries: Entry | Document) -> zipfile.ZipFile:
    """The archive of these, whole."""
    archive = zipfile.ZipFile(io.BytesIO(b"".join(stream(entries))))
    assert archive.testzip() is None
    return archive


def test_what_goes_in_comes_out_with_its_moment() -> None:
    east = NOON.astimezone(timezone(timedelta(hours=9)))
    archive = opened(make_entry(data=b"one"), make_entry(data=b"two", modified=east))
    first, second, *_manifest = archive.infolist()
    assert [archive.read(info) for info in (first, second)] == [b"one", b"two"]
    assert first.date_time == second.date_time == (2026, 11, 21, 12, 30, 10)
    assert first.compress_type == zipfile.ZIP_STORED


def test_nothing_in_it_is_still_an_archive() -> None:
    archive = opened()
    assert archive.namelist() == ["manifest.csv", "manifest.json"]
    assert json.loads(archive.read("manifest.json")) == []


def test_the_manifest_says_the_same_as_table_and_as_list() -> None:
    archive = opened(make_entry("a heron"), make_entry("=HYPERLINK(1)"))
    rows = json.loads(archive.read("manifest.json"))
    assert [row["file"] for row in rows] == archive.namelist()[:2]
    assert [row["prompt"] for row in rows] == ["a heron", "=HYPERLINK(1)"]
    table = archive.read("manifest.csv").decode("utf-8-sig").splitlines()
    assert table[0] == '"file","prompt","note"'
    assert table[2] == '"0002-HYPERLINK-1.png","\'=HYPERLINK(1)",""'


def test_a_file_that_is_gone_is_noted_and_the_archive_goes_on() -> None:
    def gone() -> Iterator[bytes]:
        raise Unreadable("gone")
        yield b""

    archive = opened(make_entry("first", chunks=gone), make_entry("second"))
    assert archive.namelist()[0] == "0002-second.png"
    lost, kept = json.loads(archive.read("manifest.json"))
    assert lost["file"] == ""
    assert "could not be read" in lost["note"]
    assert kept["note"] == ""


def test_a_file_that_ends_too_soon_is_noted() -> None:
    def half() -> Iterator[bytes]:
        yield b"half"
        raise Unreadable("gone")

    archive = opened(make_entry(chunks=half, size=8), make_entry("second"))
    assert archive.read("0001-a-heron.png") == b"half"
    assert "Only the beginning" in json.loads(archive.read("manifest.json"))[0]["note"]


def test_the_first_bytes_come_before_the_last_file_is_opened() -> None:
    opened_files: list[int] = []

    def opening(number: int) -> Callable[[], Iterator[bytes]]:
        def chunks() -> Iterator[bytes]:
            opened_files.append(number)
            yield b"x" * CHUNK

        return chunks

    asked: list[int] = []

    def entries() -> Iterator[Entry]:
        for number in range(20):
            asked.append(number)
            yield make_entry(chunks=opening(number), size=CHUNK)

    parts = stream(entries())
    assert len(next(parts)) < 3 * CHUNK
    assert (asked, opened_files) == ([0], [0])
    parts.close()
    assert opened_files == [0]


def test_who_stops_early_leaves_no_file_open() -> None:
    closed: list[bool] = []

    def chunks() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * CHUNK
        finally:
            closed.append(True)

    parts = stream([make_entry(chunks=chunks)])
    next(parts)
    parts.close()
    assert closed == [True]


def test_who_stops_early_has_no_directory_made_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    sinks: list[zipping._Sink] = []
    real = zipping._Sink
    monkeypatch.setattr(zipping, "_Sink", lambda: sinks.append(real()) or sinks[0])
    parts = zipping.stream(make_entry(data=b"x" * 9000) for _ in range(1000))
    for _ in range(20):
        next(parts)
    parts.close()
    assert len(sinks[0].taken()) < 1000


def test_many_small_files_are_handed_on_as_they_come() -> None:
    parts = list(stream(make_entry(data=b"x" * 1000) for _ in range(1500)))
    assert len(parts) > 4
    assert max(map(len, parts)) < 2 * CHUNK
    archive = zipfile.ZipFile(io.BytesIO(b"".join(parts)))
    assert archive.testzip() is None
    assert len(archive.namelist()) == 1502


def test_a_fault_of_ours_breaks_off_the_archive_and_is_not_noted_away() -> None:
    def broken() -> Iterator[bytes]:
        raise RuntimeError
        yield b""

    with pytest.raises(RuntimeError):
        list(stream([make_entry(chunks=broken)]))


def test_a_document_is_packed_and_keeps_its_name() -> None:
    text = b"a line\n" * 1000
    archive = opened(Document("ledger.csv", lambda: iter([text]), NOON))
    assert archive.read("ledger.csv") == text
    assert archive.getinfo("ledger.csv").compress_size < len(text)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("a heron in reeds", "a-heron-in-reeds"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\Windows\\..\\x", "C-Windows-x"),
        ("a\x00b\x1b[31m\nc", "a-b-31m-c"),
        ("gpj.\u202eexe", "gpj-exe"),
        ("  ..dots.. ", "dots"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("\u0301alone", "alone"),
        ("蒼い鷺 🦆", "蒼い鷺"),
        ("", ""),
        ("?*<>|:\"'", ""),
    ],
)
def test_of_a_prompt_only_what_is_harmless_enters_a_name(title: str, name: str) -> None:
    assert safe_name(title) == name


@pytest.mark.parametrize("device", RESERVED)
def test_no_name_is_a_device_of_windows(device: str) -> None:
    assert safe_name(device).casefold() not in {each.casefold() for each in RESERVED}


def test_names_differ_where_capitals_do_not_count() -> None:
    names = opened(make_entry("Heron"), make_entry("heron"), make_entry("HERON")).namelist()
    assert len({name.casefold() for name in names}) == 5


@given(st.text())
def test_whatever_the_prompt_the_name_is_safe(title: str) -> None:
    names = opened(make_entry(title, folder=f"images/{title}")).namelist()
    for part in names[0].split("/"):
        assert 0 < len(part.encode()) <= LONGEST_NAME
        assert part == unicodedata.normalize("NFC", part)
        assert not set(part) & set('\\:*?"<>|\x00')
        assert part.strip(" .") == part
        assert all(unicodedata.category(char)[0] not in "CZ" for char in part)


def test_a_long_title_is_cut_at_a_character() -> None:
    (name, *_rest) = opened(make_entry("鷺" * 200)).namelist()
    assert len(name.encode()) <= LONGEST_NAME
    assert set(name.removeprefix("0001-").removesuffix(".png")) == {"鷺"}
