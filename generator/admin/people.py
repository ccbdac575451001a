"""Users: what they have, spent and may do."""

from typing import Any

import allauth.account.admin
import allauth.mfa.admin
import allauth.usersessions.admin  # noqa: F401  # registered there, to be taken away here
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.paginator import InfinitePaginator

from generator import audit, leaving, usage
from generator.admin import caps
from generator.admin.base import ReadOnlyInline, StudioAdmin
from generator.admin.caps_saving import SetsCaps
from generator.admin.departures import Departures
from generator.admin.sidebar import viewable
from generator.models import Membership, User

# allauth's own pages would show the seed of a second factor and the keys of sessions.
admin.site.unregister([EmailAddress, Authenticator, UserSession, Group])

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, StudioAdmin):
    """Which staff may do what."""

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> list[str]:
        """Only a superuser says what a group may do, or staff could let their own do all."""
        return [] if _is_super(request) else ["permissions"]


class WaysIn(TabularInline):  # type: ignore[misc]  # unfold is not typed
    """What somebody comes in with; that of staff is for superusers to change."""

    def has_add_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """As Django says, of whom it is allowed."""
        return may_let_in(request, obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """As Django says, of whom it is allowed."""
        return may_let_in(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """As Django says, of whom it is allowed."""
        return may_let_in(request, obj) and super().has_delete_permission(request, obj)


class EmailAddressInline(WaysIn):
    """The addresses that a person can sign in with."""

    model = EmailAddress
    fields = ["email", "verified", "primary"]
    extra = 0
    show_title = False


class AuthenticatorInline(WaysIn):
    """Second factors: what there is, and for somebody locked out, the means to take it away."""

    model = Authenticator
    fields = readonly_fields = ["type", "created_at", "last_used_at"]
    extra = 0
    verbose_name_plural = _("second factors")

    def has_add_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only the person, on their own pages."""
        return False


class TeamsOfPerson(ReadOnlyInline):
    """Which teams they are in, and as what; changed on the team's page."""

    model = Membership
    fields = ["team_link", "role", "created_at"]
    show_title = False
    per_page = caps.A_PAGE
    verbose_name_plural = _("teams")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """With what a line shows."""
        self.request = request  # an inline is made anew for each
        rows: QuerySet[Membership] = super().get_queryset(request)
        return rows.select_related("team").order_by("team__name")

    @admin.display(description=_("team"))
    def team_link(self, membership: Membership) -> SafeString:
        """The way to the team."""
        return caps.link_to(membership.team, self.request)


class SetPasswordForm(AdminPasswordChangeForm):  # type: ignore[misc]
    """Django's; that it was done is noted, as the log holds nothing of the password itself."""

    def save(self, commit: bool = True) -> User:
        """Set the password."""
        with transaction.atomic():
            user: User = super().save(commit)
            kind = "set a password" if user.has_usable_password() else "took the password"
            audit.note(user, kind)
        return user


@admin.register(User)
class UserAdmin(SetsCaps, Departures, DjangoUserAdmin):  # type: ignore[type-arg, misc]
    """People. They are suspended, never deleted: their images and entries stay theirs."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = SetPasswordForm
    paginator = InfinitePaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_display = ["username", "email", "name", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser", "groups"]
    search_fields = ["username", "email", "first_name", "last_name"]
    # An account is shut by `leaving.suspend`: a mere tick would leave what waits in the line.
    readonly_fields = ["is_active", "last_login", "date_joined"]
    inlines = [caps.MemberAccounts, TeamsOfPerson, EmailAddressInline, AuthenticatorInline]
    fieldsets = (
        (None, {"fields": ("username", "password", "is_active")}),
        (_("Personal info"), {"fields": ("first_name", "last_name", "email")}),
        (_("Rights"), {"fields": RIGHTS, "classes": ("collapse",)}),
        (_("Dates"), {"fields": ("last_login", "date_joined"), "classes": ("collapse",)}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "email", "usable_password", "password1", "password2")}),
    )
    change_form_outer_before_template = "admin/generator/user/above.html"

    @admin.display(description=_("name"), ordering="first_name")
    def name(self, person: User) -> str:
        """First and last."""
        return person.get_full_name()

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[Any]:
        """None for somebody who is only being made."""
        return list(self.inlines) if obj else []

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """All of them; of the password nothing, where it may not be set: unfold would show what
        is kept of it (T1)."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self._may_set_password(request, obj):
            return fieldsets
        return [
            (title, {**facts, "fields": [name for name in facts["fields"] if name != "password"]})
            for title, facts in fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Only a superuser gives rights, or staff could give themselves all of them."""
        rights = () if _is_super(request) else RIGHTS
        address = () if may_let_in(request, obj) else ("email",)
        return [*self.readonly_fields, *rights, *address]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """The account of another on the staff is for superusers."""
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj == request.user or may_let_in(request, obj))

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Set a password. Raises PermissionDenied where it is for superusers."""
        person = self.get_object(request, id)
        if person is not None and not self._may_set_password(request, person):
            raise PermissionDenied
        page: HttpResponse = super().user_change_password(request, id, form_url)
        return page

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody: suspend them."""
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:  # fmt: skip
        """The page, with what they used this month on top, for those who may see it.

        Accounts that were never used are opened, so that they can be capped.
        """
        person = self.get_object(request, object_id)
        facts: dict[str, Any] = {}
        if person is not None and self.has_view_permission(request, person):
            may_see = viewable(request)
            if may_see["quotaaccount"] or request.user.has_perm("generator.change_cap"):
                caps.open_accounts(person)
            scope = usage.Scope(author=person)
            facts = {
                "may_see": may_see,
                "month": usage.total(scope, caps.this_month()) if may_see["usagetotal"] else None,
                "may_change": self.has_change_permission(request, person),
                "is_oneself": person == request.user,
            }
        extra = {**(extra_context or {}), **facts}
        page: HttpResponse = super().change_view(request, object_id, form_url, extra)
        return page

    def _may_set_password(self, request: HttpRequest, person: User) -> bool:
        return may_let_in(request, person) and self.has_change_permission(request, person)


def may_let_in(request: HttpRequest, person: User | None) -> bool:
    """Whether whoever asks may change how this person comes in: password, addresses, factors.

    Of staff only superusers may, or one with few rights would take over one with many.
    """
    return person is None or not leaving.is_staff(person) or _is_super(request)


def _is_super(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser
