"""Two people in two browsers: asked in, joined, given a role, and gone."""

import re

from playwright.sync_api import Browser, Page, expect

from generator.models import Role, Team, User
from tests.browser.conftest import Studio
from tests.make import PASSWORD, add_member, make_asset, make_generation, make_user


def test_two_people_work_in_one_team_until_one_is_removed(
    studio: Studio, team: Team, nora: User, page: Page, browser: Browser, said: list[str]
) -> None:
    mara = make_user("mara", first_name="Mara", last_name="Lindqvist")
    add_member(team, mara, Role.OWNER)
    image = make_asset(make_generation(nora, team))
    studio.sign_in(page.context, mara)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=studio.address)
    page.goto(f"{studio.address}/t/northlight/")
    page.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name="Team").click()

    # A fault is named, and what was typed is kept.
    page.get_by_label("E-mail addresses").fill("lena@north.example, sam@north")
    page.locator("#invitations").get_by_role("button", name="Invite").click()
    expect(page.get_by_text("sam@north is not an address.")).to_be_visible()
    expect(page.get_by_label("E-mail addresses")).to_be_focused()
    page.get_by_label("E-mail addresses").fill("lena@north.example")
    page.locator("#invitations").get_by_role("button", name="Invite").click()
    link = page.get_by_label("For lena@north.example").input_value()  # this studio sends no mail
    page.get_by_role("button", name="Copy the link for lena@north.example").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == link

    # Somebody else's browser: signs up by the link, and is in.
    theirs = browser.new_context()
    lena = theirs.new_page()
    lena.goto(link)
    expect(lena.get_by_text("Mara Lindqvist asks lena@north.example")).to_be_visible()
    lena.get_by_role("button", name="Make an account").click()
    lena.get_by_label("Username").fill("lena")
    lena.get_by_label(re.compile("^Password")).first.fill(PASSWORD)
    lena.get_by_label(re.compile("again", re.IGNORECASE)).fill(PASSWORD)
    lena.get_by_role("button", name="Sign up").click()
    lena.wait_for_url("**/t/northlight/")
    lena.goto(f"{studio.address}/t/northlight/images/{image.pk}/")
    expect(lena.get_by_text(image.generation.prompt).first).to_be_visible()

    # A role: the button comes with the choice, and the page says what became of it.
    page.goto(f"{studio.address}/t/northlight/team/")
    expect(page.get_by_role("button", name="Set the role of lena")).to_be_hidden()
    page.get_by_label("Role of lena").select_option("Viewer")
    page.get_by_role("button", name="Set the role of lena").click()
    expect(page.get_by_text("The role of lena is viewer now.")).to_be_visible()
    assert lena.goto(f"{studio.address}/t/northlight/links/").status == 404  # type: ignore[union-attr]

    # Out, at once, from everywhere.
    page.get_by_role("link", name="Remove lena").click()
    page.get_by_role("button", name="Remove lena").click()
    expect(page.get_by_text("lena is out of the team.")).to_be_visible()
    for path in (
        "",
        "library/",
        "team/",
        f"images/{image.pk}/",
        f"images/{image.pk}/picture/small",
    ):
        gone = lena.goto(f"{studio.address}/t/northlight/{path}")
        assert gone is not None
        assert gone.status == 404
    theirs.close()
    assert said == []
