"""Links of invitations that no letter carries: shown once, on the page after the one that made
them, so that loading that page again makes no others."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from generator.access import TeamRequest
from generator.teaming import Sent

_KEPT = "invitation links"  # in the session


@dataclass(frozen=True, slots=True)
class ByHand:
    """A link to hand over. `replaces`: an earlier one for the same address is over."""

    email: str
    link: str
    replaces: bool


@sensitive_variables("sent", "one", "links")
def keep(request: TeamRequest, sent: Sequence[Sent]) -> None:
    """Keep the secrets of those that go by hand until `take`, those not yet shown as well."""
    links = _kept(request) | {
        one.invitation.email: (one.secret, one.replaces) for one in sent if one.secret
    }
    if links:
        request.session[_KEPT] = {request.team.slug: links}


@sensitive_variables("links", "secret")
def take(request: TeamRequest) -> list[ByHand]:
    """What was kept for this team, and is from now on shown nowhere."""
    links = _kept(request)
    if links:
        del request.session[_KEPT]
    return [
        ByHand(email, request.build_absolute_uri(reverse("invitation", args=[secret])), replaces)
        for email, (secret, replaces) in links.items()
    ]


def _kept(request: TeamRequest) -> dict[str, tuple[str, bool]]:
    kept = request.session.get(_KEPT, {})
    return dict(kept.get(request.team.slug, {}))
