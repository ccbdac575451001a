"""A team: who is in it, as what, and with which caps; making one, leaving it, handing it over."""

import zoneinfo
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generator import jobs, teaming
from generator.access import PersonRequest, TeamRequest, in_team, needs
from generator.errors import NotAllowed, StudioError
from generator.forms.teams import (
    ROLE_NAMES,
    CapsForm,
    GoingForm,
    HandOverForm,
    InviteForm,
    RoleForm,
    TeamForm,
)
from generator.models import Deed, Membership, QuotaAccount, Role
from generator.models.roles import may_remove, may_set_role
from generator.views import by_hand
from generator.views.members import asked, members

ASKS = ["GET", "HEAD", "POST"]


@require_safe
@never_cache
@in_team
def team(request: TeamRequest) -> HttpResponse:
    """Who is in the team; for those who steer it, invitations and caps as well."""
    if request.method != "GET":
        return page(request)
    return page(request, links=by_hand.take(request), sends_mail=jobs.sends_mail())


@require_http_methods(ASKS)
def new(request: PersonRequest) -> HttpResponse:
    """Make a team; whoever makes it owns it. Who may not is told so before they type anything."""
    if request.method != "POST" and (refusal := teaming.why_no_team(request.user)):
        return render(request, "generator/team_new.html", {"place": "team", "refusal": refusal})
    form = TeamForm(request.POST or None, initial={"time_zone": "UTC"})
    if request.method == "POST" and form.is_valid():
        try:
            made = teaming.new_team(request.user, **form.cleaned_data)
        except NotAllowed as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"{made.name} is there. Now invite others into it.")
            return redirect("team", made.slug)
    return _form(request, "generator/team_new.html", form)


@require_http_methods(ASKS)
@in_team
@needs(Deed.RENAME)
def settings(request: TeamRequest) -> HttpResponse:
    """The team's name and time zone."""
    here = request.team
    initial = {"name": here.name, "time_zone": here.time_zone}
    form = TeamForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        here.name, here.time_zone = form.cleaned_data["name"], form.cleaned_data["time_zone"]
        here.save(update_fields=["name", "time_zone"])
        messages.success(request, "Saved.")
        return redirect("team", here.slug)
    return _form(request, "generator/team_settings.html", form)


@require_POST
@in_team
@needs(Deed.SET_ROLES)
def role(request: TeamRequest, pk: int) -> HttpResponse:
    """Make a member something else; ask first where they would lose something with it."""
    member, form = _member(request, pk), RoleForm(request.POST)
    if not form.is_valid():
        raise Http404
    wanted, by = Role(form.cleaned_data["role"]), request.membership
    if member == by or not may_set_role(by.role, of=member.role, to=wanted):
        raise Http404
    losing = teaming.would_lose(member, wanted)
    if (losing.links or losing.waiting) and not form.cleaned_data["is_sure"]:
        return _ask(
            request, "role", member=member, role=wanted, links=losing.links, waiting=losing.waiting
        )

    def change() -> str:
        keep = form.cleaned_data["keep_links"]
        lost = teaming.set_role(member, wanted, by=by, keep_links=keep)
        said = [f"The role of {member.user.shown_name} is {ROLE_NAMES[wanted].lower()} now."]
        if lost.links:
            links = f"{lost.links:,} sharing link{'' if lost.links == 1 else 's'}"
            said.append(f"Viewers do not share: {links} of theirs ended.")
        if lost.waiting:
            said.append(f"Viewers do not make images: {_generations(lost.waiting)} withdrawn.")
        return " ".join(said)

    return _done(request, change)


@require_http_methods(ASKS)
@never_cache
@in_team
@needs(Deed.REMOVE)
def remove(request: TeamRequest, pk: int) -> HttpResponse:
    """Ask whether to take a member out; a POST does."""
    member = _member(request, pk)
    if member == request.membership or not may_remove(request.membership.role, member.role):
        raise Http404
    if request.method != "POST":
        return _ask(request, "remove", member=member, links=_links(member))

    def take_out() -> str:
        keep = _keeps_links(request)
        waiting = teaming.remove(member, by=request.membership, keep_links=keep)
        return f"{member.user.shown_name} is out of the team. {_withdrawn(waiting)}"

    return _done(request, take_out)


@require_http_methods(ASKS)
@never_cache
@in_team
@needs(Deed.LEAVE)
def leave(request: TeamRequest) -> HttpResponse:
    """Ask whether to go; a POST does."""
    _of_several(request)
    if request.method != "POST":
        is_last = teaming.is_last_owner(request.membership)
        return _ask(request, "leave", links=_links(request.membership), is_last=is_last)
    try:
        teaming.leave(request.membership, keep_links=_keeps_links(request))
    except StudioError as refusal:
        messages.error(request, str(refusal))
        return redirect("team", request.team.slug)
    messages.success(request, f"You have left {request.team.name}.")
    return redirect("home")


@require_http_methods(ASKS)
@never_cache
@in_team
@needs(Deed.HAND_OVER)
def hand_over(request: TeamRequest) -> HttpResponse:
    """Ask who shall own the team; a POST hands it over."""
    _of_several(request)
    form = HandOverForm(request.POST or None, by=request.membership)
    if request.method != "POST" or not form.is_valid():
        return _ask(request, "hand over", form=form)
    heir: Membership = form.cleaned_data["to"]

    def hand() -> str:
        teaming.hand_over(request.membership, heir)
        return f"{heir.user.shown_name} owns {request.team.name} now. You are an admin."

    return _done(request, hand)


@require_http_methods(ASKS)
@never_cache
@in_team
@needs(Deed.SET_CAPS)
def member_cap(request: TeamRequest, pk: int) -> HttpResponse:
    """The caps of one member."""
    _of_several(request)
    member = _member(request, pk)
    account = QuotaAccount.objects.of(request.team, member.user)
    return _caps(request, account, member)


@require_http_methods(ASKS)
@never_cache
@in_team
@needs(Deed.SET_CAPS)
def caps(request: TeamRequest) -> HttpResponse:
    """The caps of the whole team, below those that staff gave it."""
    _of_several(request)
    return _caps(request, QuotaAccount.objects.pool(request.team), None)


def page(request: TeamRequest, **more: Any) -> HttpResponse:
    """The page of the team, with a form that was refused where there is one."""
    by = request.membership
    by.team = request.team
    is_own = request.team.personal_of_id is not None
    context: dict[str, Any] = {"place": "team", "is_own": is_own, "by": by, "may": _may(by)}
    if not is_own:
        context["members"] = members(by)
        context["month"] = request.team.today()
        context["is_last"] = teaming.is_last_owner(by)
        if by.may(Deed.INVITE):
            context |= {"asked": asked(by), "invite": InviteForm(by=by)}
        if by.may(Deed.SET_CAPS):
            context["caps"] = CapsForm(account=QuotaAccount.objects.pool(request.team))
    return render(request, "generator/team.html", context | more)


def _may(by: Membership) -> dict[str, bool]:
    return {deed.name.lower(): by.may(deed) for deed in Deed}


def _of_several(request: TeamRequest) -> None:
    """A personal team is nobody's to leave, hand over or cap. Raises Http404."""
    if request.team.personal_of_id is not None:
        raise Http404


def _member(request: TeamRequest, pk: int) -> Membership:
    rows = request.team.memberships.select_related("user")
    return get_object_or_404(rows, pk=pk)


def _done(request: TeamRequest, deed: Callable[[], str]) -> HttpResponse:
    """Do it and say so on the team's page. What one's rank does not let one do is not there."""
    try:
        messages.success(request, deed())
    except NotAllowed as refusal:
        raise Http404 from refusal
    except StudioError as refusal:
        messages.error(request, str(refusal))
    return redirect("team", request.team.slug)


def _ask(request: TeamRequest, what: str, **more: Any) -> HttpResponse:
    context = {"place": "team", "what": what, **more}
    return render(request, "generator/team_ask.html", context)


def _form(request: HttpRequest, template: str, form: TeamForm) -> HttpResponse:
    zones = sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone or zone == "UTC")
    return render(request, template, {"place": "team", "form": form, "zones": zones})


def _caps(request: TeamRequest, account: QuotaAccount, member: Membership | None) -> HttpResponse:
    account.team = request.team
    form = CapsForm(request.POST or None, account=account)
    if request.method == "POST" and form.is_valid() and form.save():
        messages.success(request, "The caps are set.")
        return redirect("team", request.team.slug)
    context = {"place": "team", "form": form, "member": member}
    return render(request, "generator/team_caps.html", context)


def _keeps_links(request: TeamRequest) -> bool:
    form = GoingForm(request.POST)
    return form.is_valid() and bool(form.cleaned_data["keep_links"])


def _links(member: Membership) -> int:
    return member.team.links.filter(author=member.user, revoked_at=None).count()


def _withdrawn(count: int) -> str:
    if not count:
        return "What they made stays."
    return f"What they made stays; {_generations(count)} withdrawn."


def _generations(count: int) -> str:
    return "1 waiting generation was" if count == 1 else f"{count:,} waiting generations were"
