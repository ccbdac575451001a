"""A link's secret can be copied again by its owner, and by nobody who has only the database."""

import uuid
from typing import Any

import pytest
from django.utils import timezone

from generator.errors import SecretLost
from generator.models import ShareLink, User
from generator.sharing import coming, opening, secrets
from tests.make import make_link

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_guesses_of_other_tests(db: None) -> None:
    coming.cache.clear()


def found(secret: str) -> ShareLink | None:
    """The link that this secret opens."""
    return opening.opened(secret, user=None, now=timezone.now(), is_in=False)


def test_the_owner_can_copy_a_link_again_and_it_opens(member: User) -> None:
    link = make_link(member)
    again = ShareLink.objects.get(pk=link.pk)
    assert found(secrets.secret_of(again)) == link


def test_a_secret_has_far_more_than_128_bits_and_no_two_are_the_same(member: User) -> None:
    made = {secrets.secret_of(make_link(member)) for _ in range(20)}
    assert len(made) == 20
    assert {len(secret) for secret in made} == {secrets.LENGTH}
    assert secrets.LENGTH * 6 >= 128


def test_the_rows_of_a_link_do_not_hold_its_secret(member: User, settings: Any) -> None:
    link = make_link(member)
    secret = secrets.secret_of(link)
    row = ShareLink.objects.filter(pk=link.pk).values_list().get()
    assert secret not in str(row)
    assert secret not in str(bytes(link.nonce))
    settings.SECRET_KEY = "the thief's own"
    with pytest.raises(SecretLost):
        secrets.secret_of(link)


def test_a_changed_key_loses_no_link_while_the_old_one_is_named(
    member: User, settings: Any
) -> None:
    link = make_link(member)
    secret = secrets.secret_of(link)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", [settings.SECRET_KEY]
    assert secrets.secret_of(link) == secret
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(SecretLost):
        secrets.secret_of(link)
    assert found(secret) == link


@pytest.mark.parametrize("text", ["", "x", "x" * 10_000, "\0", "\ud800", "💥", "%"])
def test_what_is_no_secret_finds_nothing(member: User, text: str) -> None:
    make_link(member)
    assert found(text) is None


def test_a_link_without_a_password_has_none_that_fits(member: User) -> None:
    link = make_link(member)
    assert not secrets.check_password(link, "")
    assert not secrets.check_password(link, "!")


def somebody(number: int) -> coming.Visitor:
    """A visitor from a network of their own."""
    return coming.Visitor(uuid.uuid4(), f"10.0.{number}.0", "")


def test_guesses_at_one_password_do_not_count_against_the_next(member: User) -> None:
    link = make_link(member, password="open sesame")
    most = coming._OF_A_LINK.most
    for number in range(most):
        assert not coming.take_a_guess(link, somebody(number))
    assert coming.take_a_guess(link, somebody(most))
    assert 0 < coming.shut_for([link])[link.pk] <= coming._OF_A_LINK.seconds
    link.password = secrets.hashed("another one")
    assert not coming.shut_for([link])
    assert not coming.take_a_guess(link, somebody(most))


def test_those_who_know_the_password_use_up_no_guesses(member: User) -> None:
    link = make_link(member, password="open sesame")
    for number in range(2 * coming._OF_A_LINK.most):
        assert not coming.take_a_guess(link, somebody(number))
        coming.forget_guesses(link, somebody(number))
    assert not coming.shut_for([link])


def test_of_guesses_that_see_the_same_count_each_takes_a_place_of_its_own(db: None) -> None:
    bound = coming._FROM_THERE[0]
    taken = [coming._take_a_place("guess:one", 0, bound) for _ in range(8)]
    assert taken == [True] * bound.most + [False] * (8 - bound.most)
