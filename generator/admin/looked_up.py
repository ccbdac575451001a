"""Rows that are looked up by typing, where what was sent is no key of any."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm

LONGEST_KEY = 18  # digits of one that every database can hold


class KeyField(AutocompleteSelect):
    """Django's, which breaks where it shows again what is no key."""

    def optgroups(self, name: str, value: Sequence[str], attrs: Any = None) -> Any:
        """The row that is chosen, if it is one."""
        return super().optgroups(name, [each for each in value if _is_key(each)], attrs)


class LookedUp:
    """The part of a page or an inline that looks rows up: its `autocomplete_fields`."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **facts: Any) -> Any:
        """The field, with a KeyField to look in."""
        here: Any = self
        if db_field.name in here.get_autocomplete_fields(request):
            facts.setdefault("widget", KeyField(db_field, here.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **facts)  # type: ignore[misc]


class _KeyForm(AutocompleteDropdownForm):  # type: ignore[misc]  # unfold is not typed
    widget = KeyField


class RowFilter(AutocompleteSelectFilter):  # type: ignore[misc]
    """By a row that is looked up."""

    form_class = _KeyForm


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= LONGEST_KEY
