"""Seedream: one image or a series of them, from a prompt alone or with images beside it (D).

The route is that of OpenAI's models, the fields are others, and errors come in the words of Ark,
ByteDance's platform. Of a series some may be refused while the others are there and are paid.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from generator.errors import ContentRefused, ProviderError, RequestRefused
from generator.providers.base import JSON, Brief, Call, Finished, InlineImage, LinkedImage, Reply
from generator.providers.fault_bodies import read_fault
from generator.providers.faults import EMPTY, judge
from generator.providers.openai_images import PATH
from generator.providers.reading import raise_for_error, read_image, read_usage, unreadable
from generator.providers.saying import said_fields

ACTIONS = frozenset({"create", "edit"})
FIELDS = frozenset(
    {
        "size",
        "output_format",
        "watermark",
        "web_search",
        "optimize_prompt",
        "guidance_scale",
        "seed",
    }
)
MOST_TOGETHER = 15  # images sent along and images asked for (D2)
_OLD = "doubao-seedream-3"  # makes one image and knows no word for more (D1)
_SIZE = re.compile(r"([1-9]\d{1,4})\s*[x×]\s*([1-9]\d{1,4})")


def build_submit(brief: Brief) -> Call:
    """The paid call (D2). Raises RequestRefused for what this route has no words for."""
    _refuse_unsayable(brief)
    fields = said_fields(brief.fields, FIELDS)
    body: dict[str, JSON] = {
        "model": brief.wire_model,
        "prompt": brief.prompt,
        # A link is fetched at once; in base64 fifteen large images would be half a gigabyte.
        "response_format": "url",
        # Its default is to print "AI generated" onto the image.
        "watermark": bool(fields.pop("watermark", False)),
    }
    if fields.pop("web_search", False):
        body["tools"] = [{"type": "web_search"}]
    if mode := fields.pop("optimize_prompt", None):
        body["optimize_prompt_options"] = {"mode": mode}
    if brief.references:
        body["image"] = [reference.data_uri for reference in brief.references]
    return Call("POST", PATH, json={**body, **_how_many(brief), **fields})


def _refuse_unsayable(brief: Brief) -> None:
    if brief.action not in ACTIONS or brief.mask or brief.styles or brief.button:
        raise RequestRefused("Here this model makes images from a prompt, or changes whole images.")
    if (brief.action == "edit") != bool(brief.references):
        raise RequestRefused("An edit needs an image to start from, and nothing else takes one.")
    # What an edit starts from goes along as an image; the task behind it cannot be said.
    if brief.parent and not brief.references:
        raise RequestRefused("This model cannot go on from an earlier task.")
    if brief.wire_model.startswith(_OLD) and (brief.references or brief.count > 1):
        raise RequestRefused("This model makes one image at a time, and from a prompt alone.")
    if len(brief.references) + brief.count > MOST_TOGETHER:
        raise RequestRefused(
            f"Images sent along and images asked for may be {MOST_TOGETHER} together. "
            "Ask for fewer images, or send fewer."
        )


def _how_many(brief: Brief) -> dict[str, JSON]:
    """There is no `n`: a series has up to so many images, and the model decides (D2)."""
    if brief.wire_model.startswith(_OLD):
        return {}
    if brief.count == 1:
        return {"sequential_image_generation": "disabled"}
    return {
        "sequential_image_generation": "auto",
        # Always said: fifteen is the default, which one image sent along makes one too many.
        "sequential_image_generation_options": {"max_images": brief.count},
    }


def parse_submit(reply: Reply) -> Finished:
    """The images, and how many of a series did not come out (D3).

    Raises what `raise_for_error` does; where no image came, the error of the first that failed,
    ContentRefused for an answer without any, and BadReply where none can be read.
    """
    answer = raise_for_error(reply)
    entries = answer["data"]
    if isinstance(entries, Mapping):  # nested once more by some versions of the gateway
        entries = entries["data"]
    series = _read(entries or [])
    if not series.images:
        raise _why_nothing(series, reply)
    usage = read_usage(answer.get("usage"))
    return Finished(
        images=series.images,
        used=_read_used(entries),
        # Some versions of the gateway drop the count, which is what the price is for (M2).
        usage={"generated_images": len(series.images), **usage},
        request_id=reply.request_id,
        failed_members=len(entries) - len(series.images),
        problem=_problem(series),
    )


@dataclass(frozen=True, slots=True)
class _Series:
    """The entries of an answer, told apart. `blank` and `unread` count what was no image."""

    images: tuple[InlineImage | LinkedImage, ...]
    errors: tuple[ProviderError, ...]
    blank: int
    unread: int

    @property
    def refused(self) -> int:
        """How many the provider's safety rules withheld."""
        return sum(isinstance(error, ContentRefused) for error in self.errors)


def _read(entries: list[JSON]) -> _Series:
    images: list[InlineImage | LinkedImage] = []
    errors: list[ProviderError] = []
    blank = unread = 0
    for entry in entries:
        try:
            if entry.get("error"):
                # The answer is one of status 200: this entry came to nothing, and says so.
                errors.append(judge(400, read_fault({"error": entry["error"]})))
            elif image := read_image(entry):
                images.append(image)
            else:
                blank += 1
        except (AttributeError, TypeError, ValueError):
            unread += 1
    return _Series(tuple(images), tuple(errors), blank, unread)


def _why_nothing(series: _Series, reply: Reply) -> ProviderError:
    if series.errors:
        refusals = (error for error in series.errors if isinstance(error, ContentRefused))
        error = next(refusals, series.errors[0])
        error.request_id = reply.request_id
        return error
    if series.unread:
        return unreadable(reply)
    return ContentRefused(EMPTY, code="empty", request_id=reply.request_id)


def _problem(series: _Series) -> str:
    """Why a series is not whole, for people; empty if it is."""
    others = len(series.errors) - series.refused + series.blank
    said = [
        (series.refused, "refused by the provider's safety rules"),
        (others, "not made by the provider"),
        (series.unread, "sent in a form that cannot be read"),
    ]
    return " ".join(
        f"{many} image{'s were' if many > 1 else ' was'} {why}." for many, why in said if many
    )


def _read_used(entries: list[JSON]) -> dict[str, str]:
    """The size of the first image that says one; the sign may be `×` (D3)."""
    for entry in entries:
        said = entry.get("size") if isinstance(entry, Mapping) else None
        if isinstance(said, str) and (found := _SIZE.fullmatch(said)):
            return {"size": f"{found[1]}x{found[2]}"}
    return {}
