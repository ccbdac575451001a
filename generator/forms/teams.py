"""What people send about a team: its name, whom to invite, roles, caps. Nothing else is read."""

import re
import zoneinfo
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction

from generator import allotting, jobs
from generator.forms.lines import Line
from generator.forms.own_cap import whole_credits
from generator.models import Cap, Membership, QuotaAccount, Role, Window
from generator.models.people import LONGEST_NAME
from generator.teaming import MOST_OPEN, faults

_PARTED = re.compile(r"[\s,;]+")
NO_ADDRESS = "Write one e-mail address or several."
ROLE_WORDS = {
    Role.OWNER: "Owner: all of it, and hands the team over",
    Role.ADMIN: "Admin: invites, sets roles and caps",
    Role.MEMBER: "Member: makes and shares images",
    Role.VIEWER: "Viewer: looks, and downloads",
}
ROLE_NAMES = {role: str(role.label).capitalize() for role in Role}


class TeamForm(forms.Form):
    """A team's name and the time zone that its days and months begin in."""

    name = Line(max_length=LONGEST_NAME)
    time_zone = forms.CharField(max_length=64)

    def clean_name(self) -> str:
        """No address of a page, since the name goes out in letters."""
        name = str(self.cleaned_data["name"])
        if "://" in name or "www." in name.lower():
            raise ValidationError("A name, not an address: it stands in letters to others.")
        return name

    def clean_time_zone(self) -> str:
        """One of the IANA database."""
        name = str(self.cleaned_data["time_zone"])
        if name not in zoneinfo.available_timezones():
            raise ValidationError("Pick a time zone from the list, such as Europe/Berlin.")
        return name


class InviteForm(forms.Form):
    """Addresses in one field, and the role they get. `by` says which roles may be given."""

    addresses = forms.CharField(max_length=MOST_OPEN * 260, strip=True)
    role = forms.ChoiceField()

    def __init__(self, *args: Any, by: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        given = [role for role in Role if by.may_invite(role)]
        field = self.fields["role"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(role.value, ROLE_WORDS[role]) for role in reversed(given)]
        field.initial = Role.MEMBER.value
        self.fields["addresses"].error_messages = {
            "required": NO_ADDRESS,
            "max_length": f"That is more than {MOST_OPEN} addresses. Send them in parts.",
        }
        field.error_messages = dict.fromkeys(field.error_messages, "Pick a role from the list.")

    def clean_addresses(self) -> list[str]:
        """The addresses, each once. Raises ValidationError that names those that will not do."""
        typed = str(self.cleaned_data["addresses"])
        found = list(dict.fromkeys(each.lower() for each in _PARTED.split(typed) if each))
        if not found:
            raise ValidationError(NO_ADDRESS)
        if len(found) > MOST_OPEN:
            raise ValidationError(f"At most {MOST_OPEN} at once. Send them in parts.")
        if wrong := faults(self.by.team, found, by_mail=jobs.sends_mail()):
            raise ValidationError(" ".join(wrong))
        return found


class GoingForm(forms.Form):
    """Whether the sharing links of somebody who goes stay open."""

    keep_links = forms.BooleanField(required=False)


class RoleForm(GoingForm):
    """The role that a member shall have; whether it may be given is asked with the roles locked.
    `is_sure`: what they lose with it was shown."""

    role = forms.ChoiceField(choices=Role)
    is_sure = forms.BooleanField(required=False)


class MemberField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic only to mypy
    """One of a team's members, by the name that pages call them."""

    def label_from_instance(self, obj: Any) -> str:
        """Their name."""
        return str(obj.user.shown_name)


class HandOverForm(forms.Form):
    """Who shall own the team: another member who can sign in."""

    to = MemberField(
        Membership.objects.none(),
        error_messages={
            "required": "Pick who shall own the team.",
            "invalid_choice": "Pick somebody from the list.",
        },
    )

    def __init__(self, *args: Any, by: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to"]
        assert isinstance(field, forms.ModelChoiceField)
        others = by.team.memberships.filter(user__is_active=True).exclude(pk=by.pk)
        field.queryset = others.select_related("user").order_by("user__username")


class CapsForm(forms.Form):
    """The team's caps for one account by day and month, in credits, within what staff allow; empty:
    as much as they do."""

    day = forms.CharField(required=False, max_length=40)
    month = forms.CharField(required=False, max_length=40)

    def __init__(self, *args: Any, account: QuotaAccount, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account
        self.most = {window: allotting.most(account, window) for window in allotting.WINDOWS}
        caps = {cap.window: cap for cap in account.caps.all()}
        self.holding: dict[Window, str] = {}
        self.was: dict[Window, int | None] = {}
        for window in allotting.WINDOWS:
            cap = caps.get(window)
            # A pool's own figure is the team's.
            now = (cap.team_credits if account.user_id else cap.own_credits) if cap else None
            self.was[window] = now
            # That staff's figure holds is said by the field itself as long as it is empty.
            is_said = now is None and cap is not None and cap.is_of_staff
            self.holding[window] = _holding(cap) if cap and not is_said else ""
            self.initial[window.value] = "" if now is None else f"{now:,}"

    @property
    def rows(self) -> list[tuple[forms.BoundField, int | None, str]]:
        """Each field with the most that may stand in it, and what holds now and why."""
        return [
            (self[window.value], self.most[window], self.holding.get(window, ""))
            for window in allotting.WINDOWS
        ]

    def clean_day(self) -> int | None:
        """Credits, None for as much as may be."""
        return self._within(Window.DAY)

    def clean_month(self) -> int | None:
        """Credits, None for as much as may be."""
        return self._within(Window.MONTH)

    def save(self) -> bool:
        """Set what was changed, all of it or nothing; False where staff lowered theirs meanwhile,
        and why is said."""
        typed = {window: self.cleaned_data[window.value] for window in allotting.WINDOWS}
        with transaction.atomic():
            for window, credits in typed.items():
                if credits != self.was[window]:
                    try:
                        allotting.allot(self.account, window, credits)
                    except ValidationError as error:
                        self.add_error(window.value, error)
            if not self.is_valid():
                transaction.set_rollback(True)
        return self.is_valid()

    def _within(self, window: Window) -> int | None:
        credits = whole_credits(str(self.cleaned_data[window.value]), none="as much as is allowed")
        most = self.most[window]
        # A figure that staff undercut since may stand beside theirs; it is only not to be set.
        is_above = credits is not None and most is not None and credits > most
        if is_above and credits != self.was[window]:
            raise ValidationError(f"At most {most:,}: that is what the administrator allows.")
        return credits


def _holding(cap: Cap) -> str:
    """Which cap holds of several, and who set it."""
    return f"{cap.holds:,} {'holds' if cap.holds == 1 else 'hold'} now: {cap.set_by}."
