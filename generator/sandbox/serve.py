"""The sandbox on real sockets: HTTP/1.1 with keep-alive, a thread for each connection.

A thread that waits costs next to nothing here, so hundreds of slow calls at once are fine.
Bodies without a length go out in chunks; a body shorter than its Content-Length ends with the
connection cut, as does a request that the application answers with `Cut`.
"""

import contextlib
import io
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import unquote
from wsgiref.types import WSGIApplication, WSGIEnvironment

from generator.sandbox.server import Sandbox
from generator.sandbox.wire import Cut

_DRAINED = 64_000_000  # bytes of an unread request body that we still take in, to answer well


@dataclass(frozen=True, slots=True)
class Doors:
    """Both servers of a sandbox, running."""

    gateway: str  # http://host:port
    images: str


@contextlib.contextmanager
def serving(
    sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0, image_port: int = 0
) -> Iterator[Doors]:
    """Serve a sandbox and its images while the block runs; port 0 takes a free one.

    Tells the sandbox where its image host is. Raises `OSError` if a port cannot be had.
    Calls that are still waiting when the block ends are dropped.
    """
    with contextlib.ExitStack() as stack:
        gateway = stack.enter_context(_Server((host, port), sandbox))
        images = stack.enter_context(_Server((host, image_port), sandbox.images))
        sandbox.desk.image_origin = images.origin
        for server in (gateway, images):
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            stack.callback(server.shutdown)
        yield Doors(gateway.origin, images.origin)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], application: WSGIApplication) -> None:
        self.application = application
        super().__init__(address, _Handler)

    @property
    def origin(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def server_bind(self) -> None:
        # Not HTTPServer's: that asks the name service who we are, which can take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave are everyday life here; what is our fault is shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 75
    server: _Server

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The base class looks for do_GET, do_POST and so on: the application knows them all.
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        if "transfer-encoding" in self.headers:
            self._refuse(411)
            return
        length = self.headers.get("Content-Length", "0")
        body = _Body(self.rfile, int(length) if length.isdecimal() else 0)
        head: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: object = None, /
        ) -> Callable[[bytes], object]:
            head.append((status, headers))
            return self.wfile.write

        try:
            pieces = self.server.application(self._environ(body), start_response)
            self._send(*head[0], pieces)
        except Cut:
            self.close_connection = True
        if not body.drain():
            self.close_connection = True

    def _environ(self, body: "_Body") -> WSGIEnvironment:
        path, _, query = self.path.partition("?")
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": self.headers.get("Content-Length", ""),
            "wsgi.input": body,
            "sandbox.may_cut": True,
        }
        for name, value in self.headers.items():
            environ["HTTP_" + name.upper().replace("-", "_")] = value
        return environ

    def _send(self, status: str, headers: list[tuple[str, str]], pieces: Iterable[bytes]) -> None:
        claimed = next((int(v) for k, v in headers if k.lower() == "content-length"), None)
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        if claimed is None:
            lines.append("Transfer-Encoding: chunked")
        pending = "\r\n".join([*lines, "\r\n"]).encode("latin-1")
        if self.command == "HEAD":
            self.wfile.write(pending)
            return
        sent = 0
        for piece in pieces:
            # The head leaves together with the first piece: one packet for a small answer.
            self.wfile.write(pending + (piece if claimed is not None else _chunk(piece)))
            pending = b""
            sent += len(piece)
        if claimed is None:
            self.wfile.write(pending + b"0\r\n\r\n")
        elif sent < claimed:
            self.close_connection = True
        elif pending:
            self.wfile.write(pending)

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        head = f"HTTP/1.1 {status} Length Required\r\nX-Sandbox: 1\r\nContent-Length: 0\r\n"
        self.wfile.write(f"{head}Connection: close\r\n\r\n".encode())

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the log of the sandbox is the one to read."""


class _Body(io.RawIOBase):
    """A request body of known length."""

    def __init__(self, source: Any, length: int) -> None:
        self._source = source
        self._left = length

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, never more than there are."""
        wanted = self._left if size < 0 else min(size, self._left)
        data = cast(bytes, self._source.read(wanted)) if wanted else b""
        self._left -= len(data)
        return data

    def drain(self) -> bool:
        """Take in what was not read, or the client may lose our answer; False if too much."""
        room = _DRAINED
        while self._left and room > 0:
            data = self.read(262_144)
            if not data:
                return False
            room -= len(data)
        return not self._left


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)
