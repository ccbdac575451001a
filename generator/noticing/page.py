"""What a page still has to tell its reader."""

from django.utils import timezone

from generator.models import Notice, Team, User
from generator.noticing.standings import Told, as_of_now


def unseen(team: Team, user: User) -> list[Told]:
    """What a page of this team still has to tell this person: of each account the newest notice.

    One that is over (its window has passed, or a grant has lifted the account below it) is left
    out.
    """
    notices = Notice.objects.filter(user=user, account__team=team, seen_at=None)
    rows = list(notices.select_related("account").order_by("-created_at", "-pk"))
    newest: dict[int, Told] = {}
    for told in as_of_now(team, rows):
        newest.setdefault(told.standing.account.pk, told)
    return list(newest.values())


def mark_seen(notice: Notice) -> None:
    """Put this notice away for good, and with it the lower steps of the same cap and window."""
    Notice.objects.filter(
        user=notice.user_id, account=notice.account_id, window=notice.window, start=notice.start,
        percent__lte=notice.percent, seen_at=None,
    ).update(seen_at=timezone.now())  # fmt: skip
