"""The admin, as Chromium sees it: its policy lets its own scripts run, and nothing complains."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from generator.models import QuotaAccount, User
from tests.make import make_generation, make_team, make_user
from tests.using import make_use


@pytest.fixture
def boss(site: str, sign_in: Callable[[User], None]) -> User:
    """Staff, signed in."""
    user = make_user("mara", is_staff=True, is_superuser=True)
    sign_in(user)
    return user


def test_the_admin_s_pages_run_under_their_policy(
    page: Page, site: str, said: list[str], boss: User
) -> None:
    team = make_team(boss, slug="northlight")
    make_generation(boss, team)
    account = QuotaAccount.objects.of(team, boss)
    account.grant(credits=5, reason="welcome", by=boss)
    pages = [
        "", "generator/user/", f"generator/user/{boss.pk}/change/", "generator/generation/",
        "generator/catalogueentry/", f"generator/quotaaccount/{account.pk}/change/",
        "generator/ledgerentry/add/",
    ]  # fmt: skip
    for path in pages:
        page.goto(f"{site}/admin/{path}")
        expect(page.locator("body")).to_be_visible()
    assert said == []


def test_staff_give_credits_by_a_few_presses(page: Page, site: str, boss: User) -> None:
    account = QuotaAccount.objects.of(make_team(boss, slug="northlight"), boss)
    page.goto(f"{site}/admin/generator/quotaaccount/{account.pk}/change/")
    page.get_by_role("link", name="Give or take").click()
    page.get_by_label("Credits").fill("250")
    page.get_by_label("Reason").fill("a long week")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("250 credits")).to_be_visible()
    assert account.entries.get().credits == 250


def test_the_first_page_fits_a_phone_and_leads_to_who_spent_what(
    page: Page, site: str, said: list[str], boss: User
) -> None:
    team = make_team(boss, slug="northlight")
    for wire_model, credits in (("gpt-image-2", 300), ("flux-2-max", 45)):
        make_use(boss, team, timezone.localdate(), credits=credits, wire_model=wire_model)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site}/admin/")
    # Drawn, not only there.
    expect(page.locator("canvas.chart").first).to_have_css("display", "block")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("link", name="All: People").click()
    row = page.get_by_role("row", name="mara 345 300 45")
    expect(row).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert said == []
