"""Tables for a spreadsheet, in which no text can become a formula."""

import csv
import io
import re
from collections.abc import Iterable

BOM = "\ufeff"  # without it spreadsheets take UTF-8 for something else

_UNSEEN = r"\s\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
# Spreadsheets take full-width and small forms for the signs that they look like.
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"
# Where lists are parted by semicolons, a spreadsheet parts our cells at them and at the ends of
# lines, whatever the quotes say: there, too, a formula could begin.
_BEGINS = re.compile(rf'(^|[;\t\r\n])(?=[{_UNSEEN}"]*[{_SIGNS}])|^(?=[\t\r])')


def cell(text: str) -> str:
    """The text with an apostrophe wherever a spreadsheet would begin a formula."""
    return _BEGINS.sub(r"\1'", text)


def lines(rows: Iterable[Iterable[str | int | None]]) -> bytes:
    """Lines of CSV in UTF-8: every text quoted and harmless, numbers plain, None an empty cell."""
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_STRINGS)
    for row in rows:
        writer.writerow([cell(each) if isinstance(each, str) else each for each in row])
    return written.getvalue().encode()
