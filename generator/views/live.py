"""The event stream of a team: ids of generations that moved, never content."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import Http404, HttpRequest, StreamingHttpResponse

from generator.live import LOOK, watch
from generator.models import Membership

LOOK_AGAIN = 60  # seconds until membership is read anew


async def live(request: HttpRequest, team: str) -> StreamingHttpResponse:
    """Events `moved`, the data a generation's id as JSON, for as long as one is a member."""
    watched = await _team_watched(request, team)
    if watched is None:
        raise Http404
    answer = StreamingHttpResponse(
        _while_member(request, team, watched), content_type="text/event-stream"
    )
    answer["Cache-Control"] = "no-cache"
    answer["X-Accel-Buffering"] = "no"  # a proxy that waits for more would hold every event back
    return answer


async def _while_member(request: HttpRequest, slug: str, watched: int) -> AsyncIterator[str]:
    now = asyncio.get_running_loop().time
    next_look = now() + LOOK_AGAIN
    yield ": here\n\n"  # the browser learns at once that the stream is open
    async with aclosing(watch.lines(watched)) as lines:
        async for line in lines:
            if line == LOOK or now() >= next_look:
                if await _team_watched(request, slug) is None:
                    return
                next_look = now() + LOOK_AGAIN
            yield line


@sync_to_async
def _team_watched(request: HttpRequest, slug: str) -> int | None:
    """The team's key, if this session's user is still in it. Holds no connection afterwards."""
    try:
        session = request.session
        if not session.session_key or not session.exists(session.session_key):
            return None
        membership = Membership.objects.filter(
            team__slug=slug, user=request.user.pk, user__is_active=True
        ).first()
        return membership.team_id if membership else None
    finally:
        # An open stream would hold a connection of its own for as long as the page is open.
        if not connection.in_atomic_block:
            connection.close()
