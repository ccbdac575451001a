"""What each model of `/v1/images/generations` takes.

A second reading of B2, on purpose not the studio's own table.
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
