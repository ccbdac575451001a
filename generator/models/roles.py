"""What a member may do in a team, by their role: the one table that says so."""

from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a member is in a team."""

    OWNER = "owner", _("owner")
    ADMIN = "admin", _("admin")
    MEMBER = "member", _("member")
    VIEWER = "viewer", _("viewer")


class Deed(StrEnum):
    """One thing that somebody may do in a team."""

    LOOK = "look"  # every page that shows what the team has, and downloads of single images
    FAVOURITE = "favourite"  # a mark of one's own
    LEAVE = "leave"
    MAKE = "make"
    ORGANISE = "organise"  # tags and collections
    TRASH_OWN = "trash own"  # and restore
    TRASH_ANY = "trash any"
    SHARE = "share"  # make links, and steer one's own
    SHARE_ANY = "share any"  # see and steer every link of the team
    CANCEL_ANY = "cancel any"
    SEE_USAGE = "see usage"  # of the whole team
    SET_CAPS = "set caps"
    INVITE = "invite"
    SET_ROLES = "set roles"  # of those below oneself
    REMOVE = "remove"  # those below oneself
    RENAME = "rename"
    TAKE_ALL = "take all"  # everything the team made, as one download
    HAND_OVER = "hand over"


_VIEWER = frozenset({Deed.LOOK, Deed.FAVOURITE, Deed.LEAVE})
_MEMBER = _VIEWER | {Deed.MAKE, Deed.ORGANISE, Deed.TRASH_OWN, Deed.SHARE}
_ADMIN = _MEMBER | {
    Deed.TRASH_ANY,
    Deed.SHARE_ANY,
    Deed.CANCEL_ANY,
    Deed.SEE_USAGE,
    Deed.SET_CAPS,
    Deed.INVITE,
    Deed.SET_ROLES,
    Deed.REMOVE,
    Deed.RENAME,
    Deed.TAKE_ALL,
}
_OWNER = _ADMIN | {Deed.HAND_OVER}

MAY: dict[Role, frozenset[Deed]] = {
    Role.OWNER: _OWNER,
    Role.ADMIN: _ADMIN,
    Role.MEMBER: _MEMBER,
    Role.VIEWER: _VIEWER,
}


def may(role: str, deed: Deed) -> bool:
    """Whether somebody of this role may do it; a word that is no role may do nothing."""
    return role in MAY and deed in MAY[Role(role)]


def roles_that_may(deed: Deed) -> frozenset[Role]:
    """Everybody who may do it."""
    return frozenset(role for role, deeds in MAY.items() if deed in deeds)


# Whom each may steer: set the role of, and remove. It is also what each may give, by the page or
# in an invitation: nobody hands out what they could not take away again.
BELOW: dict[Role, frozenset[Role]] = {
    Role.OWNER: frozenset(Role),
    Role.ADMIN: frozenset({Role.MEMBER, Role.VIEWER}),
    Role.MEMBER: frozenset(),
    Role.VIEWER: frozenset(),
}


def may_give(role: str, given: str) -> bool:
    """Whether somebody of this role may make another a `given`; words that are no roles may not."""
    return role in BELOW and given in BELOW[Role(role)]


def may_set_role(role: str, *, of: str, to: str) -> bool:
    """Whether somebody of this role may make another, who is now an `of`, a `to`.

    Nobody changes their own role: whose it is must be asked beside this.
    """
    return may(role, Deed.SET_ROLES) and may_give(role, of) and may_give(role, to)


def may_remove(role: str, whose: str) -> bool:
    """Whether somebody of this role may take another, who is a `whose`, out of the team."""
    return may(role, Deed.REMOVE) and may_give(role, whose)
