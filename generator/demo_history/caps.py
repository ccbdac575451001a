"""Caps that fit a made-up history: most with room, some near their edge."""

from random import Random

from django.db.models import Min

from generator.demo_history.people import Seat
from generator.models import Cap, QuotaAccount, Window

_STEP = 500  # credits that caps are rounded up to


def set_caps(seats: list[Seat], rng: Random) -> None:
    """Set the caps of these people and their teams, so that no month of the history passed one."""
    keys = {seat.account for seat in seats} | {seat.pool for seat in seats}
    for account in QuotaAccount.objects.filter(pk__in=keys).select_related("team").order_by("pk"):
        month = _most(account, Window.MONTH)
        now = -account.total(Window.MONTH, account.team.today())
        # Of every fourth the month's cap is what they have nearly reached.
        edge = rng.random() < 0.25 and now > 0
        wanted = now / rng.uniform(0.82, 0.97) if edge else month * rng.uniform(1.15, 1.9)
        _set(account, Window.MONTH, _rounded(wanted, 50 if edge else _STEP))
        if rng.random() < 0.3:
            _set(account, Window.DAY, _rounded(_most(account, Window.DAY) * rng.uniform(1.1, 1.6)))


def _most(account: QuotaAccount, window: Window) -> int:
    """What the dearest window took."""
    least = account.totals.filter(window=window).aggregate(least=Min("credits"))["least"]
    return max(-(least or 0), 0)


def _rounded(credits: float, step: int = _STEP) -> int:
    return max(-int(-credits // step) * step, 2 * step)


def _set(account: QuotaAccount, window: Window, credits: int) -> None:
    Cap.objects.update_or_create(account=account, window=window, defaults={"credits": credits})
