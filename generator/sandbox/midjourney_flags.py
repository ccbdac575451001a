"""The flags of a Midjourney prompt, as its bots read them (F1, J).

A second reading, on purpose not the studio's own table.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from generator.sandbox.canvas import Size

AREA = 512 * 512  # pixels of one of the four pictures; the real ones are larger
VERSIONS = frozenset({"5.1", "5.2", "6", "6.0", "6.1", "7"})
NIJI_VERSIONS = frozenset({"4", "5", "6"})
_FLAG = re.compile(r"(?:^|\s)(?:--|—)([A-Za-z]+)")


@dataclass(frozen=True, slots=True)
class Told:
    """A prompt taken apart: its text, its flags by their long names, and what is wrong."""

    text: str
    flags: dict[str, str]
    faults: tuple[str, ...]

    @property
    def size(self) -> Size:
        """Width and height of one picture, of about AREA pixels."""
        wide, high = (int(part) for part in self.flags.get("aspect", "1:1").split(":"))
        scale = (AREA / (wide * high)) ** 0.5
        return max(16, round(wide * scale / 16) * 16), max(16, round(high * scale / 16) * 16)

    @property
    def zoom(self) -> float:
        """How far a custom zoom goes out."""
        return float(self.flags.get("zoom", "2"))


def _whole(least: int, most: int) -> Callable[[str], bool]:
    return lambda said: bool(re.fullmatch(r"\d{1,10}", said)) and least <= int(said) <= most


def _number(least: float, most: float) -> Callable[[str], bool]:
    return lambda said: (
        bool(re.fullmatch(r"\d{0,4}(?:\.\d{1,4})?", said))
        and said not in {"", "."}
        and least <= float(said) <= most
    )


def _ratio(said: str) -> bool:
    found = re.fullmatch(r"([1-9]\d{0,2}):([1-9]\d{0,2})", said)
    return found is not None and 1 / 14 <= int(found[1]) / int(found[2]) <= 14


def _links(said: str) -> bool:
    words = said.split()
    return bool(words) and all(re.match(r"https?://|\d+$|random$", word) for word in words)


def _nothing(said: str) -> bool:
    return said == ""


_LONG = {
    "ar": "aspect",
    "c": "chaos",
    "q": "quality",
    "s": "stylize",
    "v": "version",
    "w": "weird",
}
_KNOWN: Mapping[str, Callable[[str], bool]] = {
    "aspect": _ratio,
    "chaos": _whole(0, 100),
    "cref": _links,
    "fast": _nothing,
    "iw": _number(0, 3),
    "niji": lambda said: said in NIJI_VERSIONS | {""},
    "no": bool,
    "quality": lambda said: said in {".25", ".5", "0.25", "0.5", "1", "2", "4"},
    "raw": _nothing,
    "relax": _nothing,
    "seed": _whole(0, 4_294_967_295),
    "sref": _links,
    "stop": _whole(10, 100),
    "style": lambda said: said in {"raw", "cute", "expressive", "original", "scenic"},
    "stylize": _whole(0, 1000),
    "sw": _whole(0, 1000),
    "tile": _nothing,
    "turbo": _nothing,
    "version": lambda said: said in VERSIONS,
    "weird": _whole(0, 3000),
    "zoom": _number(1, 2),
}


def take_apart(prompt: str, *, strict: bool = True) -> Told:
    """The prompt's text and flags.

    `faults`: flags that nobody knows, come twice, or have a value out of bounds; without
    `strict` they are left out in silence.
    """
    places = [*_FLAG.finditer(prompt)]
    text = prompt[: places[0].start()] if places else prompt
    ends = [place.start() for place in places[1:]] + [len(prompt)] * bool(places)
    flags: dict[str, str] = {}
    faults = []
    for place, end in zip(places, ends, strict=True):
        name = _LONG.get(place[1].lower(), place[1].lower())
        said = prompt[place.end() : end].strip()
        if name not in _KNOWN:
            faults.append(f"Unrecognized parameter(s): `--{name}`")
        elif name in flags:
            faults.append(f"`--{name}` was given twice")
        elif not _KNOWN[name](said):
            faults.append(f"Invalid value for `--{name}`")
        else:
            flags[name] = said
    return Told(text.strip(), flags, tuple(faults) if strict else ())
