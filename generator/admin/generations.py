"""Generations, their images, and the workers that make them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from generator import lifecycle
from generator.admin.base import ReadOnlyAdmin, ReadOnlyInline
from generator.errors import AlreadyMoved, IllegalMove
from generator.models import Generation, GivenReference, ImageAsset, WorkerSeen


class ImageAssetInline(ReadOnlyInline):
    """What a generation made."""

    model = ImageAsset
    fields = ["position", "format", "width", "height", "size", "created_at"]


class GivenReferenceInline(ReadOnlyInline):
    """What went along with the prompt."""

    model = GivenReference
    fields = ["purpose", "position", "reference"]


@admin.register(Generation)
class GenerationAdmin(ReadOnlyAdmin):
    """Prompts are other people's words: a generation's own page shows its prompt, no list does."""

    list_display = [
        "id", "status", "label", "action", "team", "author", "count", "price", "cost", "created_at",
    ]  # fmt: skip
    list_select_related = ["team", "author"]
    list_filter = [
        "status", "label", "action", "provider", ("team", admin.RelatedOnlyFieldListFilter),
    ]  # fmt: skip
    search_fields = ["=id", "author__username", "author__email", "=request_id"]
    search_help_text = _("A generation's or a request's id, or its author.")
    date_hierarchy = "created_at"
    ordering = ["-created_at"]
    show_full_result_count = False
    inlines = [GivenReferenceInline, ImageAssetInline]
    actions = ["cancel_waiting"]
    fieldsets = (
        (None, {"fields": ("status", "reason", "reason_code", "team", "author", "created_at")}),
        (_("What was asked"), {
                "fields": (
                    "label", "wire_model", "action", "prompt", "fields", "count", "parent",
                    "parent_position", "button_label",
                )
            },
        ),
        (_("Credits"), {"fields": ("price", "price_basis", "cost")}),
        (
            _("What happened"),
            {
                "fields": (
                    "attempts", "storing_attempts", "started_at", "finished_at", "due_at",
                    "claimed_by", "task_id", "request_id", "used", "usage", "note", "texts",
                    "failed_members",
                )
            },
        ),
    )  # fmt: skip

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Staff who may change generations, by Django's permissions."""
        return request.user.has_perm("generator.change_generation")

    @admin.action(description=_("Cancel those that still wait"), permissions=["cancel"])
    def cancel_waiting(self, request: HttpRequest, generations: QuerySet[Generation]) -> None:
        """Withdraw the chosen ones that have not begun; the rest is left alone."""
        count = sum(_cancelled(generation) for generation in generations)
        text = ngettext(
            "%(count)d generation was cancelled.", "%(count)d generations were cancelled.", count
        )
        self.message_user(request, text % {"count": count})


def _cancelled(generation: Generation) -> bool:
    try:
        lifecycle.cancel(generation)
    except (AlreadyMoved, IllegalMove):
        return False
    return True


@admin.register(ImageAsset)
class ImageAssetAdmin(ReadOnlyAdmin):
    """What is stored; to look at the images themselves one has to be in the team."""

    list_display = ["id", "generation", "team", "format", "width", "height", "size", "created_at"]
    list_select_related = ["generation", "team"]
    list_filter = ["format", ("team", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["=id", "=generation__id"]
    date_hierarchy = "created_at"
    ordering = ["-created_at"]
    show_full_result_count = False
    fields = [
        "generation", "team", "position", "format", "content_type", "width", "height", "size",
        "digest", "thumbnails_at", "created_at",
    ]  # fmt: skip


@admin.register(WorkerSeen)
class WorkerSeenAdmin(ReadOnlyAdmin):
    """Signs of life."""

    list_display = ["name", "seen_at"]
    ordering = ["-seen_at"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """All staff: it says only which workers live."""
        return request.user.is_staff
