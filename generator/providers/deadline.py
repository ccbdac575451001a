"""A total deadline for a whole exchange, kept at the socket.

The time-outs of httpx start anew with every byte, so a peer that drips one byte a minute is
never late. Here each read and write of a thread gets what is left of that thread's deadline.
"""

import contextlib
import math
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore

PIECE = 65536  # bytes


class _Ends(threading.local):
    """When this thread's exchange has to be over, on the monotonic clock."""

    at = math.inf


_ends = _Ends()


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give this thread's exchange so many seconds in all."""
    _ends.at = time.monotonic() + seconds
    try:
        yield
    finally:
        _ends.at = math.inf


def _left(timeout: float | None, late: type[Exception]) -> float | None:
    left = _ends.at - time.monotonic()
    if left <= 0:
        raise late("the deadline is over")
    return timeout if left == math.inf else min(left, timeout or left)


class TimedStream(httpcore.NetworkStream):
    """A stream whose reads and writes keep the deadline."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read. Raises httpcore.ReadTimeout when time is over."""
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write. Raises httpcore.WriteTimeout when time is over."""
        # In pieces: below us each send of what remains begins with the whole time-out again.
        for start in range(0, len(buffer), PIECE):
            piece = buffer[start : start + PIECE]
            self._stream.write(piece, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Close."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """The same over TLS. Raises httpcore.ConnectTimeout when time is over."""
        left = _left(timeout, httpcore.ConnectTimeout)
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        """What the stream beneath knows."""
        return self._stream.get_extra_info(info)


class TimedBackend(httpcore.SyncBackend):
    """Opens streams that keep the deadline."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect. Raises httpcore.ConnectTimeout when time is over."""
        left = _left(timeout, httpcore.ConnectTimeout)
        return TimedStream(super().connect_tcp(host, port, left, local_address, socket_options))
