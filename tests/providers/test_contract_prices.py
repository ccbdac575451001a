"""What the studio charges against what the sandbox charges, for every action of every family.

The catalogue has the prices of the sandbox's own list, as a sync brings them. The sandbox counts
its dollars from its own tables: it shares no line with ours.
"""

from collections.abc import Iterator
from decimal import ROUND_CEILING
from typing import Any

import httpx
import pytest
from django.db import transaction

from generator import pictures
from generator.catalogue_sync import sync
from generator.models import CatalogueEntry, PriceKind
from generator.providers.base import Brief
from generator.providers.gateway import Gateway
from generator.sandbox import Sandbox
from tests.providers.asking import CASES, Case, brief_for, named, smallest
from tests.providers.carrying import Carried, Carrier, carrying

# Nothing below reads the database but `catalogue`, once: without the mark there would be none.
pytestmark = pytest.mark.django_db
FIRSTS = list({(case[0].name, case[2]): case for case in reversed(CASES)}.values())
PRICED_BY_TOKENS = [case for case in CASES if case[0].pricing.tokens]
# The gateway has a row for each kind of upscale, we one for all: the dearest (F7).
DEARER = {("midjourney", "upscale"), ("niji", "upscale")}


@pytest.fixture(scope="module")
def carrier() -> Iterator[Carrier]:
    """A sandbox whose work takes a moment of its own clock, and none of ours."""
    with carrying(delay=2) as carrier:
        yield carrier


@pytest.fixture(scope="module")
def catalogue(django_db_setup: None, django_db_blocker: Any) -> dict[str, CatalogueEntry]:
    """The entries by their id at the gateway, as a sync with the sandbox leaves them."""
    gateway = Gateway("http://s", key="sk-test1234", transport=httpx.WSGITransport(app=Sandbox()))
    with django_db_blocker.unblock(), transaction.atomic():
        CatalogueEntry.objects.fill()
        sync(gateway)
        entries = {entry.wire_model: entry for entry in CatalogueEntry.objects.all()}
        transaction.set_rollback(True)
    gateway.close()
    return entries


def cost_of(entry: CatalogueEntry, brief: Brief, made: Carried) -> int:
    """What is written, by a copy of the price as a generation keeps it."""
    along = len(brief.references) + len(brief.styles)
    basis = entry.basis(brief.action, brief.fields, references=along)
    assert basis
    copied = type(basis).from_row(basis.as_row())
    assert copied == basis
    sizes = [pictures.inspect(file) for file in made.files]
    return basis.cost(
        made=len(made.files) or brief.count,
        asked=brief.count,
        pixels=sum(one.width * one.height for one in sizes),
        usage=made.finished.usage,
    )


def carried(carrier: Carrier, entry: CatalogueEntry, case: Case, brief: Brief) -> tuple[int, int]:
    """Credits that we write down, and credits that the sandbox took off its balance."""
    before = carrier.log.used
    made = carrier.carry(case[0], brief)
    spent = (carrier.log.used - before) * 1000
    return cost_of(entry, brief, made), int(spent.to_integral_value(ROUND_CEILING))


@pytest.mark.parametrize("case", FIRSTS, ids=named)
def test_what_is_written_is_what_the_gateway_took(
    carrier: Carrier, catalogue: dict[str, CatalogueEntry], case: Case
) -> None:
    brief = brief_for(carrier, case, fields=smallest(case))
    ours, theirs = carried(carrier, catalogue[case[1]], case, brief)
    if (case[0].name, case[2]) in DEARER:
        assert ours >= theirs > 0
    else:
        assert ours == theirs > 0


@pytest.mark.parametrize(
    "case", [case for case in PRICED_BY_TOKENS if case not in FIRSTS], ids=named
)
def test_every_model_that_is_priced_by_tokens_is_charged_by_its_own(
    carrier: Carrier, catalogue: dict[str, CatalogueEntry], case: Case
) -> None:
    brief = brief_for(carrier, case, fields=smallest(case))
    entry = catalogue[case[1]]
    assert entry.price_kind == PriceKind.TOKENS
    ours, theirs = carried(carrier, catalogue[case[1]], case, brief)
    assert ours == theirs > 0


def _settings() -> Iterator[tuple[Case, dict[str, str]]]:
    """Every size and quality that a price hangs on, of families that have any."""
    for case in FIRSTS:
        family, wire_model, action = case
        if action != "create" or not (family.pricing.tokens or family.pricing.times):
            continue
        fields = family.fields_for(wire_model, action)
        sizes = [one for one in fields["size"].choices if one != "4K"]
        for quality in fields["quality"].choices if "quality" in fields else [""]:
            for size in sizes if quality != "high" else sizes[:1]:
                yield case, {"size": size, **({"quality": quality} if quality else {})}


SETTINGS = list(_settings())


@pytest.mark.parametrize(
    ("case", "fields"),
    SETTINGS,
    ids=[f"{case[1]} {' '.join(fields.values())}" for case, fields in SETTINGS],
)
def test_what_is_held_is_near_what_the_settings_cost(
    carrier: Carrier, catalogue: dict[str, CatalogueEntry], case: Case, fields: dict[str, str]
) -> None:
    brief = brief_for(carrier, case, fields=fields)
    ours, theirs = carried(carrier, catalogue[case[1]], case, brief)
    assert ours == theirs
    entry = catalogue[case[1]]
    held = entry.price(1, case[2], brief.fields)
    # The words around an image are not known before; by the image there is nothing to guess.
    guess = 0.2 if entry.price_kind == PriceKind.TOKENS else 0
    assert theirs <= held <= theirs * (1 + guess) + (1 if guess else 0)


@pytest.mark.parametrize(
    "case",
    [one for one in FIRSTS if "count" in one[0].fields_for(one[1], one[2])],
    ids=named,
)
def test_several_images_cost_what_the_gateway_takes_for_them(
    carrier: Carrier, catalogue: dict[str, CatalogueEntry], case: Case
) -> None:
    brief = brief_for(carrier, case, fields=smallest(case), count=2)
    ours, theirs = carried(carrier, catalogue[case[1]], case, brief)
    assert ours == theirs > 0


def test_what_is_half_refused_is_charged_by_what_came(
    carrier: Carrier, catalogue: dict[str, CatalogueEntry]
) -> None:
    case = next(one for one in FIRSTS if one[0].name == "seedream-5" and one[2] == "create")
    brief = brief_for(carrier, case, "a teapot [partly]", fields=smallest(case), count=4)
    ours, theirs = carried(carrier, catalogue[case[1]], case, brief)
    assert ours == theirs == 2 * 35


def test_a_model_that_makes_two_of_itself_is_charged_for_both(
    carrier: Carrier, catalogue: dict[str, CatalogueEntry]
) -> None:
    case = next(one for one in FIRSTS if one[0].name == "gemini-3-flash-image")
    brief = brief_for(carrier, case, "two images of a teapot")
    ours, theirs = carried(carrier, catalogue[case[1]], case, brief)
    assert ours == theirs > 130
