"""What the gateway's list says of prices, in this deployment's credits (A6, F7).

An unknown price is a refusal, never a gift: what is no price, or one beyond all measure, is not
taken, and what stood before it stays.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any

from django.conf import settings

from generator.families import FAMILIES, Family, Model
from generator.models import CatalogueEntry, PriceKind, PriceSource
from generator.models.catalogue import LARGEST_RATIO, price_of_the_file
from generator.providers.directory import Listed

# Credits. Whatever is dearer is a mistake of somebody's; and times ten, the most images of one
# generation, it has to fit into four bytes.
LARGEST_PRICE = 10**8
LARGEST_TOKENS = 10**11  # credits for a million tokens: what the column holds
_PRICES = ("input_price", "output_price", "per_request", "per_second", "ratio")
_FOURTH = Decimal("0.0001")

# Midjourney's price rows (F7): `mj-<speed>-<what is done>`; they are no models. The first that
# the rest of the id begins with says the action. Speed without a word of its own: fast.
PRICE_ROWS = ("mj-", "mj_")
SPEEDS = ("fast", "turbo", "relax")
RATE_ACTIONS = {
    "imagine": "create",
    "blend": "blend",
    "describe": "describe",
    "upscale": "upscale",
    "upsample": "upscale",
    "variation": "vary",
    "low-variation": "vary",
    "high-variation": "vary",
    "vary": "vary",
    "reroll": "reroll",
    "zoom": "zoom",
    "custom-zoom": "zoom",
    "outpaint": "zoom",
    "pan": "pan",
    "inpaint": "fill",
    "edits": "edit",
}
RATED = ("midjourney", "niji")  # the entries that these rows are the prices of


def price_of(row: Listed, family: Family | None, *, kind: str = "image") -> dict[str, Any] | None:
    """The columns of an entry that a row of the list is the price of; None if it names none.

    A price by the request is one of `kind`, by image or by request. One by the token counts only
    in a family whose tokens can be foreseen, and with both of its numbers.
    """
    if credits := credits_of(row.per_request):
        is_known = kind in {PriceKind.IMAGE, PriceKind.REQUEST}
        by = kind if is_known else PriceKind.IMAGE.value
        return _columns(by, row, credits_each=credits)
    tokens_in, tokens_out = _of_a_million(row.input_price), _of_a_million(row.output_price)
    if family is None or family.pricing.tokens is None or not (tokens_in and tokens_out):
        return None
    return _columns("tokens", row, tokens_in=tokens_in, tokens_out=tokens_out)


def _columns(kind: str, row: Listed, **numbers: Any) -> dict[str, Any]:
    none = {"credits_each": None, "tokens_in": None, "tokens_out": None}
    return {"price_kind": kind, **none, **numbers, "ratio": ratio_of(row)}


def credits_of(dollars: Decimal | None) -> int | None:
    """A price in whole credits, rounded up; None where there is none, and for one of nought."""
    if dollars is None or dollars <= 0:
        return None
    credits = int((dollars * settings.CREDITS_PER_DOLLAR).to_integral_value(ROUND_CEILING))
    return credits if credits <= LARGEST_PRICE else None


def _of_a_million(dollars: Decimal | None) -> Decimal | None:
    if dollars is None or dollars <= 0:
        return None
    credits = dollars * settings.CREDITS_PER_DOLLAR
    if credits > LARGEST_TOKENS:
        return None
    return credits.quantize(_FOURTH, ROUND_CEILING)


def ratio_of(row: Listed) -> Decimal:
    """What the gateway multiplies the row's prices by (A6); 1 where it says nothing sensible."""
    if row.ratio is None or not 0 < row.ratio <= LARGEST_RATIO:
        return Decimal(1)
    return row.ratio.quantize(_FOURTH, ROUND_CEILING)


def rates_of(rows: Iterable[Listed]) -> dict[str, int]:
    """Midjourney's price rows as an entry's rates: `"create"`, `"create turbo"`.

    Of several rows of one action (upscale subtle, upscale creative) the dearest counts. A ratio
    is in them: each row has its own.
    """
    rates: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        name = _rate_name(row.id)
        listed = row.per_request
        if name and listed and (credits := credits_of(listed * ratio_of(row))):
            rates[name] = max(rates[name], credits)
    return dict(rates)


def _rate_name(id: str) -> str:
    words = id[3:].replace("_", "-")
    speed, _, rest = words.partition("-")
    if speed not in SPEEDS:
        speed, rest = "fast", words
    action = next((ours for word, ours in RATE_ACTIONS.items() if rest.startswith(word)), "")
    return action if speed == "fast" or not action else f"{action} {speed}"


def telling(rates: Mapping[str, int], each: int | None) -> dict[str, int]:
    """Without those that say what holds without them: an action at the price of every other."""
    return {name: credits for name, credits in rates.items() if " " in name or credits != each}


def facts_of(row: Listed) -> dict[str, Any]:
    """What the gateway says of a model, as it is kept for staff: raw numbers, as text."""
    prices = {name: str(number) for name in _PRICES if (number := getattr(row, name)) is not None}
    said = {
        "id": row.id,
        "provider": row.provider,
        "name": row.name,
        "description": row.description,
        "type": row.model_type,
        "features": list(row.features),
        "endpoints": [f"{one.method} {one.path}" for one in row.endpoints],
        "currency": row.currency,
        **prices,
    }
    return {name: value for name, value in said.items() if value}


def price_without_staff(entry: CatalogueEntry) -> dict[str, Any] | None:
    """The columns of an entry as they would be had staff set no price: what the gateway said last,
    or else what the families file says; None where neither says anything."""
    family = FAMILIES.get(entry.family)
    named = named_in(family, entry.wire_model)
    of_file = price_of_the_file(named) if named else None
    of_gateway = _last_said(entry, family, of_file or {})
    if of_gateway is None:
        return of_file if of_file and (of_file["credits_each"] or of_file["tokens_out"]) else None
    rates = {"rates": of_file["rates"] if of_file else {}}
    return rates | of_gateway | {"price_source": PriceSource.GATEWAY}


def named_in(family: Family | None, wire_model: str) -> Model | None:
    """What the families file says of a model by its name."""
    models = family.models if family else ()
    return next((model for model in models if model.wire_model == wire_model), None)


def _last_said(
    entry: CatalogueEntry, family: Family | None, of_file: Mapping[str, Any]
) -> dict[str, Any] | None:
    kind = of_file.get("price_kind", "image")
    if "prices" not in entry.listed:
        return price_of(_listed(entry.listed), family, kind=kind)
    rates = rates_of(_listed(facts) for facts in entry.listed["prices"])
    each = rates.get("create", of_file.get("credits_each"))
    if not rates or each is None:
        return None
    all_rates = telling({**of_file.get("rates", {}), **rates}, each)
    none = {"tokens_in": None, "tokens_out": None, "ratio": Decimal(1)}
    return {"price_kind": kind, "credits_each": each, "rates": all_rates, **none}


def _listed(facts: Mapping[str, Any]) -> Listed:
    """The prices of what `facts_of` kept."""
    said = {name: Decimal(facts[name]) for name in _PRICES if name in facts}
    return Listed(
        str(facts.get("id", "")),
        input_price=said.get("input_price"),
        output_price=said.get("output_price"),
        per_request=said.get("per_request"),
        ratio=said.get("ratio"),
    )
