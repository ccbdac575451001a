"""What a visitor of a sharing link can send."""

from typing import Any

from django import forms

from generator import names
from generator.forms.lines import Line
from generator.models.sharing import LONGEST_NOTE


class PickForm(forms.Form):
    """An image by the key that the page calls it by, picked or not any more."""

    pick = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    on = forms.BooleanField(required=False)


class _Lines(forms.CharField):
    """Browsers count the end of a line as one character, and send two."""

    def to_python(self, value: Any) -> str:
        """What was typed; nothing where nothing of it is seen."""
        typed = str(super().to_python(value)).replace("\r\n", "\n")
        return typed if names.clean(typed) else ""


class NoteForm(forms.Form):
    """A few words to whoever sent the link."""

    name = Line(label="Your name, if you like", max_length=80, required=False)
    text = _Lines(
        label="Note",
        max_length=LONGEST_NOTE,
        widget=forms.Textarea,
        error_messages={"required": "Write something first."},
    )
