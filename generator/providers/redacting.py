"""What of a reply may be kept for staff to read: no keys, no prompts, no links' secrets, no images.

A reply is a stranger's text, so nothing of it is trusted: what looks like a secret is left out by
its name, by its look, and by comparing it with what must not be shown.
"""

import html
import json
import re
from collections.abc import Callable, Collection, Iterator
from urllib.parse import quote, quote_plus

from generator.providers.base import JSON, Reply
from generator.providers.cleaning import clean

LONGEST = 4000  # characters that are kept of a reply
READ = 4 * LONGEST  # characters of a text that are looked at: no pattern sees more
MOST_PARTS = 1000  # of a body of JSON that are looked at
LONGEST_STRING = 300  # characters of one string in it
MOST_ITEMS = 40  # of a list or a mapping
RUN = 16  # letters and digits in a row that give away where they were taken from
HIDDEN = "[hidden]"
NOT_SHOWN = "(This answer cannot be shown.)"

_SECRET = frozenset({
    "authorization", "token", "accesstoken", "refreshtoken", "apikey", "key", "secret", "password",
    "signature", "thoughtsignature", "cookie", "setcookie", "email", "text", "caption",
})  # fmt: skip
# A stranger writes what these look at. A repetition that may begin at any letter has a bound, or a
# long run of letters would be read once for each of them.
_LINK = re.compile(r"(https?://)(?:[^\s/@\"'<>]*@)?([^\s?#\"'<>\\]*)([?#][^\s\"'<>\\]*)?", re.I)
_QUERY = re.compile(r"(?<=[\w/])\?[\w%.~-]+=[^\s\"'<>\\]*")
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_KEY = re.compile(r"\b(?:sk|pk|rk)-[\w*-]{6,}|(?<=bearer )[\w.~+/=*-]+", re.I)
_PACKED = re.compile(r"[A-Za-z0-9+/=_-]{100,}")  # base64, or something as unreadable
_SECRET_IN_TEXT = re.compile(
    r"""("(?:\w{0,40}prompt\w{0,40}|text|token|api_?key|key|secret|authorization|email)"\s*:\s*")"""
    r"""((?:[^"\\]|\\.)*)""",
    re.I,
)
_PLAIN_TYPE = re.compile(r"[\w.+/-]{1,80}")
_MADE_OF_TEXT = re.compile(r"json|text|html|xml|javascript", re.I)


def redacted(reply: Reply, *, hide: Collection[str]) -> str:
    """What may be kept of its body, at most LONGEST characters; it never raises (T1).

    `hide`: the key, the prompt and whatever else must not be told on; they are found as they are,
    as JSON, HTML, a link or a program may write them, and in pieces of RUN letters.
    """
    try:
        told: str = clean(_told(reply, _hider(hide)))
        return told[:LONGEST]
    except Exception:  # what cannot be read is no reason to lose what was paid for
        return NOT_SHOWN


def without(text: str, *, hide: Collection[str]) -> str:
    """A text of somebody else's in which nothing of `hide`, and no secret by its look, is left."""
    return _plain(text, _hider(hide))


def _told(reply: Reply, hidden: "_Hide") -> str:
    try:
        said = json.loads(reply.body)
    except (ValueError, RecursionError):
        return _told_of_text(reply, hidden)
    shown = _shown(said, hidden, iter(range(MOST_PARTS)))
    told = json.dumps(shown, indent=1, ensure_ascii=False)
    # Once more: a prompt may have been told in pieces that give nothing away one by one.
    return hidden(told[: 2 * LONGEST])


def _told_of_text(reply: Reply, hidden: "_Hide") -> str:
    kind = _PLAIN_TYPE.match(reply.header("content-type"))
    name = hidden(kind[0]) if kind else "an unknown kind"
    if not _is_text(reply.body, name):
        return f"… {len(reply.body):,} bytes of {name}"
    text = reply.body[:READ].decode("utf-8", "replace")
    text = _SECRET_IN_TEXT.sub(lambda found: found[1] + _length(found[2]), text)
    return _plain(text, hidden, cut_at=2 * LONGEST)


def _is_text(body: bytes, name: str) -> bool:
    head = body[:4096]
    if b"\0" in head:
        return False
    odd = head.decode("utf-8", "replace").count("\ufffd")
    return odd <= len(head) // 20 and (bool(_MADE_OF_TEXT.search(name)) or odd <= 2)


def _shown(said: JSON, hidden: "_Hide", parts: Iterator[int], *, depth: int = 0) -> JSON:
    """It without its secrets; `parts` runs out when enough was looked at."""
    match said:
        case _ if next(parts, None) is None:
            return "…"
        case str():
            return _length(said) if len(said) > LONGEST_STRING else _plain(said, hidden)
        case dict() | list() if depth > 20:
            return "…"
        case dict():
            rows = list(said.items())
            shown = {
                _plain(name, hidden)[:80]: _secret(value)
                if _is_secret(name, value)
                else _shown(value, hidden, parts, depth=depth + 1)
                for name, value in rows[:MOST_ITEMS]
            }
            return shown | _more(len(rows))
        case list():
            items = [_shown(item, hidden, parts, depth=depth + 1) for item in said[:MOST_ITEMS]]
            return items + list(_more(len(said)))
        case _:
            return said


def _more(count: int) -> dict[str, str]:
    return {f"… {count - MOST_ITEMS:,} more": ""} if count > MOST_ITEMS else {}


def _is_secret(name: str, value: JSON) -> bool:
    """By its name. Numbers that count tokens or say yes and no are told."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if plain in _SECRET:
        return value is not None and value != "" and not isinstance(value, bool)
    # "promptFeedback" is a mapping that says why.
    return "prompt" in plain and isinstance(value, str | list) and bool(value)


def _secret(value: JSON) -> str:
    return _length(value) if isinstance(value, str) else HIDDEN


def _length(text: str) -> str:
    return f"… {len(text):,} characters"


def _plain(text: str, hidden: "_Hide", *, cut_at: int = LONGEST_STRING) -> str:
    """A piece of text without secrets; what is hidden first cannot be cut in two by the rest."""
    text = _PACKED.sub(lambda found: _length(found[0]), text[:READ])[:cut_at]
    text = _LINK.sub(lambda found: found[1] + found[2] + ("?…" if found[3] else ""), hidden(text))
    return _KEY.sub(HIDDEN, _ADDRESS.sub(HIDDEN, _QUERY.sub("?…", text)))


# ── What must not be shown, however it is written ──

type _Hide = Callable[[str], str]


def _hider(hide: Collection[str]) -> _Hide:
    """A function that hides these in a text."""
    written = {form for text in hide if text.strip() for form in _ways_to_write(text.strip())}
    whole = sorted(written, key=len, reverse=True)
    told = {_letters(form)[0] for form in written} - {""}
    long = "\n".join(sorted(each for each in told if len(each) >= RUN))

    def hidden(text: str) -> str:
        for form in whole:
            text = _without_whole(text, form)
        return _without_runs(text, long) if long else text

    return hidden


def _ways_to_write(text: str) -> Iterator[str]:
    yield text
    yield " ".join(text.split())
    for ascii_only in (True, False):
        once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]
    yield html.escape(text)
    yield html.escape(text, quote=False)
    yield text.encode("unicode_escape").decode("ascii")
    yield repr(text)[1:-1]
    with_surrogates = text.encode("utf-8", "replace").decode("utf-8")
    yield quote(with_surrogates)
    yield quote(with_surrogates, safe="")
    yield quote_plus(with_surrogates)


def _without_whole(text: str, form: str) -> str:
    if len(form) >= 4 or not form.isascii():
        return re.sub(re.escape(form), HIDDEN, text, flags=re.I) if len(form) < RUN else (
            text.replace(form, HIDDEN)
        )  # fmt: skip
    # A prompt of one short word is in many others.
    return re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", HIDDEN, text, flags=re.I)


def _without_runs(text: str, long: str) -> str:
    """Cut out whatever has RUN letters and digits in a row in common with `long`."""
    letters, places = _letters(text)
    cuts: list[tuple[int, int]] = []
    start = 0
    while start + RUN <= len(letters):
        if letters[start : start + RUN] not in long:
            start += 1
            continue
        end = start + RUN
        while end < len(letters) and letters[end - RUN + 1 : end + 1] in long:
            end += 1
        cuts.append((places[start], places[end - 1] + 1))
        start = end
    for begin, end in reversed(cuts):
        text = text[:begin] + HIDDEN + text[end:]
    return text


def _letters(text: str) -> tuple[str, list[int]]:
    """Its letters and digits in lower case, and where each stood."""
    found = [(char.lower()[:1], place) for place, char in enumerate(text) if char.isalnum()]
    return "".join(char for char, _ in found), [place for _, place in found]
