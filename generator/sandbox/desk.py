"""What every protocol of the sandbox works with: keys, bodies, money, trouble, pictures, links.

A protocol is a module with `answer(desk, visit, path)`: its answer, or None for an address that is
not its own. It reads its own part of the documents; only what all of them share stands here.
"""

import json
import math
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from generator.sandbox import retouch, trouble, vectors
from generator.sandbox.canvas import Size
from generator.sandbox.gallery import Gallery, Wish, bomb, encode64
from generator.sandbox.links import Links
from generator.sandbox.log import Log
from generator.sandbox.pace import Pace
from generator.sandbox.tasks import Task, Tasks
from generator.sandbox.wire import Answer, Cut, Fields, Refused, Visit, as_html

PRIVATE = "http://169.254.169.254/latest/meta-data/"
GARBAGE = b"This is no image at all. " * 40
_KEY = re.compile(r"sk-[A-Za-z0-9_-]{4,250}")
_SLOW = 20.0
_SILENT_AFTER = 0.5


@dataclass(frozen=True, slots=True)
class House:
    """How a sandbox behaves; see `Sandbox`."""

    key: str | None = None
    delay: float = 0.0
    strict: bool = True
    refuse_format: bool = True
    body_limit: int = 100_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """One paid request, admitted: its body, its prompt, and the word of trouble that strikes."""

    body: Fields
    prompt: str
    word: str
    started: float
    visit: Visit = field(repr=False)


class Desk:
    """One a sandbox. `image_origin` is the scheme, host and port of its result links."""

    def __init__(
        self, house: House, log: Log, gallery: Gallery, links: Links, pace: Pace, image_origin: str
    ) -> None:
        self.house = house
        self.log = log
        self.gallery = gallery
        self.links = links
        self.pace = pace
        self.image_origin = image_origin
        self.tasks = Tasks(pace.now)

    # ── Coming in ──

    def admit(self, key: str) -> None:
        """Raises `Refused` (401) for a key that is none, or another one than ours."""
        good = key == self.house.key if self.house.key is not None else _KEY.fullmatch(key)
        if not good:
            raise Refused(401, "invalid token")

    def look(self, visit: Visit) -> None:
        """Record and admit a request that costs nothing: a poll, a list."""
        self.log.record("gateway", visit)
        self.admit(bearer(visit))

    def receive(
        self,
        visit: Visit,
        prompt_of: Callable[[Fields], object],
        *,
        key: str | None = None,
        read: Callable[[Visit, int], Fields] | None = None,
    ) -> Asked:
        """Record and admit a paid request. `prompt_of` finds the prompt in its body.

        `key`: the key, if it does not stand in the `Authorization` header. `read`: how to read a
        body that is not JSON. Raises `Refused` for a wrong key first and a wrong body second.
        """
        started = self.pace.now()
        body, problem = self._read(visit, read or _read_json)
        prompt = ""
        if body is not None:
            found = prompt_of(body)
            prompt = found if isinstance(found, str) else ""
        turn = self.log.record("gateway", visit, body, prompt=prompt)
        self.admit(bearer(visit) if key is None else key)
        if problem is not None:
            raise problem
        assert body is not None
        return Asked(body, prompt, trouble.asked_for(prompt, turn), started, visit)

    def _read(
        self, visit: Visit, read: Callable[[Visit, int], Fields]
    ) -> tuple[Fields | None, Refused | None]:
        try:
            return read(visit, self.house.body_limit), None
        except Refused as refused:
            return None, refused
        except (ValueError, RecursionError):
            return None, Refused(400, "invalid request body", code="bad_request_body")

    # ── Trouble and money ──

    def stumble(self, word: str, refusal: Refused) -> None:
        """Raise for the words that end a call before anybody worked on it.

        `refusal` is the safety refusal in the protocol's own words.
        """
        match word:
            case "busy":
                raise Refused(
                    429,
                    "The model is currently busy, please try again later",
                    code="bad_response_status_code",
                    headers={"Retry-After": "1"},
                )
            case "refuse" | "withheld":
                raise refusal
            case "money":
                raise no_money()
            case "error":
                raise Refused(
                    200, "upstream error: the job failed", code="upstream_error",
                    kind="upstream_error",
                )  # fmt: skip
            case "broken":
                raise Refused(500, "do request failed", code="do_request_failed")

    def carry_out(
        self, asked: Asked, dollars: Decimal, paint: Callable[[int, str], Answer]
    ) -> Answer:
        """Answer a call whose images are in its answer.

        `paint` makes the answer; it is told how many charged calls the prompt had before, and the
        word of trouble (`empty`: an answer without images). Raises `Refused` and `Cut`.
        """
        self._can_pay(dollars)
        ready = asked.started + self.house.delay
        match asked.word:
            case "html":
                self.pace.wait_until(ready)
                return html_page()
            case "empty":
                # Filtered after it was made: nothing comes, nothing is charged.
                self.pace.wait_until(ready)
                return paint(0, "empty")
            case "fail":
                raise Refused(500, "do request failed", code="do_request_failed")
            case "silent" | "524":
                self.pay(asked.prompt, dollars)
                return self._no_answer(asked)
            case "slow":
                ready = asked.started + _SLOW
        before = self.pay(asked.prompt, dollars)
        answer = paint(before, asked.word)
        self.pace.wait_until(ready)
        return answer

    def begin(
        self, asked: Asked, dollars: Decimal, order: Any, *, id: str = "", fails: bool = False
    ) -> Task:
        """Charge a call and begin its task.

        One that `fails`, or whose word of trouble lets it end without an image, costs nothing.
        Raises `Refused`, `Cut` (or `Said`) for the words that spoil the answer to a submit: the
        task is then begun all the same.
        """
        is_free = fails or asked.word in trouble.FOR_NOTHING
        if not is_free:
            self._can_pay(dollars)
        if asked.word == "html":
            raise Said(html_page())
        took = _SLOW if asked.word == "slow" else self.house.delay
        before = self.log.paid(asked.prompt) if is_free else self.pay(asked.prompt, dollars)
        task = self.tasks.begin(
            asked.prompt, asked.word, took,
            order=order, turn=before, id=id, weight=asked.visit.length,
        )  # fmt: skip
        if asked.word in {"silent", "524"}:
            raise Said(self._no_answer(asked))
        return task

    def _can_pay(self, dollars: Decimal) -> None:
        if self.log.left < dollars:
            raise no_money()

    def pay(self, prompt: str, dollars: Decimal) -> int:
        """Charge; returns how many charged calls the prompt had before."""
        day = time.strftime("%Y-%m-%d", time.gmtime(self.pace.now()))
        return self.log.pay(prompt, dollars, day)

    def _no_answer(self, asked: Asked) -> Answer:
        if asked.word == "silent":
            self.pace.sleep(_SILENT_AFTER)
            if asked.visit.may_cut:
                raise Cut
        else:
            self.pace.sleep(1)
        return as_html("524: A timeout occurred", "<p>The origin did not answer in time.", 524)

    # ── Pictures ──

    def link(
        self, wish: Wish, prompt: str, word: str = "", *, until: float = math.inf, since: float = 0
    ) -> str:
        """A result link to the picture of a wish, spoiled as the word of trouble says.

        `until`: the moment at which it ends, where its protocol's links live shorter than others.
        `since`: the moment before which there is nothing behind it, where links come first (H2).
        """
        if word == "private":
            return PRIVATE
        spoils = word in trouble.SPOILED_FILE | trouble.SPOILED_BODY | {"redirect"}
        return self.links.make(
            self.image_origin, wish, prompt, fault=word if spoils else "",
            expired=word == "expired", until=until, since=since,
        )  # fmt: skip

    def retouched(
        self, base: bytes, change: bytes | None, seed: int, *, size: Size | None = None,
        format: str = "png", compression: int = 90, transparent: bool = False,
    ) -> Wish:  # fmt: skip
        """The wish for an image painted over: only where `change` (an image) is white.

        Without `change` all of it shows through the new picture. `size` defaults to the base's.
        `transparent`: with a clear surround, as `Wish.transparent` has it.
        """
        data, made = retouch.retouched(
            base, change, seed, size, format, compression=compression, transparent=transparent
        )
        return self.gallery.keep(data, made, format)


class Said(Exception):
    """An answer that is no answer of the protocol; the server sends it as it is."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def file_of(gallery: Gallery, wish: Wish, word: str) -> bytes:
    """The image file of a wish, or what the word of trouble puts in its place."""
    match word:
        case "garbage":
            return GARBAGE
        case "bomb":
            return bomb()
        case "lies":
            return gallery.picture(wish.of_another_format()).data
        case "script" if wish.format == "svg":
            return vectors.drawing(wish.seed, wish.size, script=True)
        case _:
            return gallery.picture(wish).data


def in_base64(gallery: Gallery, wish: Wish, word: str) -> str:
    """The same in base64."""
    if word in trouble.SPOILED_FILE:
        return encode64(file_of(gallery, wish, word))
    return gallery.picture(wish).text


def bearer(visit: Visit) -> str:
    """The key of a request, with or without the word before it (A1)."""
    return visit.headers.get("authorization", "").removeprefix("Bearer ").strip()


def no_channel(model: str) -> Refused:
    """Nobody here serves this model (A2): 503, and it never will."""
    message = f"no available channel for group default and model {model} (distributor)"
    return Refused(503, message, code="model_not_found")


def no_money() -> Refused:
    """The account is empty (A2)."""
    return Refused(403, "user quota is not enough", code="insufficient_user_quota")


def html_page() -> Answer:
    """A page where JSON was due."""
    return as_html("Sandbox", "<p>An HTML page where JSON was expected.")


def new_id() -> str:
    """An id in the form of a UUID."""
    text = secrets.token_hex(16)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _read_json(visit: Visit, limit: int) -> Fields:
    body = json.loads(visit.body(limit))
    if not isinstance(body, dict):
        raise ValueError("not an object")
    return body
