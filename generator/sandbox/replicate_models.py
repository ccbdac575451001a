"""What each model of the Replicate format takes inside `input`, and in what form it answers (I1).

The page names fields without saying which model has which: that is Replicate's own list of them.
"""

from dataclasses import dataclass

from generator.sandbox.inputs import Choice, Number, Picture, Pictures, Rule, Switch, Whole, Words

LONGEST_PROMPT = 10_000
MATCH = "match_input_image"
CUSTOM = "custom"
_WIDE = ("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21")
_PRO = (CUSTOM, "1:1", "16:9", "3:2", "2:3", "4:5", "5:4", "9:16", "3:4", "4:3")
_STABLE = ("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "9:16", "9:21")
_SCHEDULERS = (
    "DDIM",
    "DPMSolverMultistep",
    "HeunDiscrete",
    "KarrasDPM",
    "K_EULER_ANCESTRAL",
    "K_EULER",
    "PNDM",
)


@dataclass(frozen=True, slots=True)
class Model:
    """`lists`: its output is a list of links, and not one. `usual`: its format where none is asked.

    `wrapped`: a look is answered as a task of the gateway, and not in Replicate's own form.
    """

    rules: dict[str, Rule]
    lists: bool = False
    usual: str = "webp"
    wrapped: bool = False
    pixels: int = 1024 * 1024


def _rules(*formats: str, **more: Rule) -> dict[str, Rule]:
    return {
        "prompt": Words(LONGEST_PROMPT),
        "seed": Whole(0, 2**32 - 1),
        "output_format": Choice(formats or ("webp", "jpg", "png")),
        **more,
    }


def _sides(least: int, most: int, step: int) -> dict[str, Rule]:
    return {side: Whole(least, most, step) for side in ("width", "height")}


_IMAGE = Picture(bare=False)
_SCHNELL = _rules(
    output_quality=Whole(0, 100),
    aspect_ratio=Choice(_WIDE),
    num_outputs=Whole(1, 4),
    num_inference_steps=Whole(1, 4),
    go_fast=Switch(),
    megapixels=Choice(("1", "0.25")),
)
_DEV = _SCHNELL | {
    "num_inference_steps": Whole(1, 50),
    "guidance": Number(0, 10),
    "image": _IMAGE,
    "prompt_strength": Number(0, 1),
}
_ONE_PRO = _rules(
    output_quality=Whole(0, 100),
    **_sides(256, 1440, 32),
    aspect_ratio=Choice(_PRO),
    safety_tolerance=Whole(0, 5),
    prompt_upsampling=Switch(),
    image_prompt=_IMAGE,
)
_PRO_1 = _ONE_PRO | {"steps": Whole(1, 50), "guidance": Number(2, 5), "interval": Whole(1, 4)}
_ULTRA = _rules(
    "jpg",
    "png",
    aspect_ratio=Choice(_WIDE),
    safety_tolerance=Whole(0, 5),
    raw=Switch(),
    image_prompt=_IMAGE,
    image_prompt_strength=Number(0, 1),
)
_KONTEXT = _rules(
    "jpg",
    "png",
    aspect_ratio=Choice((MATCH, *_WIDE)),
    safety_tolerance=Whole(0, 5),
    prompt_upsampling=Switch(),
    **dict.fromkeys(("input_image", *(f"input_image_{n}" for n in (2, 3, 4))), _IMAGE),
)
_TWO_DEV = _rules(
    output_quality=Whole(0, 100),
    aspect_ratio=Choice((MATCH, *_PRO)),
    input_images=Pictures(4),
    **_sides(256, 1440, 32),
)
_TWO = _rules(
    output_quality=Whole(0, 100),
    **_sides(256, 2048, 32),
    aspect_ratio=Choice((MATCH, *_PRO)),
    resolution=Choice(("1 MP", "2 MP", "4 MP")),
    safety_tolerance=Whole(0, 5),
    input_images=Pictures(8),
)
_FLEX = _TWO | {
    "steps": Whole(1, 50),
    "guidance": Number(1.5, 10),
    "prompt_upsampling": Switch(),
}
_SDXL: dict[str, Rule] = {
    **_sides(512, 1536, 8),
    "prompt": Words(LONGEST_PROMPT),
    "negative_prompt": Words(LONGEST_PROMPT),
    "image": _IMAGE,
    "mask": _IMAGE,
    "prompt_strength": Number(0, 1),
    "num_outputs": Whole(1, 4),
    "num_inference_steps": Whole(1, 500),
    "guidance_scale": Number(1, 50),
    "scheduler": Choice(_SCHEDULERS),
    "refine": Choice(("no_refiner", "expert_ensemble_refiner", "base_image_refiner")),
    "seed": Whole(0, 2**32 - 1),
}
_MEDIUM = _rules(
    aspect_ratio=Choice(_STABLE),
    cfg=Number(1, 10),
    negative_prompt=Words(LONGEST_PROMPT),
    image=_IMAGE,
    prompt_strength=Number(0, 1),
)

MODELS: dict[str, Model] = {
    "black-forest-labs/flux-schnell": Model(_SCHNELL, lists=True),
    "black-forest-labs/flux-dev": Model(_DEV, lists=True),
    "black-forest-labs/flux-pro": Model(_PRO_1),
    "black-forest-labs/flux-1.1-pro": Model(_ONE_PRO),
    "black-forest-labs/flux-1.1-pro-ultra": Model(_ULTRA, usual="jpg", pixels=2048 * 2048),
    "black-forest-labs/flux-kontext-pro": Model(_KONTEXT, usual="png"),
    "black-forest-labs/flux-kontext-max": Model(_KONTEXT, usual="png"),
    "black-forest-labs/flux-2-pro": Model(_TWO),
    "black-forest-labs/flux-2-flex": Model(_FLEX),
    "black-forest-labs/flux-2-max": Model(_TWO),
    "black-forest-labs/flux-2-dev": Model(_TWO_DEV),
    "stability-ai/sdxl": Model(_SDXL, lists=True, usual="png", wrapped=True),
    "stability-ai/stable-diffusion-3.5-medium": Model(_MEDIUM, wrapped=True),
}
