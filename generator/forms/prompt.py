"""The form of the studio: a prompt, a model, and exactly the fields that this model takes."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms

from generator.errors import NotOffered
from generator.families import FAMILIES, Family
from generator.forms.fields import PromptField, Setting, form_field
from generator.models import Action, CatalogueEntry, Generation
from generator.providers.base import Brief

# Whatever any model takes. Posted to a model that does not take it, it is refused by name;
# anything else that is posted (is_staff, team, cost, …) concerns nobody and is not looked at.
KNOWN_FIELDS = frozenset(name for family in FAMILIES.values() for name in family.fields)
SAID_NOTHING = (None, "", "auto")


class PromptForm(forms.Form):
    """A prompt for one catalogue entry.

    `data` is what was posted: `batch`, `model` (an id at the gateway), `prompt`, and a value by
    name for each field of the model's family. Once valid, `entry` and `brief()` say what to begin.
    """

    prompt = PromptField(error_messages={"required": "Write what the image should show."})

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        given = self.initial if data is None else data
        self.wanted = str(given.get("model") or "")
        self.batch = _batch(given.get("batch"))
        self._entry = CatalogueEntry.objects.pickable().filter(wire_model=self.wanted).first()
        if self._entry:
            for field in self.family.fields.values():
                self.fields[field.name] = form_field(field)

    @property
    def is_offered(self) -> bool:
        """Whether people may pick the model that was asked for."""
        return self._entry is not None

    @property
    def entry(self) -> CatalogueEntry:
        """The catalogue entry asked for. Raises NotOffered if people may not pick it."""
        if self._entry is None:
            raise NotOffered(f"{self.wanted or 'This model'} is not offered. Pick another model.")
        return self._entry

    @property
    def family(self) -> Family:
        """What the model takes. Raises NotOffered if people may not pick it."""
        return self.entry.takes

    def clean(self) -> dict[str, Any]:
        """Hold what was sent to the family's own table."""
        try:
            family = self.family
        except NotOffered as error:
            raise forms.ValidationError(str(error)) from error
        self._refuse_fields_of_other_models(family)
        self._refuse_long_prompt(family)
        self._refuse_combinations(family)
        return self.cleaned_data

    def brief(self) -> Brief:
        """What the adapter is told: only what the person set, so the provider's defaults rule."""
        cleaned = self.cleaned_data
        return Brief(
            action=Action.CREATE,
            prompt=cleaned["prompt"],
            wire_model=self.entry.wire_model,
            fields={
                name: cleaned[name]
                for name, field in self.family.fields.items()
                if name != "count" and cleaned[name] not in SAID_NOTHING and self._applies(name)
            },
            count=cleaned.get("count") or 1,
        )

    @property
    def settings(self) -> Iterator[Setting]:
        """The fields of the model as the page shows them."""
        return (Setting(field, self[field.name]) for field in self.family.fields.values())

    @property
    def how_many(self) -> int:
        """How many images the form stands at, for the words on its button.

        Not `count`: templates find the field of that name first.
        """
        field = self.family.fields.get("count")
        if field is None:
            return 1
        typed = str(self["count"].value() or field.default)
        return int(typed) if typed.isdecimal() and len(typed) < 4 else field.default

    @property
    def cost(self) -> int:
        """Credits that sending it as it stands would hold."""
        return self.entry.price(self.how_many)

    def _applies(self, name: str) -> bool:
        only = self.family.fields[name].only_with
        return only is None or self._effective(only.field) in only.values

    def _effective(self, name: str) -> Any:
        value = self.cleaned_data.get(name)
        return self.family.fields[name].default if value in (None, "") else value

    def _refuse_fields_of_other_models(self, family: Family) -> None:
        for name in sorted(KNOWN_FIELDS - set(family.fields)):
            value = str(self.data.get(name) or "")
            if value and not (name == "count" and value == "1"):
                what = "more than one image at a time" if name == "count" else _said(name)
                self.add_error(None, f"{self.entry.label} does not take {what}.")

    def _refuse_long_prompt(self, family: Family) -> None:
        length = len(self.cleaned_data.get("prompt", ""))
        if length > family.prompt_limit:
            self.add_error(
                "prompt",
                f"{self.entry.label} takes at most {family.prompt_limit:,} characters, and this "
                f"has {length:,}. Shorten it by {length - family.prompt_limit:,}.",
            )

    def _refuse_combinations(self, family: Family) -> None:
        for rule in family.refuses:
            *named, last = (name for name in rule if name != "message")
            if all(self._effective(name) == rule[name] for name in (*named, last)):
                self.add_error(last, rule["message"])


def _batch(text: object) -> uuid.UUID:
    """The id of one press of the button. One that is missing or spoilt is made anew."""
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return uuid.uuid4()


def _said(name: str) -> str:
    return f"the field “{name.replace('_', ' ')}”"


def settings_of(generation: Generation) -> dict[str, Any]:
    """What a form must be given to stand as it stood when this generation was sent."""
    return {
        **generation.fields,
        "count": generation.count,
        "model": generation.wire_model,
        "prompt": generation.prompt,
    }
