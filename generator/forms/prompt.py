"""The form of the studio: what was asked for, held to what the model takes, and shown."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms

from generator.errors import NotOffered
from generator.families import FAMILIES, ActionRule, Field
from generator.forms.asking import says_something
from generator.forms.doing import ACTION_WORDS
from generator.forms.fields import Setting
from generator.forms.given import fitting_note, reference_faults
from generator.forms.pricing import PricedForm
from generator.models import Action, ReferenceImage
from generator.models.storage import is_reachable

# Whatever any model takes. Posted to a model that does not take it, it is refused by name;
# anything else that is posted (is_staff, team, cost, …) concerns nobody and is not looked at.
KNOWN_FIELDS = frozenset(name for family in FAMILIES.values() for name in family.fields)
WHAT = "Write what the image should show."
NO_IMAGE_TO_PAINT = "A mask is painted over an image, and there is none here."
LONGEST_IN_ADDRESS = 8000  # characters of a prompt that an address brings along


class PromptForm(PricedForm):
    """What was asked for, checked, with what the page shows of it and what it costs."""

    def clean(self) -> dict[str, Any]:
        """Hold what was sent to the family's own table."""
        try:
            rule = self.rule
        except NotOffered as error:
            raise forms.ValidationError(str(error)) from error
        for place, sentence in self.lost:
            self.add_error(place, sentence)
        self._check_start(rule)
        self._check_images(rule)
        self._check_mask(rule)
        self._refuse_fields_of_other_models()
        self._refuse_what_has_no_effect()
        self._check_prompt(rule)
        self._refuse_combinations()
        return self.cleaned_data

    def _check_start(self, rule: ActionRule) -> None:
        button, parent = self.start.button, self.start.parent
        if rule.starts_from == "button" and not button:
            self.add_error(None, "This starts from an image that the model made: open it first.")
        if button and parent and parent.family != self.family.name:
            self.add_error(None, f"Only {parent.label} can go on from that image so.")

    def _check_images(self, rule: ActionRule) -> None:
        label = self.entry.label
        faults = reference_faults(
            rule.references,
            self.references,
            label=label,
            doing=self.doing,
            remembers=self.remembers,
        )
        for fault in faults:
            self.add_error("reference", fault)
        if self.style_references:
            shown = rule.styles if is_reachable() or not _needs_link(rule) else None
            for fault in reference_faults(
                shown, self.style_references, label=label, doing=self.doing, remembers=False
            ):
                self.add_error("style_reference", fault)
        self._check_together(rule)

    def _check_together(self, rule: ActionRule) -> None:
        together = rule.references.together if rule.references else 0
        asked, count = len(self.references), self.cleaned_data.get("count") or 1
        if together and asked + count > together:
            left = max(together - asked, 0)
            self.add_error(
                "count" if "count" in self.fields else "reference",
                f"Images along and images to make may be {together} together: with {asked} "
                f"image{'' if asked == 1 else 's'} along, at most {left} can be made.",
            )

    def _check_mask(self, rule: ActionRule) -> None:
        mask = self.painted
        if mask is None:
            # Over an image that cannot go along nothing is painted: that is told, and this later.
            if rule.mask == "required" and not self.has_error("reference"):
                self.add_error("mask", "Paint over what is to change.")
            return
        if rule.mask == "none":
            self.add_error("mask", self.mask_fault)
            return
        if not mask.is_mask:
            self.add_error(
                "mask", "That is an image, and not a mask. Paint over what is to change."
            )
            return
        over = self._painted_over()
        if over is None:
            self.add_error("mask", NO_IMAGE_TO_PAINT)
        elif (mask.width, mask.height) != over:
            self.add_error(
                "mask",
                f"The mask was painted for an image of {mask.width} × {mask.height}, and the first "
                f"one is {over[0]} × {over[1]}. Paint it again.",
            )

    def _painted_over(self) -> tuple[int, int] | None:
        if self.references:
            return self.references[0].width, self.references[0].height
        image = self.start_image
        return (image.width, image.height) if image else None

    def _check_prompt(self, rule: ActionRule) -> None:
        prompt = self.cleaned_data.get("prompt", "")
        if rule.prompt == "required" and not prompt:
            self.add_error("prompt", WHAT if self.action == Action.CREATE else "Write what to do.")
        limit = self.family.prompt_limit
        if rule.prompt != "none" and len(prompt) > limit:
            self.add_error(
                "prompt",
                f"{self.entry.label} takes at most {limit:,} characters, and this "
                f"has {len(prompt):,}. Shorten it by {len(prompt) - limit:,}.",
            )

    def _refuse_fields_of_other_models(self) -> None:
        for name in sorted(KNOWN_FIELDS - set(self.own_fields)):
            value = str(self.data.get(name) or "")
            if value and not (name == "count" and value == "1"):
                what = "more than one image at a time" if name == "count" else _said(name)
                self.add_error(None, f"{self.entry.label} does not take {what} here.")

    def _refuse_what_has_no_effect(self) -> None:
        """A field that was set and makes no sense beside the others. One that stands at its default
        was not set by anybody: a page may send it along."""
        for name, field in self.own_fields.items():
            value = self.cleaned_data.get(name)
            is_set = says_something(field, value) and value != field.default
            if is_set and not self.applies(name):
                self.add_error(name, _only_for(field, self.family.fields))

    def _refuse_combinations(self) -> None:
        for rule in self.family.refuses:
            *named, last = (name for name in rule if name != "message")
            if {*named, last} <= set(self.own_fields) and all(
                self.effective(name) == rule[name] for name in (*named, last)
            ):
                self.add_error(last, rule["message"])

    # ── What the page shows ──

    @property
    def settings(self) -> Iterator[Setting]:
        """The fields of the model as the page shows them."""
        return (Setting(field, self[field.name]) for field in self.own_fields.values())

    @property
    def actions(self) -> list[tuple[str, str]]:
        """What can be picked to do: value and words; empty where the images given imply it."""
        family, model = self.family, self.entry.wire_model
        found = [
            action
            for action, rule in family.actions.items()
            if rule.starts_from != "button" and family.can(model, action)
        ]
        if self.start.button or set(found) <= {Action.CREATE, Action.EDIT}:
            return []
        return [(action, str(ACTION_WORDS[action])) for action in found]

    @property
    def doing(self) -> str:
        """What it does, as the page calls it: an action, or a button of the provider."""
        return self.start.button.label if self.start.button else ACTION_WORDS.get(self.action, "")

    @property
    def mask_fault(self) -> str:
        """Why the mask that is painted cannot go along; empty where it can, or none is."""
        if self.painted is None or self.rule.mask != "none":
            return ""
        return f"{self.entry.label} takes no mask here. Take it out, or pick another model."

    @property
    def shows_start(self) -> bool:
        """Whether the image that it starts from is given along as well."""
        image = self.start_image
        return image is not None and any(one.asset_id == image.pk for one in self.references)

    @property
    def faulty_settings(self) -> list[Setting]:
        """The fields with something wrong."""
        shown = self.settings if self.is_bound and self.is_offered else ()
        return [setting for setting in shown if setting.errors]

    @property
    def takes_mask(self) -> bool:
        """Whether the model takes a mask for anything: a plain form may ask for another action."""
        family, model = self.family, self.entry.wire_model
        return any(rule.mask != "none" and rule.is_for(model) for rule in family.actions.values())

    @property
    def missing(self) -> list[str]:
        """What is not here any more, for a form that nobody has sent yet."""
        return [] if self.is_bound else [sentence for _place, sentence in self.lost]

    @property
    def shown_references(self) -> list[tuple[ReferenceImage, str]]:
        """Each reference, and what will be done to it before it is sent."""
        rule, images = self.rule.references, self.references
        if rule:
            rule = rule.for_each_of([min(one.size, rule.most_bytes) for one in images])
        return [(one, fitting_note(rule, one)) for one in images]

    @property
    def takes_styles(self) -> bool:
        """Whether the model takes references for the look, and can reach them where they lie."""
        return self.rule.styles is not None and (is_reachable() or not _needs_link(self.rule))

    @property
    def carried(self) -> str:
        """What a plain link to the page takes along, as the end of its query: words, images, and
        what it starts from."""
        return self.carried_without_start + self._carried_start()

    def carried_without(self, image: ReferenceImage) -> str:
        """The same without one of the images; without the start, where that is its image."""
        start = "" if self.shows_start and image.asset_id else self._carried_start()
        return self._carried_words(one for one in self.references if one is not image) + start

    def _carried_start(self) -> str:
        start = self.start
        said: dict[str, Any] = {}
        # As in the strip: to a model that remembers nothing, its image is given along instead.
        if start.parent and (start.button or start.parent.memory):
            said["parent"] = start.parent.pk
            said["parent_position"] = "" if start.position is None else start.position
            said["button"] = start.button.id if start.button else ""
        return _query(said)

    @property
    def carried_without_start(self) -> str:
        """The same, for a link that starts from nothing."""
        return self._carried_words(self.references)

    def _carried_words(self, references: Iterable[ReferenceImage]) -> str:
        prompt = str(self.given.get("prompt") or "")[:LONGEST_IN_ADDRESS]
        return _query({"prompt": prompt, "reference": [one.token for one in references]})


def _needs_link(rule: ActionRule) -> bool:
    return rule.styles is not None and rule.styles.needs_link


def _only_for(field: Field, fields: Mapping[str, Field]) -> str:
    """What a field is only for: `Compression is only for JPEG and WebP.`"""
    if field.only_with is None:
        return f"{field.label} has no effect here."
    other = fields[field.only_with.field]
    *first, last = (other.choice_label(value) for value in field.only_with.values)
    values = f"{', '.join(first)} and {last}" if first else last
    if other.name == "output_format":
        return f"{field.label} is only for {values}."
    return f"{field.label} is only for this under {other.label}: {values}."


def _query(said: Mapping[str, Any]) -> str:
    given = {name: value for name, value in said.items() if value not in ("", [])}
    return f"&{urlencode(given, doseq=True)}" if given else ""


def _said(name: str) -> str:
    return f"the field “{name.replace('_', ' ')}”"
