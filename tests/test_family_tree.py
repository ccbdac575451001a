"""What an image was made from, and what was made from it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from generator.family_tree import Branch, tree_of
from generator.models import Generation, Team, User
from tests.make import make_asset, make_generation, make_team

pytestmark = pytest.mark.django_db


def child_of(parent: Generation, member: User, team: Team) -> Generation:
    generation = make_generation(member, team, action="edit", parent=parent)
    make_asset(generation)
    return generation


def shape(branch: Branch) -> tuple[object, list[object]]:
    return branch.generation.pk, [shape(one) for one in branch.branches]


def test_an_image_by_itself_has_no_family(team: Team, member: User) -> None:
    assert tree_of(make_generation(member, team)) is None


def test_the_same_tree_is_seen_from_everywhere_in_it(team: Team, member: User) -> None:
    root = make_generation(member, team)
    first, second = child_of(root, member, team), child_of(root, member, team)
    leaf = child_of(second, member, team)
    whole = (root.pk, [(first.pk, []), (second.pk, [(leaf.pk, [])])])
    for generation in (root, first, second, leaf):
        tree = tree_of(Generation.objects.get(pk=generation.pk))
        assert tree
        assert shape(tree) == whole


def test_a_tree_is_read_in_a_few_queries(team: Team, member: User) -> None:
    root = make_generation(member, team)
    for _ in range(12):
        child_of(root, member, team)
    with CaptureQueriesContext(
        connection,
    ) as few:
        tree_of(Generation.objects.get(pk=root.pk))
    assert len(few) <= 5


def test_nothing_of_another_team_is_in_it(team: Team, member: User) -> None:
    root = make_generation(member, team)
    child_of(root, member, team)
    elsewhere = make_generation(member, make_team(member))
    Generation.objects.filter(pk=elsewhere.pk).update(parent=root)
    tree = tree_of(root)
    assert tree
    assert len(tree.branches) == 1
    assert tree_of(Generation.objects.get(pk=elsewhere.pk)) is None
