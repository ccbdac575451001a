"""What adapters say alike: set fields and nothing else, and sizes of one form."""

import pytest

from generator.errors import RequestRefused
from generator.providers.saying import read_sides, said_fields


def test_only_what_was_set_is_said() -> None:
    said = said_fields({"seed": 0, "raw": False, "steps": None}, {"seed", "raw", "steps"})
    assert said == {"seed": 0, "raw": False}


def test_a_field_that_cannot_be_said_is_named_unless_it_was_not_set() -> None:
    assert said_fields({"style": None}, {"seed"}) == {}
    with pytest.raises(RequestRefused, match="The raw, style of an image"):
        said_fields({"style": "vivid", "seed": 1, "raw": True}, {"seed"})


def test_a_size_becomes_two_sides() -> None:
    assert read_sides("1024x768") == {"width": 1024, "height": 768}


@pytest.mark.parametrize("size", ["1024", "0x64", "1024x", "1024×768", "64x1000000", None, "٣٢x٣٢"])
def test_what_is_no_size_is_refused(size: str | None) -> None:
    with pytest.raises(RequestRefused, match="width x height"):
        read_sides(size)
