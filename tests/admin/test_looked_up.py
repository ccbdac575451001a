"""Where a row is looked up by typing, what is no key of one is a mistake and no fault."""

import pytest
from django.test import Client
from django.urls import reverse

from generator.models import Team
from tests.admin.test_people import no_inlines

NO_KEYS = ["nobody", "-1", "1.5", "9" * 40, "1,2"]


@pytest.mark.parametrize("key", NO_KEYS)
@pytest.mark.parametrize(
    ("form", "field"), [("ledgerentry_add", "account"), ("invitation_add", "team")]
)
def test_a_form_shows_again_what_is_no_key(
    staff: Client, team: Team, form: str, field: str, key: str
) -> None:
    there = reverse(f"admin:generator_{form}")
    assert staff.get(there, {field: key}).status_code == 200
    answer = staff.post(there, {field: key, "credits": "5", "reason": "so"})
    assert answer.status_code == 200
    assert answer.context["errors"]


@pytest.mark.parametrize("key", NO_KEYS)
def test_nobody_is_put_into_a_team_by_what_is_no_key(staff: Client, team: Team, key: str) -> None:
    form = {"name": "Northlight", "slug": "northlight", "time_zone": "UTC",
            **no_inlines("memberships", "accounts", "accounts-2"),
            "memberships-2-TOTAL_FORMS": "1", "memberships-2-INITIAL_FORMS": "0",
            "memberships-2-0-user": key, "memberships-2-0-role": "viewer"}  # fmt: skip
    answer = staff.post(reverse("admin:generator_team_change", args=[team.pk]), form)
    assert answer.status_code == 200
    assert team.memberships.count() == 1


@pytest.mark.parametrize("key", NO_KEYS)
@pytest.mark.parametrize(
    ("model", "lookup"),
    [("generation", "team__id__exact"), ("generation", "author__id__exact"),
     ("ledgerentry", "account__id__exact")],
)  # fmt: skip
def test_a_list_narrowed_by_what_is_no_key_opens(
    staff: Client, model: str, lookup: str, key: str
) -> None:
    there = reverse(f"admin:generator_{model}_changelist")
    assert staff.get(there, {lookup: key}, follow=True).status_code == 200
