"""Briefs made from families.toml alone: what each action of each model needs, and no more."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from PIL import Image, ImageDraw

from generator.families import FAMILIES, Family, Field, ReferenceRule, parse_size
from generator.providers.base import Brief, Button, Parent, Reference
from tests.providers.carrying import Carried, Carrier

PROMPT = "a teapot"
FARTHEST = 2  # buttons pressed until a wanted one is offered

type Case = tuple[Family, str, str]  # a family, one of its models, one of its actions

CASES: list[Case] = [
    (family, model.wire_model, action)
    for family in FAMILIES.values()
    for model in family.models
    for action, rule in family.actions.items()
    if rule.is_for(model.wire_model)
]


def named(case: Case) -> str:
    """What a test calls a case."""
    family, wire_model, action = case
    return f"{family.name} {wire_model} {action}"


def protocol_of(case: Case) -> str:
    """The protocol that a case is spoken in."""
    family, _, action = case
    return family.rule(action).protocol


# ── Images that go along ──


@cache
def reference(rule: ReferenceRule, number: int = 0) -> Reference:
    """An image that the rule takes: red on the left, blue on the right, taller for each number."""
    if rule.needs_link:
        return Reference(b"", "", "", link=f"https://studio.site/reference-{number}.png")
    height = max(480, rule.shortest_side) + 16 * number
    width = height if rule.square else height * 4 // 3
    image = Image.new("RGB", (width, height), (200, 30, 30))
    ImageDraw.Draw(image).rectangle((width // 2, 0, width, height), fill=(30, 30, 200))
    format = "png" if "png" in rule.formats else rule.formats[0]
    return Reference(_file(image, format), f"image/{format}", f"image-{number + 1}.{format}")


def mask_of(first: Reference) -> Reference:
    """White where the image is to change: its upper left quarter."""
    width, height = Image.open(io.BytesIO(first.data)).size
    image = Image.new("L", (width, height), 0)
    ImageDraw.Draw(image).rectangle((0, 0, width // 2 - 1, height // 2 - 1), fill=255)
    return Reference(_file(image, "png"), "image/png", "mask.png")


def _file(image: Image.Image, format: str) -> bytes:
    file = io.BytesIO()
    image.save(file, format)
    return file.getvalue()


# ── Briefs ──


def brief_for(
    carrier: Carrier,
    case: Case,
    prompt: str = PROMPT,
    *,
    fields: Mapping[str, Any] | None = None,
    **facts: Any,
) -> Brief:
    """What the form makes of an action where nothing but these fields was touched.

    What begins with a button begins with a real one. `facts` are put over the brief.
    """
    family, wire_model, action = case
    rule = family.rule(action)
    least = rule.references.least if rule.references else 0
    references = tuple(reference(rule.references, n) for n in range(least) if rule.references)
    told = Brief(
        action=action,
        prompt="" if rule.prompt == "none" else prompt,
        wire_model=wire_model,
        fields=filled(case, fields or {}),
        references=references,
    )
    if rule.starts_from == "button":
        told = _pressed(carrier, told, *offered(carrier, family, wire_model, action))
    elif rule.mask == "required":
        told = replace(told, mask=mask_of(references[0]))
    if rule.styles and rule.styles.least:
        told = replace(told, styles=(reference(rule.styles),))
    return replace(told, **facts)


def filled(case: Case, said: Mapping[str, Any]) -> dict[str, Any]:
    """The same with every default that applies, as the page shows them and the form sends them."""
    family, wire_model, action = case
    fields = family.fields_for(wire_model, action)
    effective = {name: field.default for name, field in fields.items()} | dict(said)

    def applies(field: Field) -> bool:
        only = field.only_with
        return only is None or effective.get(only.field) in only.values

    defaults = {
        name: field.default
        for name, field in fields.items()
        if field.kind != "count" and field.default not in (None, "", "auto") and applies(field)
    }
    return {**defaults, **said}


def smallest(case: Case) -> dict[str, str]:
    """The smallest listed size, where there is one: it is painted sooner."""
    field = case[0].fields_for(case[1], case[2]).get("size")
    if field is None or field.only_with is not None:
        return {}
    sizes = {choice: size for choice in field.choices if (size := parse_size(choice))}
    if not sizes:
        return {}
    return {"size": min(sizes, key=lambda choice: sizes[choice][0] * sizes[choice][1])}


def _pressed(carrier: Carrier, told: Brief, made: Carried, button: Button) -> Brief:
    mask = None
    if button.asks == "mask":
        mask = mask_of(Reference(made.files[0], "image/png", "image.png"))
    return replace(
        told,
        prompt=told.prompt if button.asks else "",
        button=button.id,
        parent=Parent(task_id=made.task_id, memory=made.finished.memory),
        mask=mask,
    )


# What was made for a family's buttons is made once for all tests of a carrier.
_MADE: dict[tuple[int, str, str], Carried] = {}


def offered(
    carrier: Carrier, family: Family, wire_model: str, action: str
) -> tuple[Carried, Button]:
    """Something that was made, and a button of it that does what is wanted."""
    for made in _generations(carrier, family, wire_model):
        # One that asks back takes more to press.
        for button in sorted(made.finished.buttons, key=lambda button: not button.asks):
            if button.action == action:
                return made, button
    raise AssertionError(f"{family.name} offers no button to {action}")


def _generations(carrier: Carrier, family: Family, wire_model: str) -> Iterator[Carried]:
    """What is made from a prompt, and then by pressing its first button of each action."""
    first = _once(carrier, family, brief_for(carrier, (family, wire_model, "create")), "")
    row = [(first, "")]
    for _ in range(FARTHEST):
        yield from (made for made, _ in row)
        row = [
            (_once(carrier, family, _press(carrier, family, wire_model, made, button), way), way)
            for made, before in row
            for button in _one_of_each(made.finished.buttons)
            if (way := f"{before} {button.action}")
        ]


def _press(
    carrier: Carrier, family: Family, wire_model: str, made: Carried, button: Button
) -> Brief:
    rule = family.rule(button.action)
    prompt = "" if rule.prompt == "none" else PROMPT
    told = Brief(action=button.action, prompt=prompt, wire_model=wire_model, fields={})
    return _pressed(carrier, told, made, button)


def _one_of_each(buttons: tuple[Button, ...]) -> list[Button]:
    return list({button.action: button for button in reversed(buttons)}.values())


def _once(carrier: Carrier, family: Family, brief: Brief, way: str) -> Carried:
    key = (id(carrier), brief.wire_model, way)
    if key not in _MADE:
        _MADE[key] = carrier.carry(family, brief)
    return _MADE[key]


# ── Values of fields ──


def needed(family: Family, field: Field) -> dict[str, Any]:
    """What else must be set for a field to make sense."""
    only = field.only_with
    return {} if only is None else {only.field: only.values[0]}


def good(field: Field) -> list[Any]:
    """Values that a field takes: each choice, each bound."""
    match field.kind:
        case "switch":
            return [True, False]
        case "text":
            return ["rain", "x" * int(field.most or 100)]
        case "integer":
            return [int(bound) for bound in (field.least, field.most) if bound is not None]
        case "number":
            return [float(bound) for bound in (field.least, field.most) if bound is not None]
        case "count":
            return []
        case _:
            return [*field.choices, *own_sizes(field)]


def bad(field: Field) -> list[Any]:
    """Values just beyond: what is listed elsewhere, one step over each bound."""
    step = 1 if field.kind == "integer" else (field.step or 0.1)
    match field.kind:
        case "switch" | "count":
            return []
        case "text":
            return ["x" * (int(field.most) + 1)] if field.most else []
        case "integer" | "number":
            bounds = ((field.least, -step), (field.most, step))
            beyond = [round(bound + way, 3) for bound, way in bounds if bound is not None]
            return [int(one) if field.kind == "integer" else one for one in beyond]
        case _:
            return [value for value in ("other", *_elsewhere(field)) if not _fits(field, value)]


def own_sizes(field: Field) -> list[str]:
    """One size of one's own that the rule allows and no list names."""
    if field.own is None:
        return []
    step = field.own.multiple_of
    for width in range(step * (1040 // step), 4096, step):
        for height in (width // 2 // step * step, width):
            size = f"{width}x{height}"
            if not field.own.fault(width, height) and size not in field.choices:
                return [size]
    raise AssertionError(field)


def _elsewhere(field: Field) -> list[str]:
    """What fields of the same name take in other families."""
    found = {
        choice
        for family in FAMILIES.values()
        if (other := family.fields.get(field.name))
        for choice in other.choices
    }
    # `auto` is said by saying nothing.
    return sorted(found - {"auto", *field.choices})


def _fits(field: Field, value: str) -> bool:
    size = parse_size(value)
    return bool(field.own and size and not field.own.fault(*size))
