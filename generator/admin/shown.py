"""Forms whose page may have stood open while something else wrote: what was shown comes along."""

from typing import Any

from django import forms
from django.utils.translation import gettext

MOVED = "moved"  # the code of the error


class ShownForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript at run time
    """Writes what was touched on its page, and refuses that once where it was changed elsewhere.

    Each field says in a hidden one what it showed. What was not touched keeps its newest value. Of
    a request without those hidden fields, whatever differs from the row is taken for touched.
    """

    one_piece: frozenset[str] = frozenset()  # fields of which each means nothing by itself

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            is_said = not self.is_bound or self.add_initial_prefix(name) in self.data
            field.show_hidden_initial = bool(self.instance.pk) and is_said

    def clean(self) -> dict[str, Any] | None:
        """Take over what moved and was not touched; refuse, in words, what moved and was."""
        cleaned = super().clean()
        touched = set(self.changed_data)
        moved = {name for name in self.fields if self._has_moved(name)}
        for name in self.fields.keys() & self.cleaned_data.keys() & (moved - touched):
            self.cleaned_data[name] = self._now(name)
        for name in touched:
            behind = moved & (self.one_piece if name in self.one_piece else {name})
            if behind and self.cleaned_data.get(name) != self._now(name):
                self.add_error(name, self._told(behind))
        self._show_what_is_now(moved, touched)
        return cleaned

    def _now(self, name: str) -> Any:
        return self.get_initial_for_field(self.fields[name], name)

    def _has_moved(self, name: str) -> bool:
        field = self.fields[name]
        if not field.show_hidden_initial:
            return False
        shown = self.data.get(self.add_initial_prefix(name))
        try:
            # As a browser would send it: to JSON's own field an empty mapping is nothing.
            now = field.prepare_value(self._now(name))
            return field.has_changed(field.to_python(shown), now)
        except forms.ValidationError:
            return True

    def _told(self, moved: set[str]) -> forms.ValidationError:
        now = (
            f"{self.fields[name].label}: {gettext('nothing') if value is None else value}"
            for name, value in ((name, self._now(name)) for name in sorted(moved))
        )
        text = gettext("Changed meanwhile: %(now)s. Save again to write yours all the same.")
        return forms.ValidationError(text % {"now": "; ".join(now)}, code=MOVED)

    def _show_what_is_now(self, moved: set[str], touched: set[str]) -> None:
        """If the page comes again, it shows the newest values but for what was typed."""
        data = dict(self.data.items())  # of a QueryDict, `**` would give lists
        for name in moved:
            now = self.fields[name].prepare_value(self._now(name))
            now = "" if now is None else str(now)
            data[self.add_initial_prefix(name)] = now
            if name not in touched:
                data[self.add_prefix(name)] = now
        self.data = data
