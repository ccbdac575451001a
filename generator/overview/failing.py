"""Why generations failed of late, by the code that was noted; no word of a provider's."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generator.models import Generation, Status

LOOK_BACK = timedelta(days=7)
MOST_FAILED = 1000  # failures looked at, the newest

# What the code of a failure means, for whoever runs the studio.
WHY_FAILED = {
    "content": _("Refused by a provider's safety rules"),
    "refused": _("Refused by the gateway or the provider"),
    "busy": _("The provider was too busy, five times"),
    "silent": _("No answer came"),
    "lost": _("A worker stopped during the call"),
    "unreadable": _("The answer could not be read"),
    "empty": _("Answered without an image"),
    "late": _("Still working when its time was up"),
    "gone": _("The provider no longer knew of it"),
    "spool": _("The disk was full or not writable"),
    "unusable": _("No image could be kept"),
    "bug": _("A fault of the studio"),
    "staff": _("Given up by staff"),
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
        return str(WHY_FAILED.get(self.code, self.code or gettext("No reason was noted")))

    @property
    def count(self) -> str:
        """How many, or "1000+"."""
        return f"{MOST_FAILED}+" if self.many >= MOST_FAILED else str(self.many)

    @classmethod
    def of(cls, code: str, rows: list[Newest], start: datetime) -> Self:
        """Those with this code, the newest first."""
        return cls(code, len(rows), rows[0], failed_filters(code, start))


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
