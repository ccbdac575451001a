"""Two to four images side by side: closely, and by what was asked of their models."""

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from generator.access import TeamRequest, in_team
from generator.models import Generation, ImageAsset, Team
from generator.templatetags.studio import credits, seconds
from generator.views.facts import facts
from generator.views.made_of import sources

MOST = 4  # images beside each other
LETTERS = "ABCD"
MOST_RELATED = 12  # that are offered to compare with
MOST_NAMED = 50  # ids that an address is read for
WORD = re.compile(r"\w+(?:['’]\w+)*")


@dataclass(frozen=True, slots=True)
class Swap:
    """An image that could stand in the place of another, or beside them all."""

    image: ImageAsset
    query: str


@dataclass(frozen=True, slots=True)
class Pane:
    """One of the images: the letter it goes by, and the addresses of the page without or before it.

    `sooner` changes places with the one before; empty for the first.
    """

    letter: str
    image: ImageAsset
    without: str
    sooner: str
    swaps: list[Swap]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the facts, a cell for each image; empty where it says nothing of one."""

    label: str
    cells: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether not all of them are the same."""
        return len({cell.casefold() for cell in self.cells}) > 1


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a prompt; `only` says that not every prompt has this word."""

    text: str
    only: bool


@require_http_methods(["GET", "HEAD", "POST"])
@in_team
def compare(request: TeamRequest) -> HttpResponse:
    """Two to four images, and where they differ; with fewer than two, a word on how to choose.

    The library sends what was chosen in it; it is asked for by its address, which can be kept.
    """
    if request.method == "POST":
        query = _query(image.pk for image in _named(request.team, request.POST))
        return redirect(f"{reverse('compare', args=[request.team.slug])}?{query}")
    named = _named(request.team, request.GET)
    shown = [image for image in named if image.trashed_at is None]
    images = shown[:MOST]
    others = related(images) if len(images) > 1 else []
    prompts = [image.generation.prompt for image in images]
    context = {
        "place": "library",
        "images": images,
        "panes": _panes(images, others),
        "rows": rows(images) if len(images) > 1 else [],
        "sources": sources(images) if len(images) > 1 else [],
        "prompts": pieces(prompts),
        "prompts_differ": len(set(prompts)) > 1,
        "trashed": len(named) - len(shown),
        "too_many": len(shown) > MOST,
        "more": _swaps([image.pk for image in images], len(images), others)
        if len(images) < MOST
        else [],
    }
    return render(request, "generator/compare.html", context)


def _named(team: Team, data: QueryDict) -> list[ImageAsset]:
    """The team's images that are named, in that order. Raises Http404 for any other."""
    pks = _pks(data)
    rows = ImageAsset.objects.filter(team=team)
    rows = rows.select_related("generation__entry", "generation__author")
    found = rows.in_bulk(pks)
    if len(found) < len(pks):
        raise Http404
    return [found[pk] for pk in pks]


def _pks(data: QueryDict) -> list[uuid.UUID]:
    """The ids named, each once; one field may name several, parted by commas."""
    texts = [text for several in data.getlist("image") for text in several.split(",") if text]
    try:
        return list(dict.fromkeys(uuid.UUID(text) for text in texts[:MOST_NAMED]))
    except ValueError as error:
        raise Http404 from error


def related(images: Sequence[ImageAsset]) -> list[ImageAsset]:
    """What one would compare these with: made together with them, or what they were made from."""
    generations = {image.generation_id for image in images}
    generations |= {image.generation.parent_id for image in images if image.generation.parent_id}
    kept = ImageAsset.objects.kept().filter(generation__in=generations, team=images[0].team_id)
    others = kept.exclude(pk__in=[image.pk for image in images]).select_related("generation")
    return list(others.order_by("place")[:MOST_RELATED])


def _panes(images: list[ImageAsset], others: list[ImageAsset]) -> list[Pane]:
    pks = [image.pk for image in images]
    return [
        Pane(
            letter,
            image,
            without=_query([*pks[:at], *pks[at + 1 :]]),
            sooner=_query([*pks[: at - 1], pks[at], pks[at - 1], *pks[at + 1 :]]) if at else "",
            swaps=_swaps(pks, at, others),
        )
        for at, (letter, image) in enumerate(zip(LETTERS, images, strict=False))
    ]


def _swaps(pks: list[uuid.UUID], at: int, others: Iterable[ImageAsset]) -> list[Swap]:
    """The page with each of the others in the place `at`."""
    return [Swap(other, _query([*pks[:at], other.pk, *pks[at + 1 :]])) for other in others]


def _query(pks: Iterable[uuid.UUID]) -> str:
    return urlencode([("image", pk) for pk in pks])


def rows(images: Sequence[ImageAsset]) -> list[Row]:
    """What is known of each, line by line; a line that says nothing of any is left out."""
    generations = [image.generation for image in images]
    plain = [
        Row("Model", tuple(one.label for one in generations)),
        Row("Provider", tuple(one.provider for one in generations)),
        Row("Action", tuple(str(one.get_action_display()).capitalize() for one in generations)),
    ]
    last = [
        Row("Cost", tuple(_cost(one) for one in generations)),
        Row("Took", tuple(seconds(one.seconds) for one in generations)),
        Row("By", tuple(one.author.shown_name for one in generations)),
    ]
    return [row for row in [*plain, *_asked(images), *last] if any(row.cells)]


def _asked(images: Sequence[ImageAsset]) -> list[Row]:
    """The fields of their families, by name: what one family has not, it says nothing of."""
    of_generation = Generation.objects.filter(pk__in={image.generation_id for image in images})
    made = dict(of_generation.annotate(made=Count("images")).values_list("pk", "made"))
    said = [
        {
            fact.label: _both(fact.asked, fact.used)
            for fact in facts(image.generation, image, made=made[image.generation_id])
        }
        for image in images
    ]
    labels = dict.fromkeys(label for one in said for label in one)
    return [Row(label, tuple(one.get(label, "") for one in said)) for label in labels]


def _both(asked: str, used: str) -> str:
    if asked and used and asked.casefold() != used.casefold():
        return f"{used} (asked for {asked})"
    return used or asked


def _cost(generation: Generation) -> str:
    if generation.cost is None:
        return f"{credits(generation.price)} held"
    together = f" for {generation.count} images" if generation.count > 1 else ""
    return f"{credits(generation.cost)}{together}"


def pieces(prompts: Sequence[str]) -> list[list[Piece]]:
    """Each prompt in pieces that tell which words not all of them have.

    By the set of words and not by their order, which takes no longer for long prompts.
    """
    sets = [{word.casefold() for word in WORD.findall(prompt)} for prompt in prompts]
    shared = set.intersection(*sets) if sets else set()
    return [_parted(prompt, shared) for prompt in prompts]


def _parted(prompt: str, shared: set[str]) -> list[Piece]:
    found: list[Piece] = []
    end = 0
    for match in WORD.finditer(prompt):
        if match[0].casefold() in shared:
            continue
        found += [Piece(prompt[end : match.start()], False), Piece(match[0], True)]
        end = match.end()
    return [piece for piece in [*found, Piece(prompt[end:], False)] if piece.text]
