"""Passkeys, with an authenticator that Chromium plays."""

from collections.abc import Callable, Iterator

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import CDPSession, Page, expect

from generator.models import User
from tests.make import PASSWORD, make_user


@pytest.fixture
def authenticator(page: Page) -> Iterator[CDPSession]:
    """A device that holds passkeys and says yes by itself."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
        "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield devtools
    devtools.detach()


def add_passkey(page: Page, site: str) -> None:
    """Add one as a signed-in person would."""
    page.goto(f"{site}/account/")
    page.get_by_role("link", name="Manage").click()
    page.get_by_role("link", name="Add one").click()
    page.get_by_label("Password").fill(PASSWORD)  # is it you?
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Add", exact=True).click()


def sign_out(page: Page, site: str) -> None:
    """Leave."""
    page.goto(f"{site}/account/")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")


def test_a_passkey_is_added_and_signs_in_without_a_password(
    page: Page, site: str, said: list[str], sign_in: Callable[[User], None],
    authenticator: CDPSession,
) -> None:  # fmt: skip
    nora = make_user("nora")
    sign_in(nora)
    add_passkey(page, site)
    # The first second factor brings recovery codes along.
    expect(page.get_by_label("Unused codes")).to_be_visible()
    assert Authenticator.objects.filter(user=nora, type="webauthn").count() == 1

    sign_out(page, site)
    page.goto(f"{site}/account/")
    expect(page).to_have_title("Sign in · Comet Studio")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="nora")).to_be_visible()
    assert page.url == f"{site}/account/"
    assert said == []


def test_a_passkey_that_is_not_given_is_told_beside_the_button(
    page: Page, site: str, said: list[str], authenticator: CDPSession
) -> None:
    page.goto(f"{site}/accounts/login/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_have_text(
        "No passkey was used: it was cancelled, or it took too long."
    )
    assert said == []


def test_a_key_stands_in_for_the_app_s_code_as_second_factor(
    page: Page, site: str, said: list[str], sign_in: Callable[[User], None],
    authenticator: CDPSession,
) -> None:  # fmt: skip
    nora = make_user("nora")
    sign_in(nora)
    add_passkey(page, site)
    expect(page.get_by_label("Unused codes")).to_be_visible()
    sign_out(page, site)
    page.get_by_label("E-mail or user name").fill("nora")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Use a security key").click()
    page.wait_for_url(lambda address: "/accounts/" not in address)
    page.goto(f"{site}/account/")
    expect(page.get_by_role("heading", name="nora")).to_be_visible()
    assert said == []
