"""Grok Imagine: xAI's own fields on the routes of OpenAI (I3, M2).

It is told a shape and a resolution, never a size. No image is asked for in base64 and both places
are looked at, as with every answer of this form.
"""

from dataclasses import replace

from generator.errors import ContentRefused, RequestRefused
from generator.providers import openai_images
from generator.providers.base import JSON, Brief, Call, Finished, Reference, Reply
from generator.providers.faults import SAFETY_OF_IMAGE
from generator.providers.saying import said_fields

PATH = "/v1/images/generations"
EDITS_PATH = "/v1/images/edits"
ACTIONS = frozenset({"create", "edit"})
FIELDS = frozenset({"aspect_ratio", "resolution"})
WITHHELD = "The provider's safety rules withheld what is missing."
_TOKENS = ("input_tokens", "output_tokens", "total_tokens")


def build_submit(brief: Brief) -> Call:
    """The paid call. Raises RequestRefused for what these routes have no words for.

    Edits go as JSON, as xAI's own documents say. Should the gateway want them as a form (I3), the
    family's edit is spoken in `openai_edits` instead: one line of families.toml.
    """
    _refuse_the_unsayable(brief)
    fields = said_fields(brief.fields, FIELDS)
    body: dict[str, JSON] = {"model": brief.wire_model, "prompt": brief.prompt, **fields}
    if brief.count > 1:
        body["n"] = brief.count
    match [_entry(reference) for reference in brief.references]:
        case []:
            return Call("POST", PATH, json=body)
        case [image]:
            return Call("POST", EDITS_PATH, json={**body, "image": image})
        case images:
            return Call("POST", EDITS_PATH, json={**body, "images": images})


def parse_submit(reply: Reply) -> Finished:
    """The images, and what they cost in `cost_in_usd_ticks` (M2: ten thousand million a dollar).

    Raises what `openai_images.parse_submit` does; an answer of which every image was withheld by
    the safety rules is ContentRefused.
    """
    try:
        finished = openai_images.parse_submit(reply)
    except ContentRefused as error:
        if error.code == "empty" and _was_withheld(reply):
            raise ContentRefused(
                SAFETY_OF_IMAGE, code="content_policy_violation", request_id=reply.request_id
            ) from error
        raise
    # Tokens are not what it counts in: noughts would say that they are.
    usage = {name: said for name, said in finished.usage.items() if said or name not in _TOKENS}
    is_withheld = finished.failed_members > 0 and _was_withheld(reply)
    return replace(finished, usage=usage, problem=WITHHELD if is_withheld else "")


def _refuse_the_unsayable(brief: Brief) -> None:
    if brief.action not in ACTIONS or brief.parent or brief.button or brief.styles:
        raise RequestRefused("Here this model can only make images, and change those sent along.")
    if brief.mask:
        raise RequestRefused("This model takes no mask: say in words what is to change.")
    if (brief.action == "edit") is not bool(brief.references):
        raise RequestRefused("This model needs an image for an edit, and for an edit only.")


def _entry(reference: Reference) -> JSON:
    return {"type": "image_url", "url": reference.data_uri}


def _was_withheld(reply: Reply) -> bool:
    entries = reply.json()["data"] or []
    return any(
        isinstance(entry, dict) and entry.get("respect_moderation") is False for entry in entries
    )
