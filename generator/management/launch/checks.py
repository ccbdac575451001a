"""What must be so before anything starts. Plain Python: no Django, no settings."""

import errno
import fcntl
import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import IO

from generator.management.launch import CannotStart

LEAST_FREE = 200_000_000  # bytes
OTHER_FOLDER = "choose another folder with STUDIO_DATA=…"


def usable_folder(data: Path) -> None:
    """Make the data folder if it is missing, private to its owner, and try to write in it.

    Raises CannotStart where it cannot be used, or its disk is all but full.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        data.chmod(0o700)
        with tempfile.TemporaryFile(dir=data) as file:
            file.write(bytes(4096))
        kept = list(data.iterdir())
    except OSError as error:
        raise CannotStart(_of_folder(data, error)) from error
    for path in kept:
        if not os.access(path, os.R_OK | os.W_OK):
            raise CannotStart(f"{path} is closed to you: make it yours (chown), or {OTHER_FOLDER}.")
    free = shutil.disk_usage(data).free
    if free < LEAST_FREE:
        raise CannotStart(
            f"The disk of {data} has {free // 1_000_000} MB left: free some, "
            f"{LEAST_FREE // 1_000_000} MB at least, or {OTHER_FOLDER}."
        )


def _of_folder(data: Path, error: OSError) -> str:
    match error.errno:
        case errno.EEXIST | errno.ENOTDIR:
            return (
                f"{data} is not a folder, or lies under a file: move that away, or {OTHER_FOLDER}."
            )
        case errno.EACCES | errno.EPERM:
            return f"You may not write in the data folder {data}: make it yours, or {OTHER_FOLDER}."
        case errno.EROFS:
            return f"The disk of the data folder {data} is read-only: {OTHER_FOLDER}."
        case errno.ENOSPC | errno.EDQUOT:
            return f"The disk of {data} is full: free some space, or {OTHER_FOLDER}."
        case _:
            return f"The data folder {data} cannot be used ({error.strerror}): {OTHER_FOLDER}."


def lock(data: Path) -> IO[str]:
    """Take the data folder for this process, for as long as the returned file stays open.

    Raises CannotStart while another studio has it.
    """
    file = (data / "studio.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise CannotStart(
            f"A studio is already running on {data}{_where(data)}: "
            f"end that one, or {OTHER_FOLDER} and another STUDIO_PORT."
        ) from error
    return file


def _where(data: Path) -> str:
    try:
        lines = (data / "running.env").read_text().splitlines()
    except OSError:
        return ""
    port = dict(line.partition("=")[::2] for line in lines).get("STUDIO_PORT")
    return f", at http://localhost:{port}" if port else ""


def free_to_listen(host: str, port: int) -> None:
    """Raises CannotStart where the web server could not listen, or somebody else would be met."""
    try:
        family, _kind, _protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(address)
    except OSError as error:
        raise CannotStart(_of_port(host, port, error)) from error
    if host == "127.0.0.1" and _answers_at("::1", port):
        # Browsers try the second of localhost's two addresses first.
        raise CannotStart(_busy(port))


def _of_port(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return _busy(port)
        case errno.EACCES | errno.EPERM:
            return f"Port {port} is for administrators: choose one above 1023, {_other_port(8000)}."
        case _:
            return f"This machine has no address {host}: set STUDIO_HOST=127.0.0.1."


def _busy(port: int) -> str:
    other = _other_port(port + 1 if port < 65_535 else 8000)
    return f"Port {port} is taken by another program: choose another one, {other}."


def _other_port(port: int) -> str:
    return f"such as STUDIO_PORT={port} ./studio"


def _answers_at(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=0.5):
            return True
    except OSError:
        return False


def free_ports(count: int) -> list[int]:
    """So many loopback ports that nobody listens on."""
    doors = [socket.socket() for _ in range(count)]
    try:
        for door in doors:
            door.bind(("127.0.0.1", 0))
        return [int(door.getsockname()[1]) for door in doors]
    finally:
        for door in doors:
            door.close()
