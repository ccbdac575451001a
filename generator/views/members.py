"""What the page of a team shows of its members and invitations; a few queries, however many."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from generator import usage
from generator.forms.teams import ROLE_NAMES
from generator.models import Cap, Deed, Membership, QuotaAccount, Role, StartingCaps, Window
from generator.models.roles import may_remove, may_set_role


@dataclass(frozen=True, slots=True)
class Member:
    """A line of the page. `used` and `cap` are credits of this month; `roles` are those that may be
    given to them here, empty where none may. `cap_set_by` says whose figure it is."""

    membership: Membership
    role: str
    is_self: bool
    is_removable: bool
    roles: Sequence[tuple[str, str]]
    used: int = 0
    cap: int | None = None
    cap_set_by: str = ""

    @property
    def percent(self) -> int:
        """Of the cap, 100 at most: for a meter."""
        return min(100, 100 * max(self.used, 0) // self.cap) if self.cap else 100


@dataclass(frozen=True, slots=True)
class Asked:
    """An open invitation. `is_over`: whoever sent it may not give that role any more."""

    pk: str
    email: str
    role: str
    sender: str
    until: datetime
    is_sent: bool
    is_tried: bool
    is_over: bool
    is_mine_to_end: bool


def members(by: Membership) -> list[Member]:
    """Everybody in the team, the owners first; what they used only for those who may see it."""
    sees = by.may(Deed.SEE_USAGE)
    used = _used(by) if sees else {}
    caps = _caps(by) if sees else {}
    rows = by.team.memberships.select_related("user")
    ranks = [Role.OWNER, Role.ADMIN, Role.MEMBER, Role.VIEWER]
    people = sorted(
        rows, key=lambda row: (ranks.index(Role(row.role)), row.user.shown_name.casefold(), row.pk)
    )
    return [
        Member(
            row, ROLE_NAMES[Role(row.role)], is_self=row.pk == by.pk,
            is_removable=row.pk != by.pk and may_remove(by.role, row.role),
            roles=_roles(by, row), used=used.get(row.user_id, 0),
            cap=caps[row.user_id][0] if row.user_id in caps else None,
            cap_set_by=caps[row.user_id][1] if row.user_id in caps else "",
        )
        for row in people
    ]  # fmt: skip


def asked(by: Membership) -> list[Asked]:
    """The open invitations, the newest first."""
    rows = by.team.invitations.still_open().select_related("invited_by").order_by("-pk")
    senders = {
        row.user_id: row
        for row in by.team.memberships.filter(user__in=rows.order_by().values("invited_by"))
    }
    return [
        Asked(
            str(row.pk),
            row.email,
            ROLE_NAMES[Role(row.role)],
            row.invited_by.shown_name if row.invited_by else "", row.expires_at,
            is_sent=row.mailed_at is not None or row.mail_at is None, is_tried=row.mail_tries > 0,
            is_over=not row.is_backed_by(senders.get(row.invited_by_id or 0)),
            is_mine_to_end=by.may_invite(row.role),
        )
        for row in rows
    ]  # fmt: skip


def _roles(by: Membership, row: Membership) -> list[tuple[str, str]]:
    if row.pk == by.pk:
        return []
    return [
        (role.value, ROLE_NAMES[role])
        for role in Role
        if may_set_role(by.role, of=row.role, to=role)
    ]


def _used(by: Membership) -> dict[int, int]:
    month = usage.Period.month_of(by.team.today())
    return {row.key: row.credits for row in usage.by_author(usage.Scope(team=by.team), month)}


def _caps(by: Membership) -> dict[int, tuple[int, str]]:
    """Credits, and who set them, by user.

    Who used nothing yet has no account, and will begin as everybody does.
    """
    starting = StartingCaps.objects.now().of_a_member()[Window.MONTH]
    opened = QuotaAccount.objects.filter(team=by.team).values_list("user", flat=True)
    new = by.team.memberships.exclude(user__in=opened.exclude(user=None))
    caps = Cap.objects.filter(account__team=by.team, window=Window.MONTH)
    found = {
        cap.account.user_id: (cap.holds, str(cap.set_by))
        for cap in caps.select_related("account")
        if cap.account.user_id is not None
    }
    if starting is None:
        return found
    begun = (starting, "set by an administrator")
    return found | dict.fromkeys(new.values_list("user", flat=True), begun)
