"""Recorded replies: one JSON file each, with status, headers and body; and what they come to."""

import json
from pathlib import Path
from typing import Any

import pytest

from generator.errors import ProviderError
from generator.providers.base import Reply
from generator.providers.reading import raise_for_error

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


def raised(reply: Reply) -> ProviderError:
    """The error that a reply comes to."""
    with pytest.raises(ProviderError) as caught:
        raise_for_error(reply)
    return caught.value


def own(code: str = "", message: str = "it went wrong") -> dict[str, Any]:
    """The gateway's own error object."""
    return {"error": {"message": message, "type": "comet_api_error", "param": "", "code": code}}
