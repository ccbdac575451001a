"""What `./studio` finds out before anything runs, and what it tells the processes."""

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from honcho.printer import Message

from generator.management.launch import CannotStart, checks, plan, ready, running
from generator.management.launch.chatter import LAST, Chatter

ROOT = Path(__file__).resolve().parents[1]
PROCFILE = (ROOT / "Procfile").read_text()
NOBODY = 65534


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# ── The data folder ──


def test_a_data_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    checks.usable_folder(tmp_path / "new" / "data")
    assert mode(tmp_path / "new" / "data") == 0o700


def test_a_data_folder_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    checks.usable_folder(tmp_path)
    assert mode(tmp_path) == 0o700


def test_looking_leaves_nothing_in_the_data_folder(tmp_path: Path) -> None:
    checks.usable_folder(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", [".", "below"])
def test_a_file_where_the_data_folder_should_be_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(CannotStart, match=r"data.* is not a folder.*STUDIO_DATA="):
        checks.usable_folder(tmp_path / "data" / below)


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A folder of somebody without rights, and us as that somebody: root may write anywhere."""
    folder = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    if root:
        os.chown(folder, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, 0)
    yield folder
    if root:
        os.setresuid(0, 0, 0)
    folder.chmod(0o700)
    shutil.rmtree(folder)


@pytest.mark.parametrize("closed", [0o000, 0o500])
def test_a_folder_one_may_not_write_in_is_named(as_nobody: Path, closed: int) -> None:
    as_nobody.chmod(closed)
    with pytest.raises(CannotStart, match=r"You may not write in .*data.*STUDIO_DATA="):
        checks.usable_folder(as_nobody / "data")


def test_a_database_of_somebody_else_is_named(as_nobody: Path) -> None:
    (as_nobody / "studio.sqlite3").touch(mode=0o000)
    with pytest.raises(CannotStart, match=r"studio\.sqlite3 is closed to you"):
        checks.usable_folder(as_nobody)


def test_a_disk_that_is_all_but_full_is_said_with_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "LEAST_FREE", 10**21)
    with pytest.raises(CannotStart, match=r"has \d+ MB left: free some"):
        checks.usable_folder(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full")
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: full.open("wb", buffering=0))
    with pytest.raises(CannotStart, match=r"The disk of .* is full: free some space"):
        checks.usable_folder(tmp_path)


def test_a_second_studio_on_one_data_folder_is_told_where_the_first_is(tmp_path: Path) -> None:
    with (
        checks.lock(tmp_path),
        running.noted(tmp_path, {"STUDIO_PORT": "8123"}),
        pytest.raises(CannotStart, match=r"already running on .* at http://localhost:8123: end"),
    ):
        checks.lock(tmp_path)


def test_a_data_folder_is_free_again_after_its_studio(tmp_path: Path) -> None:
    checks.lock(tmp_path).close()
    checks.lock(tmp_path).close()


# ── Ports ──


@pytest.fixture(params=["127.0.0.1", "0.0.0.0", "::1"])
def taken(request: pytest.FixtureRequest) -> Iterator[int]:
    """A port that somebody listens on, here or there."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    try:
        door = socket.create_server((request.param, 0), family=family)
    except OSError:
        pytest.skip(f"this machine has no {request.param}")
    with door:
        yield int(door.getsockname()[1])


def test_a_port_that_localhost_is_answered_on_is_taken(taken: int) -> None:
    with pytest.raises(CannotStart, match=rf"Port {taken} is taken.*STUDIO_PORT=\d+ \./studio"):
        checks.free_to_listen("127.0.0.1", taken)


def test_free_ports_are_free_and_differ() -> None:
    ports = checks.free_ports(5)
    assert len(set(ports)) == 5
    for port in ports:
        checks.free_to_listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_ours_is_named(host: str) -> None:
    with pytest.raises(CannotStart, match=rf"no address {host}: set STUDIO_HOST"):
        checks.free_to_listen(host, 8000)


# ── The plan ──


def make_plan(tmp_path: Path, **given: str) -> plan.Plan:
    return plan.make_plan(PROCFILE, {"PATH": "/bin", **given}, data=tmp_path, port=8123)


def test_with_nothing_set_there_is_a_sandbox_and_a_valkey(tmp_path: Path) -> None:
    made = make_plan(tmp_path)
    assert set(made.commands) == {"sandbox", "valkey", "web", "worker", "pictures"}
    assert made.environment["STUDIO_SANDBOX"] == "1"
    assert made.environment["REDIS_URL"].startswith("unix:///")
    assert made.sandbox == made.environment["COMETAPI_BASE_URL"]


def test_a_key_means_the_real_gateway(tmp_path: Path) -> None:
    made = make_plan(tmp_path, COMETAPI_KEY="sk-real")
    assert made.sandbox is None
    assert "sandbox" not in made.commands
    assert "STUDIO_SANDBOX" not in made.environment


def test_a_queue_that_is_named_means_no_valkey_of_our_own(tmp_path: Path) -> None:
    made = make_plan(tmp_path, REDIS_URL="redis://queue.example")
    assert "valkey" not in made.commands
    assert made.environment["REDIS_URL"] == "redis://queue.example"


def test_the_real_key_never_leaves_for_the_note(tmp_path: Path) -> None:
    assert "sk-real" not in str(make_plan(tmp_path, COMETAPI_KEY="sk-real").outside())
    assert make_plan(tmp_path).outside()["COMETAPI_KEY"].startswith("sk-sandbox-")


def test_a_gateway_without_a_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="COMETAPI_BASE_URL is set without COMETAPI_KEY"):
        make_plan(tmp_path, COMETAPI_BASE_URL="https://gateway.example")


def test_processes_run_the_python_that_runs_us(tmp_path: Path) -> None:
    assert make_plan(tmp_path).environment["PATH"].split(":")[0] == str(Path(sys.executable).parent)


def test_the_address_of_the_queue_bears_any_name_of_a_folder(tmp_path: Path) -> None:
    data = tmp_path / "a #1%20?"
    data.mkdir()
    assert make_plan(data).environment["REDIS_URL"].endswith("/a%20%231%2520%3F/valkey.sock")


def test_a_socket_whose_path_would_be_too_long_lies_in_a_short_private_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    deep = tmp_path / ("x" * 120)
    found = plan.socket_path(deep)
    assert found.parent.parent == tmp_path
    assert mode(found.parent) == 0o700
    assert plan.socket_path(deep) == found
    assert plan.socket_path(tmp_path / ("y" * 120)) != found


def test_a_short_private_folder_that_others_can_enter_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    deep = tmp_path / ("x" * 120)
    plan.socket_path(deep).parent.chmod(0o755)
    with pytest.raises(CannotStart, match="is not yours alone"):
        plan.socket_path(deep)


# ── The note, the logs, the wait ──


def test_the_note_of_a_running_studio_is_its_owners_and_goes_with_it(tmp_path: Path) -> None:
    note = tmp_path / running.NAME
    with running.noted(tmp_path, {"REDIS_URL": "unix:///x"}):
        assert mode(note) == 0o600
        assert note.read_text().splitlines() == [
            f"STUDIO_PROCESS={os.getpid()}",
            "REDIS_URL=unix:///x",
        ]
    assert not note.exists()


def say(chatter: Chatter, text: str, *, name: str = "web") -> None:
    chatter.write(
        Message(type="line", data=f"{text}\n".encode(), time=datetime.now(), name=name, colour=None)
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("INFO generator.jobs: all is well", False),
        ("WARNING generator.jobs: The queue is away.", True),
        ("ERROR django.request: Internal Server Error: /x", True),
        ("WARNING django.request: Not Found: /favicon.ico", False),
        ("ERROR django.request: Service Unavailable: /readyz", False),
        ("a WARNING in the middle", False),
    ],
)
def test_the_terminal_shows_what_needs_eyes_and_the_log_has_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, shown: bool
) -> None:
    with Chatter(tmp_path) as chatter:
        say(chatter, text)
    assert (f"web │ {text}" in capsys.readouterr().out) is shown
    assert chatter.log_of("web").read_text().endswith(f" {text}\n")


def test_last_words_are_the_last_lines_that_say_something(tmp_path: Path) -> None:
    with Chatter(tmp_path) as chatter:
        for text in [*(f"line {number}" for number in range(20)), " "]:
            say(chatter, text)
    assert chatter.last_words("web") == [f"line {n}" for n in range(20 - LAST + 1, 20)]
    assert chatter.last_words("worker") == []


def test_waiting_ends_with_the_name_of_what_does_not_answer() -> None:
    port = checks.free_ports(1)[0]
    with pytest.raises(CannotStart, match="from: the web server"):
        ready.wait_for_studio("127.0.0.1", port, called="localhost", patience=0.2)


def test_every_variable_of_the_settings_is_explained() -> None:
    explained = (ROOT / ".env.example").read_text()
    read = re.findall(r'env\.\w+\(\s*"([A-Z0-9_]+)"', (ROOT / "comet_site/settings.py").read_text())
    assert len(read) > 30
    assert [name for name in read if f"\n#{name}=" not in explained] == []


# ── The script ──


def studio(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of the script, in a folder where it must not reach any package."""
    return subprocess.run(
        [cwd / "studio", *arguments],
        env={"HOME": str(cwd), "PATH": os.defpath, **environment},
        cwd="/", capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with a space in its name, a copy of the script, and a .venv that prints."""
    folder = tmp_path / "a clone"
    (folder / ".venv/bin").mkdir(parents=True)
    for name in ("studio", "requirements.txt"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / "studio").chmod(0o755)
    python = folder / ".venv/bin/python"
    # Runs for the script's own question whether it does; for all else it says what it was told.
    python.write_text(
        '#!/bin/sh\n[ "$1" = -c ] && exit 0\nprintf "%s|" "$@" "$PWD" "$STUDIO_DATA" "$REDIS_URL"\n'
    )
    python.chmod(0o755)
    sum_of_it = subprocess.run(
        ["cksum"], input=(folder / "requirements.txt").read_bytes(), capture_output=True, check=True
    )
    (folder / ".venv/requirements.txt.stamp").write_bytes(sum_of_it.stdout)
    return folder


def test_a_machine_without_a_new_enough_python_is_told_what_to_install(clone: Path) -> None:
    (clone / ".venv/requirements.txt.stamp").unlink()
    (clone / "bin").mkdir()
    for tool in ("sh", "dirname", "readlink", "cat", "ls", "ln", "rm", "cksum", "tail", "sleep"):
        (clone / "bin" / tool).symlink_to(subprocess.getoutput(f"command -v {tool}"))
    ended = studio("up", cwd=clone, PATH=str(clone / "bin"))
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "no Python 3.12 or newer here: install one" in ended.stderr
    assert not (clone / ".venv-lock").is_symlink()


def test_a_python_that_is_named_and_does_not_run_is_refused(clone: Path) -> None:
    (clone / ".venv/requirements.txt.stamp").unlink()
    ended = studio("up", cwd=clone, PYTHON="/no/such/python")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "PYTHON=/no/such/python is no Python 3.12 or newer" in ended.stderr


def test_what_the_requirements_ask_for_is_there_so_nothing_is_installed(clone: Path) -> None:
    ended = studio(cwd=clone, STUDIO_DATA="/data")
    assert (ended.stdout, ended.stderr) == (f"manage.py|up|{clone}|/data||", "")


def test_a_data_folder_is_meant_from_where_the_caller_is(clone: Path) -> None:
    assert "|//some/data|" in studio("manage", "x", cwd=clone, STUDIO_DATA="some/data").stdout


def leave_note(clone: Path, process: int) -> None:
    (clone / "var").mkdir()
    (clone / "var/running.env").write_text(
        f"STUDIO_PROCESS={process}\nREDIS_URL=unix:///a b$(touch {clone}/harm)`id`\nPATH;x=1\n"
    )


def test_manage_learns_from_the_note_and_runs_nothing_of_it(clone: Path) -> None:
    leave_note(clone, os.getpid())
    ended = studio("manage", "check", cwd=clone, REDIS_URL="redis://other")
    assert ended.stdout.endswith(f"|unix:///a b$(touch {clone}/harm)`id`|")
    assert not (clone / "harm").exists()


def test_the_note_of_a_studio_that_was_killed_counts_for_nothing(clone: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    leave_note(clone, gone.pid)
    assert studio("manage", "check", cwd=clone).stdout.endswith("||")


def test_a_file_of_variables_is_read_and_gives_way_to_the_environment(clone: Path) -> None:
    (clone / ".env").write_text("# a remark\nSTUDIO_DATA='/from file'\nREDIS_URL=redis://file\n")
    ended = studio("up", cwd=clone, REDIS_URL="redis://environment")
    assert ended.stdout.endswith("|/from file|redis://environment|")


def test_an_unknown_command_shows_what_there_is(clone: Path) -> None:
    ended = studio("fly", cwd=clone)
    assert ended.returncode == 2
    assert "./studio check" in ended.stderr
