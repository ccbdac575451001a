"""The form that a request asks for: fresh, as another model can take it, or as it was sent."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

from generator.access import TeamRequest
from generator.errors import BadPicture, NotOffered, StorageRefused
from generator.forms.asking import settings_of
from generator.forms.fitting import fitting
from generator.forms.given import many
from generator.forms.prompt import LONGEST_IN_ADDRESS, NO_IMAGE_TO_PAINT, PromptForm
from generator.models import CatalogueEntry
from generator.views import references


def form_of(
    request: TeamRequest,
    *,
    data: QueryDict | None = None,
    initial: Mapping[str, Any] | None = None,
) -> PromptForm:
    """The form of the person who asks, in their team."""
    return PromptForm(data, team=request.team, author=request.user, initial=initial)


def fitted(request: TeamRequest, given: Mapping[str, Any], model: str) -> dict[str, Any]:
    """What was sent, as this model can take it, with what it is compared with."""
    team, author = request.team, request.user
    data = fitting(given, model, team=team, author=author)
    data["also"] = many(given, "also")
    return _without_action_nobody_picks(form_of(request, initial=data))


def _without_action_nobody_picks(form: PromptForm) -> dict[str, Any]:
    """What a form stands at; where it shows no actions to pick, what goes along implies one."""
    implied = form.is_offered and not form.start.button and not form.actions
    return {**form.initial, "action": ""} if implied else dict(form.initial)


def others_of(request: TeamRequest, form: PromptForm) -> list[PromptForm]:
    """The same for each model that it is compared with."""
    models = [model for model in dict.fromkeys(many(form.given, "also")) if model != form.wanted]
    if form.start.button:
        return []  # what a button of one provider does, no other model can
    return [_other(request, form, model) for model in models]


def _other(request: TeamRequest, form: PromptForm, model: str) -> PromptForm:
    """The same for one more model. An action that was picked and that it cannot do stays: it is
    refused, since whoever compares wants the same done."""
    data = fitted(request, form.given, model)
    other = form_of(request, data=_posted(data))
    wanted = str(form.given.get("action") or "")
    if not wanted or not other.is_offered or other.entry.can(wanted):
        return other
    return form_of(request, data=_posted({**data, "action": wanted}))


def _posted(values: Mapping[str, Any]) -> QueryDict:
    """Values as a browser would post them."""
    data = QueryDict(mutable=True)
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None and one != "":
                data.appendlist(name, "on" if one is True else "off" if one is False else str(one))
    return data


def take_files(request: TeamRequest, data: QueryDict) -> list[tuple[str, str]]:
    """Keep the files of a plain form, and put them into what it posted. Of those that were refused:
    the field beside which that is told, and the sentence."""
    if not request.membership.may_make:
        return []
    return [*_keep_files(request, data), *_keep_mask(request, data)]


def _keep_files(request: TeamRequest, data: QueryDict) -> list[tuple[str, str]]:
    kept, refusals = references.keep_files(request, request.FILES.getlist("files"))
    for reference in kept:
        data.appendlist("reference", reference.token)
    return [("reference", sentence) for sentence in refusals]


def _keep_mask(request: TeamRequest, data: QueryDict) -> list[tuple[str, str]]:
    """Over the first image that goes along."""
    file = request.FILES.get("mask_file")
    if file is None:
        return []
    form = form_of(request, data=data)
    over = form.references[0] if form.references else form.start_image
    if over is None and request.FILES.getlist("files"):
        return []  # that image was refused, which is told
    if over is None:
        return [("mask", NO_IMAGE_TO_PAINT)]
    try:
        data["mask"] = references.keep_mask(request, file, over).token
    except (BadPicture, StorageRefused) as error:
        return [("mask", str(error))]
    return []


def forget_untouched(form: PromptForm, data: QueryDict) -> None:
    """Leave out what stood in the plain form for another action, where nobody had touched it."""
    if not form.is_offered:
        return
    for name, field in form.family.fields.items():
        default = "on" if field.default is True else str(field.default)
        untouched = str(data.get(name) or "") in ("", "off", default)
        if name not in form.own_fields and untouched:
            data.pop(name, None)


def fresh_form(request: TeamRequest) -> PromptForm | None:
    """What the studio page opens with, as its address says; None for one who may not make images,
    and where no model is offered."""
    if not request.membership.may_make:
        return None
    initial = _settings_before(request) or {"model": _usual_model(request)}
    initial |= _in_address(request, initial)
    form = form_of(request, initial=initial)
    if not form.is_offered:
        form = form_of(request, initial={**initial, "model": first_model()})
    if not form.is_offered:
        return None
    form = showable(request, form)
    return form_of(request, initial=_without_action_nobody_picks(form))


def _in_address(request: TeamRequest, before: Mapping[str, Any]) -> dict[str, Any]:
    """What the address of the page says to start with."""
    said = request.GET
    plain = ("model", "action", "parent", "parent_position", "button")
    found: dict[str, Any] = {name: said[name] for name in plain if said.get(name)}
    if prompt := said.get("prompt"):
        found["prompt"] = prompt[:LONGEST_IN_ADDRESS]
    given = [*said.getlist("reference"), *(f"image:{pk}" for pk in said.getlist("image"))]
    if given:
        found["reference"] = [*before.get("reference", ()), *given]
        if not said.get("model"):
            found["model"] = _model_for_images(str(before.get("model", "")))
    return found


def _model_for_images(usual: str) -> str:
    """The usual model if it can go on from an image, else the first that can."""
    able = [entry.wire_model for entry in CatalogueEntry.objects.pickable() if entry.can("edit")]
    return usual if usual in able or not able else able[0]


def _settings_before(request: TeamRequest) -> dict[str, Any]:
    try:
        pk = uuid.UUID(request.GET.get("from", ""))
    except ValueError:
        return {}
    generation = request.team.generations.filter(pk=pk).first()
    return settings_of(generation) if generation else {}


def _usual_model(request: TeamRequest) -> str:
    """What the person used last in this team."""
    mine = request.team.generations.filter(author=request.user).order_by("-created_at", "-id")
    return mine.values_list("wire_model", flat=True).first() or first_model()


def first_model() -> str:
    """The first model on offer, by its id; empty where there is none."""
    models = CatalogueEntry.objects.pickable().values_list("wire_model", flat=True)
    return models.first() or ""


def showable(request: TeamRequest, form: PromptForm) -> PromptForm:
    """The form, without what its model has no words for: another model's button, or action."""
    try:
        _ = form.rule
    except NotOffered:
        gone = {"action": "", "button": ""}
        return form_of(request, initial={**fitted(request, form.given, form.wanted), **gone})
    return form
