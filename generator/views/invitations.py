"""Asking people into a team, and taking that back."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from generator import jobs, teaming
from generator.access import TeamRequest, in_team, needs
from generator.errors import NotAllowed, StudioError
from generator.forms.teams import InviteForm
from generator.models import Deed, Role
from generator.views import by_hand
from generator.views.teams import page


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@in_team
@needs(Deed.INVITE)
@sensitive_variables("sent", "mailed")
def invite(request: TeamRequest) -> HttpResponse:
    """Send invitations; where no letter goes, the team's page shows their links, this once."""
    if request.team.personal_of_id is not None:
        raise Http404
    if request.method != "POST":
        return redirect("team", request.team.slug)
    request.membership.team = request.team
    form = InviteForm(request.POST, by=request.membership)
    if not form.is_valid():
        return page(request, invite=form)
    addresses, role = form.cleaned_data["addresses"], Role(form.cleaned_data["role"])
    try:
        sent = teaming.invite(request.membership, addresses, role, by_mail=jobs.sends_mail())
    except NotAllowed as refusal:
        raise Http404 from refusal
    except StudioError as refusal:
        form.add_error("addresses", str(refusal))
        return page(request, invite=form)
    if mailed := [one for one in sent if not one.secret]:
        messages.success(request, _on_the_way(mailed))
    by_hand.keep(request, sent)
    return redirect(f"{reverse('team', args=[request.team.slug])}#invitations")


@require_POST
@in_team
@needs(Deed.INVITE)
def withdraw(request: TeamRequest, pk: int) -> HttpResponse:
    """Take an open invitation back."""
    invitation = get_object_or_404(request.team.invitations.still_open(), pk=pk)
    if not request.membership.may_invite(invitation.role):
        raise Http404
    teaming.end(invitation)
    messages.success(request, f"The invitation to {invitation.email} is withdrawn.")
    return redirect("team", request.team.slug)


def _on_the_way(mailed: Sequence[teaming.Sent]) -> str:
    many = len(mailed)
    said = "An invitation is" if many == 1 else f"{many} invitations are"
    replaced = [one.invitation.email for one in mailed if one.replaces]
    if not replaced:
        return f"{said} on the way."
    return f"{said} on the way. The earlier link for {_and(replaced)} is over."


def _and(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
