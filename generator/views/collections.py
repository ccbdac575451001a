"""Collections and tags: the list of both, new ones, other names, and taking them away."""

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.db.models import IntegerField, OuterRef, Subquery, UUIDField
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from generator import names
from generator.access import TeamRequest, in_team, needs
from generator.errors import StudioError
from generator.library import sorting
from generator.models import Collected, Collection, Deed, ImageAsset, Tag, Tagging, Team
from generator.models.library import (
    LONGEST_TITLE,
    Named,
    NamedQuerySet,
    folded,
)
from generator.sharing import collections as sharing
from generator.views.library import rights

MOST_COUNTED = 1000  # images; of more it is only said that there are more
COLLECTIONS, TAGS = 48, 60  # a page


class NameForm(forms.Form):
    """The name of a new collection, or another one for what is there."""

    name = forms.CharField(required=False)


class EditForm(forms.Form):
    """Another name, or away with it. `sure` says how many links the person knows to end."""

    do = forms.ChoiceField(choices=[("rename", ""), ("delete", "")])
    sure = forms.IntegerField(required=False, min_value=0)
    name = forms.CharField(required=False)


class _CountOf(Subquery):
    """How many rows a bounded query has: never more than its bound are read."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) bounded)"
    output_field = IntegerField()


@dataclass(frozen=True, slots=True)
class Shelf:
    """A collection or a tag as the list shows it."""

    row: Any
    count: int
    cover: ImageAsset | None = None

    @property
    def images(self) -> str:
        """How many images it holds, in words."""
        if self.count > MOST_COUNTED:
            return f"more than {MOST_COUNTED:,} images"
        return f"{self.count:,} image{'' if self.count == 1 else 's'}"


@require_http_methods(["GET", "HEAD", "POST"])
@in_team
def collections(request: TeamRequest) -> HttpResponse:
    """The collections and tags of the team; a POST makes a collection."""
    if request.method == "POST":
        return _made(request)
    return _shown(request, NameForm())


@needs(Deed.ORGANISE)
def _made(request: TeamRequest) -> HttpResponse:
    form = NameForm(request.POST)
    if form.is_valid():
        try:
            new = sorting.new_collection(request.team, request.user, form.cleaned_data["name"])
        except StudioError as error:
            form.add_error("name", str(error))
        else:
            messages.success(
                request, f"“{new.name}” is there. Choose images in the library to fill it."
            )
            return redirect("collections", request.team.slug)
    return _shown(request, form)


@require_POST
@in_team
@needs(Deed.ORGANISE)
def collection(request: TeamRequest, pk: int) -> HttpResponse:
    """Rename a collection, or delete it: its images stay. Where links would end, it is asked."""
    found = get_object_or_404(Collection, team=request.team, pk=pk)
    form = EditForm(request.POST)
    if form.is_valid() and form.cleaned_data["do"] == "delete":
        return _deleted(request, found, sure=form.cleaned_data["sure"] or 0)
    return _renamed(request, found, form)


@require_POST
@in_team
@needs(Deed.ORGANISE)
def tag(request: TeamRequest, pk: int) -> HttpResponse:
    """Rename a tag, or delete it: its images stay."""
    found = get_object_or_404(Tag, team=request.team, pk=pk)
    form = EditForm(request.POST)
    if form.is_valid() and form.cleaned_data["do"] == "delete":
        sorting.delete_tag(found)
        said = f"The tag “{found.name}” is deleted. Its images are still here."
        messages.success(request, said)
        return redirect("collections", request.team.slug)
    return _renamed(request, found, form)


def _renamed(request: TeamRequest, row: Collection | Tag, form: EditForm) -> HttpResponse:
    if not form.is_valid():
        raise Http404
    old = row.name
    try:
        sorting.rename(row, form.cleaned_data["name"])
    except StudioError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"“{old}” is now called “{row.name}”.")
    return redirect("collections", request.team.slug)


def _deleted(request: TeamRequest, found: Collection, *, sure: int) -> HttpResponse:
    try:
        ended = sharing.delete(found, by=request.membership, sure=sure)
    except sharing.NotSure as asked:
        context = {"place": "collections", "collection": found, "ending": asked.ending}
        return render(request, "generator/collection_delete.html", context)
    except StudioError as error:
        messages.error(request, str(error))
    else:
        links = (
            f" {ended:,} sharing link{' has' if ended == 1 else 's have'} ended." if ended else ""
        )
        said = f"The collection “{found.name}” is deleted. Its images are still here.{links}"
        messages.success(request, said)
    return redirect("collections", request.team.slug)


def _shown(request: TeamRequest, form: NameForm) -> HttpResponse:
    """`q` is a part of their names; `after` and `tags_after` are the names that pages follow."""
    said, after, tags_after = (
        names.clean(request.GET.get(name, "")) for name in ("q", "after", "tags_after")
    )
    found, found_tags = shelves(request.team, said, after), tags(request.team, said, tags_after)
    context = {
        "place": "collections",
        "form": form,
        "said": said,
        "after": bool(after),
        "tags_after": bool(tags_after),
        "shelves": found[:COLLECTIONS],
        "more_collections": _more(found, COLLECTIONS, "after", said),
        "tags": found_tags[:TAGS],
        "more_tags": _more(found_tags, TAGS, "tags_after", said),
        "longest_title": LONGEST_TITLE,
        **rights(request),
    }
    return render(request, "generator/collections.html", context)


def shelves(team: Team, said: str = "", after: str = "") -> list[Shelf]:
    """The team's collections with a count and the newest image of each, in two queries; one more
    than fits the page, if there is one."""
    inside = Collected.objects.filter(collection=OuterRef("pk"), image__trashed_at=None)
    newest = inside.order_by("-place").values("image")[:1]
    counted = _listed(Collection.objects.filter(team=team), said, after).annotate(
        count=_CountOf(inside.order_by().values("pk")[: MOST_COUNTED + 1]),
        cover=Subquery(newest, output_field=UUIDField()),
    )  # fmt: skip
    rows: list[Any] = list(counted[: COLLECTIONS + 1])
    keys: list[uuid.UUID] = [row.cover for row in rows if row.cover]
    covers = ImageAsset.objects.kept().select_related("generation").in_bulk(keys)
    return [Shelf(row, row.count, covers.get(row.cover)) for row in rows]


def tags(team: Team, said: str = "", after: str = "") -> list[Shelf]:
    """The team's tags, each with a count; one more than fits the page, if there is one."""
    inside = Tagging.objects.filter(tag=OuterRef("pk"), image__trashed_at=None)
    counted = _CountOf(inside.order_by().values("pk")[: MOST_COUNTED + 1])
    rows = _listed(Tag.objects.filter(team=team), said, after).annotate(count=counted)
    return [Shelf(row, row.count) for row in rows[: TAGS + 1]]


def _listed[T: Named](rows: NamedQuerySet[T], said: str, after: str) -> NamedQuerySet[T]:
    """Those with this in their name, by name, that follow a name."""
    if said:
        rows = rows.filter(folded__contains=folded(said))
    return rows.filter(folded__gt=after).by_name()


def _more(found: list[Shelf], most: int, name: str, said: str) -> str:
    """The query of the next page; empty if this one is the last."""
    if len(found) <= most:
        return ""
    return urlencode({"q": said, name: found[most - 1].row.folded})
