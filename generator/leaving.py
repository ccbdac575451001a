"""When people leave: suspend them, open them again, and hand over what they made.

Nobody is deleted: what they made and what it cost stays theirs. Whatever else lets somebody in or
has work done in their name must end in `suspend`: sessions, sharing links and waiting generations
now, access tokens once there are any.
"""

from dataclasses import dataclass
from typing import Any

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generator import audit, lifecycle, live
from generator.errors import NotAllowed
from generator.models import Membership, Role, Team, User
from generator.models.people import LONGEST_NAME
from generator.sharing import making

NOT_ONESELF = _("You cannot suspend yourself.")


@dataclass(frozen=True, slots=True)
class Suspended:
    """How many generations were withdrawn, and how many sharing links revoked."""

    withdrawn: int
    revoked: int


def suspend(user: User, *, by: User) -> Suspended:
    """Shut an account: no sign-in, open sessions end, links are revoked, what waits is withdrawn.

    What a provider already has goes on to its end; a link stays revoked when the account is opened
    again. Raises NotAllowed for oneself, and for staff unless a superuser asks.
    """
    if user == by:
        raise NotAllowed(str(NOT_ONESELF))
    _may_steer(user, by)
    with transaction.atomic():
        user.is_active = False
        user.save(update_fields=["is_active"])
        for session in UserSession.objects.filter(user=user):
            session.end()
        revoked = making.revoke_of(user)
    withdrawn = lifecycle.withdraw(user)
    live.membership_changed(user.memberships.values_list("team", flat=True))
    return Suspended(withdrawn, revoked)


def open_again(user: User, *, by: User) -> None:
    """Let a suspended person sign in again. Raises NotAllowed as `suspend` does."""
    _may_steer(user, by)
    with transaction.atomic():  # the line in the audit log is written with it
        user.is_active = True
        user.save(update_fields=["is_active"])
        if not Team.objects.filter(personal_of=user).exists():
            Team.objects.create_personal(user)  # theirs was handed over


@dataclass(frozen=True, slots=True)
class HandOver:
    """What handing over comes to: the leaver's own team under its new name (None if they have
    none), the teams that would have no owner, and those they merely leave."""

    personal: Team | None
    new_name: str
    orphaned: tuple[Team, ...]
    left: tuple[Team, ...]

    @property
    def to_own(self) -> tuple[Team, ...]:
        """The teams that the successor will own."""
        return (*([self.personal] if self.personal else []), *self.orphaned)


def what_goes_over(leaver: User) -> HandOver:
    """What `hand_over` would do now, whoever it goes to."""
    personal = Team.objects.filter(personal_of=leaver).first()
    others = Team.objects.filter(memberships__user=leaver, personal_of=None).order_by("name")
    owned = set(_owned_by(leaver).values_list("team", flat=True))
    also = set(
        Membership.objects.filter(team__in=owned, role=Role.OWNER, user__is_active=True)
        .exclude(user=leaver)
        .values_list("team", flat=True)
    )
    orphaned = owned - also
    return HandOver(
        personal=personal,
        new_name=_new_name(leaver),
        orphaned=tuple(team for team in others if team.pk in orphaned),
        left=tuple(team for team in others if team.pk not in orphaned),
    )


def hand_over(leaver: User, to: User, *, by: User) -> HandOver:
    """Give what a suspended person made to another: their own team becomes an ordinary one.

    `to` owns it from now on, and every team that nobody else active owns. The leaver is a member
    nowhere; they stay the author of what they made, and their links stay revoked. What went over
    is noted in the audit log.
    Raises NotAllowed, and then nothing is done.
    """
    _may_steer(leaver, by)
    if to == by and not by.is_superuser:
        raise NotAllowed(gettext("Only a superuser may hand over to themselves."))
    with transaction.atomic():
        # Both rows are held: neither may be opened or suspended meanwhile.
        people = User.objects.select_for_update().filter(pk__in=[leaver.pk, to.pk]).order_by("pk")
        now = {person.pk: person for person in people}
        if leaver == to:
            raise NotAllowed(gettext("Pick somebody else: this is who leaves."))
        if now[leaver.pk].is_active:
            raise NotAllowed(
                gettext("Suspend them first. What an active person made stays theirs.")
            )
        if not now[to.pk].is_active:
            raise NotAllowed(gettext("Pick somebody who can sign in: this account is suspended."))
        over = what_goes_over(leaver)
        for team in over.to_own:
            _give(team, to)
        if over.personal:
            over.personal.personal_of = None
            over.personal.name = over.new_name
            over.personal.save(update_fields=["personal_of", "name"])
        making.revoke_of(leaver)  # of one suspended before links ended with that
        for membership in leaver.memberships.all():
            membership.delete()
        audit.note(leaver, told(over, leaver, to), by=by)
    return over


def told(over: HandOver, leaver: User, to: User) -> str:
    """What was handed over, for people."""
    names = ", ".join(over.new_name if team == over.personal else team.name for team in over.to_own)
    text = gettext("%(to)s owns now: %(teams)s.") if names else gettext("There was nothing to own.")
    left = gettext("%(name)s is in no team any more.")
    return f"{text} {left}" % {"to": to.shown_name, "teams": names, "name": leaver.shown_name}


def is_staff(user: User) -> bool:
    """Whether they are on the staff; a superuser is, whatever else is ticked."""
    return user.is_staff or user.is_superuser


def _give(team: Team, to: User) -> None:
    membership = Membership.objects.filter(team=team, user=to).first()
    membership = membership or Membership(team=team, user=to)
    membership.role = Role.OWNER
    membership.save()


def _owned_by(user: User) -> "QuerySet[Membership, Any]":
    return Membership.objects.filter(user=user, role=Role.OWNER, team__personal_of=None)


def _new_name(leaver: User) -> str:
    name = gettext("%(name)s's images")
    room = LONGEST_NAME - len(name % {"name": ""})
    return name % {"name": leaver.shown_name[:room]}


def _may_steer(user: User, by: User) -> None:
    if is_staff(user) and not by.is_superuser:
        raise NotAllowed(gettext("Only a superuser may do this to staff."))
