"""The pages of teams: who sees them, what they change, and that nothing else does."""

import re
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from generator.models import Cap, Membership, QuotaAccount, Role, Status, Team, User, Window
from tests.make import (
    add_member,
    make_entry,
    make_generation,
    make_link,
    make_team,
    make_user,
    set_cap,
)

pytestmark = pytest.mark.django_db
# What nobody may set by sending it along (A2).
EXTRA = {"is_staff": "on", "is_superuser": "on", "user": "1", "team": "1", "personal_of": "1",
         "slug": "stolen", "credits": "999999", "own_credits": "1", "by": "1", "role": "owner",
         "invited_by": "1", "email": "evil@example.org", "expires_at": "2999-01-01",
         "team_credits": "1"}  # fmt: skip


@pytest.fixture
def people() -> dict[str, Membership]:
    """A team with one of each role, by role."""
    team = make_team(slug="northlight")
    return {role.value: add_member(team, make_user(f"the-{role}"), role) for role in Role}


@pytest.fixture
def northlight(people: dict[str, Membership]) -> Team:
    """Their team."""
    return people["owner"].team


def as_(member: Membership | User) -> Client:
    """A browser in which somebody is signed in."""
    client = Client()
    client.force_login(member if isinstance(member, User) else member.user)
    return client


def there(name: str, member: Membership | None = None) -> str:
    """A page of the team, or of one of its members."""
    return reverse(name, args=["northlight", *([member.pk] if member else [])])


def now(member: Membership) -> str | None:
    """The role that somebody has now; None for who is out."""
    try:
        return Membership.objects.get(pk=member.pk).role
    except ObjectDoesNotExist:
        return None


# ── Making and naming ──


def test_whoever_makes_a_team_owns_it_and_comes_to_its_page(client: Client) -> None:
    nora = make_user("nora")
    client.force_login(nora)
    answer = client.post(reverse("team_new"), {"name": " North  light ", "time_zone": "Asia/Tokyo"})
    team = Team.objects.get(personal_of=None)
    assert answer["Location"] == reverse("team", args=[team.slug])
    assert (team.name, team.slug, team.time_zone) == ("North light", "north-light", "Asia/Tokyo")
    assert team.memberships.get().user == nora
    assert team.memberships.get().role == Role.OWNER


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "This field is required"),
        ("\u202e\u200b", "letters or digits"),
        ("\u3164\u2800", "letters or digits"),
        ("x" * 81, "at most 80"),
        ("Win at http://evil.example", "not an address"),
    ],
)
def test_a_name_that_will_not_do_is_refused_beside_its_field_and_kept(
    client: Client, name: str, said: str
) -> None:
    client.force_login(make_user())
    page = client.post(reverse("team_new"), {"name": name, "time_zone": "UTC"})
    assert page.status_code == 200
    assert said in page.content.decode()
    assert not Team.objects.filter(personal_of=None).exists()


def test_two_teams_of_one_name_have_addresses_of_their_own(client: Client) -> None:
    client.force_login(make_user())
    for _ in range(2):
        client.post(reverse("team_new"), {"name": "Northlight", "time_zone": "UTC"})
    assert Team.objects.filter(name="Northlight").count() == 2


def test_who_made_as_many_teams_as_one_may_is_told_whom_to_ask(
    client: Client, settings: Any
) -> None:
    nora = make_user("nora")
    Team.objects.create_shared("Northlight", owner=nora)
    settings.MOST_TEAMS = 1
    client.force_login(nora)
    page = client.post(reverse("team_new"), {"name": "One more", "time_zone": "UTC"})
    for answer in (page, client.get(reverse("team_new"))):
        assert "You have made 1 team, and that is all one may." in answer.content.decode()
    assert not Team.objects.filter(name="One more").exists()


def test_fields_beside_the_form_of_a_new_team_change_nothing(client: Client) -> None:
    nora = make_user("nora")
    client.force_login(nora)
    client.post(reverse("team_new"), {"name": "Plain", "time_zone": "UTC", **EXTRA})
    team = Team.objects.get(name="Plain")
    assert (team.slug, team.personal_of) == ("plain", None)
    nora.refresh_from_db()
    assert (nora.is_staff, nora.is_superuser) == (False, False)
    assert not Cap.objects.filter(credits=999999).exists()


def test_settings_change_name_and_time_zone_alone(
    northlight: Team, people: dict[str, Membership]
) -> None:
    form = {"name": "Southlight", "time_zone": "Europe/Berlin", **EXTRA}
    as_(people["admin"]).post(there("team_settings"), form)
    northlight.refresh_from_db()
    assert (northlight.name, northlight.time_zone) == ("Southlight", "Europe/Berlin")
    assert (northlight.slug, northlight.personal_of) == ("northlight", None)


def test_a_name_is_text_on_every_page_of_the_team(people: dict[str, Membership]) -> None:
    name = "<script>x</script>\"'>"
    Team.objects.filter(slug="northlight").update(name=name)
    for page in ("team", "team_settings", "team_leave", "team_hand_over", "team_caps"):
        html = as_(people["owner"]).get(there(page)).content.decode()
        assert "<script>x" not in html
        assert "&lt;script&gt;" in html


# ── Who sees what ──

PAGES = {
    "team": "owner admin member viewer",
    "team_settings": "owner admin",
    "invite": "owner admin",
    "team_leave": "owner admin member viewer",
    "team_hand_over": "owner",
    "team_caps": "owner admin",
}
OF_A_MEMBER = {"member_cap": "owner admin", "member_remove": "owner admin"}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer", "stranger"])
def test_a_page_is_there_for_those_whose_role_may(
    people: dict[str, Membership], name: str, role: str
) -> None:
    client = as_(make_user() if role == "stranger" else people[role])
    found = client.get(there(name)).status_code != 404
    assert found is (role in PAGES[name].split())


@pytest.mark.parametrize("name", OF_A_MEMBER)
@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer", "stranger"])
def test_a_page_about_a_member_is_there_for_those_whose_role_may(
    people: dict[str, Membership], name: str, role: str
) -> None:
    client = as_(make_user() if role == "stranger" else people[role])
    other = people["viewer" if role == "member" else "member"]
    found = client.get(there(name, other)).status_code == 200
    assert found is (role in OF_A_MEMBER[name].split())


def test_members_of_another_team_cannot_be_reached_through_one_s_own(
    people: dict[str, Membership],
) -> None:
    boss = make_user()
    make_team(boss, slug="elsewhere", role=Role.OWNER)
    for name, form in (("member_role", {"role": "viewer"}), ("member_remove", {}),
                       ("member_cap", {"day": "1"})):  # fmt: skip
        path = reverse(name, args=["elsewhere", people["member"].pk])
        assert as_(boss).post(path, form).status_code == 404
    assert now(people["member"]) == "member"


def test_the_page_of_a_member_shows_neither_addresses_nor_credits_nor_ways_to_steer(
    people: dict[str, Membership],
) -> None:
    page = as_(people["member"]).get(there("team")).content.decode()
    assert "the-owner" in page
    assert "the-owner@example.org" not in page
    for word in ("Remove", "Invite", "data-role", "Credits in", "Hand over", "Caps"):
        assert word not in page


def test_an_admin_s_page_offers_no_role_that_an_admin_may_not_give(
    people: dict[str, Membership],
) -> None:
    page = as_(people["admin"]).get(there("team")).content.decode()
    assert "Role of the-member" in page
    assert "Role of the-owner" not in page
    assert set(re.findall(r'<option value="(\w+)"', page)) == {"member", "viewer"}


def test_a_personal_team_is_one_s_own_and_says_so() -> None:
    nora = make_user("nora")
    client, slug = as_(nora), nora.personal_team.slug
    assert "yours alone" in client.get(reverse("team", args=[slug])).content.decode()
    for name in ("team_leave", "team_hand_over", "team_caps"):
        assert client.post(reverse(name, args=[slug])).status_code == 404
    invite = client.post(
        reverse("invite", args=[slug]), {"addresses": "a@example.org", "role": "viewer"}
    )
    assert invite.status_code == 404


def test_the_page_asks_as_often_for_many_members_as_for_a_few(
    people: dict[str, Membership], northlight: Team
) -> None:
    def queries() -> int:
        client = as_(people["owner"])
        client.get(there("team"))
        with CaptureQueriesContext(connection) as asked:
            assert client.get(there("team")).status_code == 200
        return len(asked)

    few = queries()
    for number in range(30):
        user = add_member(northlight, make_user(f"many{number}")).user
        QuotaAccount.objects.of(northlight, user)
        northlight.invitations.create(
            email=f"i{number}@example.org", secret_digest=str(number), invited_by=user
        )
    assert queries() == few


# ── Roles ──


def test_a_role_is_set_and_holds_from_the_next_page_on(people: dict[str, Membership]) -> None:
    viewer = as_(people["viewer"])
    assert viewer.get(there("team_settings")).status_code == 404
    answer = as_(people["owner"]).post(there("member_role", people["viewer"]), {"role": "admin"})
    assert answer["Location"] == there("team")
    assert viewer.get(there("team_settings")).status_code == 200


@pytest.mark.parametrize("keep", [True, False])
def test_who_makes_somebody_a_viewer_is_asked_what_becomes_of_their_links(
    people: dict[str, Membership], keep: bool
) -> None:
    member, owner = people["member"], as_(people["owner"])
    link = make_link(member.user, team=member.team)
    form = {"role": "viewer"}
    page = owner.post(there("member_role", member), form).content.decode()
    assert "Make the-member a viewer?" in page
    assert "but make nothing here any more." in page  # though nothing waits
    assert f'their <a href="{there("links")}">sharing link</a> ends for good' in page
    assert "waiting" not in page
    assert "Keep their sharing link open; you will look after it" in page
    assert now(member) == "member"  # asking changes nothing
    form = dict(re.findall(r'name="(role|is_sure)" value="(\w+)"', page))
    form |= {"keep_links": "on"} if keep else {}
    answer = owner.post(there("member_role", member), form, follow=True)
    assert now(member) == "viewer"
    ended = "Viewers do not share: 1 sharing link of theirs ended." in answer.content.decode()
    link.refresh_from_db()
    assert (link.revoked_at is None, ended) == (keep, not keep)
    assert link.author == people["owner" if keep else "member"].user


def test_who_makes_somebody_a_viewer_is_asked_before_what_waits_is_withdrawn(
    people: dict[str, Membership], northlight: Team
) -> None:
    make_entry()
    member, owner = people["member"], as_(people["owner"])
    waits = make_generation(member.user, northlight)
    page = owner.post(there("member_role", member), {"role": "viewer"}).content.decode()
    assert "1 waiting generation of theirs is withdrawn" in page
    assert "sharing link" not in page
    owner.post(there("member_role", member), {"role": "viewer", "is_sure": "on"})
    waits.refresh_from_db()
    assert (now(member), waits.status) == ("viewer", Status.CANCELLED)


@pytest.mark.parametrize("page", ["member_remove", "team_leave"])
def test_who_takes_somebody_out_is_told_how_many_links_end_unless_they_are_kept(
    people: dict[str, Membership], page: str
) -> None:
    member, whose = people["member"], "Their" if page == "member_remove" else "Your"
    by = people["owner"] if page == "member_remove" else member
    address = there(page, member if page == "member_remove" else None)
    links = f'{whose} <a href="{there("links")}">'
    for count, said in [
        (1, "sharing link</a> ends for good, unless you keep it below."),
        (2, "2 sharing links</a> end for good, unless you keep them below."),
    ]:
        make_link(member.user, team=member.team)
        assert links + said in as_(by).get(address).content.decode(), count


@pytest.mark.parametrize(("by", "of"), [("admin", "admin"), ("admin", "owner"), ("owner", "owner")])
def test_nobody_is_asked_about_a_role_that_is_not_theirs_to_change(
    people: dict[str, Membership], by: str, of: str
) -> None:
    make_link(people[of].user, team=people[of].team)
    asked = as_(people[by]).post(there("member_role", people[of]), {"role": "viewer"})
    assert asked.status_code == 404
    assert now(people[of]) == of


@pytest.mark.parametrize(
    ("by", "of", "to"),
    [
        ("admin", "owner", "member"),
        ("admin", "member", "owner"),
        ("admin", "member", "admin"),
        ("admin", "admin", "owner"),
        ("owner", "owner", "viewer"),
        ("member", "viewer", "member"),
        ("viewer", "viewer", "owner"),
        ("owner", "member", "root"),
        ("owner", "member", ""),
    ],
)
def test_what_one_s_rank_does_not_allow_is_not_there(
    people: dict[str, Membership], by: str, of: str, to: str
) -> None:
    answer = as_(people[by]).post(there("member_role", people[of]), {**EXTRA, "role": to})
    assert answer.status_code == 404
    assert now(people[of]) == of


# ── Going ──


def test_who_is_removed_sees_nothing_more_and_what_they_made_stays(
    people: dict[str, Membership], northlight: Team
) -> None:
    make_entry()
    gone = people["member"]
    made = make_generation(gone.user, northlight)
    page = as_(people["admin"]).get(there("member_remove", gone)).content.decode()
    assert "Remove the-member from Northlight?" in page
    assert now(gone) == "member"  # looking changes nothing
    as_(people["admin"]).post(there("member_remove", gone), EXTRA)
    assert now(gone) is None
    assert as_(gone).get(there("team")).status_code == 404
    made.refresh_from_db()
    assert (made.status, made.author, made.team) == (Status.CANCELLED, gone.user, northlight)


@pytest.mark.parametrize(("by", "whom"), [("admin", "owner"), ("admin", "admin"),
                                          ("owner", "owner"), ("member", "viewer")])  # fmt: skip
def test_nobody_removes_those_not_below_them_or_themselves(
    people: dict[str, Membership], by: str, whom: str
) -> None:
    assert as_(people[by]).post(there("member_remove", people[whom])).status_code == 404
    assert now(people[whom]) == whom


def test_the_only_owner_is_not_offered_to_leave_and_told_why(
    people: dict[str, Membership], northlight: Team
) -> None:
    owner, leaving = people["owner"], f'href="{there("team_leave")}"'
    page = as_(owner).get(there("team")).content.decode()
    assert leaving not in page
    assert "You are the only owner, so you cannot leave" in page
    assert "Hand it over to another member first" in (
        as_(owner).get(there("team_leave")).content.decode()
    )
    assert leaving in as_(people["admin"]).get(there("team")).content.decode()
    add_member(northlight, make_user(), Role.OWNER)
    assert leaving in as_(owner).get(there("team")).content.decode()


def test_who_is_alone_in_a_team_is_told_to_invite_somebody(people: dict[str, Membership]) -> None:
    for role in ("admin", "member", "viewer"):
        people[role].delete()
    assert "You are alone in this team" in as_(people["owner"]).get(there("team")).content.decode()


def test_whoever_leaves_can_take_along_what_they_made(people: dict[str, Membership]) -> None:
    page = as_(people["member"]).get(there("team_leave")).content.decode()
    assert f'action="{reverse("takeaway")}"' in page


def test_one_leaves_by_a_post_and_comes_home(people: dict[str, Membership]) -> None:
    viewer = as_(people["viewer"])
    assert "Leave Northlight?" in viewer.get(there("team_leave")).content.decode()
    assert viewer.post(there("team_leave"))["Location"] == reverse("home")
    assert now(people["viewer"]) is None
    assert viewer.get(reverse("home"), follow=True).status_code == 200


def test_the_last_owner_is_told_to_hand_over_first(people: dict[str, Membership]) -> None:
    page = as_(people["owner"]).post(there("team_leave"), follow=True).content.decode()
    assert "A team needs an owner." in page
    assert now(people["owner"]) == "owner"


def test_an_owner_hands_over_and_is_an_admin(people: dict[str, Membership]) -> None:
    form = {**EXTRA, "to": str(people["viewer"].pk)}
    as_(people["owner"]).post(there("team_hand_over"), form)
    assert (now(people["viewer"]), now(people["owner"])) == ("owner", "admin")


@pytest.mark.parametrize("to", ["", "0", "x", "self", "elsewhere"])
def test_a_team_is_handed_to_nobody_but_another_member(
    people: dict[str, Membership], to: str
) -> None:
    elsewhere = add_member(make_team(), make_user())
    to = {"self": str(people["owner"].pk), "elsewhere": str(elsewhere.pk)}.get(to, to)
    page = as_(people["owner"]).post(there("team_hand_over"), {"to": to})
    assert page.status_code == 200
    assert now(people["owner"]) == "owner"


# ── Caps ──


def cap_of(team: Team, user: User | None, window: Window = Window.MONTH) -> Any:
    """What staff set, and what those who steer the team did."""
    cap = Cap.objects.filter(account__team=team, account__user=user, window=window).first()
    return cap and (cap.credits, cap.team_credits if user else cap.own_credits)


def test_a_member_s_cap_is_set_within_what_staff_allow_them(
    people: dict[str, Membership], northlight: Team
) -> None:
    member = people["member"]
    client = as_(people["admin"])
    client.post(there("member_cap", member), {**EXTRA, "month": "1,500"})
    assert cap_of(northlight, member.user) == (10_000, 1500)
    page = client.post(there("member_cap", member), {"month": "10001"}).content.decode()
    assert "At most 10,000" in page
    assert 'value="10001"' in page
    client.post(there("member_cap", member), {"month": ""})  # as much as is allowed, not without
    assert cap_of(northlight, member.user) == (10_000, None)


def test_what_staff_lowered_is_not_lifted_by_the_team(
    people: dict[str, Membership], northlight: Team
) -> None:
    member, admin = people["member"], as_(people["admin"])
    admin.post(there("member_cap", member), {"month": "9000"})
    set_cap(northlight, None, window=Window.MONTH, credits=50_000)
    set_cap(northlight, member.user, window=Window.MONTH, credits=500)
    for typed in ("10000", "501", ""):
        admin.post(there("member_cap", member), {"month": typed})
        account = QuotaAccount.objects.of(northlight, member.user)
        assert account.caps.get(window=Window.MONTH).holds == 500
    assert cap_of(northlight, member.user)[0] == 500


def test_the_team_s_page_says_whose_cap_holds(
    people: dict[str, Membership], northlight: Team
) -> None:
    member, owner = people["member"], as_(people["owner"])
    account = QuotaAccount.objects.of(northlight, member.user)
    assert "of 10,000, set by an administrator" in owner.get(there("team")).content.decode()
    account.set_team_cap(Window.MONTH, 700)
    assert "of 700, set by the team" in owner.get(there("team")).content.decode()
    page = owner.get(there("member_cap", member)).content.decode()
    assert "700 hold now: set by the team." in page
    account.set_own_cap(Window.MONTH, 600)
    assert "of 600, set by the member" in owner.get(there("team")).content.decode()


def test_an_empty_cap_says_what_holds_in_its_place(
    people: dict[str, Membership], northlight: Team
) -> None:
    member, owner = people["member"], as_(people["owner"])
    set_cap(northlight, None, window=Window.MONTH, credits=50_000)
    for address, most in ((there("member_cap", member), "10,000"), (there("team_caps"), "50,000")):
        page = owner.get(address).content.decode()
        day, month = re.findall(r'placeholder="([^"]+)"', page)
        assert (day, month) == ("no cap", f"as the administrator set: {most}")
        assert page.count("Empty: no cap of the team’s own.") == 2
        assert "hold now" not in page  # it is said already


def test_a_cap_that_staff_lower_meanwhile_is_refused_beside_its_field(
    people: dict[str, Membership], northlight: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generator.allotting.most", lambda *_: None)  # as it was a moment ago
    page = as_(people["owner"]).post(there("member_cap", people["member"]), {"month": "10001"})
    assert "They may use at most 10,000." in page.content.decode()


def test_a_figure_that_staff_undercut_holds_up_no_other(
    people: dict[str, Membership], northlight: Team
) -> None:
    member, owner = people["member"], as_(people["owner"])
    QuotaAccount.objects.of(northlight, member.user).set_team_cap(Window.MONTH, 4000)
    set_cap(northlight, member.user, window=Window.MONTH, credits=1000)
    for month in ("4,000", "4000"):
        owner.post(there("member_cap", member), {"day": "50", "month": month})
    assert cap_of(northlight, member.user, Window.DAY) == (None, 50)
    assert cap_of(northlight, member.user) == (1000, 4000)
    page = owner.post(there("member_cap", member), {"day": "50", "month": "3000"})
    assert "At most 1,000" in page.content.decode()


def test_of_two_caps_one_of_which_is_refused_none_is_set(
    people: dict[str, Membership], northlight: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generator.allotting.most", lambda *_: None)  # as it was a moment ago
    form = {"day": "50", "month": "10001"}
    page = as_(people["owner"]).post(there("member_cap", people["member"]), form).content.decode()
    assert "They may use at most 10,000." in page
    assert 'value="50"' in page
    assert cap_of(northlight, people["member"].user, Window.DAY) is None


def test_a_team_s_own_cap_of_its_pool_never_touches_that_of_staff(
    people: dict[str, Membership], northlight: Team
) -> None:
    set_cap(northlight, None, window=Window.MONTH, credits=50_000)
    client = as_(people["owner"])
    client.post(there("team_caps"), {**EXTRA, "month": "20 000", "day": "900"})
    client.post(there("team_caps"), {"month": "20000", "day": "900"})
    assert cap_of(northlight, None) == (50_000, 20_000)
    assert cap_of(northlight, None, Window.DAY) == (None, 900)
    page = client.post(there("team_caps"), {"month": "50001"}).content.decode()
    assert "At most 50,000" in page
    client.post(there("team_caps"), {"month": "", "day": ""})
    assert cap_of(northlight, None) == (50_000, None)


@pytest.mark.parametrize("typed", ["-1", "1.5", "lots", "9" * 30, "=1+1"])
def test_what_is_no_cap_is_refused_and_kept(people: dict[str, Membership], typed: str) -> None:
    page = as_(people["owner"]).post(there("member_cap", people["member"]), {"month": typed})
    assert page.status_code == 200
    assert 'aria-invalid="true"' in page.content.decode()


# ── The frame ──


def test_changing_the_team_stays_on_the_same_kind_of_page(people: dict[str, Membership]) -> None:
    page = as_(people["owner"]).get(reverse("library", args=["northlight"])).content.decode()
    assert 'href="/t/the-owner/library/"' in page
    assert reverse("team_new") in page


def test_the_way_to_sharing_links_is_shown_to_those_who_may_share(
    people: dict[str, Membership],
) -> None:
    shown = [
        reverse("links", args=["northlight"])
        in as_(people[role]).get(there("team")).content.decode()
        for role in ("member", "viewer")
    ]
    assert shown == [True, False]
