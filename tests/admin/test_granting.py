"""A grant typed twice is given once, and the same by another form is asked about."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator.models import LedgerEntry, QuotaAccount, Team, User, Window

ADD = "admin:generator_ledgerentry_add"


@pytest.fixture
def account(team: Team, member: User) -> QuotaAccount:
    """The member's account."""
    return QuotaAccount.objects.of(team, member)


def give(staff: Client, account: QuotaAccount, **typed: Any) -> str:
    """Send the form, and give the page that comes."""
    form = {"account": account.pk, "credits": "500", "reason": "a long week", **typed}
    return staff.post(reverse(ADD), form, follow=True).content.decode()


def test_the_form_carries_a_key_and_after_it_one_reads_what_is_left(
    staff: Client, account: QuotaAccount
) -> None:
    page = staff.get(reverse(ADD), {"account": account.pk})
    key = page.context["adminform"].form["once"].value()
    assert str(key) in page.content.decode()
    page_after = give(staff, account, once=str(key))
    assert "Gave 500 credits to member in Northlight." in page_after
    assert "10,500 of 10,500 left this month, 500 granted" in page_after
    assert str(LedgerEntry.objects.get().key) == str(key)


def test_a_form_that_is_sent_twice_gives_once_and_says_so(
    staff: Client, account: QuotaAccount
) -> None:
    key = str(uuid.uuid4())
    give(staff, account, once=key)
    assert "This was given already, and not once more." in give(staff, account, once=key)
    assert account.left(Window.MONTH, account.team.today()) == 10_500
    assert LogEntry.objects.get_for_object(account).count() == 1


def test_a_form_that_was_used_and_says_something_else_gives_it_only_when_sent_again(
    staff: Client, account: QuotaAccount
) -> None:
    key = str(uuid.uuid4())
    give(staff, account, once=key)
    answer = staff.post(
        reverse(ADD), {"account": account.pk, "credits": "300", "reason": "more", "once": key}
    )
    assert "This form has done its work: Gave 500 credits" in answer.content.decode()
    form = answer.context["adminform"].form
    assert form["credits"].value() == "300"  # what was typed is kept
    fresh = form["once"].value()
    give(staff, account, credits="300", once=fresh)
    assert [entry.credits for entry in LedgerEntry.objects.order_by("pk")] == [500, 300]


def test_the_same_by_another_form_is_asked_about_and_given_once_ticked(
    staff: Client, account: QuotaAccount
) -> None:
    give(staff, account)
    assert "Tick to give it once more." in give(staff, account)
    assert LedgerEntry.objects.count() == 1
    give(staff, account, again="on")
    assert LedgerEntry.objects.count() == 2


def test_another_sum_another_account_or_a_later_time_is_not_asked_about(
    staff: Client, boss: User, account: QuotaAccount
) -> None:
    give(staff, account)
    give(staff, account, credits="501")
    give(staff, QuotaAccount.objects.pool(account.team))
    assert LedgerEntry.objects.count() == 3
    eleven = timezone.now() - timedelta(minutes=11)
    LedgerEntry.objects.create(
        account=account, kind="grant", credits=7, reason="x", by=boss, created_at=eleven,
        counts_on=account.team.today(),
    )  # fmt: skip
    give(staff, account, credits="7")
    assert LedgerEntry.objects.filter(credits=7).count() == 2


def test_who_gave_how_much_and_why_is_in_the_log_of_changes(
    staff: Client, boss: User, account: QuotaAccount
) -> None:
    give(staff, account, credits="-40", reason="a mistake")
    line = LogEntry.objects.get_for_object(account).get()
    told = "Took 40 credits from member in Northlight. a mistake"
    assert (line.actor, line.additional_data["note"]) == (boss, told)


@pytest.mark.parametrize("typed", ["lots", "1.5", "1e3", "", "9" * 40])
def test_what_is_no_number_of_credits_is_refused_where_it_was_typed(
    staff: Client, account: QuotaAccount, typed: str
) -> None:
    page = give(staff, account, credits=typed)
    assert f'value="{typed}"' in page or not typed
    assert not LedgerEntry.objects.exists()


def test_taking_more_than_is_left_is_asked_about_and_told_as_overdrawn(
    staff: Client, account: QuotaAccount
) -> None:
    page = give(staff, account, credits="-10001")
    assert "That is 1 more than is left. Tick to take it all the same." in page
    assert not LedgerEntry.objects.exists()
    page = give(staff, account, credits="-10001", again="on")  # answers another question
    assert not LedgerEntry.objects.exists()
    page = give(staff, account, credits="-10001", beyond="on")
    assert "−1 left (overdrawn) of 0 this month, 10,001 taken back" in page
    assert "That is 5 more than is left." in give(staff, account, credits="-5")


def test_taking_what_is_left_or_from_what_nothing_caps_is_not_asked_about(
    staff: Client, account: QuotaAccount
) -> None:
    give(staff, account, credits="-10000")
    assert account.left(Window.MONTH, account.team.today()) == 0
    account.set_cap(Window.MONTH, None)
    give(staff, account, credits="-7")
    assert LedgerEntry.objects.count() == 2


def test_the_time_of_the_same_is_told_in_digits(staff: Client, account: QuotaAccount) -> None:
    give(staff, account)
    assert re.search(r"to this account at \d\d:\d\d\. Tick", give(staff, account))
