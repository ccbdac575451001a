"""Every route is on the written-down list of public ones, or demands a sign-in."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from generator.models import User

PUBLIC = {
    # Whether the studio lives: for load balancers; says nothing but that.
    "healthz",
    "readyz",
    # A signed link of short life, as a bucket's would be.
    "file",
    # What a team shows by a sharing link, on its terms.
    "shared",
    "shared_reply",
    "shared_zip",
    "shared_download",
    "shared_picture",
    "shared_nothing",
    # The way in.
    "invitation",
    "account_login",
    "account_logout",
    "account_signup",
    "account_inactive",
    "account_confirm_email",
    "account_email_verification_sent",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_authenticate",
    "mfa_login_webauthn",
    # Leads on to the studio's own sign-in, which a test of the admin shows.
    "admin:login",
}
SAMPLES = {
    "slug": "northlight", "uuid": str(uuid.UUID(int=7)), "int": "7", "str": "word", "path": "a/b",
}  # fmt: skip


def _routes(
    patterns: list[Any], before: str = "", namespace: str = ""
) -> Iterator[tuple[str, str, URLPattern]]:
    for pattern in patterns:
        path = before + _sample(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else namespace
            yield from _routes(pattern.url_patterns, path, inner)
        else:
            yield f"{namespace}{pattern.name or path}", path, pattern


def _sample(pattern: Any) -> str:
    route = getattr(pattern, "_route", None)
    if route is None:
        return _sample_of_regex(str(pattern))
    for name, converter in pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower().replace("string", "str")
        route = route.replace(f"<{kind}:{name}>", SAMPLES[kind]).replace(f"<{name}>", "word")
    return str(route)


def _sample_of_regex(regex: str) -> str:
    known = {
        r"^confirm-email/(?P<key>[-:\w]+)/$": "confirm-email/abc/",
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "password/reset/key/1-abc/",
        r"^stats.json/?$": "stats.json",
        r"^stats.json/(?P<token>[\w]+)?/?$": "stats.json/word",
        r"^metrics/?$": "metrics",
        r"(?P<url>.*)$": "word",
    }
    return "generator/" if regex.startswith("^(?P<app_label>") else known[regex]


ROUTES = list(_routes(get_resolver().url_patterns))


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.django_db
def test_a_stranger_is_sent_to_the_sign_in(client: Client, method: str) -> None:
    open_routes = []
    for name, path, _pattern in ROUTES:
        if name in PUBLIC:
            continue
        answer = getattr(client, method)(f"/{path}")
        there = answer.headers.get("Location", "")
        if not there.startswith(("/accounts/login/", "/admin/login/?next=")):
            open_routes.append((name, answer.status_code, there))
    assert open_routes == []


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_member_who_is_not_staff_sees_nothing_of_the_admin(
    client: Client, member: User, method: str
) -> None:
    client.force_login(member)
    open_routes = []
    for name, path, _pattern in ROUTES:
        if path.startswith("admin/") and name != "admin:logout":
            answer = getattr(client, method)(f"/{path}", follow=True)
            if answer.status_code not in {401, 403}:
                open_routes.append((name, answer.status_code))
    assert open_routes == []


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_the_list_of_public_routes_names_none_that_is_not_or_is_gone(name: str) -> None:
    callbacks = [pattern.callback for route, _path, pattern in ROUTES if route == name]
    assert callbacks
    assert not any(getattr(callback, "login_required", True) for callback in callbacks)


def test_the_walk_finds_the_studio_the_accounts_the_admin_and_the_queue() -> None:
    names = {name for name, _path, _pattern in ROUTES}
    assert {"studio", "picture", "live", "account_email", "admin:index"} <= names
    assert {"admin:generator_ledgerentry_add", "admin:django_rq_job_detail"} <= names
