"""Tells people that a cap is half, nearly or quite used up: once, on the page and by e-mail; and
asks them into teams by e-mail.

What counts is what was really spent, since what is only held may come back.
"""

from generator.noticing.inviting import mail_invitation
from generator.noticing.letters import MAIL_LIFE, mail_notice, to_mail
from generator.noticing.page import mark_seen, unseen
from generator.noticing.standings import Standing, Told, standings
from generator.noticing.telling import tell

__all__ = [
    "MAIL_LIFE",
    "Standing",
    "Told",
    "mail_invitation",
    "mail_notice",
    "mark_seen",
    "standings",
    "tell",
    "to_mail",
    "unseen",
]
