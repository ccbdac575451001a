"""The studio: a prompt, models and their fields, and the feed of what became of them."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generator.access import PersonRequest, TeamRequest, home_team, in_team
from generator.errors import BadPicture, NotOffered, StorageRefused, StudioError
from generator.forms.asking import settings_of
from generator.forms.given import many
from generator.forms.prompt import LONGEST_IN_ADDRESS, NO_IMAGE_TO_PAINT, PromptForm
from generator.models import CatalogueEntry, Generation
from generator.views import cards, feed, references
from generator.views.cursor import Cursor
from generator.views.menu import menu
from generator.views.wording import bill_words, button_words, prompt_hint, verb

CARDS = 20  # a page
MOST_MODELS = 6  # at once
NOBODY = uuid.UUID(int=0)  # stands in an address where the page puts an id


def home(request: PersonRequest) -> HttpResponse:
    """The studio of the team that the person was in last, else of their own."""
    return redirect("studio", home_team(request).slug)


@require_safe
@in_team
def studio(request: TeamRequest) -> HttpResponse:
    """The page. Its address may say what to start with.

    `?model=` picks a model, `?action=` what to do, `?prompt=` the words, `?from=` takes the
    settings of a generation over, `?image=` (repeatable) gives an image of the library along, and
    `?reference=` any that the person may use, by its token; `?parent=`, `&parent_position=` and
    `&button=` say what to go on from.
    """
    return _page(request, _fresh_form(request))


@require_http_methods(["GET", "HEAD", "POST"])
@in_team
def fields(request: TeamRequest) -> HttpResponse:
    """The prompt bar and the settings for `?model=`, with whatever fits of the values sent.

    Nothing is kept or begun; a POST only because what is sent may be long.
    """
    if not request.membership.may_make:
        raise Http404
    given = request.POST if request.method == "POST" else request.GET
    model = request.GET.get("model") or given.get("model", "")
    form = _form(request, initial=_fitted(request, given, model))
    if not form.is_offered:
        raise Http404
    return render(request, "generator/studio.html#fields", {**_bar(request, form), "oob": True})


@require_POST
@in_team
def create(request: TeamRequest) -> HttpResponse:
    """Begin what was sent, with each model picked. A refusal stands on the form, and everything
    typed and added stays."""
    data = request.POST.copy()
    refusals = [*_keep_files(request, data), *_keep_mask(request, data)]
    if not request.htmx:
        _forget_untouched(_form(request, data=data), data)
    form = _form(request, data=data)
    others = _others(request, form)
    if not _all_valid(form, others, refusals):
        return _show_form(request, form)
    try:
        generations = cards.begin(request, [form, *others])
    except StudioError as error:
        form.add_error(None, str(error))
        return _show_form(request, form)
    return cards.begun(request, generations)


# ── Forms ──


def _form(
    request: TeamRequest,
    *,
    data: QueryDict | None = None,
    initial: Mapping[str, Any] | None = None,
) -> PromptForm:
    return PromptForm(data, team=request.team, author=request.user, initial=initial)


def _fitted(request: TeamRequest, given: Mapping[str, Any], model: str) -> dict[str, Any]:
    """What was sent, as this model can take it."""
    team, author = request.team, request.user
    data = PromptForm.fitting(given, model, team=team, author=author)
    data["also"] = many(given, "also")
    return _without_action_nobody_picks(_form(request, initial=data))


def _without_action_nobody_picks(form: PromptForm) -> dict[str, Any]:
    """What a form stands at; where it shows no actions to pick, what goes along implies one."""
    implied = form.is_offered and not form.start.button and not form.actions
    return {**form.initial, "action": ""} if implied else dict(form.initial)


def _others(request: TeamRequest, form: PromptForm) -> list[PromptForm]:
    """The same for each model that it is compared with."""
    models = [model for model in dict.fromkeys(many(form.given, "also")) if model != form.wanted]
    if form.start.button:
        return []  # what a button of one provider does, no other model can
    return [_other(request, form, model) for model in models]


def _other(request: TeamRequest, form: PromptForm, model: str) -> PromptForm:
    """The same for one more model. An action that was picked and that it cannot do stays: it is
    refused, since whoever compares wants the same done."""
    data = _fitted(request, form.given, model)
    other = _form(request, data=_posted(data))
    wanted = str(form.given.get("action") or "")
    if not wanted or not other.is_offered or other.entry.can(wanted):
        return other
    return _form(request, data=_posted({**data, "action": wanted}))


def _posted(values: Mapping[str, Any]) -> QueryDict:
    """Values as a browser would post them."""
    data = QueryDict(mutable=True)
    for name, value in values.items():
        for one in value if isinstance(value, list) else [value]:
            if one is not None and one != "":
                data.appendlist(name, "on" if one is True else "off" if one is False else str(one))
    return data


def _keep_files(request: TeamRequest, data: QueryDict) -> list[tuple[str, str]]:
    """Keep the files of a plain form as references; of those that were refused, where that is told
    and the sentence."""
    files = request.FILES.getlist("files")
    if not files or not request.membership.may_make:
        return []
    kept, refusals = references.keep_files(request, files)
    for reference in kept:
        data.appendlist("reference", reference.token)
    return [("reference", sentence) for sentence in refusals]


def _keep_mask(request: TeamRequest, data: QueryDict) -> list[tuple[str, str]]:
    """Keep the mask file of a plain form, over the first image that goes along; told alike."""
    file = request.FILES.get("mask_file")
    if file is None or not request.membership.may_make:
        return []
    form = _form(request, data=data)
    over = form.references[0] if form.references else form.start_image
    if over is None:
        return [("mask", NO_IMAGE_TO_PAINT)]
    try:
        data["mask"] = references.keep_mask(request, file, over).token
    except (BadPicture, StorageRefused) as error:
        return [("mask", str(error))]
    return []


def _forget_untouched(form: PromptForm, data: QueryDict) -> None:
    """Leave out what stood in the plain form for another action, where nobody had touched it."""
    if not form.is_offered:
        return
    for name, field in form.family.fields.items():
        default = "on" if field.default is True else str(field.default)
        untouched = str(data.get(name) or "") in ("", "off", default)
        if name not in form.own_fields and untouched:
            data.pop(name, None)


def _all_valid(
    form: PromptForm, others: Sequence[PromptForm], refusals: Sequence[tuple[str, str]]
) -> bool:
    """Whether everything can begin; what is wrong with another model is said on the form."""
    if form.is_valid():
        for other in others:
            if not other.is_valid():
                _blame(form, other)
        if len(others) >= MOST_MODELS:
            form.add_error(None, f"At most {MOST_MODELS} models at once.")
    for place, sentence in refusals:
        form.add_error(place, sentence)
    return not form.errors


def _blame(form: PromptForm, other: PromptForm) -> None:
    label = other.entry.label if other.is_offered else ""
    sentences = [str(text) for texts in other.errors.values() for text in texts]
    for sentence in dict.fromkeys(sentences):
        form.add_error(None, f"{label}: {sentence}" if label else sentence)


def _fresh_form(request: TeamRequest) -> PromptForm | None:
    if not request.membership.may_make:
        return None
    initial = _settings_before(request) or {"model": _usual_model(request)}
    initial |= _in_address(request, initial)
    form = _form(request, initial=initial)
    if not form.is_offered:
        form = _form(request, initial={**initial, "model": _first_model()})
    if not form.is_offered:
        return None
    form = _showable(request, form)
    return _form(request, initial=_without_action_nobody_picks(form))


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
    return mine.values_list("wire_model", flat=True).first() or _first_model()


def _first_model() -> str:
    models = CatalogueEntry.objects.pickable().values_list("wire_model", flat=True)
    return models.first() or ""


def _showable(request: TeamRequest, form: PromptForm) -> PromptForm:
    """The form, without what its model has no words for: another model's button, or action."""
    try:
        _ = form.rule
    except NotOffered:
        gone = {"action": "", "button": ""}
        return _form(request, initial={**_fitted(request, form.given, form.wanted), **gone})
    return form


# ── Pages ──


def _show_form(request: TeamRequest, form: PromptForm) -> HttpResponse:
    """The form as it was sent, with what is wrong; 200, since htmx swaps nothing else."""
    if not request.htmx:
        return _page(request, _on_a_page(request, form))
    context = {"form": form, "oob": True}
    if form.is_offered and _showable(request, form) is form:
        context |= _bar(request, form)
    answer = render(request, "generator/studio.html#faults", context)
    answer["HX-Reswap"] = "none"
    return answer


def _on_a_page(request: TeamRequest, form: PromptForm) -> PromptForm | None:
    """The form, or where it cannot be shown the nearest that can, and what is wrong above it."""
    shown = _showable(request, form) if form.is_offered else _with_another_model(request, form)
    if shown is not form:
        for sentence in form.non_field_errors():
            messages.error(request, str(sentence))
    return shown


def _with_another_model(request: TeamRequest, form: PromptForm) -> PromptForm | None:
    """The same prompt with a model that is offered."""
    kept = {"model": _first_model(), "prompt": form.data.get("prompt", "")}
    kept["reference"] = many(form.data, "reference")
    shown = _form(request, initial=kept)
    return _showable(request, shown) if shown.is_offered else None


@dataclass(frozen=True, slots=True)
class Other:
    """A model that the same is sent to as well: a chip beside the model's button."""

    form: PromptForm

    @property
    def most(self) -> int:
        """The most images that it makes at once."""
        field = self.form.own_fields.get("count")
        return int(field.most or 1) if field else 1


def _bar(request: TeamRequest, form: PromptForm) -> dict[str, Any]:
    """What the prompt bar and the settings show of a form."""
    others = [other for other in _others(request, form) if other.is_offered]
    forms = [form, *others]
    return {
        "form": form,
        "tiles": references.tiles_of(form),
        "style_tiles": references.style_tiles_of(form),
        "others": [Other(other) for other in others],
        "button_words": button_words(forms),
        "verb": verb(form),
        "bill_words": bill_words(forms),
        "prompt_hint": prompt_hint(form),
        "total": sum(one.cost for one in forms),
    }


def _page(request: TeamRequest, form: PromptForm | None) -> HttpResponse:
    before = Cursor.read(request.GET.get("before", ""))
    rows, earlier = _part_of_feed(request, before)
    context = {
        "place": "studio",
        "form": form,
        "models": menu(form.wanted, many(form.given, "also")) if form else {},
        "groups": feed.groups_of(feed.cards_of(rows, request.membership)),
        "before": before,
        "nobody": NOBODY,
        "earlier": earlier,
    }
    if form:
        context |= _bar(request, form)
    return render(request, "generator/studio.html", context)


def _part_of_feed(
    request: TeamRequest, before: Cursor | None
) -> tuple[list[Generation], Cursor | None]:
    """A page of the feed, and where the next begins. What stands side by side is not parted."""
    generations = feed.for_cards(request.team).newest_first()
    if before:
        generations = generations.after(before.created_at, before.pk)
    rows = list(generations[: CARDS + MOST_MODELS])
    end = CARDS
    while end < len(rows) and rows[end].batch == rows[end - 1].batch:
        end += 1
    return rows[:end], Cursor.at(rows[end - 1]) if len(rows) > end else None
