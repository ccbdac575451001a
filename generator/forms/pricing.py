"""What a form costs as it stands, and whether that is what its page showed (M3)."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from django.core.exceptions import NON_FIELD_ERRORS

from generator.forms.asking import AskingForm
from generator.forms.fields import PromptField
from generator.forms.given import many
from generator.models.catalogue import PriceKind
from generator.models.references import tokens_before

PRICE_CHANGED = "price_changed"  # the code of that error
LONGEST_COST = 12  # digits of a price that a page can have shown
LONGEST_COUNT = 7  # digits of how much somebody has typed


@dataclass(frozen=True, slots=True)
class Shown:
    """A price as a page showed it.

    `cost` is in credits. `tag` is that of the catalogue entry then, and `asked` a digest of what
    it was the price of: empty where it cannot have been of anything else, as on a card's button.
    Whoever forges one is asked, or forgoes being asked: it is never what anything costs.
    """

    model: str
    cost: int
    tag: str = ""
    asked: str = ""

    def __str__(self) -> str:
        return f"{self.model} {self.cost} {self.tag or '-'} {self.asked or '-'}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """What `str()` wrote; None for anything else."""
        model, *rest = text.rsplit(" ", 3)
        match rest:
            case [cost, tag, asked] if cost.isdecimal() and len(cost) <= LONGEST_COST:
                return cls(model, int(cost), tag, asked)
            case _:
                return None


def shown_prices(data: Mapping[str, Any]) -> dict[str, Shown]:
    """What the page that sent this showed, by model, posted as `price_tag`. A program sends none,
    and is not asked."""
    found = (Shown.read(text) for text in many(data, "price_tag"))
    return {one.model: one for one in found if one}


class PricedForm(AskingForm):
    """What was asked for, and its price."""

    @property
    def how_many(self) -> int:
        """How many images the form stands at.

        Not `count`: templates find the field of that name first.
        """
        return int(self.standing.get("count") or 1)

    @property
    def cost(self) -> int:
        """Credits that sending it as it stands would hold: never what was posted as such (M3)."""
        return self._price(self.how_many)

    @property
    def each(self) -> int | None:
        """Credits of one image; None where several together do not cost just so many times that."""
        each = self._price(1)
        return each if each * self.how_many == self.cost else None

    @property
    def is_by_use(self) -> bool:
        """Whether what it costs is known only once it is made."""
        basis = self.entry.basis(self.action, self.said_fields(), **self._along)
        return basis is not None and basis.is_estimate

    @property
    def is_by_words(self) -> bool:
        """Whether its price hangs on how much is written."""
        return self.entry.price_kind == PriceKind.TOKENS and not self._takes_no_words

    @property
    def shown(self) -> Shown:
        """The price, for the form to carry along."""
        return Shown(self.wanted, self.cost, self.entry.price_tag, self._digest())

    @property
    def is_price_new(self) -> bool:
        """Whether it was refused because its price is another now, and nothing else."""
        return self.has_error(NON_FIELD_ERRORS, PRICE_CHANGED)

    def price_change(self, shown: Shown | None) -> str:
        """That the price is not what was shown, for people; empty if it is, or nothing was.

        A form that changed since, and was sent before its page heard of the new price, is only
        held to what the model's prices hang on: no price of just this was ever shown. So is one
        whose price grows with what is written: somebody may just have typed on.
        """
        if shown is None:
            return ""
        was_of_this = shown.asked in ("", "-", self._digest())
        may_differ = self.is_by_words or not was_of_this
        if may_differ and shown.tag == self.entry.price_tag:
            return ""
        if was_of_this and shown.cost == self.cost:
            return ""
        what, they = self._in_a_sentence()
        before = f", {they} {shown.cost:,} when this page was shown" if was_of_this else ""
        changed = f"The price of {self.entry.label} has changed"
        return f"{changed}: {what} {self.cost:,} credits now{before}."

    def _in_a_sentence(self) -> tuple[str, str]:
        if self.rule.answer == "text":
            return "this is", "it was"
        if self.how_many == 1:
            return "1 image is", "it was"
        return f"{self.how_many:,} images are", "they were"

    def _price(self, count: int) -> int:
        return self.entry.price(count, self.action, self.said_fields(), **self._along)

    @property
    def _along(self) -> dict[str, int]:
        """What goes along, as `CatalogueEntry.basis` takes it."""
        given = [*self.references, *self.style_references]
        return {
            "references": len(given),
            "words": self._words,
            "before": tokens_before(self.start.parent, self.entry, self.action, given),
        }

    @cached_property
    def _words(self) -> int:
        """Bytes of the prompt; of one that stays on the page, as many as the page says."""
        if self._takes_no_words:
            return 0
        typed = PromptField().to_python(self.given.get("prompt"))
        said = str(self.given.get("prompt_bytes") or "")
        if typed or not (said.isascii() and said.isdecimal()) or len(said) > LONGEST_COUNT:
            return len(typed.encode())
        return int(said)

    @property
    def _takes_no_words(self) -> bool:
        rule = self.family.actions.get(self.action)
        return rule is not None and rule.prompt == "none"

    def _digest(self) -> str:
        # A page posts what stands at its default, too; of words it may have shown a price of fewer.
        fields = {
            name: str(self.effective(name))
            for name, field in self.own_fields.items()
            if field.kind not in ("text", "count") and self.applies(name)
        }
        along = len(self.references) + len(self.style_references)
        text = json.dumps([self.action, self.how_many, fields, along], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def price_changes(forms: Iterable[PricedForm], shown: Mapping[str, Shown]) -> str:
    """What a person is told, and asked, where a price is not what was shown; else empty."""
    found = {form: form.price_change(shown.get(form.wanted)) for form in forms}
    sentences = [sentence for sentence in found.values() if sentence]
    if not sentences:
        return ""
    several = sum(form.how_many for form in found) > 1
    go_on = "to make them" if several else "to make it"
    if all(form.rule.answer == "text" for form in found):
        go_on = "to go on"
    return f"{' '.join(sentences)} Nothing was sent. Press the button again {go_on}."
