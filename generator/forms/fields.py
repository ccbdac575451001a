"""One form field for each thing that a family of models takes, and what a page shows of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.datastructures import MultiValueDict

from generator.families import Field, parse_ratio, parse_size

OWN = "own"
FEW = 5  # choices up to here stand side by side; more are a menu
# Everything a text may hold but what no one can type: control characters, save tab and newline, and
# halves of characters, which a shell can bring along.
_UNTYPED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class PromptField(forms.CharField):
    """The prompt: line ends as one newline, without control characters and outer space."""

    def to_python(self, value: Any) -> str:
        """The text as the provider gets it."""
        text = str(value or "").replace("\r\n", "\n").replace("\r", "\n")
        return _UNTYPED.sub(" ", text).strip()


class SizeInput(forms.TextInput):
    """A listed size, or `own` with two numbers beside it."""

    def value_from_datadict(
        self, data: Mapping[str, Any], files: MultiValueDict[str, Any], name: str
    ) -> str:
        """The size as one text: `auto`, `1024x1536`."""
        value = str(data.get(name) or "")
        if value != OWN:
            return value
        width, height = (str(data.get(f"{name}_{side}") or "").strip() for side in SIDES)
        return f"{width}x{height}"


SIDES = ("width", "height")


class SizeField(forms.CharField):
    """A size that the model lists, or one of the person's own within the model's rule."""

    widget = SizeInput

    def __init__(self, field: Field) -> None:
        super().__init__(required=False, label=field.label)
        self.field = field

    def clean(self, value: Any) -> str:
        """`auto` or `WIDTHxHEIGHT`; empty where nothing was chosen. Raises ValidationError."""
        text = str(value or "").strip()
        if not text or text in self.field.choices:
            return text
        size = parse_size(text)
        if size is None or self.field.own is None:
            raise forms.ValidationError(self._refusal(text))
        if fault := self.field.own.fault(*size):
            raise forms.ValidationError(fault)
        return f"{size[0]}x{size[1]}"

    def _refusal(self, text: str) -> str:
        listed = ", ".join(choice.replace("x", " × ") for choice in self.field.choices)
        if self.field.own is None:
            return f"This model does not make {text[:20].replace('x', ' × ')}. It makes: {listed}."
        return "Give width and height in pixels, for example 1536 × 864."


class SwitchInput(forms.TextInput):
    """On or off: a box, behind a hidden "off" that is sent where the box is not ticked.

    Nothing sent at all means that nobody was asked, and the field's default rules.
    """

    def value_from_datadict(
        self, data: Mapping[str, Any], files: MultiValueDict[str, Any], name: str
    ) -> bool | None:
        """True, False, or None where nothing was sent."""
        value = data.get(name)
        if value in (None, ""):
            return None
        return str(value).lower() in ("on", "true", "1", "yes")


class SwitchField(forms.NullBooleanField):
    """On, off, or not said."""

    widget = SwitchInput


class NumberField(forms.FloatField):
    """A number with a point; one that is whole is sent as such."""

    def clean(self, value: Any) -> Any:
        """The number; None where nothing was typed. Raises ValidationError."""
        number = super().clean(value)
        return int(number) if number is not None and number == int(number) else number


def form_field(field: Field) -> forms.Field:
    """The form field for one thing a family takes. Not required: empty is the default."""
    match field.kind:
        case "size":
            return SizeField(field)
        case "choice" | "ratio":
            labels = ", ".join(field.choice_label(choice) for choice in field.choices)
            return forms.ChoiceField(
                required=False,
                label=field.label,
                choices=[(choice, field.choice_label(choice)) for choice in field.choices],
                error_messages={"invalid_choice": f"This model knows only: {labels}."},
            )
        case "count" | "integer":
            return forms.IntegerField(**_bounded(field, "a whole number"))
        case "number":
            return NumberField(**_bounded(field, "a number"))
        case "switch":
            return SwitchField(required=False, label=field.label)
        case "text":
            most = int(field.most or 2000)
            return PromptField(
                required=False,
                label=field.label,
                max_length=most,
                error_messages={"max_length": f"At most {most:,} characters."},
            )
        case kind:
            raise ValueError(f"No form knows fields of the kind {kind!r}.")


def _bounded(field: Field, what: str) -> dict[str, Any]:
    bounds = f"Give {what} of {field.least:g} or more."
    if field.most is not None and field.least is not None:
        bounds = f"Give {what} from {field.least:g} to {field.most:g}."
    return {
        "required": False,
        "label": field.label,
        "min_value": field.least,
        "max_value": field.most,
        "error_messages": dict.fromkeys(("invalid", "min_value", "max_value"), bounds),
    }


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice as a page shows it."""

    value: str
    label: str
    icon: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Setting:
    """A field of the family as a page shows it: what is chosen, what is wrong with it."""

    field: Field
    bound: BoundField

    @property
    def value(self) -> str:
        """What is chosen now, as text."""
        value = self.bound.value()
        if value is None or value == "":
            value = self.field.default
        return "" if value is None else str(value)

    @property
    def is_on(self) -> bool:
        """Whether a switch is on."""
        value = self.bound.value()
        if value is None or value == "":
            return bool(self.field.default)
        return str(value).lower() in ("on", "true", "1", "yes")

    @property
    def is_slider(self) -> bool:
        """Whether a number has two ends and a place to start from: then it is slid."""
        field = self.field
        return field.kind == "count" or (
            field.kind in ("integer", "number")
            and None not in (field.least, field.most, field.default)
            and (field.most or 0) - (field.least or 0) <= 1000
        )

    @property
    def is_menu(self) -> bool:
        """Whether the choices are too many to stand side by side."""
        return len(self.field.choices) + bool(self.field.own) > FEW

    @property
    def errors(self) -> list[str]:
        """What is wrong with it, for people."""
        return [str(error) for error in self.bound.errors]

    @property
    def is_own(self) -> bool:
        """Whether a size of one's own is chosen."""
        return self.field.own is not None and self.value not in self.field.choices

    @property
    def own_sides(self) -> dict[str, str]:
        """The two numbers of a size of one's own, as they were typed."""
        typed = self.value.partition("x")[::2] if self.is_own else ("1536", "864")
        return dict(zip(SIDES, typed, strict=True))

    @property
    def choices(self) -> Iterator[Choice]:
        """What can be chosen, a size of one's own last."""
        for choice in self.field.choices:
            yield Choice(
                choice, self.field.choice_label(choice), self._icon(choice), choice == self.value
            )
        if self.field.own:
            yield Choice(OWN, "Own", "edit", self.is_own)

    def _icon(self, choice: str) -> str:
        match self.field.kind:
            case "size":
                return shape(parse_size(choice))
            case "ratio":
                return shape(parse_ratio(choice))
            case _:
                return ""


def shape(size: tuple[int, int] | None) -> str:
    """`wide`, `tall` or `square`; `auto-shape` where the size is not known."""
    if size is None:
        return "auto-shape"
    width, height = size
    if width > height:
        return "wide"
    return "tall" if height > width else "square"
