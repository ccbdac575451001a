"""A line of text that somebody types."""

from typing import Any

from django import forms

from generator import names


class Line(forms.CharField):
    """What is seen of what was typed, in one line; refused where something was, and none is.

    What is too long is refused in words, so its input on a page has no `maxlength`: a browser would
    cut what is pasted, and say nothing.
    """

    default_error_messages = {
        "max_length": "Write at most %(limit_value)d characters: these are %(show_value)d."
    }

    def to_python(self, value: Any) -> str:
        """The line. Its length is looked at afterwards."""
        typed = super().to_python(value) or ""
        line = names.clean(typed)
        if typed and not line:
            raise forms.ValidationError("Nothing of this can be seen. Use letters or digits.")
        return line
