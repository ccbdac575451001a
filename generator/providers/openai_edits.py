"""OpenAI-compatible edits: a multipart form with images, and images in its answer (C).

The answer is that of generations, and is read there. How several images are named and what a mask
looks like are OpenAI's own; the studio's masks are turned into it here (K19).
"""

from generator import pictures
from generator.errors import BadPicture, RequestRefused
from generator.providers.base import JSON, Brief, Call, Reference
from generator.providers.openai_images import parse_submit
from generator.providers.saying import said_fields

__all__ = ["ACTIONS", "FIELDS", "PATH", "build_submit", "parse_submit"]

PATH = "/v1/images/edits"
ACTIONS = frozenset({"edit"})
# The last two are Grok's, whose edits may have to be sent like this (I3).
FIELDS = frozenset(
    {
        "size",
        "quality",
        "background",
        "output_format",
        "output_compression",
        "input_fidelity",
        "aspect_ratio",
        "resolution",
    }
)


def build_submit(brief: Brief) -> Call:
    """The paid call (C): every value as text, one `image` or several `image[]`.

    Raises RequestRefused for what this route has no words for.
    """
    if brief.action != "edit" or brief.parent or brief.button or brief.styles:
        raise RequestRefused("Here this model can only change images that are sent along.")
    if not brief.references:
        raise RequestRefused("An edit needs an image to begin with.")
    if brief.count > 1 and brief.wire_model.startswith("qwen-"):
        raise RequestRefused("This model makes one image at a time: more cannot be said to it.")
    fields = said_fields(brief.fields, FIELDS)
    data = {"model": brief.wire_model, "prompt": brief.prompt}
    data |= {name: _as_text(said) for name, said in fields.items()}
    if brief.count > 1:  # one is everybody's default
        data["n"] = str(brief.count)
    return Call("POST", PATH, data=data, files=_files(brief))


def _as_text(said: JSON) -> str:
    return str(said).lower() if isinstance(said, bool) else str(said)


def _files(brief: Brief) -> tuple[tuple[str, Reference], ...]:
    name = "image" if len(brief.references) == 1 else "image[]"
    images = tuple((name, reference) for reference in brief.references)
    return (*images, ("mask", _clear_where_white(brief.mask))) if brief.mask else images


def _clear_where_white(mask: Reference) -> Reference:
    try:
        data = pictures.transparent_mask(mask.data)
    except BadPicture as error:
        raise RequestRefused(str(error)) from error
    return Reference(data, "image/png", "mask.png")
