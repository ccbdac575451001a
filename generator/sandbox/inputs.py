"""What a field of a JSON body may hold, as the validators behind the gateway see it (E2, I1)."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generator.sandbox.canvas import Size
from generator.sandbox.wire import Fields

_DATA_URI = re.compile(r"data:image/[\w.+-]+;base64,")
_URL = re.compile(r"https?://[^\s/]+/?\S*")


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number, perhaps in steps from nought."""

    least: int
    most: int
    step: int = 1


@dataclass(frozen=True, slots=True)
class Number:
    """A number, whole or not."""

    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Switch:
    """Yes or no."""


@dataclass(frozen=True, slots=True)
class Words:
    """Text of so many characters at most."""

    longest: int


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as a URL or in base64; `bare`: also without the prefix of a data URI."""

    bare: bool


@dataclass(frozen=True, slots=True)
class Pictures:
    """A list of images, each a URL or a data URI."""

    most: int


type Rule = Whole | Number | Choice | Switch | Words | Picture | Pictures


def faults(body: Fields, rules: Mapping[str, Rule]) -> dict[str, str]:
    """What is wrong with a body, by field; nothing for a body that is right."""
    found = {name: _fault(said, rules.get(name)) for name, said in body.items()}
    return {name: fault for name, fault in found.items() if fault}


def take_image(body: Fields, name: str) -> bytes | None:
    """The image of a field; None if there is none, or one behind a URL, which is not fetched.

    It is taken out of the body, of which a task keeps and repeats what is left.
    """
    said = body.get(name)
    if isinstance(said, list):
        images = [decoded(one) for one in said]
        body[name] = [_told(one, image) for one, image in zip(said, images, strict=True)]
        return next((image for image in images if image), None)
    if not isinstance(said, str):
        return None
    image = decoded(said)
    body[name] = _told(said, image)
    return image


def decoded(said: str) -> bytes | None:
    """The bytes of base64, with or without a prefix; None for a URL, and for what is no base64."""
    try:
        return base64.b64decode(_DATA_URI.sub("", said, count=1), validate=True) or None
    except ValueError:
        return None


def sized(ratio: str, pixels: int, step: int) -> Size:
    """The size of a ratio (`16:9`) that has about so many pixels, both sides in steps."""
    wide, high = (int(side) for side in ratio.split(":"))
    scale = (pixels / (wide * high)) ** 0.5
    width, height = (max(step, round(side * scale / step) * step) for side in (wide, high))
    return width, height


def _told(said: str, image: bytes | None) -> str:
    return f"an image of {len(image)} bytes" if image else said


def _fault(said: Any, rule: Rule | None) -> str:
    match rule:
        case None:
            return "Extra inputs are not permitted"
        case Whole() | Number():
            return _fault_of_number(said, rule)
        case Choice(words):
            return "" if said in words else f"Input should be one of {', '.join(words)}"
        case Switch():
            return "" if isinstance(said, bool) else "Input should be a valid boolean"
        case Words(longest):
            fits = isinstance(said, str) and len(said) <= longest
            return "" if fits else f"Input should be a string of at most {longest} characters"
        case Picture(bare):
            return "" if _is_image(said, bare=bare) else "Input should be a valid URL or base64"
        case Pictures(most):
            fits = isinstance(said, list) and 1 <= len(said) <= most
            fits = fits and all(_is_image(one, bare=False) for one in said)
            return "" if fits else f"Input should be a list of at most {most} valid URLs"


def _fault_of_number(said: Any, rule: Whole | Number) -> str:
    known = int if isinstance(rule, Whole) else (int, float)
    if not isinstance(said, known) or isinstance(said, bool):
        return "Input should be a valid number"
    if not rule.least <= said <= rule.most:
        return f"Input should be between {rule.least} and {rule.most}"
    if isinstance(rule, Whole) and said % rule.step:
        return f"Input should be a multiple of {rule.step}"
    return ""


def _is_image(said: Any, *, bare: bool) -> bool:
    if not isinstance(said, str):
        return False
    if _URL.fullmatch(said):
        return True
    return bool((bare or _DATA_URI.match(said)) and decoded(said))
