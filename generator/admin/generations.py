"""Generations: what became of each, and what staff may do with them."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from generator.admin import deeds
from generator.admin.base import people_named
from generator.admin.beside_generations import (
    GivenReferenceInline,
    ImageAssetInline,
    KeptReplyInline,
    LedgerEntryInline,
)
from generator.admin.deeds import CANCEL, GIVE_BACK, LOOK_AGAIN, Deed
from generator.admin.filters import DaysFilter, ModelFilter, ReasonFilter
from generator.admin.in_words import GenerationInWords
from generator.admin.looked_up import RowFilter
from generator.admin.sidebar import may_view
from generator.admin.verdicts import verdict
from generator.models import (
    UNDER_WAY,
    Generation,
    Status,
    User,
)
from generator.overview.failing import in_brief

MOST_ASKED = 20  # generations of one request id
LONGEST_REASON = 200  # characters, as the ledger keeps them
COLOURS = {
    Status.SUCCEEDED: "success", Status.FAILED: "danger", Status.QUEUED: "warning",
    Status.SUBMITTING: "info", Status.RUNNING: "info", Status.STORING: "info",
}  # fmt: skip


@admin.register(Generation)
class GenerationAdmin(GenerationInWords):
    """Prompts are other people's words: a generation's own page shows its prompt, no list does."""

    list_display = [
        "short_id", "state", "label", "action", "team", "author", "count", "price", "cost",
        "created_at",
    ]  # fmt: skip
    list_display_links = ["short_id"]
    list_select_related = ["team", "author"]
    list_filter = [
        ("status", ChoicesDropdownFilter), ReasonFilter, ModelFilter,
        ("team", RowFilter), ("author", RowFilter),
        ("created_at", DaysFilter),
    ]  # fmt: skip
    linked = {
        "id__in": (), "created_at__gte": (), "status__in": UNDER_WAY, "due_at__lt": UNDER_WAY,
        "note__exact": UNDER_WAY, "storing_attempts__gte": UNDER_WAY,
        "reason_code__in": [Status.FAILED], "reason_code__exact": [Status.FAILED],
    }  # fmt: skip
    search_help_text = _("A generation's or a request's id, or its author.")
    ordering = ["-created_at", "-id"]
    inlines = [KeptReplyInline, LedgerEntryInline, ImageAssetInline, GivenReferenceInline]
    actions = ["look_again", "cancel_waiting", "give_back"]
    actions_detail = ["look_again_here", "cancel_here", "give_back_here"]
    change_form_before_template = "admin/generator/generation/above.html"
    fieldsets = (
        (None, {
            "fields": (
                "status", "why", "reason", "team", "author", "created_at", "started_at",
                "finished_at",
            )
        }),
        (_("What was asked"), {
                "fields": (
                    "in_catalogue", "label", "model_id", "action", "prompt", "settings", "count",
                    "made_from", "pressed", "made_from_it",
                )
            },
        ),
        (_("Credits"), {"fields": ("price", "held_for", "cost")}),
        (
            _("What happened"),
            {
                "fields": (
                    "tries", "tries_to_fetch", "tries_to_keep", "next_look", "worker",
                    "providers_number", "request_id", "used_in_words", "counted", "note",
                    "model_said", "failed_members",
                )
            },
        ),
    )  # fmt: skip

    def found(self, rows: QuerySet[Generation], term: str) -> QuerySet[Generation]:
        """By its own id, a request's id or its author."""
        try:
            return rows.filter(pk=uuid.UUID(term))
        except ValueError:
            pass
        authors = people_named(term)
        if len(authors) == 1:  # one author's are in order as they lie
            return rows.filter(author=authors[0])
        return rows.filter(author__in=authors) if authors else rows.filter(pk__in=_asked_as(term))

    @admin.display(description=_("id"))
    def short_id(self, generation: Generation) -> str:
        """Enough to tell it from its neighbours."""
        return str(generation.pk)[:8]

    @display(description=_("status"), label=COLOURS)  # type: ignore[untyped-decorator]
    def state(self, generation: Generation) -> tuple[str, str]:
        """The status, and why one failed."""
        words = str(generation.get_status_display())
        code = generation.reason_code if generation.status == Status.FAILED else ""
        return generation.status, f"{words}: {_lower(in_brief(code))}" if code else words

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All that is shown."""
        return [name for _title, facts in self.fieldsets for name in facts["fields"]]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        """The page, with what became of it on top."""
        generation = kwargs.get("obj")
        if generation is not None:
            may_see_answers = may_view(request, "generator.keptreply")
            context["verdict"] = verdict(generation, with_answer=may_see_answers)
        page: HttpResponse = super().render_change_form(request, context, **kwargs)
        return page

    # ── What staff may do ──

    def has_act_permission(self, request: HttpRequest, pk: object = None) -> bool:
        """Staff who may change generations, by Django's permissions."""
        return request.user.has_perm("generator.change_generation")

    def has_give_back_permission(self, request: HttpRequest, pk: object = None) -> bool:
        """Those of them who may grant: to give back is to grant."""
        may_grant = request.user.has_perm("generator.add_ledgerentry")
        return may_grant and self.has_act_permission(request, pk)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """The buttons that would do something."""
        buttons: list[Any] = super().get_actions_detail(request, object_id)
        generation = self.get_object(request, object_id) if buttons else None
        if generation is None:
            return []
        idle = {
            "look_again_here": deeds.why_not(LOOK_AGAIN, generation),
            "cancel_here": deeds.why_not(CANCEL, generation),
            "give_back_here": deeds.is_own(generation, request.user)
            or deeds.why_not(GIVE_BACK, generation),
        }
        return [each for each in buttons if not idle[each.method.__name__]]

    @admin.action(description=LOOK_AGAIN.title, permissions=["act"])
    def look_again(self, request: HttpRequest, rows: QuerySet[Generation]) -> HttpResponse | None:
        """Look at the chosen ones now."""
        return self._do(LOOK_AGAIN, request, rows)

    @admin.action(description=CANCEL.title, permissions=["act"])
    def cancel_waiting(
        self, request: HttpRequest, rows: QuerySet[Generation]
    ) -> HttpResponse | None:
        """Withdraw the chosen ones that have not begun; the rest is left alone."""
        return self._do(CANCEL, request, rows)

    @admin.action(description=GIVE_BACK.title, permissions=["give_back"])
    def give_back(self, request: HttpRequest, rows: QuerySet[Generation]) -> HttpResponse | None:
        """Give back what the chosen ones cost, for a reason that is asked for."""
        return self._do(GIVE_BACK, request, rows)

    @action(description=LOOK_AGAIN.title, permissions=["act"], url_path="look-again")  # type: ignore[untyped-decorator]
    def look_again_here(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Look at this one now, once that is confirmed."""
        return self._do_here(LOOK_AGAIN, request, object_id)

    @action(description=_("Cancel"), permissions=["act"], url_path="cancel")  # type: ignore[untyped-decorator]
    def cancel_here(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Withdraw this one, once that is confirmed."""
        return self._do_here(CANCEL, request, object_id)

    @action(description=GIVE_BACK.title, permissions=["give_back"], url_path="give-back")  # type: ignore[untyped-decorator]
    def give_back_here(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give back what this one cost, for a reason that is asked for."""
        return self._do_here(GIVE_BACK, request, object_id)

    def _do(
        self, deed: Deed, request: HttpRequest, rows: QuerySet[Generation]
    ) -> HttpResponse | None:
        chosen = list(rows.select_related("team", "author")[: deeds.AT_ONCE + 1])
        if len(chosen) > deeds.AT_ONCE:
            text = gettext("Choose at most %(most)d at once.") % {"most": deeds.AT_ONCE}
            self.message_user(request, text, messages.ERROR)
            return None
        reason = request.POST.get("reason", "").strip()[:LONGEST_REASON]
        if deed.needs_reason and not reason:
            return self._ask(deed, request, chosen)
        self._carry_out(deed, request, chosen, reason)
        return None

    def _do_here(self, deed: Deed, request: HttpRequest, pk: str) -> HttpResponse:
        generation = get_object_or_404(Generation.objects.select_related("team", "author"), pk=pk)
        reason = request.POST.get("reason", "").strip()[:LONGEST_REASON]
        if request.method != "POST" or (deed.needs_reason and not reason):
            if why_not := deeds.why_not(deed, generation):
                self.message_user(request, why_not, messages.WARNING)
                return redirect("admin:generator_generation_change", generation.pk)
            return self._ask(deed, request, [generation], here=True)
        self._carry_out(deed, request, [generation], reason)
        return redirect("admin:generator_generation_change", generation.pk)

    def _ask(
        self, deed: Deed, request: HttpRequest, chosen: list[Generation], *, here: bool = False
    ) -> HttpResponse:
        """A page that says what it means, and asks why where that is wanted."""
        context = {
            **self.admin_site.each_context(request), "title": deed.title, "deed": deed,
            "chosen": chosen, "opts": self.opts, "here": here, "longest": LONGEST_REASON,
            "said_nothing": "reason" in request.POST,
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        }  # fmt: skip
        return TemplateResponse(request, "admin/generator/generation/confirm.html", context)

    def _carry_out(
        self, deed: Deed, request: HttpRequest, chosen: Iterable[Generation], reason: str
    ) -> None:
        if not isinstance(request.user, User):
            raise PermissionDenied
        done = deeds.carry_out(deed, chosen, reason=reason, by=request.user)
        level = messages.SUCCESS if done.count else messages.WARNING
        self.message_user(request, deeds.told(deed, done), level)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _asked_as(request_id: str) -> list[uuid.UUID]:
    """The keys of those with this request id, read from its own index before anything is sorted."""
    rows = Generation.objects.filter(request_id=request_id).exclude(request_id="").order_by()
    return list(rows.values_list("pk", flat=True)[:MOST_ASKED])
