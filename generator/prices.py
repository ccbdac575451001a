"""What images are expected to cost, and what they cost in the end: plain numbers, no Django.

Everything is counted in exact decimals and rounded up once, at the end, to whole credits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import ROUND_CEILING, Decimal, DecimalException, localcontext
from typing import Any, Self

from generator.errors import NotOffered

LARGEST_COST = 2_000_000_000  # credits: what fits into four bytes, and then some
DIGITS = 120  # of a product of the largest of everything; more than ever come
KINDS = frozenset({"image", "request", "megapixel", "tokens"})
_MOST_TOKENS = 10**15
_MOST_PIXELS = 10**15
_LARGEST = Decimal(10**20)
_ONE = Decimal(1)
_NONE = Decimal(0)


@dataclass(frozen=True, slots=True)
class Basis:
    """What a price is made of: all that settling needs, so that it reads no price that changed.

    `each`: credits for one image, one request or one megapixel, by `kind`. `tokens_in` and
    `tokens_out`: credits for a million tokens. `times`: what the settings multiply `each` by.
    `ratio` is the gateway's own (A6), `factor` the deployment's. Expected are `megapixels` and
    `out` (tokens) of one image, and `given` (tokens) of the whole request (B5, G2).
    """

    kind: str
    each: Decimal = _NONE
    tokens_in: Decimal = _NONE
    tokens_out: Decimal = _NONE
    times: Decimal = _ONE
    ratio: Decimal = _ONE
    factor: Decimal = _ONE
    megapixels: Decimal = _ONE
    given: Decimal = _NONE
    out: Decimal = _NONE
    source: str = "staff"

    @property
    def is_estimate(self) -> bool:
        """Whether only what was made says what it costs."""
        return self.kind in {"megapixel", "tokens"}

    def price(self, count: int) -> int:
        """Credits to hold for `count` images.

        Raises NotOffered for less than one, and where it comes to more than LARGEST_COST.
        """
        if count < 1:
            raise NotOffered("Ask for one image or more.")
        price = self._credits(lambda: self._expected(count))
        if price > LARGEST_COST:
            raise NotOffered("That would cost more credits than can be counted. Ask for less.")
        return price

    def cost(self, *, made: int, asked: int, pixels: int, usage: Mapping[str, Any]) -> int:
        """Credits that `made` of `asked` images took in the end; `pixels` are those of all of them.

        `usage` is as `read_usage` gives it. More than the price is possible, more than
        LARGEST_COST is not. Nothing made costs nothing.
        """
        if made < 1:
            return 0
        return min(self._credits(lambda: self._really(min(made, asked), pixels, usage)),
                   LARGEST_COST)  # fmt: skip

    def as_row(self) -> dict[str, str]:
        """The same as JSON: numbers as text, for a binary fraction is not what was meant."""
        return {field.name: str(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self | None:
        """What `as_row` wrote; None for what it did not write, such as an older release's row."""
        if row.get("kind") not in KINDS or "each" not in row:
            return None
        names = [field.name for field in fields(cls) if field.name not in {"kind", "source"}]
        try:
            numbers = {name: Decimal(str(row[name])) for name in names if name in row}
        except DecimalException:
            return None
        is_sound = all(number.is_finite() and 0 <= number < _LARGEST for number in numbers.values())
        if not is_sound:
            return None
        return cls(kind=row["kind"], source=str(row.get("source", "")), **numbers)

    def _expected(self, count: int) -> Decimal:
        match self.kind:
            case "request":
                return self.each * self.times
            case "image":
                return self.each * self.times * count
            case "megapixel":
                return self.each * self.times * self.megapixels * count
            case "tokens":
                return self._of_tokens(self.given, self.out * count)
        raise ValueError(f"no kind of price: {self.kind!r}")

    def _really(self, parts: int, pixels: int, usage: Mapping[str, Any]) -> Decimal:
        if self.kind == "megapixel" and pixels > 0:
            return self.each * self.times * Decimal(min(pixels, _MOST_PIXELS)).scaleb(-6)
        if self.kind == "tokens":
            given, out = _tokens(usage, "input_tokens"), _tokens(usage, "output_tokens")
            if given or out:
                # Neither is ever nought: one that is not said is what the total leaves for it.
                total = _tokens(usage, "total_tokens")
                return self._of_tokens(
                    Decimal(given or max(total - out, 0)) or self.given,
                    Decimal(out or max(total - given, 0)) or self.out * parts,
                )
        # It does not say: what was expected, of what was made.
        return self._expected(parts)

    def _of_tokens(self, given: Decimal, out: Decimal) -> Decimal:
        return (given * self.tokens_in + out * self.tokens_out).scaleb(-6)

    def _credits(self, count: Callable[[], Decimal]) -> int:
        with localcontext(prec=DIGITS):
            exact = count() * self.ratio * self.factor
            return int(exact.to_integral_value(ROUND_CEILING))


def _tokens(usage: Mapping[str, Any], name: str) -> int:
    said = usage.get(name)
    if not isinstance(said, int) or isinstance(said, bool):
        return 0
    return max(0, min(said, _MOST_TOKENS))
