"""What a Midjourney task is to make, and the buttons that it ends with (F3, F4).

The ids of buttons are made anew for every task, and only those that a task offered can be pressed.
"""

import secrets
from dataclasses import dataclass, field, replace
from typing import Literal

from generator.sandbox.canvas import Size
from generator.sandbox.desk import new_id
from generator.sandbox.midjourney_scenes import (
    SIDES,
    Enlarged,
    Given,
    Panned,
    Scene,
    Varied,
    Zoomed,
    size_of,
)
from generator.sandbox.paint import seed_for
from generator.sandbox.wire import Fields

LONGEST_SIDE = 2048  # of a picture that can still grow
_ARROWS = dict(zip(SIDES, ("⬅️", "➡️", "⬆️", "⬇️"), strict=True))
Dialog = Literal["", "Inpaint", "CustomZoom"]


@dataclass(frozen=True, slots=True)
class Press:
    """What one button does: `verb` and, for some, which picture or how."""

    verb: str
    which: int = 0
    how: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """What a task makes: `scenes` of one file, or `suggestions` of an image.

    `buttons` are the wire's, `presses` what each does, by its custom id. `dialog`: the dialog
    that it waits in; `failure`: the provider's reason why nothing comes of it.
    """

    action: str
    bot: str
    prompt: str
    scenes: tuple[Scene, ...] = ()
    suggestions: tuple[str, ...] = ()
    custom_id: str = ""
    state: str = ""
    buttons: tuple[Fields, ...] = field(default=(), repr=False)
    presses: dict[str, Press] = field(default_factory=dict, repr=False)
    dialog: Dialog = ""
    failure: str = ""

    @property
    def size(self) -> Size:
        """Width and height of the file, in pixels."""
        width, height = size_of(self.scenes[0])
        return (width * 2, height * 2) if len(self.scenes) == 4 else (width, height)


def with_buttons(job: Job) -> Job:
    """The job with what it offers when it is done."""
    mark = new_id()
    offered = _of_suggestions(job) if job.suggestions else _of_pictures(job, mark)
    return replace(
        job,
        buttons=tuple(
            {"customId": id, "emoji": emoji, "label": label, "type": 2, "style": 2}
            for id, emoji, label, _press in offered
        ),
        presses={id: press for id, _emoji, _label, press in offered if press},
    )


type _Offer = tuple[str, str, str, Press | None]


def _of_pictures(job: Job, mark: str) -> list[_Offer]:
    if len(job.scenes) == 4:
        return [
            *(
                (f"MJ::JOB::upsample::{n}::{mark}", "", f"U{n}", Press("pick", n))
                for n in range(1, 5)
            ),
            (f"MJ::JOB::reroll::0::{mark}::SOLO", "🔄", "", Press("reroll")),
            *(
                (f"MJ::JOB::variation::{n}::{mark}", "", f"V{n}", Press("variation", n))
                for n in range(1, 5)
            ),
        ]
    grows = max(job.size) * 2 <= LONGEST_SIDE
    return [*(_growing(mark) if grows else ()), *_of_one(mark)]


def _growing(mark: str) -> list[_Offer]:
    enlarging: list[_Offer] = [
        (
            f"MJ::JOB::upsample_v6_2x_{way}::1::{mark}::SOLO",
            "",
            f"Upscale ({way.capitalize()})",
            Press("enlarge", how=way),
        )
        for way in ("subtle", "creative")
    ]
    panning: list[_Offer] = [
        (f"MJ::JOB::pan_{side}::1::{mark}::SOLO", _ARROWS[side], "", Press("pan", how=side))
        for side in SIDES
    ]
    return enlarging + panning


def _of_one(mark: str) -> list[_Offer]:
    return [
        (
            f"MJ::JOB::low_variation::1::{mark}::SOLO",
            "🪄",
            "Vary (Subtle)",
            Press("vary", how="low"),
        ),
        (
            f"MJ::JOB::high_variation::1::{mark}::SOLO",
            "🪄",
            "Vary (Strong)",
            Press("vary", how="high"),
        ),
        (f"MJ::Inpaint::1::{mark}::SOLO", "🖌️", "Vary (Region)", Press("Inpaint")),
        (f"MJ::Outpaint::50::1::{mark}::SOLO", "🔍", "Zoom Out 2x", Press("zoom", how="2")),
        (f"MJ::Outpaint::75::1::{mark}::SOLO", "🔍", "Zoom Out 1.5x", Press("zoom", how="1.5")),
        (f"MJ::CustomZoom::{mark}", "🔍", "Custom Zoom", Press("CustomZoom")),
        (f"MJ::BOOKMARK::{mark}", "❤️", "", None),
    ]


def _of_suggestions(job: Job) -> list[_Offer]:
    return [
        (f"MJ::Job::PicReader::{n}", f"{n}\ufe0f\u20e3", "", None)
        for n in range(1, len(job.suggestions) + 1)
    ]


def pressed(job: Job, press: Press, custom_id: str) -> Job:
    """What a button of a finished job begins, without its buttons; perhaps a dialog."""
    new = Job("", job.bot, job.prompt, custom_id=custom_id)
    seeds = tuple(seed_for(job.prompt, custom_id, k, secrets.token_hex(4)) for k in range(4))
    one = job.scenes[0]
    match press:
        case Press("pick", which=which):
            return replace(new, action="UPSCALE", scenes=(job.scenes[which - 1],))
        case Press("variation", which=which):
            base = job.scenes[which - 1]
            return replace(new, action="VARIATION", scenes=_varied(base, seeds, 0.35))
        case Press("reroll"):
            return replace(new, action="REROLL", scenes=_again(job.scenes, seeds))
        case Press("enlarge", how=how):
            base = Varied(one, seeds[0], 0.12) if how == "creative" else one
            return replace(new, action="UPSCALE", scenes=(Enlarged(base, 2),))
        case Press("vary", how=how):
            action = f"{how.upper()}_VARIATION"
            strength = 0.15 if how == "low" else 0.5
            return replace(new, action=action, scenes=_varied(one, seeds, strength))
        case Press("zoom", how=how):
            return replace(new, action="ZOOM", scenes=(Zoomed(one, seeds[0], float(how)),))
        case Press("pan", how=how):
            return replace(new, action="PAN", scenes=(Panned(one, seeds[0], how),))
        case Press("Inpaint"):
            return replace(new, action="INPAINT", scenes=(one,), dialog="Inpaint")
        case _:
            return replace(new, action="CUSTOM_ZOOM", scenes=(one,), dialog="CustomZoom")


def _varied(base: Scene, seeds: tuple[int, ...], strength: float) -> tuple[Scene, ...]:
    return tuple(Varied(base, seed, strength) for seed in seeds)


def _again(scenes: tuple[Scene, ...], seeds: tuple[int, ...]) -> tuple[Scene, ...]:
    """The same recipes with other seeds; an image that came along stays."""
    return tuple(_reseeded(scene, seed) for scene, seed in zip(scenes, seeds, strict=True))


def _reseeded(scene: Scene, seed: int) -> Scene:
    match scene:
        case Given() | Enlarged():
            return scene
        case _:
            return replace(scene, seed=seed)
