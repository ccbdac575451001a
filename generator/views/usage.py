"""Usage: what is left, what was made and what it cost; one's own, and for those who steer the
team's.

Everything here counts by the team's calendar.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import formats
from django.views.decorators.http import require_http_methods, require_safe

from generator.access import TeamRequest, in_team
from generator.forms.own_cap import OwnCapForm
from generator.models import QuotaAccount, Window
from generator.models.ledger import WindowTotal
from generator.models.refusals import whom_to_ask
from generator.models.roles import Deed
from generator.templatetags.studio import credits
from generator.usage import Period, Scope
from generator.views import ledger
from generator.views.cursor import LineCursor
from generator.views.figures import A_WINDOW, Look, in_its_team, numbers, own_caps, people
from generator.views.sheet import sheet

_OWN = {Window.DAY: "daily", Window.MONTH: "monthly", Window.EVER: "overall"}


@require_safe
@in_team
def mine(request: TeamRequest) -> HttpResponse:
    """One's own usage. `?month=` picks a month, `?before=` a place in its ledger."""
    return _page(request, _mine(request))


@require_safe
@in_team
def together(request: TeamRequest) -> HttpResponse:
    """The whole team's, for those who steer it; with `?person=`, by key, one member's."""
    return _page(request, _together(request))


@require_safe
@in_team
def mine_as_sheet(request: TeamRequest) -> StreamingHttpResponse:
    """One's own lines of `?month=` as CSV."""
    look = _mine(request)
    month = _month(request, _months(look))
    return sheet(request, look.account, month, name=f"usage-{request.team.slug}")


@require_safe
@in_team
def together_as_sheet(request: TeamRequest) -> StreamingHttpResponse:
    """The lines of the pool, or with `?person=` of one member, as CSV."""
    look = _together(request)
    name = f"usage-{request.team.slug}-{look.person.pk if look.person else 'team'}"
    return sheet(request, look.account, _month(request, _months(look)), name=name)


@require_http_methods(["GET", "HEAD", "POST"])
@in_team
def own_cap(request: TeamRequest) -> HttpResponse:
    """Cap oneself in a window, by whom and where the request comes from alone (A2).

    Whoever loads the address again, after a refusal or a sign-in, gets the page of usage.
    """
    if not request.membership.may_make:
        raise Http404
    if request.method != "POST":
        return redirect("usage", request.team.slug)
    look = _mine(request)
    form = OwnCapForm(request.POST)
    if form.is_valid() and form.save(look.account):
        messages.info(request, _said(form))
        return redirect("usage", request.team.slug)
    if "window" in form.errors:
        raise Http404
    return _page(request, look, form)


def _said(form: OwnCapForm) -> str:
    window, most = Window(form.cleaned_data["window"]), form.cleaned_data["credits"]
    if most is None:
        return f"Your own {_OWN[window]} cap is gone."
    return f"You can now spend {credits(most)} {A_WINDOW[window]} at most."


# ── Whose, and when ──


def _mine(request: TeamRequest) -> Look:
    account = QuotaAccount.objects.of(request.team, request.user)
    scope = Scope(request.team, request.user)
    may_spend = request.membership.may_make
    return Look(
        in_its_team(request.team, account), scope, "usage", "usage_sheet", may_spend=may_spend
    )


def _together(request: TeamRequest) -> Look:
    """The pool, or a member's account. Raises Http404 for who may not see it, or none such."""
    if not _steers(request):
        raise Http404
    team, key = request.team, request.GET.get("person", "")
    routes = ("team_usage", "team_usage_sheet")
    if not key:
        return Look(in_its_team(team, QuotaAccount.objects.pool(team)), Scope(team), *routes)
    # Those who have left have an account still, and what they spent is on its lines.
    if not (key.isascii() and key.isdigit() and len(key) < 16):
        raise Http404
    accounts = team.accounts.select_related("user")
    account = get_object_or_404(accounts, user=int(key))
    person = account.user
    membership = team.memberships.filter(user=person).first()
    may_spend = membership is not None and membership.may_make
    return Look(in_its_team(team, account), Scope(team, person), *routes, person, may_spend)


def _steers(request: TeamRequest) -> bool:
    """Whether there is a page of the whole team for this member; of one person's there is none."""
    return request.membership.may(Deed.SEE_USAGE) and request.team.personal_of_id is None


def _months(look: Look) -> list[date]:
    """The first days of the months that have lines, and of the running one, the newest first."""
    rows = WindowTotal.objects.filter(account=look.account, window=Window.MONTH)
    running = Window.MONTH.start(look.account.team.today())
    return sorted({running, *rows.values_list("start", flat=True)}, reverse=True)


def _month(request: TeamRequest, months: Sequence[date]) -> Period:
    """The month that the address names; the running one where it names none of these."""
    named = {f"{month:%Y-%m}": month for month in months}
    running = Window.MONTH.start(request.team.today())
    return Period.month_of(named.get(request.GET.get("month", ""), running))


# ── What the page shows ──


def _page(request: TeamRequest, look: Look, form: OwnCapForm | None = None) -> HttpResponse:
    months = _months(look)
    month = _month(request, months)
    before = LineCursor.read(request.GET.get("before", ""))
    lines = ledger.page(look.account, month, before=before)
    if not look.may_spend:
        lines = replace(lines, cap=None)
    today = request.team.today()
    context: dict[str, Any] = {
        "place": "usage",
        "zone": request.team.time_zone.replace("_", " "),
        "look": look,
        "months": months,
        "month": month,
        "is_running": month.first <= today <= month.last,
        "in_month": formats.date_format(month.first, "F Y"),
        "steers": _steers(request),
        "before": before,
        "lines": lines,
        "here": look.address(month),
        "sheet": look.sheet_address(month),
        "earlier": look.address(month, lines.earlier) if lines.earlier else "",
    }
    if before is None:
        context |= numbers(look, month, today)
        short = [one for one in context["spendings"] if one.is_short and not one.is_own]
        for of_staff in {one.is_of_staff for one in short}:
            whom = whom_to_ask(request.team, request.user, of_staff=of_staff)
            context["whom_of_staff" if of_staff else "whom"] = whom
        if look.is_team:
            context |= people(look, month, context["by_model"])
        if request.membership.may_make and look.page == "usage" and context["is_running"]:
            context |= {"own_caps": own_caps(look.account, form), "refused": form}
    return render(request, "generator/usage.html", context)
