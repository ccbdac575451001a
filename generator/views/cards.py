"""One card of the feed: what it shows, and what a person may do with it."""

import statistics
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from generator import jobs, lifecycle
from generator.access import TeamRequest, in_team
from generator.errors import AlreadyMoved, IllegalMove, NotOffered, StudioError
from generator.families import parse_size
from generator.forms.fields import shape
from generator.forms.prompt import PromptForm, settings_of
from generator.models import UNDER_WAY, Generation, ImageAsset, Membership, Status, Team
from generator.models.generations import GenerationQuerySet
from generator.models.people import STEERERS

REMEMBERED = 100  # finished generations of the team that say how long a model usually takes
ENOUGH = 20  # of them, per model
SQUARE = (1024, 1024)  # the place kept for an image whose size the provider chooses

# What to do next, by the code of the reason; empty where the reason says it already.
ADVICE = {
    "content": "",
    "refused": "",
    "lost": "",
    "busy": "It was tried several times. Try again in a while.",
    "silent": "It is not sent again by itself, since it might be made twice.",
    "empty": "Try again, or reword the prompt.",
}


@dataclass(frozen=True, slots=True)
class Card:
    """What one card of the feed shows."""

    generation: Generation
    images: Sequence[ImageAsset]
    size: tuple[int, int]
    usual_seconds: int
    may_cancel: bool
    price_again: int | None
    place_in_line: int = 1  # of one that waits
    batch: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def status(self) -> str:
        """As the style sheet names it."""
        return self.generation.status

    @property
    def frames(self) -> range:
        """One place for each image that is still to come."""
        return range(max(self.generation.count - len(self.images), 0))

    @property
    def places(self) -> int:
        """Images and frames together."""
        return max(self.generation.count, len(self.images))

    @property
    def shape(self) -> str:
        """`wide`, `tall` or `square`: all places of a card have one shape."""
        return shape(self.size)

    @property
    def passed(self) -> float:
        """How far the bar is, in hundredths: it ends at twice the usual time."""
        return min(100.0, 50 * (self.generation.seconds or 0) / self.usual_seconds)

    @property
    def asked_size(self) -> str:
        """The size for the line of facts: as made, else as asked for."""
        if self.images:
            return f"{self.size[0]}x{self.size[1]}"
        return str(self.generation.fields.get("size", ""))

    @property
    def quality(self) -> str:
        """The quality used where the provider said it, else as asked for."""
        said = self.generation.used.get("quality") or self.generation.fields.get("quality")
        return str(said or "")

    @property
    def advice(self) -> str:
        """What to do about a failure."""
        return ADVICE.get(self.generation.reason_code, "Try again, or try another model.")


def cards_of(generations: Iterable[Generation], membership: Membership) -> list[Card]:
    """The cards of these generations, for this member."""
    rows = list(generations)
    under_way = any(row.status in UNDER_WAY for row in rows)
    usual = _usual_seconds(membership.team) if under_way else {}
    # Of the whole studio, so once for all cards.
    waits = any(row.status == Status.QUEUED for row in rows)
    places = Generation.objects.places() if waits else {}
    return [_card(row, membership, usual, places.get(row.pk, 1)) for row in rows]


def for_cards(team: Team) -> GenerationQuerySet:
    """The team's generations with what cards need of their neighbours."""
    rows = Generation.objects.filter(team=team)
    return rows.select_related("entry", "author").prefetch_related("images")


def _card(
    generation: Generation, membership: Membership, usual: dict[str, int], place: int
) -> Card:
    images = list(generation.images.all())
    own = generation.author_id == membership.user_id
    return Card(
        generation=generation,
        images=images,
        size=(images[0].width, images[0].height) if images else _asked_size(generation),
        usual_seconds=usual.get(generation.wire_model) or _said_seconds(generation),
        may_cancel=generation.status == Status.QUEUED and may_cancel(membership, own=own),
        price_again=price_again(generation) if membership.may_make else None,
        place_in_line=place,
    )


def may_cancel(membership: Membership, *, own: bool) -> bool:
    """Members withdraw what is theirs; owners and admins, anything of the team."""
    return membership.may_make and (own or membership.role in STEERERS)


def price_again(generation: Generation) -> int | None:
    """Credits for the same once more, or None where the model cannot be picked now."""
    if generation.entry is None:
        return None
    try:
        _ = generation.entry.takes
        return generation.entry.price(generation.count)
    except NotOffered:
        return None


def _asked_size(generation: Generation) -> tuple[int, int]:
    try:
        size = generation.takes.fields.get("size")
    except NotOffered:
        size = None
    asked = generation.fields.get("size") or (size.default if size else "")
    return parse_size(str(asked)) or SQUARE


def _said_seconds(generation: Generation) -> int:
    try:
        return generation.takes.usual_seconds
    except NotOffered:
        return 30


def _usual_seconds(team: Team) -> dict[str, int]:
    """Median seconds of the team's last successes, by wire model."""
    done = (
        Generation.objects.filter(team=team, status=Status.SUCCEEDED)
        .newest_first()
        .values_list("wire_model", "started_at", "finished_at")[:REMEMBERED]
    )
    took: dict[str, list[float]] = {}
    for wire_model, started, finished in done:
        if started and finished:
            took.setdefault(wire_model, []).append((finished - started).total_seconds())
    return {name: max(1, round(statistics.median(times[:ENOUGH]))) for name, times in took.items()}


# ── Requests ──


@require_safe
@in_team
def card(request: TeamRequest, pk: uuid.UUID) -> HttpResponse:
    """The card as it stands now, alone."""
    generation = get_object_or_404(for_cards(request.team), pk=pk)
    return _only_card(request, generation)


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
    return render(request, "generator/studio.html#card", {"card": shown})


@require_POST
@in_team
def again(request: TeamRequest, pk: uuid.UUID) -> HttpResponse:
    """Begin the same once more, as the person who asks and at today's price."""
    before = get_object_or_404(request.team.generations, pk=pk)
    form = PromptForm({**settings_of(before), "batch": request.POST.get("batch", "")})
    try:
        if not form.is_valid():
            raise NotOffered(
                " ".join(str(text) for texts in form.errors.values() for text in texts)
            )
        generation = begin(request, form)
    except StudioError as error:
        return refused(request, str(error))
    return begun(request, generation, again_of=before)


def begin(request: TeamRequest, form: PromptForm) -> Generation:
    """Begin what a valid form asks for, and have it fetched. Raises StudioError."""
    generation = lifecycle.begin(
        request.user, request.team, form.entry, form.brief(), batch=form.batch
    )
    jobs.nudge()
    return generation


def begun(
    request: TeamRequest, generation: Generation, *, again_of: Generation | None = None
) -> HttpResponse:
    """The card of what was just begun, a fresh batch id, and what is left now."""
    if not request.htmx:
        # The studio page as it was sent from, so that nothing has to be set again.
        return redirect(f"{reverse('studio', args=[request.team.slug])}?from={generation.pk}")
    (shown,) = cards_of([generation], request.membership)
    context = {
        "card": shown,
        "fresh": uuid.uuid4(),
        "again_of": again_of,
        "form": None,
        "oob": True,
    }
    return render(request, "generator/studio.html#begun", context)


def refused(request: TeamRequest, sentence: str) -> HttpResponse:
    """Say no without a form to say it on."""
    if not request.htmx:
        messages.error(request, sentence)
        return redirect("studio", request.team.slug)
    answer = render(request, "generator/studio.html#refused", {"sentence": sentence})
    answer["HX-Reswap"] = "none"
    return answer
