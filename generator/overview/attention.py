"""What needs somebody's look: each thing with how many there are and the newest of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from generator.families import FAMILIES
from generator.models import (
    UNDER_WAY,
    CatalogueChange,
    CatalogueEntry,
    Change,
    Generation,
    Status,
)
from generator.overview.failing import Failures, Newest, failed_filters, in_brief, since
from generator.overview.running import Machinery, Money, Now

MOST = 100  # counted of each; what is more is "100+"
MOST_MADE = 1000  # made ones looked at for what they cost, the newest
STALLED_AFTER = timedelta(minutes=10)
REFUSED_TRIES = 3  # by the storage, until somebody is told
DEAR = 2  # times the price
NAMED = 30  # rows in an address

# Nobody can know what became of these: the provider may have charged the studio.
UNKNOWN_END = ("silent", "lost")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that needs a look, and what to do about it.

    `page` names the model whose list in the admin, with `filters`, shows them; empty where there
    is none. `many` is 0 where there is nothing to count.
    """

    title: str
    advice: str
    page: str = ""
    filters: dict[str, str] = field(default_factory=dict)
    many: int = 0
    newest: Newest | None = None
    is_urgent: bool = False

    @property
    def count(self) -> str:
        """How many, or "100+"."""
        return f"{MOST}+" if self.many > MOST else str(self.many or "")


def of_machinery(machinery: Machinery) -> list[Finding]:
    """Nobody works, or the queue is away."""
    found = []
    if not machinery.workers:
        advice = gettext(
            "Nothing is made until one runs. Look at the worker's process and its log."
        )
        title = gettext("No worker is running")
        found.append(Finding(title, advice, page="workerseen", is_urgent=True))
    if not machinery.queue_answers:
        advice = gettext(
            "What people send is kept and waits until Redis or Valkey is back. Nothing is lost."
        )
        found.append(Finding(gettext("The queue does not answer"), advice, is_urgent=True))
    return found


def of_money(money: Money) -> list[Finding]:
    """Less is left at the gateway than what is on its way may cost."""
    if not money.is_short:
        return []
    advice = gettext("What is on its way may fail for want of money. Top up the gateway's account.")
    title = gettext("The gateway's balance is lower than what is held")
    return [Finding(title, advice, is_urgent=True)]


def of_generations(
    now: Now, failed: Iterable[Failures], at: datetime | None = None
) -> list[Finding]:
    """Stalled, not kept, without an end that is known, broken by the studio, dearer than said."""
    at = at or timezone.now()
    by_code = {one.code: one for one in failed}
    found = [*_stalled(at), *_waiting(now, at), *_refused_by_the_storage()]
    told = (
        (UNKNOWN_END, gettext("Failed without an answer"), gettext(
            "Nobody here was charged; the provider may have charged the studio. They are not sent "
            "again by themselves."
        )),
        (("spool",), in_brief("spool"), gettext(
            "Look at the disk of the spool. Nobody here was charged."
        )),
        (("storage",), in_brief("storage"), gettext(
            "Look at the storage: its room, its keys and its rights. Nobody here was charged."
        )),
        (("unusable",), in_brief("unusable"), gettext(
            "What the provider sent could not be used as an image. Nobody here was charged; the "
            "provider may have charged the studio. If it goes on, take the model off."
        )),
        (("bug",), in_brief("bug"), gettext(
            "The worker's log tells more. Nobody here was charged."
        )),
    )  # fmt: skip
    for codes, title, advice in told:
        some = [by_code[code] for code in codes if code in by_code]
        if some:
            found.append(_failed(title, advice, codes, some, at))
    return [*found, *_dear(at)]


def of_catalogue(at: datetime | None = None) -> list[Finding]:
    """Models that are gone though they are offered, repriced, or offered without a price."""
    offered = CatalogueEntry.objects.filter(offered=True)
    gone = _found(
        offered.filter(gone_at__isnull=False).order_by("-gone_at"),
        gettext("Offered, but gone from the gateway"),
        gettext("People may pick these and be refused. Take them off, unless you know better."),
        "catalogueentry", {"offered__exact": "1", "gone_at__isempty": "0"}, at="gone_at",
    )  # fmt: skip
    unpriced = _found(
        # Ours to know: what the page shows, is not what is offered and of a known family.
        offered.filter(family__in=FAMILIES)
        .exclude(pk__in=CatalogueEntry.objects.pickable().order_by().values("pk"))
        .order_by("-created_at"),
        gettext("Offered without a price"),
        gettext("Nobody can pick these until you set one."),
        "catalogueentry",
    )
    return [*gone, *unpriced, *_changes(at)]


# ── Generations ──


def _stalled(at: datetime) -> list[Finding]:
    long_due = at - STALLED_AFTER
    return _found(
        Generation.objects.filter(status__in=UNDER_WAY, due_at__lt=long_due).newest_first(),
        gettext("Stalled"),
        gettext("Their next step is overdue and no worker takes it. Look at the worker's log."),
        "generation",
        {"status__in": ",".join(sorted(UNDER_WAY)), "due_at__lt": long_due.isoformat()},
        is_urgent=True,
    )


def _waiting(now: Now, at: datetime) -> list[Finding]:
    """Waiting is usual while others are made; for long, with nobody at work, it is not."""
    oldest = now.oldest_waiting
    if now.under_way > now.kept or oldest is None or oldest > at - STALLED_AFTER:
        return []
    return _found(
        Generation.objects.filter(
            status=Status.QUEUED, created_at__lt=at - STALLED_AFTER
        ).newest_first(),
        gettext("Waiting, though nothing is made"),
        gettext("Look at the workers and the queue."),
        "generation", {"status__exact": Status.QUEUED}, is_urgent=True,
    )  # fmt: skip


def _refused_by_the_storage() -> list[Finding]:
    tries = {"status": Status.STORING, "note": "storage", "storing_attempts__gte": REFUSED_TRIES}
    return _found(
        Generation.objects.filter(**tries).newest_first(),
        gettext("The storage refuses images"),
        gettext("They are safe on the disk and tried for about a day. Look at the bucket."),
        "generation",
        {
            "status__exact": Status.STORING,
            "note__exact": "storage",
            "storing_attempts__gte": str(REFUSED_TRIES),
        },
        is_urgent=True,
    )


def _failed(
    title: str, advice: str, codes: tuple[str, ...], some: list[Failures], at: datetime
) -> Finding:
    newest = max((one.newest for one in some), key=lambda one: one.at)
    filters = failed_filters(",".join(codes), since(at))
    many = sum(one.many for one in some)
    return Finding(title, advice, "generation", filters, many, newest)


def _dear(at: datetime) -> list[Finding]:
    made = Generation.objects.filter(status=Status.SUCCEEDED, created_at__gte=since(at))
    newest = made.newest_first().values("pk")[:MOST_MADE]
    return _found(
        Generation.objects.filter(pk__in=newest, cost__gt=F("price") * DEAR).newest_first(),
        gettext("Cost more than twice their price"),
        gettext("Their models' prices may be too low. People were charged what it cost."),
        "generation",
    )


# ── The catalogue ──


def _changes(at: datetime | None) -> list[Finding]:
    start = since(at)
    rows = CatalogueChange.objects.filter(at__gte=start, what__in=[Change.REPRICED, Change.GONE])
    listed = [
        (change.what, Newest("catalogueentry", change.entry_id, str(change.entry), change.at))
        for change in rows.select_related("entry").order_by("-at", "-pk")[: 2 * MOST]
    ]
    titles = {
        Change.REPRICED: gettext("Repriced at the gateway"),
        Change.GONE: gettext("No longer listed at the gateway"),
    }
    advice = {
        Change.REPRICED: gettext("Prices that staff set stay as they are: see whether they fit."),
        Change.GONE: gettext("Decide whether to go on offering them."),
    }
    found = []
    for what, title in titles.items():
        some = [newest for kind, newest in listed if kind == what]
        if some:
            filters = {"what__exact": what, "at__gte": start.isoformat()}
            page = "cataloguechange"
            found.append(Finding(title, advice[what], page, filters, len(some), some[0]))
    return found


# ── Both ──


def _found(
    rows: "QuerySet[Generation] | QuerySet[CatalogueEntry]", title: str, advice: str, page: str,
    filters: dict[str, str] | None = None, *, at: str = "created_at", is_urgent: bool = False,
) -> list[Finding]:  # fmt: skip
    """A finding of these rows, in their order; none where there are none. One query.

    Where no filter of the admin's list says the same, the newest are named one by one.
    """
    some = list(rows.values_list("pk", "label", at)[: MOST + 1])
    if not some:
        return []
    filters = filters or {"id__in": ",".join(str(pk) for pk, _label, _at in some[:NAMED])}
    newest = Newest(page, *some[0])
    return [Finding(title, advice, page, filters, len(some), newest, is_urgent)]
