"""What can be done next with an image: by which offered models, at which price."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from generator.errors import NotOffered
from generator.families import ActionRule
from generator.forms.doing import ACTION_WORDS
from generator.models import Action, CatalogueEntry, Generation, ImageAsset
from generator.models.references import tokens_before
from generator.providers.base import Button

# In the order in which a page offers them. What starts with a button is offered by the provider.
ORDER = (
    Action.EDIT,
    Action.VARY,
    Action.FILL,
    Action.ERASE,
    Action.REPLACE_BACKGROUND,
    Action.EXPAND,
    Action.UPSCALE,
    Action.ENHANCE,
    Action.BLEND,
    Action.DESCRIBE,
)
ICONS: dict[str, str] = {
    Action.EDIT: "edit",
    Action.VARY: "vary",
    Action.FILL: "mask",
    Action.ERASE: "eraser",
    Action.REPLACE_BACKGROUND: "images",
    Action.EXPAND: "fit",
    Action.UPSCALE: "upscale",
    Action.ENHANCE: "sun",
    Action.BLEND: "collection",
    Action.DESCRIBE: "text",
    Action.REROLL: "retry",
    Action.ZOOM: "zoom-out",
}
PANS = {"left": "chevron-left", "right": "chevron-right", "down": "chevron-down"}


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that can be done with an image.

    `models` names those that can do it: first the one that `query` opens the studio with, whose
    `price` it is, in credits for one image; `by_use` says that it is an estimate. A `button` is
    pressed at once unless it asks back.
    """

    action: str
    label: str
    price: int
    models: tuple[str, ...]
    query: str
    button: Button | None = None
    by_use: bool = False

    @property
    def icon(self) -> str:
        """The name of its icon."""
        if self.action == Action.PAN:
            return PANS.get(self.label.rpartition(" ")[2], "arrow-up")
        return ICONS.get(self.action, "edit")

    @property
    def is_pressed(self) -> bool:
        """Whether it is done with one press, and needs no form."""
        return self.button is not None and not self.button.asks


def offers_for(asset: ImageAsset, entries: Iterable[CatalogueEntry]) -> list[Offer]:
    """Exactly what some offered model can do with this image.

    A model that remembers how it made the image goes on from there; any other is shown the image.
    """
    if asset.format == "svg" or asset.trashed_at:
        return []
    offered = list(entries)
    found = (_offer(asset, action, offered) for action in ORDER)
    return [offer for offer in found if offer]


def _offer(asset: ImageAsset, action: Action, entries: list[CatalogueEntry]) -> Offer | None:
    able = [entry for entry in entries if _can(entry, action, asset)]
    if not able:
        return None
    opened = _usual(asset, able) or min(able, key=lambda entry: _price(asset, action, entry))
    return Offer(
        action=action,
        label=ACTION_WORDS[action],
        price=_price(asset, action, opened),
        by_use=_is_by_use(opened, action),
        models=(opened.label, *(entry.label for entry in able if entry != opened)),
        query=_query(asset, action, opened),
    )


def _price(asset: ImageAsset, action: Action, entry: CatalogueEntry) -> int:
    remembered = _goes_on(entry.takes.rule(action), entry, asset.generation)
    if not remembered:
        return entry.price(1, action, references=1)
    return entry.price(1, action, before=tokens_before(asset.generation, entry, action))


def _is_by_use(entry: CatalogueEntry, action: str) -> bool:
    basis = entry.basis(action)
    return basis is not None and basis.is_estimate


def _can(entry: CatalogueEntry, action: Action, asset: ImageAsset) -> bool:
    if not entry.can(action):
        return False
    rule = entry.takes.rule(action)
    return (
        rule.starts_from != "button"
        and rule.references is not None
        and rule.references.fault(asset.width, asset.height) == ""
    )


def _usual(asset: ImageAsset, able: list[CatalogueEntry]) -> CatalogueEntry | None:
    """The model that made the image, if it can do this as well."""
    made_by = asset.generation.wire_model
    return next((entry for entry in able if entry.wire_model == made_by), None)


def _query(asset: ImageAsset, action: Action, entry: CatalogueEntry) -> str:
    generation = asset.generation
    said = {"model": entry.wire_model, "action": str(action)}
    if _goes_on(entry.takes.rule(action), entry, generation):
        return urlencode({**said, "parent": generation.pk, "parent_position": asset.position})
    return urlencode({**said, "image": asset.pk})


def _goes_on(rule: ActionRule, entry: CatalogueEntry, generation: Generation) -> bool:
    remembers = rule.starts_from == "memory" and bool(generation.memory)
    return remembers and entry.family == generation.family


def buttons_of(generation: Generation, *, position: int = 0) -> Iterator[Offer]:
    """What the provider itself offers to do next with what it made, where it still can be asked."""
    entry = generation.entry
    if entry is None or not entry.offered:
        return
    for row in generation.buttons:
        button = Button(**row)
        price = _price_of_press(generation, entry, button)
        if price is not None:
            said = {"parent": generation.pk, "parent_position": position, "button": button.id}
            yield Offer(
                action=button.action,
                label=button.label,
                price=price,
                models=(entry.label,),
                query=urlencode({"model": entry.wire_model, **said}),
                button=button,
                by_use=_is_by_use(entry, button.action),
            )


def _price_of_press(generation: Generation, entry: CatalogueEntry, button: Button) -> int | None:
    """None where it cannot be pressed now: the model cannot do it, or nobody knows its price."""
    if not entry.can(button.action):
        return None
    try:
        return entry.price(1, button.action, fields_of_press(generation, button))
    except NotOffered:
        return None


def fields_of_press(parent: Generation, button: Button) -> dict[str, str]:
    """What goes along when a button is pressed: it goes as fast as what it goes on from, and costs
    what the card says. Raises NotOffered if this release does not know the family."""
    speed = parent.fields.get("speed")
    takes = speed and "speed" in parent.takes.fields_for(parent.wire_model, button.action)
    return {"speed": str(speed)} if takes else {}
