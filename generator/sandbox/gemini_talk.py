"""What is said to a Gemini image model, read as strictly as Google reads it (G1).

Names may be written in camel or in snake case, base64 with either alphabet, as Google's own
libraries do. A model's turn must come back as it was made: `sign` makes what shows it.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from generator.sandbox import retouch
from generator.sandbox.gemini_terms import (
    HARMS,
    MOST_IMAGES,
    NUMBERS,
    PEOPLE,
    SCALES,
    THRESHOLDS,
    TYPES,
    Wrong,
    shapes_of,
)
from generator.sandbox.wire import Fields, Refused

_BODY = ("contents", "generationConfig", "tools", "safetySettings", "systemInstruction")
_CONFIG = (*NUMBERS, "responseModalities", "imageConfig", "thinkingConfig")
_PART = ("text", "inlineData", "fileData", "thought", "thoughtSignature")
_SECRET = b"what a model of the sandbox said"


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation as it stands: what is asked for now, and what there is to paint over.

    `unsigned`: a turn of the model's came back without its signature. `given`: images in all.
    """

    prompt: str
    model: str
    shape: str = ""
    scale: int = 1
    seed: int | None = None
    in_words: bool = True
    in_images: bool = True
    base: bytes | None = field(default=None, repr=False)
    given: int = 0
    unsigned: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of a turn. `image` is decoded, `signature` too."""

    text: str = ""
    image: bytes = field(default=b"", repr=False)
    mime_type: str = ""
    link: str = ""
    is_thought: bool = False
    signature: bytes = b""


def prompt_of(body: Fields) -> str:
    """The words of the last turn, however wrong the rest is."""
    try:
        parts = body["contents"][-1]["parts"]
        return "\n".join(part["text"] for part in parts if part.get("text"))
    except (AttributeError, IndexError, KeyError, TypeError):
        return ""


def check(body: Fields, model: str, *, strict: bool = True) -> Talk:
    """What a body asks for. Raises `Wrong` for what Google would refuse.

    Not `strict`: unknown names and values out of bounds are dropped in silence.
    """
    return _Reader(model, strict).talk(body)


def sign(parts: list[Fields]) -> str:
    """The signature of a turn of the model's, for its last part: base64."""
    read = [_Reader("", True).part(part, "contents") for part in parts]
    return base64.b64encode(_signature(read)).decode("ascii")


def _signature(parts: list[_Part]) -> bytes:
    """Over all that is no thought: those may stay behind."""
    facts = [
        [part.text, part.link, hashlib.sha256(part.image).hexdigest()]
        for part in parts
        if not part.is_thought
    ]
    return hmac.digest(_SECRET, json.dumps(facts).encode(), "sha256")


class _Reader:
    """Reads for one model, strictly or kindly."""

    def __init__(self, model: str, strict: bool) -> None:
        self._strict = strict
        self._shapes = shapes_of(model)
        self._model = model

    def talk(self, body: Fields) -> Talk:
        body = self._named(body, "", _BODY)
        turns = list(self._turns(body.get("contents")))
        config = self._named(body.get("generationConfig", {}), "generation_config", _CONFIG)
        image = self._named(
            config.get("imageConfig", {}),
            "generation_config.image_config",
            ("aspectRatio", "imageSize", "personGeneration"),
        )
        numbers = self._numbers(config)
        self._tools(body.get("tools", []))
        self._safety(body.get("safetySettings", []))
        self._choice(image, "personGeneration", PEOPLE)
        ways = self._modalities(config)
        return Talk(
            prompt="\n".join(part.text for part in turns[-1][1] if part.text),
            model=self._model,
            shape=self._choice(image, "aspectRatio", self._shapes),
            scale=SCALES[self._choice(image, "imageSize", SCALES) or "1K"],
            seed=numbers.get("seed"),
            in_words="TEXT" in ways,
            in_images="IMAGE" in ways,
            base=_base(turns),
            given=sum(bool(part.image) for _, parts in turns for part in parts),
            unsigned=self._strict and not all(self._is_signed(*turn) for turn in turns),
        )

    # ── Turns ──

    def _turns(self, contents: object) -> Iterator[tuple[str, list[_Part]]]:
        if not isinstance(contents, list) or not contents:
            raise Wrong("* GenerateContentRequest.contents: contents is not specified")
        for place, turn in enumerate(contents):
            where = f"contents[{place}]"
            turn = self._named(turn, where, ("role", "parts"))
            # The role may be left out where there is one turn only.
            role = turn.get("role", "user" if len(contents) == 1 else None)
            if role not in {"user", "model"}:
                raise Wrong("Please use a valid role: user, model.")
            if role == "model" and place in {0, len(contents) - 1}:
                raise Wrong("Please ensure that a conversation begins and ends with a user turn.")
            yield role, self._parts_of(turn.get("parts"), where, role)

    def _parts_of(self, parts: object, where: str, role: str) -> list[_Part]:
        if not isinstance(parts, list) or not parts:
            raise Wrong(f"Invalid value at '{where}.parts'")
        read = [self.part(part, f"{where}.parts[{n}]") for n, part in enumerate(parts)]
        if role == "user":
            if any(part.link for part in read):
                raise Wrong("Cannot fetch content from the provided URL.")
            if sum(bool(part.image) for part in read) > MOST_IMAGES:
                raise Wrong(f"Please use at most {MOST_IMAGES} images in one request.")
            for part in read:
                if part.image:
                    _must_open(part.image)
        return read

    def part(self, part: object, where: str) -> _Part:
        """One part. Raises `Wrong` for one that is none."""
        said = self._named(part, where, _PART)
        if len({"text", "inlineData", "fileData"} & set(said)) != 1:
            raise Wrong(f"Invalid value at '{where}': one of text, inline_data is required")
        text = said.get("text", "")
        if not isinstance(text, str):
            raise Wrong(f"Invalid value at '{where}.text' (TYPE_STRING)")
        inline = self._named(said.get("inlineData", {}), where, ("mimeType", "data"))
        file = self._named(said.get("fileData", {}), where, ("mimeType", "fileUri"))
        if inline and inline.get("mimeType") not in TYPES:
            raise Wrong("Unsupported MIME type.")
        return _Part(
            text=text,
            image=_bytes(inline.get("data"), f"{where}.inline_data.data") if inline else b"",
            mime_type=inline.get("mimeType", ""),
            link=str(file.get("fileUri", "")),
            is_thought=said.get("thought") is True,
            signature=_bytes(said.get("thoughtSignature", ""), f"{where}.thought_signature"),
        )

    def _is_signed(self, role: str, parts: list[_Part]) -> bool:
        """Whether a turn bears its signature. Raises `Wrong` for another one."""
        signed = [part.signature for part in parts if part.signature]
        if role == "user" or not signed:
            return role == "user"
        if not hmac.compare_digest(signed[-1], _signature(parts)):
            reason = "MISSING_THOUGHT_SIGNATURE"
            raise Wrong("Corrupted thought signature.", reason=reason)
        return True

    # ── What else is set ──

    def _named(self, node: object, where: str, known: Collection[str]) -> Fields:
        """The fields of an object by their names in camel case."""
        if not isinstance(node, dict):
            raise Wrong(f"Invalid value at '{where}'")
        said = {_camel(name): value for name, value in node.items()}
        unknown = next((name for name in said if name not in known), None)
        if unknown is not None and self._strict:
            raise Wrong(
                f"Invalid JSON payload received. Unknown name \"{unknown}\" at '{where}': "
                "Cannot find field."
            )
        return {name: value for name, value in said.items() if name in known}

    def _choice(self, node: Fields, name: str, known: Collection[str]) -> str:
        said = node.get(name, "")
        if name in node and (not isinstance(said, str) or said not in known):
            if self._strict:
                raise Wrong(f"Invalid value at 'generation_config.image_config.{_snake(name)}'")
            return ""
        return str(said)

    def _numbers(self, config: Fields) -> Fields:
        read = {}
        for name in NUMBERS.keys() & config.keys():
            if _fits(config[name], *NUMBERS[name]):
                read[name] = config[name]
            elif self._strict:
                raise Wrong(f"Invalid value at 'generation_config.{_snake(name)}'")
        return read

    def _modalities(self, config: Fields) -> list[str]:
        # Without the word the answer may be text only (G1): here it always is.
        ways = config.get("responseModalities", ["TEXT"])
        if not isinstance(ways, list) or not ways or not set(ways) <= {"TEXT", "IMAGE"}:
            raise Wrong("Invalid value at 'generation_config.response_modalities'")
        return ways

    def _tools(self, tools: object) -> None:
        if not isinstance(tools, list):
            raise Wrong("Invalid value at 'tools'")
        for place, tool in enumerate(tools):
            if self._named(tool, f"tools[{place}]", ("googleSearch",)).get("googleSearch") != {}:
                raise Wrong(f"Invalid value at 'tools[{place}].google_search'")

    def _safety(self, settings: object) -> None:
        if not isinstance(settings, list):
            raise Wrong("Invalid value at 'safety_settings'")
        for place, setting in enumerate(settings):
            where = f"safety_settings[{place}]"
            said = self._named(setting, where, ("category", "threshold"))
            if said.get("category") not in HARMS or said.get("threshold") not in THRESHOLDS:
                raise Wrong(f"Invalid value at '{where}'")


def _fits(said: object, kind: type, least: float, most: float) -> bool:
    if isinstance(said, bool) or not isinstance(said, int | float):
        return False
    return isinstance(said, int | kind) and least <= said <= most


def _base(turns: list[tuple[str, list[_Part]]]) -> bytes | None:
    """What there is to paint over: the last image the model made, unless others came since."""
    for role, parts in reversed(turns):
        images = [part.image for part in parts if part.image and not part.is_thought]
        if images:
            return images[0] if role == "user" else images[-1]
    return None


def _must_open(image: bytes) -> None:
    try:
        retouch.opened(image)
    except Refused as error:
        raise Wrong("Unable to process input image. Provided image is not valid.") from error


def _bytes(text: object, where: str) -> bytes:
    """Base64 of either alphabet; a `data:` prefix is none of it (K18)."""
    if not isinstance(text, str):
        raise Wrong(f"Invalid value at '{where}' (TYPE_BYTES)")
    plain = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
    except ValueError as error:
        raise Wrong(f"Invalid value at '{where}' (TYPE_BYTES), Base64 decoding failed") from error


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def _snake(name: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", name).lower()
