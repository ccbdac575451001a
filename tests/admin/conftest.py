"""Staff who are signed in."""

import pytest
from django.test import Client

from generator.models import User
from tests.make import make_user


@pytest.fixture
def boss(db: None) -> User:
    """A superuser."""
    return make_user("mara", is_staff=True, is_superuser=True)


@pytest.fixture
def staff(client: Client, boss: User) -> Client:
    """The boss's browser."""
    client.force_login(boss)
    return client
