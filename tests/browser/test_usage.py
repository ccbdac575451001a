"""The page of usage as people look at it: however narrow the screen, every number is in sight."""

from playwright.sync_api import Browser

from generator.models import QuotaAccount, Role, Window
from tests.browser.conftest import Studio
from tests.make import make_team, make_user, set_cap
from tests.spent import make_failed, make_made

WIDTHS = [320, 390, 700, 1024, 1440]
LONG = "Wolfeschlegelsteinhausenbergerdorff"
# What of the tables stands, even in part, where nobody sees it.
OUT_OF_SIGHT = """() => [...document.querySelectorAll(
    ":is([aria-labelledby=people], [aria-labelledby=ledger]) tbody :is(time, .badge, .number)"
)].filter((part) => {
    const { left, right, width } = part.getBoundingClientRect();
    return left < 0 || right > innerWidth || (part.textContent && !width);
}).map((part) => part.className + ": " + part.textContent)"""


def test_all_numbers_of_the_ledger_and_of_people_are_in_sight(
    browser: Browser, studio: Studio
) -> None:
    nora = make_user("nora", first_name=LONG, last_name=LONG)
    team = make_team(nora, slug="northlight", role=Role.OWNER)
    for account in (QuotaAccount.objects.pool(team), QuotaAccount.objects.of(team, nora)):
        account.grant(1_000_000, reason=f"{LONG} " * 5, by=nora)
    set_cap(team, None, window=Window.MONTH, credits=1_000_000)
    for wire_model in ("gpt-image-2", "gpt-image-1"):
        make_made(nora, team, prompt=LONG * 5, wire_model=wire_model)
    make_failed(nora, team, prompt=LONG * 5)
    context = browser.new_context()
    studio.sign_in(context, nora)
    page = context.new_page()
    page.goto(f"{studio.address}/t/northlight/usage/team/")
    assert page.locator(".ledger--lines .badge").count() == 7
    assert page.locator("[aria-labelledby=people] .number").count()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate(OUT_OF_SIGHT) == [], width
        assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()
