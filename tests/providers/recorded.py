"""Recorded replies: one JSON file each, with status, headers and body."""

import json
from pathlib import Path
from typing import Any

from generator.providers.base import Reply

FOLDER = Path(__file__).with_name("replies")
REQUEST_ID = "20260205132859798638387SIHCnxzJ"  # of the recorded errors that have one


def recorded(name: str, protocol: str = "openai_images") -> Reply:
    """The recorded reply of this name."""
    said = json.loads((FOLDER / protocol / f"{name}.json").read_text(encoding="utf-8"))
    return Reply(said["status"], said["headers"], json.dumps(said["body"]).encode())


def in_json(status: int, body: Any, **headers: str) -> Reply:
    """A reply with this JSON; header names with underscores."""
    named = {name.replace("_", "-"): said for name, said in headers.items()}
    return Reply(status, {"content-type": "application/json", **named}, json.dumps(body).encode())


def page(status: int, text: str = "<!DOCTYPE html><h1>Oops</h1>", **headers: str) -> Reply:
    """A web page instead of an answer."""
    named = {name.replace("_", "-"): said for name, said in headers.items()}
    return Reply(status, {"content-type": "text/html", **named}, text.encode())
