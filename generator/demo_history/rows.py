"""One generation of a made-up history after the other, with its images and what was answered."""

import uuid
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from generator.demo_history.orders import Menu, Order, count_of
from generator.demo_history.paintings import Gallery
from generator.demo_history.people import Seat
from generator.demo_history.words import ANSWERS, CHANGES, FAILURES, SUBJECTS, prompt
from generator.models import Action, Generation, ImageAsset, KeptReply, Status, Step
from generator.models.replies import KEPT_FOR
from generator.providers import POLLING_ADAPTERS

_CANCELLED = 1.5  # of a hundred
_BAD_WEEK = timedelta(days=7)  # in which the last of the liked models often fails
_GRID = 4  # images that Midjourney makes of one order
_GRIDS = frozenset({Action.CREATE, Action.VARY, Action.REROLL, Action.ZOOM, Action.PAN})


@dataclass
class Made:
    """A generation and what hangs on it."""

    generation: Generation
    images: list[ImageAsset] = field(default_factory=list)
    replies: list[KeptReply] = field(default_factory=list)


@dataclass
class Maker:
    """Makes the rows; remembers what may be gone on from."""

    rng: Random
    gallery: Gallery
    now: datetime
    bad_model: str
    _last: dict[tuple[int, str], deque[uuid.UUID]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=20))
    )

    def ended(self, seat: Seat, menu: Menu, at: datetime, *, room: int) -> Iterator[Made]:
        """What one press of the button made: one, or (if there is room) two models side by side."""
        order, batch = menu.pick(self.rng), self._key(at)
        parent = self._parent(seat, order)
        if parent is None and order.rule.starts_from == "button":
            order = menu.pick_of(self.rng, Action.CREATE)
        subject = self.rng.randrange(len(SUBJECTS))
        words = self._words(order, subject)
        yield self._end(self._begin(seat, order, at, words, batch, parent), seat, order, subject)
        if order.action == Action.CREATE and room > 1 and self.rng.random() < 0.06:
            other = menu.pick_of(self.rng, Action.CREATE)
            at += timedelta(milliseconds=40)
            second = self._begin(seat, other, at, self._words(other, subject, words), batch, None)
            yield self._end(second, seat, other, subject)

    def open(self, seat: Seat, menu: Menu, at: datetime, status: Status, facts: Any) -> Made:
        """One that has not ended."""
        order = menu.pick_of(self.rng, Action.CREATE)
        tasks = [one for one in menu.orders[Action.CREATE] if one.rule.protocol in POLLING_ADAPTERS]
        if status == Status.RUNNING and tasks:  # others are never left alone with their provider
            order = self.rng.choice(tasks)
        words = self._words(order, self.rng.randrange(len(SUBJECTS)))
        generation = self._begin(seat, order, at, words, self._key(at), None)
        generation.status = status
        generation.started_at = None if status == Status.QUEUED else at + timedelta(seconds=1)
        for name, value in facts.items():
            setattr(generation, name, value)
        return Made(generation)

    def _key(self, at: datetime) -> uuid.UUID:
        """Keys that grow with time, as version 7 has them: rows made together lie together."""
        moment = int(at.timestamp() * 1000) << 80
        return uuid.UUID(int=moment | 0x7 << 76 | 0b10 << 62 | self.rng.getrandbits(62)
                         | self.rng.getrandbits(12) << 64)  # fmt: skip

    def _parent(self, seat: Seat, order: Order) -> uuid.UUID | None:
        if order.action in {Action.CREATE, Action.BLEND, Action.DESCRIBE}:
            return None
        family = order.entry.family if order.rule.starts_from == "button" else ""
        there = self._last[seat.team.pk, family]
        return self.rng.choice(there) if there else None

    def _words(self, order: Order, subject: int, said: str = "") -> str:
        if order.rule.prompt == "none":
            return ""
        if said:
            return said
        if order.action == Action.EDIT:
            change = self.rng.choice(CHANGES)
            return change[:1].upper() + change[1:]
        return prompt(self.rng, subject)

    def _begin(
        self, seat: Seat, order: Order, at: datetime, words: str, batch: uuid.UUID,
        parent: uuid.UUID | None,
    ) -> Generation:  # fmt: skip
        count = count_of(self.rng, order)
        return Generation(
            id=self._key(at), batch=batch, team_id=seat.team.pk, author_id=seat.user.pk,
            prompt=words, count=count, price=order.prices[count], created_at=at, due_at=at,
            parent_id=parent, parent_position=0 if parent else None, **order.copied(),
        )  # fmt: skip

    def _end(self, generation: Generation, seat: Seat, order: Order, subject: int) -> Made:
        rng, made = self.rng, Made(generation)
        waited = rng.expovariate(1 / 2.5)
        if rng.random() * 100 < _CANCELLED:
            generation.status = Status.CANCELLED
            generation.finished_at = generation.created_at + timedelta(seconds=waited + 3)
            return made
        generation.attempts = 1
        generation.started_at = generation.created_at + timedelta(seconds=waited)
        took = timedelta(seconds=order.rule.usual_seconds * rng.lognormvariate(0, 0.35))
        generation.finished_at = min(generation.started_at + took, self.now)
        generation.request_id = f"req_{rng.getrandbits(64):016x}"
        if rng.random() * 100 < self._failing(generation, order):
            self._fail(made)
        else:
            self._succeed(made, seat, order, subject)
        return made

    def _failing(self, generation: Generation, order: Order) -> float:
        lately = self.now - generation.created_at < _BAD_WEEK
        bad = order.entry.wire_model == self.bad_model and lately
        return 38.0 if bad else order.failing

    def _fail(self, made: Made) -> None:
        generation = made.generation
        failure = self.rng.choices(FAILURES, [one.often for one in FAILURES])[0]
        generation.status = Status.FAILED
        generation.reason, generation.reason_code = failure.reason, failure.code
        generation.attempts = 5 if failure.code == "busy" else 1
        at = generation.finished_at or generation.created_at
        if self.now - at < KEPT_FOR and failure.code != "lost":
            made.replies.append(
                KeptReply(
                    generation=generation, step=Step.SUBMIT, status=failure.status, at=at,
                    seconds=round(self.rng.uniform(0.3, 30), 2), text=failure.reply,
                    request_id=generation.request_id if failure.status else "",
                )
            )  # fmt: skip

    def _succeed(self, made: Made, seat: Seat, order: Order, subject: int) -> None:
        generation, rng = made.generation, self.rng
        generation.status = Status.SUCCEEDED
        if order.rule.answer == "text":
            generation.texts = [rng.choice(ANSWERS)]
            generation.cost = generation.price
            return
        count = generation.count
        if count > 1 and rng.random() < 0.03:
            count -= 1
            generation.failed_members = 1
        elif generation.provider == "Midjourney" and generation.action in _GRIDS:
            count = _GRID
        generation.cost = generation.price * min(count, generation.count) // generation.count
        if order.basis.get("kind") in {"tokens", "megapixel"}:
            generation.cost = round(generation.cost * rng.uniform(0.82, 1.04))
        made.images = [self._image(made.generation, place, subject) for place in range(count)]
        for family in ("", order.entry.family):
            self._last[seat.team.pk, family].append(generation.pk)

    def _image(self, generation: Generation, position: int, subject: int) -> ImageAsset:
        painting, at = self.gallery.show(self.rng, subject), generation.finished_at
        assert at
        return ImageAsset(
            id=self._key(at), generation=generation, team_id=generation.team_id, position=position,
            file=painting.key, format="JPEG", extension="jpg", content_type="image/jpeg",
            width=painting.width, height=painting.height, size=painting.size,
            digest=painting.digest, thumbnails_at=at, thumbnail_attempts=1, created_at=at,
        )  # fmt: skip
