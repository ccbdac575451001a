"""Why generations failed of late, by the code that was noted; no word of a provider's."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generator.models import Generation, Status

LOOK_BACK = timedelta(days=7)
MOST_FAILED = 1000  # failures looked at, the newest


@dataclass(frozen=True, slots=True)
class Why:
    """What the code of a failure means, for whoever runs the studio: in brief, and in full."""

    brief: str | Promise
    full: str | Promise


WHY_FAILED = {
    "content": Why(
        _("Refused by a provider's safety rules"),
        _(
            "The provider's safety rules refused the prompt or the image. The same will not "
            "work again."
        ),
    ),
    "refused": Why(
        _("Refused by the gateway or the provider"),
        _("The gateway or the provider said no. The same will not work again."),
    ),
    "busy": Why(
        _("The provider was too busy, five times"),
        _("The provider had no room or could not be reached, five times in a row."),
    ),
    "silent": Why(
        _("No answer came"),
        _(
            "No answer came to a paid call. It may have been made and paid for all the same, so"
            " it is never sent again by itself."
        ),
    ),
    "lost": Why(
        _("A worker stopped during the call"),
        _(
            "A worker stopped in the middle of the paid call, so nobody knows whether it was "
            "made. It is never sent again by itself."
        ),
    ),
    "late": Why(
        _("Still working when its time was up"),
        _("The provider was still working when its time was up."),
    ),
    "gone": Why(
        _("The provider no longer knew of it"),
        _("The provider no longer knew of the task it had taken."),
    ),
    "unreadable": Why(
        _("The answer could not be read"),
        _("An answer came that the studio cannot read. It may have been paid for."),
    ),
    "empty": Why(
        _("Answered without an image"),
        _("The answer had no image in it."),
    ),
    "unusable": Why(
        _("No usable image came"),
        _(
            "What the provider sent could not be used as an image: broken, of an unknown kind, "
            "too large, or behind a dead link."
        ),
    ),
    "spool": Why(
        _("Lost on this machine's disk"),
        _("The image came and was lost: the spool's disk was full, not writable or emptied."),
    ),
    "storage": Why(
        _("The storage refused the image"),
        _("The image came, and the storage refused to keep it, time and again."),
    ),
    "bug": Why(
        _("A fault of the studio"),
        _("A fault of the studio itself: the worker's log says which."),
    ),
    "staff": Why(
        _("Given up by staff"),
        _("Somebody on the staff gave it up."),
    ),
}


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest of some rows: its page in the admin, its key, what it is called, when it was."""

    page: str
    pk: Any
    label: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Failures:
    """The newest failures of the last days, by why they failed."""

    code: str
    many: int
    newest: Newest
    filters: dict[str, str]

    @property
    def page(self) -> str:
        """Whose list in the admin shows them."""
        return self.newest.page

    @property
    def why(self) -> str:
        """The code in words; a code of the provider's own stands as it is."""
        return in_brief(self.code)

    @property
    def count(self) -> str:
        """How many, or "1000+"."""
        return f"{MOST_FAILED}+" if self.many >= MOST_FAILED else str(self.many)

    @classmethod
    def of(cls, code: str, rows: list[Newest], start: datetime) -> Self:
        """Those with this code, the newest first."""
        return cls(code, len(rows), rows[0], failed_filters(code, start))


def in_brief(code: str) -> str:
    """Why it failed; a code of the provider's own stands as it is."""
    known = WHY_FAILED.get(code)
    return str(known.brief) if known else code or gettext("No reason was noted")


def what_it_means(code: str) -> str:
    """The same in full; empty where the code is a provider's own."""
    known = WHY_FAILED.get(code)
    return str(known.full) if known else ""


def failures(at: datetime | None = None) -> list[Failures]:
    """Why generations failed in the last days, the commonest first; of the newest thousand."""
    start = since(at)
    rows = Generation.objects.filter(status=Status.FAILED, created_at__gte=start).newest_first()
    by_code: defaultdict[str, list[Newest]] = defaultdict(list)
    for pk, code, label, created in rows.values_list("pk", "reason_code", "label", "created_at")[
        :MOST_FAILED
    ]:
        by_code[code].append(Newest("generation", pk, label, created))
    found = [Failures.of(code, newest, start) for code, newest in by_code.items()]
    return sorted(found, key=lambda one: (-one.many, one.code))


def failed_filters(codes: str, start: datetime) -> dict[str, str]:
    """What the list of generations in the admin is asked for to show those with these codes."""
    if "," in codes:
        which = {"reason_code__in": codes}
    else:
        which = {"reason_code": codes} if codes else {"reason_code__exact": ""}
    return {"status__exact": Status.FAILED, **which, "created_at__gte": start.isoformat()}


def since(at: datetime | None = None) -> datetime:
    """Where the look back from `at`, or from now, starts; to the minute."""
    return ((at or timezone.now()) - LOOK_BACK).replace(second=0, microsecond=0)
