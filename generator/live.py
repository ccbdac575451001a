"""Says "this generation moved" to the pages that watch. Never what moved, only that."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Iterable
from functools import cache, partial

import redis
import redis.asyncio
from django.conf import settings
from django.db import transaction

from generator.models import Generation

logger = logging.getLogger(__name__)
CHANNELS = "studio:team:"
QUIET = 20  # seconds until a comment line says that the stream is alive
# Said instead of an id: somebody in the team is no member, or not active, any more.
MEMBERS = "members"
LOOK = ": look\n\n"  # what a stream reads then, a comment to the browser
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds before the queue is asked again
WAITING_LINES = 100  # a reader that is this far behind has gone; it looks again when back


def moved(generation: Generation) -> None:
    """Tell the pages of its team, once the move is committed.

    A queue that is gone costs a line in the log: cards also ask by themselves, slowly.
    """
    channel, line = f"{CHANNELS}{generation.team_id}", str(generation.pk)
    transaction.on_commit(lambda: _publish(channel, line))


def membership_changed(teams: Iterable[int]) -> None:
    """Have the open pages of these teams, by primary key, see now whether they still may."""
    for team in teams:
        transaction.on_commit(partial(_publish, f"{CHANNELS}{team}", MEMBERS))


def _publish(channel: str, line: str) -> None:
    try:
        _client().publish(channel, line)
    except redis.RedisError as error:
        logger.warning("No page was told that a generation moved: %s", type(error).__name__)


@cache
def _client() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=5, max_connections=64
    )


class Watch:
    """One subscriber a web process; each open page has a queue of its own here."""

    def __init__(self) -> None:
        self._readers: dict[str, set[asyncio.Queue[str]]] = {}
        self._pause = FIRST_PAUSE
        self._listener: asyncio.Task[None] | None = None

    async def lines(self, team: int) -> AsyncGenerator[str, None]:
        """Event-stream text for one page, until the page goes away.

        Ids of generations that moved; a comment line after QUIET seconds of silence; LOOK when
        the page's membership may be over.
        """
        queue: asyncio.Queue[str] = asyncio.Queue(WAITING_LINES)
        channel = f"{CHANNELS}{team}"
        self._readers.setdefault(channel, set()).add(queue)
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen())
        try:
            while True:
                try:
                    moved = await asyncio.wait_for(queue.get(), QUIET)
                    yield LOOK if moved == MEMBERS else _event(moved)
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._forget(channel, queue)

    def _forget(self, channel: str, queue: asyncio.Queue[str]) -> None:
        self._readers[channel].discard(queue)
        if not self._readers[channel]:
            del self._readers[channel]

    async def _listen(self) -> None:
        while self._readers:
            try:
                await self._relay()
            except (redis.RedisError, OSError) as error:
                logger.warning("The live stream lost the queue: %s", type(error).__name__)
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    async def _relay(self) -> None:
        client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2)
        async with client, client.pubsub() as pubsub:
            await pubsub.psubscribe(f"{CHANNELS}*")
            self._pause = FIRST_PAUSE  # the queue is there again
            while self._readers:
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=5)
                if message:
                    self._hand_out(message["channel"].decode(), message["data"].decode())

    def _hand_out(self, channel: str, line: str) -> None:
        for queue in list(self._readers.get(channel, ())):
            if not queue.full():
                queue.put_nowait(line)


def _event(moved: str) -> str:
    return f"event: moved\ndata: {json.dumps(moved)}\n\n"


watch = Watch()
