"""The ledger is looked at: by no way of asking is a line of it changed or taken away."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from generator.models import LedgerEntry, QuotaAccount, Team, User
from tests.make import make_generation, make_user

LIST = "admin:generator_ledgerentry_changelist"


@pytest.fixture
def entry(team: Team, member: User, boss: User) -> LedgerEntry:
    """A grant."""
    return QuotaAccount.objects.of(team, member).grant(credits=5, reason="welcome", by=boss)


def snapshot() -> list[dict[str, object]]:
    return list(LedgerEntry.objects.order_by("pk").values())


@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("name", ["change", "delete", "history", "changelist"])
def test_no_verb_at_no_address_changes_a_line(
    staff: Client, entry: LedgerEntry, verb: str, name: str
) -> None:
    before = snapshot()
    arguments = [] if name == "changelist" else [entry.pk]
    forged = {
        "credits": "5000", "reason": "mine", "kind": "settle", "post": "yes", "_save": "Save",
        "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(entry.pk),
        "form-0-credits": "5000",
    }  # fmt: skip
    there = reverse(f"admin:generator_ledgerentry_{name}", args=arguments)
    # Only a post is a form; the others are no way to say anything here.
    getattr(staff, verb)(there, **({"data": forged} if verb == "post" else {}))
    assert snapshot() == before


@pytest.mark.parametrize("action", ["delete_selected", "change", "", "make_generation"])
def test_no_action_takes_a_line_away(staff: Client, entry: LedgerEntry, action: str) -> None:
    before = snapshot()
    sent = {"action": action, "_selected_action": [entry.pk], "select_across": "1", "post": "yes"}
    staff.post(reverse(LIST), sent, follow=True)
    assert snapshot() == before
    assert 'value="delete_selected"' not in staff.get(reverse(LIST)).content.decode()


def test_who_may_only_look_may_not_grant(client: Client, entry: LedgerEntry) -> None:
    looker = make_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_ledgerentry"))
    client.force_login(looker)
    assert client.get(reverse(LIST)).status_code == 200
    before = snapshot()
    sent = {"account": entry.account_id, "credits": "500", "reason": "for me"}
    assert client.post(reverse("admin:generator_ledgerentry_add"), sent).status_code == 403
    assert snapshot() == before


def test_lines_are_found_by_generation_by_person_and_by_the_pool_of_a_team(
    staff: Client, entry: LedgerEntry, member: User, team: Team
) -> None:
    generation = make_generation(member, team)
    make_generation()

    def found(term: str) -> set[int]:
        page = staff.get(reverse(LIST), {"q": term})
        return {row.pk for row in page.context["cl"].result_list}

    mine = set(generation.entries.values_list("pk", flat=True))
    pool = QuotaAccount.objects.pool(team)
    assert found(str(generation.pk)) == mine
    assert found("member") == {line.pk for line in LedgerEntry.objects.filter(account__user=member)}
    assert found(team.slug) == {line.pk for line in pool.entries.all()}
    assert found("nobody") == set()
