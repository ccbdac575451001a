"""What was asked for: a model, an action, images that go along, and the model's own fields."""

import uuid
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django import forms

from generator.errors import NotOffered
from generator.families import ActionRule, Family, Field
from generator.forms.doing import cannot
from generator.forms.fields import PromptField, form_field
from generator.forms.given import Start, find_reference, find_start, gone, many
from generator.models import (
    Action,
    Asked,
    CatalogueEntry,
    Generation,
    ImageAsset,
    ReferenceImage,
    Team,
    User,
)


class AskingForm(forms.Form):
    """A prompt for one catalogue entry, of a team and an author.

    `data` is what was posted: `batch`, `model` (an id at the gateway), `action` (empty: what the
    images that go along imply), `prompt`, `reference` and `style_reference` (tokens, repeated),
    `mask` (an id), `parent`, `parent_position`, `button`, and a value by name for each field of
    the model. Once valid, `entry` and `asked()` say what to begin.
    """

    prompt = PromptField(required=False)
    reference = forms.Field(required=False)
    style_reference = forms.Field(required=False)
    mask = forms.Field(required=False)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        team: Team,
        author: User,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.team = team
        self.author = author
        self.given = self.initial if data is None else data
        # No model's name holds a NUL, and PostgreSQL takes none in a question.
        self.wanted = str(self.given.get("model") or "").replace("\0", "")
        self.batch = _batch(self.given.get("batch"))
        self._entry = CatalogueEntry.objects.pickable().filter(wire_model=self.wanted).first()
        # What is not here any more: the field beside which it is told, and the sentence.
        self.lost: list[tuple[str | None, str]] = []
        self.start = self._start()
        self.references = self._images("reference") or self._image_started_from()
        self.style_references = self._images("style_reference")
        self.painted = next(iter(self._images("mask")), None)
        if self._entry:
            for field in self.own_fields.values():
                self.fields[field.name] = form_field(field)

    # ── What was asked for ──

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

    @cached_property
    def action(self) -> str:
        """The action asked for, or the one that the images that go along imply."""
        if self.start.button:
            return self.start.button.action
        return str(self.given.get("action") or "") or self._implied_action()

    def _implied_action(self) -> str:
        family, model = self.family, self.entry.wire_model
        if family.can(model, Action.CREATE) and not self._goes_on:
            return Action.CREATE
        usual = (Action.EDIT, Action.VARY, *family.actions)
        return next((action for action in usual if family.can(model, action)), Action.CREATE)

    @property
    def _goes_on(self) -> bool:
        """Whether images go along, seen or remembered."""
        edit = self.family.actions.get(Action.EDIT)
        remembered = edit is not None and self.start.remembers(self.family.name, edit)
        return bool(self.references) or remembered

    @property
    def rule(self) -> ActionRule:
        """What the model takes for the action. Raises NotOffered for one that it cannot do."""
        if not self.entry.can(self.action):
            raise NotOffered(cannot(self.entry.label, self.action))
        return self.family.rule(self.action)

    @property
    def own_fields(self) -> dict[str, Field]:
        """The fields that the model takes for the action."""
        return self.family.fields_for(self.entry.wire_model, self.action)

    @property
    def remembers(self) -> bool:
        """Whether the model goes on from what it remembers of the parent."""
        return self.start.remembers(self.family.name, self.rule)

    @property
    def start_image(self) -> ImageAsset | None:
        """The image of the parent that it starts from; None where there is none."""
        parent = self.start.parent
        if parent is None:
            return None
        return parent.images.kept().filter(position=self.start.position or 0).first()

    # ── What to begin ──

    def asked(self) -> Asked:
        """What to begin: only what the person set, so the provider's defaults rule."""
        cleaned = self.cleaned_data
        saved = ReferenceImage.objects.saved
        return Asked(
            action=self.action,
            prompt=cleaned["prompt"] if self.rule.prompt != "none" else "",
            fields=self.said_fields(),
            count=cleaned.get("count") or 1,
            references=tuple(saved(one) for one in self.references),
            styles=tuple(saved(one) for one in self.style_references),
            mask=self.painted,
            parent=self._parent()[0],
            parent_position=self._parent()[1],
            button=self.start.button,
        )

    def said_fields(self) -> dict[str, Any]:
        """The fields as they stand, but the count: only those that are set and have an effect."""
        return {
            name: value
            for name, value in self.standing.items()
            if name != "count"
            and says_something(self.own_fields[name], value)
            and self.applies(name)
        }

    @cached_property
    def standing(self) -> dict[str, Any]:
        """Every field of the model as it stands, sent or not, as cleaned. One that is no good
        stands at its default."""
        return {name: self._standing(name) for name in self.own_fields}

    def _standing(self, name: str) -> Any:
        try:
            return self.fields[name].clean(self[name].value())
        except forms.ValidationError:
            return self.default(name)

    def _parent(self) -> tuple[Generation | None, int | None]:
        """What it starts from: as said, else the generation of the first image of the library."""
        if self.start.parent:
            return self.start.parent, self.start.position
        for reference in self.references:
            if reference.asset:
                return reference.asset.generation, reference.asset.position
        return None, None

    # ── Within ──

    def _image_started_from(self) -> list[ReferenceImage]:
        """The parent's image, shown to a model that does not remember it."""
        start = self.start
        if start.parent is None or start.button or self._entry is None:
            return []
        family = self.family
        rule = family.actions.get(str(self.given.get("action") or Action.EDIT))
        if rule is None or rule.references is None or start.remembers(family.name, rule):
            return []
        image = self.start_image
        stand_in = ReferenceImage.objects.standing_for
        return [stand_in(self.team, self.author, image)] if image else []

    def _images(self, name: str) -> list[ReferenceImage]:
        """Those that are here, each once; what is gone is told by its number."""
        tokens = list(dict.fromkeys(many(self.given, name)))
        found = []
        for number, token in enumerate(tokens, start=1):
            try:
                found.append(find_reference(self.team, self.author, token))
            except forms.ValidationError:
                self.lost.append((name, gone(name, number, of=len(tokens))))
        return found

    def _start(self) -> Start:
        try:
            return find_start(self.team, self.given)
        except forms.ValidationError as error:
            self.lost += [(None, sentence) for sentence in error.messages]
            return Start()

    def applies(self, name: str) -> bool:
        """Whether a field makes sense beside what the others say."""
        only = self.own_fields[name].only_with
        return only is None or str(self.effective(only.field)) in only.values

    def effective(self, name: str) -> Any:
        """A field's value as it stands, or its default."""
        value = self.standing.get(name)
        return self.default(name) if value in (None, "") else value

    def default(self, name: str) -> Any:
        """A field's default; None for a field that the model does not take here."""
        field = self.own_fields.get(name)
        return field.default if field else None


def _batch(text: object) -> uuid.UUID:
    """The id of one press of the button. One that is missing or spoilt is made anew."""
    try:
        return uuid.UUID(str(text))
    except ValueError:
        return uuid.uuid4()


def says_something(field: Field, value: Any) -> bool:
    """Whether a value is more than the provider's own default: then it is sent."""
    if isinstance(value, bool):
        return value is not bool(field.default)
    return value is not None and value not in ("", "auto")


def settings_of(generation: Generation) -> dict[str, Any]:
    """What a form must be given to stand as it stood when this generation was sent."""
    given: dict[str, list[str]] = {"reference": [], "style": [], "mask": []}
    # Those whose bytes are gone as well: a form must say so, and not send fewer in silence.
    for one in generation.given.select_related("reference__asset").order_by("position"):
        given[one.purpose].append(one.reference.token)
    return {
        **generation.fields,
        "action": generation.action,
        "count": generation.count,
        "model": generation.wire_model,
        "prompt": generation.prompt,
        "reference": given["reference"],
        "style_reference": given["style"],
        "mask": given["mask"],
        "parent": str(generation.parent_id or ""),
        "parent_position": "" if generation.parent_position is None else generation.parent_position,
        "button": generation.button,
    }
