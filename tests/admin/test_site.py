"""The door of the admin, and the policy its pages stand under."""

import re
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from generator.models import ImageAsset, QuotaAccount, User
from tests.make import (
    PASSWORD,
    make_asset,
    make_entry,
    make_generation,
    make_team,
    make_user,
)


def sign_in(client: Client, user: User) -> Any:
    """Knock at the admin, and give the password at the door that opens."""
    there = client.get("/admin/", follow=True).redirect_chain[-1][0]
    assert there.startswith(reverse("account_login"))
    return client.post(there, {"login": user.email, "password": PASSWORD, "next": "/admin/"})


def test_staff_come_into_the_admin_by_the_studio_s_own_sign_in(client: Client, boss: User) -> None:
    assert sign_in(client, boss)["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_staff_with_a_second_factor_are_not_in_before_they_have_given_it(
    client: Client, boss: User
) -> None:
    secret = generate_totp_secret()
    TOTP.activate(boss, secret)
    there = sign_in(client, boss)["Location"]
    assert there.startswith(reverse("mfa_authenticate"))
    assert client.get("/admin/").status_code == 302
    # Nor does the admin's own form, posted straight to, let them by.
    client.post("/admin/login/", {"username": boss.username, "password": PASSWORD})
    assert client.get("/admin/").status_code == 302

    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    assert client.post(there, {"code": code})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_member_is_told_that_it_is_not_for_them(client: Client, member: User) -> None:
    client.force_login(member)
    assert client.get("/admin/", follow=True).status_code == 403


def test_the_admin_has_the_looser_policy_and_nothing_else_has(staff: Client, settings: Any) -> None:
    def scripts(path: str) -> str:
        policy = staff.get(path).headers["Content-Security-Policy"]
        found = re.search(r"script-src ([^;]*)", policy)
        assert found is not None
        return found[1]

    assert "unsafe-inline" in scripts("/admin/")
    assert "unsafe-inline" in scripts("/admin/generator/user/")
    assert scripts("/account/") == "'self'"
    assert scripts("/accounts/login/") == "'self'"


def test_every_list_and_page_of_the_admin_opens(staff: Client, boss: User) -> None:
    make_entry()
    team = make_team(boss, slug="northlight")
    generation = make_generation(boss, team)
    make_asset(generation)
    account = QuotaAccount.objects.of(team, boss)
    account.grant(credits=5, reason="welcome", by=boss)
    for model, _admin in admin.site._registry.items():
        if model._meta.app_label != "generator":
            continue
        stem = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert staff.get(reverse(f"{stem}_changelist"), follow=True).status_code == 200, stem
        row = model._default_manager.first()
        if row is not None:
            page = staff.get(reverse(f"{stem}_change", args=[row.pk]))
            assert page.status_code == 200, stem
    assert ImageAsset in admin.site._registry


@pytest.mark.parametrize(
    "path", ["account/emailaddress", "mfa/authenticator", "usersessions/usersession"]
)
def test_seeds_of_second_factors_and_keys_of_sessions_have_no_page(
    staff: Client, path: str
) -> None:
    TOTP.activate(make_user("jonas"), generate_totp_secret())
    assert staff.get(f"/admin/{path}/").status_code == 404


def test_a_person_s_page_does_not_hold_the_seed_of_their_second_factor(staff: Client) -> None:
    jonas = make_user("jonas")
    secret = generate_totp_secret()
    factor = TOTP.activate(jonas, secret).instance
    page = staff.get(reverse("admin:generator_user_change", args=[jonas.pk])).content.decode()
    assert "second factor" in page.lower()
    assert secret not in page
    assert factor.data["secret"] not in page
