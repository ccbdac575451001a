"""Signing up and signing in: what allauth leaves to the house.

Signing up is closed unless a setting or an invitation opens it. An invitation that somebody
anonymous has said yes to waits in their session, and is taken once they are signed in.
"""

from typing import Any, Protocol

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm, SignupForm
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django.conf import settings
from django.contrib import messages
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext, gettext_lazy

from generator import teaming
from generator.errors import StudioError
from generator.models import Invitation, User

WAITING = "invitation"
NO_MATCH = gettext_lazy("Name and password do not match.")


class HasSession(Protocol):
    """A request, as far as an invitation needs one."""

    session: SessionBase


def hold_invitation(request: HasSession, secret: str) -> None:
    """Keep the secret of an invitation until its bearer has signed in."""
    request.session[WAITING] = secret


def waiting_invitation(request: HasSession) -> Invitation | None:
    """The invitation that this session waits to take, if it may still be taken."""
    return Invitation.objects.open(request.session.get(WAITING, ""))


def has_account(email: str) -> bool:
    """Whether an account signs in with this address."""
    is_confirmed = EmailAddress.objects.filter(email__iexact=email, verified=True).exists()
    return is_confirmed or User.objects.filter(email__iexact=email).exists()


def take_invitation(request: HttpRequest, user: User, invitation: Invitation) -> HttpResponseBase:
    """Make `user` a member of the team they were asked into, say so, and lead them there.

    Where they may not be, say why and lead them home.
    """
    request.session.pop(WAITING, None)
    try:
        teaming.join(invitation, user)
    except teaming.NotForThem:
        messages.error(request, _for_whom(invitation, user))
        return redirect("home")
    except StudioError as refusal:
        messages.error(request, str(refusal))
        return redirect("home")
    messages.success(request, gettext("You are in %(team)s now.") % {"team": invitation.team})
    return redirect("studio", invitation.team.slug)


def _for_whom(invitation: Invitation, user: User) -> str:
    text = gettext(
        "The invitation into %(team)s is for %(email)s, and you are signed in as %(name)s. "
        "Sign out and open its link again, or ask for an invitation to an address of yours."
    )
    return text % {
        "team": invitation.team,
        "email": teaming.masked(invitation.email),
        "name": user.shown_name,
    }


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is not typed
    """Who may sign up, and where a sign-in leads."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": NO_MATCH,
        "username_password_mismatch": NO_MATCH,
        "too_many_login_attempts": gettext_lazy(
            "Too many wrong tries. Wait five minutes, then try again, or set a new password."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether the setting, or an invitation that waits, lets this visitor sign up."""
        return settings.SIGN_UP_OPEN or waiting_invitation(request) is not None

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """Whether an invitation that was mailed to this address leads to this sign-up: whoever has
        its link reads the mail."""
        invitation = waiting_invitation(request)
        if invitation is not None and invitation.mailed_at is not None:
            return bool(invitation.email.lower() == email.lower())
        return bool(super().is_email_verified(request, email))

    def post_login(self, request: HttpRequest, user: User, **facts: Any) -> HttpResponseBase:
        """Where to go, signed in: into the team of an invitation that waits, else where meant."""
        response: HttpResponseBase = super().post_login(request, user, **facts)
        invitation = waiting_invitation(request)
        if invitation is None:
            return response
        return take_invitation(request, user, invitation)


class SignInForm(LoginForm):  # type: ignore[misc]
    """allauth's, in our words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = gettext("E-mail or user name")
        self.fields["login"].widget.attrs["autocomplete"] = "username webauthn"
        self.fields["password"].help_text = ""  # the page has the link beside the label
        self.fields["remember"].initial = True
        self.fields["remember"].label = gettext("Stay signed in on this device")

    def clean(self) -> Any:
        """allauth's check, its refusal put beside the password."""
        try:
            return super().clean()
        except ValidationError as refusal:
            self.add_error("password", refusal)
            return self.cleaned_data

    @property
    def sign_up_open(self) -> bool:
        """Whether the page shows the way to signing up."""
        return AccountAdapter().is_open_for_signup(self.request)


class SignUpForm(SignupForm):  # type: ignore[misc]
    """allauth's; for the invited, with the address that the invitation went to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invitation = waiting_invitation(context.request)
        if self.invitation is not None:
            # Disabled: what is posted for it counts for nothing. The form's own initial value,
            # since that wins over the field's and can come from the address line.
            self.initial["email"] = self.invitation.email
            self.fields["email"].disabled = True


class AddKeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """allauth's; a key is a passkey unless somebody wants it otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].initial = True
        self.fields["passwordless"].label = gettext("Sign in with it alone, without a password")
        self.fields["passwordless"].help_text = ""
