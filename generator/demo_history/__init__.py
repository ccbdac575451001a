"""A made-up history: what people of several teams made in the past six months, and what it cost.

For looking at a studio that is in use, and for the benchmarks. Nothing is asked of any model; the
books agree line by line, as `check_ledger` proves.
"""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, batched
from random import Random

from django.db import transaction
from django.utils import timezone

from generator import noticing
from generator.demo_history.books import BATCH, Books
from generator.demo_history.caps import set_caps
from generator.demo_history.order import keep_order
from generator.demo_history.orders import Menu, menu
from generator.demo_history.paintings import EDGE, Gallery
from generator.demo_history.people import Seat, seats
from generator.demo_history.rhythm import days, moment
from generator.demo_history.rows import Made, Maker
from generator.demo_history.words import REASONS_OF_GRANTS
from generator.models import (
    Generation,
    ImageAsset,
    ImageWords,
    KeptReply,
    Notice,
    QuotaAccount,
    Status,
)

CHUNK = 5000  # generations of one transaction
_GRANTS = 0.03  # of a seat, a day
# What has not ended, with how long ago it began and when its next look is (minutes).
_OPEN: tuple[tuple[Status, int, int, dict[str, object]], ...] = (
    (Status.QUEUED, 3, 240, {"attempts": 2, "note": "limit"}),
    (Status.QUEUED, 2, 240, {"attempts": 1, "note": "busy"}),
    (Status.RUNNING, 4, 240, {"attempts": 1, "progress": 60, "task_id": "demo-1"}),
    (Status.RUNNING, 95, -80, {"attempts": 1, "progress": 12, "task_id": "demo-2"}),
    (Status.STORING, 50, 900, {"attempts": 1, "note": "storage", "storing_attempts": 90}),
)


def fill(
    generations: int,
    *,
    seed: int = 4,
    edge: int = EDGE,
    say: Callable[[int], None] = lambda done: None,
) -> int:
    """Add so many generations to the studio, and say how many ledger lines that made.

    `edge`: the longer side of its images in pixels. `say` is told now and then how many are there.
    The same seed and length makes the same of an empty studio; run again, it adds as many more.
    Raises NotOffered where the catalogue offers nothing.
    """
    before = Generation.objects.count()
    rng = Random(f"{seed}:{generations}:{before}")  # noqa: S311
    history = _History(rng, generations, Gallery(edge))
    lines = 0
    with _uncollected():
        for chunk in batched(history.tell(max(generations - len(_OPEN), 0)), CHUNK, strict=False):
            with transaction.atomic():
                lines += history.write(chunk)
            gc.collect()
            say(history.done)
    with transaction.atomic():
        lines += history.leave_open()
        set_caps(history.seats, rng)
        _tell(history.seats)
        keep_order(history.seats, rng)
    return lines


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without a search for cycles by itself: among so many rows it takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _History:
    """What is being told: who, what they pick from, and the books."""

    def __init__(self, rng: Random, generations: int, gallery: Gallery) -> None:
        self.rng, self.now, self.done = rng, timezone.now(), 0
        with transaction.atomic():
            self.seats = seats(generations, rng)
        whole = menu(rng)
        self.menus: dict[tuple[int, int], Menu] = {
            (seat.team.pk, seat.user.pk): whole.of_a_person(rng) for seat in self.seats
        }
        models = sorted(whole.orders["create"], key=lambda order: -order.liked)
        bad = models[min(12, len(models) - 1)].entry.wire_model
        self.maker = Maker(rng, gallery, self.now, bad)
        self.books = Books()
        self._weights = list(accumulate(seat.weight for seat in self.seats))

    def tell(self, generations: int) -> Iterator[tuple[Seat, date, Made]]:
        """All that ended, in the order in which it began."""
        rng = self.rng
        for ago, many in days(generations, self.now.astimezone(UTC).date(), rng):
            self._grant(ago)
            begun: list[tuple[datetime, int]] = []
            for _ in range(many):
                place = rng.choices(range(len(self.seats)), cum_weights=self._weights)[0]
                begun.append((moment(rng, self._day(place, ago), self.seats[place].zone, self.now),
                              place))  # fmt: skip
            room = many
            for at, place in sorted(begun):
                if room < 1:
                    break
                seat = self.seats[place]
                made = self.maker.ended(seat, self._menu(seat), at, room=room)
                for one in made:
                    room -= 1
                    yield seat, self._day(place, ago), one

    def write(self, chunk: Iterable[tuple[Seat, date, Made]]) -> int:
        """Write these and their lines, in a transaction of the caller's; say how many lines."""
        rows = [made for _seat, _day, made in chunk]
        Generation.objects.bulk_create((one.generation for one in rows), batch_size=BATCH)
        images = [image.fill_in() for one in rows for image in one.images]
        ImageAsset.objects.bulk_create(images, batch_size=BATCH)
        ImageWords.objects.bulk_create(map(ImageWords.of, images), batch_size=BATCH)
        replies = (reply for one in rows for reply in one.replies)
        KeptReply.objects.bulk_create(replies, batch_size=BATCH)
        for seat, day, one in chunk:
            self.books.reserve(seat, one.generation, day)
            if one.generation.is_final:
                self.books.close(seat, one.generation, day, images=len(one.images))
        lines = len(self.books.lines)
        self.books.write()
        self.done += len(rows)
        return lines

    def leave_open(self) -> int:
        """A few that still wait, are under way, stalled, or refused by the storage."""
        chunk = []
        for status, ago, due, facts in _OPEN:
            place = self.rng.randrange(len(self.seats))
            seat, at = self.seats[place], self.now - timedelta(minutes=ago)
            due_at = self.now + timedelta(minutes=due)
            made = self.maker.open(seat, self._menu(seat), at, status, {**facts, "due_at": due_at})
            chunk.append((seat, at.astimezone(seat.zone).date(), made))
        return self.write(chunk)

    def _menu(self, seat: Seat) -> Menu:
        return self.menus[seat.team.pk, seat.user.pk]

    def _day(self, place: int, ago: int) -> date:
        return self.seats[place].today - timedelta(days=ago)

    def _grant(self, ago: int) -> None:
        for place, seat in enumerate(self.seats):
            if self.rng.random() < _GRANTS:
                day = self._day(place, ago)
                self.books.grant(
                    self.rng.choice((seat.account, seat.account, seat.pool)),
                    credits=self.rng.choice((200, 500, 500, 1000, 2500)),
                    day=day, at=moment(self.rng, day, seat.zone, self.now),
                    reason=self.rng.choice(REASONS_OF_GRANTS), by=self.seats[0].user,
                )  # fmt: skip


def _tell(seats: list[Seat]) -> None:
    """What their caps would have told them; nobody gets a letter about a history."""
    since = timezone.now()
    for team in {seat.team.pk: seat.team for seat in seats}.values():
        noticing.tell(team, list(QuotaAccount.objects.filter(team=team)))
    Notice.objects.filter(created_at__gte=since).update(mailed_at=since)


__all__ = ["fill"]
