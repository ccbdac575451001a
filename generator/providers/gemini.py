"""Gemini's own way: a conversation is sent, and the model's turn comes back with its images (G).

Nothing is kept at the provider: who wants to go on sends all earlier turns again, the model's
own word for word with its signatures. They are what `Finished.memory` holds.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from generator.errors import ProviderError, RequestRefused
from generator.providers import gemini_refusals
from generator.providers.base import (
    JSON,
    LONGEST_PROMPT,
    Brief,
    Call,
    Finished,
    InlineImage,
    LinkedImage,
    Parent,
    Reference,
    Reply,
)
from generator.providers.cleaning import LONGEST_SAID
from generator.providers.reading import decode_image, raise_for_error, read_usage, unreadable
from generator.providers.saying import said_fields

ACTIONS = frozenset({"create", "edit"})
# Where each field stands in the request; `safety` and `google_search` have forms of their own.
_IN_CONFIG = {"seed": "seed", "temperature": "temperature"}
_IN_IMAGE = {
    "aspect_ratio": "aspectRatio",
    "size": "imageSize",
    "person_generation": "personGeneration",
}
FIELDS = frozenset({*_IN_CONFIG, *_IN_IMAGE, "google_search", "safety"})
UNSAID = (None, "", "auto")  # the provider decides
CATEGORIES = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
LARGEST_REQUEST = 20_000_000  # bytes, about: what is inside a request is counted in base64 (G1)
LARGEST_MEMORY = 18_000_000  # bytes: a next turn must still find room in a request

_MODEL = re.compile(r"[\w.-]{1,120}")
_SNAKE = re.compile(r"(?<!^)(?=[A-Z])")
_DATA_URI = re.compile(r"(?:!\[[^\]]*\]\(\s*)?(data:image/[\w.+-]+;base64,[A-Za-z0-9+/]+=*)\s*\)?")


def build_submit(brief: Brief) -> Call:
    """The paid call (G1). Raises RequestRefused for what this protocol has no words for."""
    _must_be_sayable(brief)
    contents = [*_remembered(brief.parent), {"role": "user", "parts": _parts(brief)}]
    body = {"contents": contents, "generationConfig": _config(brief.fields)}
    if brief.fields.get("google_search"):
        body["tools"] = [{"google_search": {}}]
    if (threshold := brief.fields.get("safety")) not in UNSAID:
        body["safetySettings"] = [
            {"category": f"HARM_CATEGORY_{name}", "threshold": threshold} for name in CATEGORIES
        ]
    return Call("POST", f"/v1beta/models/{brief.wire_model}:generateContent", json=body)


def parse_submit(reply: Reply) -> Finished:
    """The images that are no drafts, in their order, and the words beside them (G2).

    Its `memory` is the model's turn alone: `remember` puts it behind what was sent. Raises what
    `raise_for_error` does, ContentRefused or RequestRefused by the reason that the provider names
    for an answer without any image, and BadReply where none of them can be read.
    """
    answer = raise_for_error(reply)
    candidates = answer.get("candidates") or []
    if not candidates:
        raise _named(gemini_refusals.of_prompt(_feedback(answer)), reply)
    parts = [part for candidate in candidates for part in _parts_of(candidate)]
    images, texts, unread = _read(parts)
    if not images and unread:
        raise unreadable(reply)
    refusals = [gemini_refusals.of_answer(_reason(one)) for one in candidates if not _shows(one)]
    if not images:
        raise _named(refusals[0], reply)
    return Finished(
        images=images,
        texts=texts,
        used=_used(answer),
        usage=_usage(_at(answer, "usageMetadata")),
        request_id=reply.request_id,
        memory=_turn(candidates[0]),
        failed_members=unread + len(refusals),
        problem=str(refusals[0]) if refusals else "",
    )


def remember(call: Call, finished: Finished) -> Finished:
    """The same with all turns of the conversation as its memory, JSON in UTF-8; none of more than
    LARGEST_MEMORY bytes, and the next turn then starts from the image alone."""
    if finished.memory is None or call.json is None:
        return finished
    sent = json.dumps(call.json["contents"], ensure_ascii=False).encode()
    memory = sent.removesuffix(b"]") + b", " + finished.memory + b"]"
    return replace(finished, memory=memory if len(memory) <= LARGEST_MEMORY else None)


# ── What is said ──


def _must_be_sayable(brief: Brief) -> None:
    if not _MODEL.fullmatch(brief.wire_model):
        raise RequestRefused("The name of this model cannot be written as an address.")
    if brief.action not in ACTIONS or brief.mask or brief.button or brief.styles:
        raise RequestRefused("This model makes images from words and from images, nothing else.")
    if brief.count > 1:
        raise RequestRefused("This model decides by itself how many images it makes.")
    given = brief.references or (brief.parent and brief.parent.memory)
    if brief.action == "edit" and not given:
        raise RequestRefused("An edit needs an image to start from.")
    if brief.action == "create" and given:
        raise RequestRefused("To make an image from another one, choose Edit.")
    said_fields(brief.fields, FIELDS)
    memory = brief.parent.memory if brief.parent else None
    inside = sum(len(one.data) * 4 // 3 for one in brief.references) + len(memory or b"")
    if inside > LARGEST_REQUEST:
        raise RequestRefused(
            "The conversation so far and its images are larger than the 20 MB that the provider "
            "takes. Start from the image alone, or give fewer or smaller images."
        )


def _remembered(parent: Parent | None) -> list[JSON]:
    """The earlier turns, untouched."""
    if parent is None or parent.memory is None:
        return []
    try:
        turns = json.loads(parent.memory)
    except ValueError:
        turns = None
    if not isinstance(turns, list):
        raise RequestRefused(
            "What the studio kept of this conversation cannot be read. Start from the image alone."
        )
    return turns


def _parts(brief: Brief) -> list[JSON]:
    return [{"text": brief.prompt}, *(_inline(one) for one in brief.references)]


def _inline(reference: Reference) -> JSON:
    # Pure base64: a `data:` prefix is refused (K18).
    return {"inlineData": {"mimeType": reference.content_type, "data": reference.base64}}


def _config(fields: Mapping[str, JSON]) -> JSON:
    # Without IMAGE there may come words only; without TEXT the model cannot say what it did.
    config: dict[str, JSON] = {"responseModalities": ["TEXT", "IMAGE"]}
    config |= _said(fields, _IN_CONFIG)
    if image := _said(fields, _IN_IMAGE):
        config["imageConfig"] = image
    return config


def _said(fields: Mapping[str, JSON], names: Mapping[str, str]) -> dict[str, JSON]:
    return {wire: fields[own] for own, wire in names.items() if fields.get(own) not in UNSAID}


# ── What is read ──


def _at(node: Mapping[str, JSON], name: str) -> JSON:
    """What stands under a name, in either spelling (K16); None if nothing does."""
    found = node.get(name)
    return found if found is not None else node.get(_SNAKE.sub("_", name).lower())


def _feedback(answer: Mapping[str, JSON]) -> str:
    """Why there is no candidate; empty if nobody says. Raises KeyError for another's answer."""
    feedback = _at(answer, "promptFeedback")
    if feedback is None and "candidates" not in answer and _at(answer, "usageMetadata") is None:
        raise KeyError("candidates")
    return str(_at(feedback or {}, "blockReason") or "")


def _reason(candidate: Mapping[str, JSON]) -> str:
    return str(_at(candidate, "finishReason") or "")


def _named(error: ProviderError, reply: Reply) -> ProviderError:
    error.request_id = reply.request_id
    return error


def _parts_of(candidate: Mapping[str, JSON]) -> list[JSON]:
    """Its parts without thoughts: with them go the drafts (K16)."""
    content = candidate.get("content") or {}
    return [part for part in content.get("parts") or [] if not part.get("thought")]


def _shows(candidate: Mapping[str, JSON]) -> bool:
    return any(next(_places(part), None) is not None for part in _parts_of(candidate))


def _read(
    parts: list[JSON],
) -> tuple[tuple[InlineImage | LinkedImage, ...], tuple[str, ...], int]:
    """Images and texts in their order, and how many images could not be read."""
    images: list[InlineImage | LinkedImage] = []
    unread = 0
    for place in (place for part in parts for place in _places(part)):
        if place.startswith(("http://", "https://")):
            images.append(LinkedImage(place))
            continue
        try:
            images.append(InlineImage(decode_image(place)))
        except (AttributeError, TypeError, ValueError):
            unread += 1
    texts = (_DATA_URI.sub("", part["text"]).strip() for part in parts if part.get("text"))
    return tuple(images), tuple(text[:LONGEST_PROMPT] for text in texts if text), unread


def _places(part: Mapping[str, JSON]) -> Iterator[str]:
    """Where a part holds an image: base64, an address, or a data URI among its words (M2)."""
    if inline := _at(part, "inlineData"):
        yield str(inline.get("data") or "")
    if file := _at(part, "fileData"):
        yield str(_at(file, "fileUri") or "")
    for found in _DATA_URI.finditer(part.get("text") or ""):
        yield found[1]


def _turn(candidate: Mapping[str, JSON]) -> bytes | None:
    """The model's turn, word for word, as JSON in UTF-8.

    None where it cannot be sent back: without parts, or with an image written as words, which
    would be read, and paid, as a million words.
    """
    content = candidate.get("content") or {}
    parts = content.get("parts") or []
    if not parts or any(_DATA_URI.search(part.get("text") or "") for part in parts):
        return None
    return json.dumps({"role": "model", **content}, ensure_ascii=False).encode()


def _used(answer: Mapping[str, JSON]) -> dict[str, JSON]:
    version = _at(answer, "modelVersion")
    return {"model_version": version[:LONGEST_SAID]} if isinstance(version, str) else {}


def _usage(usage: JSON) -> dict[str, JSON]:
    """`usageMetadata` under everybody's names; what was thought counts as output, as it is paid."""
    if not isinstance(usage, Mapping):
        return {}
    counts = {
        name: said if isinstance(said := _at(usage, f"{name}TokenCount"), int) else 0
        for name in ("prompt", "candidates", "thoughts", "total")
    }
    return read_usage(
        {
            **usage,
            "input_tokens": counts["prompt"],
            "output_tokens": counts["candidates"] + counts["thoughts"],
            "total_tokens": counts["total"],
        }
    )
