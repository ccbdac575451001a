"""Which models are offered, and at what price."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import MaxValueValidator
from django.db.models import Field
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from generator import balance, catalogue_sync, jobs
from generator.admin.base import StudioAdmin
from generator.errors import ProviderError
from generator.families import FAMILIES
from generator.listed_prices import LARGEST_PRICE
from generator.models import CatalogueEntry, PriceSource
from generator.models.storage import is_reachable

MOST_TOLD = 12  # changes of a sync that are told one by one
NO_PRICES = _("Write whole credits for each action, as in the example.")
TOO_DEAR = _("An image may cost at most %(limit_value)s credits.")


@admin.register(CatalogueEntry)
class CatalogueEntryAdmin(StudioAdmin):
    """Offers and prices are edited in the list; a price that staff set stays the staff's."""

    list_display = [
        "label", "wire_model", "family_or_none", "offered", "credits_each", "price_source",
        "at_the_gateway", "position",
    ]  # fmt: skip
    list_editable = ["offered", "credits_each"]
    list_filter = [
        "offered", "price_source", ("gone_at", admin.EmptyFieldListFilter), "family",
    ]  # fmt: skip
    search_fields = ["label", "wire_model"]
    readonly_fields = ["price_source", "not_shown", "seen_at", "gone_at", "listed"]
    list_before_template = "admin/generator/catalogueentry/above.html"

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
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "credits_each":
            field.validators.append(MaxValueValidator(LARGEST_PRICE, TOO_DEAR))
        if db_field.name == "rates":
            field.validators.append(_are_prices)
        return field

    def save_model(
        self, request: HttpRequest, obj: CatalogueEntry, form: Any, change: bool
    ) -> None:
        """Keep the entry; a price that was changed here comes from the staff."""
        if {"credits_each", "rates"} & set(form.changed_data):
            obj.price_source = PriceSource.STAFF
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        """The usual ones, and those behind the buttons above the list."""
        name = "generator_catalogueentry_fill"
        fill = path("fill/", self.admin_site.admin_view(self.fill), name=name)
        name = "generator_catalogueentry_sync"
        sync = path("sync/", self.admin_site.admin_view(self.sync), name=name)
        return [fill, sync, *super().get_urls()]

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


def _are_prices(rates: Any) -> None:
    """Raises ValidationError for what is no mapping of actions to credits."""
    fit = isinstance(rates, dict) and all(
        isinstance(each, int) and not isinstance(each, bool) and 0 <= each <= LARGEST_PRICE
        for each in rates.values()
    )
    if not fit:
        raise ValidationError(NO_PRICES)


def _summary(changes: catalogue_sync.Changes) -> str:
    lines = list(catalogue_sync.told(changes))
    if not lines:
        return gettext("The gateway's list says nothing new.")
    more = len(lines) - MOST_TOLD
    told = "; ".join(lines[:MOST_TOLD])
    return told + (gettext("; and %(count)d more.") % {"count": more} if more > 0 else ".")
