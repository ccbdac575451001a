"""Putting away what a person was told of a cap."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from generator import noticing
from generator.access import TeamRequest, in_team
from generator.models import Notice


@require_POST
@in_team
def got_it(request: TeamRequest, pk: int) -> HttpResponse:
    """Put a notice of one's own away for good, and stay where one was."""
    mine = Notice.objects.filter(user=request.user, account__team=request.team)
    noticing.mark_seen(get_object_or_404(mine, pk=pk))
    if request.htmx:
        return HttpResponse()
    page = request.POST.get("next", "")
    # Without the slash it would be taken for the name of a route.
    here = page.startswith("/") and url_has_allowed_host_and_scheme(
        page, {request.get_host()}, require_https=request.is_secure()
    )
    return redirect(page) if here else redirect("studio", request.team.slug)
