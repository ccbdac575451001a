"""What a team shares out: caps of its members and of its pool, within what staff allow.

A pool has at most what staff gave it. A member has at most what the pool has; where staff gave the
pool no cap, what the studio gives any member to begin with. So nobody who makes a team of their own
gets more credits out of it than staff meant them to have.
"""

from generator.models import QuotaAccount, StartingCaps, Window

WINDOWS = (Window.DAY, Window.MONTH)  # what is allowed in all is for staff to say


def most(account: QuotaAccount, window: Window) -> int | None:
    """The highest cap that the team may set here; None for any."""
    if account.user_id is None:
        return _by_staff(account, window)
    pool = _by_staff(QuotaAccount.objects.pool(account.team), window)
    if pool is not None:
        return pool
    starting = StartingCaps.objects.now().of_a_member()[window]
    given = _by_staff(account, window)
    # What staff gave this one member besides is not taken away by a look at it.
    return None if starting is None else max(starting, given or 0)


def allot(account: QuotaAccount, window: Window, credits: int | None) -> None:
    """Set a cap, as far as `most` lets; None for as much as may be.

    Raises ValidationError for what is no cap; what is above `most` must be refused before.
    """
    if account.user_id is None:
        account.set_own_cap(window, credits)
        return
    limit = most(account, window)
    if limit is not None and _by_staff(QuotaAccount.objects.pool(account.team), window) is None:
        # Without any, there would be neither this cap nor one of the pool.
        credits = limit if credits is None else min(credits, limit)
    account.set_cap(window, credits)


def _by_staff(account: QuotaAccount, window: Window) -> int | None:
    cap = account.caps.filter(window=window).first()
    return cap.credits if cap else None
