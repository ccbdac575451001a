"""Gemini native: `POST /v1beta/models/{model}:generateContent` (G).

A draft comes before the image, as a thought; words come beside it; the last part is signed. The
image is a JPEG, as in every recorded answer of Gemini 3 (M2). Where the prompt says "two images",
two come, with words in between.

Beside the words of `trouble`, two more make every refusal of G2, for nothing: `[block SAFETY]` is
an answer without candidates and with this `blockReason` (`[block]`: with none), `[finish NO_IMAGE]`
a candidate without an image and with this `finishReason` (`[finish STOP]`: with words only).
"""

import json
import math
import re
from decimal import Decimal
from fnmatch import fnmatchcase

from generator.sandbox import catalogue, gemini_talk, paint, trouble
from generator.sandbox.canvas import Size
from generator.sandbox.desk import Asked, Desk, bearer, file_of, new_id, no_channel
from generator.sandbox.gallery import Wish, encode64
from generator.sandbox.gemini_talk import Talk
from generator.sandbox.gemini_terms import LARGEST_REQUEST, MODELS, Wrong, shapes_of
from generator.sandbox.retouch import opened
from generator.sandbox.wire import Answer, Fields, Refused, Visit, as_json

_ADDRESS = re.compile(r"([\w.-]+):(\w+)")
_WANTED = re.compile(r"\[(block|finish)(?: ([A-Z_]+))?\]", re.IGNORECASE)
_TWO = re.compile(r"\btwo images\b", re.IGNORECASE)
_TOKENS = {1: 1120, 2: 1680, 4: 2520}  # of an image made, by its scale
_TOKENS_IN = 560  # of an image that came along
_SAFE = [
    {"category": "HARM_CATEGORY_SEXUALLY_EXPLICIT", "probability": "NEGLIGIBLE"},
    {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "NEGLIGIBLE"},
]


class Withheld(Refused):
    """A refusal that is an answer of status 200 without an image (G2)."""

    def __init__(self, said: Fields) -> None:
        super().__init__(200, "withheld")
        self.said = said

    def answer(self, request_id: str) -> Answer:
        """The answer of the model itself: there is no error in it."""
        return as_json(self.said)


def answer(desk: Desk, visit: Visit, path: list[str]) -> Answer | None:
    """The answer of a model, if this is its address."""
    if visit.method != "POST" or path[:2] != ["v1beta", "models"] or len(path) != 3:
        return None
    if not (found := _ADDRESS.fullmatch(path[2])):
        return None
    model, verb = found.groups()
    asked = desk.receive(visit, gemini_talk.prompt_of, key=_key(visit), read=_read)
    _find_channel(model)
    if verb != "generateContent":
        raise Refused(501, "api not implemented", code="api_not_implemented")
    talk = gemini_talk.check(asked.body, model, strict=desk.house.strict)
    _stumble(desk, asked, talk)
    return desk.carry_out(asked, _dollars(talk), lambda turn, word: _made(desk, talk, turn, word))


def _key(visit: Visit) -> str:
    """The key, wherever it stands (A1)."""
    return visit.headers.get("x-goog-api-key") or visit.asked.get("key") or bearer(visit)


def _read(visit: Visit, limit: int) -> Fields:
    data = visit.body(limit)
    if len(data) > LARGEST_REQUEST:
        raise Wrong(f"Request payload size exceeds the limit: {LARGEST_REQUEST} bytes.")
    body = json.loads(data)
    if not isinstance(body, dict):
        raise Wrong("Invalid JSON payload received.")
    return body


def _find_channel(model: str) -> None:
    """What the gateway says before it reads anything else (A2)."""
    if not catalogue.known(model):
        raise no_channel(model)
    if not any(fnmatchcase(model, pattern) for pattern in MODELS):
        raise Refused(500, "not supported model for Gemini", code="convert_request_failed")


# ── Refusals ──


def _stumble(desk: Desk, asked: Asked, talk: Talk) -> None:
    """Raise for what ends the call before anything was made. None of it is charged."""
    made = asked.word == "withheld"
    desk.stumble(asked.word, _ended(talk, "IMAGE_SAFETY") if made else _blocked(talk, "SAFETY"))
    if talk.unsigned:
        raise _ended(talk, "MISSING_THOUGHT_SIGNATURE")
    if found := _WANTED.search(asked.prompt):
        kind, reason = found[1].lower(), (found[2] or "").upper()
        raise _blocked(talk, reason) if kind == "block" else _ended(talk, reason)


def _blocked(talk: Talk, reason: str) -> Withheld:
    feedback: Fields = {"safetyRatings": _SAFE}
    if reason:
        feedback["blockReason"] = reason
    usage = {"promptTokenCount": _tokens_in(talk), "totalTokenCount": _tokens_in(talk)}
    return Withheld({"promptFeedback": feedback, "usageMetadata": usage, **_signed_off(talk)})


def _ended(talk: Talk, reason: str) -> Withheld:
    candidate: Fields = {"index": 0, "safetyRatings": _SAFE}
    if reason:
        candidate |= {"finishReason": reason, "finishMessage": "No image could be made."}
    if reason == "STOP":
        # The content is absent where something was filtered, and there where the model just talks.
        candidate |= {"content": {"role": "model", "parts": [_words("I can only tell you so.")]}}
        del candidate["finishMessage"]
    return Withheld({"candidates": [candidate], **_signed_off(talk)})


# ── What is made ──


def _made(desk: Desk, talk: Talk, turn: int, word: str) -> Answer:
    """The answer of status 200, spoiled as the word of trouble says; `turn` counts repeats."""
    if word == "empty":
        return as_json({"candidates": [], **_signed_off(talk)})
    parts = _parts(desk, talk, turn, word)
    candidate = {
        "content": {"role": "model", "parts": parts},
        "finishReason": "STOP",
        "index": 0,
        "safetyRatings": _SAFE,
    }
    body = {"candidates": [candidate], "usageMetadata": _usage(talk), **_signed_off(talk)}
    return desk.pace.spoiled(as_json(body), word)


def _parts(desk: Desk, talk: Talk, turn: int, word: str) -> list[Fields]:
    parts: list[Fields] = []
    if not talk.in_images:
        parts.append(_words("Here is how I would draw it."))
    else:
        draft = Wish(_seed(talk, turn, "draft"), _draft_size(talk), "jpeg")
        parts += [
            {"text": "**Considering the picture** First a draft.", "thought": True},
            {**_inline(desk, draft, ""), "thought": True},
        ]
    for number in range(_count(talk)):
        if talk.in_words:
            parts.append(_words("Here is the picture." if number == 0 else "And another one."))
        parts.append(_image(desk, talk, turn, number, word))
    # Signed is what was said and shown; the signature stands at the end of it.
    parts[-1]["thoughtSignature"] = gemini_talk.sign(parts)
    return parts


def _image(desk: Desk, talk: Talk, turn: int, number: int, word: str) -> Fields:
    seed = _seed(talk, turn, number)
    size = _size(talk)
    if talk.base is None:
        wish = Wish(seed, size, "jpeg")
    else:
        wish = desk.retouched(talk.base, None, seed, size=size, format="jpeg")
    if word in trouble.LINKS:
        uri = desk.link(wish, talk.prompt, word)
        return {"fileData": {"mimeType": "image/jpeg", "fileUri": uri}}
    return _inline(desk, wish, word)


def _inline(desk: Desk, wish: Wish, word: str) -> Fields:
    data = encode64(file_of(desk.gallery, wish, word))
    return {"inlineData": {"mimeType": "image/jpeg", "data": data}}


def _words(text: str) -> Fields:
    return {"text": text}


def _count(talk: Talk) -> int:
    if not talk.in_images:
        return 0
    return 2 if _TWO.search(talk.prompt) else 1


def _seed(talk: Talk, turn: int, number: object) -> int:
    """Another picture each time the same is asked for, unless a seed was given."""
    again = turn if talk.seed is None else f"seed {talk.seed}"
    return paint.seed_for(talk.prompt, talk.model, talk.shape, number, again)


def _size(talk: Talk) -> Size:
    """Without a shape it is the one nearest to the image that is painted over, or a square."""
    shapes = shapes_of(talk.model)
    width, height = shapes[talk.shape or "1:1"]
    if not talk.shape and talk.base is not None:
        old = opened(talk.base)
        ratio = math.log(old.width / old.height)
        width, height = min(
            shapes.values(), key=lambda size: abs(math.log(size[0] / size[1]) - ratio)
        )
    return width * talk.scale, height * talk.scale


def _draft_size(talk: Talk) -> Size:
    width, height = _size(talk)
    return width // talk.scale // 2, height // talk.scale // 2


# ── Money ──


def _tokens_in(talk: Talk) -> int:
    return 8 + len(talk.prompt) // 4 + talk.given * _TOKENS_IN


def _tokens_out(talk: Talk) -> int:
    return _count(talk) * _TOKENS[talk.scale] + 12


def _dollars(talk: Talk) -> Decimal:
    tokens = _tokens_in(talk), _tokens_out(talk)
    return catalogue.cost(talk.model, "", _size(talk), _count(talk), tokens)


def _usage(talk: Talk) -> Fields:
    """The details need not sum to the totals (M2)."""
    given, made = _tokens_in(talk), _tokens_out(talk)
    images = _count(talk) * _TOKENS[talk.scale]
    return {
        "promptTokenCount": given,
        "candidatesTokenCount": made,
        "totalTokenCount": given + made,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": given - talk.given * _TOKENS_IN},
            {"modality": "IMAGE", "tokenCount": talk.given * _TOKENS_IN},
        ],
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": images}],
        "thoughtsTokenCount": 0,
    }


def _signed_off(talk: Talk) -> Fields:
    return {"modelVersion": talk.model, "responseId": new_id().replace("-", "")[:22]}
