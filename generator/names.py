"""What people call things, in one line: titles, names, tags, a text over images."""

import re
import unicodedata

READ = 1000  # characters; normalising a long run of marks takes the square of its length
# These hold letters, and the parts of an emoji, together; alone they are nothing.
JOINERS = "\u200c\u200d"
# Letters and signs that are drawn as nothing, though Unicode does not call them so.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def clean(text: str) -> str:
    """One line of it without what is not seen: control characters, marks that turn it round or
    take no room. Empty where nothing of it is seen; cut where it is too long for any name."""
    shown = (" " if char.isspace() else char for char in text[:READ])
    kept = "".join(char for char in shown if char in JOINERS or _is_seen(char))
    words = (word.strip(JOINERS) for word in kept.split())
    joined = re.sub(f"([{JOINERS}])[{JOINERS}]+", r"\1", " ".join(filter(None, words)))
    line = unicodedata.normalize("NFC", joined)
    return line if any(unicodedata.category(char)[0] in "LNPS" for char in line) else ""


def _is_seen(char: str) -> bool:
    return unicodedata.category(char)[0] != "C" and char not in _BLANK
