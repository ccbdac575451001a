"""A link as people make, copy, photograph and revoke one."""

from playwright.sync_api import Browser, Page, expect

from generator.models import Status, Team, User
from tests.browser.conftest import Studio
from tests.make import make_asset, make_generation


def test_a_link_is_made_copied_opened_and_revoked(
    studio: Studio, team: Team, nora: User, page: Page, browser: Browser, said: list[str]
) -> None:
    image = make_asset(make_generation(nora, team, status=Status.SUCCEEDED))
    context = page.context
    studio.sign_in(context, nora)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=studio.address)
    page.goto(f"{studio.address}/t/{team.slug}/links/new?image={image.pk}")
    page.get_by_label("Title on the page").fill("Poster round two")
    page.get_by_label("No end").check()
    expect(page.get_by_label("Open until")).to_be_disabled()
    page.get_by_role("button", name="Suggest").click()
    page.get_by_role("button", name="Copy the password").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    password = page.get_by_label("Password")
    assert len(password.input_value()) == 19
    assert page.evaluate("navigator.clipboard.readText()") == password.input_value()
    password.fill("")
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_text("The link is made.")).to_be_visible()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    address = page.evaluate("navigator.clipboard.readText()")
    assert address == page.get_by_label("The address").input_value()
    code = page.get_by_alt_text("QR code of the address")
    expect(code).to_have_js_property("complete", value=True)
    assert code.evaluate("code => code.naturalWidth") > 0
    visitor = browser.new_page()
    visitor.goto(address)
    assert "Poster round two" in visitor.content()
    page.get_by_role("link", name="Sharing links").first.click()
    page.get_by_role("button", name="Revoke Poster round two").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("Nobody can open this link any more.")).to_be_visible()
    visitor.reload()
    assert "Poster round two" not in visitor.content()
    visitor.close()
    assert said == []
