"""The menu of models: by provider, with what each can do and costs."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from generator.families import Family
from generator.forms.doing import ACTION_WORDS
from generator.models import Action, CatalogueEntry

SLOW = 50  # seconds from which a model is called slow


@dataclass(frozen=True, slots=True)
class Pickable:
    """A line of the menu: a model, what it can do, and whether it is picked to compare with."""

    entry: CatalogueEntry
    can: str
    slow: bool
    compared: bool


def menu(model: str, also: Collection[str]) -> dict[str, list[Pickable]]:
    """The models on offer by provider, in the catalogue's order; `model` is never compared."""
    lines: dict[str, list[Pickable]] = {}
    for entry in CatalogueEntry.objects.pickable():
        family = entry.takes
        compared = entry.wire_model in also and entry.wire_model != model
        lines.setdefault(family.provider, []).append(
            Pickable(entry, " · ".join(_abilities(entry, family)), _is_slow(family), compared)
        )
    return lines


def _is_slow(family: Family) -> bool:
    return min(rule.usual_seconds for rule in family.actions.values()) >= SLOW


def _abilities(entry: CatalogueEntry, family: Family) -> Iterator[str]:
    """What a model can do, a few words each."""
    model = entry.wire_model
    able = {name: rule for name, rule in family.actions.items() if family.can(model, name)}
    if Action.CREATE in able:
        yield "text"
    taking = [rule.references.most for rule in able.values() if rule.references]
    if taking:
        yield f"up to {max(taking)} images along" if max(taking) > 1 else "one image along"
    if any(rule.mask != "none" for rule in able.values()):
        yield "mask"
    fields = {
        name: one for action in able for name, one in family.fields_for(model, action).items()
    }
    if "background" in fields and "transparent" in fields["background"].choices:
        yield "transparent"
    count = fields.get("count")
    yield f"up to {count.most:g} images" if count and count.most else "one image at a time"
    more = set(able) - {Action.CREATE, Action.EDIT}
    if more:
        yield ", ".join(words.lower() for name, words in ACTION_WORDS.items() if name in more)
