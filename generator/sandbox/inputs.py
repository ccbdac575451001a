"""What a field of a JSON body may hold. Each provider says in its own words what is wrong."""

import base64
import re
from collections.abc import Callable, Mapping
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


# What was said and the rule that it breaks (None: nobody knows the field), to words.
type Wording = Callable[[Any, Rule | None], str]


def fits(said: Any, rule: Rule | None) -> bool:
    """Whether a field may hold this."""
    match rule:
        case None:
            return False
        case Whole(least, most, step):
            whole = isinstance(said, int) and not isinstance(said, bool)
            return whole and least <= said <= most and said % step == 0
        case Number(least, most):
            number = isinstance(said, int | float) and not isinstance(said, bool)
            return number and least <= said <= most
        case Choice(words):
            return said in words
        case Switch():
            return isinstance(said, bool)
        case Words(longest):
            return isinstance(said, str) and len(said) <= longest
        case Picture(bare):
            return _is_image(said, bare=bare)
        case Pictures(most):
            few = isinstance(said, list) and 1 <= len(said) <= most
            return few and all(_is_image(one, bare=False) for one in said)


def in_pydantic(said: Any, rule: Rule | None) -> str:
    """What FastAPI's validator says of a fault (E6, I1)."""
    match rule:
        case None:
            return "Extra inputs are not permitted"
        case Whole() | Number() if not isinstance(said, int | float) or isinstance(said, bool):
            return "Input should be a valid number"
        case Whole(least, most, step) if least <= said <= most:
            return f"Input should be a multiple of {step}"
        case Whole(least, most) | Number(least, most):
            return f"Input should be between {least} and {most}"
        case Choice(words):
            return f"Input should be one of {', '.join(words)}"
        case Switch():
            return "Input should be a valid boolean"
        case Words(longest):
            return f"Input should be a string of at most {longest} characters"
        case Picture():
            return "Input should be a valid URL or base64"
        case Pictures(most):
            return f"Input should be a list of at most {most} valid URLs"


def faults(
    body: Fields, rules: Mapping[str, Rule], wording: Wording = in_pydantic
) -> dict[str, str]:
    """What is wrong with a body, by field; nothing for a body that is right."""
    return {
        name: wording(said, rules.get(name))
        for name, said in body.items()
        if not fits(said, rules.get(name))
    }


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


def _is_image(said: Any, *, bare: bool) -> bool:
    if not isinstance(said, str):
        return False
    if _URL.fullmatch(said):
        return True
    return bool((bare or _DATA_URI.match(said)) and decoded(said))
