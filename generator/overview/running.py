"""What goes on now: waiting, under way, workers, the queue, money at the gateway, storage."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Min, QuerySet, Sum
from django.utils import timezone

from generator import balance, jobs
from generator.models import (
    FINAL,
    Ceiling,
    Generation,
    ImageAsset,
    ReferenceImage,
    Status,
    WorkerSeen,
)
from generator.models.ceilings import STUDIO

ALIVE_WITHIN = timedelta(seconds=30)
STORAGE_KEPT_FOR = 600  # seconds
# Named one by one, so that the database walks its index by status; "none of the final ones"
# would read the whole table.
UNFINISHED = [status for status in Status if status not in FINAL]

_STORAGE = "overview-storage"


@dataclass(frozen=True, slots=True)
class Now:
    """What waits, what is under way, and what of that is `kept`, no more made: the images are
    there, and wait for the storage. Credits held for all of it."""

    waiting: int
    under_way: int
    kept: int
    oldest_waiting: datetime | None
    reserved: int


@dataclass(frozen=True, slots=True)
class Machinery:
    """Whether anybody works: workers seen lately, whether the queue answers, lowered ceilings."""

    workers: int
    queue_answers: bool
    ceilings: list[Ceiling]

    @property
    def is_fine(self) -> bool:
        """Whether nothing of it is missing."""
        return self.workers > 0 and self.queue_answers


@dataclass(frozen=True, slots=True)
class Money:
    """What is left at the gateway, in dollars, against what is held here, in credits and dollars.

    `left` is None where the account has no limit, or (not `is_known`) nobody could say.
    """

    is_known: bool
    left: Decimal | None
    used: Decimal | None
    reserved: int
    reserved_dollars: Decimal

    @property
    def is_short(self) -> bool:
        """Whether less is left than what is held for generations that are on their way."""
        return self.left is not None and self.left < self.reserved_dollars


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes of what is stored, as of a moment."""

    images: int
    references: int
    counted_at: datetime

    @property
    def total(self) -> int:
        """All of it."""
        return self.images + self.references


def now() -> Now:
    """What waits and what is under way, in one query over the unfinished."""
    rows = (
        Generation.objects.filter(status__in=UNFINISHED)
        .order_by()
        .values("status")
        .annotate(many=Count("pk"), held=Sum("price"), oldest=Min("created_at"))
    )
    found = {row["status"]: (row["many"], row["held"], row["oldest"]) for row in rows}
    waiting, _held, oldest = found.get(Status.QUEUED, (0, 0, None))
    return Now(
        waiting=waiting,
        under_way=sum(many for many, _held, _oldest in found.values()) - waiting,
        kept=found.get(Status.STORING, (0, 0, None))[0],
        oldest_waiting=oldest,
        reserved=sum(held for _many, held, _oldest in found.values()),
    )


def machinery() -> Machinery:
    """Who works, and how much at once. A queue that is away is waited for two seconds at most."""
    alive = WorkerSeen.objects.filter(seen_at__gte=timezone.now() - ALIVE_WITHIN)
    return Machinery(
        workers=alive.count(),
        queue_answers=jobs.queue_answers(),
        # Those of the whole studio first.
        ceilings=sorted(
            (ceiling for ceiling in Ceiling.objects.all() if ceiling.now < ceiling.most),
            key=lambda ceiling: (ceiling.name != STUDIO, ceiling.name),
        ),
    )


def money(reserved: int) -> Money:
    """The gateway's balance, some minutes old, against so many credits held."""
    found = balance.kept(jobs.open_gateway)
    return Money(
        is_known=found is not None,
        left=found.left if found else None,
        used=found.used if found else None,
        reserved=reserved,
        reserved_dollars=Decimal(reserved) / settings.CREDITS_PER_DOLLAR,
    )


def storage() -> Storage:
    """The bytes stored, as of at most ten minutes ago: adding up all of them takes a while."""
    found: tuple[int, int, datetime] | None = cache.get(_STORAGE)
    if found is None:
        found = (
            _bytes(ImageAsset.objects.order_by()),
            # A reference that stands for an image of the library has no bytes of its own.
            _bytes(ReferenceImage.objects.order_by().filter(asset=None)),
            timezone.now(),
        )
        cache.set(_STORAGE, found, STORAGE_KEPT_FOR)
    return Storage(*found)


def _bytes(rows: QuerySet[ImageAsset] | QuerySet[ReferenceImage]) -> int:
    return rows.aggregate(sum=Sum("size"))["sum"] or 0
