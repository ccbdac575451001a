"""What adapters say alike: the fields that were set, and a size as two sides."""

import re
from collections.abc import Collection, Mapping

from generator.errors import RequestRefused
from generator.providers.base import JSON

_SIZE = re.compile(r"([1-9]\d{1,4})x([1-9]\d{1,4})", re.ASCII)


def said_fields(fields: Mapping[str, JSON], known: Collection[str]) -> dict[str, JSON]:
    """The fields that were set. Raises RequestRefused for one that is not among `known`."""
    said = {name: value for name, value in fields.items() if value is not None}
    if unsaid := sorted(set(said) - set(known)):
        raise RequestRefused(f"The {', '.join(unsaid)} of an image cannot be said to this model.")
    return said


def read_sides(size: JSON) -> dict[str, int]:
    """`1024x768` as `width` and `height`. Raises RequestRefused for any other form."""
    found = _SIZE.fullmatch(str(size))
    if found is None:
        raise RequestRefused("A size is said as width x height, such as 1024x768.")
    return {"width": int(found[1]), "height": int(found[2])}
