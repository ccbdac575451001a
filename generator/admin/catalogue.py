"""Which models are offered, and at what price."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator
from django.db.models import Field
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from generator.admin.base import StudioAdmin
from generator.models import CatalogueEntry, PriceSource

# Times ten, the most images of one generation, it has to fit into four bytes.
LARGEST_PRICE = 10**8  # credits
TOO_DEAR = _("An image may cost at most %(limit_value)s credits.")


@admin.register(CatalogueEntry)
class CatalogueEntryAdmin(StudioAdmin):
    """Offers and prices are edited in the list; a price that staff set stays the staff's."""

    list_display = [
        "label", "wire_model", "family", "offered", "credits_per_image", "price_source", "position",
    ]  # fmt: skip
    list_editable = ["offered", "credits_per_image"]
    list_filter = ["offered", "price_source", "family"]
    search_fields = ["label", "wire_model"]
    readonly_fields = ["price_source", "seen_at"]
    list_before_template = "admin/generator/catalogueentry/fill.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The id at the gateway names the entry: it is set once."""
        return [*self.readonly_fields, *(["wire_model"] if obj else [])]

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        """The usual field; that of the price, here and in the list, has a largest value."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "credits_per_image":
            field.validators.append(MaxValueValidator(LARGEST_PRICE, TOO_DEAR))
        return field

    def save_model(
        self, request: HttpRequest, obj: CatalogueEntry, form: Any, change: bool
    ) -> None:
        """Keep the entry; a price that was changed here comes from the staff."""
        if "credits_per_image" in form.changed_data:
            obj.price_source = PriceSource.STAFF
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        """The usual ones, and the one behind the button above the list."""
        name = "generator_catalogueentry_fill"
        fill = path("fill/", self.admin_site.admin_view(self.fill), name=name)
        return [fill, *super().get_urls()]

    @method_decorator(require_POST)
    def fill(self, request: HttpRequest) -> HttpResponse:
        """Add an entry for every model in the families file that has none."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        count = CatalogueEntry.objects.fill()
        text = ngettext("%(count)d entry was added.", "%(count)d entries were added.", count)
        self.message_user(request, text % {"count": count})
        return redirect("admin:generator_catalogueentry_changelist")
