"""Sizes and shapes as they are written: `1024x1536`, `16:9`."""

import re


def parse_size(text: str) -> tuple[int, int] | None:
    """`"1024x1536"` to `(1024, 1536)`; None for anything else, such as `auto`."""
    found = re.fullmatch(r"([1-9]\d{1,4})\s*[x×]\s*([1-9]\d{1,4})", text.strip())
    return (int(found[1]), int(found[2])) if found else None


def parse_ratio(text: str) -> tuple[int, int] | None:
    """`"16:9"` to `(16, 9)`; None for anything else, such as `auto`."""
    found = re.fullmatch(r"([1-9]\d{0,3}):([1-9]\d{0,3})", text.strip())
    return (int(found[1]), int(found[2])) if found else None
