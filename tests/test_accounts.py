"""Signing in, signing up, invitations, and the limits on guessing."""

import re
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.contrib.messages import get_messages
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator import teaming
from generator.accounts import take_invitation
from generator.models import Invitation, Membership, Role, Team, User
from tests.make import PASSWORD, add_member, make_team, make_user

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"
SIGN_UP = "/accounts/signup/"
FRESH = {"username": "nora", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def nora() -> User:
    """Somebody with an account."""
    return make_user("nora", email="nora@example.org")


def sign_in(client: Client, login: str, password: str = PASSWORD, **extra: Any) -> Any:
    """Post the sign-in form, and stay where it leads."""
    return client.post(LOGIN, {"login": login, "password": password, **extra})


def who(client: Client) -> str | None:
    """The user name of whoever is signed in."""
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key).username if key else None


def invite(
    email: str = "nora@example.org", role: Role = Role.MEMBER, **facts: Any
) -> tuple[str, Team]:
    """The path of an invitation's link, and the team it leads into."""
    team = make_team(slug="northlight")
    invitation = Invitation(team=team, email=email, role=role, **facts)
    secret = invitation.new_secret()
    invitation.save()
    return reverse("invitation", args=[secret]), team


# ── signing in ──


@pytest.mark.parametrize("login", ["nora", "nora@example.org", "Nora@Example.ORG"])
def test_one_signs_in_by_user_name_or_by_email(client: Client, nora: User, login: str) -> None:
    answer = sign_in(client, login)
    assert answer.status_code == 302
    assert who(client) == "nora"


def test_a_wrong_password_is_told_beside_its_field(client: Client, nora: User) -> None:
    page = sign_in(client, "nora", "not it").content.decode()
    assert "Name and password do not match." in page
    field = re.search(r"<input[^>]*id=\"id_password\"[^>]*>", page)
    assert field is not None
    assert 'aria-invalid="true"' in field[0]
    assert 'aria-describedby="id_password_error"' in field[0]
    assert 'id="id_password_error"' in page
    assert who(client) is None


def test_an_unknown_name_is_refused_in_the_same_words(client: Client, nora: User) -> None:
    def told(login: str) -> list[str]:
        page = sign_in(client, login, "not it").content.decode()
        return re.findall(r'class="field__error">.*?</svg>(.*?)</p>', page)

    assert told("nora") == told("nobody") == ["Name and password do not match."]


@pytest.mark.parametrize(("sent", "outlives"), [({"remember": "on"}, True), ({}, False)])
def test_only_who_asks_to_stay_outlives_the_browser(
    client: Client, nora: User, sent: dict[str, str], outlives: bool
) -> None:
    sign_in(client, "nora", **sent)
    assert client.session.get_expire_at_browser_close() is not outlives


def test_a_run_of_wrong_passwords_is_stopped_even_for_the_right_one(
    client: Client, nora: User
) -> None:
    for _ in range(5):
        sign_in(client, "nora", "not it")
    page = sign_in(client, "nora").content.decode()
    assert "Too many wrong tries. Wait five minutes" in page
    assert who(client) is None
    assert sign_in(client, make_user("jonas").username).status_code == 302  # the others may


def test_many_names_from_one_address_are_stopped_too(client: Client, nora: User) -> None:
    for number in range(10):
        sign_in(client, f"name{number}", "not it")
    assert "Too many wrong tries" in sign_in(client, "nora").content.decode()


def test_a_forged_address_header_does_not_reset_the_count(client: Client, nora: User) -> None:
    for number in range(12):
        client.post(
            LOGIN,
            {"login": f"name{number}", "password": "not it"},
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        )
    assert "Too many wrong tries" in sign_in(client, "nora").content.decode()


@pytest.mark.django_db(transaction=True)
def test_another_process_sees_the_same_count(settings: Any) -> None:
    cache.set("wrong-tries", [1, 2, 3])
    code = (
        "import django; django.setup()\n"
        "from django.core.cache import cache\n"
        "print(cache.get('wrong-tries'))"
    )
    if connection.vendor != "sqlite":
        pytest.skip("the other process is told its database as a file")
    url = f"sqlite:///{connection.settings_dict['NAME']}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={"DJANGO_SETTINGS_MODULE": "comet_site.settings", "DATABASE_URL": url,
             "STUDIO_DATA": str(settings.DATA), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.stdout.strip() == "[1, 2, 3]"
    cache.clear()


def test_a_suspended_person_cannot_sign_in(client: Client, nora: User) -> None:
    User.objects.filter(pk=nora.pk).update(is_active=False)
    answer = client.post(LOGIN, {"login": "nora", "password": PASSWORD}, follow=True)
    assert "This account is suspended" in answer.content.decode()
    assert who(client) is None


def test_suspending_ends_a_session_that_is_open(client: Client, nora: User) -> None:
    sign_in(client, "nora")
    assert client.get("/account/").status_code == 200
    User.objects.filter(pk=nora.pk).update(is_active=False)
    assert client.get("/account/").status_code == 302


def test_an_app_s_code_is_asked_for_after_the_password(client: Client, nora: User) -> None:
    code = turn_on_codes(nora)
    answer = sign_in(client, "nora")
    assert answer["Location"] == reverse("mfa_authenticate")
    assert who(client) is None
    assert "Incorrect code" in client.post(answer["Location"], {"code": "000000"}).content.decode()
    client.post(answer["Location"], {"code": code})
    assert who(client) == "nora"


def turn_on_codes(user: User) -> str:
    """Give `user` codes from an app, and say the one that counts now."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(secret, counter))


def test_a_forgotten_password_is_mended_by_mail(client: Client, nora: User) -> None:
    client.post(reverse("account_reset_password"), {"email": "nora@example.org"})
    letter = mail.outbox[0]
    assert letter.to == ["nora@example.org"]
    link = re.search(r"http://testserver(/\S+)", str(letter.body))
    assert link is not None
    form = client.get(link[1], follow=True)
    there = form.redirect_chain[-1][0]
    client.post(there, {"password1": "another long word", "password2": "another long word"})
    assert sign_in(Client(), "nora", "another long word").status_code == 302


@pytest.mark.parametrize("server", ["mail.example.org", ""])
def test_a_letter_is_promised_only_where_the_studio_sends_any(
    client: Client, nora: User, settings: Any, server: str
) -> None:
    settings.EMAIL_URL = server
    for name in ("account_reset_password", "account_reset_password_done"):
        page = client.get(reverse(name)).content.decode()
        assert ("This studio sends no e-mail" in page) == (not server)
        assert ("email" in page.split("<main")[1].replace("e-mail", "")) == bool(server)
    client.force_login(nora)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    new = {"action_add": "", "email": "n@example.net"}
    page = client.post("/accounts/email/", new, follow=True).content.decode()
    assert ("A letter is on the way to n@example.net" in page) == bool(server)
    assert ("n@example.net cannot be confirmed here" in page) == (not server)


def test_asking_for_a_new_password_does_not_say_who_has_an_account(
    client: Client, nora: User
) -> None:
    pages = [
        client.post(reverse("account_reset_password"), {"email": email}, follow=True)
        for email in ("nora@example.org", "nobody@example.org")
    ]
    assert pages[0].redirect_chain == pages[1].redirect_chain


def test_signing_out_is_never_done_by_a_get(client: Client, nora: User) -> None:
    sign_in(client, "nora")
    client.get("/accounts/logout/")
    assert who(client) == "nora"
    client.post("/accounts/logout/")
    assert who(client) is None


def test_one_s_own_team_is_called_personal_wherever_it_is_named(client: Client, nora: User) -> None:
    Team.objects.filter(pk=nora.personal_team.pk).update(name="Nora Lindqvist")
    client.force_login(nora)
    for page in (client.get("/account/"), client.get("/", follow=True)):
        assert "Nora Lindqvist" not in page.content.decode()
        assert "Personal" in page.content.decode()


def test_the_account_page_leads_to_all_that_keeps_it(client: Client, nora: User) -> None:
    client.force_login(nora)
    page = client.get("/account/").content.decode()
    for name in ("account_email", "account_change_password", "mfa_index", "usersessions_list",
                 "account_logout"):  # fmt: skip
        assert reverse(name) in page


@pytest.mark.parametrize(
    "name",
    ["account_email", "account_change_password", "usersessions_list", "mfa_index",
     "account_reauthenticate"],
)  # fmt: skip
def test_every_page_of_the_account_stands_in_the_studio_s_frame(
    client: Client, nora: User, name: str
) -> None:
    sign_in(client, "nora")
    page = client.get(reverse(name))
    assert page.status_code == 200
    assert "css/components.css" in page.content.decode()


def test_other_sessions_can_be_ended(client: Client, nora: User) -> None:
    other = Client(headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"})
    sign_in(other, "nora")
    sign_in(client, "nora")
    assert "Firefox on Linux" in client.get(reverse("usersessions_list")).content.decode()
    client.post(reverse("usersessions_list"))
    assert other.get("/account/").status_code == 302
    assert client.get("/account/").status_code == 200


def test_codes_from_an_app_can_be_turned_on_without_a_mail_server(
    client: Client, nora: User
) -> None:
    sign_in(client, "nora")
    there = reverse("mfa_activate_totp")
    client.post(f"{reverse('account_reauthenticate')}?next={there}", {"password": PASSWORD})
    page = client.get(there)
    assert "<svg" in page.content.decode()
    assert "data:image" not in page.content.decode()  # the policy refuses it
    secret = page.context["form"].secret
    counter = next(iter(yield_hotp_counters_from_time()))
    client.post(there, {"code": format_hotp_value(hotp_value(secret, counter))})
    assert Authenticator.objects.filter(user=nora, type=Authenticator.Type.TOTP).exists()


# ── signing up ──


def test_signing_up_is_closed(client: Client) -> None:
    page = client.get(SIGN_UP)
    assert "Accounts are made by invitation" in page.content.decode()
    client.post(SIGN_UP, {**FRESH, "email": "nora@example.org"})
    assert not User.objects.exists()
    assert SIGN_UP not in client.get(LOGIN).content.decode()


def test_a_setting_opens_signing_up(client: Client, settings: Any) -> None:
    settings.SIGN_UP_OPEN = True
    assert SIGN_UP in client.get(LOGIN).content.decode()
    client.post(SIGN_UP, {**FRESH, "email": "nora@example.org"})
    assert who(client) == "nora"
    assert User.objects.get().personal_team.memberships.get().role == Role.OWNER


def test_fields_that_the_form_does_not_have_change_nothing(client: Client, settings: Any) -> None:
    settings.SIGN_UP_OPEN = True
    northlight = make_team(slug="northlight")
    forged = {"is_staff": "on", "is_superuser": "1", "is_active": "", "role": "owner", "id": "7",
              "team": str(northlight.pk), "teams": "northlight", "credits": "9999"}  # fmt: skip
    client.post(SIGN_UP, {**FRESH, "email": "nora@example.org", **forged})
    nora = User.objects.get(username="nora")
    assert (nora.is_staff, nora.is_superuser, nora.is_active) == (False, False, True)
    assert not northlight.memberships.exists()


@pytest.mark.parametrize(
    ("page", "form"),
    [("account_email", {"action_add": "", "email": "second@example.org"}),
     ("account_change_password", {"oldpassword": PASSWORD, "password1": "another long word",
                                  "password2": "another long word"})],
)  # fmt: skip
def test_forms_of_the_account_take_no_rights(
    client: Client, nora: User, page: str, form: dict[str, str]
) -> None:
    sign_in(client, "nora")
    client.post(reverse(page), {**form, "is_staff": "on", "is_superuser": "on", "username": "root"})
    nora.refresh_from_db()
    assert (nora.is_staff, nora.is_superuser, nora.username) == (False, False, "nora")


# ── invitations ──


def test_an_invitation_says_who_asks_whom_into_which_team(client: Client) -> None:
    mara = make_user("mara", first_name="Mara", last_name="Lindqvist")
    path, team = invite(invited_by=mara, role=Role.VIEWER)
    add_member(team, mara, Role.ADMIN)
    page = client.get(path).content.decode()
    for word in ("Mara Lindqvist", "nora@example.org", "Northlight", "viewer"):
        assert word in page


def test_a_link_given_by_hand_does_not_tell_whether_there_is_an_account(client: Client) -> None:
    path, _team = invite()
    fresh = client.get(path).content.decode()
    make_user("nora", email="nora@example.org")
    known = client.get(path).content.decode()
    token = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')
    assert token.sub("", fresh) == token.sub("", known)
    assert "I have an account" in known


def test_looking_at_an_invitation_changes_nothing(client: Client, nora: User) -> None:
    path, team = invite()
    client.get(path)
    assert "Accounts are made by invitation" in client.get(SIGN_UP).content.decode()
    sign_in(client, "nora")
    client.get(path)
    assert not team.memberships.exists()


def test_a_signed_in_person_joins_with_one_press(client: Client, nora: User) -> None:
    path, team = invite(role=Role.VIEWER)
    client.force_login(nora)
    assert client.post(path, {"role": "owner"})["Location"] == "/t/northlight/"
    assert Membership.objects.get(team=team).role == Role.VIEWER
    assert client.get(path).status_code == 404  # it works once


def test_an_invitation_opens_signing_up_and_is_taken_with_it(client: Client) -> None:
    path, team = invite()
    assert client.post(path)["Location"] == SIGN_UP
    assert 'value="nora@example.org"' in client.get(SIGN_UP).content.decode()
    answer = client.post(SIGN_UP, FRESH)
    assert answer["Location"] == "/t/northlight/"
    assert team.memberships.get().user.username == "nora"
    assert "Accounts are made by invitation" in Client().get(SIGN_UP).content.decode()


def test_the_invited_sign_up_with_the_address_that_was_invited(client: Client) -> None:
    path, _team = invite()
    client.post(path)
    client.post(f"{SIGN_UP}?email=other@example.org", {**FRESH, "email": "other@example.org"})
    assert User.objects.get().email == "nora@example.org"


def test_an_invitation_waits_for_somebody_who_has_an_account(client: Client, nora: User) -> None:
    path, team = invite()
    assert client.post(path, {"sign_in": "1"})["Location"] == LOGIN
    assert sign_in(client, "nora")["Location"] == "/t/northlight/"
    assert team.memberships.get().user == nora


def test_an_invitation_waits_behind_the_second_factor(client: Client, nora: User) -> None:
    code = turn_on_codes(nora)
    path, team = invite()
    client.post(path, {"sign_in": "1"})
    there = sign_in(client, "nora")["Location"]
    assert not team.memberships.exists()
    assert client.post(there, {"code": code})["Location"] == "/t/northlight/"
    assert team.memberships.get().user == nora


def test_who_holds_a_link_to_another_address_does_not_get_in(client: Client, nora: User) -> None:
    path, team = invite()
    other = Client()
    other.force_login(make_user("jonas"))
    for page in (other.get(path), other.post(path)):
        assert "n…@example.org" in page.content.decode()
        assert "nora@example.org" not in page.content.decode()
    assert not team.memberships.exists()
    assert Client().get(path).status_code == 200  # and it is not used up


def test_who_signs_in_as_another_on_the_way_is_told_whom_it_is_for(client: Client) -> None:
    make_user("jonas")
    path, team = invite()
    client.post(path, {"sign_in": "1"})
    assert sign_in(client, "jonas")["Location"] == "/"
    told = [str(told) for told in get_messages(client.get("/account/").wsgi_request)]
    assert "Northlight is for n…@example.org" in " ".join(told)
    assert not team.memberships.exists()


def test_who_comes_a_moment_too_late_is_told_so_and_led_home(client: Client, nora: User) -> None:
    _path, team = invite()
    both_saw = Invitation.objects.get()
    Invitation.objects.update(expires_at=timezone.now())
    client.force_login(nora)
    request = client.get("/account/").wsgi_request
    answer = take_invitation(request, nora, both_saw)
    assert answer["Location"] == "/"
    assert [str(told) for told in get_messages(request)] == [
        "This invitation is over. Ask for a new one."
    ]
    assert not team.memberships.filter(user=nora).exists()


def test_who_presses_twice_is_in(nora: User) -> None:
    invite()
    first, second = Invitation.objects.get(), Invitation.objects.get()
    assert teaming.join(first, nora) == teaming.join(second, nora)


def test_a_person_of_a_long_name_gets_a_team_whose_name_fits() -> None:
    long = make_user("n" * 150, first_name="N" * 150, last_name="O" * 150)
    long.personal_team.full_clean()
    assert long.personal_team.name == "N" * 80


def test_a_member_who_is_invited_again_keeps_their_role(client: Client, nora: User) -> None:
    path, team = invite(role=Role.OWNER)
    Membership.objects.create(team=team, user=nora, role=Role.VIEWER)
    client.force_login(nora)
    client.post(path)
    assert team.memberships.get().role == Role.VIEWER


@pytest.mark.parametrize("way", ["expired", "used", "forged"])
def test_a_link_that_is_over_is_the_same_page_as_none_at_all(client: Client, way: str) -> None:
    now = timezone.now()
    facts = {"expired": {"expires_at": now - timedelta(seconds=1)}, "used": {"accepted_at": now}}
    path, team = invite(**facts.get(way, {}))
    path = "/invitations/forged/" if way == "forged" else path
    client.force_login(make_user())
    answers = [client.get(path), client.post(path)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == client.get("/invitations/none-at-all/").content
    assert "ask whoever sent it to you for a new one" in answers[0].content.decode()
    assert not team.memberships.exists()


def test_an_invitation_s_post_needs_its_token() -> None:
    path, team = invite()
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user())
    assert client.post(path).status_code == 403
    assert not team.memberships.exists()
