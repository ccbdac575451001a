"""What is asked of Midjourney: bodies read strictly, and the jobs they become (F1)."""

import base64
import binascii
import hashlib
import math
import re
from dataclasses import dataclass, replace
from random import Random

from generator.sandbox.canvas import Size
from generator.sandbox.gallery import encode
from generator.sandbox.midjourney_flags import AREA, Told, take_apart
from generator.sandbox.midjourney_jobs import Job
from generator.sandbox.midjourney_scenes import (
    Filled,
    Given,
    Mixed,
    Painted,
    Scene,
    Varied,
    Zoomed,
    drawn,
)
from generator.sandbox.paint import seed_for
from generator.sandbox.retouch import opened
from generator.sandbox.wire import Fields, Refused

_COMMON = {"botType", "notifyHook", "state"}
FIELDS = {
    "imagine": frozenset({*_COMMON, "prompt", "base64Array", "accountFilter"}),
    "action": frozenset({"taskId", "customId", "state", "enableRemix", "notifyHook"}),
    "modal": frozenset({"taskId", "prompt", "maskBase64"}),
    "blend": frozenset({*_COMMON, "base64Array", "dimensions"}),
    "describe": frozenset({*_COMMON, "base64", "link"}),
    "edits": frozenset({*_COMMON, "prompt", "image", "maskBase64", "accountFilter"}),
}
BOTS = ("MID_JOURNEY", "NIJI_JOURNEY")
MODES = ("FAST", "RELAX", "TURBO")
SHAPES = {"PORTRAIT": (2, 3), "SQUARE": (1, 1), "LANDSCAPE": (3, 2)}
MOST_PROMPT_IMAGES = 5
LONGEST_PROMPT = 6000
# What a bot adds to a prompt that names no version.
_DEFAULT_VERSIONS = {"MID_JOURNEY": "--v 7", "NIJI_JOURNEY": "--niji 6"}


class BadOrder(Exception):
    """Refused with code 4, parameter error; the text is the `description`."""


@dataclass(frozen=True, slots=True)
class Asker:
    """How to read a body: strictly or not, and how often its prompt was paid for before."""

    body: Fields
    strict: bool
    turn: int

    def text(self, name: str) -> str:
        """A field as text; empty if it is not there."""
        said = self.body.get(name)
        if said is None:
            return ""
        if not isinstance(said, str):
            raise BadOrder(f"{name} must be a string")
        return said

    def need(self, name: str, missing: str) -> str:
        """A field as text that must be there; `missing` says so in the gateway's words."""
        if not (said := self.text(name).strip()):
            raise BadOrder(missing)
        return said

    def check(self, verb: str) -> None:
        """Raises BadOrder for a field that the address does not know."""
        if self.strict and (unknown := set(self.body) - FIELDS[verb]):
            raise BadOrder(f"bind_request_body_failed: unknown field {sorted(unknown)[0]}")
        modes = self.modes
        if not set(modes) <= set(MODES):
            raise BadOrder("accountFilter.modes is invalid")

    @property
    def modes(self) -> list[str]:
        """The speeds that the account filter names."""
        said = self.body.get("accountFilter", {})
        modes = said.get("modes") or [] if isinstance(said, dict) else None
        if not isinstance(modes, list):
            raise BadOrder("accountFilter is invalid")
        return [str(mode) for mode in modes]

    @property
    def bot(self) -> str:
        """Whose bot: MID_JOURNEY unless another is named."""
        bot = self.text("botType") or BOTS[0]
        if bot not in BOTS:
            raise BadOrder("botType is invalid")
        return bot

    def told(self, prompt: str) -> Told:
        """A prompt, taken apart."""
        if len(prompt) > LONGEST_PROMPT:
            raise BadOrder("prompt is too long")
        return take_apart(prompt, strict=self.strict)


def imagine(asker: Asker) -> Job:
    """Four pictures of a prompt, with what shines through from the images that came along."""
    prompt = asker.need("prompt", "prompt_is_required")
    told = asker.told(prompt)
    images = _images(asker, 0, MOST_PROMPT_IMAGES)
    seeds = _seeds(asker, told, asker.bot)
    job = Job("IMAGINE", asker.bot, _final(prompt, told, asker.bot), failure=_failure(told))
    return replace(job, scenes=tuple(_imagined(images, seed, told.size) for seed in seeds))


def _imagined(images: list[bytes], seed: int, size: Size) -> Scene:
    if not images:
        return Painted(seed, size)
    parts = tuple(Given(image, size) for image in images)
    base = parts[0] if len(parts) == 1 else Mixed(parts, seed)
    return Varied(base, seed, 0.4)


def blend(asker: Asker) -> Job:
    """Four mixtures of two to five images."""
    images = _images(asker, 2, 5)
    shape = asker.text("dimensions") or "SQUARE"
    if shape not in SHAPES:
        raise BadOrder("dimensions is invalid")
    wide, high = SHAPES[shape]
    scale = math.sqrt(AREA / (wide * high))
    size = round(wide * scale / 16) * 16, round(high * scale / 16) * 16
    parts = tuple(Given(image, size) for image in images)
    seeds = [seed_for("blend", _digest(*images), k, asker.turn) for k in range(4)]
    return Job("BLEND", asker.bot, "", scenes=tuple(Mixed(parts, seed) for seed in seeds))


def describe(asker: Asker) -> Job:
    """Four prompts for an image."""
    link, data = asker.text("link"), asker.text("base64")
    if bool(link) == bool(data):
        raise BadOrder("either base64 or link is required")
    if data:
        size = opened(image := _decoded(data, "base64")).size
    else:
        image, size = link.encode(), (1024, 1024)
        if not re.match(r"https?://", link):
            raise BadOrder("link is invalid")
    return Job("DESCRIBE", asker.bot, "", suggestions=_suggestions(_digest(image), size))


def edits(asker: Asker) -> Job:
    """The image that came along painted over: where its mask is white, or a little all over."""
    prompt = asker.need("prompt", "prompt_is_required")
    told = asker.told(prompt)
    image = _decoded(asker.need("image", "image is required"), "image", bare=True)
    size = opened(image).size
    if "aspect" in told.flags:
        size = told.size
    base, (seed, *_) = Given(image, size), _seeds(asker, told, _digest(image))
    scene: Scene = Varied(base, seed, 0.4)
    if said := asker.text("maskBase64"):
        scene = Filled(base, _mask(said), seed)
    final = _final(prompt, told, asker.bot)
    return Job("EDITS", asker.bot, final, scenes=(scene,), failure=_failure(told))


def answered(asker: Asker, job: Job) -> Job:
    """The job whose dialog the body answers (F4)."""
    prompt = asker.text("prompt").strip()
    told = asker.told(prompt)
    new = replace(job, dialog="", failure=_failure(told))
    if told.text:
        new = replace(new, prompt=_final(prompt, told, job.bot))
    base, (seed, *_) = job.scenes[0], _seeds(asker, told, job.custom_id)
    if job.dialog == "Inpaint":
        mask = _mask(asker.need("maskBase64", "maskBase64 is required"))
        return replace(new, scenes=(Filled(base, mask, seed),))
    if asker.strict and "maskBase64" in asker.body:
        raise BadOrder("maskBase64 is not expected")
    if not prompt:
        raise BadOrder("prompt_is_required")
    return replace(new, scenes=(Zoomed(base, seed, told.zoom),))


# ── Images that come along ──


def _images(asker: Asker, least: int, most: int) -> list[bytes]:
    """Small ones of the same content: only their look matters."""
    said = asker.body.get("base64Array") or []
    if not isinstance(said, list) or not least <= len(said) <= most:
        raise BadOrder(f"base64Array must hold {least} to {most} images")
    return [_small(_decoded(one, "base64Array")) for one in said]


def _small(data: bytes) -> bytes:
    image = drawn(Given(data, opened(data).size)).copy()
    image.thumbnail((1024, 1024))
    return encode(image, "png")


def _decoded(said: object, name: str, *, bare: bool = False) -> bytes:
    """The image of a data URI, or of base64 alone where that is taken too (`bare`)."""
    if not isinstance(said, str):
        raise BadOrder(f"{name} is invalid")
    found = re.match(r"data:image/(png|jpeg|jpg|webp|gif);base64,", said)
    if found is None and (not bare or said.startswith(("data:", "http"))):
        raise BadOrder(f"{name} must be a data URI in base64")
    try:
        data = base64.b64decode(said[found.end() if found else 0 :], validate=True)
        opened(data, name)
    except (binascii.Error, ValueError, Refused) as error:
        raise BadOrder(f"{name} is not an image in base64") from error
    return data


def _mask(said: str) -> bytes:
    if not said.startswith("data:image/png;base64,"):
        raise BadOrder("maskBase64 must be a data URI of a PNG")
    return _decoded(said, "maskBase64")


# ── Words ──


def _seeds(asker: Asker, told: Told, *tokens: object) -> list[int]:
    """Four seeds: the same again for a seed of one's own, else others each time."""
    chance = told.flags.get("seed") or f"turn {asker.turn}"
    return [seed_for(told.text, *tokens, k, chance) for k in range(4)]


def _final(prompt: str, told: Told, bot: str) -> str:
    named = {"version", "niji"} & set(told.flags)
    return prompt if named else f"{prompt} {_DEFAULT_VERSIONS[bot]}"


def _failure(told: Told) -> str:
    return f"[Invalid parameter] {'; '.join(told.faults)}" if told.faults else ""


def _digest(*images: bytes) -> str:
    return hashlib.sha256(b"".join(images)).hexdigest()


_LOOKS = ("soft morning light", "a muted palette", "strong shadows", "a wide, quiet composition")
_THINGS = ("hills under a pale sky", "a still life of round forms", "a street after rain", "leaves")
_MANNERS = ("gouache", "35mm film", "a woodcut print", "a matte painting")


def _suggestions(digest: str, size: Size) -> tuple[str, ...]:
    rng = Random(digest)
    common = math.gcd(*size)
    wide, high = (side // common for side in size)
    ending = f" --ar {wide}:{high}" if max(wide, high) < 100 else ""
    return tuple(
        f"{rng.choice(_THINGS)}, {rng.choice(_LOOKS)}, {manner}{ending}" for manner in _MANNERS
    )
