"""A person's own account, and the invitations that lead to one."""

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from generator import teaming
from generator.access import PersonRequest
from generator.accounts import has_account, hold_invitation, take_invitation
from generator.models import Invitation, Membership, User


@require_safe
def account(request: PersonRequest) -> HttpResponse:
    """What keeps the account: address, password, second factor, sessions."""
    factors = [
        Authenticator.Type(kind)
        for kind in Authenticator.objects.filter(user=request.user).values_list("type", flat=True)
    ]
    return render(
        request,
        "account/account.html",
        {
            "place": "account",
            "memberships": Membership.objects.filter(user=request.user)
            .select_related("team")
            .order_by("team__name"),
            "app": Authenticator.Type.TOTP in factors,
            "keys": factors.count(Authenticator.Type.WEBAUTHN),
            "sessions": sum(one.exists() for one in UserSession.objects.filter(user=request.user)),
        },
    )


@never_cache
@login_not_required
@sensitive_variables("secret")
def invitation(request: HttpRequest, secret: str) -> HttpResponseBase:
    """Who asks whom into which team; a POST says yes.

    Somebody signed in is a member at once, if it is their address; somebody anonymous after signing
    in or up. For a secret that is over, used or forged there is one page, a 404.
    """
    found = Invitation.objects.open(secret)
    if found is None:
        return render(request, "account/invitation_over.html", status=404)
    if not isinstance(request.user, User):
        if request.method == "POST":
            hold_invitation(request, secret)
            return redirect("account_login" if "sign_in" in request.POST else "account_signup")
        # Whoever has a link out of a letter reads that address's mail, so they may know of its
        # account. One given by hand is in anybody's hands, first of all in those of who invited.
        knows = found.mailed_at is not None and has_account(found.email)
        facts: dict[str, object] = {"has_account": knows}
    elif teaming.is_for(found, request.user):
        if request.method == "POST":
            return take_invitation(request, request.user, found)
        facts = {"is_for_them": True}
    else:
        facts = {"masked": teaming.masked(found.email)}
    return render(request, "account/invitation.html", {"invitation": found, **facts})
