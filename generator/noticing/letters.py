"""Notices by e-mail: each goes out once, and what the mail server did not take goes out later."""

import logging
import smtplib
from contextlib import suppress
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Lower
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from generator import patience
from generator.models import Notice
from generator.models.refusals import whom_to_ask
from generator.noticing.standings import Told, as_of_now

logger = logging.getLogger(__name__)

OWN = "You set this cap yourself, under Usage."
MAIL_LIFE = timedelta(days=1)  # an older notice is not worth a letter
FIRST_PAUSE = timedelta(minutes=5)  # before a letter is tried again, and twice as long each time
MOST_DOUBLED = 10  # times: more than a day
REFUSED_FOR_GOOD = 500  # and above: what a mail server says to what will never go (RFC 5321)


def to_mail(since: datetime) -> "QuerySet[Notice]":
    """Notices written since then that are to go out by e-mail now, to those who can get one.

    Nobody gets one who is suspended, has no address, or has not shown that the address is theirs.
    """
    now = timezone.now()
    doubtful = EmailAddress.objects.annotate(lower=Lower("email")).filter(
        user=OuterRef("user"), lower=Lower(OuterRef("user__email")), verified=False
    )
    return (
        Notice.objects.filter(mailed_at=None, created_at__gte=since, user__is_active=True)
        .exclude(mail_at__gt=now)
        .exclude(user__email="")
        .exclude(Exists(doubtful))
        .order_by("pk")
    )


def mail_notice(pk: int, *, address: str) -> None:
    """Send a notice by e-mail, unless it has gone or is too old. `address` is the studio's.

    Claimed first, so that it never goes twice. It is given back, to be tried after a growing pause,
    where the mail server did not take it this time for sure. Where nobody can know it counts as
    sent, and so does what is refused for good.
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
    told = as_of_now(notice.account.team, [notice])
    if not told:
        return
    letter = _letter(told[0], address=address)
    with patience.awaiting():
        has_gone = is_done(letter)
    if not has_gone:
        pause = FIRST_PAUSE * 2 ** min(notice.mail_tries, MOST_DOUBLED)
        mine.update(
            mailed_at=None, mail_at=timezone.now() + pause, mail_tries=notice.mail_tries + 1
        )


def _letter(told: Told, *, address: str) -> mail.EmailMessage:
    team, user = told.standing.account.team, told.notice.user
    ask = whom_to_ask(team, user, of_staff=told.standing.is_of_staff)
    facts = {
        "told": told,
        "standing": told.standing,
        "team": one_line(team.name),
        "name": one_line(user.first_name or user.username),
        "time_zone": team.time_zone,
        "ask": OWN if told.standing.is_own else one_line(ask),
        "page": address + reverse("team_usage" if told.is_pool else "usage", args=[team.slug]),
    }
    return mail.EmailMessage(
        subject=one_line(render_to_string("generator/mail/notice_subject.txt", facts)),
        body=render_to_string("generator/mail/notice.txt", facts),
        to=[user.email],
    )


def one_line(text: str) -> str:
    """Other people's words without what could break a header or turn a line round."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def is_done(letter: mail.EmailMessage) -> bool:
    """Whether it has gone, may have gone, or will never go."""
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
    except smtplib.SMTPResponseException as error:
        return _refused(error, [error.smtp_code])
    except smtplib.SMTPRecipientsRefused as error:
        return _refused(error, [code for code, _words in error.recipients.values()])
    except (smtplib.SMTPException, OSError, ValueError) as error:
        logger.warning("Nobody knows whether a letter went out (%s).", type(error).__name__)
    return True


def _refused(error: Exception, codes: list[int]) -> bool:
    """Whether for good. Many a server says "later" to whoever writes for the first time."""
    if any(code < REFUSED_FOR_GOOD for code in codes):
        logger.warning("The mail server did not take a letter yet (%s).", type(error).__name__)
        return False
    logger.warning("The mail server refused a letter for good (%s).", type(error).__name__)
    return True
