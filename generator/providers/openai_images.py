"""OpenAI-compatible generations: one call, and the images are in its answer (B).

GPT image models answer with base64 and must never be told a `response_format`; DALL·E and Qwen
answer with links, or with base64. Nothing is asked for, and both places are looked at.
"""

from collections.abc import Mapping

from generator.errors import ContentRefused, RequestRefused
from generator.providers.base import JSON, Brief, Call, Finished, InlineImage, LinkedImage, Reply
from generator.providers.cleaning import LONGEST_SAID
from generator.providers.faults import EMPTY
from generator.providers.reading import raise_for_error, read_image, read_usage, unreadable
from generator.providers.saying import said_fields

PATH = "/v1/images/generations"
ACTIONS = frozenset({"create"})
# What the route has words for; how many images is told by the brief's count.
FIELDS = frozenset(
    {"size", "quality", "background", "output_format", "output_compression", "moderation", "style"}
)
ECHOED = ("background", "output_format", "quality", "size")


def build_submit(brief: Brief) -> Call:
    """The paid call (B2). Raises RequestRefused for what this route has no words for."""
    if brief.action != "create" or brief.references or brief.mask or brief.parent or brief.button:
        raise RequestRefused("Here this model can only make images from a prompt.")
    if brief.count > 1 and brief.wire_model.startswith("qwen-"):
        raise RequestRefused("This model makes one image at a time: more cannot be said to it.")
    fields = said_fields(brief.fields, FIELDS)
    body = {"model": brief.wire_model, "prompt": brief.prompt, **fields}
    if brief.count > 1:  # one is everybody's default, and some refuse the word
        body["n"] = brief.count
    return Call("POST", PATH, json=body)


def parse_submit(reply: Reply) -> Finished:
    """The images (B3).

    Raises what `raise_for_error` does, ContentRefused for an answer without any image, and
    BadReply where none of them can be read.
    """
    answer = raise_for_error(reply)
    entries = answer["data"]
    if isinstance(entries, Mapping):  # nested once more by some versions of the gateway
        entries = entries["data"]
    images, unread = _read(entries or [])
    if not images and unread:
        raise unreadable(reply)
    if not images:
        raise ContentRefused(EMPTY, code="empty", request_id=reply.request_id)
    return Finished(
        images=images,
        used=_read_used(answer),
        usage=read_usage(answer.get("usage")),
        request_id=reply.request_id,
        failed_members=len(entries) - len(images),
    )


def _read_used(answer: Mapping[str, JSON]) -> dict[str, str]:
    found = {name: answer.get(name) for name in ECHOED}
    return {
        name: said[:LONGEST_SAID] for name, said in found.items() if isinstance(said, str) and said
    }


def _read(entries: list[JSON]) -> tuple[tuple[InlineImage | LinkedImage, ...], int]:
    """The images of all entries, and how many could not be read: the others are paid for too."""
    images, unread = [], 0
    for entry in entries:
        try:
            image = read_image(entry)
        except (AttributeError, TypeError, ValueError):
            unread += 1
            continue
        if image is not None:
            images.append(image)
    return tuple(images), unread
