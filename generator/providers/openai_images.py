"""OpenAI-compatible generations: one call, and the images are in its answer (B).

GPT image models always answer with base64 and are never sent `response_format`; DALL·E and Qwen
answer with links. Both places are looked at in every entry, whatever the model.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from generator.errors import ContentRefused, RequestRefused
from generator.providers.base import (
    SAFETY,
    Brief,
    Call,
    Finished,
    InlineImage,
    LinkedImage,
    Reply,
    raise_for_error,
)

PATH = "/v1/images/generations"
FIELDS = frozenset(
    {"size", "quality", "background", "output_format", "output_compression", "moderation", "style"}
)
ECHOED = ("size", "quality", "background", "output_format")
LARGEST = 64 * 1024 * 1024  # bytes of one decoded image


def build_submit(brief: Brief) -> Call:
    """The paid call (B2). Raises RequestRefused for what this route has no words for."""
    if brief.action != "create" or brief.references or brief.mask or brief.parent:
        raise RequestRefused("This model can only make images from a prompt here.")
    said = {name: value for name, value in brief.fields.items() if value is not None}
    unsaid = set(said) - FIELDS
    if unsaid:
        raise RequestRefused(f"This model cannot be told its {', '.join(sorted(unsaid))}.")
    body: dict[str, Any] = {"model": brief.wire_model, "prompt": brief.prompt, **said}
    if brief.count > 1:  # one is everybody's default, and Qwen refuses the field itself
        body["n"] = brief.count
    return Call("POST", PATH, json=body)


def parse_submit(reply: Reply) -> Finished:
    """The images (B3). An answer without any is taken as filtered, as the gateway says."""
    raise_for_error(reply)
    body = reply.json()
    entries = body["data"]
    if isinstance(entries, Mapping):  # nested once more by some versions of the gateway
        entries = entries["data"]
    if not entries:
        raise ContentRefused(SAFETY, code="empty", request_id=reply.request_id)
    images = tuple(_image(entry) for entry in entries)
    return Finished(
        images=images,
        used={name: body[name] for name in ECHOED if body.get(name)},
        usage=_usage(body.get("usage") or {}),
        request_id=reply.request_id,
    )


def _image(entry: Mapping[str, Any]) -> InlineImage | LinkedImage:
    revised = entry.get("revised_prompt") or ""
    if inline := entry.get("b64_json"):
        return InlineImage(_decoded(inline), revised)
    if link := entry.get("url"):
        return LinkedImage(link, revised)
    raise KeyError("neither b64_json nor url")


def _decoded(text: str) -> bytes:
    """Base64, perhaps with line breaks or a `data:` prefix (K13). Raises ValueError."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    if len(text) * 3 // 4 > LARGEST:
        raise ValueError("image too large")
    if "\n" in text or "\r" in text or " " in text:
        text = "".join(text.split())
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        # Some leave out the padding; anything else that is wrong is wrong.
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    """All three shapes of B5 as one: tokens in, out and in all; unknown keys are kept.

    Never both pairs added: where `input_tokens` is there, `prompt_tokens` says the same or nothing.
    """
    spent_in = usage.get("input_tokens")
    spent_out = usage.get("output_tokens")
    return (
        {
            **usage,
            "input_tokens": usage.get("prompt_tokens", 0) if spent_in is None else spent_in,
            "output_tokens": usage.get("completion_tokens", 0) if spent_out is None else spent_out,
        }
        if usage
        else {}
    )
