"""Teams with members and credits, and invitations."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.paginator import InfinitePaginator

from generator import lifecycle, live
from generator.admin import caps
from generator.admin.base import LargeTable, StudioAdmin, teams_named
from generator.admin.caps_saving import SetsCaps
from generator.admin.looked_up import LookedUp
from generator.admin.sidebar import viewable
from generator.models import Invitation, Membership, Team, User
from generator.sharing import making

ZONE_CHANGE = _(
    "Days and months of credits begin by this clock. After a change, what was spent stays on the "
    "day on which it was spent; only today may begin sooner or later, so that once a cap of a day "
    "starts anew too early, or too late."
)


class NewMemberInline(LookedUp, TabularInline):  # type: ignore[misc]  # unfold is not typed
    """To put somebody into the team."""

    model = Membership
    autocomplete_fields = ["user"]
    fields = ["user", "role"]
    extra = 0
    verbose_name = _("member")
    verbose_name_plural = _("add members")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """None: those that are there stand in a list of their own."""
        return super().get_queryset(request).none()  # type: ignore[no-any-return]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody, here."""
        return False


class MembershipInline(TabularInline):  # type: ignore[misc]
    """Who is in the team, and as what; a page at a time."""

    model = Membership
    fields = ["member", "role", "created_at"]
    readonly_fields = ["member", "created_at"]
    extra = 0
    show_title = False
    per_page = caps.A_PAGE
    verbose_name_plural = _("members")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """With what a line shows."""
        self.request = request  # an inline is made anew for each
        rows: QuerySet[Membership] = super().get_queryset(request)
        return rows.select_related("user", "team").order_by("user__username")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not among those that are there."""
        return False

    @admin.display(description=_("member"))
    def member(self, membership: Membership) -> SafeString:
        """The way to the person."""
        return caps.link_to(membership.user, self.request)


@admin.register(Team)
class TeamAdmin(SetsCaps, StudioAdmin):
    """Teams, their members and what they may spend."""

    paginator = InfinitePaginator
    show_full_result_count = False
    list_per_page = 50
    list_display = ["name", "slug", "personal_of", "time_zone", "created_at"]
    list_select_related = ["personal_of"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    readonly_fields = ["personal_of"]
    inlines = [
        MembershipInline, NewMemberInline, caps.PoolAccount, caps.TeamAccounts,
    ]  # fmt: skip
    change_form_outer_before_template = "admin/generator/team/above.html"

    def get_inlines(self, request: HttpRequest, obj: Team | None) -> list[Any]:
        """For a team that is only being made: those it begins with."""
        return list(self.inlines) if obj else [NewMemberInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Whose own it is, never; its address, once it is out in the world."""
        return [*self.readonly_fields, *(["slug"] if obj else [])]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        """The address follows the name while the team is being made."""
        return {} if obj else dict(self.prepopulated_fields)

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """The usual form; the time zone says what a change of it does."""
        kwargs["help_texts"] = {"time_zone": ZONE_CHANGE if obj else ""}
        return super().get_form(request, obj, **kwargs)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save what is beside the team. Who is taken out, or may not share any more, has no open
        links there; what waits of who may not make images any more is withdrawn."""
        super().save_formset(request, form, formset, change)
        for gone in getattr(formset, "deleted_objects", []):
            if isinstance(gone, Membership):
                making.revoke_of(gone.user, gone.team)
                live.membership_changed([gone.team_id])
                _withdraw_then(gone)
        for changed, _fields in getattr(formset, "changed_objects", []):
            if isinstance(changed, Membership):
                making.revoke_without_right(changed)
                live.membership_changed([changed.team_id])
                if not changed.may_make:
                    _withdraw_then(changed)

    def has_delete_permission(self, request: HttpRequest, obj: Team | None = None) -> bool:
        """Nobody: a team holds images and a ledger."""
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page; a pool that was never used is opened, so that it can be capped."""
        team = self.get_object(request, object_id)
        may_see = viewable(request)
        may_see_accounts = may_see["quotaaccount"] or request.user.has_perm("generator.change_cap")
        if team is not None and may_see_accounts and self.has_view_permission(request, team):
            caps.open_accounts(team)
        kwargs["extra_context"] = {**(kwargs.get("extra_context") or {}), "may_see": may_see}
        page: HttpResponse = super().change_view(request, object_id, *args, **kwargs)
        return page


def _withdraw_then(member: Membership) -> None:
    """Withdraw what waits once the save is committed.

    Within it the accounts are locked, and a worker that closes one of these holds it and waits for
    them. The sweep does it where the process ends in between.
    """
    transaction.on_commit(partial(lifecycle.withdraw, member.user, member.team))


@admin.register(Invitation)
class InvitationAdmin(LookedUp, LargeTable):
    """Made here, and shown once: the link's secret is not kept. Deleting one takes it back."""

    list_display = ["email", "team", "role", "invited_by", "expires_at", "accepted_at"]
    list_select_related = ["team", "invited_by"]
    list_filter = ["role", ("accepted_at", admin.EmptyFieldListFilter)]
    search_help_text = _("How an address begins, or a team's name.")
    ordering = ["-id"]
    fields = ["team", "email", "role", "expires_at"]
    autocomplete_fields = ["team"]

    def found(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """By address or team."""
        return rows.filter(Q(email__istartswith=term) | Q(team__in=teams_named(term)))

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
