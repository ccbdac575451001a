"""What a person does with a card of the feed: cancel, again, press a button of the provider."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from generator import jobs, lifecycle
from generator.access import TeamRequest, in_team
from generator.errors import (
    AlreadyMoved,
    IllegalMove,
    NotOffered,
    PriceChanged,
    QuotaExceeded,
    StudioError,
)
from generator.forms.asking import settings_of
from generator.forms.given import many
from generator.forms.pricing import Shown, price_changes
from generator.forms.prompt import PromptForm
from generator.models import Generation
from generator.models.generations import GenerationQuerySet
from generator.models.refusals import refused_together
from generator.offers import fields_of_press
from generator.providers.base import Button
from generator.views.feed import (
    MOST_TOGETHER,
    cards_of,
    for_cards,
    groups_of,
    may_cancel,
)
from generator.views.feed import price_again as price_again
from generator.views.refusing import told, wants_json

NOT_OFFERED_NOW = "The provider does not offer this for that image (any more)."


@require_safe
@in_team
def card(request: TeamRequest, pk: uuid.UUID) -> HttpResponse:
    """The card as it stands now, alone; with `?together` beside those of its batch."""
    generation = get_object_or_404(for_cards(request.team), pk=pk)
    if "together" not in request.GET:
        return _only_card(request, generation)
    batch = for_cards(request.team).filter(batch=generation.batch, prompt=generation.prompt)
    rows = batch.filter(author=generation.author).newest_first()[:MOST_TOGETHER]
    context = {"groups": groups_of(cards_of(rows, request.membership))}
    return render(request, "generator/_card.html#groups", context)


@require_POST
@in_team
def cancel(request: TeamRequest, pk: uuid.UUID) -> HttpResponse:
    """Withdraw a generation that waits; one that has begun stays, and its card says so."""
    generation = get_object_or_404(_cancellable(request), pk=pk)
    try:
        lifecycle.cancel(generation)
    except (AlreadyMoved, IllegalMove):
        generation = get_object_or_404(for_cards(request.team), pk=pk)
    if request.htmx:
        return _only_card(request, generation)
    return redirect("studio", request.team.slug)


def _cancellable(request: TeamRequest) -> GenerationQuerySet:
    mine = for_cards(request.team)
    if may_cancel(request.membership, own=False):
        return mine
    return mine.filter(author=request.user) if request.membership.may_make else mine.none()


def _only_card(request: TeamRequest, generation: Generation) -> HttpResponse:
    (shown,) = cards_of([generation], request.membership)
    return render(request, "generator/_card.html#card", {"card": shown})


@require_POST
@in_team
def again(request: TeamRequest, pk: uuid.UUID) -> HttpResponse:
    """Begin the same once more, as the person who asks and at today's price."""
    before = get_object_or_404(request.team.generations, pk=pk)
    data = {**settings_of(before), "batch": request.POST.get("batch", "")}
    form = PromptForm(data, team=request.team, author=request.user)
    try:
        generations = begin(request, [form], shown=_on_the_button(request, before.wire_model))
    except PriceChanged as error:
        return _asked(request, before, error, costs=form.cost)
    except StudioError as error:
        return refused(request, error)
    return begun(request, generations, again_of=before)


@require_POST
@in_team
def press(request: TeamRequest, pk: uuid.UUID) -> HttpResponse:
    """Begin what a button of the provider does; one with a dialog is answered in the studio."""
    if not request.membership.may_make:
        raise Http404
    parent = get_object_or_404(for_cards(request.team), pk=pk)
    button = parent.button_named(request.POST.get("button", ""))
    if button is None:
        return refused(request, NotOffered(NOT_OFFERED_NOW))
    if button.asks:
        address = f"{reverse('studio', args=[request.team.slug])}?{_question(parent, button)}"
        return HttpResponseClientRedirect(address) if request.htmx else redirect(address)
    data = {
        "model": parent.wire_model,
        "parent": str(parent.pk),
        "parent_position": request.POST.get("parent_position", ""),
        "button": button.id,
        "batch": request.POST.get("batch", ""),
    }
    try:
        data |= fields_of_press(parent, button)
        form = PromptForm(data, team=request.team, author=request.user)
        shown = _on_the_button(request, parent.wire_model, button)
        generations = begin(request, [form], shown=shown)
    except PriceChanged as error:
        return _asked(request, parent, error)
    except StudioError as error:
        return refused(request, error)
    return begun(request, generations, pressed=parent)


def _question(parent: Generation, button: Button) -> str:
    """The query of the studio page on which a button's dialog is answered."""
    return urlencode({"model": parent.wire_model, "parent": parent.pk, "button": button.id})


def _on_the_button(
    request: TeamRequest, model: str, button: Button | None = None
) -> dict[str, Shown]:
    """What the card said that it costs, posted as `shown`: credits, and of which button."""
    wanted = button.id if button else ""
    for text in many(request.POST, "shown"):
        credits, _, pressed = text.partition(" ")
        if pressed == wanted and (found := Shown.read(f"{model} {credits} - -")):
            return {model: found}
    return {}


def begin(
    request: TeamRequest, forms: Sequence[PromptForm], *, shown: Mapping[str, Shown]
) -> list[Generation]:
    """Begin what the forms ask for, all or nothing, and have it fetched; `shown` are the prices
    that the page showed, by model.

    Raises StudioError; PriceChanged where a price is another now.
    """
    for form in forms:
        if not form.is_valid():
            sentences = [str(text) for texts in form.errors.values() for text in texts]
            raise NotOffered(" ".join(dict.fromkeys(sentences)))
    # What has begun already, and is sent once more, costs what it cost.
    if (changed := price_changes(forms, shown)) and not _have_begun(request, forms):
        raise PriceChanged(changed)
    generations: list[Generation] = []
    try:
        with transaction.atomic():
            for form in forms:
                # The entry whose price was compared just now is the one that is paid by.
                generations.append(
                    lifecycle.begin(
                        request.user, request.team, form.entry, form.asked(), batch=form.batch
                    )
                )
    except QuotaExceeded as error:
        if len(forms) == 1:
            raise
        needed, before = sum(form.cost for form in forms), sum(one.price for one in generations)
        raise refused_together(error, models=len(forms), needed=needed, before=before) from error
    for _ in generations:  # one word starts one
        jobs.nudge()
    return generations


def _have_begun(request: TeamRequest, forms: Sequence[PromptForm]) -> bool:
    return all(
        lifecycle.has_begun(request.user, request.team, form.entry, form.asked(), batch=form.batch)
        for form in forms
    )


def begun(
    request: TeamRequest,
    generations: Sequence[Generation],
    *,
    again_of: Generation | None = None,
    pressed: Generation | None = None,
) -> HttpResponse:
    """The cards of what was just begun, a fresh batch id, and what is left now."""
    if not request.htmx:
        # The studio page as it was sent from, so that nothing has to be set again.
        page, first = reverse("studio", args=[request.team.slug]), generations[0]
        if first.button and not pressed:  # its dialog is answered
            return redirect(f"{page}?{urlencode({'model': first.wire_model})}")
        return redirect(page if pressed else f"{page}?from={first.pk}")
    rows = for_cards(request.team).filter(pk__in=[one.pk for one in generations]).newest_first()
    context = {
        "groups": groups_of(cards_of(rows, request.membership)),
        "fresh": uuid.uuid4(),
        "again_of": again_of,
        "pressed": cards_of([pressed], request.membership)[0] if pressed else None,
        "form": None,
        "oob": True,
    }
    answer = render(request, "generator/studio.html#begun", context)
    answer["HX-Trigger"] = "begun"  # the bill asks anew what would be left
    return answer


def _asked(
    request: TeamRequest, generation: Generation, error: PriceChanged, *, costs: int | None = None
) -> HttpResponse:
    """Say what it costs now, and on the buttons of the card as well; `costs` is for the same once
    more."""
    if not request.htmx:
        return refused(request, error)
    (card,) = cards_of([generation], request.membership)
    if costs is not None:
        card = replace(card, price_again=costs)
    context = {"sentence": str(error), "card": card, "again": costs is not None, "oob": True}
    answer = render(request, "generator/studio.html#asked", context)
    answer["HX-Reswap"] = "none"
    return answer


def refused(request: TeamRequest, error: StudioError) -> HttpResponse:
    """Say no without a form to say it on, on the page where the button was."""
    if wants_json(request):
        return told(error)
    sentence = str(error)
    if not request.htmx:
        messages.error(request, sentence)
        return redirect(_image_of_the_page(request) or reverse("studio", args=[request.team.slug]))
    answer = render(request, "generator/studio.html#refused", {"sentence": sentence})
    answer["HX-Reswap"] = "none"
    return answer


def _image_of_the_page(request: TeamRequest) -> str:
    """Where the page of the image is on which the button was, posted as `on`; else empty."""
    try:
        return reverse("image", args=[request.team.slug, uuid.UUID(request.POST.get("on", ""))])
    except ValueError:
        return ""
