"""Links are made of what one may share, on terms that the administrator allows."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generator.errors import NotAllowed, StudioError
from generator.models import (
    Collection,
    Membership,
    Role,
    SharedImage,
    ShareLink,
    SharingRules,
    Team,
    User,
)
from generator.sharing import making, opening, secrets
from generator.sharing.making import Terms
from tests.make import (
    add_member,
    make_asset,
    make_collection,
    make_generation,
    make_team,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def membership(team: Team, member: User) -> Membership:
    """The member's place in the team."""
    return Membership.objects.get(team=team, user=member)


def until(team: Team, days: int = 30) -> date:
    """So many days from today."""
    return team.today() + timedelta(days=days)


def make(membership: Membership, count: int = 1, **terms: Any) -> ShareLink:
    """A link of so many new images."""
    generation = make_generation(membership.user, membership.team)
    images = [make_asset(generation, position) for position in range(count)]
    return making.share_images(membership, images, Terms(**terms))


# ── What is shared ──


def test_a_link_keeps_the_order_in_which_its_images_were_chosen(membership: Membership) -> None:
    generation = make_generation(membership.user, membership.team)
    images = [make_asset(generation, position) for position in (2, 0, 1)]
    link = making.share_images(membership, images, Terms())
    rows = link.shared.order_by("position")
    assert [row.image for row in rows] == images
    assert [row.place for row in rows] == [image.place for image in images]


def test_the_row_of_a_link_does_not_hold_its_secret(membership: Membership) -> None:
    link = ShareLink.objects.get(pk=make(membership, password="open sesame").pk)
    secret = secrets.secret_of(link)
    assert len(secret) >= 22  # 128 bits and more
    held = " ".join(str(value) for value in link.__dict__.values())
    assert secret not in held
    assert "open sesame" not in held
    assert opening.opened(secret, user=None, now=timezone.now(), is_in=False) == link


def test_only_kept_images_of_the_team_are_found_and_the_others_are_counted(
    membership: Membership,
) -> None:
    team = membership.team
    mine = make_asset(make_generation(membership.user, team))
    trashed = make_asset(make_generation(membership.user, team), trashed_at=timezone.now())
    foreign = make_asset(make_generation(make_user()))
    keys = [str(mine.pk), f"{trashed.pk},{foreign.pk}", mine.pk.hex.upper(), "../../x"]
    assert making.images_to_share(team, keys) == ([mine], 3)


def test_an_image_of_another_team_is_never_shared(membership: Membership) -> None:
    foreign = make_asset(make_generation(make_user()))
    with pytest.raises(NotAllowed):
        making.share_images(membership, [foreign], Terms())
    assert not ShareLink.objects.exists()


def test_more_than_ten_thousand_are_refused(team: Team) -> None:
    with pytest.raises(StudioError, match="10,000"):
        making.images_to_share(team, (str(number) for number in range(10_001)))


def test_a_collection_as_it_is_stays_as_it_was(membership: Membership) -> None:
    generation = make_generation(membership.user, membership.team)
    old, new, later = (make_asset(generation, position) for position in range(3))
    collection = make_collection(membership.team, [old, new])
    link = making.share_collection(membership, collection, Terms(), grows=False)
    make_collection(membership.team, [later], collection=collection)
    assert [row.image for row in link.shared.order_by("position")] == [new, old]
    assert link.collection is None


def test_a_collection_as_it_grows_has_no_rows_of_its_own(membership: Membership) -> None:
    collection = make_collection(membership.team, [])
    link = making.share_collection(membership, collection, Terms(), grows=True)
    assert link.collection == collection
    assert not SharedImage.objects.exists()


def test_an_empty_collection_is_not_shared_as_it_is(membership: Membership) -> None:
    with pytest.raises(NotAllowed, match="nothing in this collection"):
        making.share_collection(
            membership, make_collection(membership.team, []), Terms(), grows=False
        )


def test_another_teams_collection_is_not_shared(membership: Membership) -> None:
    collection = Collection.objects.create(team=make_team(), name="theirs")
    with pytest.raises(NotAllowed):
        making.share_collection(membership, collection, Terms(), grows=True)


def test_many_images_take_few_queries(membership: Membership) -> None:
    image = make_asset(make_generation(membership.user, membership.team))
    collection = make_collection(membership.team, [image])
    with CaptureQueriesContext(connection) as queries:
        making.share_collection(membership, collection, Terms(), grows=False)
    assert len(queries) < 13


# ── Until when ──


def test_a_link_is_open_until_the_end_of_its_day_by_the_teams_clock(team: Team) -> None:
    team.time_zone = "Asia/Tokyo"
    last = team.today() + timedelta(days=3)
    after = last + timedelta(days=1)
    tokyo_midnight = datetime(after.year, after.month, after.day, tzinfo=UTC) - timedelta(hours=9)
    assert making.closing(team, last) == tokyo_midnight


def test_the_day_that_was_chosen_is_the_day_that_is_stored_and_shown(
    membership: Membership,
) -> None:
    day = until(membership.team, 12)
    link = ShareLink.objects.get(pk=make(membership, last_day=day).pk)
    assert making.last_day_of(link) == day


def test_a_day_that_is_over_or_ten_years_away_is_refused(team: Team) -> None:
    assert making.closing(team, until(team, 3650))
    for days in (-1, 3651):
        with pytest.raises(NotAllowed):
            making.closing(team, until(team, days))


def test_where_every_link_must_end_that_is_within_a_year_or_what_is_usual(team: Team) -> None:
    for days, most in ((30, 365), (400, 400)):
        SharingRules(default_days=days, never_allowed=False).save()
        assert making.closing(team, until(team, most))
        with pytest.raises(NotAllowed, match=f"{most} days at most"):
            making.closing(team, until(team, most + 1))


def test_where_every_link_must_end_none_is_made_or_changed_without(
    membership: Membership,
) -> None:
    link = make(membership)
    SharingRules(never_allowed=False).save()
    with pytest.raises(NotAllowed, match="wants every link to end"):
        make(membership)
    with pytest.raises(NotAllowed, match="wants every link to end"):
        making.change(link, Terms(title="new"), by=membership)
    making.change(link, Terms(title="new", last_day=until(membership.team)), by=membership)
    link.refresh_from_db()
    assert (link.title, making.last_day_of(link)) == ("new", until(membership.team))


# ── Changing and revoking ──


def test_a_password_is_kept_changed_and_taken_away(membership: Membership) -> None:
    link = make(membership, password="first one")
    for said, opens in ((None, "first one"), ("second one", "second one")):
        making.change(link, Terms(password=said), by=membership)
        link.refresh_from_db()
        assert secrets.check_password(link, opens)
    assert not secrets.check_password(link, "first one")
    making.change(link, Terms(password=""), by=membership)
    link.refresh_from_db()
    assert not link.password


def test_a_password_is_hashed_while_no_row_is_held(
    membership: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside, within = len(connection.savepoint_ids), []

    def make_password(text: str) -> str:
        within.append(len(connection.savepoint_ids))
        return text

    monkeypatch.setattr(secrets, "make_password", make_password)
    link = make(membership, password="first one")
    making.change(link, Terms(password="second one"), by=membership)
    assert within == [outside, outside]


def test_what_is_revoked_stays_revoked(membership: Membership) -> None:
    link = make(membership)
    assert making.revoke(ShareLink.objects.filter(pk=link.pk)) == 1
    assert making.revoke(ShareLink.objects.filter(pk=link.pk)) == 0
    with pytest.raises(NotAllowed, match="revoked"):
        making.change(link, Terms(title="back again"), by=membership)
    link.refresh_from_db()
    assert link.revoked_at
    assert not ShareLink.objects.open(timezone.now()).exists()


def test_who_was_thrown_out_or_demoted_a_moment_ago_makes_and_changes_no_link(
    membership: Membership, team: Team
) -> None:
    link, place = make(membership), Membership.objects.filter(pk=membership.pk)
    images = [row.image for row in link.shared.all()]
    suspended = {"is_active": False}
    for lose in (
        lambda: User.objects.filter(pk=membership.user_id).update(**suspended),
        lambda: place.update(role=Role.VIEWER),
        place.delete,  # what `membership` says is of before
    ):
        lose()
        for deed in (
            lambda: making.share_images(membership, images, Terms()),
            lambda: making.change(link, Terms(title="mine still"), by=membership),
        ):
            with pytest.raises(NotAllowed, match="may not share"):
                deed()
        User.objects.filter(pk=membership.user_id).update(is_active=True)
    assert list(ShareLink.objects.values_list("title", flat=True)) == [""]


def test_a_link_changes_for_nobody_who_does_not_steer_it(
    membership: Membership, team: Team
) -> None:
    link = make(membership)
    for mate in (add_member(team, make_user()), add_member(make_team(), make_user(), Role.OWNER)):
        with pytest.raises(NotAllowed, match="not there"):
            making.change(link, Terms(title="mine"), by=mate)


def test_a_link_whose_author_may_share_no_more_is_closed_whatever_else_it_says(
    membership: Membership,
) -> None:
    link = make(membership)
    assert ShareLink.objects.open(timezone.now()).get() == link
    Membership.objects.filter(pk=membership.pk).update(role=Role.VIEWER)
    assert not ShareLink.objects.open(timezone.now()).exists()
    membership.delete()
    assert not ShareLink.objects.open(timezone.now()).exists()


def test_a_link_that_is_gone_meanwhile_is_said_to_be(membership: Membership) -> None:
    link = make(membership)
    ShareLink.objects.filter(pk=link.pk).delete()
    with pytest.raises(NotAllowed, match="not there any more"):
        making.change(link, Terms(title="late"), by=membership)


def test_a_collection_that_is_gone_meanwhile_is_not_shared(membership: Membership) -> None:
    collection = make_collection(membership.team, [])
    Collection.objects.filter(pk=collection.pk).delete()
    with pytest.raises(NotAllowed, match="not there any more"):
        making.share_collection(membership, collection, Terms(), grows=True)


def test_who_leaves_a_team_loses_the_links_there_and_no_others(
    membership: Membership, team: Team, member: User
) -> None:
    here = make(membership)
    elsewhere = make(add_member(make_team(), member))
    mates = make(add_member(team, make_user()))
    assert making.revoke_of(member, team) == 1
    assert set(ShareLink.objects.open(timezone.now())) == {elsewhere, mates}
    assert making.revoke_of(member) == 1
    here.refresh_from_db()
    assert here.revoked_at


def test_links_are_handed_only_to_a_member(membership: Membership, team: Team) -> None:
    link, boss = make(membership), make_user()
    assert making.hand_to(team.links.all(), boss) == 0
    add_member(team, boss, Role.ADMIN)
    assert making.hand_to(team.links.all(), boss) == 1
    link.refresh_from_db()
    assert link.author == boss


def test_only_links_that_may_still_be_opened_change_hands(
    membership: Membership, team: Team, member: User
) -> None:
    boss = add_member(team, make_user(), Role.ADMIN).user
    revoked, over, full, kept = (make(membership) for _ in range(4))
    making.revoke(team.links.filter(pk=revoked.pk))
    team.links.filter(pk=over.pk).update(expires_at=timezone.now() - timedelta(days=1))
    team.links.filter(pk=full.pk).update(most_views=1, views=1)  # still open to who is in
    assert making.hand_to(team.links.all(), boss) == 2
    assert set(team.links.filter(author=boss)) == {full, kept}
    assert set(team.links.filter(author=member)) == {revoked, over}


def test_a_viewer_steers_no_link_a_member_their_own_and_an_admin_all(
    membership: Membership, team: Team
) -> None:
    mine, other = make(membership), make(add_member(team, make_user()))
    admin = add_member(team, make_user(), Role.ADMIN)
    viewer = add_member(team, make_user(), Role.VIEWER)
    outsider = add_member(make_team(), make_user(), Role.OWNER)
    assert set(making.steered_by(membership)) == {mine}
    assert set(making.steered_by(admin)) == {mine, other}
    assert not making.steered_by(viewer)
    assert not making.steered_by(outsider)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ('"><script>alert(1)</script>', '"><script>alert(1)</script>'),
        ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
        ("../../etc/passwd\0", "../../etc/passwd"),
        ("a\u202egnp.exe\r\nSet-Cookie: b", "agnp.exe Set-Cookie: b"),
        (" \u2067 tidy \x1b[31m ", "tidy [31m"),
        ("👩‍🎨 نور", "👩‍🎨 نور"),
    ],
)
def test_a_title_is_kept_as_typed_but_for_what_is_not_seen(
    membership: Membership, typed: str, kept: str
) -> None:
    assert make(membership, title=typed).title == kept
