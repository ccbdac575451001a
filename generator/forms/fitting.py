"""What was sent to one model, as another can take it."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict

from generator.forms.asking import AskingForm
from generator.forms.given import many
from generator.models import Team, User

ALONG = ("reference", "style_reference", "mask")
PLAIN = ("batch", "prompt", "prompt_bytes", "action", "parent", "parent_position", "button")


def fitting(
    data: Mapping[str, Any], wire_model: str, *, team: Team, author: User
) -> dict[str, Any]:
    """What was sent, as this model can take it: its own fields, where the values fit, and an
    action that it can do. For the same model every value stays as it was typed."""
    kept: dict[str, Any] = {name: many(data, name) for name in ALONG}
    fresh = kept | {name: data.get(name) for name in PLAIN} | {"model": wire_model}
    form = AskingForm(fresh, team=team, author=author)
    if form.is_offered and not _can_start(form):
        fresh |= {"action": "", "button": ""}
        form = AskingForm(fresh, team=team, author=author)
    if not form.is_offered:
        return fresh
    values = {name: _typed(form, data, name) for name in form.own_fields}
    if wire_model == str(data.get("model") or ""):
        return fresh | values
    fits = {name: value for name, value in values.items() if _takes(form, name, value)}
    return fresh | {name: fits[name] for name in fits if _has_effect(form, name, fits)}


def _can_start(form: AskingForm) -> bool:
    """Whether the model can do what is asked, and from what it starts from."""
    button, parent = form.start.button, form.start.parent
    goes_on = not (button and parent and parent.family != form.family.name)
    return goes_on and form.entry.can(form.action)


def _typed(form: AskingForm, data: Mapping[str, Any], name: str) -> Any:
    return form.fields[name].widget.value_from_datadict(data, MultiValueDict(), name)


def _takes(form: AskingForm, name: str, value: Any) -> bool:
    try:
        form.fields[name].clean(value)
    except forms.ValidationError:
        return False
    return True


def _has_effect(form: AskingForm, name: str, values: Mapping[str, Any]) -> bool:
    """Whether a field makes sense beside the values that the others have there."""
    only = form.own_fields[name].only_with
    if only is None:
        return True
    value = values.get(only.field)
    return str(form.default(only.field) if value in (None, "") else value) in only.values
