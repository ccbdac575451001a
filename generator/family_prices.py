"""What a family's prices hang on, as families.toml says it: settings, sizes, expected tokens."""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from generator.sizes import parse_size

# What a price by the token is scaled by: tokens are told for a square of this side.
_SQUARE = 1024 * 1024
_MILLION = 1_000_000
# Rather few: a token is about four bytes of English, and three of Chinese.
_BYTES_OF_A_TOKEN = 3


@dataclass(frozen=True, slots=True)
class Times:
    """The price is multiplied by `times` where each of these fields has one of its values."""

    times: Decimal
    where: Mapping[str, tuple[str, ...]]

    def holds(self, fields: Mapping[str, Any]) -> bool:
        """Whether it does for what was set."""
        return _all_hold(self.where, fields)


@dataclass(frozen=True, slots=True)
class References:
    """How many tokens an image along takes where each of these fields has one of its values."""

    tokens: int
    where: Mapping[str, tuple[str, ...]]

    def holds(self, fields: Mapping[str, Any]) -> bool:
        """Whether it does for what was set."""
        return _all_hold(self.where, fields)


@dataclass(frozen=True, slots=True)
class Tokens:
    """How many tokens are expected, in and out (B5, G2).

    `image`: of one image made, by the value of the field `by`; a value that it does not name, or
    none, is taken as `usual`. They are those of a square of 1024 pixels, and grow with the area,
    where the table `scales`; a size that is no width by height is then taken as that square.
    `beside`: words that come with each image. `prompt` and `reference`: in, of a prompt of usual
    length and of each image that goes along; `reference_where` says where it is another number.
    `of_models`: tables of models that differ, by pattern.
    """

    by: str
    usual: str
    image: Mapping[str, int]
    scales: bool = False
    beside: int = 0
    prompt: int = 50
    reference: int = 0
    reference_where: tuple[References, ...] = ()
    of_models: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def out(self, wire_model: str, fields: Mapping[str, Any]) -> Decimal:
        """Tokens of one image made with these settings, and of the words beside it."""
        table = dict(self.image)
        for pattern, differing in self.of_models.items():
            if fnmatch.fnmatchcase(wire_model, pattern):
                table |= differing
        tokens = Decimal(table.get(str(fields.get(self.by)), table[self.usual]))
        if self.scales and (size := parse_size(str(fields.get("size")))):
            tokens = tokens * (size[0] * size[1]) / _SQUARE
        return tokens + self.beside

    def given(
        self, fields: Mapping[str, Any], references: int, *, words: int = 0, before: int = 0
    ) -> Decimal:
        """Tokens of a request with so many images along, `words` bytes of text, and a conversation
        of `before` tokens that goes on."""
        differing = (one.tokens for one in self.reference_where if one.holds(fields))
        each = next(differing, self.reference)
        # A short prompt is taken as one of usual length.
        text = max(self.prompt, -(-words // _BYTES_OF_A_TOKEN))
        return Decimal(text + each * references + before)


@dataclass(frozen=True, slots=True)
class Pricing:
    """All of it for one family. `megapixels`: of one image, by the words that a field has for it;
    under `auto` stands that of an image of which nothing is said."""

    times: tuple[Times, ...] = ()
    tokens: Tokens | None = None
    megapixels: Mapping[str, Decimal] = field(default_factory=dict)

    def factor(self, fields: Mapping[str, Any]) -> Decimal:
        """What the settings multiply a price by."""
        product = Decimal(1)
        for one in self.times:
            if one.holds(fields):
                product *= one.times
        return product

    def expected_megapixels(self, fields: Mapping[str, Any]) -> Decimal:
        """Of one image with these settings."""
        for name in ("size", "resolution", "megapixels"):
            said = str(fields.get(name))
            if size := parse_size(said):
                return Decimal(size[0] * size[1]) / _MILLION
            if said in self.megapixels and said != "auto":
                return self.megapixels[said]
        return self.megapixels.get("auto", Decimal(1))


def read_pricing(family: str, row: Mapping[str, Any], shared: Mapping[str, Any]) -> Pricing:
    """The prices of one family's row; `shared` is the file's own table of megapixels.

    Raises ValueError, naming the family, for a model that is priced by tokens without a table of
    them, and for a table that does not name what is usual.
    """
    said = row.get("tokens")
    if said is None and any("tokens" in model for model in row["models"]):
        raise ValueError(f"families.toml: {family} is priced by tokens and says not how many.")
    tokens = _tokens(said) if said else None
    if tokens and tokens.usual not in tokens.image:
        raise ValueError(f"families.toml: {family} does not say how many tokens are usual.")
    megapixels = {**shared, **row.get("megapixels", {})}
    return Pricing(
        times=tuple(
            Times(decimal(one["times"]), _where(one, "times")) for one in row.get("times", ())
        ),
        tokens=tokens,
        megapixels={name: decimal(said) for name, said in megapixels.items()},
    )


def decimal(said: int | float | str) -> Decimal:
    """A number of the file, as it is written there."""
    return Decimal(str(said))


def _tokens(said: Mapping[str, Any]) -> Tokens:
    where = tuple(
        References(one["tokens"], _where(one, "tokens")) for one in said.get("reference_where", ())
    )
    return Tokens(**{**said, "reference_where": where})


def _all_hold(where: Mapping[str, tuple[str, ...]], fields: Mapping[str, Any]) -> bool:
    return all(str(fields.get(name)) in values for name, values in where.items())


def _where(said: Mapping[str, Any], *but: str) -> dict[str, tuple[str, ...]]:
    return {name: tuple(values) for name, values in said.items() if name not in but}
