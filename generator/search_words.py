"""The one function that makes search words, of a prompt as of what somebody looks for."""

import re
import unicodedata
from functools import lru_cache

LONGEST_WORD = 60  # characters; what is longer is cut, here as there
MOST_WORDS = 10_000  # of one text
_SOUND_MARKS = "\u3099\u309a"  # of Japanese: か and が are two letters, not one with an accent
_ALONE = re.compile(
    "[\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3041-\u30ff\u3130-\u318f"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)


def search_words(text: str) -> list[str]:
    """The words of a text in their order, folded, each once.

    Split at whatever is no letter, mark or digit; each Chinese, Japanese or Korean character is
    a word of its own. Accents and case do not count.
    """
    # Letter by letter: normalising a long run of marks at once takes the square of its length.
    folded = text.translate({ord(letter): _folded(letter) for letter in set(text)})
    whole = unicodedata.normalize("NFC", folded)
    parted = whole.translate({ord(letter): _parted(letter) for letter in set(whole)})
    words = (word[:LONGEST_WORD] for word in parted.split())
    return list(dict.fromkeys(word for word in words if word[0].isalnum()))[:MOST_WORDS]


@lru_cache(4096)
def _folded(letter: str) -> str:
    bare = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", letter).casefold())
    return "".join(part for part in bare if not unicodedata.combining(part) or part in _SOUND_MARKS)


@lru_cache(4096)
def _parted(letter: str) -> str:
    if letter in _SOUND_MARKS or unicodedata.category(letter)[0] not in "LMN":
        return " "
    return f" {letter} " if _ALONE.match(letter) else letter
