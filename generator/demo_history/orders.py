"""What people of a made-up history ask for: models, actions and settings, at the true prices."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from random import Random
from typing import Any

from generator.errors import NotOffered
from generator.families import ActionRule, Field
from generator.models import Action, CatalogueEntry

# Of a hundred; what a catalogue cannot do falls to *create*.
HOW_OFTEN = {
    Action.CREATE: 66.0, Action.EDIT: 12.0, Action.VARY: 3.5, Action.UPSCALE: 4.0,
    Action.REROLL: 2.5, Action.DESCRIBE: 1.5, Action.BLEND: 1.0, Action.EXPAND: 2.0,
    Action.ERASE: 1.5, Action.FILL: 1.5, Action.ENHANCE: 1.5, Action.REPLACE_BACKGROUND: 1.5,
    Action.ZOOM: 1.0, Action.PAN: 0.5,
}  # fmt: skip
_LIKED = (
    "gpt-image-2", "gemini-3.1-flash-image-preview", "midjourney", "flux-2-pro",
    "doubao-seedream-4-5-251128", "gpt-image-1-mini", "gemini-3-pro-image-preview", "flux-2-max",
)  # fmt: skip
_COUNTS = (1, 1, 1, 1, 1, 1, 2, 2, 4, 4)
_VARIANTS = 4  # settings that each model is asked with


@dataclass(frozen=True)
class Order:
    """One model with one action and one set of settings."""

    entry: CatalogueEntry
    action: str
    rule: ActionRule
    provider: str
    fields: Mapping[str, Any]
    basis: Mapping[str, Any]
    prices: Mapping[int, int]  # credits by count of images
    liked: float
    failing: float  # of a hundred

    def copied(self) -> dict[str, Any]:
        """What a generation copies of it."""
        return {
            "entry_id": self.entry.pk, "label": self.entry.label, "provider": self.provider,
            "family": self.entry.family, "protocol": self.rule.protocol,
            "wire_model": self.entry.wire_model, "action": self.action,
            "fields": dict(self.fields), "price_basis": dict(self.basis),
        }  # fmt: skip


@dataclass
class Menu:
    """All orders by action, and how much each is liked by one person."""

    orders: Mapping[str, list[Order]]
    liked: Mapping[str, list[float]] = field(default_factory=dict)

    @cached_property
    def _actions(self) -> tuple[list[str], list[float]]:
        names = [str(name) for name in HOW_OFTEN if name in self.orders]
        return names, list(accumulate(HOW_OFTEN[Action(name)] for name in names))

    def pick(self, rng: Random) -> Order:
        """One of them, by how often such things are asked for."""
        names, often = self._actions
        return self.pick_of(rng, rng.choices(names, cum_weights=often)[0])

    def pick_of(self, rng: Random, action: str) -> Order:
        """One of an action."""
        return rng.choices(self.orders[action], cum_weights=self.liked[action])[0]

    def of_a_person(self, rng: Random) -> "Menu":
        """The same with a few favourites."""
        models = {order.entry.wire_model: order.liked for order in self.orders[Action.CREATE]}
        mine = set(rng.choices(list(models), weights=list(models.values()), k=4))
        weights = {
            action: list(accumulate(one.liked * (10 if one.entry.wire_model in mine else 1)
                                    for one in orders))
            for action, orders in self.orders.items()
        }  # fmt: skip
        return Menu(self.orders, weights)


def menu(rng: Random) -> Menu:
    """Everything that the catalogue offers. Raises NotOffered where it offers no new image."""
    found: dict[str, list[Order]] = defaultdict(list)
    entries = list(CatalogueEntry.objects.pickable())
    entries.sort(key=lambda one: (one.wire_model not in _LIKED, one.position))
    for rank, entry in enumerate(entries):
        failing = rng.choice((2.0, 3.0, 4.0, 6.0, 9.0))
        for action in entry.takes.actions:
            if entry.can(action):
                orders = _orders(rng, entry, action, liked=1 / (rank + 1.5), failing=failing)
                found[action].extend(orders)
    if not found[Action.CREATE]:
        raise NotOffered("The catalogue offers no model that makes images. Offer one first.")
    return Menu({action: orders for action, orders in found.items() if orders})


def _orders(
    rng: Random, entry: CatalogueEntry, action: str, *, liked: float, failing: float
) -> list[Order]:
    family, rule = entry.takes, entry.takes.rule(action)
    fields = family.fields_for(entry.wire_model, action)
    most = int(fields["count"].most or 1) if "count" in fields else 1
    references = rule.references.least if rule.references else 0
    orders = []
    for variant in range(_VARIANTS):
        said = {name: _said(rng, one, variant) for name, one in fields.items() if name != "count"}
        said = {name: value for name, value in said.items() if value is not None}
        try:
            prices = {
                count: entry.price(count, action, said, references=references)
                for count in sorted(set(_COUNTS))
                if count <= most
            }
        except NotOffered:
            continue
        basis = entry.price_basis(action, said, references=references)
        orders.append(
            Order(entry, action, rule, family.provider, said, basis, prices,
                  liked / (variant + 1), failing)
        )  # fmt: skip
    return orders


def _said(rng: Random, one: Field, variant: int) -> Any:
    """The default at first, then another of the choices; what is optional is seldom said."""
    if variant and one.kind in {"choice", "size", "ratio"} and one.choices and not one.only_with:
        return rng.choice(one.choices)
    return one.default


def count_of(rng: Random, order: Order) -> int:
    """How many images are asked for."""
    return min(rng.choice(_COUNTS), max(order.prices))
