"""The studio: a prompt, a model and its fields, and the feed of what became of them."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from generator.access import PersonRequest, TeamRequest, home_team, in_team
from generator.errors import StudioError
from generator.families import Family
from generator.forms.prompt import PromptForm, settings_of
from generator.models import CatalogueEntry
from generator.views import cards
from generator.views.cursor import Cursor

CARDS = 20  # a page
NOBODY = uuid.UUID(int=0)  # stands in an address where the page puts an id


def home(request: PersonRequest) -> HttpResponse:
    """The studio of the team that the person was in last, else of their own."""
    return redirect("studio", home_team(request).slug)


@require_safe
@in_team
def studio(request: TeamRequest) -> HttpResponse:
    """The page: `?model=` picks a model, `?from=` takes the settings of a generation over."""
    return _page(request, _fresh_form(request))


@require_safe
@in_team
def fields(request: TeamRequest) -> HttpResponse:
    """The model's button and settings for `?model=`, with whatever fits of the values sent."""
    given = request.GET.dict()
    form = PromptForm(initial={name: value for name, value in given.items() if value})
    _unless_offered(form)
    return render(request, "generator/studio.html#fields", {"form": form, "oob": True})


@require_POST
@in_team
def create(request: TeamRequest) -> HttpResponse:
    """Begin what was sent. A refusal stands on the form, and everything typed stays."""
    form = PromptForm(request.POST)
    if not form.is_valid():
        return _show_form(request, form)
    try:
        generation = cards.begin(request, form)
    except StudioError as error:
        form.add_error(None, str(error))
        return _show_form(request, form)
    return cards.begun(request, generation)


def _fresh_form(request: TeamRequest) -> PromptForm | None:
    if not request.membership.may_make:
        return None
    initial = _settings_before(request) or {"model": _usual_model(request)}
    if wanted := request.GET.get("model"):
        initial["model"] = wanted
    form = PromptForm(initial=initial)
    if not form.is_offered:
        form = PromptForm(initial={**initial, "model": _first_model()})
    return form if form.is_offered else None


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


def _unless_offered(form: PromptForm) -> None:
    if not form.is_offered:
        raise Http404


def _show_form(request: TeamRequest, form: PromptForm) -> HttpResponse:
    """The form as it was sent, with what is wrong; 200, since htmx swaps nothing else."""
    if not request.htmx:
        return _page(request, form if form.is_offered else _with_another_model(request, form))
    answer = render(request, "generator/studio.html#faults", {"form": form, "oob": True})
    answer["HX-Reswap"] = "none"
    return answer


def _with_another_model(request: TeamRequest, form: PromptForm) -> PromptForm | None:
    """The same prompt on a form that can be shown, since that of its model cannot."""
    for sentence in form.non_field_errors():
        messages.error(request, str(sentence))
    shown = PromptForm(initial={"model": _first_model(), "prompt": form.data.get("prompt", "")})
    return shown if shown.is_offered else None


def _page(request: TeamRequest, form: PromptForm | None) -> HttpResponse:
    before = Cursor.read(request.GET.get("before", ""))
    feed = cards.for_cards(request.team).newest_first()
    if before:
        feed = feed.after(before.created_at, before.pk)
    rows = list(feed[: CARDS + 1])
    context = {
        "place": "studio",
        "form": form,
        "models": _menu(CatalogueEntry.objects.pickable()) if form else [],
        "cards": cards.cards_of(rows[:CARDS], request.membership),
        "before": before,
        "nobody": NOBODY,
        "earlier": Cursor.at(rows[CARDS - 1]) if len(rows) > CARDS else None,
    }
    return render(request, "generator/studio.html", context)


@dataclass(frozen=True, slots=True)
class Pickable:
    """A line of the model menu."""

    entry: CatalogueEntry
    can: str


def _menu(entries: Iterable[CatalogueEntry]) -> dict[str, list[Pickable]]:
    """The models by provider, in the catalogue's order."""
    menu: dict[str, list[Pickable]] = {}
    for entry in entries:
        family = entry.takes
        menu.setdefault(family.provider, []).append(Pickable(entry, _abilities(family)))
    return menu


def _abilities(family: Family) -> str:
    size, background = family.fields.get("size"), family.fields.get("background")
    said = [
        "text",
        "sizes of your own" if size and size.own else "",
        "transparent" if background and "transparent" in background.choices else "",
        f"up to {family.most_images} images" if family.most_images > 1 else "one image at a time",
    ]
    return " · ".join(filter(None, said))
