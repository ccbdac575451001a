"""A whole studio, started as a person starts it, on free ports and a data folder of its own."""

import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.services.servers import ROOT, free_port, until

SETTINGS = re.findall(r"^#([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)


class Up:
    """A running `manage.py up`."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.port = free_port()
        inherited = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        self.environment = {
            **inherited,
            "STUDIO_DATA": str(self.data),
            "STUDIO_PORT": str(self.port),
        }
        self.printed = folder / "printed"
        with self.printed.open("wb") as printed:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"], cwd=ROOT, env=self.environment,
                stdout=printed, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def said(self) -> str:
        """All it printed until now."""
        return self.printed.read_text()

    def wait_until_ready(self) -> None:
        """Raises AssertionError if it ends or never says that it is ready."""
        until(self._ready_or_over, patience=90, what="a studio")
        assert self.process.poll() is None, self.said()

    def _ready_or_over(self) -> bool:
        return "Ctrl-C ends it." in self.said() or self.process.poll() is not None

    def processes(self) -> dict[int, str]:
        """Whatever runs for this studio, `up` itself too: their commands."""
        mark = f"STUDIO_DATA={self.data}\0".encode()
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes():
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found[int(entry.name)] = command
            except OSError:  # it ended meanwhile
                continue
        return {pid: command for pid, command in found.items() if command}

    def process_of(self, words: str) -> int:
        """The process that was started with these words."""
        return next(pid for pid, command in self.processes().items() if words in command)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run something with the two variables that name this studio."""
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip

    def stop(self) -> None:
        """End what is left."""
        self.process.kill()
        self.process.wait()
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A studio that is ready."""
    yield from _started(tmp_path_factory.mktemp("up"))


@pytest.fixture
def another(tmp_path: Path) -> Iterator[Up]:
    """A studio of one test, that may end it."""
    yield from _started(tmp_path)


def _started(folder: Path) -> Iterator[Up]:
    studio = Up(folder)
    try:
        studio.wait_until_ready()
        yield studio
    finally:
        studio.stop()


def test_a_new_user_sees_an_address_three_sign_ins_and_the_sandbox(up: Up) -> None:
    assert up.said().startswith(f"Comet Studio is ready: http://localhost:{up.port}\n")
    assert len(re.findall(r"@northlight\.example  +[a-z-]{16,}\n", up.said())) == 3
    assert "Gateway  sandbox" in up.said()
    assert len(up.said().splitlines()) < 15


def test_a_studio_that_says_it_is_ready_is(up: Up) -> None:
    reply = httpx.get(f"http://localhost:{up.port}/readyz")
    assert (reply.status_code, reply.json()["missing"]) == (200, [])


def test_all_a_studio_keeps_is_its_owners_alone(up: Up) -> None:
    kept = [up.data, *up.data.rglob("*")]
    assert len(kept) > 8
    open_to_others = [path for path in kept if stat.S_IMODE(path.lstat().st_mode) & 0o077]
    assert open_to_others == []


def generate(studio: Up, *options: str) -> subprocess.CompletedProcess[str]:
    """Make an image from a shell, in the studio that runs."""
    if not (ROOT / ".venv/requirements.txt.stamp").exists():
        pytest.skip("the script would make .venv anew: it was not made by ./studio")
    return studio.run(
        "./studio", "manage", "generate", "a teapot", "--model", "dall-e-2",
        "--as", "member@northlight.example", *options,
    )  # fmt: skip


def test_a_shell_makes_an_image_in_the_studio_that_runs(up: Up) -> None:
    ended = generate(up, "--wait")
    assert ended.returncode == 0, ended.stderr
    assert re.fullmatch(rf"http://localhost:{up.port}/t/\w+/images/[0-9a-f-]+/\n", ended.stdout)


def test_a_second_studio_on_the_same_data_is_refused_in_a_line(up: Up) -> None:
    ended = up.run(sys.executable, "manage.py", "up")
    assert ended.returncode == 1
    assert f"already running on {up.data}, at http://localhost:{up.port}" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_nonsense_in_a_variable_is_refused_in_a_line(up: Up) -> None:
    up.environment["STUDIO_AT_ONCE"] = "many"
    ended = up.run(sys.executable, "manage.py", "up")
    del up.environment["STUDIO_AT_ONCE"]
    assert (ended.returncode, ended.stderr) == (
        1,
        "studio: STUDIO_AT_ONCE is 'many': write a whole number.\n",
    )


def test_a_signal_ends_all_of_it_within_seconds_and_well(another: Up) -> None:
    another.process.send_signal(signal.SIGTERM)
    assert another.process.wait(10) == 0
    assert another.processes() == {}
    assert not (another.data / "running.env").exists()
    assert not (another.data / "valkey.sock").exists()


def status_of_the_one(studio: Up) -> str:
    """Where the only generation stands, read from the file: nothing else may run any more."""
    with closing(sqlite3.connect(studio.data / "studio.sqlite3", timeout=10)) as database:
        return str(database.execute("SELECT status FROM generator_generation").fetchone()[0])


def test_a_call_that_was_made_is_finished_before_the_studio_ends(another: Up) -> None:
    assert generate(another).returncode == 0
    until(lambda: status_of_the_one(another) == "submitting", what="the call")
    another.process.send_signal(signal.SIGTERM)
    assert another.process.wait(10) == 0
    assert status_of_the_one(another) == "succeeded"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of the killed")
def test_nothing_outlives_a_studio_that_is_killed(another: Up) -> None:
    assert len(another.processes()) > 5
    another.process.kill()
    another.process.wait()
    until(lambda: not another.processes(), patience=5, what="the end of all")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc to find the worker")
def test_a_process_that_dies_is_named_and_the_others_end(another: Up) -> None:
    os.kill(another.process_of("manage.py worker --skip"), signal.SIGKILL)
    assert another.process.wait(15) == 1
    assert "studio: worker ended by itself (SIGKILL)." in another.said()
    assert str(another.data / "logs/worker.log") in another.said()
    assert another.processes() == {}
