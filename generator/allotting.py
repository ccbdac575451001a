"""What a team shares out: caps of its members and of its pool, within what staff allow.

The figures of the team stand beside those of staff and never in their place: the lowest holds. So
nobody who runs a team gets more credits out of it than staff meant them to have.
"""

from generator.models import QuotaAccount, Window

WINDOWS = (Window.DAY, Window.MONTH)  # what is allowed in all is for staff to say


def most(account: QuotaAccount, window: Window) -> int | None:
    """The highest cap that the team may set here, which is that of staff; None for any."""
    cap = account.caps.filter(window=window).first()
    return cap.credits if cap else None


def allot(account: QuotaAccount, window: Window, credits: int | None) -> None:
    """Set the team's figure for a member or for its pool; None for as much as staff allow.

    Raises ValidationError for what is no cap, and for what is above `most`.
    """
    if account.user_id is None:
        account.set_own_cap(window, credits)
    else:
        account.set_team_cap(window, credits)
