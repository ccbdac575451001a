"""What Gemini's reasons for an answer without an image mean, in words for people (G2, M2).

Most are safety rules. Some are chance, and may be gone at another try: the document says to try
once more at most. The studio does not, for each try is paid; it says so, and the author decides.
"""

from generator.errors import ContentRefused, RequestRefused
from generator.providers.faults import EMPTY, SAFETY, SAFETY_OF_IMAGE

_PROHIBITED = (
    "The provider does not make images of this kind at all. Ask for something else, "
    "or try another model."
)
_RECITATION = (
    "What was made came too close to an existing work, so the provider withheld it. "
    "Describe it in your own way, without naming the work."
)
_PERSON = (
    "The provider saw personal data in this request, such as an address or a number. "
    "Take it out of the prompt and of the images."
)
_UNNAMED = "The provider refused this prompt and did not say why. Reword it, or try another model."
_LANGUAGE = "The model does not know this language. Write the prompt in English."
_TOO_LONG = (
    "The model ran out of room before it had made an image. Ask for less, or for a smaller size."
)
_SIGNATURE = (
    "The provider does not accept the conversation so far any more. Start from the image alone."
)
_ACCOUNT = (
    "The provider has closed its models to the gateway's account. Please tell your administrator."
)
_ONCE_MORE = (
    "It may work at another try; the studio does not try again by itself, because each try is paid."
)
_WORDS_ONLY = (
    "The model answered in words and made no image. Say plainly that an image is wanted. "
    f"{_ONCE_MORE}"
)
_CHANCE = f"The model made no image and gave no reason. {_ONCE_MORE}"

OF_CONTENT = {
    "SAFETY": SAFETY,
    "IMAGE_SAFETY": SAFETY_OF_IMAGE,
    "MODEL_ARMOR": SAFETY,
    "JAILBREAK": SAFETY,
    "ESCALATION": SAFETY,
    "BLOCKLIST": SAFETY,
    "PROHIBITED_CONTENT": _PROHIBITED,
    "IMAGE_PROHIBITED_CONTENT": _PROHIBITED,
    "RECITATION": _RECITATION,
    "IMAGE_RECITATION": _RECITATION,
    "SPII": _PERSON,
}
# Before an image is made it can only be the prompt.
OF_PROMPT = {**OF_CONTENT, "IMAGE_SAFETY": SAFETY}
OF_REQUEST = {
    "LANGUAGE": _LANGUAGE,
    "MAX_TOKENS": _TOO_LONG,
    "MISSING_THOUGHT_SIGNATURE": _SIGNATURE,
    "PUP_LIMITED_DISABLED": _ACCOUNT,
    "STOP": _WORDS_ONLY,
    "NO_IMAGE": _CHANCE,
    "IMAGE_OTHER": _CHANCE,
    "OTHER": _CHANCE,
}


def of_prompt(reason: str) -> RequestRefused:
    """The error for a prompt that was not taken up; `reason` is empty where none was named."""
    if not reason:
        return ContentRefused(EMPTY, code="empty")
    return ContentRefused(OF_PROMPT.get(reason, _UNNAMED), code=_code(reason, OF_PROMPT))


def of_answer(reason: str) -> RequestRefused:
    """The error for an answer without an image, by its `finishReason`, which may be missing."""
    if reason in OF_CONTENT:
        return ContentRefused(OF_CONTENT[reason], code=_code(reason, OF_CONTENT))
    return RequestRefused(OF_REQUEST.get(reason, _CHANCE), code=_code(reason, OF_REQUEST))


def _code(reason: str, known: dict[str, str]) -> str:
    return reason.lower() if reason in known else "unnamed"
