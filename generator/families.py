"""What each family of models takes: fields and limits, read once from families.toml."""

import fnmatch
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from generator.errors import NotOffered

FILE = Path(__file__).with_name("families.toml")
KINDS = frozenset({"choice", "size", "count", "integer"})


@dataclass(frozen=True, slots=True)
class Condition:
    """A field makes sense only where another field has one of these values."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SizeRule:
    """Sizes of one's own beside the listed ones: width by height, in pixels (B2)."""

    multiple_of: int
    least_pixels: int
    most_pixels: int
    widest_ratio: float
    longest_side: int

    def fault(self, width: int, height: int) -> str:
        """What is wrong with a size, for people; empty if nothing is."""
        if width < 1 or height < 1 or width % self.multiple_of or height % self.multiple_of:
            return f"Both sides must be multiples of {self.multiple_of}."
        if max(width, height) > self.widest_ratio * min(width, height):
            return f"One side may be at most {self.widest_ratio:g} times the other."
        if max(width, height) > self.longest_side:
            return f"No side may be longer than {self.longest_side:,} pixels."
        if not self.least_pixels <= width * height <= self.most_pixels:
            return (
                f"Width times height must lie between {self.least_pixels:,} "
                f"and {self.most_pixels:,} pixels."
            )
        return ""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a person may set for a family."""

    name: str
    kind: str
    label: str
    choices: tuple[str, ...] = ()
    default: Any = None
    least: int | None = None
    most: int | None = None
    labels: Mapping[str, str] | None = None
    hint: str = ""
    own: SizeRule | None = None
    only_with: Condition | None = None

    def choice_label(self, choice: str) -> str:
        """What a page calls one of the choices."""
        return (self.labels or {}).get(choice) or choice.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Model:
    """A model that the families name, with the price it starts with (credits per image)."""

    wire_model: str
    label: str
    credits: int | None


@dataclass(frozen=True, slots=True)
class Family:
    """What models of one kind take."""

    name: str
    protocol: str
    provider: str
    models: tuple[Model, ...]
    fields: Mapping[str, Field]
    actions: tuple[str, ...]
    prompt_limit: int
    deadline: float
    usual_seconds: int
    patterns: tuple[str, ...] = ()
    note: str = ""
    refuses: tuple[Mapping[str, str], ...] = ()

    @property
    def most_images(self) -> int:
        """How many images one generation may ask for."""
        count = self.fields.get("count")
        return (count.most or 1) if count else 1

    def takes(self, wire_model: str) -> bool:
        """Whether a model of this name belongs to the family."""
        return any(model.wire_model == wire_model for model in self.models) or any(
            fnmatch.fnmatch(wire_model, pattern) for pattern in self.patterns
        )


def parse_size(text: str) -> tuple[int, int] | None:
    """`"1024x1536"` to `(1024, 1536)`; None for anything else, such as `auto`."""
    found = re.fullmatch(r"([1-9]\d{1,4})\s*[x×]\s*([1-9]\d{1,4})", text.strip())
    return (int(found[1]), int(found[2])) if found else None


def read(text: str) -> dict[str, Family]:
    """Families by name, from the text of families.toml.

    Raises ValueError, naming the family, for a doubled name or an unknown kind of field.
    """
    families: dict[str, Family] = {}
    for row in tomllib.loads(text)["family"]:
        family = _family(row)
        if family.name in families:
            raise ValueError(f"families.toml names {family.name} twice.")
        families[family.name] = family
    return families


def _family(row: dict[str, Any]) -> Family:
    fields = {name: _field(row["name"], name, facts) for name, facts in row["fields"].items()}
    return Family(
        name=row["name"],
        protocol=row["protocol"],
        provider=row["provider"],
        models=tuple(Model(m["id"], m["label"], m.get("credits")) for m in row["models"]),
        fields=fields,
        actions=tuple(row["actions"]),
        prompt_limit=row["prompt_limit"],
        deadline=float(row.get("deadline", 600)),
        usual_seconds=row.get("usual_seconds", 30),
        patterns=tuple(row.get("patterns", ())),
        note=row.get("note", ""),
        refuses=tuple(row.get("refuses", ())),
    )


def _field(family: str, name: str, facts: dict[str, Any]) -> Field:
    if facts["kind"] not in KINDS:
        raise ValueError(f"families.toml: {family} has a field of the kind {facts['kind']!r}.")
    facts = {**facts, "choices": tuple(facts.get("choices", ()))}
    if own := facts.pop("own", None):
        facts["own"] = SizeRule(**own)
    if only := facts.pop("only_with", None):
        facts["only_with"] = Condition(only["field"], tuple(only["values"]))
    return Field(name=name, **facts)


@cache
def _families() -> dict[str, Family]:
    return read(FILE.read_text(encoding="utf-8"))


FAMILIES: Mapping[str, Family] = _families()


def family_named(name: str) -> Family:
    """The family of this name. Raises NotOffered if this release does not know it."""
    try:
        return FAMILIES[name]
    except KeyError:
        raise NotOffered(
            "This release of the studio does not know how to ask that model."
        ) from None
