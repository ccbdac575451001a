"""Users, teams, invitations."""

from typing import Any

import allauth.account.admin
import allauth.mfa.admin
import allauth.usersessions.admin  # noqa: F401  # registered there, to be taken away here
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from generator.admin.base import StudioAdmin
from generator.models import Invitation, Membership, Team, User

# allauth's own pages would show the seed of a second factor and the keys of sessions.
admin.site.unregister([EmailAddress, Authenticator, UserSession, Group])

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, StudioAdmin):
    """Which staff may do what."""


class EmailAddressInline(TabularInline):  # type: ignore[misc]
    """The addresses that a person can sign in with."""

    model = EmailAddress
    fields = ["email", "verified", "primary"]
    extra = 0


class AuthenticatorInline(TabularInline):  # type: ignore[misc]
    """Second factors: what there is, and for somebody locked out, the means to take it away."""

    model = Authenticator
    fields = readonly_fields = ["type", "created_at", "last_used_at"]
    extra = 0
    verbose_name_plural = _("second factors")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the person, on their own pages."""
        return False


@admin.register(User)
class UserAdmin(DjangoUserAdmin, StudioAdmin):  # type: ignore[type-arg]
    """People. They are suspended, never deleted: their images and entries stay theirs."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "get_full_name", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser", "groups"]
    search_fields = ["username", "email", "first_name", "last_name"]
    readonly_fields = ["last_login", "date_joined"]
    inlines = [EmailAddressInline, AuthenticatorInline]
    actions = ["suspend", "open_again"]
    add_fieldsets = (
        (None, {"fields": ("username", "email", "usable_password", "password1", "password2")}),
    )

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        """None for somebody who is only being made."""
        return list(self.inlines) if obj else []

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Only a superuser gives rights, or staff could give themselves all of them."""
        return [*self.readonly_fields, *([] if _is_super(request) else RIGHTS)]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A superuser's account, password and all, is for superusers."""
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or not obj.is_superuser or _is_super(request))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody: suspend them."""
        return False

    @admin.action(
        description=_("Suspend: no sign-in, and open sessions end"), permissions=["change"]
    )
    def suspend(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Shut the accounts, but never one's own, nor, as mere staff, a superuser's."""
        others = people.exclude(username=request.user.get_username())
        if not _is_super(request):
            others = others.filter(is_superuser=False)
        count = others.update(is_active=False)
        self.message_user(request, gettext("Suspended: %(count)d.") % {"count": count})

    @admin.action(description=_("Open suspended accounts again"), permissions=["change"])
    def open_again(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Let them sign in again."""
        count = people.filter(is_active=False).update(is_active=True)
        self.message_user(request, gettext("Opened again: %(count)d.") % {"count": count})


def _is_super(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


class MembershipInline(TabularInline):  # type: ignore[misc]
    """Who is in the team, and as what."""

    model = Membership
    autocomplete_fields = ["user"]
    fields = ["user", "role"]
    extra = 0


@admin.register(Team)
class TeamAdmin(StudioAdmin):
    """Teams and their members."""

    list_display = ["name", "slug", "personal_of", "time_zone", "created_at"]
    list_select_related = ["personal_of"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["personal_of"]
    inlines = [MembershipInline]

    def has_delete_permission(self, request: HttpRequest, obj: Team | None = None) -> bool:
        """Nobody: a team holds images and a ledger."""
        return False


@admin.register(Invitation)
class InvitationAdmin(StudioAdmin):
    """Made here, and shown once: the link's secret is not kept. Deleting one takes it back."""

    list_display = ["email", "team", "role", "invited_by", "expires_at", "accepted_at"]
    list_select_related = ["team", "invited_by"]
    list_filter = ["role", "team"]
    search_fields = ["email", "team__name"]
    fields = ["team", "email", "role", "expires_at"]
    autocomplete_fields = ["team"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: what an invitation promised stays; another one is quickly made."""
        return False

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        """Keep the invitation, and tell its link to whoever made it."""
        assert isinstance(request.user, User)
        obj.invited_by = request.user
        secret = obj.new_secret()
        super().save_model(request, obj, form, change)
        link = request.build_absolute_uri(reverse("invitation", args=[secret]))
        text = gettext("Send this link to %(email)s; it is shown only now: %(link)s")
        messages.warning(request, text % {"email": obj.email, "link": link})
