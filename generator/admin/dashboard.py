"""The first page of the admin: what `overview` knows, in the boxes that this person may see."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from generator import usage
from generator.admin.board import Line, bars, lines
from generator.admin.sidebar import may_view
from generator.models import CatalogueEntry, Generation, Status, User
from generator.overview import attention, failing, running, spans, using
from generator.overview.attention import Finding
from generator.overview.failing import Failures, Newest
from generator.overview.spans import Span

TOP = 8


@dataclass(frozen=True, slots=True)
class Pointed:
    """A thing to look at, with the addresses of the list of its kind and of the newest of them."""

    what: Finding | Failures
    all: str
    newest: str


@dataclass(frozen=True, slots=True)
class Step:
    """What there is to do in a new studio, and whether it is done."""

    title: str
    advice: str
    address: str
    is_done: bool


def show(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the admin's index, for UNFOLD. The period stands in the address."""
    today = timezone.localdate()
    span = spans.span_of(request.GET.get("period", ""), today)
    context |= {
        "title": "Dashboard",
        "span": span,
        "periods": spans.NAMED.items(),
        "machinery": running.machinery(),
    }
    if _sees(request, "usagetotal"):
        context |= _used(request, span)
    if _sees(request, "generation"):
        context["now"] = running.now()
        context["failures"] = [_point(request, one) for one in failing.failures()]
    if _sees(request, "catalogueentry"):
        context["money"] = running.money(_reserved(context))
    if _sees(request, "imageasset"):
        context["storage"] = running.storage()
    # That nothing needs a look is for them to hear for whom everything was looked at.
    context["is_all_seen"] = "now" in context and "money" in context
    context["findings"] = [_point(request, one) for one in _findings(request, context)]
    context["steps"] = _first_steps(request, context)
    return context


def _sees(request: HttpRequest, model: str) -> bool:
    return may_view(request, f"generator.{model}")


# ── What was made ──


def _used(request: HttpRequest, span: Span) -> dict[str, Any]:
    use = using.use(span)
    found: dict[str, Any] = {
        "use": use,
        "credits_by_day": bars(use.days, "credits"),
        "images_by_day": bars(use.days, "images"),
        "top_models": _models(request, span),
    }
    if _sees(request, "user"):
        people = usage.by_author(using.EVERYBODY, span.now)[:TOP]
        found["top_people"] = lines(people, {row.key: _page("user", row.key) for row in people})
    if _sees(request, "team"):
        teams = usage.by_team(using.EVERYBODY, span.now)[:TOP]
        found["top_teams"] = lines(teams, {row.key: _page("team", row.key) for row in teams})
    return found


def _models(request: HttpRequest, span: Span) -> list[Line]:
    rows = usage.by_model(using.EVERYBODY, span.now)[:TOP]
    names = [row.key for row in rows]
    addresses: dict[Any, str] = {}
    if _sees(request, "catalogueentry"):
        entries = CatalogueEntry.objects.in_bulk(names, field_name="wire_model")
        addresses = {name: _page("catalogueentry", one.pk) for name, one in entries.items()}
    if not _sees(request, "generation"):
        return lines(rows, addresses)
    found = lines(rows, addresses, using.seconds_by_model(names))
    return [replace(line, failed=_failed_with(line.row.key)) for line in found]


def _failed_with(wire_model: str) -> str:
    query = urlencode({"status__exact": Status.FAILED, "wire_model": wire_model})
    return f"{reverse('admin:generator_generation_changelist')}?{query}"


# ── What needs a look ──


def _reserved(context: dict[str, Any]) -> int:
    now: running.Now = context.get("now") or running.now()
    return now.reserved


def _findings(request: HttpRequest, context: dict[str, Any]) -> list[Finding]:
    found = attention.of_machinery(context["machinery"])
    if "money" in context:
        found += attention.of_money(context["money"])
    if "now" in context:
        failed = [one.what for one in context["failures"]]
        found += attention.of_generations(context["now"], failed)
    if _sees(request, "catalogueentry"):
        found += attention.of_catalogue()
    return sorted(found, key=lambda one: not one.is_urgent)


def _point(request: HttpRequest, what: Finding | Failures) -> Pointed:
    page = what.page
    listed = ""
    if page and _is_shown(request, page):
        listed = reverse(f"admin:generator_{page}_changelist")
        listed += f"?{urlencode(what.filters)}" if what.filters else ""
    newest = what.newest
    return Pointed(what, listed, _newest(request, newest) if newest else "")


def _newest(request: HttpRequest, newest: Newest) -> str:
    return _page(newest.page, newest.pk) if _is_shown(request, newest.page) else ""


def _is_shown(request: HttpRequest, page: str) -> bool:
    """Whether the admin has pages of the model, and this person may open them."""
    for model, pages in admin.site._registry.items():
        if model._meta.label_lower == f"generator.{page}":
            return bool(pages.has_view_permission(request))
    return False


def _page(model: str, key: Any) -> str:
    return reverse(f"admin:generator_{model}_change", args=[key])


# ── A new studio ──


def _first_steps(request: HttpRequest, context: dict[str, Any]) -> list[Step]:
    """What to do first; nothing once somebody has made something."""
    if Generation.objects.exists():
        return []
    steps = [
        Step("See that a worker runs", "It makes what people ask for.",
             reverse("admin:generator_workerseen_changelist"), context["machinery"].is_fine),
    ]  # fmt: skip
    if _sees(request, "catalogueentry"):
        steps += [
            Step("Offer models, at a price",
                 "Fill the catalogue and bring it up to the gateway's list.",
                 reverse("admin:generator_catalogueentry_changelist"),
                 CatalogueEntry.objects.pickable().exists()),
        ]  # fmt: skip
    if _sees(request, "user") and _sees(request, "invitation"):
        steps += [
            Step("Invite people", "Into a team, by e-mail; what each may spend is set by caps.",
                 reverse("admin:generator_invitation_changelist"),
                 User.objects.all()[1:2].exists()),
        ]  # fmt: skip
    made = Step("Make a first image", "In the studio itself.", reverse("home"), is_done=False)
    return [*steps, made]
