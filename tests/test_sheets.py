"""No text becomes a formula, wherever and however a spreadsheet parts the cells."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator import sheets

HOSTILE = "=+-@＝＋－＠;,\t\r\n \"'\x00\x0b\u200b\ufeff\u2028|A1"


def read(data: bytes, delimiter: str = ",") -> list[list[str]]:
    """As a spreadsheet reads it."""
    return list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter))


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\x00=1",
        "\u200b=1", "\ufeff@x", "＝1", "＋1", "－1", "＠x", "\twords", "\rwords", '"=1', "﹣1",
    ],
)  # fmt: skip
def test_what_would_be_a_formula_is_text(text: str) -> None:
    assert sheets.cell(text) == "'" + sheets.cell(text)[1:]
    assert sheets.cell(text).replace("'", "") == text


@pytest.mark.parametrize("text", ["a = b", "a-b", "me@example.org", "4 + 4; 5", "'=1", "", "  a"])
def test_harmless_text_stays_as_it_is(text: str) -> None:
    assert sheets.cell(text) == text


def test_no_formula_begins_where_lists_are_parted_by_semicolons() -> None:
    assert sheets.cell('a;=1; "@x') == "a;'=1;' \"@x"
    assert sheets.cell("a\n=1") == "a\n'=1"


@given(st.lists(st.text(alphabet=HOSTILE, max_size=12), min_size=1, max_size=3))
def test_no_cell_of_any_text_begins_a_formula(texts: list[str]) -> None:
    (row,) = read(sheets.lines([texts]))
    assert row == [sheets.cell(text) for text in texts]
    for cell in row:
        for piece in re.split(r"[;\t\r\n]", cell):
            seen = re.sub(r'^[\s\x00-\x1f\x7f"\u200b\ufeff]+', "", piece)
            assert not seen.startswith(tuple("=+-@＝＋－＠")), (cell, piece)


def test_numbers_stay_numbers_and_nothing_stays_empty() -> None:
    assert sheets.lines([[-40, 12345, None, "-40"]]) == b'-40,12345,,"\'-40"\r\n'
