"""What the door of a sharing link tells, whom it counts, and what it keeps in a flood."""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from generator.models import Team, User
from generator.sharing import secrets
from tests.make import make_asset, make_collection, make_generation, make_link, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_of_other_tests(db: None) -> None:
    cache.clear()


def share(team: Team, member: User, *, count: int = 1, **facts: Any) -> Any:
    """A link of so many new images."""
    generation = make_generation(member, team)
    return make_link(member, [make_asset(generation, place) for place in range(count)], **facts)


def at(link: Any, rest: str = "") -> str:
    """Where a link leads."""
    return f"/s/{secrets.secret_of(link)}/{rest}"


# ── What is told ──


def test_a_link_without_a_title_does_not_tell_what_its_collection_is_called(
    client: Client, team: Team, member: User
) -> None:
    image = make_asset(make_generation(member, team))
    collection = make_collection(team, [image])
    page = client.get(at(make_link(member, team=team, collection=collection))).content.decode()
    assert collection.name not in page
    assert "<h1>Images</h1>" in page


@pytest.mark.parametrize(("name", "said"), [("Ana Lima", "from Ana Lima"), ("", "1 image")])
def test_a_person_alone_is_called_by_their_name_and_never_by_an_address(
    client: Client, name: str, said: str
) -> None:
    person = make_user("ana@example.org", email="ana@example.org", first_name=name)
    page = client.get(at(share(person.personal_team, person))).content.decode()
    assert said in page
    assert "@" not in page
    assert "example.org" not in page


def test_images_are_counted_in_the_links_own_order_and_only_where_the_count_is_shown(
    client: Client, team: Team, member: User
) -> None:
    """By the images' own order, SQLite walks the whole team."""
    image = make_asset(make_generation(member, team))
    collection = make_collection(team, [image])
    link = make_link(member, team=team, collection=collection)
    counts = []
    for rest in ("", f"?image={collection.collected.get().pk}"):
        with CaptureQueriesContext(connection) as queries:
            client.get(at(link, rest))
        counts.append([one["sql"] for one in queries if "COUNT(" in one["sql"]])
    assert len(counts[0]) == 1
    assert 'ORDER BY "generator_collected"."place"' in counts[0][0]
    assert counts[1] == []
