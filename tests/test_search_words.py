"""Search words: the same of a prompt as of what somebody looks for."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.search_words import LONGEST_WORD, MOST_WORDS, search_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A Fox, a fox & a RED-brown fox!", ["a", "fox", "red", "brown"]),
        ("Crème brûlée in Łódź", ["creme", "brulee", "in", "łodz"]),
        ("CREME\u0300 Ｆｕｌｌｗｉｄｔｈ ﬁne ²", ["creme", "fullwidth", "fine", "2"]),
        ("Straße STRASSE", ["strasse"]),
        ("İstanbul ΣΊΣΥΦΟΣ", ["istanbul", "σισυφοσ"]),
        ("東京の夜", ["東", "京", "の", "夜"]),
        ("ｶﾞﾗｽ がか", ["ガ", "ラ", "ス", "が", "か"]),
        ("한국 \u1112\u1161\u11ab", ["한", "국"]),
        ("हिन्दी ไทย", ["हिनदी", "ไทย"]),
        ("fox_trot --ar 16:9 v6.1", ["fox", "trot", "ar", "16", "9", "v6", "1"]),
        ("❤️ 👩‍🚀 %%% \"' * \x00 \ud800 -- ()", []),
        ("", []),
    ],
)
def test_a_text_is_split_into_folded_words_each_once(text: str, words: list[str]) -> None:
    assert search_words(text) == words


@given(st.text())
@settings(max_examples=150, deadline=None)
def test_words_of_words_are_the_same_words(text: str) -> None:
    words = search_words(text)
    assert search_words(" ".join(words)) == words


@given(st.text())
@settings(max_examples=150, deadline=None)
def test_no_word_has_what_an_index_could_take_for_its_own_language(text: str) -> None:
    for word in search_words(text):
        assert 0 < len(word) <= LONGEST_WORD
        assert all(unicodedata.category(letter)[0] in "LMN" for letter in word)
        assert word == word.casefold() or not word.isascii()


@given(st.text(), st.text())
@settings(max_examples=100, deadline=None)
def test_case_and_form_of_a_text_do_not_count(one: str, other: str) -> None:
    text = f"{one} {other}"
    assert search_words(unicodedata.normalize("NFD", text)) == search_words(
        unicodedata.normalize("NFC", text)
    )


@pytest.mark.parametrize(
    "text",
    [
        "\u0301\u0316" * 50_000, "a" + "\u0f73" * 100_000, "ｶ" + "ﾞﾟ" * 50_000, "a" * 100_000,
        "東" * 100_000, "\ufdfa" * 100_000, " ".join(map(str, range(100_000))), "%_*" * 33_000,
    ],
)  # fmt: skip
def test_a_text_of_100_000_letters_has_a_bounded_number_of_short_words(text: str) -> None:
    words = search_words(text)
    assert len(words) <= MOST_WORDS
    assert all(len(word) <= LONGEST_WORD for word in words)
