"""What a person says of a sharing link."""

from datetime import date, timedelta
from typing import Any

from django import forms

from generator import pictures
from generator.errors import NotAllowed
from generator.forms.lines import Line
from generator.models import Collection, ShareLink, SharingRules, Team
from generator.models.library import LONGEST_TITLE
from generator.models.sharing import Audience, Download
from generator.sharing import handing, making
from generator.sharing.making import Terms

SHORTEST_PASSWORD = 6
LONGEST_PASSWORD = 128
MOST_VIEWS = 1_000_000
_KEEP, _CHANGE, _REMOVE = "keep", "change", "remove"
_TYPED = ("title", "until", "password", "most_views", "watermark")  # as they stand on the page
_LONGEST_MARK = 60  # characters, as the row keeps them


class LinkForm(forms.Form):
    """The terms of a link, new or there already; read them with `terms` once it is valid."""

    title = Line(required=False, max_length=LONGEST_TITLE)
    grows = forms.TypedChoiceField(
        choices=[("yes", "As it grows"), ("no", "As it is now")], coerce=lambda said: said == "yes"
    )
    audience = forms.ChoiceField(
        choices=[
            (Audience.ANYONE, "Anyone with the link"),
            (Audience.MEMBERS, "Signed-in team members"),
        ]
    )
    until = forms.DateField(
        required=False, error_messages={"invalid": "Write the day as 2026-12-31."}
    )
    endless = forms.BooleanField(required=False)
    most_views = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_VIEWS,
        error_messages={"invalid": "A whole number in digits. Leave it empty for no limit."},
    )
    password_is = forms.ChoiceField(
        choices=[(_KEEP, "Keep it"), (_CHANGE, "Change it"), (_REMOVE, "Remove it")]
    )
    password = forms.CharField(required=False, strip=False, max_length=LONGEST_PASSWORD)
    # No page holds a password: one that was typed and not sent again is missed by this.
    password_was_typed = forms.BooleanField(required=False)
    no_password = forms.BooleanField(required=False)
    download = forms.ChoiceField(
        choices=[
            (Download.NONE, "Not allowed"),
            (Download.SMALL, f"Small, {handing.SMALL:,} px"),
            (Download.ORIGINAL, "As made"),
        ]
    )
    shows_prompt = forms.BooleanField(required=False)
    takes_replies = forms.BooleanField(required=False)
    watermark = Line(required=False, max_length=_LONGEST_MARK)

    def __init__(
        self, data: Any = None, *, team: Team, link: ShareLink | None = None,
        collection: Collection | None = None,
    ) -> None:  # fmt: skip
        rules = SharingRules.objects.now()
        self.team, self.link = team, link
        self.first_day = team.today()
        self.furthest_day = self.first_day + timedelta(days=rules.most_days)
        if data and data.get("password") and data.get("password_is") == _KEEP:
            data = data.copy()
            data["password_is"] = _CHANGE  # whoever writes one means it
        super().__init__(data, initial=_of(link) if link else _new(rules, team, collection))
        if collection is None or link:
            del self.fields["grows"]
        if link is None or not link.password:
            del self.fields["password_is"]
        else:
            del self.fields["password_was_typed"], self.fields["no_password"]
        if not rules.never_allowed:
            del self.fields["endless"]

    @property
    def advanced_is_open(self) -> bool:
        """Whether the rarer choices are in sight: one is made, or one is wrong."""
        rarer = ("most_views", "watermark", "takes_replies", "shows_prompt")
        return any(self.errors.get(name) or self[name].value() for name in rarer)

    @property
    def password_is_lost(self) -> bool:
        """Whether one was typed that must be typed again: none is ever sent back to a page."""
        typed = self.is_bound and self["password"].value()
        return bool(typed and self.errors and not self.errors.get("password"))

    @property
    def first_faulty(self) -> str:
        """The first field, as they stand on the page, where something must be typed anew."""
        wrong = {*self.errors, *(["password"] if self.password_is_lost else [])}
        return next((name for name in _TYPED if name in wrong), "")

    @property
    def asks_for_password(self) -> bool:
        """Whether it must be said once more which password a link has that had none, or that it
        shall have none."""
        if "no_password" not in self.fields or not self.errors:
            return False
        return bool(self["password"].value() or self["password_was_typed"].value())

    def clean_password(self) -> str:
        """The new password; empty for none."""
        password = str(self.cleaned_data["password"])
        if password and len(password) < SHORTEST_PASSWORD:
            raise forms.ValidationError(f"At least {SHORTEST_PASSWORD} letters, digits or signs.")
        return password

    def clean_watermark(self) -> str:
        """The text over the images, which must be such as can be written there."""
        text = str(self.cleaned_data["watermark"])
        if letters := pictures.missing(text):
            raise forms.ValidationError(
                f"These cannot be written over an image: {' '.join(letters)}. "
                "Use Latin, Greek or Cyrillic letters."
            )
        return text

    def clean(self) -> dict[str, Any]:
        """What hangs together: the end, and what becomes of the password."""
        said = self.cleaned_data
        if "until" in said:
            self._clean_end()
        self._clean_password_is()
        return said

    def _clean_password_is(self) -> None:
        said = self.cleaned_data
        match said.get("password_is"), said.get("password"):
            case "change", "":
                self.add_error("password", "Write the new password.")
            case "remove", str(typed) if typed:
                words = (
                    "Leave this empty to remove the password. To have this one, choose “Change it”."
                )
                self.add_error("password", words)
            case None, "" if said.get("password_was_typed") and not said.get("no_password"):
                words = "Write the password again, or tick “No password”."
                self.add_error("password", words)

    def _clean_end(self) -> None:
        if self._last_day() is None and not self.cleaned_data.get("endless"):
            self.add_error("until", "Choose the last day on which the link is open.")
            return
        try:
            making.closing(self.team, self._last_day())
        except NotAllowed as error:
            self.add_error("until", str(error))

    def _last_day(self) -> date | None:
        said = self.cleaned_data
        day: date | None = None if said.get("endless") else said["until"]
        return day

    @property
    def terms(self) -> Terms:
        """What was said; of a valid form."""
        said = self.cleaned_data
        return Terms(
            title=said["title"],
            last_day=self._last_day(),
            password=self._password(),
            most_views=said["most_views"],
            download=said["download"],
            shows_prompt=said["shows_prompt"],
            watermark=said["watermark"],
            audience=said["audience"],
            takes_replies=said["takes_replies"],
        )

    def _password(self) -> str | None:
        match self.cleaned_data.get("password_is"):
            case "keep":
                return None
            case "remove":
                return ""
            case _:
                return str(self.cleaned_data["password"])


def _new(rules: SharingRules, team: Team, collection: Collection | None) -> dict[str, Any]:
    return {
        "title": collection.name if collection else "",
        "grows": "yes",
        "audience": Audience.ANYONE,
        "until": team.today() + timedelta(days=rules.default_days),
        "download": Download.ORIGINAL,
    }


def _of(link: ShareLink) -> dict[str, Any]:
    """What an existing link says; never its password."""
    return {
        "title": link.title,
        "audience": link.audience,
        "until": making.last_day_of(link),
        "endless": link.expires_at is None,
        "most_views": link.most_views,
        "password_is": _KEEP,
        "download": link.download,
        "shows_prompt": link.shows_prompt,
        "takes_replies": link.takes_replies,
        "watermark": link.watermark,
    }
