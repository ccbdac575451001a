"""Teams of several: made, joined, left and handed over; who is in them, and as what.

Whatever changes who is in a team, or as what, holds the team's row meanwhile and looks at the roles
anew: of two who leave at the same moment one may be the last owner.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from generator import jobs, lifecycle, live
from generator.errors import NotAllowed, StudioError
from generator.models import Deed, Invitation, Lock, Membership, Role, Status, Team, User
from generator.models.roles import may, may_remove, may_set_role
from generator.sharing.making import hand_to, revoke_of, revoke_without_right

LIFE = timedelta(days=7)  # of an invitation
MOST_OPEN = 50  # invitations of one team
MOST_A_DAY = 200  # invitations that one person sends
MOST_LETTERS = 2  # that a team writes to one address a day
MOST_OF_ALL = 3  # that an address gets a day, whichever teams they are from; then links by hand
LONGEST_ADDRESS = 254


class NotForThem(NotAllowed):
    """The invitation is for another address than this person's."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An invitation and, where it goes by hand, the secret of its link; else empty.

    `replaces`: one to the same address was open, and its link is dead now.
    """

    invitation: Invitation
    secret: str = ""
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    """What goes with a role: how many sharing links end, and how many waiting
    generations."""

    links: int
    waiting: int


def new_team(owner: User, *, name: str, time_zone: str) -> Team:
    """A team of this person's. Raises NotAllowed where they made as many as they may.

    Each begins with credits of its own, so those count that were handed over since.
    """
    with transaction.atomic():
        owner = User.objects.select_for_update().get(pk=owner.pk)
        if refusal := why_no_team(owner):
            raise NotAllowed(refusal)
        return Team.objects.create_shared(name, owner=owner, time_zone=time_zone)


def why_no_team(owner: User) -> str:
    """Why this person may not make another team; empty where they may."""
    most = settings.MOST_TEAMS
    return "" if owner.is_staff or owner.made_teams.count() < most else _all_made(most)


# ── Invitations ──


def faults(team: Team, addresses: Sequence[str], *, by_mail: bool) -> list[str]:
    """What is wrong with these addresses, a sentence each; empty where all may be invited.

    They must be in small letters.
    """
    bad = [address for address in addresses if not _is_address(address)]
    here = [address for address in _members_among(team, addresses) if address not in bad]
    new = [address for address in addresses if address not in {*bad, *here}]
    full = _with_letters(new, MOST_LETTERS, team=team) if by_mail else []
    good = [address for address in new if address not in full]
    enough = gettext(
        "%(text)s got %(most)s letters from this team today, and no more go there. Try tomorrow."
    )
    return [
        *(gettext("%(text)s is not an address.") % {"text": text[:80]} for text in bad),
        *(gettext("%(text)s is in the team already.") % {"text": text} for text in here),
        *(enough % {"text": text, "most": MOST_LETTERS} for text in full),
        *([_what_to_do(good)] if bad or here else []),
        *([_take_out_of(good)] if full and good and not bad and not here else []),
    ]


def invite(by: Membership, addresses: Sequence[str], role: Role, *, by_mail: bool) -> list[Sent]:
    """Ask these addresses in, all or none of them; each gets a letter, or a link to hand over.

    By hand it goes as well where an address had enough letters for today, of whichever teams. An
    open invitation to the same address is replaced. Raises NotAllowed for a role that `by` may not
    give, and where they are not in the team any more, StudioError with the faults, or where there
    are too many.
    """
    addresses = list(dict.fromkeys(address.lower() for address in addresses))
    with transaction.atomic():
        team, by, _by = _held(by, by)
        if team.personal_of_id is not None or not by.may_invite(role):
            raise NotAllowed(gettext("Your role does not let you give this role."))
        if by_mail:
            Lock.objects.hold("invitations")  # two teams may write to one address
        if found := faults(team, addresses, by_mail=by_mail):
            raise StudioError(" ".join(found))
        ended = _end_those_to(team, addresses)
        _check_room(team, by.user, len(addresses))
        shut = _with_letters(addresses, MOST_OF_ALL) if by_mail else addresses
        sent = [
            replace(
                _invitation(team, by.user, address, role, by_mail=address not in shut),
                replaces=address in ended,
            )
            for address in addresses
        ]
    if letters := [one.invitation.pk for one in sent if not one.secret]:
        jobs.mail_invitations(letters)
    return sent


def end(invitation: Invitation) -> None:
    """Take an invitation back: its link is dead from now on. It stays on record."""
    invitation.expires_at = timezone.now()
    invitation.save(update_fields=["expires_at"])


def is_for(invitation: Invitation, user: User) -> bool:
    """Whether the invitation's address is this person's: confirmed, or the one of their account.

    Not confirmed, it still does: whoever has the link reads the mail of that address.
    """
    wanted = invitation.email.lower()
    confirmed = EmailAddress.objects.filter(user=user, email__iexact=wanted, verified=True)
    return user.email.lower() == wanted or confirmed.exists()


def join(invitation: Invitation, user: User) -> Membership:
    """Make `user` a member by an invitation, which then is used up.

    Somebody who is in already keeps their role, and the invitation is used up all the same.
    Raises NotForThem for another address, StudioError where it was used or taken back meanwhile.
    """
    if not is_for(invitation, user):
        raise NotForThem(gettext("This invitation is for another address."))
    with transaction.atomic():
        team = Team.objects.held(invitation.team_id)
        fresh = team.invitations.still_open().filter(pk=invitation.pk).first()
        there = team.memberships.filter(user=user).first()
        if fresh is None or not fresh.is_backed():
            if there:  # they pressed twice
                return there
            raise StudioError(gettext("This invitation is over. Ask for a new one."))
        fresh.accepted_at = timezone.now()
        fresh.save(update_fields=["accepted_at"])
        if fresh.mailed_at is not None:
            _confirm(user, fresh.email)
        return there or Membership.objects.create(team=team, user=user, role=fresh.role)


def masked(email: str) -> str:
    """An address as one says it to somebody else: its first letter, and the host."""
    name, _at, host = email.rpartition("@")
    return f"{name[:1]}…@{host}"


# ── Members ──


def would_lose(member: Membership, role: Role) -> Lost:
    """What `set_role` would end, if nobody keeps the links."""
    links = member.team.links.filter(author=member.user, revoked_at=None)
    waiting = member.user.generations.filter(team=member.team_id, status=Status.QUEUED)
    return Lost(
        links=0 if may(role, Deed.SHARE) else links.count(),
        waiting=0 if may(role, Deed.MAKE) else waiting.count(),
    )


def set_role(of: Membership, role: Role, *, by: Membership, keep_links: bool = False) -> Lost:
    """Make a member something else. The links of who may not share any more end, or are those of
    `by` then, and what waits of who may not make images is withdrawn.

    Raises NotAllowed where the rank of `by` does not let them, and for oneself; StudioError where
    no owner would be left.
    """
    with transaction.atomic():
        team, by, of = _held(by, of)
        if by == of:
            raise NotAllowed(gettext("Nobody changes their own role. Ask another owner."))
        if not may_set_role(by.role, of=of.role, to=role):
            raise NotAllowed(gettext("Your role does not let you do this."))
        if role != Role.OWNER:
            _keep_an_owner(of)
        of.role = role
        of.save(update_fields=["role"])
        if keep_links and not of.may(Deed.SHARE):
            hand_to(team.links.filter(author=of.user), by.user)
            links = 0
        else:
            links = revoke_without_right(of)
        live.membership_changed([team.pk])
    return Lost(links, 0 if of.may_make else lifecycle.withdraw(of.user, team))


def remove(member: Membership, *, by: Membership, keep_links: bool) -> int:
    """Take a member out. What they made stays; what waits of theirs is withdrawn: says how many.

    Their sharing links end, or are those of `by` then. Raises NotAllowed as `set_role` does.
    """
    with transaction.atomic():
        team, by, member = _held(by, member)
        if by == member or not may_remove(by.role, member.role):
            raise NotAllowed(gettext("Your role does not let you do this."))
        _keep_an_owner(member)
        _take_out(team, member, heir=by.user if keep_links else None)
    return lifecycle.withdraw(member.user, team)


def leave(member: Membership, *, keep_links: bool) -> int:
    """Go, as `remove` says; links that are kept are an owner's then.

    Raises NotAllowed for one's own team, StudioError for the last owner.
    """
    with transaction.atomic():
        team, _by, member = _held(member, member)
        if team.personal_of_id is not None:
            raise NotAllowed(gettext("Your personal team is yours for good."))
        _keep_an_owner(member)
        owners = team.memberships.filter(role=Role.OWNER, user__is_active=True)
        heir = owners.exclude(pk=member.pk).select_related("user").order_by("pk").first()
        _take_out(team, member, heir=heir.user if heir and keep_links else None)
    return lifecycle.withdraw(member.user, team)


def is_last_owner(member: Membership) -> bool:
    """Whether the team would have no owner who can sign in without them."""
    owners = Membership.objects.filter(team=member.team_id, role=Role.OWNER, user__is_active=True)
    return member.role == Role.OWNER and not owners.exclude(pk=member.pk).exists()


def hand_over(by: Membership, to: Membership) -> None:
    """Make a member the owner, and oneself an admin. Raises NotAllowed for who is no owner, for
    oneself, and for somebody suspended."""
    with transaction.atomic():
        team, by, to = _held(by, to)
        if not by.may(Deed.HAND_OVER) or team.personal_of_id is not None or by == to:
            raise NotAllowed(gettext("Your role does not let you do this."))
        if not to.user.is_active:
            raise NotAllowed(gettext("Pick somebody who can sign in: this account is suspended."))
        for membership, role in ((to, Role.OWNER), (by, Role.ADMIN)):
            membership.role = role
            membership.save(update_fields=["role"])
    live.membership_changed([team.pk])


def _all_made(most: int) -> str:
    if not most:
        return gettext("Only administrators make teams in this studio. Ask one for yours.")
    text = ngettext(
        "You have made %(most)s team, and that is all one may. Ask an administrator for more.",
        "You have made %(most)s teams, and that is all one may. Ask an administrator for more.",
        most,
    )
    return text % {"most": most}


def _held(by: Membership, other: Membership) -> tuple[Team, Membership, Membership]:
    """The team, locked, and both as they are now. Raises NotAllowed where one is gone."""
    team = Team.objects.held(by.team_id)
    now = team.memberships.select_related("user").in_bulk([by.pk, other.pk])
    if by.pk not in now or other.pk not in now or not now[by.pk].user.is_active:
        raise NotAllowed(gettext("They are not in this team any more."))
    return team, now[by.pk], now[other.pk]


def _keep_an_owner(without: Membership) -> None:
    if is_last_owner(without):
        raise StudioError(
            gettext("A team needs an owner. Hand it over to somebody else first, then go on.")
        )


def _take_out(team: Team, member: Membership, *, heir: User | None) -> None:
    # Or they would walk in again.
    _end_those_to(team, [member.user.email.lower(), *_confirmed(member.user)])
    if heir:
        hand_to(team.links.filter(author=member.user), heir)
    else:
        revoke_of(member.user, team)
    member.delete()
    live.membership_changed([team.pk])


def _end_those_to(team: Team, addresses: Sequence[str]) -> set[str]:
    """Which of these addresses had one."""
    ended = set()
    for invitation in team.invitations.still_open():
        if (address := invitation.email.lower()) in addresses:
            end(invitation)
            ended.add(address)
    return ended


def _is_address(text: str) -> bool:
    # Invisible letters would show one address and write to another.
    if len(text) > LONGEST_ADDRESS or any(unicodedata.category(each)[0] == "C" for each in text):
        return False
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _members_among(team: Team, addresses: Sequence[str]) -> list[str]:
    wanted = {address.lower() for address in addresses}
    confirmed = EmailAddress.objects.filter(user__memberships__team=team, verified=True)
    people = User.objects.filter(memberships__team=team)
    found = {
        str(email).lower()
        for rows in (confirmed, people)
        for email in rows.values_list("email", flat=True)
    }
    return sorted(wanted & found)


def _with_letters(addresses: Sequence[str], most: int, *, team: Team | None = None) -> list[str]:
    """Those to which as many letters went within a day, of this team or of all."""
    lately = timezone.now() - timedelta(days=1)
    letters = Invitation.objects.filter(created_at__gte=lately, mail_at__isnull=False)
    if team:
        letters = letters.filter(team=team)
    written = letters.filter(email__in=addresses).values_list("email", flat=True)
    counted = Counter(written)
    return [address for address in addresses if counted[address] >= most]


def _take_out_of(good: Sequence[str]) -> str:
    if len(good) == 1:
        return gettext("Take it out to invite %(one)s alone.") % {"one": good[0]}
    return gettext("Take it out to invite the other %(n)s.") % {"n": len(good)}


def _what_to_do(good: Sequence[str]) -> str:
    if not good:
        return gettext("Correct it, or take it out.")
    if len(good) == 1:
        return gettext("Correct it, or take it out to invite %(one)s alone.") % {"one": good[0]}
    return gettext("Correct it, or take it out to invite the other %(n)s.") % {"n": len(good)}


def _check_room(team: Team, sender: User, more: int) -> None:
    room = MOST_OPEN - team.invitations.still_open().count()
    if more > room:
        text = ngettext(
            "%(room)s more invitation can be open in this team. Withdraw some first.",
            "%(room)s more invitations can be open in this team. Withdraw some first.",
            max(room, 0),
        )
        raise StudioError(text % {"room": max(room, 0)})
    lately = timezone.now() - timedelta(days=1)
    sent = Invitation.objects.filter(invited_by=sender, created_at__gte=lately).count()
    if sent + more > MOST_A_DAY:
        text = gettext("You may send %(most)s invitations a day. Send the rest tomorrow.")
        raise StudioError(text % {"most": MOST_A_DAY})


def _invitation(team: Team, sender: User, email: str, role: Role, *, by_mail: bool) -> Sent:
    now = timezone.now()
    invitation = Invitation(
        team=team, email=email, role=role, invited_by=sender, expires_at=now + LIFE,
        mail_at=now if by_mail else None,
    )  # fmt: skip
    # The letter gets a secret of its own, that nothing else has seen.
    secret = invitation.new_secret()
    invitation.save()
    return Sent(invitation, "" if by_mail else secret)


def _confirmed(user: User) -> list[str]:
    found = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    return [str(email).lower() for email in found]


def _confirm(user: User, email: str) -> None:
    """The link came by mail to this address, and here it is: the address is theirs."""
    for address in EmailAddress.objects.filter(user=user, email__iexact=email, verified=False):
        address.verified = True
        address.save(update_fields=["verified"])
