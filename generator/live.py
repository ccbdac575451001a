"""Says "this generation moved" to the pages that watch. Never what moved, only that."""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator
from functools import cache

import redis
import redis.asyncio
from django.conf import settings
from django.db import transaction

from generator.models import Generation

logger = logging.getLogger(__name__)
CHANNELS = "studio:team:"
QUIET = 20  # seconds until a comment line says that the stream is alive
WAITING_LINES = 100  # a reader that is this far behind has gone; it looks again when back


def moved(generation: Generation) -> None:
    """Tell the pages of its team, once the move is committed.

    A queue that is gone costs a line in the log: cards also ask by themselves, slowly.
    """
    channel, line = f"{CHANNELS}{generation.team_id}", str(generation.pk)
    transaction.on_commit(lambda: _publish(channel, line))


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
        self._readers: dict[str, set[asyncio.Queue[str]]] = defaultdict(set)
        self._listener: asyncio.Task[None] | None = None

    async def lines(self, team: int) -> AsyncGenerator[str, None]:
        """Event-stream text for one page, until the page goes away.

        Ids of generations that moved; a comment line after QUIET seconds of silence.
        """
        queue: asyncio.Queue[str] = asyncio.Queue(WAITING_LINES)
        channel = f"{CHANNELS}{team}"
        self._readers[channel].add(queue)
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen())
        try:
            while True:
                try:
                    moved = await asyncio.wait_for(queue.get(), QUIET)
                    yield f"event: moved\ndata: {json.dumps(moved)}\n\n"
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._readers[channel].discard(queue)

    async def _listen(self) -> None:
        pause = 0.5
        while any(self._readers.values()):
            try:
                await self._relay()
            except (redis.RedisError, OSError) as error:
                logger.warning("The live stream lost the queue: %s", type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 10)

    async def _relay(self) -> None:
        client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2)
        async with client, client.pubsub() as pubsub:
            await pubsub.psubscribe(f"{CHANNELS}*")
            while any(self._readers.values()):
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=5)
                if message:
                    self._hand_out(message["channel"].decode(), message["data"].decode())

    def _hand_out(self, channel: str, line: str) -> None:
        for queue in list(self._readers[channel]):
            if not queue.full():
                queue.put_nowait(line)


watch = Watch()
