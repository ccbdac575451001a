"""How many generations may be under way, where a provider asked for fewer."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from generator.admin.base import ReadOnlyAdmin
from generator.models import Ceiling


@admin.register(Ceiling)
class CeilingAdmin(ReadOnlyAdmin):
    """They rise by one a minute, up to what the settings allow. Nobody has to do anything."""

    list_display = ["name", "at_once", "changed_at", "holds_now", "allowed"]
    ordering = ["-changed_at"]

    @admin.display(description=_("holds now"))
    def holds_now(self, ceiling: Ceiling) -> int:
        """What it has risen to by now."""
        return ceiling.now

    @admin.display(description=_("the settings allow"))
    def allowed(self, ceiling: Ceiling) -> int:
        """What it rises to."""
        return ceiling.most
