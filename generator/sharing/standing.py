"""How a sharing link stands now, in words."""

import zoneinfo
from dataclasses import dataclass
from datetime import datetime

from django.utils import formats, timezone

from generator.models import Deed, ShareLink
from generator.models.roles import roles_that_may
from generator.sharing.making import last_day_of

# Of unfold's labels, by kind.
COLOURS = {
    "open": "success", "shut": "warning", "used up": "warning", "ended": "info", "closed": "danger",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """`kind` is open, shut (for a while, by wrong passwords), ended, used up, or closed (for good,
    or while its author may not share)."""

    kind: str
    words: str

    @property
    def is_open(self) -> bool:
        """Whether somebody new may come in."""
        return self.kind == "open"


def standing(link: ShareLink, *, revoked_by: str = "", shut_for: int = 0) -> Standing:
    """How a link stands now, one that was asked for `with_role`; days are those of its team's time
    zone.

    `revoked_by` is who did that, if it is known; `shut_for` the seconds for which guesses have shut
    it, 0 for not.
    """
    if link.revoked_at:
        by = f" by {revoked_by}" if revoked_by else ""
        return Standing("closed", f"revoked {_day(link.revoked_at, link)}{by}")
    if not link.author.is_active:
        return Standing("closed", "closed: its author is suspended")
    if link.author_role not in roles_that_may(Deed.SHARE):
        return Standing("closed", "closed: its author may not share any more")
    last_day = last_day_of(link)
    if last_day and link.expires_at and link.expires_at <= timezone.now():
        return Standing("ended", f"ended {formats.date_format(last_day, 'j F Y')}")
    if link.most_views is not None and link.views >= link.most_views:
        return Standing("used up", "used up")
    if shut_for:
        minutes = -(-shut_for // 60)
        during = "a minute" if minutes == 1 else f"{minutes} minutes"
        return Standing("shut", f"shut for {during}: too many wrong passwords")
    if last_day:
        return Standing("open", f"open until {formats.date_format(last_day, 'j F Y')}")
    return Standing("open", "open, no end")


def _day(moment: datetime, link: ShareLink) -> str:
    zone = zoneinfo.ZoneInfo(link.team.time_zone)
    return formats.date_format(moment.astimezone(zone), "j F Y")
