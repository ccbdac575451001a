"""The event stream: ids for members, and nothing for anyone else."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import pytest
import redis
from asgiref.sync import async_to_sync, sync_to_async
from django.test import AsyncClient
from django.urls import reverse

from generator.live import CHANNELS, FIRST_PAUSE, LONGEST_PAUSE, Watch, watch
from generator.models import Membership, Team, User
from generator.views import live
from tests.make import make_team, make_user

pytestmark = pytest.mark.django_db


def in_a_loop[**P](test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test; what it asks of the database runs on the test's own thread."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async_to_sync(test)(*args, **kwargs)

    return run


async def signed_in(user: User) -> AsyncClient:
    client = AsyncClient()
    await client.aforce_login(user)
    return client


async def open_stream(client: AsyncClient, team: Team) -> Any:
    return await client.get(reverse("live", args=[team.slug]))


async def read(stream: Any) -> str:
    chunk: bytes = await asyncio.wait_for(anext(stream), 5)
    return chunk.decode()


@in_a_loop
async def test_a_member_is_told_which_generation_moved(team: Team, member: User) -> None:
    answer = await open_stream(await signed_in(member), team)
    assert answer["Content-Type"] == "text/event-stream"
    assert answer["Cache-Control"] == "no-cache"
    assert answer["X-Accel-Buffering"] == "no"
    stream = aiter(answer.streaming_content)
    assert (await read(stream)).startswith(":")
    told = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.05)
    watch._hand_out(f"{CHANNELS}{team.pk + 1}", "another-teams")
    watch._hand_out(f"{CHANNELS}{team.pk}", "ours")
    assert await asyncio.wait_for(told, 5) == b'event: moved\ndata: "ours"\n\n'
    await stream.aclose()


@in_a_loop
async def test_for_all_others_there_is_no_stream(team: Team, member: User) -> None:
    stranger = await signed_in(await sync_to_async(make_user)("stranger"))
    assert (await open_stream(stranger, team)).status_code == 404
    anonymous = await open_stream(AsyncClient(), team)
    assert anonymous.url.startswith(reverse("account_login"))


@pytest.mark.parametrize("end", ["membership", "account", "session"])
@in_a_loop
async def test_a_stream_ends_with_what_allowed_it(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(live, "LOOK_AGAIN", 0)
    client = await signed_in(member)
    stream = aiter((await open_stream(client, team)).streaming_content)
    await read(stream)
    match end:
        case "membership":
            await Membership.objects.filter(user=member).adelete()
        case "account":
            await User.objects.filter(pk=member.pk).aupdate(is_active=False)
        case "session":
            await client.alogout()
    told = asyncio.ensure_future(anext(stream, None))
    await asyncio.sleep(0.05)
    watch._hand_out(f"{CHANNELS}{team.pk}", "one more")
    assert await asyncio.wait_for(told, 5) is None


@in_a_loop
async def test_a_stream_goes_on_while_it_is_allowed(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_AGAIN", 0)
    await sync_to_async(make_team)(member)
    stream = aiter((await open_stream(await signed_in(member), team)).streaming_content)
    await read(stream)
    for line in ("one", "two"):
        told = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.05)
        watch._hand_out(f"{CHANNELS}{team.pk}", line)
        assert line in (await asyncio.wait_for(told, 5)).decode()
    await stream.aclose()


@in_a_loop
async def test_a_team_that_nobody_watches_takes_no_room() -> None:
    fresh = Watch()
    lines = fresh.lines(1)
    told = asyncio.ensure_future(anext(lines))
    await asyncio.sleep(0.05)
    fresh._hand_out(f"{CHANNELS}2", "nobody's")
    assert set(fresh._readers) == {f"{CHANNELS}1"}
    fresh._hand_out(f"{CHANNELS}1", "ours")
    assert "ours" in await asyncio.wait_for(told, 5)
    await lines.aclose()
    assert not fresh._readers


@in_a_loop
async def test_a_queue_that_came_back_is_soon_asked_again(settings: Any) -> None:
    async def brief_queue(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while b"PSUBSCRIBE" not in (said := await reader.read(4096)) and said:
            # One answer a command.
            writer.write(b"+OK\r\n" * said.count(b"*"))
        writer.close()

    server = await asyncio.start_server(brief_queue, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings.REDIS_URL = f"redis://127.0.0.1:{port}?protocol=2"
    once = Watch()
    once._pause = LONGEST_PAUSE
    once._readers["x"] = set()
    async with server:
        with pytest.raises((redis.RedisError, OSError)):
            await asyncio.wait_for(once._relay(), 5)
    assert once._pause == FIRST_PAUSE
