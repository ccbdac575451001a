"""What stands on a generation's page besides its own facts: rows that belong to it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generator.admin.base import FirstRows, ReadOnlyInline
from generator.admin.cells import linked, signed
from generator.admin.verdicts import STEP_WORDS
from generator.models import GivenReference, ImageAsset, KeptReply, LedgerEntry, Step


class ImageAssetInline(ReadOnlyInline):
    """What a generation made."""

    model = ImageAsset
    fields = ["number", "format", "width", "height", "size", "created_at", "trashed_at"]
    show_title = False

    @admin.display(description=_("position"))
    def number(self, image: ImageAsset) -> SafeString:
        """Which of them it is; leads to its page."""
        return linked(reverse("admin:generator_imageasset_change", args=[image.pk]), image.position)


class GivenReferenceInline(ReadOnlyInline):
    """What went along with the prompt."""

    model = GivenReference
    fields = ["purpose", "position", "reference"]
    show_title = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[GivenReference]:
        """With what is shown of each."""
        rows: QuerySet[GivenReference] = super().get_queryset(request)
        return rows.select_related("reference")


class LedgerEntryInline(ReadOnlyInline):
    """What was held, settled or given back, in the author's account and in the team's."""

    model = LedgerEntry
    fields = ["created_at", "account", "what", "signed", "reason", "by"]
    ordering = ["created_at", "pk"]
    show_title = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerEntry]:
        """With what is shown of each."""
        rows: QuerySet[LedgerEntry] = super().get_queryset(request)
        return rows.select_related("account__team", "account__user", "by")

    @admin.display(description=_("what"))
    def what(self, entry: LedgerEntry) -> SafeString:
        """In the words that members read; leads to its page."""
        return linked(reverse("admin:generator_ledgerentry_change", args=[entry.pk]), entry.what)

    @admin.display(description=_("credits"))
    def signed(self, entry: LedgerEntry) -> str:
        """With its sign."""
        return signed(entry.credits)


class KeptReplyInline(ReadOnlyInline):
    """What the gateway answered: without keys, prompts, links' secrets and images."""

    model = KeptReply
    formset = FirstRows
    verbose_name_plural = _("the gateway's answers, kept for 30 days")
    show_title = False
    fields = ["at", "asked", "answered", "took", "request_id", "said"]

    @admin.display(description=_("what for"))
    def asked(self, reply: KeptReply) -> str:
        """What the call was to do."""
        return str(STEP_WORDS[Step(reply.step)])

    @admin.display(description=_("answer"))
    def answered(self, reply: KeptReply) -> str:
        """Its status of HTTP, where there was one."""
        return str(reply.status or gettext("no answer came"))

    @admin.display(description=_("seconds"))
    def took(self, reply: KeptReply) -> str:
        """To the tenth of a second."""
        return number_format(reply.seconds, 1)

    @admin.display(description=_("what it said"))
    def said(self, reply: KeptReply) -> SafeString:
        """As text, whatever it is."""
        style = "white-space: pre-wrap; overflow-wrap: anywhere; max-width: 60ch; margin: 0"
        return format_html(
            '<details><summary>{}</summary><pre style="{}">{}</pre></details>',
            gettext("Show") if reply.text else gettext("nothing"), style, reply.text,
        )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All that is shown."""
        return list(self.fields)
