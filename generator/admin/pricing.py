"""What staff may set as a price: checked where it was typed, and told in numbers."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db.models import Field
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from generator.admin.shown import ShownForm
from generator.families import FAMILIES, Family
from generator.listed_prices import LARGEST_PRICE, LARGEST_TOKENS
from generator.models import CatalogueEntry, PriceKind, PriceSource

PRICE_FIELDS = frozenset({"price_kind", "credits_each", "tokens_in", "tokens_out", "rates"})
TOKEN_FIELDS = ("tokens_in", "tokens_out")
NO_PRICES = _("Write whole credits for each action, as in the example.")
TOO_DEAR = format_lazy(_("An image may cost at most {most} credits."), most=f"{LARGEST_PRICE:,}")
TOO_DEAR_TOKENS = format_lazy(
    _("A million tokens may cost at most {most} credits."), most=f"{LARGEST_TOKENS:,}"
)
BOTH_TOKENS = _("A price by tokens needs both numbers: for a million in, and for a million out.")
NOT_DONE = _("This model knows no %(names)s. It knows %(known)s.")
NOT_DONE_SPEEDS = _(
    "This model knows no %(names)s. It knows %(known)s; behind each may stand %(speeds)s."
)
NO_TOKENS = _(
    "How many tokens an image of this model takes is not known, so its price could not be said "
    "beforehand. Choose another kind."
)
NO_PRICE = _("Nobody could pick the model without a price: write one, or take it off offer.")
BY_TOKENS = _(
    "This model is priced by tokens. Open it, and choose what else its price is to be counted by."
)
MOST_NAMES, LONGEST_NAME = 5, 40  # that are named of those that are wrong
_NUMBERS = {
    "input_price": _("%(number)s for a million tokens in"),
    "output_price": _("%(number)s for a million tokens out"),
    "per_request": _("%(number)s a request"),
    "per_second": _("%(number)s a second"),
    "ratio": _("ratio %(number)s"),
}


class PricedForm(ShownForm):
    """An entry, on its own page or in the list, whose price makes sense if it was touched."""

    one_piece = PRICE_FIELDS

    def clean(self) -> dict[str, Any] | None:
        """Put what is wrong with a price beside what was typed."""
        cleaned = super().clean()
        if self.cleaned_data.get("rates", {}) is None:  # an emptied field
            self.cleaned_data["rates"] = {}
        is_put_on_offer = "offered" in self.changed_data and self.cleaned_data.get("offered")
        if is_put_on_offer or PRICE_FIELDS & set(self.changed_data):
            for name, text in list(self._faults()):
                self.add_error(name if name in self.fields else None, text)
            self._clear_what_does_not_count()
        return cleaned

    def _faults(self) -> "Iterator[tuple[str, Any]]":
        family = FAMILIES.get(self._said("family") or "")
        if "rates" in self.changed_data and (text := _not_done(self._said("rates"), family)):
            yield "rates", text
        if self._said("price_kind") != PriceKind.TOKENS:
            is_free_of_faults = "credits_each" not in self.errors
            if self._said("offered") and self._said("credits_each") is None and is_free_of_faults:
                yield "credits_each", NO_PRICE
            return
        if "price_kind" not in self.fields and "credits_each" in self.changed_data:
            yield "credits_each", BY_TOKENS
        if family is None or family.pricing.tokens is None:
            yield "price_kind", NO_TOKENS
        empty = [name for name in TOKEN_FIELDS if self._said(name) is None]
        if len(empty) == 1 or (empty and self._said("offered")):
            yield from ((name, BOTH_TOKENS) for name in empty if name not in self.errors)

    def _said(self, name: str) -> Any:
        """What was typed; of what is not on the form, what the entry has."""
        return self.cleaned_data.get(name, getattr(self.instance, name))

    def _clear_what_does_not_count(self) -> None:
        """A number of another kind of price would only mislead whoever reads it next."""
        if "price_kind" not in self.fields:
            return
        is_by_tokens = self._said("price_kind") == PriceKind.TOKENS
        for name in ("credits_each",) if is_by_tokens else TOKEN_FIELDS:
            if name in self.cleaned_data:
                self.cleaned_data[name] = None


def bounded(db_field: "Field[Any, Any]", field: Any) -> Any:
    """The form's field of a price, with a largest value."""
    if db_field.name == "credits_each":
        field.validators.append(MaxValueValidator(LARGEST_PRICE, TOO_DEAR))
    if db_field.name in TOKEN_FIELDS:
        field.validators.append(MaxValueValidator(LARGEST_TOKENS, TOO_DEAR_TOKENS))
    if db_field.name == "rates":
        field.validators.append(_are_prices)
    return field


def _are_prices(rates: Any) -> None:
    """Raises ValidationError for what is no mapping of actions to credits."""
    fit = isinstance(rates, dict) and all(
        isinstance(each, int) and not isinstance(each, bool) and 0 <= each <= LARGEST_PRICE
        for each in rates.values()
    )
    if not fit:
        raise ValidationError(NO_PRICES)


def _not_done(rates: Mapping[str, int], family: Family | None) -> str:
    """What is wrong with the names of these prices; empty if nothing is.

    A price under a name that nothing is called by would be kept, and never asked for.
    """
    if family is None:
        return ""
    field = family.fields.get("speed")
    speeds = tuple(field.choices) if field else ()
    names = {*family.actions, *(f"{name} {speed}" for name in family.actions for speed in speeds)}
    if not (strange := [name for name in rates if name not in names]):
        return ""
    said = {
        "names": ", ".join(f"“{name[:LONGEST_NAME]}”" for name in strange[:MOST_NAMES]),
        "known": ", ".join(family.actions),
        "speeds": ", ".join(speeds),
    }
    return str(NOT_DONE_SPEEDS if speeds else NOT_DONE) % said


def what_is_free(entry: CatalogueEntry) -> str:
    """A warning about a price of nought; empty where everything costs something."""
    prices: list[Decimal | int | None] = [entry.credits_each]
    if entry.price_kind == PriceKind.TOKENS:
        prices = [entry.tokens_in, entry.tokens_out]
    if not any(prices) and None not in prices:
        text = gettext("%(model)s costs nothing now: it is free for everybody.")
        return text % {"model": entry.label}
    if free := [name for name, credits in entry.rates.items() if credits == 0]:
        text = gettext("%(model)s costs nothing now for: %(names)s. That is free for everybody.")
        return text % {"model": entry.label, "names": ", ".join(free)}
    return ""


def gateways_numbers(entry: CatalogueEntry) -> str:
    """What the gateway's list says of the price, in its own numbers."""
    if rows := entry.listed.get("prices"):
        text = ngettext("%(count)d price of an action", "%(count)d prices of actions", len(rows))
        return text % {"count": len(rows)}
    said = [
        text % {"number": entry.listed[name]}
        for name, text in _NUMBERS.items()
        if name in entry.listed
    ]
    if not said:
        return gettext("nothing")
    return f"{', '.join(said)} ({entry.listed.get('currency') or gettext('no currency named')})"


def made_of_it(entry: CatalogueEntry) -> str:
    """What the ratio of the gateway and the deployment's factor make of the price."""
    if entry.price_source == PriceSource.STAFF:
        return gettext("nothing: a price that staff set stands as it is")
    factors = {"ratio": _plain(entry.own_ratio), "factor": _plain(settings.PRICE_FACTOR)}
    return gettext("%(ratio)s (the gateway's ratio) × %(factor)s (STUDIO_PRICE_FACTOR)") % factors


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
