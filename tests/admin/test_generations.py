"""What staff see of generations, and the one thing they may do."""

import pytest
from django.test import Client
from django.urls import reverse

from generator.models import Kind, LedgerEntry, Status, User
from tests.make import make_asset, make_generation

LIST = "admin:generator_generation_changelist"


@pytest.mark.usefixtures("team")
def test_a_prompt_stands_on_its_generation_s_page_and_in_no_list(
    staff: Client, member: User
) -> None:
    generation = make_generation(member, prompt="a very private teapot")
    make_asset(generation)
    for name in ("generation", "imageasset", "ledgerentry", "quotaaccount"):
        page = staff.get(reverse(f"admin:generator_{name}_changelist")).content.decode()
        assert "private teapot" not in page
    page = staff.get(reverse("admin:generator_generation_change", args=[generation.pk]))
    assert "a very private teapot" in page.content.decode()


def test_a_prompt_s_html_is_shown_as_text(staff: Client, member: User) -> None:
    generation = make_generation(member, prompt="<script>alert(1)</script>")
    page = staff.get(reverse("admin:generator_generation_change", args=[generation.pk]))
    assert "<script>alert(1)" not in page.content.decode()


def test_a_generation_cannot_be_added_changed_or_deleted(staff: Client, member: User) -> None:
    generation = make_generation(member)
    assert staff.post(reverse("admin:generator_generation_add")).status_code == 403
    for name in ("change", "delete"):
        there = reverse(f"admin:generator_generation_{name}", args=[generation.pk])
        assert staff.post(there, {"post": "yes", "prompt": "mine"}).status_code == 403


def test_cancelling_withdraws_what_waits_gives_credits_back_and_leaves_the_rest(
    staff: Client, member: User
) -> None:
    waiting = make_generation(member)
    working = make_generation(member, status=Status.RUNNING)
    form = {"action": "cancel_waiting", "_selected_action": [str(waiting.pk), str(working.pk)]}
    page = staff.post(reverse(LIST), form, follow=True).content.decode()
    assert "1 generation was cancelled" in page
    waiting.refresh_from_db()
    working.refresh_from_db()
    assert (waiting.status, working.status) == (Status.CANCELLED, Status.RUNNING)
    released = LedgerEntry.objects.filter(kind=Kind.RELEASE)
    assert {entry.generation for entry in released} == {waiting}
