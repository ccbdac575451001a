"""Caps are set, grants are given, and the ledger is only ever added to."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from generator.models import Kind, LedgerEntry, QuotaAccount, Team, User, Window
from tests.make import make_team

ADD = "admin:generator_ledgerentry_add"


@pytest.fixture
def account(team: Team, member: User) -> QuotaAccount:
    """The member's account."""
    return QuotaAccount.objects.of(team, member)


def test_a_grant_is_written_with_its_reason_by_whoever_gave_it_and_counts(
    staff: Client, boss: User, account: QuotaAccount
) -> None:
    before = account.left(Window.MONTH, account.team.today())
    assert before is not None
    form = {"account": account.pk, "credits": "250", "reason": "a long week"}
    assert staff.post(reverse(ADD), form).status_code == 302
    entry = LedgerEntry.objects.get()
    assert (entry.kind, entry.credits, entry.reason, entry.by) == (
        Kind.GRANT, 250, "a long week", boss,
    )  # fmt: skip
    assert account.left(Window.MONTH, account.team.today()) == before + 250


def test_credits_are_taken_back_with_a_minus(staff: Client, account: QuotaAccount) -> None:
    staff.post(reverse(ADD), {"account": account.pk, "credits": "-40", "reason": "a mistake"})
    assert LedgerEntry.objects.get().credits == -40


@pytest.mark.parametrize("wrong", [{"reason": ""}, {"reason": "  "}, {"credits": "0"}])
def test_a_grant_of_nothing_or_for_no_reason_is_refused(
    staff: Client, account: QuotaAccount, wrong: dict[str, str]
) -> None:
    form = {"account": str(account.pk), "credits": "250", "reason": "a long week"} | wrong
    assert staff.post(reverse(ADD), form).status_code == 200
    assert not LedgerEntry.objects.exists()


@pytest.mark.parametrize("credits", [10**12 + 1, -(10**12) - 1])
def test_a_grant_beyond_all_measure_is_refused_in_words(
    staff: Client, account: QuotaAccount, credits: int
) -> None:
    form = {"account": account.pk, "credits": credits, "reason": "a slip"}
    page = staff.post(reverse(ADD), form)
    assert "Give or take at most 1,000,000,000,000 credits at once." in page.content.decode()
    assert not LedgerEntry.objects.exists()


def test_a_grant_takes_no_other_kind_day_or_giver(
    staff: Client, boss: User, account: QuotaAccount, member: User
) -> None:
    forged = {"kind": "settle", "counts_on": "1999-01-01", "by": str(member.pk), "generation": "1"}
    form = {"account": str(account.pk), "credits": "1", "reason": "why not"}
    staff.post(reverse(ADD), form | forged)
    entry = LedgerEntry.objects.get()
    assert (entry.kind, entry.counts_on, entry.by) == (Kind.GRANT, account.team.today(), boss)


def test_an_entry_can_be_looked_at_but_not_changed_or_deleted(
    staff: Client, boss: User, account: QuotaAccount
) -> None:
    entry = account.grant(credits=5, reason="welcome", by=boss)
    change = reverse("admin:generator_ledgerentry_change", args=[entry.pk])
    assert "welcome" in staff.get(change).content.decode()
    assert staff.post(change, {"credits": "5000", "reason": "mine"}).status_code == 403
    delete = reverse("admin:generator_ledgerentry_delete", args=[entry.pk])
    assert staff.post(delete, {"post": "yes"}).status_code == 403
    staff.post(
        reverse("admin:generator_ledgerentry_changelist"),
        {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"},
    )
    assert LedgerEntry.objects.get().credits == 5


def test_a_cap_is_set_on_the_account_s_page_and_sums_are_not(
    staff: Client, boss: User, account: QuotaAccount
) -> None:
    account.grant(credits=5, reason="welcome", by=boss)
    total = account.totals.get(window=Window.DAY)
    form = {"day": "120", "month": "", "ever": "", "user": str(boss.pk),
            "totals-TOTAL_FORMS": "1", "totals-INITIAL_FORMS": "1", "totals-0-id": str(total.pk),
            "totals-0-credits": "99999", "entries-TOTAL_FORMS": "0",
            "entries-INITIAL_FORMS": "0"}  # fmt: skip
    answer = staff.post(reverse("admin:generator_quotaaccount_change", args=[account.pk]), form)
    assert answer.status_code == 302
    account.refresh_from_db()
    assert [(cap.window, cap.credits) for cap in account.caps.all()] == [("day", 120)]
    assert account.total(Window.DAY, account.team.today()) == 5
    assert account.user != boss


def test_an_account_s_page_shows_its_newest_entries_and_leads_to_a_grant(
    staff: Client, boss: User, account: QuotaAccount
) -> None:
    for number in range(25):
        account.grant(credits=1, reason=f"gift {number:02}", by=boss)
    there = reverse("admin:generator_quotaaccount_change", args=[account.pk])
    page = staff.get(there).content.decode()
    assert "gift 24" in page
    assert "gift 00" not in page
    assert f"{reverse(ADD)}?account={account.pk}" in page


def test_the_list_of_accounts_shows_the_month_in_as_many_queries_for_many_as_for_one(
    staff: Client, account: QuotaAccount
) -> None:
    there = reverse("admin:generator_quotaaccount_changelist")
    account.set_cap(Window.MONTH, 13_000)
    account.grant(600, reason="a fair", by=None)
    account.grant(-400, reason="a mistake", by=None)
    with CaptureQueriesContext(connection) as of_one:
        assert "13,200 of 13,200" in staff.get(there).content.decode()
    for _ in range(5):
        other = QuotaAccount.objects.pool(make_team())
        other.set_cap(Window.MONTH, 7)
        other.grant(-9, reason="a mistake", by=None)
    with CaptureQueriesContext(connection) as of_six:
        assert "−2 of 0" in staff.get(there).content.decode()
    assert len(of_six) == len(of_one)
