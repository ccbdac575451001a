"""Briefs for Bria, with what each action needs."""

import io
from typing import Any

from PIL import Image

from generator.providers.base import Brief, Reference


def picture(mode: str = "RGB", size: tuple[int, int] = (40, 30)) -> Reference:
    file = io.BytesIO()
    Image.new(mode, size, "white").save(file, "PNG")
    return Reference(file.getvalue(), "image/png", "a.png")


PICTURE, MASK = picture(), picture("L")


def brief(action: str = "create", **facts: Any) -> Brief:
    """A brief that has what the action needs, unless told otherwise."""
    given: dict[str, Any] = {"prompt": "a fox", "wire_model": "bria", "fields": {}}
    if action != "create":
        given["references"] = (PICTURE,)
    if action in {"erase", "fill"}:
        given["mask"] = MASK
    if action in {"erase", "enhance", "upscale"}:
        given["prompt"] = ""
    return Brief(action, **{**given, **facts})
