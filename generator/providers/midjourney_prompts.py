"""Midjourney's settings are flags in its prompt: written from the fields, and read back (F1, J).

What a person typed by hand wins over the field of the same meaning, so that no flag comes twice.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from generator.errors import RequestRefused
from generator.providers.base import JSON, Brief, Reference
from generator.providers.cleaning import LONGEST_SAID


@dataclass(frozen=True, slots=True)
class Flag:
    """How a field is said: `said` as we write it, `names` whatever a person may have typed.

    `kind`: "number", "text", or "switch" for a flag without a value.
    """

    said: str
    names: tuple[str, ...]
    kind: str = "text"


# By the family's field, in the order in which they are written.
FLAGS: Mapping[str, Flag] = {
    "aspect_ratio": Flag("--ar", ("ar", "aspect")),
    "version": Flag("--v", ("v", "version", "niji")),
    "stylize": Flag("--s", ("s", "stylize"), "number"),
    "chaos": Flag("--c", ("c", "chaos"), "number"),
    "weird": Flag("--weird", ("weird", "w"), "number"),
    "quality": Flag("--q", ("q", "quality")),
    "seed": Flag("--seed", ("seed",), "number"),
    "image_weight": Flag("--iw", ("iw",), "number"),
    "raw": Flag("--style raw", ("style", "raw"), "switch"),
    "tile": Flag("--tile", ("tile",), "switch"),
    "negative_prompt": Flag("--no", ("no",)),
}
# The flag of the version says which bot's version it is.
VERSION_FLAGS = {"niji": "--niji"}
SREF = "sref"
ZOOM = "zoom"
# What changes the price behind the studio's back: the speed is a field, and a prompt that is
# repeated is so many jobs.
DEAR = frozenset({"fast", "r", "relax", "repeat", "turbo", "video"})
_READ = {**FLAGS, "zoom": Flag("--zoom", (ZOOM,), "number")}
_FIELD_OF = {name: field for field, flag in _READ.items() for name in flag.names}
# Some keyboards make one long dash of two short ones, and Midjourney takes it.
_TYPED = re.compile(r"(?:^|(?<=\s))(?:--|—)([A-Za-z]+)")
# `{red, green} car` is two jobs: the words before and after stand in each.
_PERMUTED = re.compile(r"(?<!\\)\{[^{}]*,[^{}]*\}")
_DASHES = re.compile(r"-{2,}|[–—―]")
_UNSAID = "The references for the look must be links that Midjourney can reach."


def written(brief: Brief, *, weighs_images: bool) -> str:
    """The brief's prompt with a flag for each field that was set.

    `weighs_images`: whether images go along, without which `image_weight` has nothing to weigh.
    Raises RequestRefused for typed flags that would change the price, and for a style reference
    without a link.
    """
    typed = typed_flags(brief.prompt)
    parts = [brief.prompt]
    if brief.styles and SREF not in typed:
        parts.append(f"--{SREF} {' '.join(_link(style) for style in brief.styles)}")
    for field, flag in FLAGS.items():
        if field == "image_weight" and not weighs_images:
            continue
        if typed.isdisjoint(flag.names):
            parts.append(_said(flag, brief.fields.get(field), brief.wire_model))
    return " ".join(part for part in parts if part)


def zoomed(prompt: str, zoom: JSON) -> str:
    """The answer to the dialog of a custom zoom: the prompt, and how far out to go (F4).

    Raises RequestRefused as `written` does.
    """
    if ZOOM in typed_flags(prompt):
        return prompt
    return f"{prompt} --{ZOOM} {_number(zoom)}".strip()


def typed_flags(prompt: str) -> frozenset[str]:
    """The names of the flags that stand in a prompt, in lower case.

    Raises RequestRefused for those that would change the price.
    """
    if _PERMUTED.search(prompt):
        raise RequestRefused(
            "Take the list in {braces} out of the prompt: Midjourney makes and charges an image "
            "for each of its words. Send one prompt for each.",
            code="permutation",
        )
    found = frozenset(name.lower() for name in _TYPED.findall(prompt))
    if dear := sorted(found & DEAR):
        raise RequestRefused(
            f"Take --{dear[0]} out of the prompt: it changes the price. "
            "The speed has a field of its own, and each grid is asked for by itself.",
            code="flag",
        )
    return found


def read(prompt: str) -> dict[str, JSON]:
    """What the flags of a prompt say, by the names of the family's fields."""
    used: dict[str, JSON] = {}
    places = [*_TYPED.finditer(prompt)]
    ends = [place.start() for place in places[1:]] + [len(prompt)] * bool(places)
    for place, end in zip(places, ends, strict=True):
        field = _FIELD_OF.get(place[1].lower())
        said = prompt[place.end() : end].strip()[:LONGEST_SAID]
        if field and (value := _value(field, place[1].lower(), said)) is not None:
            used[field] = value
    return used


def _value(field: str, name: str, said: str) -> JSON:
    match _READ[field].kind:
        case "switch":
            return True if name != "style" or said == "raw" else None
        case "number":
            return _as_number(said)
        case _:
            return said or None


def _as_number(said: str) -> int | float | None:
    if re.fullmatch(r"\d{1,12}", said):
        return int(said)
    return float(said) if re.fullmatch(r"\d{0,6}\.\d{1,6}", said) else None


def _said(flag: Flag, value: JSON, wire_model: str) -> str:
    name = VERSION_FLAGS.get(wire_model, flag.said) if "version" in flag.names else flag.said
    match value:
        case None | False:
            return ""
        case True:
            return name
        case int() | float():
            return f"{name} {_number(value)}"
        case _:
            text = _plain(str(value))
            return f"{name} {text}" if text else ""


def _number(value: JSON) -> str:
    return str(value) if isinstance(value, int) else f"{float(value):g}"


def _plain(text: str) -> str:
    """A value that cannot bring flags of its own along."""
    return " ".join(_DASHES.sub(" ", text).split())


def _link(style: Reference) -> str:
    if not style.link or style.link.split() != [style.link]:
        raise RequestRefused(_UNSAID, code="style")
    return style.link
