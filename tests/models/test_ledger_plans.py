"""What is added up while an account is locked is found by an index, however long its ledger is."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generator import noticing
from generator.models import Generation, Kind, LedgerEntry, QuotaAccount, Team, User, Window
from tests.make import make_generation, set_cap
from tests.models.test_windows import at

LINES = 2000


@pytest.fixture
def account(team: Team, member: User) -> QuotaAccount:
    """One with four generations a day until yesterday, and a grant a month."""
    account = set_cap(team, member, window=Window.EVER, credits=10**6)
    one = make_generation(member, team)
    facts = {field.attname: getattr(one, field.attname) for field in one._meta.concrete_fields}
    rows = [Generation(**{**facts, "id": uuid.uuid4()}) for _ in range(LINES)]
    Generation.objects.bulk_create(rows)
    days = [team.today() - timedelta(days=1 + n // 4) for n in range(LINES)]
    held = {"account": account, "kind": Kind.RESERVE, "credits": -1}
    given = {"account": account, "kind": Kind.GRANT, "credits": 5, "reason": "a fair"}
    LedgerEntry.objects.bulk_create(
        [
            LedgerEntry(**held, generation=row, counts_on=day)
            for row, day in zip(rows, days, strict=True)
        ]
        + [LedgerEntry(**given, counts_on=day) for day in days[::120]]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return account


def plans(queries: CaptureQueriesContext) -> list[str]:
    """How the database finds the lines that were added up."""
    sums = [one["sql"] for one in queries if 'SUM("generator_ledgerentry"' in one["sql"]]
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    found = []
    with connection.cursor() as cursor:
        for sql in sums:
            cursor.execute(explain + sql.replace("%", "%%"))
            found.append("\n".join(str(row) for row in cursor.fetchall()))
    return found


def test_the_first_line_of_a_day_adds_up_that_day_only(account: QuotaAccount) -> None:
    account.grant(1, reason="opens all windows", by=None)
    with at(timezone.now() + timedelta(days=1)), CaptureQueriesContext(connection) as queries:
        account.grant(1, reason="of the next day", by=None)
    found = plans(queries)
    assert found
    for plan in found:
        assert "entries_of_a_window" in plan


def test_what_a_cap_allows_is_found_by_the_index_of_grants(
    team: Team, account: QuotaAccount
) -> None:
    with CaptureQueriesContext(connection) as queries:
        noticing.standings(team, [account])
    (plan,) = plans(queries)
    assert "grants_of_an_account" in plan
