"""A lower cap that members set for themselves, a window at a time."""

import re

from django import forms
from django.core.exceptions import ValidationError

from generator.models import QuotaAccount, Window
from generator.models.caps import LARGEST_CAP

# Grouped as people write it: with commas, thin spaces or such as no line is broken at.
_WHOLE = re.compile(r"[0-9]{1,20}|[0-9]{1,3}([,\u2009\u202f\u00a0])[0-9]{3}(?:\1[0-9]{3}){0,5}")
_GROUPING = re.compile(r"[^0-9]")


class OwnCapForm(forms.Form):
    """How much of their own credits somebody wants to spend in a window at most; empty: no cap."""

    window = forms.ChoiceField(choices=Window)
    credits = forms.CharField(required=False, max_length=40)

    def clean_credits(self) -> int | None:
        """Credits, None for no cap of one's own."""
        return whole_credits(str(self.cleaned_data["credits"]))

    def save(self, account: QuotaAccount) -> bool:
        """Set the cap of this account; False where it may not be, and why is said by the field."""
        try:
            account.set_own_cap(Window(self.cleaned_data["window"]), self.cleaned_data["credits"])
        except ValidationError as error:
            self.add_error("credits", error)
        return self.is_valid()


def whole_credits(typed: str, *, none: str = "none of your own") -> int | None:
    """A cap as people write it, None for none. Raises ValidationError for what is no cap; it says
    that an empty field means `none`."""
    if not typed:
        return None
    if typed.startswith(("-", "−")):
        raise ValidationError(f"A cap cannot be below 0. Leave it empty for {none}.")
    if not _WHOLE.fullmatch(typed):
        raise ValidationError(
            f"Whole credits in digits only, such as 1,500. Leave it empty for {none}."
        )
    credits = int(_GROUPING.sub("", typed))
    if credits > LARGEST_CAP:
        raise ValidationError(f"At most {LARGEST_CAP:,} credits.")
    return credits
