"""Notices: a cap that is half, nearly or quite used up is told once, to whom it concerns."""

import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.utils import timezone

from generator import jobs, lifecycle, noticing, patience
from generator.errors import RequestRefused
from generator.models import Notice, QuotaAccount, Role, Team, User, Window
from tests.conftest import FakeQueue
from tests.make import add_member, make_entry, make_generation, make_team, make_user, set_cap
from tests.models.test_windows import at
from tests.scripted import ScriptedGateway, images, run

ADDRESS = "https://studio.example"


def spend(author: User, team: Team, count: int = 1) -> None:
    """Make this many images, which cost as much as `each()` each."""
    make_generation(author, team, count=count, prompt=str(timezone.now()))
    run(ScriptedGateway(images(count)))


def each() -> int:
    return make_entry().price(1, "create", {})


def cap_of_ten(
    team: Team, user: User | None, window: Window = Window.MONTH, *, images: int = 10
) -> QuotaAccount:
    return set_cap(team, user, window=window, credits=images * each())


def steps(user: User, account: QuotaAccount | None = None) -> list[int]:
    notices = Notice.objects.filter(user=user).order_by("pk")
    if account:
        notices = notices.filter(account=account)
    return list(notices.values_list("percent", flat=True))


# ── what is told, and when ──


def test_each_step_is_told_once_as_it_is_reached(team: Team, member: User) -> None:
    cap_of_ten(team, member)
    told = []
    for count in (4, 1, 2, 1, 1, 1):
        spend(member, team, count)
        told.append(steps(member))
    assert told == [[], [50], [50], [50, 80], [50, 80], [50, 80, 100]]


def test_steps_passed_in_one_go_tell_the_highest_only_and_the_lower_never(
    team: Team, member: User
) -> None:
    account = cap_of_ten(team, member)
    spend(member, team, 9)
    account.grant(30 * each(), reason="a trade fair", by=None)
    spend(member, team, 10)
    spend(member, team, 2)  # 21 of 40
    assert steps(member) == [80]


def test_a_step_that_a_grant_undid_is_not_told_again(team: Team, member: User) -> None:
    account = cap_of_ten(team, member)
    spend(member, team, 8)
    account.grant(10 * each(), reason="a trade fair", by=None)
    spend(member, team, 8)  # 16 of 20
    assert steps(member) == [80]


def test_what_is_only_held_tells_nothing(team: Team, member: User) -> None:
    cap_of_ten(team, member)
    first = make_generation(member, team, count=4, prompt="spent")
    make_generation(member, team, count=5, prompt="held")
    assert run(ScriptedGateway(images(4))).pk == first.pk
    assert steps(member) == []


def test_a_new_window_tells_anew(team: Team, member: User) -> None:
    cap_of_ten(team, member)
    spend(member, team, 5)
    Notice.objects.update(start=Window.MONTH.start(team.today() - timedelta(days=31)))
    spend(member, team)
    assert steps(member) == [50, 50]


def test_a_cap_of_one_s_own_that_was_used_up_keeps_no_word_of_staff_s_cap_back(
    team: Team, member: User
) -> None:
    account = cap_of_ten(team, member)
    account.set_own_cap(Window.MONTH, 2 * each())
    spend(member, team, 2)
    account.set_own_cap(Window.MONTH, None)
    for count in (3, 3, 2):
        spend(member, team, count)
    assert steps(member) == [100, 50, 80, 100]


def test_a_pool_whose_cap_was_lifted_tells_anew_in_the_same_window(
    team: Team, member: User
) -> None:
    owner = make_user("owner")
    add_member(team, owner, Role.OWNER)
    pool = cap_of_ten(team, None, Window.EVER, images=2)
    spend(member, team, 2)
    pool.set_cap(Window.EVER, 10 * each())
    assert noticing.unseen(team, owner) == []
    spend(member, team, 3)
    assert steps(owner, pool) == [100, 50]


def test_a_cap_that_was_lowered_tells_no_step_twice(team: Team, member: User) -> None:
    account = cap_of_ten(team, member)
    spend(member, team, 5)
    account.set_cap(Window.MONTH, 9 * each())
    spend(member, team)
    assert steps(member) == [50]
    spend(member, team, 2)
    assert steps(member) == [50, 80]


@pytest.mark.parametrize("waiting", [0, 1, 40])
def test_what_is_used_and_allowed_is_told_in_four_queries_however_many_wait(
    team: Team, member: User, waiting: int, django_assert_num_queries: Any
) -> None:
    cap_of_ten(team, member, images=1000)
    account = cap_of_ten(team, member, Window.DAY, images=100)
    spend(member, team, 4)
    account.grant(20 * each(), reason="a trade fair", by=None)
    for number in range(waiting):
        make_generation(member, team, prompt=f"{number}")
    with django_assert_num_queries(4):
        month, day = sorted(noticing.standings(team, [account]), key=lambda one: -one.of)
    assert (day.used, day.of, day.left) == (
        4 * each(), 120 * each(), (116 - waiting) * each(),
    )  # fmt: skip
    assert (month.used, month.of) == (4 * each(), 1020 * each())


def test_what_was_given_back_is_neither_used_nor_granted(team: Team, member: User) -> None:
    account = cap_of_ten(team, member)
    spend(member, team, 8)
    lifecycle.give_back(member.generations.get(), reason="blurred", by=None)
    (standing,) = noticing.standings(team, [account])
    assert (standing.used, standing.of, standing.left) == (0, 10 * each(), 10 * each())


def test_every_cap_tells_for_itself(team: Team, member: User) -> None:
    cap_of_ten(team, member, images=20)
    cap_of_ten(team, member, Window.DAY)
    cap_of_ten(team, member, Window.EVER, images=1000)
    spend(member, team, 10)
    told = Notice.objects.filter(user=member).values_list("window", "percent")
    assert set(told) == {("month", 50), ("day", 100)}


def test_a_cap_of_nought_and_a_cap_that_was_taken_back_tell_nothing(
    team: Team, member: User
) -> None:
    account = cap_of_ten(team, member)
    make_generation(member, team, count=5)
    account.caps.update(credits=0)
    run(ScriptedGateway(images(5)))
    assert steps(member) == []


def test_a_failure_tells_nothing(team: Team, member: User) -> None:
    cap_of_ten(team, member)
    make_generation(member, team, count=9)
    run(ScriptedGateway(RequestRefused("No.")))
    assert steps(member) == []


# ── who is told ──


def test_a_pool_tells_owners_and_admins_who_are_active(team: Team, member: User) -> None:
    people = {role: make_user(f"the-{role}") for role in Role}
    for role, user in people.items():
        add_member(team, user, role)
    gone = make_user("gone", is_active=False)
    add_member(team, gone, Role.ADMIN)
    pool = cap_of_ten(team, None)
    spend(member, team, 5)
    assert set(Notice.objects.filter(account=pool).values_list("user__username", flat=True)) == {
        "the-owner", "the-admin",
    }  # fmt: skip


def test_one_who_is_told_already_does_not_keep_a_writer_from_telling(
    team: Team, member: User
) -> None:
    """As of two that settle at once: the second finds the row, and nobody stumbles."""
    account = cap_of_ten(team, member)
    spend(member, team, 5)
    noticing.tell(team, [account])
    Notice.objects.bulk_create(
        [Notice(user=member, account=account, window=Window.MONTH,
                start=Window.MONTH.start(team.today()), percent=50, cap=10 * each())],
        ignore_conflicts=True,
    )  # fmt: skip
    assert steps(member) == [50]


# ── by e-mail ──


def outbox() -> list[Any]:
    return list(getattr(mail, "outbox", []))


def notice_for(team: Team, member: User, count: int = 8) -> Notice:
    cap_of_ten(team, member)
    spend(member, team, count)
    return Notice.objects.get(user=member)


def test_a_letter_says_what_is_used_what_is_left_when_it_resets_and_whom_to_ask(
    team: Team, member: User
) -> None:
    owner = make_user("owner", first_name="Mara", last_name="Lindqvist")
    add_member(team, owner, Role.OWNER)
    notice = notice_for(team, member)
    jobs.mail_notice(str(notice.pk))
    (letter,) = outbox()
    assert letter.to == [member.email]
    assert letter.subject == (
        "[Comet Studio] You have used 80 % of your credits in Northlight for this month"
    )
    resets = Window.MONTH.next_start(team.today())
    assert resets
    for words in (
        f"used {8 * each():,} of your {10 * each():,} credits for this month: 80 %",
        f"{2 * each():,} are left",
        f"reset on 1 {resets:%B %Y} (UTC)",
        "ask an administrator",  # whose cap it is, and not the team's owner
        "/t/northlight/",
    ):
        assert words in letter.body


def test_a_letter_goes_once_however_often_it_is_sent(team: Team, member: User) -> None:
    notice = notice_for(team, member)
    for _ in range(3):
        noticing.mail_notice(notice.pk, address=ADDRESS)
    assert len(outbox()) == 1


def test_it_is_sent_after_the_images_are_kept(
    team: Team, member: User, queue: FakeQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = ScriptedGateway(images(5))
    monkeypatch.setattr(jobs, "open_gateway", lambda: gateway)
    cap_of_ten(team, member)
    make_generation(member, team, count=5)
    jobs.start_next()
    assert ("mail_notice", (str(Notice.objects.get(user=member).pk),)) in queue.sent


def refused(*codes: int) -> smtplib.SMTPRecipientsRefused:
    return smtplib.SMTPRecipientsRefused({f"{code}@example.org": (code, b"no") for code in codes})


@pytest.mark.parametrize(
    "broken", [refused(550), refused(550, 553), refused(), smtplib.SMTPDataError(554, b"spam")]
)
def test_what_is_refused_for_good_is_never_sent_again_and_named_without_an_address(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch, broken: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    notice = notice_for(team, member)
    break_mail(monkeypatch, "send_messages", broken)
    noticing.mail_notice(notice.pk, address=ADDRESS)
    notice.refresh_from_db()
    assert notice.mailed_at is not None
    assert f"refused a letter for good ({type(broken).__name__})" in caplog.text
    assert "@" not in caplog.text


@pytest.mark.parametrize(
    "broken", [refused(450), refused(550, 451), smtplib.SMTPDataError(451, b"later")]
)
def test_what_the_mail_server_did_not_take_yet_is_sent_by_a_sweep_after_a_while(
    team: Team, member: User, queue: FakeQueue, monkeypatch: pytest.MonkeyPatch, broken: Exception
) -> None:
    notice = notice_for(team, member)
    break_mail(monkeypatch, "send_messages", broken)
    noticing.mail_notice(notice.pk, address=ADDRESS)
    assert not noticing.to_mail(notice.created_at).exists()
    with at(timezone.now() + 2 * jobs.MAIL_AGAIN_AFTER):
        jobs.sweep()
    assert ("mail_notice", (str(notice.pk),)) in queue.sent


def test_a_mail_server_that_stays_away_is_tried_for_a_day_after_growing_pauses(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = notice_for(team, member)
    break_mail(monkeypatch, "open", ConnectionRefusedError())
    tried = []
    for minutes in range(5, 26 * 60, 5):
        with at(notice.created_at + timedelta(minutes=minutes)):
            if noticing.to_mail(timezone.now() - noticing.MAIL_LIFE).exists():
                tried.append(minutes)
                noticing.mail_notice(notice.pk, address=ADDRESS)
    assert tried == [5, 10, 20, 40, 80, 160, 320, 640, 1280]


def test_while_a_mail_server_is_awaited_others_may_work(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = notice_for(team, member)
    seen = []
    look = lambda *args: seen.append(patience._mine.has_place)  # noqa: E731
    for method in ("open", "send_messages", "close"):
        monkeypatch.setattr(EmailBackend, method, look)
    with patience.working():
        noticing.mail_notice(notice.pk, address=ADDRESS)
    assert seen == [False] * 3


def test_a_mail_server_that_is_away_costs_a_line_without_an_address(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    notice = notice_for(team, member)
    break_mail(monkeypatch, "open", ConnectionRefusedError(111, f"refused {member.email}"))
    noticing.mail_notice(notice.pk, address=ADDRESS)
    assert "The mail server does not answer (ConnectionRefusedError)." in caplog.text
    assert member.email not in caplog.text
    notice.refresh_from_db()
    assert notice.mailed_at is None


def test_where_nobody_knows_whether_it_went_it_is_not_sent_again(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = notice_for(team, member)
    break_mail(monkeypatch, "send_messages", TimeoutError())
    noticing.mail_notice(notice.pk, address=ADDRESS)
    notice.refresh_from_db()
    assert notice.mailed_at is not None


def break_mail(monkeypatch: pytest.MonkeyPatch, method: str, error: Exception) -> None:
    def broken(*args: Any) -> None:
        raise error

    monkeypatch.setattr(EmailBackend, method, broken)


@pytest.mark.parametrize("why", ["suspended", "no address", "unverified", "too old"])
def test_nobody_gets_a_letter_who_should_not(team: Team, member: User, why: str) -> None:
    from allauth.account.models import EmailAddress

    notice = notice_for(team, member)
    match why:
        case "suspended":
            User.objects.filter(pk=member.pk).update(is_active=False)
        case "no address":
            User.objects.filter(pk=member.pk).update(email="")
        case "unverified":
            EmailAddress.objects.create(user=member, email=member.email.upper(), verified=False)
        case _:
            old = timezone.now() - timedelta(days=1, minutes=1)
            Notice.objects.filter(pk=notice.pk).update(created_at=old)
    noticing.mail_notice(notice.pk, address=ADDRESS)
    assert outbox() == []


def test_the_name_of_a_team_can_neither_break_a_header_nor_turn_a_line(member: User) -> None:
    team = make_team(member, slug="evil")
    Team.objects.filter(pk=team.pk).update(name="A\r\nBcc: all@example.org\u202e <b>&")
    team.refresh_from_db()
    notice = notice_for(team, member)
    noticing.mail_notice(notice.pk, address=ADDRESS)
    (letter,) = outbox()
    assert "in A Bcc: all@example.org <b>& for" in letter.subject
    assert letter.recipients() == [member.email]
    assert "\u202e" not in letter.body


# ── on the page ──


@pytest.fixture
def reader(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


def test_every_page_of_the_team_tells_it_and_no_page_of_another(
    reader: Client, team: Team, member: User
) -> None:
    notice_for(team, member)
    told = "You have used 80 % of your credits for this month"
    for page in ("/t/northlight/", "/t/northlight/library/"):
        assert told in reader.get(page).content.decode()
    assert told not in reader.get(f"/t/{member.personal_team.slug}/").content.decode()


def test_what_is_left_is_the_rest_of_what_is_used_and_says_how_much_of_it_is_held(
    reader: Client, team: Team, member: User
) -> None:
    notice = notice_for(team, member)
    make_generation(member, team)
    rest = f"{2 * each():,} are left"
    held = f", of which {each():,} are held."
    page = reader.get("/t/northlight/").content.decode()
    assert rest in page
    assert held in page
    jobs.mail_notice(str(notice.pk))
    assert rest + held in outbox()[0].body


def test_got_it_puts_it_away_for_good_and_leads_back(
    reader: Client, team: Team, member: User
) -> None:
    notice = notice_for(team, member)
    page = "/t/northlight/library/"
    answer = reader.post(f"/t/northlight/notices/{notice.pk}/seen", {"next": page})
    assert answer["Location"] == page
    assert "told-" not in reader.get(page).content.decode().split("told-of", 1)[1]


@pytest.mark.parametrize("page", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_got_it_leads_nowhere_else(reader: Client, team: Team, member: User, page: str) -> None:
    notice = notice_for(team, member)
    answer = reader.post(f"/t/northlight/notices/{notice.pk}/seen", {"next": page})
    assert answer["Location"] == "/t/northlight/"


def test_nobody_puts_away_what_another_was_told(client: Client, team: Team, member: User) -> None:
    notice = notice_for(team, member)
    mate = make_user("mate")
    add_member(team, mate)
    client.force_login(mate)
    assert client.post(f"/t/northlight/notices/{notice.pk}/seen").status_code == 404
    notice.refresh_from_db()
    assert notice.seen_at is None


def test_only_the_newest_of_an_account_is_shown_and_it_takes_the_older_along(
    team: Team, member: User
) -> None:
    notice_for(team, member, 5)
    spend(member, team, 3)
    (told,) = noticing.unseen(team, member)
    assert told.notice.percent == 80
    noticing.mark_seen(told.notice)
    assert noticing.unseen(team, member) == []


def test_what_is_over_is_not_shown(team: Team, member: User) -> None:
    notice = notice_for(team, member)
    account = QuotaAccount.objects.of(team, member)
    account.grant(90 * each(), reason="a trade fair", by=None)
    assert noticing.unseen(team, member) == []
    Notice.objects.filter(pk=notice.pk).update(percent=1, start=team.today() - timedelta(days=70))
    assert noticing.unseen(team, member) == []
