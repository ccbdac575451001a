"""Browsers of several people, and what a page showed."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from generator.models import Role, Team, User
from tests.make import add_member, make_user

SignIn = Callable[[User], Client]


@pytest.fixture
def sign_in(db: None) -> SignIn:
    """A browser in which this person has signed in."""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def maker(member: User, sign_in: SignIn) -> Client:
    """The member's."""
    return sign_in(member)


@pytest.fixture
def stranger(sign_in: SignIn) -> Client:
    """Somebody signed in who is in another team."""
    return sign_in(make_user("stranger"))


@pytest.fixture
def viewer(team: Team, sign_in: SignIn) -> Client:
    """Somebody who may look at the team's images and no more."""
    user = make_user("viewer")
    add_member(team, user, Role.VIEWER)
    return sign_in(user)


@pytest.fixture
def mate(team: Team, sign_in: SignIn) -> Client:
    """Another member of the team."""
    user = make_user("mate")
    add_member(team, user)
    return sign_in(user)


def words(html: str) -> str:
    """What a page says, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
