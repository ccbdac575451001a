"""A generation's facts in a person's words, for its page in the admin."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generator.admin.base import LargeTableAdmin
from generator.admin.cells import linked
from generator.admin.verdicts import made_of
from generator.errors import NotOffered
from generator.families import FAMILIES, Field
from generator.models import Generation, Status, WorkerSeen
from generator.overview.failing import in_brief

MOST_CHILDREN = 20
SAID_ANYWAY = {"price", "cost"}  # a nought of these says something
UNFINISHED = {"next_look", "worker"}  # what is finished has none


class GenerationInWords(LargeTableAdmin):
    """The page of a generation: what says nothing of this one is left out."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without the rows that would be empty."""
        sets = super().get_fieldsets(request, obj)
        if obj is None:
            return sets
        kept = ((title, [each for each in facts["fields"] if self._says(each, obj)])
                for title, facts in sets)  # fmt: skip
        return [(title, {"fields": names}) for title, names in kept if names]

    def _says(self, name: Any, generation: Generation) -> bool:
        if generation.is_final and name in UNFINISHED:
            return False
        method = getattr(self, name, None)
        value = method(generation) if callable(method) else getattr(generation, name)
        return value is not None if name in SAID_ANYWAY else bool(value)

    @admin.display(description=_("why it failed"))
    def why(self, generation: Generation) -> str:
        """By the name that the dashboard gives it."""
        return in_brief(generation.reason_code) if generation.status == Status.FAILED else ""

    @admin.display(description=_("in the catalogue"))
    def in_catalogue(self, generation: Generation) -> SafeString | str:
        """Its model's entry."""
        return _link(generation.entry) if generation.entry else ""

    @admin.display(description=_("model id at the gateway"))
    def model_id(self, generation: Generation) -> str:
        """As it is sent."""
        return generation.wire_model

    @admin.display(description=_("settings"))
    def settings(self, generation: Generation) -> str:
        """What was chosen, as the form calls it."""
        return _in_words(generation, generation.fields)

    @admin.display(description=_("made from"))
    def made_from(self, generation: Generation) -> SafeString | str:
        """The generation that it starts from, and which of its images."""
        if generation.parent is None:
            return ""
        return _link(generation.parent, _place(generation.parent_position))

    @admin.display(description=_("button pressed"))
    def pressed(self, generation: Generation) -> str:
        """As its provider calls it."""
        return generation.button_label

    @admin.display(description=_("made from it"))
    def made_from_it(self, generation: Generation) -> SafeString:
        """The newest of its children."""
        rows = generation.children.newest_first()[:MOST_CHILDREN]
        return format_html_join(", ", "{}", ((_link(row),) for row in rows))

    @admin.display(description=_("held for"))
    def held_for(self, generation: Generation) -> str:
        """What its price was made of."""
        return made_of(generation.price_basis)

    @admin.display(description=_("tries to have it made"))
    def tries(self, generation: Generation) -> int:
        """At the provider."""
        return generation.attempts

    @admin.display(description=_("tries to keep the images"))
    def tries_to_keep(self, generation: Generation) -> int:
        """In the storage."""
        return generation.storing_attempts

    @admin.display(description=_("tries to fetch the images"))
    def tries_to_fetch(self, generation: Generation) -> int:
        """From the provider's links."""
        return generation.link_attempts

    @admin.display(description=_("next look"))
    def next_look(self, generation: Generation) -> Any:
        """When it is looked at again."""
        return f"{generation.due_at:%Y-%m-%d %H:%M:%S %Z}"

    @admin.display(description=_("worker"))
    def worker(self, generation: Generation) -> str:
        """Who has it, and when that worker was last seen."""
        if not generation.claimed_by:
            return gettext("none has it now")
        seen = WorkerSeen.objects.filter(name=generation.claimed_by).first()
        when = f"{seen.seen_at:%Y-%m-%d %H:%M:%S %Z}" if seen else gettext("long ago")
        return gettext("%(name)s, seen %(when)s") % {"name": generation.claimed_by, "when": when}

    @admin.display(description=_("the provider's own number"))
    def providers_number(self, generation: Generation) -> str:
        """By which it is asked for at the provider."""
        return generation.task_id

    @admin.display(description=_("what the provider used"))
    def used_in_words(self, generation: Generation) -> str:
        """The settings that it says it made it with."""
        return _in_words(generation, generation.used)

    @admin.display(description=_("what the provider counted"))
    def counted(self, generation: Generation) -> str:
        """Tokens, images, a cost in a unit of its own."""
        return _in_words(generation, generation.usage)

    @admin.display(description=_("what the model said"))
    def model_said(self, generation: Generation) -> str:
        """Each text in lines of its own."""
        return "\n".join(str(text) for text in generation.texts)


def _link(row: Any, more: str = "") -> SafeString:
    there = reverse(f"admin:generator_{row._meta.model_name}_change", args=[row.pk])
    return linked(there, f"{row}{more}")


def _place(position: int | None) -> str:
    return "" if position is None else gettext(", image %(number)d") % {"number": position + 1}


def _in_words(generation: Generation, said: Mapping[str, Any]) -> str:
    """ "Quality: high · File: png"; what is empty is left out."""
    try:
        fields: Mapping[str, Field] = generation.takes.fields
    except NotOffered:
        fields = {}
    parts = ((_label(fields, name), _plain(value)) for name, value in said.items())
    return " · ".join(f"{label}: {value}" for label, value in parts if value)


def _label(fields: Mapping[str, Field], name: str) -> str:
    if name in fields:
        return fields[name].label
    known = (family.fields[name].label for family in FAMILIES.values() if name in family.fields)
    return next(known, name.replace("_", " ").capitalize())


def _plain(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return gettext("on") if value else gettext("off")
        case dict():
            inner = ((str(name).replace("_", " "), _plain(each)) for name, each in value.items())
            return ", ".join(f"{name} {each}" for name, each in inner if each)
        case list():
            return ", ".join(filter(None, map(_plain, value)))
        case _:
            return str(value)
