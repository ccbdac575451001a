"""Invitations by e-mail: each letter has a secret that nothing else has seen."""

from datetime import datetime, timedelta

from django.core import mail
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from generator import patience
from generator.models import Invitation
from generator.noticing.letters import FIRST_PAUSE, MOST_DOUBLED, is_done, one_line


def mail_invitation(pk: int, *, address: str) -> None:
    """Send an invitation by e-mail, unless it has gone or is over. `address` is the studio's.

    Claimed first, so that it never goes twice, and its secret made only then: it stands in no job
    and no row. Given back as a notice is (see `mail_notice`).
    """
    invitation = (
        Invitation.objects.to_mail().filter(pk=pk).select_related("team", "invited_by").first()
    )
    if invitation is None or not invitation.is_backed():
        return
    secret = invitation.new_secret()
    mine = Invitation.objects.filter(pk=pk)
    claim: dict[str, datetime | str] = {
        "mailed_at": timezone.now(), "secret_digest": invitation.secret_digest
    }  # fmt: skip
    if not mine.filter(mailed_at=None).update(**claim):
        return
    letter = _letter(invitation, address + reverse("invitation", args=[secret]))
    with patience.awaiting():
        has_gone = is_done(letter)
    if not has_gone:
        _give_back(mine, invitation.mail_tries)


def _give_back(mine: "QuerySet[Invitation]", tries: int) -> None:
    pause: timedelta = FIRST_PAUSE * 2 ** min(tries, MOST_DOUBLED)
    mine.update(mailed_at=None, mail_at=timezone.now() + pause, mail_tries=tries + 1)


def _letter(invitation: Invitation, link: str) -> mail.EmailMultiAlternatives:
    sender = invitation.invited_by
    facts = {
        "team": one_line(invitation.team.name),
        "sender": one_line(sender.shown_name) if sender else "",
        "email": invitation.email,
        "role": invitation.get_role_display(),
        "until": invitation.expires_at,
        "link": link,
    }
    letter = mail.EmailMultiAlternatives(
        subject=one_line(render_to_string("generator/mail/invitation_subject.txt", facts)),
        body=render_to_string("generator/mail/invitation.txt", facts),
        to=[invitation.email],
    )
    letter.attach_alternative(
        render_to_string("generator/mail/invitation.html", facts), "text/html"
    )
    return letter
