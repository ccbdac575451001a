"""What a link hands out: to its end or not at all, and to many at once."""

import io
import zipfile
from typing import Any

import pytest
from django.test import Client

from generator.models import ImageAsset, ShareLink, Team, User
from generator.sharing import secrets
from tests.make import make_asset, make_generation, make_link

pytestmark = pytest.mark.django_db


@pytest.fixture
def images(team: Team, member: User) -> list[ImageAsset]:
    """Three images of the team."""
    generation = make_generation(member, team)
    return [make_asset(generation, position) for position in range(3)]


def share(images: list[ImageAsset], **facts: Any) -> ShareLink:
    """A link of these images by their author."""
    return make_link(images[0].author, images, **facts)


def at(link: ShareLink, rest: str = "") -> str:
    """Where a link leads."""
    return f"/s/{secrets.secret_of(link)}/{rest}"


def test_all_can_be_downloaded_after_the_key_that_made_the_link_is_gone(
    client: Client, images: list[ImageAsset], settings: Any
) -> None:
    address = at(share(images), "all.zip")
    settings.SECRET_KEY = "another"
    answer: Any = client.get(address)
    archive = zipfile.ZipFile(io.BytesIO(answer.getvalue()))
    assert len(archive.namelist()) == 5
