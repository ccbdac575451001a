"""What a page says of an image: asked for and used, side by side, and what is reported."""

from dataclasses import dataclass

from generator.errors import NotOffered
from generator.families import FAMILIES, Field
from generator.models import Generation, ImageAsset


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of "asked for, and used"; either is empty where nothing was said."""

    label: str
    asked: str
    used: str

    @property
    def differs(self) -> bool:
        """Whether the provider did something else than was asked."""
        return bool(self.used and self.asked) and self.used.casefold() != self.asked.casefold()


def facts(generation: Generation, asset: ImageAsset, *, made: int) -> list[Fact]:
    """What was asked for and what was used, by the fields of the model's family.

    A field that nobody set and nobody spoke of says nothing, and is left out. What else the
    provider says it used stands behind them, with nothing asked.
    """
    try:
        fields = generation.takes.fields_for(generation.wire_model, generation.action)
    except NotOffered:
        return []
    measured = {
        "size": f"{asset.width} × {asset.height}",
        "output_format": asset.format,
        "count": str(made),
    }
    rows = [
        _fact(field, generation, measured)
        for field in fields.values()
        if field.name in {*measured, *generation.fields} or generation.used.get(field.name)
    ]
    if "size" not in fields:
        rows.append(Fact("Size", "", measured["size"]))
    others = {name: said for name, said in generation.used.items() if name not in (*fields, "size")}
    return rows + [Fact(_label(name), "", _plain(said)) for name, said in others.items() if said]


def _fact(field: Field, generation: Generation, measured: dict[str, str]) -> Fact:
    asked = generation.count if field.name == "count" else generation.fields.get(field.name)
    asked = field.default if asked is None else asked
    used = measured.get(field.name) or generation.used.get(field.name)
    return Fact(field.label, _words(field, asked), _words(field, used))


def _words(field: Field, value: object) -> str:
    text = _plain(value)
    if field.kind == "size" and text[:1].isdecimal():
        return text.replace("x", " × ")
    return field.choice_label(text) if text in field.choices else text


def _plain(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "on" if value else "off"
        case _:
            return str(value)


def _label(name: str) -> str:
    """What a page calls something that the provider named: as a family does, or in plain words."""
    known = (family.fields[name].label for family in FAMILIES.values() if name in family.fields)
    return next(known, name.replace("_", " ").capitalize())


def reported(generation: Generation) -> list[tuple[str, str]]:
    """What the provider says that it took: tokens, images, its cost in a unit of its own."""
    return [
        (name.replace("_", " ").capitalize(), str(value))
        for name, value in generation.usage.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and value
    ]
