"""A name is what is seen of it."""

import pytest

from generator import names


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Poster\r\nround\t two ", "Poster round two"),
        ("a\u202egnp.exe\0", "agnp.exe"),
        ("e\u200b\u0301te\u0301", "été"),
        ("👩\u200d🎨 🏳️\u200d🌈", "👩\u200d🎨 🏳️\u200d🌈"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\u200dab\u200d \u200dc\u200d\u200dd", "ab c\u200dd"),
        ("a \u200d b\u200d\u200d", "a b"),
    ],
)
def test_what_is_not_seen_is_left_out_and_the_rest_stays(typed: str, kept: str) -> None:
    assert names.clean(typed) == kept
    assert names.clean(kept) == kept


@pytest.mark.parametrize(
    "typed",
    ["", " ", "\u200b\u2060", "\u200d", "\u00ad\ufeff", "\u3164\u2800", "\ufe0f", "\U000e0041"],
)
def test_where_nothing_is_seen_there_is_no_name(typed: str) -> None:
    assert names.clean(typed) == ""


def test_a_long_run_of_marks_takes_no_time_to_speak_of() -> None:
    assert len(names.clean("a" + "\u0301\u0316" * 1_000_000)) <= names.READ
