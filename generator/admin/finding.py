"""What the admin's search (Ctrl-K) finds beside its lists: people, teams and models, by name."""

from collections.abc import Iterator

from django.contrib import admin
from django.db.models import Model, Q
from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from generator.models import CatalogueEntry, Team, User

MOST = 8  # of each
SHORTEST = 2  # letters of a name
LONGEST = 100  # letters of what is asked
_ICONS: dict[type[Model], str] = {User: "person", Team: "groups", CatalogueEntry: "category"}
# An address counts from its beginning: its end is the same for a whole house.
_NAMES: dict[type[Model], tuple[str, ...]] = {
    User: (
        "username__icontains", "first_name__icontains", "last_name__icontains",
        "email__istartswith",
    ),
    Team: ("name__icontains", "slug__icontains"),
    CatalogueEntry: ("label__icontains", "wire_model__icontains"),
}  # fmt: skip


def found(request: HttpRequest, term: str) -> list[SearchResult]:
    """The first few of each that this person on staff may see, for UNFOLD."""
    term = term.replace("\0", "").strip()[:LONGEST]
    if len(term) < SHORTEST:
        return []
    return [result for model in _ICONS for result in _of(model, request, term)]


def _of(model: type[Model], request: HttpRequest, term: str) -> Iterator[SearchResult]:
    pages = admin.site._registry[model]
    if not pages.has_view_permission(request):
        return
    rows = pages.get_queryset(request)
    for word in term.split():
        rows = rows.filter(Q.create([(name, word) for name in _NAMES[model]], Q.OR))
    for row in rows[:MOST]:
        yield SearchResult(
            title=row.shown_name if isinstance(row, User) else str(row),
            description=_more(row),
            link=reverse(f"admin:generator_{model._meta.model_name}_change", args=[row.pk]),
            icon=_ICONS[model],
        )


def _more(row: Model) -> str:
    """What tells it from its namesakes."""
    match row:
        case User():
            return row.email or row.username
        case Team():
            return row.slug
        case CatalogueEntry():
            return row.wire_model
        case _:
            return ""
