"""Caps are typed on the pages of people and teams, which stay small however many there are."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from generator.models import (
    Cap,
    Membership,
    QuotaAccount,
    StartingCaps,
    Team,
    UsageTotal,
    User,
    Window,
)
from generator.models.caps import LARGEST_CAP
from tests.admin.test_people import no_inlines
from tests.make import make_team, make_user, set_cap
from tests.using import make_use

PERSON, TEAM = "admin:generator_user_change", "admin:generator_team_change"


def type_caps(staff: Client, person: User, account: QuotaAccount, **typed: str) -> Any:
    """Send a person's page with these caps of one account typed into it."""
    form = {"username": person.username, "email": person.email, **no_inlines(),
            "accounts-TOTAL_FORMS": "1", "accounts-INITIAL_FORMS": "1",
            "accounts-0-id": str(account.pk), "accounts-0-user": str(person.pk)}  # fmt: skip
    form |= {f"accounts-0-{window}": cap for window, cap in typed.items()}
    return staff.post(reverse(PERSON, args=[person.pk]), form)


def caps_of(account: QuotaAccount) -> dict[str, tuple[int | None, int | None]]:
    """By window: what staff allow, and what the member set."""
    return {cap.window: (cap.credits, cap.own_credits) for cap in account.caps.all()}


def account_of(person: User) -> QuotaAccount:
    """The account in a person's own team, the only one they have."""
    return QuotaAccount.objects.of(Team.objects.get(personal_of=person), person)


def test_a_person_s_page_sets_a_cap_and_takes_one_away(staff: Client) -> None:
    jonas = make_user("jonas")
    account = account_of(jonas)
    assert type_caps(staff, jonas, account, day="120", month="", ever="").status_code == 302
    assert caps_of(account) == {"day": (120, None)}


def test_a_member_s_own_cap_is_shown_and_stays_whatever_staff_set(staff: Client) -> None:
    jonas = make_user("jonas")
    account = account_of(jonas)
    account.set_own_cap(Window.MONTH, 200)
    page = staff.get(reverse(PERSON, args=[jonas.pk])).content.decode()
    assert "200 of 200 left this month, capped by themselves at 200" in page
    type_caps(staff, jonas, account, month="150", day="", ever="")
    assert caps_of(account) == {"month": (150, 200)}
    type_caps(staff, jonas, account, month="", day="", ever="")
    assert caps_of(account) == {"month": (None, 200)}


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("-1", "A cap cannot be below 0."),
        (str(LARGEST_CAP + 1), "A cap can be at most 1,000,000,000,000."),
        ("9" * 400, "A cap can be at most"),
        ("lots", "Write a whole number of credits, or nothing."),
        ("1e5", "Write a whole number of credits, or nothing."),
        ("1,50", "Write a whole number of credits, or nothing."),
        ("1,500 000", "Write a whole number of credits, or nothing."),
        ("10.5", "Write a whole number of credits, or nothing."),
    ],
)
def test_a_cap_that_is_none_is_refused_where_it_was_typed(
    staff: Client, typed: str, told: str
) -> None:
    jonas = make_user("jonas")
    account = account_of(jonas)
    answer = type_caps(staff, jonas, account, day=typed, month="77", ever="")
    page = answer.content.decode()
    assert told in page
    assert f'value="{typed}"' in page
    assert 'value="77"' in page
    assert caps_of(account) == {"month": (10_000, None)}


@pytest.mark.parametrize("typed", ["1,500", "1\u202f500", " 1500 "])
def test_a_cap_may_be_typed_as_pages_print_it(staff: Client, typed: str) -> None:
    jonas = make_user("jonas")
    account = account_of(jonas)
    type_caps(staff, jonas, account, day=typed, month="10,000", ever="")
    assert caps_of(account) == {"day": (1500, None), "month": (10_000, None)}


def test_an_account_of_somebody_else_is_not_capped_by_a_person_s_page(staff: Client) -> None:
    jonas, vera = make_user("jonas"), make_user("vera")
    type_caps(staff, jonas, account_of(vera), day="1", month="1", ever="1")
    assert caps_of(account_of(vera)) == {"month": (10_000, None)}


def test_a_person_s_page_says_what_they_have_used_and_may_and_leads_on(staff: Client) -> None:
    jonas = make_user("jonas")
    team = make_team(jonas, slug="northlight")
    UsageTotal.objects.create(
        team=team, author=jonas, day=timezone.localdate(), wire_model="x", label="X", provider="p",
        action="create", credits=1234, images=5, generations=6, failures=1,
    )  # fmt: skip
    page = staff.get(reverse(PERSON, args=[jonas.pk])).content.decode()
    account = QuotaAccount.objects.get(team=team, user=jonas)
    for seen in (
        "used 1,234 credits this month: 5 images in 6 generations, 1 failed at no cost",
        "10,000 of 10,000 left this month",
        f"{reverse('admin:generator_ledgerentry_add')}?account={account.pk}",
        f"author__id__exact={jonas.pk}",
        reverse(TEAM, args=[team.pk]),
        reverse("admin:generator_user_suspend", args=[jonas.pk]),
    ):
        assert seen in page


def test_a_pool_and_a_member_are_capped_on_their_team_s_page(staff: Client, member: User) -> None:
    team = make_team(member, slug="northlight")
    mine = QuotaAccount.objects.of(team, member)
    there = reverse(TEAM, args=[team.pk])
    assert "capped" not in staff.get(there).content.decode()  # and the pool is open now
    pool = QuotaAccount.objects.get(team=team, user=None)
    form = {"name": "Northlight", "time_zone": "Europe/Berlin",
            **no_inlines("memberships", "memberships-2")}  # fmt: skip
    for prefix, account, cap in (("accounts", pool, "900"), ("accounts-2", mine, "80")):
        form |= {f"{prefix}-TOTAL_FORMS": "1", f"{prefix}-INITIAL_FORMS": "1",
                 f"{prefix}-0-id": str(account.pk), f"{prefix}-0-team": str(team.pk),
                 f"{prefix}-0-day": cap}  # fmt: skip
    assert staff.post(there, form).status_code == 302
    assert caps_of(pool) == {"day": (900, None)}
    assert caps_of(mine) == {"day": (80, None)}


def test_what_was_used_this_month_is_of_each_team_s_own_month(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_user("kai")
    east, here = make_team(person, slug="east"), make_team(person, slug="here")
    today = timezone.localdate()
    next_month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    monkeypatch.setattr(Team, "today", lambda self: next_month if self.slug == "east" else today)
    for team, day, credits in ((east, next_month, 71), (east, today, 5), (here, today, 82)):
        make_use(person, team, day, credits=credits)
        QuotaAccount.objects.of(team, person)
    ways = {("user", person.pk): {71, 82}, ("team", east.pk): {71}, ("team", here.pk): {82}}
    for (page, pk), used in ways.items():
        answer = staff.get(reverse(f"admin:generator_{page}_change", args=[pk]))
        told = [each.opts.used for each in answer.context["inline_admin_formsets"]
                if hasattr(each.opts, "used")]  # fmt: skip
        assert told
        assert all(set(by_one.values()) - {0} == used for by_one in told)


def test_a_team_s_page_says_what_a_change_of_its_clock_does(staff: Client, team: Team) -> None:
    page = staff.get(reverse(TEAM, args=[team.pk])).content.decode()
    assert "what was spent stays on the day on which it was spent" in page


# ── Caps to begin with ──


def test_caps_to_begin_with_open_at_what_the_settings_say_and_hold_for_new_accounts_only(
    staff: Client, team: Team, member: User, settings: Any
) -> None:
    settings.CREDITS_PER_MONTH = 4321
    old = QuotaAccount.objects.of(team, member)
    there = staff.get(reverse("admin:generator_startingcaps_changelist"))["Location"]
    page = staff.get(there).content.decode()
    assert 'value="4321"' in page
    assert "those that are there keep their caps" in page
    staff.post(there, {"member_day": "50", "member_month": "", "pool_ever": "900"})
    fresh = QuotaAccount.objects.of(make_team(member), member)
    assert caps_of(fresh) == {"day": (50, None)}
    assert caps_of(old) == {"month": (4321, None)}
    assert StartingCaps.objects.get().pool_ever == 900


@pytest.mark.parametrize("typed", ["-5", "many", str(LARGEST_CAP + 1)])
def test_a_cap_to_begin_with_that_is_none_is_refused(staff: Client, typed: str) -> None:
    there = reverse("admin:generator_startingcaps_change", args=[1])
    answer = staff.post(there, {"member_day": typed})
    assert answer.status_code == 200
    assert f'value="{typed}"' in answer.content.decode()
    assert not StartingCaps.objects.exists()


# ── How many queries ──


def test_a_person_in_thirty_teams_has_a_page_of_few_queries(
    staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    jonas = make_user("jonas")
    for _ in range(30):
        set_cap(make_team(jonas), jonas, window=Window.DAY, credits=5)
    there = reverse(PERSON, args=[jonas.pk])
    staff.get(there)
    with django_assert_max_num_queries(45):
        page = staff.get(there).content.decode()
    assert page.count("Give or take credits") == 10
    assert "accounts-page=2" in page


def test_a_team_of_two_hundred_has_a_page_of_few_queries(
    staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    team = make_team(slug="northlight")
    people = User.objects.bulk_create(User(username=f"person{n:03}") for n in range(200))
    Membership.objects.bulk_create(Membership(team=team, user=user) for user in people)
    accounts = QuotaAccount.objects.bulk_create(
        QuotaAccount(team=team, user=user) for user in people
    )
    Cap.objects.bulk_create(Cap(account=each, window="day", credits=9) for each in accounts)
    there = reverse(TEAM, args=[team.pk])
    staff.get(there)
    with django_assert_max_num_queries(45):
        page = staff.get(there).content.decode()
    assert page.count("person0") < 60
    assert "memberships-page=2" in page


def test_the_list_of_people_does_not_ask_more_for_more_people(
    staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    User.objects.bulk_create(User(username=f"person{n:03}") for n in range(120))
    there = reverse("admin:generator_user_changelist")
    with django_assert_max_num_queries(12) as asked:
        staff.get(there)
    assert not [each["sql"] for each in asked.captured_queries if "COUNT(" in each["sql"]]


# ── What is posted besides (A2) ──

EXTRA = {
    "is_staff": "on", "is_superuser": "on", "is_active": "", "quota": "999999", "team": "1",
    "role": "owner", "credits": "999999", "own_credits": "1", "by": "1", "kind": "settle",
    "counts_on": "1999-01-01", "groups": "1", "user_permissions": "1", "password": "mine",
    "personal_of": "1", "user": "1", "key": "00000000-0000-0000-0000-000000000000",
    "invited_by": "1", "secret_digest": "0" * 64, "accepted_at_0": "2026-01-01",
}  # fmt: skip


@pytest.fixture
def clerk(client: Client, db: None) -> User:
    """Mere staff with every right over people, teams and credits but none to give rights."""
    clerk = make_user("clerk", is_staff=True)
    models = ["user", "team", "membership", "cap", "quotaaccount", "invitation", "ledgerentry"]
    rights = Permission.objects.filter(content_type__model__in=models)
    clerk.user_permissions.set(rights)
    client.force_login(clerk)
    return clerk


def test_extra_fields_posted_by_mere_staff_change_nothing(
    client: Client, clerk: User, member: User
) -> None:
    team = make_team(member, slug="northlight")
    account = QuotaAccount.objects.of(team, member)
    rights = set(clerk.user_permissions.values_list("pk", flat=True))
    person = {"username": "member", "email": member.email, **no_inlines()}
    squad = {"name": "Northlight", "time_zone": "UTC",
             **no_inlines("memberships", "memberships-2", "accounts", "accounts-2")}  # fmt: skip
    sent = [
        (reverse(PERSON, args=[member.pk]), person),
        (reverse(PERSON, args=[clerk.pk]), {**person, "username": "clerk", "email": clerk.email}),
        (reverse(TEAM, args=[team.pk]), squad),
        (
            reverse("admin:generator_quotaaccount_change", args=[account.pk]),
            {"month": "10000", **no_inlines("totals", "entries")},
        ),
        (
            reverse("admin:generator_invitation_add"),
            {
                "email": "n@example.org",
                "team": str(team.pk),
                "role": "member",
                "expires_at_0": "2999-01-01",
                "expires_at_1": "00:00",
            },
        ),
    ]
    for there, form in sent:
        assert client.post(there, {**EXTRA, **form}).status_code == 302, there
    for user in (member, clerk):
        user.refresh_from_db()
        assert (user.is_active, user.is_superuser) == (True, False)
    assert member.is_staff is False
    assert set(clerk.user_permissions.values_list("pk", flat=True)) == rights
    assert Membership.objects.get(team=team).role == "member"
    account.refresh_from_db()
    assert (account.team, account.user) == (team, member)
    assert caps_of(account) == {"month": (10_000, None)}
    team.refresh_from_db()
    assert (team.slug, team.personal_of) == ("northlight", None)
    invitation = team.invitations.get()
    assert (invitation.invited_by, invitation.accepted_at) == (clerk, None)
    assert invitation.secret_digest != "0" * 64


def test_extra_fields_posted_to_one_s_own_account_change_nothing(
    client: Client, member: User
) -> None:
    client.force_login(member)
    team = make_team(member, slug="northlight")
    for name, form in (
        ("account_email", {"email": "new@example.org", "action_add": ""}),
        ("account_logout", {}),
        ("account_login", {"login": member.email, "password": "correct horse battery"}),
    ):
        client.post(reverse(name), {**EXTRA, **form})
    member.refresh_from_db()
    assert (member.is_staff, member.is_superuser, member.is_active) == (False, False, True)
    assert Membership.objects.get(team=team).role == "member"


def test_caps_are_not_set_by_staff_without_the_right(client: Client, member: User) -> None:
    viewer = make_user("viewer", is_staff=True)
    named = ["view_user", "change_user", "view_quotaaccount"]
    viewer.user_permissions.set(Permission.objects.filter(codename__in=named))
    client.force_login(viewer)
    account = account_of(member)
    page = client.get(reverse(PERSON, args=[member.pk])).content.decode()
    assert "10,000 of 10,000 left this month" in page
    type_caps(client, member, account, day="1", month="1", ever="1")
    assert caps_of(account) == {"month": (10_000, None)}
