"""Who is in a team, and as what: made, changed, left, handed over; by two at a time as well."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator import books, jobs, leaving, live, teaming
from generator.errors import NotAllowed, StudioError
from generator.lifecycle import withdrawing
from generator.models import Generation, Membership, QuotaAccount, Role, Status, Team, User, Window
from generator.models.people import TeamQuerySet
from tests.make import add_member, make_entry, make_generation, make_team, make_user
from tests.services.test_races import race

pytestmark = pytest.mark.django_db


@pytest.fixture
def mara() -> Membership:
    """The owner of northlight."""
    return add_member(make_team(slug="northlight"), make_user("mara"), Role.OWNER)


def joined(mara: Membership, name: str, role: Role = Role.MEMBER) -> Membership:
    """One more in the team."""
    return add_member(mara.team, make_user(name), role)


def staff_set(staff: Client, member: Membership, typed: dict[str, str]) -> None:
    """Save the team's page in the admin with something else for one member."""
    prefixes = ("memberships", "memberships-2", "accounts", "accounts-2")
    form = {f"{name}-{part}_FORMS": "0" for name in prefixes for part in ("TOTAL", "INITIAL")}
    form |= {
        "name": member.team.name, "time_zone": "UTC", "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "1", "memberships-0-id": f"{member.pk}",
        "memberships-0-team": f"{member.team_id}", "memberships-0-role": member.role,
        **{f"memberships-0-{name}": value for name, value in typed.items()},
    }  # fmt: skip
    there = reverse("admin:generator_team_change", args=[member.team_id])
    assert staff.post(there, form).status_code == 302


def owners(team: Team) -> set[str]:
    """Who owns it."""
    rows = team.memberships.filter(role=Role.OWNER)
    return set(rows.values_list("user__username", flat=True))


def test_a_new_team_begins_with_the_studio_s_caps() -> None:
    nora = make_user("nora")
    team = teaming.new_team(nora, name="Northlight", time_zone="UTC")
    assert QuotaAccount.objects.of(team, nora).left(Window.MONTH, team.today()) == 10_000


def test_everybody_has_a_personal_team_beside_those_they_make() -> None:
    nora = make_user("nora")
    teaming.new_team(nora, name="Northlight", time_zone="UTC")
    assert [team.name for team in Team.objects.of(nora)] == ["Northlight", "nora"]


def test_nobody_changes_their_own_role(mara: Membership) -> None:
    joined(mara, "jonas", Role.OWNER)
    with pytest.raises(NotAllowed):
        teaming.set_role(mara, Role.ADMIN, by=mara)


def test_who_was_demoted_a_moment_ago_may_not_do_it_any_more(mara: Membership) -> None:
    admin, member = joined(mara, "ada", Role.ADMIN), joined(mara, "jonas")
    teaming.set_role(Membership.objects.get(pk=admin.pk), Role.VIEWER, by=mara)
    for deed in (
        lambda: teaming.set_role(member, Role.VIEWER, by=admin),  # what `admin` says is of before
        lambda: teaming.remove(member, by=admin, keep_links=False),
        lambda: teaming.invite(admin, ["x@example.org"], Role.VIEWER, by_mail=True),
    ):
        with pytest.raises(NotAllowed):
            deed()
    member.refresh_from_db()
    assert member.role == Role.MEMBER


def test_a_suspended_owner_does_not_count_as_one(mara: Membership) -> None:
    other = joined(mara, "olga", Role.OWNER)
    User.objects.filter(pk=other.user_id).update(is_active=False)
    with pytest.raises(StudioError, match="A team needs an owner"):
        teaming.leave(mara, keep_links=False)


def test_a_team_is_not_handed_to_somebody_suspended(mara: Membership) -> None:
    heir = joined(mara, "jonas")
    User.objects.filter(pk=heir.user_id).update(is_active=False)
    with pytest.raises(NotAllowed):
        teaming.hand_over(mara, heir)
    assert owners(mara.team) == {"mara"}


def test_one_s_personal_team_is_for_good() -> None:
    nora = make_user("nora")
    own = nora.memberships.get()
    with pytest.raises(NotAllowed):
        teaming.leave(own, keep_links=False)
    with pytest.raises(NotAllowed):
        teaming.invite(own, ["x@example.org"], Role.MEMBER, by_mail=True)


def test_what_waits_of_who_leaves_is_withdrawn_there_and_nowhere_else(mara: Membership) -> None:
    make_entry()
    gone = joined(mara, "jonas")
    here, elsewhere = make_generation(gone.user, mara.team), make_generation(gone.user)
    assert teaming.remove(gone, by=mara, keep_links=False) == 1
    statuses = [Generation.objects.get(pk=one.pk).status for one in (here, elsewhere)]
    assert statuses == [Status.CANCELLED, Status.QUEUED]
    assert books.prove() == []


def test_what_waits_of_who_may_only_look_from_now_on_is_withdrawn(mara: Membership) -> None:
    make_entry()
    jonas = joined(mara, "jonas", Role.ADMIN)
    here, elsewhere = make_generation(jonas.user, mara.team), make_generation(jonas.user)
    assert teaming.set_role(jonas, Role.MEMBER, by=mara).waiting == 0
    assert teaming.set_role(jonas, Role.VIEWER, by=mara).waiting == 1
    statuses = [Generation.objects.get(pk=one.pk).status for one in (here, elsewhere)]
    assert statuses == [Status.CANCELLED, Status.QUEUED]
    assert books.prove() == []


def test_what_was_begun_in_the_moment_of_a_demotion_is_withdrawn_by_the_sweep(
    mara: Membership,
) -> None:
    make_entry()
    jonas = joined(mara, "jonas")
    late, other = make_generation(jonas.user, mara.team), make_generation(mara.user, mara.team)
    Membership.objects.filter(pk=jonas.pk).update(role=Role.VIEWER)
    jobs.sweep()
    statuses = [Generation.objects.get(pk=one.pk).status for one in (late, other)]
    assert statuses == [Status.CANCELLED, Status.QUEUED]


def test_what_was_begun_in_the_moment_of_leaving_is_withdrawn_by_the_sweep(
    mara: Membership,
) -> None:
    make_entry()
    gone = joined(mara, "jonas")
    late = make_generation(gone.user, mara.team)
    gone.delete()
    jobs.sweep()
    late.refresh_from_db()
    assert late.status == Status.CANCELLED


@pytest.mark.parametrize("keep", [True, False])
def test_links_of_who_is_removed_end_or_are_the_remover_s(mara: Membership, keep: bool) -> None:
    gone = joined(mara, "jonas")
    link = mara.team.links.create(author=gone.user, nonce=b"n" * 16, digest="d")
    other = gone.user.personal_team.links.create(author=gone.user, nonce=b"m" * 16, digest="e")
    teaming.remove(gone, by=mara, keep_links=keep)
    link.refresh_from_db()
    other.refresh_from_db()
    assert (link.revoked_at is None, link.author) == (keep, mara.user if keep else gone.user)
    assert (other.revoked_at, other.author) == (None, gone.user)


def test_links_of_who_may_not_share_any_more_end_with_that(mara: Membership) -> None:
    jonas = joined(mara, "jonas", Role.ADMIN)
    link = mara.team.links.create(author=jonas.user, nonce=b"n" * 16, digest="d")
    other = jonas.user.personal_team.links.create(author=jonas.user, nonce=b"m" * 16, digest="e")
    assert teaming.set_role(jonas, Role.MEMBER, by=mara).links == 0
    assert teaming.set_role(jonas, Role.VIEWER, by=mara).links == 1
    teaming.set_role(jonas, Role.MEMBER, by=mara)
    link.refresh_from_db()
    other.refresh_from_db()
    assert (bool(link.revoked_at), other.revoked_at) == (True, None)


def test_kept_links_of_a_new_viewer_end_not_and_what_was_over_is_left_as_it_is(
    mara: Membership,
) -> None:
    jonas = joined(mara, "jonas")
    kept = mara.team.links.create(author=jonas.user, nonce=b"n" * 16, digest="d")
    before = timezone.now() - timedelta(days=1)
    over = mara.team.links.create(author=jonas.user, nonce=b"m" * 16, digest="e", expires_at=before)
    assert teaming.set_role(jonas, Role.VIEWER, by=mara, keep_links=True).links == 0
    kept.refresh_from_db()
    over.refresh_from_db()
    assert (kept.author, kept.revoked_at) == (mara.user, None)
    assert (over.author, over.revoked_at) == (jonas.user, None)


def test_who_is_removed_cannot_come_back_by_an_invitation_that_was_still_open(
    mara: Membership,
) -> None:
    gone = joined(mara, "jonas")
    mara.team.invitations.create(email="Jonas@example.org", secret_digest="d")
    teaming.remove(gone, by=mara, keep_links=False)
    assert not mara.team.invitations.still_open().exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_leave_at_the_same_moment_one_stays(mara: Membership) -> None:
    other = joined(mara, "olga", Role.OWNER)
    said = race(*[lambda one=one: teaming.leave(one, keep_links=False) for one in (mara, other)])
    assert len(owners(mara.team)) == 1
    assert [type(one) for one in said if one != 0] == [StudioError]


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_make_each_other_viewers_one_stays_owner(mara: Membership) -> None:
    other = joined(mara, "olga", Role.OWNER)
    race(
        lambda: teaming.set_role(other, Role.VIEWER, by=mara),
        lambda: teaming.set_role(mara, Role.VIEWER, by=other),
    )
    assert len(owners(mara.team)) == 1


def test_who_is_opened_again_after_a_hand_over_has_a_personal_team_again(mara: Membership) -> None:
    boss, gone = make_user("boss", is_staff=True, is_superuser=True), make_user("gone")
    leaving.suspend(gone, by=boss)
    leaving.hand_over(User.objects.get(pk=gone.pk), mara.user, by=boss)
    leaving.open_again(User.objects.get(pk=gone.pk), by=boss)
    assert [team.personal_of for team in Team.objects.of(gone)] == [gone]


# ── Addresses of teams ──


@pytest.mark.django_db(transaction=True)
def test_of_many_who_give_a_team_the_same_name_at_once_each_gets_one() -> None:
    people = [make_user(f"p{n}") for n in range(6)]
    made = race(
        *[lambda one=one: Team.objects.create_shared("Studio", owner=one) for one in people]
    )
    assert [str(each) for each in made] == ["Studio"] * 6
    assert len({each.slug for each in Team.objects.filter(name="Studio")}) == 6


@pytest.mark.django_db(transaction=True)
def test_who_opens_the_studio_twice_at_once_has_one_personal_team() -> None:
    nora = make_user("nora")
    Team.objects.filter(personal_of=nora).update(personal_of=None)  # handed over
    made = race(*[lambda: Team.objects.create_personal(nora)] * 4)
    assert set(made) == {Team.objects.get(personal_of=nora)}


# ── How many teams one makes ──


def test_a_team_handed_over_counts_for_whoever_made_it(mara: Membership, settings: Any) -> None:
    settings.MOST_TEAMS = 2
    for name in ("One", "Two"):
        team = teaming.new_team(mara.user, name=name, time_zone="UTC")
        teaming.hand_over(team.memberships.get(), add_member(team, make_user()))
        teaming.leave(team.memberships.get(user=mara.user), keep_links=False)
    with pytest.raises(NotAllowed, match="You have made 2 teams"):
        teaming.new_team(mara.user, name="Three", time_zone="UTC")


def test_who_was_handed_teams_may_make_their_own(mara: Membership, settings: Any) -> None:
    settings.MOST_TEAMS = 1
    assert teaming.new_team(mara.user, name="Own", time_zone="UTC").made_by == mara.user


@pytest.mark.parametrize("is_staff", [False, True])
def test_where_only_staff_make_teams_nobody_else_does(settings: Any, is_staff: bool) -> None:
    settings.MOST_TEAMS = 0
    person = make_user(is_staff=is_staff)
    if is_staff:
        teaming.new_team(person, name="Northlight", time_zone="UTC")
    else:
        with pytest.raises(NotAllowed, match="Only administrators make teams"):
            teaming.new_team(person, name="Northlight", time_zone="UTC")


@pytest.mark.django_db(transaction=True)
def test_of_two_teams_made_at_once_the_last_that_one_may_is_the_only_one(settings: Any) -> None:
    settings.MOST_TEAMS = 1
    nora = make_user("nora")

    def make() -> object:
        return teaming.new_team(nora, name="Northlight", time_zone="UTC")

    outcomes = race(make, make)
    assert sum(isinstance(outcome, NotAllowed) for outcome in outcomes) == 1
    assert nora.made_teams.count() == 1


# ── Withdrawing ──


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["made a viewer", "removed", "left", "staff: viewer", "staff: out"])
def test_what_waits_is_withdrawn_only_once_the_change_of_members_is_committed(
    mara: Membership, monkeypatch: pytest.MonkeyPatch, client: Client, how: str
) -> None:
    # Or the accounts would be locked before a generation that a worker holds and closes.
    make_entry()
    jonas = joined(mara, "jonas")
    for _ in range(2):
        make_generation(jonas.user, mara.team)
    cancel, within = withdrawing.cancel, []

    def watched(generation: Generation) -> None:
        within.append(connection.in_atomic_block)
        cancel(generation)

    monkeypatch.setattr(withdrawing, "cancel", watched)
    match how:
        case "made a viewer":
            teaming.set_role(jonas, Role.VIEWER, by=mara)
        case "removed":
            teaming.remove(jonas, by=mara, keep_links=False)
        case "left":
            teaming.leave(jonas, keep_links=False)
        case _:
            client.force_login(make_user("boss", is_staff=True, is_superuser=True))
            staff_set(
                client, jonas, {"DELETE": "on"} if how == "staff: out" else {"role": "viewer"}
            )
    assert within == [False, False]
    assert not jonas.user.generations.filter(status=Status.QUEUED).exists()
    assert books.prove() == []


@pytest.mark.parametrize("typed", [{"role": "viewer"}, {"DELETE": "on"}])
def test_staff_change_members_with_the_team_held_and_open_pages_are_told(
    mara: Membership, monkeypatch: pytest.MonkeyPatch, client: Client, typed: dict[str, str],
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    jonas = joined(mara, "jonas")
    held: list[int] = []
    told: list[str] = []
    hold = TeamQuerySet.held
    monkeypatch.setattr(TeamQuerySet, "held", lambda self, pk: (held.append(pk), hold(self, pk))[1])
    monkeypatch.setattr(live, "_publish", lambda channel, _line: told.append(channel))
    client.force_login(make_user("boss", is_staff=True, is_superuser=True))
    with django_capture_on_commit_callbacks(execute=True):
        staff_set(client, jonas, typed)
    assert held == [mara.team_id]
    assert told == [f"{live.CHANNELS}{mara.team_id}"]
