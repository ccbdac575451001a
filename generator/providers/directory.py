"""The gateway's own list of models and prices, and its balance (A6, A7): reading only.

The list is read tolerantly. A row that names no model is left out, a fact that makes no sense
counts as not said, and a price that is null is no price, which is not a price of nought.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlencode

from generator.errors import BadReply
from generator.providers.base import JSON, Call, Reply
from generator.providers.reading import raise_for_error

LIST = "/api/models"
SUBSCRIPTION = "/v1/dashboard/billing/subscription"
USAGE = "/v1/dashboard/billing/usage"
QUOTA = "/user/quota"
UNLIMITED = 100_000_000  # US dollars: so much and more means that there is no limit (A7)
PAGE_SIZE = 100  # where the gateway names no size of its own
MOST_PAGES = 100
NO_LIST = "The gateway did not give its list of models."

_ID = re.compile(r"[\w.:/@+-]{1,120}")
_LONGEST = {"name": 120, "provider": 60, "description": 2000, "currency": 40, "model_type": 40}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address at which a model can be called."""

    name: str
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of the gateway's list. `id` is what a call names; `code` is only its web address.

    `input_price` and `output_price` are in `currency` ("USD / M Tokens"), `per_request` and
    `per_second` in US dollars; None where the model is not priced so. Whether `ratio` is already
    in them is not known (A6, M4), so nothing here is multiplied by it.
    """

    id: str
    code: str = ""
    provider: str = ""
    name: str = ""
    description: str = ""
    model_type: str = ""
    features: tuple[str, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    currency: str = ""
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    per_request: Decimal | None = None
    per_second: Decimal | None = None
    ratio: Decimal | None = None
    context_length: str = ""
    upcoming: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of the list: its models, how many rows it held, and what it says of paging."""

    models: tuple[Listed, ...]
    rows: int
    number: int
    size: int
    total: int


@dataclass(frozen=True, slots=True)
class Directory:
    """All that the gateway lists. `is_whole`: nothing that it counted is missing here."""

    models: tuple[Listed, ...]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """US dollars left and used. `left` is None for an account without a limit."""

    left: Decimal | None
    used: Decimal | None


# ── The list of models ──


def build_list(number: int = 0, size: int = 0) -> Call:
    """The call for the list (A6); without a number, for all of it as every known client asks."""
    asked = "?" + urlencode({"page": number, "page_size": size}) if number else ""
    return Call("GET", LIST + asked)


def parse_list(reply: Reply) -> Page:
    """One page of the list. Raises what `raise_for_error` does, and BadReply where it is none."""
    answer = raise_for_error(reply)
    if answer.get("success") is False:
        raise BadReply(NO_LIST, code="directory", request_id=reply.request_id)
    rows = _rows(answer["data"])
    models = tuple(listed for row in rows if (listed := _listed(row)) is not None)
    return Page(
        models,
        len(rows),
        _whole(answer.get("page")),
        _whole(answer.get("page_size")),
        _whole(answer.get("total")),
    )


def whole_list(ask: Callable[[Call], Page]) -> Directory:
    """Every page of the list, put together; `ask` sends a call and reads its page.

    Most answer all at once. If fewer come than are counted, the following pages are asked for
    until nothing new comes. Raises BadReply for a list with nothing in it.
    """
    page = ask(build_list())
    found = {model.id: model for model in page.models}
    rows, number, size = page.rows, page.number if page.size else 0, page.size or PAGE_SIZE
    total = page.total
    for _ in range(MOST_PAGES):
        if rows >= total:
            break
        number += 1
        page = ask(build_list(number, size))
        known = sum(model.id in found for model in page.models)
        # Where the first answer was no page of the paging, page 1 may be the same once more.
        if page.rows == known and number > 1:
            break
        rows += page.rows - known
        found.update({model.id: model for model in page.models})
    if not found:
        raise BadReply(NO_LIST, code="directory")
    return Directory(tuple(found.values()), is_whole=rows >= total)


def _rows(data: JSON) -> list[JSON]:
    # Account endpoints of the same service wrap their lists once more (A7).
    rows = data.get("items", data.get("data")) if isinstance(data, dict) else data
    if not isinstance(rows, list):
        raise TypeError("no list")
    return rows


def _listed(row: JSON) -> Listed | None:
    model = row.get("id") if isinstance(row, dict) else None
    if not isinstance(model, str) or not _ID.fullmatch(model):
        return None
    said = row.get("pricing")
    pricing: Mapping[str, Any] = said if isinstance(said, dict) else {}
    return Listed(
        id=model,
        code=_text(row, "code"),
        provider=_text(row, "provider") or _text(row, "provider_code"),
        name=_text(row, "name"),
        description=_text(row, "description"),
        model_type=_text(row, "model_type").lower(),
        features=_words(row.get("features")),
        endpoints=tuple(_endpoints(row.get("endpoints"))),
        currency=_text(pricing, "currency"),
        input_price=_price(pricing.get("input")),
        output_price=_price(pricing.get("output")),
        per_request=_price(pricing.get("per_request")),
        per_second=_price(pricing.get("per_second")),
        ratio=_price(pricing.get("ratio")),
        context_length=_text(row, "context_length"),
        upcoming=row.get("upcoming") in (True, 1, "true", "1"),
    )


def _text(facts: Mapping[str, Any], name: str) -> str:
    said = facts.get(name)
    if isinstance(said, bool) or not isinstance(said, str | int | float):
        return ""
    return str(said).strip()[: _LONGEST.get(name, 120)]


def _words(said: JSON) -> tuple[str, ...]:
    """A list of words, one word, or a list inside a string."""
    said = _unpacked(said)
    words = [said] if isinstance(said, str) else said if isinstance(said, list) else []
    return tuple(word.strip().lower()[:60] for word in words if isinstance(word, str) and word)[:40]


def _endpoints(said: JSON) -> Iterator[Endpoint]:
    """`{name: {path, method}}`, `{name: path}` or a list of either, perhaps inside a string."""
    said = _unpacked(said)
    if isinstance(said, list):
        pairs = [(one.get("name", "") if isinstance(one, dict) else "", one) for one in said[:40]]
    else:
        pairs = list(said.items())[:40] if isinstance(said, dict) else [("", said)]
    for name, one in pairs:
        facts = {"path": one} if isinstance(one, str) else one
        if isinstance(facts, dict) and (path := _text(facts, "path")).startswith("/"):
            yield Endpoint(str(name)[:60], _text(facts, "method").upper() or "POST", path)


def _unpacked(said: JSON) -> JSON:
    """What a string holds as JSON, or the string itself."""
    if not isinstance(said, str) or said.lstrip()[:1] not in {"{", "[", '"'}:
        return said
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        return None


def _price(said: JSON) -> Decimal | None:
    """A number, or one in a string; None for anything else, and for less than nought."""
    number = _number(said)
    return number if number is not None and number >= 0 else None


def _number(said: JSON) -> Decimal | None:
    if isinstance(said, bool) or not isinstance(said, str | int | float) or len(str(said)) > 40:
        return None
    try:
        number = Decimal(str(said).strip())
    except InvalidOperation:
        return None
    # Beyond this nothing is a price, and arithmetic with it takes for ever.
    return number if number.is_finite() and abs(number) < 10**15 else None


def _whole(said: JSON) -> int:
    number = _number(said)
    return int(number) if number is not None and 0 <= number < 10**9 else 0


# ── The balance ──


def build_subscription() -> Call:
    """The free look at what the account may spend in all (A7)."""
    return Call("GET", SUBSCRIPTION)


def parse_subscription(reply: Reply) -> Decimal | None:
    """US dollars in all; None for no limit. Raises KeyError where it does not say."""
    return _limit(raise_for_error(reply)["hard_limit_usd"])


def build_usage() -> Call:
    """The free look at what has been spent (A7)."""
    return Call("GET", USAGE)


def parse_usage(reply: Reply) -> Decimal:
    """US dollars spent; the answer counts in cents. Raises KeyError where it does not say."""
    return _dollars(raise_for_error(reply)["total_usage"]) / 100


def parse_quota(reply: Reply) -> Balance:
    """What the query host says (A7): `total_quota` is what is left, in US dollars."""
    answer = raise_for_error(reply)
    used = _number(answer.get("total_used_quota"))
    return Balance(_limit(answer["total_quota"]), used)


def balance_of(limit: Decimal | None, used: Decimal) -> Balance:
    """What the billing pair comes to."""
    return Balance(None if limit is None else limit - used, used)


def _limit(said: JSON) -> Decimal | None:
    dollars = _dollars(said)
    return None if dollars == -1 or dollars >= UNLIMITED else dollars


def _dollars(said: JSON) -> Decimal:
    number = _number(said)
    if number is None:
        raise ValueError("no number")
    return number
