"""The studio: a prompt, models and their fields, and the feed of what became of them."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generator.access import PersonRequest, TeamRequest, home_team, in_team
from generator.errors import PriceChanged, StudioError
from generator.forms.given import many
from generator.forms.pricing import PRICE_CHANGED, shown_prices
from generator.forms.prompt import PromptForm
from generator.models import Generation
from generator.views import cards, feed, references
from generator.views.asking import (
    first_model,
    fitted,
    forget_untouched,
    form_of,
    fresh_form,
    others_of,
    showable,
    take_files,
)
from generator.views.bill import bill, offered_others
from generator.views.cursor import Cursor
from generator.views.menu import menu
from generator.views.refusing import told, told_invalid, wants_json
from generator.views.wording import prompt_hint

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
    return _page(request, fresh_form(request))


@require_http_methods(["GET", "HEAD", "POST"])
@in_team
def fields(request: TeamRequest) -> HttpResponse:
    """The prompt bar and the settings for `?model=`, with whatever fits of the values sent.

    Nothing is kept or begun; a POST only because what is sent may be long. With `?anew` the strip
    of images is drawn even where one of them is not here any more.
    """
    if not request.membership.may_make:
        raise Http404
    given = request.POST if request.method == "POST" else request.GET
    model = request.GET.get("model") or given.get("model", "")
    form = form_of(request, initial=fitted(request, given, model))
    if not form.is_offered:
        raise Http404
    context = {**_bar(request, form), "oob": True, "anew": "anew" in request.GET}
    return render(request, "generator/studio.html#fields", context)


@require_POST
@in_team
def create(request: TeamRequest) -> HttpResponse:
    """Begin what was sent, with each model picked. A refusal stands on the form, and everything
    typed and added stays."""
    data = request.POST.copy()
    refusals = take_files(request, data)
    if not request.htmx:
        forget_untouched(form_of(request, data=data), data)
    form = form_of(request, data=data)
    others = others_of(request, form)
    if not _all_valid(form, others, refusals):
        return told_invalid(form) if wants_json(request) else _show_form(request, form)
    try:
        shown = shown_prices(request.POST)
        generations = cards.begin(request, [form, *others], shown=shown)
    except StudioError as error:
        if wants_json(request):
            return told(error)
        code = PRICE_CHANGED if isinstance(error, PriceChanged) else None
        form.add_error(None, ValidationError(str(error), code=code))
        return _show_form(request, form)
    return cards.begun(request, generations)


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
    for place, _sentence in refusals:
        form.errors.pop(place, None)  # that an image is missing follows from the file's refusal
    for place, sentence in refusals:
        form.add_error(place, sentence)
    return not form.errors


def _blame(form: PromptForm, other: PromptForm) -> None:
    label = other.entry.label if other.is_offered else ""
    sentences = [str(text) for texts in other.errors.values() for text in texts]
    for sentence in dict.fromkeys(sentences):
        is_named = not label or sentence.startswith(label)
        form.add_error(None, sentence if is_named else f"{label}: {sentence}")


# ── Pages ──


def _show_form(request: TeamRequest, form: PromptForm) -> HttpResponse:
    """The form as it was sent, with what is wrong; 200, since htmx swaps nothing else."""
    if not request.htmx:
        return _page(request, _on_a_page(request, form))
    context = {"form": form, "oob": True}
    if form.is_offered and showable(request, form) is form:
        context |= _bar(request, form)
    answer = render(request, "generator/studio.html#faults", context)
    answer["HX-Reswap"] = "none"
    return answer


def _on_a_page(request: TeamRequest, form: PromptForm) -> PromptForm | None:
    """The form, or where it cannot be shown the nearest that can, and what is wrong above it."""
    shown = showable(request, form) if form.is_offered else _with_another_model(request, form)
    if shown is not form:
        for sentence in form.non_field_errors():
            messages.error(request, str(sentence))
    return shown


def _with_another_model(request: TeamRequest, form: PromptForm) -> PromptForm | None:
    """The same prompt with a model that is offered."""
    kept = {"model": first_model(), "prompt": form.data.get("prompt", "")}
    kept["reference"] = many(form.data, "reference")
    shown = form_of(request, initial=kept)
    return showable(request, shown) if shown.is_offered else None


def _bar(request: TeamRequest, form: PromptForm) -> dict[str, Any]:
    """What the prompt bar and the settings show of a form."""
    return {
        "form": form,
        "tiles": references.tiles_of(form),
        "style_tiles": references.style_tiles_of(form),
        "prompt_hint": prompt_hint(form),
        **bill(request, form, offered_others(request, form)),
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
