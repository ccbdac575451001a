"""Real sockets that answer as they should not. Each connection is handed to a function."""

import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

type Answer = Callable[[socket.socket, bytes], object]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nimage"
GAP = 0.05  # seconds between the bytes of a drip


class RawServer:
    """Listens on a port of loopback; `requests` are the bytes of every request that came."""

    def __init__(
        self, answer: Answer | bytes, *, address: str = "127.0.0.1", tls: ssl.SSLContext | None
    ) -> None:
        self._answer = answer
        self._tls = tls
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._over = False
        self.requests: list[bytes] = []
        self.connections = 0
        self._listener = socket.socket()
        # Small, so that who reads slowly is felt by who writes.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self._listener.bind((address, 0))
        self._listener.listen(64)
        self.port: int = self._listener.getsockname()[1]
        self.origin = f"http://{address}:{self.port}"
        self._start(self._accept)

    def close(self) -> None:
        """Hang up on everybody."""
        self._over = True
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(timeout=10)

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over:
            with contextlib.suppress(OSError):
                connection, _ = self._listener.accept()
                self._open.append(connection)
                self.connections += 1
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        # Whatever goes wrong here is what the test is about, and seen on the other side.
        with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                stack.callback(connection.close)
            head = _head(connection)
            if head:
                self.requests.append(head)
                if isinstance(self._answer, bytes):
                    _drain(connection, head)
                    connection.sendall(self._answer)
                else:
                    self._answer(connection, head)


def _drain(connection: socket.socket, head: bytes) -> None:
    """Take the rest of a body: who closes with bytes unread takes back what they have sent."""
    start, _, body = head.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", start.lower())
    left = int(length[1]) - len(body) if length else 0
    while left > 0 and (more := connection.recv(65536)):
        left -= len(more)


def _head(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        more = connection.recv(65536)
        if not more:
            break
        head += more
    return head


@contextlib.contextmanager
def serving(
    answer: Answer | bytes = OK, *, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> Iterator[RawServer]:
    """A server for the length of a test; `answer` is called with the connection and the request."""
    server = RawServer(answer, address=address, tls=tls)
    try:
        yield server
    finally:
        server.close()


def reply(body: bytes = b"image", status: str = "200 OK", **headers: str) -> bytes:
    """A whole HTTP answer, closed after it; header names with underscores."""
    named = {name.replace("_", "-"): said for name, said in headers.items()}
    lines = [f"{name}: {said}\r\n" for name, said in named.items()]
    if "content-length" not in named and "transfer-encoding" not in named:
        lines.append(f"content-length: {len(body)}\r\n")
    return f"HTTP/1.1 {status}\r\nconnection: close\r\n{''.join(lines)}\r\n".encode() + body


def redirect(to: str, status: int = 302) -> bytes:
    """A redirect."""
    return reply(b"", f"{status} Elsewhere", location=to)


def dripping(start: bytes) -> Answer:
    """An answer of which all but the start comes a byte at a time, for as long as it is heard."""

    def drip(connection: socket.socket, _head: bytes) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(b"x")
            time.sleep(GAP)

    return drip


def never(connection: socket.socket, _head: bytes) -> None:
    """Hear everything and say nothing."""
    while connection.recv(65536):
        pass


def lasting(answer: bytes) -> Answer:
    """The same answer again and again, on a connection that is kept open."""

    def serve(connection: socket.socket, head: bytes) -> None:
        while head:
            connection.sendall(answer)
            head = _head(connection)

    return serve


def endless(connection: socket.socket, _head: bytes) -> None:
    """A body without end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")
