"""Midjourney's buttons: what each of them is in the studio's words (F4).

An id changes with every task and is never made up, only handed back; what it does is read from
its beginning, else from the sign or the label on the button. Those we do not know are left out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from generator.providers.base import JSON, Button

LONGEST_ID = 200
MOST = 40


@dataclass(frozen=True, slots=True)
class _Kind:
    """`id` is how ids of this kind begin, `shown` what else may stand on the button."""

    id: str
    shown: tuple[str, ...]
    label: str
    action: str
    asks: str = ""


# Of what a group in the pattern catches, `{}` in the label is made.
_KINDS = (
    _Kind(r"MJ::JOB::upsample::([1-4])::", (r"U([1-4])",), "U{}", "upscale"),
    _Kind(r"MJ::JOB::variation::([1-4])::", (r"V([1-4])",), "V{}", "vary"),
    _Kind(r"MJ::JOB::reroll::", ("🔄",), "Make all four again", "reroll"),
    _Kind(r"MJ::JOB::upsample_\w*subtle", (r"Upscale \(Subtle\)",), "Upscale (Subtle)", "upscale"),
    _Kind(
        r"MJ::JOB::upsample_\w*creative",
        (r"Upscale \(Creative\)",),
        "Upscale (Creative)",
        "upscale",
    ),
    _Kind(r"MJ::JOB::upsample_\w*([24])x::", (r"Upscale \(([24])x\)",), "Upscale ({}×)", "upscale"),
    _Kind(r"MJ::JOB::low_variation::", (r"Vary \(Subtle\)",), "Vary (Subtle)", "vary"),
    _Kind(r"MJ::JOB::high_variation::", (r"Vary \(Strong\)",), "Vary (Strong)", "vary"),
    _Kind(r"MJ::Inpaint::", (r"Vary \(Region\)",), "Vary (Region)", "fill", "mask"),
    _Kind(r"MJ::Outpaint::50::", (r"Zoom Out 2x",), "Zoom out 2×", "zoom"),
    _Kind(r"MJ::Outpaint::75::", (r"Zoom Out 1\.5x",), "Zoom out 1.5×", "zoom"),
    _Kind(r"MJ::CustomZoom::", (r"Custom Zoom",), "Custom zoom", "zoom", "prompt"),
    _Kind(r"MJ::JOB::pan_left::", ("⬅",), "Pan left", "pan"),
    _Kind(r"MJ::JOB::pan_right::", ("➡",), "Pan right", "pan"),
    _Kind(r"MJ::JOB::pan_up::", ("⬆",), "Pan up", "pan"),
    _Kind(r"MJ::JOB::pan_down::", ("⬇",), "Pan down", "pan"),
)
_VARIANT = "\ufe0f"  # "show this as a picture": some write it behind a sign, some do not


def read_buttons(said: JSON) -> tuple[Button, ...]:
    """The buttons of a finished task that we know, in their order; none for what is no list."""
    if not isinstance(said, list):
        return ()
    return tuple(button for entry in said[:MOST] if (button := _read(entry)) is not None)


def _read(entry: JSON) -> Button | None:
    id = entry.get("customId") if isinstance(entry, dict) else None
    if not isinstance(id, str) or not 0 < len(id) <= LONGEST_ID or not id.isprintable():
        return None
    shown = [str(entry.get(key) or "").replace(_VARIANT, "") for key in ("emoji", "label")]
    for kind, number in _candidates(id, shown):
        return Button(id, kind.label.format(number), kind.action, kind.asks)
    return None


def _candidates(id: str, shown: list[str]) -> Iterator[tuple[_Kind, str]]:
    """Kinds that fit, with the number of the picture; what the id says comes first."""
    for kind in _KINDS:
        if found := re.match(kind.id, id):
            yield kind, "".join(found.groups())
    for kind in _KINDS:
        for pattern in kind.shown:
            for text in shown:
                if found := re.fullmatch(pattern, text.strip()):
                    yield kind, "".join(found.groups())
