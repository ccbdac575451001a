"""Invitations: letters with a secret link, for one address, once, as long as their sender may."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator import jobs, teaming
from generator.models import Invitation, Membership, Role, Team, User
from generator.models.people import TeamQuerySet
from tests.conftest import FakeQueue
from tests.make import PASSWORD, add_member, make_team, make_user

pytestmark = pytest.mark.django_db
LENA = "lena@example.org"
LINK = r"http://testserver(/invitations/[\w-]+/)"
SIGN_UP = "/accounts/signup/"
FRESH = {"username": "lena", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture(autouse=True)
def _a_mail_server(settings: Any) -> None:
    settings.EMAIL_URL = "mail.example.org"  # the tests' letters stay in their outbox
    settings.ADDRESS = "http://testserver"
    cache.clear()


@pytest.fixture
def mara() -> Membership:
    """The owner of northlight."""
    team = make_team(slug="northlight")
    return add_member(team, make_user("mara", first_name="Mara"), Role.OWNER)


def as_(user: User) -> Client:
    """A browser in which somebody is signed in."""
    client = Client()
    client.force_login(user)
    return client


def ask(
    by: Membership,
    addresses: str = LENA,
    role: str = "member",
    *,
    follow: bool = False,
    **extra: str,
) -> Any:
    """Send the form as somebody would."""
    form = {"addresses": addresses, "role": role, **extra}
    return as_(by.user).post(reverse("invite", args=[by.team.slug]), form, follow=follow)


def letters() -> list[Any]:
    """What has gone out."""
    return list(getattr(mail, "outbox", []))


def mailed(by: Membership, email: str = LENA, role: str = "member") -> str:
    """The path in the letter that an invitation brings."""
    ask(by, email, role)
    jobs.mail_invitation(str(Invitation.objects.latest("pk").pk))
    found = re.search(LINK, str(letters()[-1].body))
    assert found
    return found[1]


# ── Sending ──


def test_an_invitation_is_mailed_by_a_job_that_knows_its_number_alone(
    mara: Membership, queue: FakeQueue, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = ask(mara)
    assert answer.status_code == 302
    invitation = Invitation.objects.get()
    assert ("mail_invitation", (str(invitation.pk),)) in queue.sent
    assert (invitation.email, invitation.role, invitation.invited_by) == (LENA, "member", mara.user)
    assert timedelta(days=6) < invitation.expires_at - timezone.now() <= timedelta(days=7)


def test_the_letter_says_who_asks_into_what_and_has_the_only_copy_of_the_link(
    mara: Membership,
) -> None:
    path = mailed(mara)
    (letter,) = letters()
    assert letter.to == [LENA]
    for body in (letter.body, letter.alternatives[0].content):
        for word in ("Mara", "Northlight", "member", LENA, path):
            assert word in body
    assert path.split("/")[-2] not in str(list(Invitation.objects.values()))
    assert (
        path.split("/")[-2]
        not in as_(mara.user).get(reverse("team", args=["northlight"])).content.decode()
    )


def test_an_invitation_goes_out_once(mara: Membership) -> None:
    mailed(mara)
    jobs.mail_invitation(str(Invitation.objects.get().pk))
    assert len(letters()) == 1


def test_what_the_mail_server_did_not_take_is_tried_again_after_a_while(
    mara: Membership, monkeypatch: pytest.MonkeyPatch, queue: FakeQueue
) -> None:
    ask(mara)
    pk = str(Invitation.objects.get().pk)

    def away(self: Any) -> bool:
        raise ConnectionRefusedError

    with monkeypatch.context() as broken:
        broken.setattr(EmailBackend, "open", away)
        jobs.mail_invitation(pk)
    page = as_(mara.user).get(reverse("team", args=["northlight"])).content.decode()
    assert "the mail server did not take it yet" in page
    jobs.mail_invitation(pk)  # too soon
    assert not letters()
    Invitation.objects.update(mail_at=timezone.now())
    jobs.sweep()
    assert ("mail_invitation", (pk,)) in queue.sent
    jobs.mail_invitation(pk)
    assert len(letters()) == 1


@pytest.mark.parametrize(
    "name", ["Evil\r\nBcc: x@example.org", "<b>bold</b>", "‮live", "{{ secret }}", "=1+1"]
)
def test_names_are_text_in_a_letter_and_never_a_header(mara: Membership, name: str) -> None:
    Team.objects.update(name=name)
    User.objects.filter(pk=mara.user_id).update(first_name=name)
    mailed(mara)
    (letter,) = letters()
    assert "\n" not in letter.subject
    assert "\u202e" not in letter.subject
    assert set(letter.message().keys()) <= {
        "Content-Type", "MIME-Version", "Subject", "From", "To", "Date", "Message-ID",
        "Content-Transfer-Encoding",
    }  # fmt: skip
    assert "<b>" not in letter.alternatives[0].content


def test_where_no_mail_is_sent_links_are_shown_once_and_prove_no_address(
    mara: Membership, settings: Any, client: Client
) -> None:
    settings.EMAIL_URL = ""
    page = ask(mara, follow=True).content.decode()
    link = re.search(LINK, page)
    assert link
    assert "shown only now" in page
    client.post(link[1])
    client.post(SIGN_UP, FRESH)
    assert mara.team.memberships.filter(user__username="lena").exists()
    assert not EmailAddress.objects.get(user__username="lena").verified


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("lena@example.org, sam@north", "sam@north is not an address. Correct it, or take it out "
         "to invite lena@example.org alone."),
        ("mara@example.org", "mara@example.org is in the team already."),
        ("MARA@example.org a@b.org c@d.org", "to invite the other 2."),
        ("", "Write one e-mail address or several."),
        (" ,; ", "Write one e-mail address or several."),
        ("a@b.org\x00", "Null characters are not allowed"),
        ("le\u200bna@example.org", "is not an address"),
        ("x" * 300 + "@example.org", "is not an address"),
        (" ".join(f"p{n}@example.org" for n in range(51)), "At most 50 at once"),
        ("a" * 14000, "more than 50 addresses"),
    ],
)  # fmt: skip
def test_faults_are_named_what_was_typed_is_kept_and_nothing_is_sent(
    mara: Membership, typed: str, said: str
) -> None:
    answer = ask(mara, typed)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not Invitation.objects.exists()


def test_several_addresses_in_one_field_are_each_asked_once(mara: Membership) -> None:
    ask(mara, "a@b.org, c@d.org;e@f.org\n A@b.org")
    assert sorted(Invitation.objects.values_list("email", flat=True)) == [
        "a@b.org", "c@d.org", "e@f.org",
    ]  # fmt: skip


def test_a_new_invitation_to_the_same_address_replaces_the_old_one(
    mara: Membership, client: Client
) -> None:
    old = mailed(mara)
    new = mailed(mara, LENA.upper(), "viewer")
    assert client.get(old).status_code == 404
    assert client.get(new).status_code == 200
    assert mara.team.invitations.still_open().count() == 1


def test_a_team_has_fifty_open_invitations_at_most(mara: Membership) -> None:
    ask(mara, " ".join(f"p{n}@example.org" for n in range(49)))
    page = ask(mara, "x@example.org y@example.org").content.decode()
    assert "1 more invitation can be open" in page
    assert Invitation.objects.count() == 49


def test_withdrawing_does_not_lift_what_one_may_send_a_day(
    mara: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teaming, "MOST_A_DAY", 3)
    ask(mara, "a@b.org c@d.org e@f.org")
    for invitation in Invitation.objects.all():
        teaming.end(invitation)
    assert "3 invitations a day" in ask(mara).content.decode()


def test_a_team_writes_to_an_address_twice_a_day(mara: Membership) -> None:
    for _ in range(2):
        assert ask(mara, LENA.upper()).status_code == 302
    page = ask(mara, f"{LENA}, sam@example.org").content.decode()
    assert (
        f"{LENA} got 2 letters from this team today, and no more go there. Try tomorrow. "
        "Take it out to invite sam@example.org alone." in page
    )
    assert Invitation.objects.count() == 2
    Invitation.objects.update(created_at=timezone.now() - timedelta(days=1))
    assert ask(mara).status_code == 302


def test_an_address_gets_three_letters_a_day_and_further_teams_a_link_to_hand_over(
    mara: Membership, queue: FakeQueue, django_capture_on_commit_callbacks: Any, client: Client
) -> None:
    for _ in range(2):
        ask(add_member(make_team(), make_user(), Role.OWNER))
    ask(add_member(make_team(), make_user(), Role.OWNER), LENA.upper())
    with django_capture_on_commit_callbacks(execute=True):
        page = ask(mara, f"{LENA}, sam@example.org", follow=True).content.decode()
    # What other teams did is not told, and shuts nobody out.
    assert "No letter can go there today.</strong> Hand this link over yourself" in page
    assert "An invitation is on the way." in page
    mailed, by_hand = (mara.team.invitations.get(email=each) for each in ("sam@example.org", LENA))
    assert ("mail_invitation", (str(mailed.pk),)) in queue.sent
    assert ("mail_invitation", (str(by_hand.pk),)) not in queue.sent
    (link,) = re.findall(LINK, page)[:1]
    client.post(link)
    client.post(SIGN_UP, FRESH)
    assert mara.team.memberships.filter(user__username="lena").exists()
    assert not EmailAddress.objects.get(email=LENA).verified  # no letter proved it


def test_who_is_taken_out_while_they_invite_is_told_that_there_is_no_such_page(
    mara: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, held = add_member(mara.team, make_user("ada"), Role.ADMIN), TeamQuerySet.held

    def taken_out_before(self: TeamQuerySet, pk: int) -> Team:
        admin.delete()
        return held(self, pk)

    monkeypatch.setattr(TeamQuerySet, "held", taken_out_before)
    assert ask(admin).status_code == 404
    assert not Invitation.objects.exists()


def test_links_that_go_by_hand_are_no_letters(mara: Membership, settings: Any) -> None:
    settings.EMAIL_URL = ""
    for _ in range(4):
        assert "shown only now" in ask(mara, follow=True).content.decode()


def test_loading_the_page_with_a_link_again_neither_ends_it_nor_shows_it_twice(
    mara: Membership, settings: Any, client: Client
) -> None:
    settings.EMAIL_URL = ""
    browser, there = as_(mara.user), reverse("team", args=["northlight"])
    form = {"addresses": LENA, "role": "member"}
    answer = browser.post(reverse("invite", args=["northlight"]), form)
    assert (answer.status_code, answer["Location"]) == (302, f"{there}#invitations")
    elsewhere = add_member(make_team(slug="elsewhere"), mara.user, Role.OWNER).team
    other = browser.get(reverse("team", args=[elsewhere.slug])).content.decode()
    assert not re.findall(LINK, other)
    browser.head(there)
    (link,) = set(re.findall(LINK, browser.get(there).content.decode()))
    assert not re.findall(LINK, browser.get(there).content.decode())
    assert client.get(link).status_code == 200


def test_who_invites_an_address_again_is_told_that_the_earlier_link_is_over(
    mara: Membership, settings: Any
) -> None:
    assert "earlier link" not in ask(mara, follow=True).content.decode()
    page = ask(mara, f"{LENA} sam@example.org", follow=True).content.decode()
    assert f"2 invitations are on the way. The earlier link for {LENA} is over." in page
    settings.EMAIL_URL = ""
    page = ask(mara, f"{LENA} ada@example.org", follow=True).content.decode()
    assert page.count("This replaces the earlier link, which is over now.") == 1


@pytest.mark.parametrize("role", ["owner", "admin", "root", ""])
def test_nobody_invites_above_what_they_may_give(mara: Membership, role: str) -> None:
    admin = add_member(mara.team, make_user("ada"), Role.ADMIN)
    answer = ask(admin, LENA, role, team="1", invited_by=str(mara.user_id), is_staff="on")
    assert answer.status_code == 200
    assert "Pick a role from the list." in answer.content.decode()
    assert not Invitation.objects.exists()


def test_an_invitation_is_withdrawn_by_those_who_may_give_its_role(
    mara: Membership, client: Client
) -> None:
    admin = add_member(mara.team, make_user("ada"), Role.ADMIN)
    path = mailed(mara, LENA, "admin")
    there = reverse("invitation_withdraw", args=["northlight", Invitation.objects.get().pk])
    assert as_(admin.user).post(there).status_code == 404
    assert as_(mara.user).get(there).status_code == 405
    as_(mara.user).post(there)
    assert client.get(path).status_code == 404


def test_another_team_s_invitation_cannot_be_withdrawn(mara: Membership) -> None:
    mailed(mara)
    other = add_member(make_team(slug="elsewhere"), make_user(), Role.OWNER)
    there = reverse("invitation_withdraw", args=["elsewhere", Invitation.objects.get().pk])
    assert as_(other.user).post(there).status_code == 404
    assert Invitation.objects.still_open().exists()


# ── Taking ──


def test_a_mailed_link_makes_an_account_whose_address_is_confirmed(
    mara: Membership, client: Client
) -> None:
    client.post(mailed(mara), {"role": "owner"})
    answer = client.post(SIGN_UP, {**FRESH, "email": "other@example.org", "role": "owner"})
    assert answer["Location"] == "/t/northlight/"
    lena = User.objects.get(username="lena")
    address = EmailAddress.objects.get(user=lena)
    assert (address.email, address.verified, address.primary) == (LENA, True, True)
    assert mara.team.memberships.get(user=lena).role == Role.MEMBER
    assert lena.personal_team
    assert len(letters()) == 1  # none that asks to confirm the address


def test_a_confirmed_second_address_counts_and_one_that_is_merely_claimed_does_not(
    mara: Membership,
) -> None:
    jonas = make_user("jonas")
    path = mailed(mara)
    claimed = EmailAddress.objects.create(user=jonas, email=LENA, verified=False)
    as_(jonas).post(path)
    assert not mara.team.memberships.filter(user=jonas).exists()
    claimed.verified = True
    claimed.save()
    as_(jonas).post(path)
    assert mara.team.memberships.filter(user=jonas).exists()


@pytest.mark.parametrize("what", ["removed", "demoted", "suspended"])
def test_an_invitation_is_over_when_its_sender_may_not_give_it_any_more(
    mara: Membership, client: Client, what: str
) -> None:
    admin = add_member(mara.team, make_user("ada"), Role.ADMIN)
    path = mailed(admin)
    match what:
        case "removed":
            admin.delete()
        case "demoted":
            teaming.set_role(admin, Role.MEMBER, by=mara)
        case _:
            User.objects.filter(pk=admin.user_id).update(is_active=False)
    page = as_(mara.user).get(reverse("team", args=["northlight"])).content.decode()
    assert "may not invite any more" in page
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404
    lena = make_user("lena")
    with pytest.raises(teaming.StudioError):
        teaming.join(Invitation.objects.get(), lena)


def test_a_link_that_waits_in_a_session_ends_with_its_invitation(
    mara: Membership, client: Client
) -> None:
    make_user("lena")
    client.post(mailed(mara), {"sign_in": "1"})
    teaming.end(Invitation.objects.get())
    client.post("/accounts/login/", {"login": "lena", "password": PASSWORD})
    assert mara.team.memberships.count() == 1


def test_who_has_an_account_is_led_to_the_sign_in(mara: Membership, client: Client) -> None:
    path = mailed(mara)
    assert "Make an account" in client.get(path).content.decode()
    make_user("lena")
    page = client.get(path).content.decode()
    assert "Make an account" not in page
    assert "Sign in and join" in page


def test_an_address_is_masked_for_those_it_is_not_of() -> None:
    assert teaming.masked("lena@north.example") == "l…@north.example"
