"""The table of roles, cell by cell, written out a second time by hand; and the rule of rank."""

import pytest

from generator.models import Deed, Role
from generator.models.roles import MAY, may, may_give, may_remove, may_set_role, roles_that_may

# owner, admin, member, viewer
TABLE = {
    "look":        "yes yes yes yes",
    "favourite":   "yes yes yes yes",
    "leave":       "yes yes yes yes",
    "make":        "yes yes yes no",
    "organise":    "yes yes yes no",
    "trash own":   "yes yes yes no",
    "trash any":   "yes yes no  no",
    "share":       "yes yes yes no",
    "share any":   "yes yes no  no",
    "cancel any":  "yes yes no  no",
    "see usage":   "yes yes no  no",
    "set caps":    "yes yes no  no",
    "invite":      "yes yes no  no",
    "set roles":   "yes yes no  no",
    "remove":      "yes yes no  no",
    "rename":      "yes yes no  no",
    "take all":    "yes yes no  no",
    "hand over":   "yes no  no  no",
}  # fmt: skip
ROLES = ("owner", "admin", "member", "viewer")
CELLS = [
    (role, deed, word == "yes")
    for deed, row in TABLE.items()
    for role, word in zip(ROLES, row.split(), strict=True)
]

# (who asks, whom it is about, what they shall be): all that is allowed. All else is not.
ADMINS_BELOW = ("member", "viewer")
ROLE_CHANGES = {("owner", of, to) for of in ROLES for to in ROLES} | {
    ("admin", of, to) for of in ADMINS_BELOW for to in ADMINS_BELOW
}
REMOVALS = {("owner", whose) for whose in ROLES} | {("admin", whose) for whose in ADMINS_BELOW}


@pytest.mark.parametrize(("role", "deed", "allowed"), CELLS)
def test_a_role_may_do_what_its_cell_says(role: str, deed: str, allowed: bool) -> None:
    assert may(role, Deed(deed)) is allowed
    assert (Role(role) in roles_that_may(Deed(deed))) is allowed


def test_the_table_names_every_role_and_every_deed() -> None:
    assert set(TABLE) == {deed.value for deed in Deed}
    assert set(ROLES) == {role.value for role in Role} == {role.value for role in MAY}


@pytest.mark.parametrize("word", ["", "root", "OWNER", "owner ", "staff"])
def test_a_word_that_is_no_role_may_do_nothing(word: str) -> None:
    assert not any(may(word, deed) for deed in Deed)
    assert not any(may_give(word, role) for role in ROLES)
    assert not may_give("owner", word)
    assert not may_set_role("owner", of="member", to=word)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("of", ROLES)
@pytest.mark.parametrize("to", ROLES)
def test_who_may_make_whom_what(role: str, of: str, to: str) -> None:
    assert may_set_role(role, of=of, to=to) is ((role, of, to) in ROLE_CHANGES)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("whose", ROLES)
def test_who_may_remove_whom(role: str, whose: str) -> None:
    assert may_remove(role, whose) is ((role, whose) in REMOVALS)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("given", ROLES)
def test_what_one_gives_one_can_take_away(role: str, given: str) -> None:
    assert may_give(role, given) is may_remove(role, given)
