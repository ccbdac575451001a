"""Which models are offered, and at what price."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Field
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from generator import balance, catalogue_sync, jobs
from generator.admin.base import StudioAdmin
from generator.admin.pricing import (
    PRICE_FIELDS,
    PricedForm,
    bounded,
    gateways_numbers,
    made_of_it,
    what_is_free,
)
from generator.errors import ProviderError
from generator.families import FAMILIES
from generator.listed_prices import price_without_staff
from generator.models import CatalogueEntry, PriceSource
from generator.models.storage import is_reachable

MOST_TOLD = 12  # changes of a sync that are told one by one
MOST_CHANGES = 8  # on the page of an entry


@admin.register(CatalogueEntry)
class CatalogueEntryAdmin(StudioAdmin):
    """Offers and prices are edited in the list; a price that staff set stays the staff's."""

    form = PricedForm
    list_display = [
        "label", "wire_model", "family_or_none", "offered", "price", "credits_each",
        "price_source", "at_the_gateway", "position",
    ]  # fmt: skip
    list_editable = ["offered", "credits_each"]
    list_filter = [
        "offered", "price_kind", "price_source", ("gone_at", admin.EmptyFieldListFilter), "family",
    ]  # fmt: skip
    search_fields = ["label", "wire_model"]
    readonly_fields = [
        "price", "price_source", "at_its_list", "made_of_it", "not_shown", "seen_at", "gone_at",
        "listed", "newest_changes",
    ]  # fmt: skip
    fieldsets = [
        (None, {"fields": ("label", "wire_model", "family", "offered", "position", "not_shown")}),
        (
            _("Price"),
            {
                "description": _(
                    "A price that you change here is the staff's: no sync overwrites it, and "
                    "neither the gateway's ratio nor the deployment's factor is put on it."
                ),
                "fields": (
                    "price", "price_source", "price_kind", "credits_each", "tokens_in",
                    "tokens_out", "rates", "at_its_list", "made_of_it",
                ),
            },
        ),
        (_("At the gateway"), {"fields": ("seen_at", "gone_at", "newest_changes", "listed")}),
    ]  # fmt: skip
    list_before_template = "admin/generator/catalogueentry/above.html"
    change_form_outer_before_template = "admin/generator/catalogueentry/price.html"

    @admin.display(description=_("price of one image"))
    def price(self, entry: CatalogueEntry) -> str:
        """What people are shown, with every setting as it is at first."""
        return entry.price_words

    @admin.display(description=_("in the gateway's list"))
    def at_its_list(self, entry: CatalogueEntry) -> str:
        """The raw numbers."""
        return gateways_numbers(entry)

    @admin.display(description=_("multiplied by"))
    def made_of_it(self, entry: CatalogueEntry) -> str:
        """Ratio and factor."""
        return made_of_it(entry)

    @admin.display(description=_("newest changes"))
    def newest_changes(self, entry: CatalogueEntry) -> SafeString | str:
        """What the last syncs changed."""
        newest = entry.changes.all()[:MOST_CHANGES]
        lines = [
            (date_format(change.at, "SHORT_DATETIME_FORMAT"), change.in_words) for change in newest
        ]
        return format_html_join("", "<p>{}: {}</p>", lines) or gettext("none")

    @admin.display(description=_("family"), ordering="family")
    def family_or_none(self, entry: CatalogueEntry) -> str:
        """The family, or that this release knows none for it."""
        return entry.family or gettext("not known: nobody can pick it")

    @admin.display(description=_("at the gateway"), ordering="seen_at")
    def at_the_gateway(self, entry: CatalogueEntry) -> str:
        """Since when it is missing there, or when it was last seen."""
        if entry.gone_at:
            return gettext("missing since %(day)s") % {"day": date_format(entry.gone_at)}
        if entry.seen_at:
            return gettext("seen %(day)s") % {"day": date_format(entry.seen_at)}
        return gettext("never seen")

    @admin.display(description=_("not shown to people"))
    def not_shown(self, entry: CatalogueEntry) -> str:
        """What of the model the page leaves out, and why."""
        family = FAMILIES.get(entry.family)
        if family is None or is_reachable():
            return gettext("nothing")
        needy = [rule for rule in family.actions.values() if rule.styles and rule.styles.needs_link]
        if not needy:
            return gettext("nothing")
        return gettext(
            "Images for the look alone: the provider fetches them by a signed link, and nobody has "
            "said that it can reach the storage (STUDIO_STORAGE_IS_REACHABLE)."
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The id at the gateway names the entry: it is set once."""
        return [*self.readonly_fields, *(["wire_model"] if obj else [])]

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        """The usual field; prices, here and in the list, have a largest value."""
        return bounded(db_field, super().formfield_for_dbfield(db_field, request, **kwargs))

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        """The list's rows are held to the same rules."""
        return super().get_changelist_form(request, form=PricedForm, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: CatalogueEntry, form: Any, change: bool
    ) -> None:
        """Keep the entry; a price that was changed here comes from the staff, and is told."""
        touched = set(form.changed_data)
        is_repriced = bool(PRICE_FIELDS & touched)
        if is_repriced:
            obj.price_source = PriceSource.STAFF
            touched |= {"price_source", *(PRICE_FIELDS & set(form.fields))}
        if not change:
            super().save_model(request, obj, form, change)
            self._warn_of_what_is_free(request, obj)
            return
        obj.save(update_fields=touched)  # a sync may write the rest at this moment
        if is_repriced:
            self._tell_price(request, obj)

    def _tell_price(self, request: HttpRequest, entry: CatalogueEntry) -> None:
        said = {"model": entry.label, "price": entry.price_words}
        text = gettext(
            "%(model)s: one image costs %(price)s now, with every setting as it is at first."
        )
        self.message_user(request, text % said)
        self._warn_of_what_is_free(request, entry)

    def _warn_of_what_is_free(self, request: HttpRequest, entry: CatalogueEntry) -> None:
        if text := what_is_free(entry):
            self.message_user(request, text, messages.WARNING)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        """The usual page, with the way back to the gateway's price where there is one."""
        entry: CatalogueEntry | None = kwargs.get("obj")
        is_staffs = entry is not None and entry.price_source == PriceSource.STAFF
        may = is_staffs and self.has_change_permission(request, entry)
        context["may_give_up"] = bool(may and entry and price_without_staff(entry))
        answer: HttpResponse = super().render_change_form(request, context, **kwargs)
        return answer

    def get_urls(self) -> list[URLPattern]:
        """The usual ones, and those behind the buttons above the list."""
        name = "generator_catalogueentry_fill"
        fill = path("fill/", self.admin_site.admin_view(self.fill), name=name)
        name = "generator_catalogueentry_sync"
        sync = path("sync/", self.admin_site.admin_view(self.sync), name=name)
        name = "generator_catalogueentry_give_up"
        give_up = path(
            "<int:pk>/gateways-price/", self.admin_site.admin_view(self.give_up), name=name
        )
        return [fill, sync, give_up, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, and above it what the account has left."""
        left = balance.in_words(jobs.open_gateway)
        answer: HttpResponse = super().changelist_view(
            request, {**(extra_context or {}), "balance": left}
        )
        return answer

    @method_decorator(require_POST)
    def sync(self, request: HttpRequest) -> HttpResponse:
        """Bring the catalogue up to the gateway's list now, and say what changed."""
        if not self.has_add_permission(request) or not self.has_change_permission(request):
            raise PermissionDenied
        try:
            changes = catalogue_sync.sync(jobs.open_gateway())
        except ProviderError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, _summary(changes))
        return redirect("admin:generator_catalogueentry_changelist")

    @method_decorator(require_POST)
    def fill(self, request: HttpRequest) -> HttpResponse:
        """Add an entry for every model in the families file that has none."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        count = CatalogueEntry.objects.fill()
        text = ngettext("%(count)d entry was added.", "%(count)d entries were added.", count)
        self.message_user(request, text % {"count": count})
        return redirect("admin:generator_catalogueentry_changelist")

    @method_decorator(require_POST)
    def give_up(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give up the price that staff set: take the gateway's, or else the families file's."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        entry = get_object_or_404(CatalogueEntry, pk=pk)
        if price := price_without_staff(entry):
            for name, value in price.items():
                setattr(entry, name, value)
            # A row that is saved, not an update: the audit log is to see it.
            entry.save(update_fields=[*price])
            self._tell_price(request, entry)
        else:
            text = gettext("Neither the gateway nor this release says a price: yours stays.")
            self.message_user(request, text, messages.WARNING)
        return redirect("admin:generator_catalogueentry_change", entry.pk)


def _summary(changes: catalogue_sync.Changes) -> str:
    lines = list(catalogue_sync.told(changes))
    if not lines:
        return gettext("The gateway's list says nothing new.")
    more = len(lines) - MOST_TOLD
    told = "; ".join(lines[:MOST_TOLD])
    return told + (gettext("; and %(count)d more.") % {"count": more} if more > 0 else ".")
