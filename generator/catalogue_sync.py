"""Keeps the catalogue fresh from the gateway's own list of models (A6).

What staff decided stays: their prices are never overwritten, and nothing is put on offer or
taken off by itself, but for new models that the families file names. Models of families that
this release does not know are listed, and nobody can pick them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from generator.families import FAMILIES, Family, Model
from generator.models import CatalogueEntry, Lock, PriceSource
from generator.models.catalogue import in_credits, rates_in_credits
from generator.providers.directory import Directory, Listed
from generator.providers.gateway import Gateway

# Documented once, then marked as removed; whatever is listed of them is not to be built on.
NEVER_OFFERED = ("recraft", "ideogram")
IMAGE_FEATURES = frozenset({"text-to-image", "image-to-image", "image-editing"})
IMAGE_PATHS = ("/v1/images/", "/flux/", "/bria/", "/kling/v1/images/")
# Credits. Whatever is dearer is a mistake of somebody's; and times ten, the most images of one
# generation, it has to fit into four bytes.
LARGEST_PRICE = 10**8

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


@dataclass(frozen=True, slots=True)
class Repriced:
    """An entry whose price at the gateway is another now, in credits; where both are the same, it
    is the price of some of its actions."""

    wire_model: str
    before: int | None
    after: int | None


@dataclass(slots=True)
class Changes:
    """What a sync changed: model ids, in the gateway's order."""

    added: list[str] = field(default_factory=list)
    repriced: list[Repriced] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.repriced or self.gone or self.back)


def sync(gateway: Gateway, *, now: datetime | None = None) -> Changes:
    """Bring the catalogue up to what the gateway lists. Raises a ProviderError if it lists nothing.

    The network comes first, then one short transaction.
    """
    directory = gateway.list_models()
    with transaction.atomic():
        Lock.objects.hold("catalogue")
        return _bring_up(directory, now or timezone.now())


def _bring_up(directory: Directory, now: datetime) -> Changes:
    changes = Changes()
    entries = {entry.wire_model: entry for entry in CatalogueEntry.objects.all()}
    listed = [row for row in directory.models if not row.upcoming]
    price_rows = [row for row in listed if row.id.startswith(PRICE_ROWS)]
    for row in listed:
        if row in price_rows:
            continue
        if entry := entries.get(row.id):
            _seen(entry, now, changes, listed=facts_of(row))
            if not entry.family:
                _find_family(entry, row)
            _reprice(entry, changes, credits_of(row.per_request))
        elif makes_images(row):
            _new_entry(row, now).save()
            changes.added.append(row.id)
    if price_rows:
        rates = rates_of(price_rows)
        rated = [entries[name] for name in RATED if name in entries]
        for entry in rated:
            _seen(entry, now, changes, listed={"prices": [facts_of(row) for row in price_rows]})
            _rerate(entry, changes, rates)
    if directory.is_whole:
        _mark_gone(entries.values(), now, changes)
    return changes


# ── What a row means ──


def makes_images(row: Listed) -> bool:
    """Whether a row of the list is a model that makes images."""
    return (
        row.model_type == "image"
        or not IMAGE_FEATURES.isdisjoint(row.features)
        or any(endpoint.path.startswith(IMAGE_PATHS) for endpoint in row.endpoints)
    )


def credits_of(dollars: Decimal | None) -> int | None:
    """A price in whole credits, rounded up; None where there is none, and for one of nought.

    An unknown price is a refusal, never a gift. `ratio` is left out of it (A6, M4): if it counts,
    the studio's members pay the list price.
    """
    if dollars is None or dollars <= 0:
        return None
    credits = int((dollars * settings.CREDITS_PER_DOLLAR).to_integral_value(ROUND_CEILING))
    return credits if credits <= LARGEST_PRICE else None


def rates_of(rows: Iterable[Listed]) -> dict[str, int]:
    """Midjourney's price rows as an entry's rates: `"create"`, `"create turbo"`.

    Of several rows of one action (upscale subtle, upscale creative) the dearest counts.
    """
    rates: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        name = _rate_name(row.id)
        if name and (credits := credits_of(row.per_request)):
            rates[name] = max(rates[name], credits)
    return dict(rates)


def _rate_name(id: str) -> str:
    words = id[3:].replace("_", "-")
    speed, _, rest = words.partition("-")
    if speed not in SPEEDS:
        speed, rest = "fast", words
    action = next((ours for word, ours in RATE_ACTIONS.items() if rest.startswith(word)), "")
    return action if speed == "fast" or not action else f"{action} {speed}"


def facts_of(row: Listed) -> dict[str, Any]:
    """What the gateway says of a model, as it is kept for staff: raw numbers, as text."""
    prices = {
        name: str(number)
        for name in ("input_price", "output_price", "per_request", "per_second", "ratio")
        if (number := getattr(row, name)) is not None
    }
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


# ── What becomes of an entry ──


def _new_entry(row: Listed, now: datetime) -> CatalogueEntry:
    family, named = _family_of(row)
    credits = credits_of(row.per_request)
    of_file = in_credits(named.credits) if named else None
    return CatalogueEntry(
        wire_model=row.id,
        label=named.label if named else (row.name or row.id),
        family=family.name if family else "",
        # Somebody looks at a model before others may pick it, unless a release has done so.
        offered=named is not None,
        credits_each=credits or of_file,
        rates=rates_in_credits(named.rates) if named else {},
        price_source=PriceSource.GATEWAY if credits or not named else PriceSource.FILE,
        seen_at=now,
        listed=facts_of(row),
    )


def _family_of(row: Listed) -> tuple[Family | None, Model | None]:
    """The family that takes it, and what the families file says of it by name."""
    if any(word in f"{row.id} {row.provider}".lower() for word in NEVER_OFFERED):
        return None, None
    for family in FAMILIES.values():
        for model in family.models:
            if model.wire_model == row.id:
                return family, model
    return next((family for family in FAMILIES.values() if family.takes(row.id)), None), None


def _seen(entry: CatalogueEntry, now: datetime, changes: Changes, **facts: Any) -> None:
    """It is listed: what staff may be changing at this moment is left alone."""
    if entry.gone_at is not None:
        changes.back.append(entry.wire_model)
    entry.seen_at = now
    CatalogueEntry.objects.filter(pk=entry.pk).update(seen_at=now, gone_at=None, **facts)


def _find_family(entry: CatalogueEntry, row: Listed) -> None:
    """One that an earlier release did not know: this one may. Staff still offer it."""
    family, named = _family_of(row)
    mine = CatalogueEntry.objects.filter(pk=entry.pk, family="")
    if family is None or not mine.update(family=family.name):
        return
    if named is not None and named.credits is not None:
        mine = CatalogueEntry.objects.filter(pk=entry.pk, credits_each=None)
        credits = in_credits(named.credits)
        if mine.update(credits_each=credits, price_source=PriceSource.FILE):
            entry.credits_each = credits


def _reprice(entry: CatalogueEntry, changes: Changes, credits: int | None) -> None:
    """A price by the request is taken over; one by the token leaves the estimate of the file."""
    if credits is not None and _take_over(entry, credits_each=credits):
        _note(entry, changes, credits)


def _rerate(entry: CatalogueEntry, changes: Changes, rates: dict[str, int]) -> None:
    """Rates that the gateway does not name stay: they are prices of the file."""
    each = rates.get("create", entry.credits_each)
    before = _telling(entry.rates, entry.credits_each)
    after = _telling({**entry.rates, **rates}, each)
    if rates and _take_over(entry, rates=after, credits_each=each):
        _note(entry, changes, each, otherwise=after != before)


def _telling(rates: dict[str, int], each: int | None) -> dict[str, int]:
    """Without those that say what holds without them: an action at the price of every other."""
    return {name: credits for name, credits in rates.items() if " " in name or credits != each}


def _take_over(entry: CatalogueEntry, **facts: Any) -> bool:
    # The update names who it may overwrite: staff may have set a price since we read the row.
    not_of_staff = CatalogueEntry.objects.filter(pk=entry.pk).exclude(
        price_source=PriceSource.STAFF
    )
    return bool(not_of_staff.update(price_source=PriceSource.GATEWAY, **facts))


def _note(
    entry: CatalogueEntry, changes: Changes, credits: int | None, *, otherwise: bool = False
) -> None:
    if credits != entry.credits_each or otherwise:
        changes.repriced.append(Repriced(entry.wire_model, entry.credits_each, credits))


def _mark_gone(entries: Iterable[CatalogueEntry], now: datetime, changes: Changes) -> None:
    """What was listed and is no more is marked, and stays on offer until staff say otherwise."""
    missing = [entry for entry in entries if entry.seen_at not in (None, now)]
    fresh = [entry for entry in missing if entry.gone_at is None]
    CatalogueEntry.objects.filter(pk__in=[entry.pk for entry in fresh]).update(gone_at=now)
    changes.gone.extend(entry.wire_model for entry in fresh)


def told(changes: Changes) -> Iterator[str]:
    """The changes for people, one line each."""
    for model in changes.added:
        yield f"{model}: new"
    for one in changes.repriced:
        yield f"{one.wire_model}: {_prices(one)}"
    for model in changes.gone:
        yield f"{model}: the gateway does not list it any more"
    for model in changes.back:
        yield f"{model}: listed again"


def _prices(one: Repriced) -> str:
    if one.before == one.after:
        return "other prices for some of its actions"
    return f"{_credits(one.before)}, now {_credits(one.after)}"


def _credits(credits: int | None) -> str:
    return "no price" if credits is None else f"{credits:,} credits"
