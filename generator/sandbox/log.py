"""What the sandbox remembers: requests, what was paid for, and a made-up balance.

Nothing else here keeps state. Tests hand in a log of their own and read it.
"""

import json
import re
import threading
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from generator.sandbox.wire import KEY_HEADERS, Fields, Visit

_LONGEST = 40_000  # characters of a text that are kept: more than any prompt has
_LONGEST_DATA = 200  # characters of what looks like base64
_LARGEST = 200_000  # characters of a body in JSON
_DATA = re.compile(r"data:|[\w+/=-]{200}", re.ASCII)
_KEY_IN_QUERY = re.compile(r"(?<![^&?])key=[^&]*")


@dataclass(frozen=True, slots=True)
class Request:
    """One recorded request, free of keys. `json` is its body, if that was a JSON object.

    Images in base64, and texts longer than any prompt, are shortened in it.
    """

    host: str  # "gateway" or "images"
    method: str
    path: str
    query: str
    headers: dict[str, str]
    json: Fields | None
    request_id: str
    carried_key: bool


class Log:
    """Safe to share between threads. Money is in US dollars."""

    def __init__(self, balance: str = "500", kept: int = 1000) -> None:
        """`balance` is what there is to spend at first; `kept`, how many requests to keep."""
        self._lock = threading.Lock()
        self._requests: deque[Request] = deque(maxlen=kept)
        self._posts: Counter[str] = Counter()
        self._paid: Counter[str] = Counter()
        self._granted = Decimal(balance)
        self._used = Decimal(0)
        self._days: defaultdict[str, list[Decimal]] = defaultdict(list)

    @property
    def requests(self) -> list[Request]:
        """The last requests, oldest first."""
        with self._lock:
            return list(self._requests)

    @property
    def granted(self) -> Decimal:
        """What the account has been given in all."""
        return self._granted

    @property
    def used(self) -> Decimal:
        """What has been spent."""
        with self._lock:
            return self._used

    @property
    def left(self) -> Decimal:
        """What there is to spend."""
        return self._granted - self.used

    @property
    def paid_calls(self) -> int:
        """How many calls were charged, whatever they asked for."""
        with self._lock:
            return self._paid.total()

    def paid(self, prompt: str) -> int:
        """How many calls for this prompt were charged."""
        with self._lock:
            return self._paid[prompt]

    def posts(self, prompt: str) -> int:
        """How many calls for this prompt arrived, charged or not."""
        with self._lock:
            return self._posts[prompt]

    def record(
        self, host: str, visit: Visit, body: Fields | None = None, *, prompt: str = ""
    ) -> int:
        """Keep a request, without its key. Returns how often its prompt has come by now."""
        request = Request(
            host=host,
            method=visit.method,
            path=visit.path,
            query=_KEY_IN_QUERY.sub("key=…", visit.query),
            headers={k: v for k, v in visit.headers.items() if k not in KEY_HEADERS},
            json=None if body is None else _bounded(body),
            request_id=visit.request_id,
            carried_key=not KEY_HEADERS.isdisjoint(visit.headers) or "key" in visit.asked,
        )
        with self._lock:
            self._requests.append(request)
            if body is None:
                return 0
            self._posts[prompt] += 1
            return self._posts[prompt]

    def pay(self, prompt: str, dollars: Decimal, day: str) -> int:
        """Charge a call made on a day (`YYYY-MM-DD`); returns how many there were before it."""
        with self._lock:
            before = self._paid[prompt]
            self._paid[prompt] += 1
            self._used += dollars
            self._days[day].append(dollars)
            return before

    def days(self, first: str, last: str) -> dict[str, tuple[Decimal, int]]:
        """Dollars and calls of each day on which there were any, both ends included."""
        with self._lock:
            return {
                day: (sum(spent, Decimal(0)), len(spent))
                for day, spent in sorted(self._days.items())
                if first <= day <= last
            }


def _bounded(body: Fields) -> Fields:
    """The same without its bulk: a thousand requests must fit into memory."""
    short: Fields = _shortened(body)
    if len(json.dumps(short, ensure_ascii=False)) <= _LARGEST:
        return short
    return {name[:_LONGEST_DATA]: "…" for name in list(body)[:100]}


def _shortened(body: Any) -> Any:
    match body:
        case dict():
            return {name: _shortened(item) for name, item in body.items()}
        case list():
            return [_shortened(item) for item in body]
        case str() if len(body) > (most := _LONGEST_DATA if _DATA.match(body) else _LONGEST):
            return f"{body[:most]}… ({len(body)} characters)"
        case _:
            return body
