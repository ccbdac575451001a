"""What adapters read alike: errors, images, tokens, the ids of tasks."""

import binascii
import re
from collections.abc import Mapping
from typing import TypeGuard

from generator.errors import BadReply
from generator.providers.base import (
    JSON,
    LARGEST_IMAGE,
    LONGEST_PROMPT,
    InlineImage,
    LinkedImage,
    Reply,
)
from generator.providers.cleaning import is_whole, modest
from generator.providers.fault_bodies import read_fault
from generator.providers.faults import judge

LONGEST_NOTE = 100  # characters of a status that no document names

_DIGITS = re.compile("[0-9]{1,15}")
_TASK_ID = re.compile(r"[\w.:/-]{1,200}", re.ASCII)


def raise_for_error(reply: Reply) -> JSON:
    """The reply's JSON, if it carries no error; else raise what the error means for us.

    Raises RequestRefused or ContentRefused (it will never work so), ProviderBusy (it came to
    nothing for sure), ProviderSilent (it may be going on behind our back), or BadReply for an
    answer of status 2xx that is no JSON (A2, A4).
    """
    is_fine = 200 <= reply.status < 300
    answer = json_or_none(reply)
    if is_fine and not reply.is_page:
        if answer is None:
            raise unreadable(reply)
        if not (isinstance(answer, dict) and answer.get("error")):
            return answer
    error = judge(reply.status, read_fault(answer), is_page=reply.is_page)
    error.request_id = reply.request_id
    error.retry_after = reply.retry_after
    error.is_of_the_call = reply.is_page or not is_fine
    raise error


def json_or_none(reply: Reply) -> JSON:
    """The reply's JSON; None for a web page, and for what cannot be read."""
    try:
        return None if reply.is_page else reply.json()
    except (ValueError, RecursionError):
        return None


def unreadable(reply: Reply) -> BadReply:
    """What to raise for a reply that a parser cannot make sense of."""
    return BadReply(
        "The provider's answer could not be read.", code="unreadable", request_id=reply.request_id
    )


def read_image(entry: Mapping[str, JSON]) -> InlineImage | LinkedImage | None:
    """The image of one entry of `data`, wherever it is; None if there is none (B3).

    Every key may be there and be empty. Raises ValueError for base64 that is none.
    """
    revised = entry.get("revised_prompt")
    revised = revised[:LONGEST_PROMPT] if isinstance(revised, str) else ""
    link = entry.get("url") or ""
    inline = entry.get("b64_json") or (link if link.startswith("data:") else "")
    if inline:
        return InlineImage(decode_image(inline), revised)
    return LinkedImage(link, revised) if link else None


def decode_image(text: str) -> bytes:
    """Base64, perhaps with line breaks or a `data:` prefix, to bytes (K13).

    Raises ValueError for another alphabet, for wrong padding, for nothing, and for more than
    LARGEST_IMAGE bytes.
    """
    if text.startswith("data:"):
        text = text.partition(",")[2]
    data = text.encode("ascii").translate(None, b" \t\r\n")
    if not 0 < len(data) // 4 * 3 <= LARGEST_IMAGE + 2:
        raise ValueError("no image, or one too large")
    return binascii.a2b_base64(data, strict_mode=True)


def is_task_id(said: JSON) -> TypeGuard[str]:
    """Whether it is text that a task can be asked for by."""
    return isinstance(said, str) and bool(_TASK_ID.fullmatch(said))


def read_usage(usage: JSON) -> dict[str, JSON]:
    """The three shapes of B5 as one: `input_tokens`, `output_tokens`, `total_tokens`.

    `prompt_tokens` and `completion_tokens` say the same or nothing: each is taken only where the
    other name is missing or nought, and never added. Whole numbers may be written as text.
    Unknown keys are kept, unless they are out of all measure.
    """
    if not isinstance(usage, dict) or not usage:
        return {}
    given = _count(usage.get("input_tokens")) or _count(usage.get("prompt_tokens"))
    out = _count(usage.get("output_tokens")) or _count(usage.get("completion_tokens"))
    total = _count(usage.get("total_tokens")) or given + out
    three = {"input_tokens": given, "output_tokens": out, "total_tokens": total}
    return modest({**usage, **three}, least=tuple(three))


def _count(said: JSON) -> int:
    if isinstance(said, str) and _DIGITS.fullmatch(said):
        return int(said)
    return said if is_whole(said) and said > 0 else 0
