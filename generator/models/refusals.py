"""Why a reservation is refused, in a person's words: which cap, how much is missing, when it
resets, whom to ask."""

from datetime import date, datetime
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, ngettext

from generator.errors import QuotaExceeded
from generator.models.people import Team, User
from generator.models.roles import Deed, roles_that_may
from generator.models.windows import Window

if TYPE_CHECKING:
    from generator.models.caps import Cap

MOST_NAMES = 2


def refused(cap: "Cap", author: User, *, needed: int, left: int, day: date) -> QuotaExceeded:
    """The error for a cap that has fewer credits `left` than are `needed`, to be raised."""
    team, window = cap.account.team, Window(cap.window)
    resets_at = window.resets_at(day, team.time_zone)
    shared = cap.account.user_id is None
    sentences = [
        _how_much(window, shared=shared, needed=needed, left=left),
        _when(resets_at, team.time_zone),
        gettext("You set this cap yourself, under Usage.")
        if cap.is_own and not shared
        else whom_to_ask(team, author, of_staff=cap.is_of_staff),
    ]
    return QuotaExceeded(
        " ".join(sentences),
        window=window.value,
        shared=shared,
        own=cap.is_own and not shared,
        needed=needed,
        left=left,
        resets_at=resets_at,
    )


def refused_together(
    error: QuotaExceeded, *, models: int, needed: int, before: int
) -> QuotaExceeded:
    """The same for several models that are begun together, of which the last one was refused: the
    sum of what they need, and what was left `before` the first held any."""
    left = error.left + before
    message = gettext(
        "The %(models)s models together need %(needed)s credits, and %(left)s are left %(when)s. "
        "Nothing was begun: compare fewer models, or make fewer images."
    ) % {
        "models": models,
        "needed": _n(needed),
        "left": _n(max(left, 0)),
        "when": _whens(Window(error.window)) + (gettext(", team") if error.shared else ""),
    }
    return QuotaExceeded(
        message,
        window=error.window,
        shared=error.shared,
        own=error.own,
        needed=needed,
        left=left,
        resets_at=error.resets_at,
    )


def _how_much(window: Window, *, shared: bool, needed: int, left: int) -> str:
    whose = gettext("Your team has") if shared else gettext("You have")
    return gettext(
        "%(whose)s %(left)s left %(when)s, and this needs %(needed)s: %(missing)s missing."
    ) % {
        "whose": whose,
        "left": ngettext("%(n)s credit", "%(n)s credits", max(left, 0)) % {"n": _n(max(left, 0))},
        "when": _whens(window),
        "needed": _n(needed),
        "missing": ngettext("%(n)s is", "%(n)s are", needed - left) % {"n": _n(needed - left)},
    }


def _whens(window: Window) -> str:
    return {
        Window.DAY: gettext("today"),
        Window.MONTH: gettext("this month"),
        Window.EVER: gettext("in all"),
    }[window]


def _n(number: int) -> str:
    return number_format(number, use_l10n=True, force_grouping=True)


def _when(resets_at: datetime | None, time_zone: str) -> str:
    if resets_at is None:
        return gettext("It does not reset.")
    minutes = max(int((resets_at - timezone.now()).total_seconds()) // 60, 1)
    # Clocks may go forward at midnight, and then there is none.
    hour = gettext("midnight") if resets_at.hour == 0 else date_format(resets_at, "H:i")
    if minutes >= 25 * 60:
        day = date_format(resets_at, "j F")
        return gettext("It resets on %(day)s (%(zone)s).") % {"day": day, "zone": time_zone}
    hours = round(minutes / 60)
    pause = (
        ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
        if minutes >= 60
        else ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    )
    return gettext("It resets at %(hour)s (%(zone)s), in %(pause)s.") % {
        "hour": hour,
        "zone": time_zone,
        "pause": pause,
    }


def whom_to_ask(team: Team, author: User, *, of_staff: bool) -> str:
    """Who can lift a cap: of one that is not of staff who runs the team, as far as it is not the
    author; where nobody else does, staff."""
    if not of_staff and team.personal_of_id is None:
        steering = team.memberships.filter(
            role__in=roles_that_may(Deed.SET_CAPS), user__is_active=True
        )
        others = steering.exclude(user=author).select_related("user").order_by("-role", "pk")
        if names := [membership.user.shown_name for membership in others[:MOST_NAMES]]:
            return gettext("For more, ask %(names)s.") % {"names": gettext(" or ").join(names)}
    return gettext("For more, ask an administrator.")
