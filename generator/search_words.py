"""The one function that makes search words, of a prompt as of what somebody looks for."""


def search_words(text: str) -> list[str]:
    """The words of a text in their order, folded, each once.

    Split at whatever is no letter, mark or digit; each Chinese, Japanese or Korean character is
    a word of its own. Accents and case do not count.
    """
    raise NotImplementedError
