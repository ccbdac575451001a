"""What each model of `/v1/images/generations` and `/v1/images/edits` takes.

A second reading of B2 and C, on purpose not the studio's own table.
"""

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Limits:
    """What one model takes. `free_size` allows any width and height within GPT Image 2's rules."""

    family: str  # "gpt", "dall-e" or "qwen": how it answers
    prompt: int
    most: int
    sizes: tuple[str, ...]
    fields: frozenset[str]
    qualities: tuple[str, ...] = ()
    free_size: bool = False
    transparent: bool = False
    format: str = "png"  # of what it makes unasked


_COMMON = {"model", "prompt", "n", "size", "user"}
_GPT_FIELDS = frozenset(
    {
        *_COMMON,
        "quality",
        "output_format",
        "output_compression",
        "background",
        "moderation",
        "stream",
        "partial_images",
    }
)
_GPT_SIZES = ("auto", "1024x1024", "1536x1024", "1024x1536")
_GPT_1 = Limits(
    family="gpt",
    prompt=32_000,
    most=10,
    sizes=_GPT_SIZES,
    fields=_GPT_FIELDS,
    qualities=("auto", "low", "medium", "high"),
    transparent=True,
)
_GPT_2 = replace(_GPT_1, free_size=True, transparent=False)
_DALL_E_3 = Limits(
    family="dall-e",
    prompt=4_000,
    most=1,
    sizes=("1024x1024", "1792x1024", "1024x1792"),
    fields=frozenset(
        ["model", "prompt", "n", "size", "quality", "style", "response_format", "user"]
    ),
    qualities=("standard", "hd"),
    format="webp",
)
_DALL_E_2 = replace(
    _DALL_E_3,
    prompt=1_000,
    most=10,
    sizes=("1024x1024", "256x256", "512x512"),
    fields=_DALL_E_3.fields - {"style"},
    qualities=("standard",),
    format="png",
)
_QWEN = Limits(
    family="qwen",
    prompt=4_000,
    most=1,
    sizes=("1024x1024", "1328x1328", "1664x928", "928x1664", "1472x1104", "1104x1472"),
    fields=frozenset({*_COMMON, "response_format"}),
)

LIMITS: dict[str, Limits] = {
    "gpt-image-1": _GPT_1,
    "gpt-image-1-mini": _GPT_1,
    "gpt-image-1.5": _GPT_1,
    "gpt-image-2": _GPT_2,
    "gpt-image-2-20??-??-??": _GPT_2,
    "gpt-image-2.6-flare": _GPT_2,
    "gpt-image-2.6-sunburst": _GPT_2,
    "dall-e-3": _DALL_E_3,
    "dall-e-2": _DALL_E_2,
    "qwen-image": _QWEN,
}


def limits_of(model: str) -> Limits | None:
    """The limits of a model id; None if it does not answer on this route."""
    for pattern, limits in LIMITS.items():
        if fnmatchcase(model, pattern):
            return limits
    return None


@dataclass(frozen=True, slots=True)
class EditLimits:
    """What one model takes for an edit: its fields, and the images that come along."""

    takes: Limits
    images: int
    image_bytes: int
    formats: tuple[str, ...] = ("PNG", "JPEG", "WEBP")
    is_square: bool = False
    takes_mask: bool = True
    needs_mask: bool = False  # in a file of its own, or as the image's own transparency
    takes_json: bool = True


# `moderation` is a word of generations only. OpenAI's typed SDK says to omit `input_fidelity` for
# GPT Image 2; C says that it is for 1 and 1.5 "and later", and not for mini.
_EDIT_FIELDS = _GPT_FIELDS - {"moderation"}
_GPT_EDIT = EditLimits(replace(_GPT_1, fields=_EDIT_FIELDS), images=16, image_bytes=50_000_000)
_GPT_1_EDIT = replace(_GPT_EDIT, takes=replace(_GPT_1, fields=_EDIT_FIELDS | {"input_fidelity"}))
_GPT_2_EDIT = replace(_GPT_EDIT, takes=replace(_GPT_2, fields=_EDIT_FIELDS))

EDITS: dict[str, EditLimits] = {
    "gpt-image-1": _GPT_1_EDIT,
    "gpt-image-1-mini": _GPT_EDIT,
    "gpt-image-1.5": _GPT_1_EDIT,
    "gpt-image-2": _GPT_2_EDIT,
    "gpt-image-2-20??-??-??": _GPT_2_EDIT,
    "gpt-image-2.6-flare": _GPT_2_EDIT,
    "gpt-image-2.6-sunburst": _GPT_2_EDIT,
    "dall-e-2": EditLimits(
        _DALL_E_2,
        images=1,
        image_bytes=4_000_000,
        formats=("PNG",),
        is_square=True,
        needs_mask=True,
        takes_json=False,
    ),
    # Unpublished (C): the least that a client may count on, and an image as large as the one sent.
    "qwen-image-edit": EditLimits(
        replace(_QWEN, sizes=("auto",), fields=_QWEN.fields - {"size"}),
        images=3,
        image_bytes=10_000_000,
        takes_mask=False,
        takes_json=False,
    ),
}


def edit_limits_of(model: str) -> EditLimits | None:
    """The limits of a model id for edits; None if it does not answer on that route."""
    for pattern, limits in EDITS.items():
        if fnmatchcase(model, pattern):
            return limits
    return None
