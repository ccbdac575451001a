"""Waits until a studio that was just started answers."""

import http.client
import json
import time
from collections.abc import Callable

from generator.management.launch import CannotStart

LOOK_EVERY = 0.05  # seconds
PATIENCE = 90.0  # seconds


def web_address(host: str) -> str:
    """Where to knock, for a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104


def wait_for_studio(host: str, port: int, *, called: str, patience: float = PATIENCE) -> None:
    """Return when `/readyz` answers 200; `called` is a host name that the studio goes by.

    Raises CannotStart, naming what does not answer, when patience (seconds) ends.
    """

    def missing() -> str:
        status, body = _get(web_address(host), port, "/readyz", called)
        return "" if status == 200 else ", ".join(json.loads(body)["missing"])

    _wait(missing, "the web server", patience)


def wait_for_sandbox(address: str, *, patience: float = PATIENCE) -> None:
    """Return when the sandbox at `http://host:port` answers. Raises CannotStart as above."""
    host, _, port = address.removeprefix("http://").rpartition(":")

    def missing() -> str:
        status, _body = _get(host, int(port), "/", "")
        return "" if status == 200 else "the sandbox"

    _wait(missing, "the sandbox", patience)


def _wait(missing: Callable[[], str], what: str, patience: float) -> None:
    end = time.monotonic() + patience
    absent = what
    while time.monotonic() < end:
        try:
            absent = missing()
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            absent = what
        if not absent:
            return
        time.sleep(LOOK_EVERY)
    raise CannotStart(f"No answer within {patience:.0f} s from: {absent}. The logs may say why.")


def _get(host: str, port: int, path: str, called: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": called} if called else {})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()
