"""Text of strangers, made fit to be stored: no database takes all that JSON can say."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, TypeGuard

JSON = Any
DEEPEST = 32  # levels of JSON; an answer has about six
LONGEST_SAID = 200  # characters of a field that the provider echoes
LARGEST_USAGE = 8192  # characters of JSON

# PostgreSQL stores no NUL; half of a surrogate pair is no UTF-8.
_UNFIT = re.compile("[\0\ud800-\udfff]")


def clean(said: JSON, *, depth: int = 0) -> JSON:
    """The same JSON, its keys too, without NUL and lone surrogates.

    NaN, infinity and whatever lies deeper than DEEPEST become None.
    """
    match said:
        case str():
            # Megabytes of base64 come through here: both looks are cheap.
            return said if said.isascii() and "\0" not in said else _UNFIT.sub("", said)
        case dict() | list() if depth == DEEPEST:
            return None
        case dict():
            return {clean(key): clean(value, depth=depth + 1) for key, value in said.items()}
        case list():
            return [clean(item, depth=depth + 1) for item in said]
        case float() if not math.isfinite(said):
            return None
        case _:
            return said


def modest(usage: Mapping[str, JSON], *, least: tuple[str, ...]) -> dict[str, JSON]:
    """All of it where it is no larger than LARGEST_USAGE, else only the keys of `least`."""
    if len(json.dumps(usage)) <= LARGEST_USAGE:
        return dict(usage)
    return {name: usage[name] for name in least}


def is_whole(said: JSON) -> TypeGuard[int]:
    """Whether it is a whole number. To Python yes and no are numbers too, but not to us."""
    return isinstance(said, int) and not isinstance(said, bool)


def is_number(said: JSON) -> TypeGuard[float]:
    """Whether it is a number, whole or not."""
    return isinstance(said, int | float) and not isinstance(said, bool)
