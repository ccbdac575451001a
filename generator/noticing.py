"""Tells people that a cap is half, nearly or quite used up: once, on the page and by e-mail.

What counts is what was really spent, since what is only held may come back.
"""

import logging
import smtplib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Lower
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from generator.models import (
    FINAL,
    Cap,
    Generation,
    Kind,
    LedgerEntry,
    Membership,
    Notice,
    QuotaAccount,
    Status,
    Team,
    UsageTotal,
    User,
    Window,
    WindowTotal,
)
from generator.models.people import STEERERS
from generator.models.refusals import whom_to_ask

logger = logging.getLogger(__name__)

STEPS = (100, 80, 50)  # of a hundred, the highest first
OWN = "You set this cap yourself, under Usage."
MAIL_LIFE = timedelta(days=1)  # an older notice is not worth a letter
_WORDS = {Window.DAY: "for today", Window.MONTH: "for this month", Window.EVER: "in all"}


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands with one of its caps now; all counts in credits.

    `of` is the cap and what was granted in the window; `left` is less by what is held.
    """

    account: QuotaAccount
    window: Window
    start: date
    used: int
    of: int
    left: int
    resets: date | None
    is_own: bool

    @property
    def percent(self) -> int:
        """How much of a hundred is used, rounded down; nought of a cap that allows nothing."""
        return 100 * max(self.used, 0) // self.of if self.of > 0 else 0

    @property
    def step(self) -> int | None:
        """The highest of STEPS that is reached."""
        return next((step for step in STEPS if self.percent >= step), None)

    @property
    def shown(self) -> int:
        """What is left, as people count: never below nought."""
        return max(self.left, 0)

    @property
    def for_when(self) -> str:
        """The window in the words of a sentence."""
        return _WORDS[self.window]


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as a page or a letter shows it: with the figures of now."""

    notice: Notice
    standing: Standing

    @property
    def is_pool(self) -> bool:
        """Whether it is the team's pool, and not the reader's own account."""
        return self.standing.account.user_id is None

    @property
    def is_nearly(self) -> bool:
        """Whether more than half of it is gone, by steps."""
        return (self.standing.step or 0) >= 80

    @property
    def is_used_up(self) -> bool:
        """Whether nothing more can be made."""
        return self.standing.percent >= 100


def tell(team: Team, accounts: Sequence[QuotaAccount]) -> None:
    """Write down who is to be told what, after something was spent from these accounts.

    Of each cap the highest step that is reached, and that only once in a window: lower ones are
    not told afterwards, nor is a step that a grant had undone. Runs in the transaction that closed
    the books, with the accounts locked.
    """
    reached = [one for one in standings(team, accounts) if one.step]
    if not reached:
        return
    told = _steps_told(reached)
    news = [one for one in reached if told.get(_place(one), 0) < (one.step or 0)]
    readers = {account.pk: _readers(team, account) for account in {one.account for one in news}}
    Notice.objects.bulk_create(
        (
            Notice(
                user_id=user, account=one.account, window=one.window, start=one.start,
                percent=one.step or 0,
            )
            for one in news
            for user in readers[one.account.pk]
        ),
        ignore_conflicts=True,
    )  # fmt: skip


def standings(team: Team, accounts: Sequence[QuotaAccount]) -> list[Standing]:
    """How accounts of one team stand with each of their caps now, those of nought left out.

    Four queries, whatever the length of the ledger.
    """
    by_key = {account.pk: account for account in accounts}
    caps = [cap for cap in Cap.objects.filter(account__in=by_key) if cap.holds]
    if not caps:
        return []
    day = team.today()
    totals = {
        (row.account_id, row.window, row.start): row.credits
        for row in WindowTotal.objects.filter(
            account__in={cap.account_id for cap in caps},
            start__in={Window(cap.window).start(day) for cap in caps},
        )
    }
    spent = _spent(team, [(by_key[cap.account_id], Window(cap.window)) for cap in caps], day)
    held = _held(team)
    rows = []
    for cap in caps:
        account, window = by_key[cap.account_id], Window(cap.window)
        start = window.start(day)
        left = cap.holds + totals.get((account.pk, window, start), 0)
        used = spent[account.pk, window]
        waits = sum(credits for key, on, credits in held if key == account.pk and on >= start)
        # What is left is what was allowed, less what is spent and what is held.
        rows.append(
            Standing(
                account, window, start, used=used, of=left + used + waits, left=left,
                resets=window.next_start(day), is_own=cap.is_own,
            )
        )  # fmt: skip
    return rows


def _spent(
    team: Team, wanted: Iterable[tuple[QuotaAccount, Window]], day: date
) -> dict[tuple[int, Window], int]:
    """Credits that generations of the window have cost, by account and window."""
    names = {f"spent_{account.pk}_{window}": (account, window) for account, window in wanted}
    sums = {
        name: Sum(
            "credits",
            filter=Q(day__gte=window.start(day))
            & (Q(author=account.user_id) if account.user_id else Q()),
        )
        for name, (account, window) in names.items()
    }
    earliest = min(window.start(day) for _account, window in names.values())
    row = UsageTotal.objects.filter(team=team, day__gte=earliest).aggregate(**sums)
    return {(account.pk, window): row[name] or 0 for name, (account, window) in names.items()}


def _held(team: Team) -> list[tuple[int, date, int]]:
    """What the team's unfinished generations hold: account, the day it counts on, credits."""
    unfinished = Generation.objects.filter(
        team=team, status__in=[status for status in Status if status not in FINAL]
    )
    lines = LedgerEntry.objects.filter(
        generation__in=list(unfinished.values_list("pk", flat=True)), kind=Kind.RESERVE
    )
    rows = lines.values_list("account", "counts_on", "credits")
    return [(account, on, -credits) for account, on, credits in rows]


def _place(one: Standing) -> tuple[int, str, date]:
    return one.account.pk, str(one.window), one.start


def _steps_told(reached: Sequence[Standing]) -> dict[tuple[int, str, date], int]:
    """The highest step of each that anybody was told."""
    told: dict[tuple[int, str, date], int] = {}
    notices = Notice.objects.filter(
        account__in={one.account.pk for one in reached}, start__in={one.start for one in reached}
    )
    for notice in notices.order_by("percent"):
        told[notice.account_id, notice.window, notice.start] = notice.percent
    return told


def _readers(team: Team, account: QuotaAccount) -> list[int]:
    """Keys of those whom an account concerns: its member, or who steers the team."""
    members = Membership.objects.filter(team=team, user__is_active=True)
    if account.user_id:
        members = members.filter(user=account.user_id)
    else:
        members = members.filter(role__in=STEERERS)
    return list(members.order_by("pk").values_list("user", flat=True))


# ── On the page ──


def unseen(team: Team, user: User) -> list[Told]:
    """What a page of this team still has to tell this person: of each account the newest notice.

    One that is over (its window has passed, or a grant has lifted the account below it) is left
    out.
    """
    notices = Notice.objects.filter(user=user, account__team=team, seen_at=None)
    rows = list(notices.select_related("account").order_by("-created_at", "-pk"))
    newest: dict[int, Told] = {}
    for told in _as_of_now(team, rows):
        newest.setdefault(told.standing.account.pk, told)
    return list(newest.values())


def _as_of_now(team: Team, notices: Sequence[Notice]) -> list[Told]:
    if not notices:
        return []
    accounts = {notice.account_id: notice.account for notice in notices}
    now = {_place(one): one for one in standings(team, list(accounts.values()))}
    pairs = ((one, now.get((one.account_id, one.window, one.start))) for one in notices)
    return [Told(one, now) for one, now in pairs if now and now.percent >= one.percent]


def mark_seen(notice: Notice) -> None:
    """Put this notice away for good, and with it the lower steps of the same cap and window."""
    Notice.objects.filter(
        user=notice.user_id, account=notice.account_id, window=notice.window, start=notice.start,
        percent__lte=notice.percent, seen_at=None,
    ).update(seen_at=timezone.now())  # fmt: skip


# ── By e-mail ──


def to_mail(since: datetime) -> "QuerySet[Notice]":
    """Notices written since then that have not gone out by e-mail, to those who can get one.

    Nobody gets one who is suspended, has no address, or has not shown that the address is theirs.
    """
    doubtful = EmailAddress.objects.annotate(lower=Lower("email")).filter(
        user=OuterRef("user"), lower=Lower(OuterRef("user__email")), verified=False
    )
    return (
        Notice.objects.filter(mailed_at=None, created_at__gte=since, user__is_active=True)
        .exclude(user__email="")
        .exclude(Exists(doubtful))
        .order_by("pk")
    )


def mail_notice(pk: int, *, address: str) -> None:
    """Send a notice by e-mail, unless it has gone out or is too old. `address` is the studio's.

    Claimed first, so that it never goes twice. It is given back where the mail server took
    nothing for sure; where nobody can know, it counts as sent.
    """
    notice = (
        to_mail(timezone.now() - MAIL_LIFE)
        .filter(pk=pk)
        .select_related("user", "account__team", "account__user")
        .first()
    )
    if notice is None:
        return
    mine = Notice.objects.filter(pk=pk)
    if not mine.filter(mailed_at=None).update(mailed_at=timezone.now()):
        return
    told = _as_of_now(notice.account.team, [notice])
    if told and not _went_out(_letter(told[0], address=address)):
        mine.update(mailed_at=None)


def _letter(told: Told, *, address: str) -> mail.EmailMessage:
    team, user = told.standing.account.team, told.notice.user
    facts = {
        "told": told,
        "standing": told.standing,
        "team": _one_line(team.name),
        "name": _one_line(user.first_name or user.username),
        "time_zone": team.time_zone,
        "ask": OWN if told.standing.is_own else _one_line(whom_to_ask(team, user)),
        "page": address + reverse("team_usage" if told.is_pool else "usage", args=[team.slug]),
    }
    return mail.EmailMessage(
        subject=_one_line(render_to_string("generator/mail/notice_subject.txt", facts)),
        body=render_to_string("generator/mail/notice.txt", facts),
        to=[user.email],
    )


def _one_line(text: str) -> str:
    """Other people's words without what could break a header or turn a line round."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def _went_out(letter: mail.EmailMessage) -> bool:
    """Whether it has gone, or may have."""
    server = mail.mailers.default
    try:
        server.open()
    except (smtplib.SMTPException, OSError) as error:
        logger.warning("The mail server does not answer (%s).", type(error).__name__)
        return False
    try:
        return _handed_over(server, letter)
    finally:
        with suppress(smtplib.SMTPException, OSError):
            server.close()


def _handed_over(server: BaseEmailBackend, letter: mail.EmailMessage) -> bool:
    try:
        server.send_messages([letter])
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
        logger.warning("The mail server refused a notice (%s).", type(error).__name__)
        return False
    except (smtplib.SMTPException, OSError, ValueError) as error:
        logger.warning("Nobody knows whether a notice went out (%s).", type(error).__name__)
    return True
