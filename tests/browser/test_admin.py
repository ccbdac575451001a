"""The admin, as Chromium sees it: its policy lets its own scripts run, and nothing complains."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from generator.models import QuotaAccount, Status, User
from tests.make import make_entry, make_generation, make_team, make_user
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


def test_staff_do_their_five_deeds_from_the_first_page_alone(
    page: Page, site: str, said: list[str], boss: User
) -> None:
    jonas = make_user("jonas", first_name="Jonas", last_name="Hale")
    ada = make_user("ada", first_name="Ada", last_name="Lind")
    team = make_team(boss, jonas, ada, slug="northlight")
    make_entry()
    today, flux = timezone.localdate(), {"wire_model": "flux-2-max", "label": "FLUX.2 max"}
    make_use(jonas, team, today, credits=300)
    make_use(jonas, team, today, credits=45, **flux)
    make_use(ada, team, today, credits=12)
    for _n in range(3):
        make_generation(ada, team, status=Status.FAILED, reason_code="content")

    def first_page() -> None:
        page.goto(f"{site}/admin/")

    # Who spent what on which model this month.
    first_page()
    page.get_by_role("link", name="All: People").click()
    expect(page.get_by_role("row", name="Jonas Hale 345 300 45")).to_be_visible()

    # Cap one person.
    first_page()
    page.get_by_role("region", name="People").get_by_role("link", name="Jonas Hale").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="Northlight"))
    row.get_by_label("cap a month").fill("400")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert QuotaAccount.objects.of(team, jonas).caps.get(window="month").credits == 400

    # Grant another 500.
    first_page()
    page.get_by_role("region", name="People").get_by_role("link", name="Ada Lind").click()
    row.get_by_role("link", name="Give or take credits").click()
    page.get_by_label("Credits").fill("500")
    page.get_by_label("Reason").fill("a long week")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("500 credits")).to_be_visible()
    assert QuotaAccount.objects.of(team, ada).entries.filter(credits=500).count() == 1

    # Reprice a model, which the studio's form shows.
    first_page()
    page.get_by_role("region", name="Models").get_by_role("link", name="GPT Image 2").click()
    page.get_by_label("Credits each").fill("61")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    page.goto(f"{site}/t/northlight/?model=gpt-image-2")
    expect(page.locator("#send-words")).to_have_text("Make 1 image · 61 credits")

    # Find why three failed.
    first_page()
    why = page.get_by_role("region", name="Why generations failed")
    why.get_by_role("link", name="Refused by a provider's safety rules").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(3)
    page.locator("#result_list tbody tr a").first.click()
    expect(page.get_by_role("region", name="What became of it")).to_contain_text(
        "Refused by a provider's safety rules"
    )
    assert said == []
