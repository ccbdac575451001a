"""Sharing links as staff see them: whose they are and how they stand, never what opens them."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from generator.admin.base import LargeTableAdmin, OneRowAdmin, people_named, teams_named
from generator.admin.filters import DaysFilter
from generator.admin.looked_up import RowFilter
from generator.models import ShareLink, SharingRules
from generator.models.sharing import ShareLinkQuerySet
from generator.sharing import making, standing

AT_ONCE = 100  # links, or people
LATELY = 50_000  # links whose titles are searched
MOST_TITLED = 100  # links that a search by title finds at most
_MEANS = {
    "revoke": _("Nobody can open these links any more, for good."),
    "revoke_all_of": _(
        "Every link that these people have made, in all teams, is closed for good."
    ),
}  # fmt: skip


@admin.register(ShareLink)
class ShareLinkAdmin(LargeTableAdmin):
    """Addresses, passwords and visitors are the team's affair; staff can only close a link."""

    list_display = ["short_title", "team", "author", "state", "views", "last_opened_at",
                    "created_at"]  # fmt: skip
    list_select_related = ["team", "author"]
    list_filter = [("team", RowFilter), ("author", RowFilter), ("created_at", DaysFilter)]
    search_help_text = _("A link's number or title, its author, or a team's name.")
    ordering = ["-created_at", "-id"]
    actions = ["revoke", "revoke_all_of"]
    actions_detail = ["revoke_here"]
    fields = [
        "short_title", "in_words", "team", "author", "collection", "expires_at", "has_password",
        "most_views", "download", "shows_prompt", "watermark", "audience", "takes_replies", "views",
        "last_opened_at", "created_at", "revoked_at",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> "QuerySet[ShareLink]":
        """With what their state is read from."""
        rows: ShareLinkQuerySet = super().get_queryset(request)
        return rows.with_role()

    def found(self, rows: "QuerySet[ShareLink]", term: str) -> "QuerySet[ShareLink]":
        """By its number, its author, its team or its title."""
        if term.isascii() and term.isdigit() and len(term) < 19:
            return rows.filter(pk=int(term))
        of_them = Q(author__in=people_named(term)) | Q(team__in=teams_named(term))
        return rows.filter(of_them | Q(pk__in=_titled(term)))

    @admin.display(description=_("title"))
    def short_title(self, link: ShareLink) -> str:
        """Enough to tell it from its neighbours."""
        return str(link)

    @display(description=_("state"), label=standing.COLOURS)  # type: ignore[untyped-decorator]
    def state(self, link: ShareLink) -> tuple[str, str]:
        """How it stands now."""
        now = standing.standing(link)
        return now.kind, now.words

    @admin.display(description=_("state"))
    def in_words(self, link: ShareLink) -> str:
        """The same on a page of its own."""
        return standing.standing(link).words

    @admin.display(description=_("password"), boolean=True)
    def has_password(self, link: ShareLink) -> bool:
        """Whether it has one."""
        return bool(link.password)

    # ── What staff may do ──

    def has_revoke_permission(self, request: HttpRequest, pk: object = None) -> bool:
        """Staff who may change links, by Django's permissions."""
        return request.user.has_perm("generator.change_sharelink")

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """The button, where it would do something."""
        buttons: list[Any] = super().get_actions_detail(request, object_id)
        link = self.get_object(request, object_id) if buttons else None
        return buttons if link and not link.revoked_at else []

    @admin.action(description=_("Revoke"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, links: "QuerySet[ShareLink]") -> HttpResponse | None:
        """Close the chosen links, once that is confirmed."""
        return self._do("revoke", request, links)

    @admin.action(description=_("Revoke all links of their authors"), permissions=["revoke"])
    def revoke_all_of(
        self, request: HttpRequest, links: "QuerySet[ShareLink]"
    ) -> HttpResponse | None:
        """Close every link of whoever made the chosen ones, once that is confirmed."""
        return self._do("revoke_all_of", request, links)

    @action(description=_("Revoke"), permissions=["revoke"], url_path="revoke")  # type: ignore[untyped-decorator]
    def revoke_here(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask whether to close this one; the answer goes to the list."""
        link = self.get_object(request, object_id)
        if link is None:
            raise Http404
        return self._ask("revoke", request, [link])

    def _do(
        self, name: str, request: HttpRequest, links: "QuerySet[ShareLink]"
    ) -> HttpResponse | None:
        chosen = list(links.select_related("team", "author")[: AT_ONCE + 1])
        if len(chosen) > AT_ONCE:
            text = gettext("Choose at most %(most)d at once.") % {"most": AT_ONCE}
            self.message_user(request, text, messages.ERROR)
            return None
        if "confirmed" not in request.POST:
            return self._ask(name, request, chosen)
        rows = ShareLink.objects.filter(pk__in=[link.pk for link in chosen])
        if name == "revoke_all_of":
            rows = ShareLink.objects.filter(author__in={link.author_id for link in chosen})
        count = making.revoke(rows)
        text = ngettext("%(count)d link was revoked.", "%(count)d links were revoked.", count)
        level = messages.SUCCESS if count else messages.WARNING
        self.message_user(request, text % {"count": count}, level)
        return None

    def _ask(self, name: str, request: HttpRequest, chosen: list[ShareLink]) -> HttpResponse:
        people = {link.author for link in chosen}
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Revoke?"),
            "name": name,
            "means": _MEANS[name],
            "chosen": chosen,
            "people": sorted(person.shown_name for person in people),
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/generator/sharelink/revoke.html", context)


def _titled(term: str) -> list[int]:
    """The keys of a few links whose title holds this, the newest, of those made lately."""
    newest = ShareLink.objects.order_by("-created_at", "-id").values("pk")[:LATELY]
    found = ShareLink.objects.filter(pk__in=newest, title__icontains=term)
    return list(found.order_by("-created_at", "-id").values_list("pk", flat=True)[:MOST_TITLED])


@admin.register(SharingRules)
class SharingRulesAdmin(OneRowAdmin):
    """What is allowed of every link."""

    fieldsets = [
        (
            None,
            {
                "fields": ["default_days", "never_allowed"],
                "description": _(
                    "What holds of links that are made or changed from now on; those that are "
                    "there keep their end until somebody changes them. Where links without an end "
                    "are not allowed, none is open for longer than a year, or than these days if "
                    "they are more."
                ),
            },
        ),
    ]
