"""What stands beside every page of the admin, in the order of use, for those who may see it."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Place:
    """A page to go to: the list of a model ("app.model"), or the page of this name for those who
    may view the model."""

    model: str
    title: str | Promise
    icon: str
    page: str = ""


OVERVIEW = (
    Place("", _("Dashboard"), "space_dashboard", page="admin:index"),
    Place("generator.usagetotal", _("Usage"), "bar_chart", page="admin_usage"),
)
GROUPS: tuple[tuple[str | Promise, tuple[Place, ...]], ...] = (
    (
        _("People"),
        (
            Place("generator.user", _("People"), "person"),
            Place("generator.team", _("Teams"), "groups"),
            Place("generator.invitation", _("Invitations"), "mail"),
            Place("auth.group", _("Groups of staff"), "badge"),
        ),
    ),
    (
        _("Credits"),
        (
            Place("generator.quotaaccount", _("Accounts and caps"), "account_balance_wallet"),
            Place("generator.ledgerentry", _("Ledger"), "receipt_long"),
            Place("generator.startingcaps", _("Caps to begin with"), "tune"),
        ),
    ),
    (
        _("Models"),
        (
            Place("generator.catalogueentry", _("Catalogue"), "category"),
            Place("generator.cataloguechange", _("What changed"), "published_with_changes"),
        ),
    ),
    (
        _("Generations"),
        (
            Place("generator.generation", _("Generations"), "auto_awesome"),
            Place("generator.imageasset", _("Images"), "image"),
            Place("generator.workerseen", _("Workers"), "engineering"),
            Place("generator.ceiling", _("Lowered ceilings"), "speed"),
            Place("django_rq.dashboard", _("Queue"), "queue"),
        ),
    ),
    (
        _("Sharing"),
        (
            Place("generator.sharelink", _("Sharing links"), "link"),
            Place("generator.sharingrules", _("Rules for links"), "rule"),
        ),
    ),
    (_("Records"), (Place("auditlog.logentry", _("Who changed what"), "history"),)),
)


_BELONGING = (
    ("generator", "usagetotal"), ("generator", "generation"), ("generator", "quotaaccount"),
    ("generator", "ledgerentry"), ("auditlog", "logentry"),
)  # fmt: skip


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups and their places for whoever asks. Lists that no group names come last."""
    site = admin.site
    models = {model._meta.label_lower: model for model in site._registry}
    named = {place.model for _title, places in GROUPS for place in places}
    others = tuple(
        Place(name, str(model._meta.verbose_name_plural).capitalize(), "list")
        for name, model in models.items()
        if name not in named
    )
    groups = [("", OVERVIEW), *GROUPS, (_("More"), others)]
    found = [(title, _items(request, places, models)) for title, places in groups]
    return [{"title": title, "items": items} for title, items in found if items]


def may_view(request: HttpRequest, model: str) -> bool:
    """Whether this person on staff may view rows of the model of this name ("app.model")."""
    app, _dot, name = model.partition(".")
    user = request.user
    return user.has_perm(f"{app}.view_{name}") or user.has_perm(f"{app}.change_{name}")


def viewable(request: HttpRequest) -> dict[str, bool]:
    """Of which the rows that belong to a person or a team may be seen, by the model's name."""
    return {model: may_view(request, f"{app}.{model}") for app, model in _BELONGING}


def _items(
    request: HttpRequest, places: tuple[Place, ...], models: dict[str, type[Model]]
) -> list[dict[str, Any]]:
    found = ((place, _address(request, place, models)) for place in places)
    return [
        {"title": place.title, "icon": place.icon, "link": address}
        for place, address in found
        if address
    ]


def _address(request: HttpRequest, place: Place, models: dict[str, type[Model]]) -> str:
    """Where the place is; empty for who may not go there."""
    if place.page:
        allowed = not place.model or may_view(request, place.model)
        return reverse(place.page) if allowed else ""
    model = models.get(place.model)
    if model is None or not admin.site._registry[model].has_view_permission(request):
        return ""
    try:
        return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    except NoReverseMatch:
        return ""
