"""What our admin pages share: unfold under this Django, and rows that one only looks at."""

from typing import Any

from django.contrib.admin import ModelAdmin as DjangoModelAdmin
from django.contrib.admin.options import ActionLocation
from django.http import HttpRequest
from django.utils.translation import gettext
from unfold.admin import ModelAdmin, TabularInline


class StudioAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is not typed
    """A list and a page for each row."""

    def get_action_choices(
        self, request: HttpRequest, default_choices: Any = None,
        action_location: ActionLocation = ActionLocation.CHANGE_LIST,
    ) -> list[tuple[str, str]]:  # fmt: skip
        """Django's; unfold's own version still has the signature that 6.1 warns about."""
        nothing = [("", gettext("Select action"))]
        return DjangoModelAdmin.get_action_choices(self, request, nothing, action_location)


class _Closed:
    """Nobody adds, changes or deletes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False


class ReadOnlyAdmin(_Closed, StudioAdmin):
    """Rows to look at, by Django's permission to view them."""


class ReadOnlyInline(_Closed, TabularInline):  # type: ignore[misc]
    """Rows on the page of another."""

    extra = 0
    can_delete = False
    show_change_link = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All that is shown."""
        return list(self.fields)
