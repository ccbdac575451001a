"""Keeps the catalogue fresh from the gateway's own list of models (A6).

What staff decided stays: their prices are never overwritten, and nothing is put on offer or
taken off by itself, but for new models that the families file names. Models of families that
this release does not know are listed, and nobody can pick them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from generator.families import FAMILIES, Family, Model
from generator.listed_prices import (
    PRICE_ROWS,
    RATED,
    facts_of,
    named_in,
    price_of,
    rates_of,
    telling,
)
from generator.models import (
    CatalogueChange,
    CatalogueEntry,
    Change,
    Lock,
    PriceKind,
    PriceSource,
)
from generator.models.catalogue import price_of_the_file
from generator.providers.directory import Directory, Listed
from generator.providers.gateway import Gateway

# Documented once, then marked as removed; whatever is listed of them is not to be built on.
NEVER_OFFERED = ("recraft", "ideogram")
IMAGE_FEATURES = frozenset({"text-to-image", "image-to-image", "image-editing"})
IMAGE_PATHS = ("/v1/images/", "/flux/", "/bria/", "/kling/v1/images/")


@dataclass(frozen=True, slots=True)
class Repriced:
    """An entry whose price at the gateway is another now, in words; where both are the same, it is
    the price of some of its actions."""

    wire_model: str
    before: str
    after: str


@dataclass(slots=True)
class Changes:
    """What a sync changed: model ids, in the gateway's order. `kept`: the same for staff to read
    later."""

    added: list[str] = field(default_factory=list)
    repriced: list[Repriced] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    kept: list[CatalogueChange] = field(default_factory=list, repr=False)

    def __bool__(self) -> bool:
        return bool(self.added or self.repriced or self.gone or self.back)

    def keep(
        self, entry: CatalogueEntry, what: Change, *, before: str = "", after: str = ""
    ) -> None:
        """Put it down for the staff."""
        self.kept.append(
            CatalogueChange(entry=entry, what=what, before=before[:200], after=after[:200])
        )


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
            _reprice(entry, changes, row)
        elif makes_images(row):
            _add(row, now, changes)
    if price_rows:
        rates = rates_of(price_rows)
        rated = [entries[name] for name in RATED if name in entries]
        for entry in rated:
            _seen(entry, now, changes, listed={"prices": [facts_of(row) for row in price_rows]})
            _rerate(entry, changes, rates)
    if directory.is_whole:
        _mark_gone(entries.values(), now, changes)
    for change in changes.kept:
        change.at = now
    CatalogueChange.objects.bulk_create(changes.kept)
    return changes


# ── What a row means ──


def makes_images(row: Listed) -> bool:
    """Whether a row of the list is a model that makes images."""
    return (
        row.model_type == "image"
        or not IMAGE_FEATURES.isdisjoint(row.features)
        or any(endpoint.path.startswith(IMAGE_PATHS) for endpoint in row.endpoints)
    )


# ── What becomes of an entry ──


def _add(row: Listed, now: datetime, changes: Changes) -> None:
    entry = _new_entry(row, now)
    entry.save()
    changes.added.append(row.id)
    changes.keep(entry, Change.ADDED, after=in_words(entry))


def _new_entry(row: Listed, now: datetime) -> CatalogueEntry:
    family, named = _family_of(row)
    of_file = price_of_the_file(named) if named else {"price_source": PriceSource.GATEWAY}
    of_gateway = price_of(row, family, kind=of_file.get("price_kind", "image"))
    price = of_file | (of_gateway | {"price_source": PriceSource.GATEWAY} if of_gateway else {})
    return CatalogueEntry(
        wire_model=row.id,
        label=named.label if named else (row.name or row.id),
        family=family.name if family else "",
        # Somebody looks at a model before others may pick it, unless a release has done so.
        offered=named is not None,
        seen_at=now,
        listed=facts_of(row),
        **price,
    )


def _family_of(row: Listed) -> tuple[Family | None, Model | None]:
    """The family that takes it, and what the families file says of it by name."""
    if any(word in f"{row.id} {row.provider}".lower() for word in NEVER_OFFERED):
        return None, None
    for family in FAMILIES.values():
        if model := named_in(family, row.id):
            return family, model
    return next((family for family in FAMILIES.values() if family.takes(row.id)), None), None


def _seen(entry: CatalogueEntry, now: datetime, changes: Changes, **facts: Any) -> None:
    """It is listed: what staff may be changing at this moment is left alone."""
    if entry.gone_at is not None:
        changes.back.append(entry.wire_model)
        changes.keep(entry, Change.BACK)
    entry.seen_at = now
    CatalogueEntry.objects.filter(pk=entry.pk).update(seen_at=now, gone_at=None, **facts)


def _find_family(entry: CatalogueEntry, row: Listed) -> None:
    """One that an earlier release did not know: this one may. Staff still offer it."""
    family, named = _family_of(row)
    mine = CatalogueEntry.objects.filter(pk=entry.pk, family="")
    if family is None or not mine.update(family=family.name):
        return
    entry.family = family.name
    if named is not None:
        unpriced = CatalogueEntry.objects.filter(
            pk=entry.pk, credits_each=None, tokens_in=None, tokens_out=None
        )
        price = price_of_the_file(named)
        if unpriced.update(**price):
            _put(entry, price)


def _reprice(entry: CatalogueEntry, changes: Changes, row: Listed) -> None:
    """A price that makes sense is taken over; one that is gone leaves what there is."""
    price = price_of(row, FAMILIES.get(entry.family), kind=entry.price_kind)
    if price is None or not _take_over(entry, **price):
        return
    before = in_words(entry)
    _put(entry, price | {"price_source": PriceSource.GATEWAY})
    if (after := in_words(entry)) != before:
        changes.repriced.append(Repriced(entry.wire_model, before, after))
        changes.keep(entry, Change.REPRICED, before=before, after=after)


def _rerate(entry: CatalogueEntry, changes: Changes, rates: dict[str, int]) -> None:
    """Rates that the gateway does not name stay: they are prices of the file."""
    each = rates.get("create", entry.credits_each)
    before = telling(entry.rates, entry.credits_each)
    after = telling({**entry.rates, **rates}, each)
    price = {"rates": after, "credits_each": each, "ratio": Decimal(1)}
    if not rates or not _take_over(entry, **price):
        return
    was = in_words(entry)
    _put(entry, price | {"price_source": PriceSource.GATEWAY})
    now = in_words(entry)
    if (was, before) != (now, after):
        changes.repriced.append(Repriced(entry.wire_model, was, now))
        others = _differing(before, after), _differing(after, before)
        changes.keep(entry, Change.REPRICED, before=f"{was}{others[0]}", after=f"{now}{others[1]}")


def _differing(rates: Mapping[str, int], others: Mapping[str, int]) -> str:
    """Those that are not the same among the others: `; upscale 20, vary 30`."""
    named = [f"{name} {each:,}" for name, each in rates.items() if others.get(name) != each]
    return f"; {', '.join(named)}" if named else ""


def _take_over(entry: CatalogueEntry, **facts: Any) -> bool:
    # The update names who it may overwrite: staff may have set a price since we read the row.
    not_of_staff = CatalogueEntry.objects.filter(pk=entry.pk).exclude(
        price_source=PriceSource.STAFF
    )
    return bool(not_of_staff.update(**{**facts, "price_source": PriceSource.GATEWAY}))


def _put(entry: CatalogueEntry, facts: Mapping[str, Any]) -> None:
    for name, value in facts.items():
        setattr(entry, name, value)


def _mark_gone(entries: Iterable[CatalogueEntry], now: datetime, changes: Changes) -> None:
    """What was listed and is no more is marked, and stays on offer until staff say otherwise."""
    missing = [entry for entry in entries if entry.seen_at not in (None, now)]
    fresh = [entry for entry in missing if entry.gone_at is None]
    CatalogueEntry.objects.filter(pk__in=[entry.pk for entry in fresh]).update(gone_at=now)
    for entry in fresh:
        changes.gone.append(entry.wire_model)
        changes.keep(entry, Change.GONE)


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
    return f"{one.before}, now {one.after}"


def in_words(entry: CatalogueEntry) -> str:
    """What an entry is priced at, with the gateway's ratio and without the deployment's factor."""
    match entry.price_kind, entry.credits_each:
        case PriceKind.TOKENS, _:
            if entry.tokens_in is None or entry.tokens_out is None:
                return "no price"
            given = _number(entry.tokens_in * entry.own_ratio)
            out = _number(entry.tokens_out * entry.own_ratio)
            return f"{given} credits for a million tokens in, {out} out"
        case _, None:
            return "no price"
        case PriceKind.MEGAPIXEL, each:
            return f"{_number(each * entry.own_ratio)} credits a megapixel"
        case _, each:
            return f"{_number(each * entry.own_ratio)} credits"


def _number(number: Decimal) -> str:
    """`1,200.5`"""
    text = f"{number:,.4f}"
    return text.rstrip("0").rstrip(".")
