"""What each family of models takes: fields and limits, read once from families.toml."""

import fnmatch
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from generator.errors import NotOffered
from generator.family_prices import Pricing, decimal, read_pricing
from generator.sizes import parse_ratio as parse_ratio
from generator.sizes import parse_size as parse_size

FILE = Path(__file__).with_name("families.toml")
KINDS = frozenset({"choice", "size", "ratio", "count", "integer", "number", "switch", "text"})
MASKS = frozenset({"none", "optional", "required"})
PROMPTS = frozenset({"none", "optional", "required"})
STARTS = frozenset({"nothing", "button", "memory"})
ANSWERS = frozenset({"images", "text"})
_BOTH = {"in", "out"}
PRICE_KINDS = frozenset({"image", "request", "megapixel", "tokens"})


@dataclass(frozen=True, slots=True)
class Condition:
    """A field makes sense only where another field has one of these values."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SizeRule:
    """Sizes of one's own beside the listed ones: width by height, in pixels (B2, D1, E2)."""

    multiple_of: int
    least_pixels: int
    most_pixels: int
    widest_ratio: float
    longest_side: int
    shortest_side: int = 1

    def fault(self, width: int, height: int) -> str:
        """All that is wrong with a size, in one sentence for people; empty if nothing is."""
        *first, last = [*self._faults(width, height)] or [""]
        sentence = f"{', '.join(first)}, and {last}" if first else last
        return f"{sentence[:1].upper()}{sentence[1:]}." if sentence else ""

    def _faults(self, width: int, height: int) -> Iterator[str]:
        if width < 1 or height < 1 or width % self.multiple_of or height % self.multiple_of:
            yield f"both sides must be multiples of {self.multiple_of}"
        if max(width, height) > self.widest_ratio * min(width, height):
            yield f"one side may be at most {self.widest_ratio:g} times the other"
        if max(width, height) > self.longest_side:
            yield f"no side may be longer than {self.longest_side:,} pixels"
        if min(width, height) < self.shortest_side:
            yield f"no side may be shorter than {self.shortest_side:,} pixels"
        if not self.least_pixels <= width * height <= self.most_pixels:
            yield (
                f"width times height must lie between {self.least_pixels:,} "
                f"and {self.most_pixels:,} pixels"
            )

    @property
    def words(self) -> str:
        """The rule beforehand: `Multiples of 16, 0.66 to 8.3 megapixels, at most 3:1.`"""
        parts = [] if self.multiple_of == 1 else [f"multiples of {self.multiple_of}"]
        parts.append(f"{_mega(self.least_pixels)} to {_mega(self.most_pixels)} megapixels")
        # What follows from the rest is not said.
        if self.widest_ratio < self.longest_side / self.shortest_side:
            parts.append(f"at most {self.widest_ratio:g}:1")
        if self.longest_side < (self.most_pixels * self.widest_ratio) ** 0.5:
            parts.append(f"no side over {self.longest_side:,}")
        sentence = ", ".join(parts)
        return f"{sentence[:1].upper()}{sentence[1:]}."


@dataclass(frozen=True, slots=True)
class ReferenceRule:
    """Which reference images an action takes: how many, and what each may be.

    An image larger than `most_bytes`, `most_pixels` or `longest_side` is made smaller before it is
    sent, one of another format is converted; one that is too small or too narrow is refused.
    `together`: references and images asked for may be at most so many (D2); 0 for no such rule.
    `all_bytes`: of all of them in one request. `needs_link`: the provider takes addresses only.
    """

    least: int = 0
    most: int = 1
    formats: tuple[str, ...] = ("png", "jpeg", "webp")
    most_bytes: int = 20_000_000
    all_bytes: int = 64_000_000
    most_pixels: int = 40_000_000
    longest_side: int = 16_384
    shortest_side: int = 1
    widest_ratio: float = 1000.0
    square: bool = False
    together: int = 0
    needs_link: bool = False

    def for_each_of(self, sizes: Collection[int]) -> "ReferenceRule":
        """The rule for each of several images of so many bytes: where they weigh too much together,
        none may weigh more than its share."""
        if sum(sizes) <= self.all_bytes:
            return self
        return replace(self, most_bytes=min(self.most_bytes, self.all_bytes // len(sizes)))

    def fault(self, width: int, height: int) -> str:
        """Why an image of this size cannot be sent, even made smaller; empty if it can."""
        if self.square and width != height:
            return (
                f"This model takes square images only, and this is {width} × {height}. "
                "Crop it to a square first."
            )
        if min(width, height) < self.shortest_side:
            return f"Both sides must have {self.shortest_side} pixels or more."
        if max(width, height) > self.widest_ratio * min(width, height):
            return f"One side may be at most {self.widest_ratio:g} times the other."
        return ""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a person may set for a family.

    `actions` and `models` (ids or patterns) say for which of the family's it is there; empty
    means for all. `least`, `most` and `step` bound numbers; `most` is also the longest text.
    """

    name: str
    kind: str
    label: str
    choices: tuple[str, ...] = ()
    default: Any = None
    least: float | None = None
    most: float | None = None
    step: float | None = None
    labels: Mapping[str, str] | None = None
    hint: str = ""
    own: SizeRule | None = None
    only_with: Condition | None = None
    actions: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    def choice_label(self, choice: str) -> str:
        """What a page calls one of the choices; a size without a name is called by its shape."""
        if label := (self.labels or {}).get(choice):
            return label
        if self.kind == "size" and (size := parse_size(choice)):
            return _shape_of(*size)
        words = choice.replace("_", " ")
        return words[:1].upper() + words[1:]

    def is_for(self, wire_model: str, action: str) -> bool:
        """Whether this model takes it for this action."""
        return (not self.actions or action in self.actions) and (
            not self.models or any(fnmatch.fnmatch(wire_model, one) for one in self.models)
        )


@dataclass(frozen=True, slots=True)
class ActionRule:
    """What a family takes for one action.

    `mask` and `prompt`: none, optional or required. `starts_from`: `button` for what begins with
    a button of an earlier generation's provider (F4), `memory` for what may go on from what this
    family remembers of one (G1). `answer`: images, or text for *describe*. `models` (ids or
    patterns): which models of the family can do it; empty means all.
    """

    action: str
    protocol: str
    references: ReferenceRule | None = None
    styles: ReferenceRule | None = None
    mask: str = "none"
    prompt: str = "required"
    starts_from: str = "nothing"
    answer: str = "images"
    deadline: float = 600.0
    usual_seconds: int = 30
    models: tuple[str, ...] = ()
    note: str = ""

    def is_for(self, wire_model: str) -> bool:
        """Whether this model of the family can do it."""
        return not self.models or any(fnmatch.fnmatch(wire_model, one) for one in self.models)


@dataclass(frozen=True, slots=True)
class Model:
    """A model that the families name, with the price it starts with.

    `kind`: what the price is counted by. `credits`: for one image or request. `tokens_in` and
    `tokens_out`: US dollars for a million tokens, before the gateway's `ratio`. `rates` are prices
    that differ: by action, or by action and speed (`"upscale"`, `"create turbo"`).
    """

    wire_model: str
    label: str
    credits: int | None
    rates: Mapping[str, int] = field(default_factory=dict)
    kind: str = "image"
    tokens_in: Decimal | None = None
    tokens_out: Decimal | None = None
    ratio: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Family:
    """What models of one kind take.

    `poll_every`: seconds between two looks at a task; `grace`: seconds for which a task that the
    provider does not know is taken for one that it does not know yet. `result` and `streams` are
    for the matrix in README; `unsure` are the points on which the documents leave doubt, and
    `tried` says whether it was ever tried against the live service.
    """

    name: str
    provider: str
    models: tuple[Model, ...]
    fields: Mapping[str, Field]
    actions: Mapping[str, ActionRule]
    prompt_limit: int
    poll_every: float = 4.0
    grace: float = 0.0
    patterns: tuple[str, ...] = ()
    note: str = ""
    refuses: tuple[Mapping[str, str], ...] = ()
    result: str = ""
    streams: str = ""
    unsure: tuple[str, ...] = ()
    tried: bool = False
    pricing: Pricing = field(default_factory=Pricing)

    def rule(self, action: str) -> ActionRule:
        """What it takes for an action. Raises NotOffered for one that it does not know."""
        try:
            return self.actions[action]
        except KeyError:
            raise NotOffered("This model cannot do that. Pick another one.") from None

    def can(self, wire_model: str, action: str) -> bool:
        """Whether a model of the family can do this."""
        rule = self.actions.get(action)
        return rule is not None and rule.is_for(wire_model)

    def fields_for(self, wire_model: str, action: str) -> dict[str, Field]:
        """The fields that a model takes for an action, in the order of the file."""
        return {
            name: field for name, field in self.fields.items() if field.is_for(wire_model, action)
        }

    def takes(self, wire_model: str) -> bool:
        """Whether a model of this name belongs to the family."""
        return any(model.wire_model == wire_model for model in self.models) or any(
            fnmatch.fnmatch(wire_model, pattern) for pattern in self.patterns
        )


def _mega(pixels: int) -> str:
    """Pixels in megapixels, with two digits: `0.66`, `8.3`, `17`."""
    return f"{pixels / 1e6:.2g}"


def _shape_of(width: int, height: int) -> str:
    """`Square`, or the shape as people say it: `16:9`."""
    if width == height:
        return "Square"
    shape = Fraction(width, height).limit_denominator(10)
    return f"{shape.numerator}:{shape.denominator}"


def read(text: str) -> dict[str, Family]:
    """Families by name, from the text of families.toml.

    A field with `like` is the shared field of that name, but for what else it says; a family with
    `like` is the family of that name, but for what else it says, action by action and field by
    field. Raises ValueError, naming the family, for a doubled name or a word that the schema does
    not know.
    """
    families: dict[str, Family] = {}
    file = tomllib.loads(text)
    rows = {row["name"]: row for row in file["family"]}
    for row in file["family"]:
        base = rows[row["like"]] if "like" in row else {}
        merged = {key: base.get(key, {}) | row.get(key, {}) for key in ("actions", "fields")}
        family = _family(base | row | merged, file.get("shared", {}), file.get("megapixels", {}))
        if family.name in families:
            raise ValueError(f"families.toml names {family.name} twice.")
        families[family.name] = family
    return families


def _family(
    row: dict[str, Any], shared: dict[str, dict[str, Any]], megapixels: dict[str, Any]
) -> Family:
    name = row["name"]
    usual: dict[str, Any] = {key: row[key] for key in ("deadline", "usual_seconds") if key in row}
    return Family(
        name=name,
        provider=row["provider"],
        models=tuple(_model(name, model) for model in row["models"]),
        fields={
            field: _field(name, field, _with_shared(facts, shared))
            for field, facts in row["fields"].items()
        },
        actions={
            action: _action(name, action, {"protocol": row["protocol"], **usual} | facts)
            for action, facts in row["actions"].items()
        },
        patterns=tuple(row.get("patterns", ())),
        refuses=tuple(row.get("refuses", ())),
        unsure=tuple(row.get("unsure", ())),
        pricing=read_pricing(name, row, megapixels),
        **{key: row[key] for key in _PLAIN if key in row},
    )


_PLAIN = ("prompt_limit", "poll_every", "grace", "note", "result", "streams", "tried")


def _model(family: str, row: dict[str, Any]) -> Model:
    kind = "tokens" if "tokens" in row else row.get("kind", "image")
    if kind not in PRICE_KINDS or set(row.get("tokens", _BOTH)) != _BOTH:
        raise ValueError(f"families.toml: {family} has a price that is none for {row['id']}.")
    tokens = {f"tokens_{way}": decimal(each) for way, each in row.get("tokens", {}).items()}
    return Model(
        row["id"], row["label"], row.get("credits"), row.get("rates", {}), kind=kind,
        ratio=decimal(row.get("ratio", 1)), **tokens,
    )  # fmt: skip


def _action(family: str, name: str, facts: dict[str, Any]) -> ActionRule:
    words = {"mask": MASKS, "prompt": PROMPTS, "starts_from": STARTS, "answer": ANSWERS}
    for key, known in words.items():
        if key in facts and facts[key] not in known:
            raise ValueError(f"families.toml: {family} has the {key} {facts[key]!r} for {name}.")
    rules = {
        key: ReferenceRule(**{**given, **_tuples(given, "formats")})
        for key in ("references", "styles")
        if (given := facts.get(key))
    }
    return ActionRule(action=name, **{**facts, **rules, **_tuples(facts, "models")})


def _with_shared(facts: dict[str, Any], shared: dict[str, dict[str, Any]]) -> dict[str, Any]:
    own = {key: value for key, value in facts.items() if key != "like"}
    return shared[facts["like"]] | own if "like" in facts else own


def _field(family: str, name: str, facts: dict[str, Any]) -> Field:
    if facts["kind"] not in KINDS:
        raise ValueError(f"families.toml: {family} has a field of the kind {facts['kind']!r}.")
    facts = {**facts, **_tuples(facts, "choices", "actions", "models")}
    if own := facts.pop("own", None):
        facts["own"] = SizeRule(**own)
    if only := facts.pop("only_with", None):
        facts["only_with"] = Condition(only["field"], tuple(only["values"]))
    return Field(name=name, **facts)


def _tuples(facts: Mapping[str, Any], *names: str) -> dict[str, tuple[str, ...]]:
    return {name: tuple(facts[name]) for name in names if name in facts}


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
