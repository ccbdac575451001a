"""What each Seedream model takes: a reading of D1, on purpose not the studio's own table."""

from dataclasses import dataclass

from generator.sandbox.canvas import Size


def _sizes(text: str) -> tuple[Size, ...]:
    pairs = (size.split("x") for size in text.split())
    return tuple((int(width), int(height)) for width, height in pairs)


# What is recommended for each preset: the square first, and the widest last (D1).
PRESETS = {
    "1K": _sizes("1024x1024 1152x864 864x1152 1280x720 720x1280 1248x832 832x1248 1512x648"),
    "2K": _sizes("2048x2048 2304x1728 1728x2304 2848x1600 1600x2848 2496x1664 1664x2496 3136x1344"),
    "3K": _sizes("3072x3072 3456x2592 2592x3456 4096x2304 2304x4096 3744x2496 2496x3744 4704x2016"),
    "4K": _sizes("4096x4096 4704x3520 3520x4704 5504x3040 3040x5504 4992x3328 3328x4992 6240x2656"),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one of the four models takes. `plain` are the fields beside the common ones."""

    presets: tuple[str, ...]
    least_pixels: int
    plain: frozenset[str]
    sides: tuple[int, int] | None = None  # bounds of each side, for the oldest
    is_new: bool = True  # takes images, and makes series
    modes: tuple[str, ...] = ()
    formats: tuple[str, ...] = ("jpeg",)


COMMON = frozenset({"model", "prompt", "response_format", "size", "watermark", "stream"})
_SERIES = frozenset({"image", "sequential_image_generation", "sequential_image_generation_options"})
_NEWER = _SERIES | {"output_format", "optimize_prompt_options"}
LIMITS = {
    # It ignores a seed and a guidance (D1).
    "doubao-seedream-5-0-260128": Limits(
        ("2K", "3K", "4K"),
        3_686_400,
        _NEWER | {"tools", "seed", "guidance_scale"},
        modes=("standard",),
        formats=("png", "jpeg"),
    ),
    "doubao-seedream-4-5-251128": Limits(("2K", "4K"), 3_686_400, _NEWER, modes=("standard",)),
    "doubao-seedream-4-0-250828": Limits(
        ("1K", "2K", "4K"), 921_600, _NEWER, modes=("standard", "fast")
    ),
    "doubao-seedream-3-0-t2i-250415": Limits(
        (), 512 * 512, frozenset({"seed", "guidance_scale"}), sides=(512, 2048), is_new=False
    ),
}
