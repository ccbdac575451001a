"""The gateway's list of models, read tolerantly, and its balance, asked without telling the key."""

import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from generator.errors import BadReply, ProviderBusy, ProviderError, RequestRefused
from generator.providers import directory
from generator.providers.base import Call, Reply
from generator.providers.directory import Balance, Directory, Endpoint, Listed, Page
from generator.providers.gateway import Gateway
from generator.sandbox import Log, Sandbox
from generator.sandbox.serve import serving as serving_sandbox
from tests.providers.recorded import in_json, page, recorded
from tests.providers.servers import reply, serving

KEY = "sk-live0123456789abcdef"


def read(name: str) -> dict[str, Listed]:
    """The models of a recorded list."""
    return {one.id: one for one in directory.parse_list(recorded(name, "directory")).models}


# ── The list ──


def test_a_row_of_the_document_is_read_whole() -> None:
    assert read("list")["gpt-image-2"] == Listed(
        id="gpt-image-2", code="gpt-image-2", provider="OpenAI", name="GPT Image 2",
        description="d", model_type="image", features=("text-to-image",),
        endpoints=(Endpoint("openai-image", "POST", "/v1/images/generations"),),
        currency="USD / M Tokens", input_price=Decimal(4), output_price=Decimal(24),
    )  # fmt: skip


def test_the_id_is_what_a_call_names_and_not_the_code() -> None:
    row = read("list")["grok-4.5"]
    assert (row.code, row.provider, row.context_length) == ("grok-4-5", "xai", "400K")


def test_numbers_in_strings_are_numbers() -> None:
    rows = read("list")
    assert rows["grok-4.5"].input_price == Decimal("2.5")
    assert (rows["qwen-image"].per_request, rows["qwen-image"].ratio) == (Decimal("0.04"), 1)


def test_endpoints_are_read_from_an_object_with_addresses_or_with_objects() -> None:
    assert read("list")["qwen-image"].endpoints == (
        Endpoint("openai-image", "POST", "/v1/images/generations"),
        Endpoint("openai-edit", "POST", "/v1/images/edits"),
    )


def test_endpoints_are_read_from_a_list_and_what_is_no_address_is_left_out() -> None:
    paths = [endpoint.path for endpoint in read("list")["odd-facts"].endpoints]
    assert paths == ["/v1/a", "/v1/b"]


def test_a_fact_that_makes_no_sense_counts_as_not_said() -> None:
    rows = read("list")
    assert rows["no-facts"] == Listed("no-facts")
    odd = rows["odd-facts"]
    assert (odd.provider, odd.name, odd.description, odd.upcoming) == ("", "", "", False)
    assert odd.features == ("text-to-image",)
    assert rows["broken-endpoints"] == Listed("broken-endpoints")


def test_no_price_is_not_a_price_of_nought() -> None:
    rows = read("list")
    assert rows["gpt-image-2"].per_request is None
    assert rows["free-of-charge"].per_request == 0


def test_a_row_that_names_no_model_is_left_out_and_counted() -> None:
    found = directory.parse_list(recorded("list", "directory"))
    assert (len(found.models), found.rows, found.total) == (8, 15, 15)


def test_a_model_yet_to_come_says_so() -> None:
    assert [one.id for one in read("list").values() if one.upcoming] == ["gpt-image-3"]


@pytest.mark.parametrize("wrapped", [{"items": [{"id": "a"}]}, {"data": [{"id": "a"}]}])
def test_a_list_may_be_wrapped_once_more(wrapped: Any) -> None:
    found = directory.parse_list(in_json(200, {"success": True, "data": wrapped}))
    assert found.models == (Listed("a"),)


def test_a_gateway_that_gives_no_list_is_not_quoted() -> None:
    with pytest.raises(BadReply) as caught:
        directory.parse_list(recorded("no_success", "directory"))
    assert str(caught.value) == directory.NO_LIST


@pytest.mark.parametrize(
    "body", [{"data": "x"}, {"data": None}, {"success": True}, [], {"data": {"items": {}}}]
)
def test_what_is_no_list_cannot_be_read(body: Any) -> None:
    with pytest.raises(BadReply):
        answering(lambda request: httpx.Response(200, json=body)).list_models()


# ── Its pages ──


def pages_of(ids: list[str], *, size: int = 20, first: int = 1, says: str = "page") -> Any:
    """A gateway that pages: `first` is the number of its first page; `says`: what its answer
    without a number says of itself (`page`, or `nothing`)."""

    def ask(call: Call) -> Page:
        asked = dict(part.split("=") for part in call.path.partition("?")[2].split("&") if part)
        number = int(asked.get("page", first))
        each = int(asked.get("page_size", size))
        rows = ids[(number - first) * each :][:each] if number >= first else []
        told = (number, each) if asked or says == "page" else (0, 0)
        return Page(tuple(Listed(one) for one in rows), len(rows), *told, len(ids))

    return ask


def ids_of(found: Directory) -> list[str]:
    return [model.id for model in found.models]


@pytest.mark.parametrize("count", [1, 20, 21, 250])
@pytest.mark.parametrize(("first", "says"), [(0, "page"), (1, "page"), (1, "nothing")])
def test_every_page_is_asked_for_until_all_are_there(first: int, says: str, count: int) -> None:
    ids = [f"model-{n}" for n in range(count)]
    found = directory.whole_list(pages_of(ids, first=first, says=says))
    assert (sorted(ids_of(found)), found.is_whole) == (sorted(ids), True)


def test_what_cannot_be_had_by_paging_is_known_to_be_missing() -> None:
    ids = [f"model-{n}" for n in range(250)]
    assert not directory.whole_list(pages_of(ids, first=0, says="nothing")).is_whole


def test_rows_that_come_twice_do_not_make_up_for_those_that_are_missing() -> None:
    """The first answer is no page of the paging that follows."""
    pages = {"": "abc", "1": "ab", "2": "cd", "3": "e"}

    def ask(call: Call) -> Page:
        number = call.path.partition("page=")[2].partition("&")[0]
        rows = pages.get(number, "")
        return Page(tuple(Listed(one) for one in rows), len(rows), 0, 0, 5)

    found = directory.whole_list(ask)
    assert (ids_of(found), found.is_whole) == (list("abcde"), True)


def test_a_list_that_comes_whole_is_asked_for_once() -> None:
    calls: list[str] = []

    def ask(call: Call) -> Page:
        calls.append(call.path)
        return Page((Listed("a"), Listed("b")), 2, 0, 0, 2)

    assert directory.whole_list(ask).is_whole
    assert calls == ["/api/models"]


def test_a_gateway_that_repeats_itself_is_not_asked_for_ever_and_its_list_is_not_whole() -> None:
    calls: list[str] = []

    def ask(call: Call) -> Page:
        calls.append(call.path)
        return Page((Listed("a"), Listed("b")), 2, 1, 2, 302)

    found = directory.whole_list(ask)
    assert (ids_of(found), found.is_whole, len(calls)) == (["a", "b"], False, 2)


def test_one_that_always_has_something_new_comes_to_an_end() -> None:
    numbers = iter(range(10_000))

    def ask(call: Call) -> Page:
        return Page((Listed(f"m{next(numbers)}"),), 1, 1, 1, 10**6)

    assert not directory.whole_list(ask).is_whole


def test_an_empty_list_is_no_list() -> None:
    with pytest.raises(BadReply):
        directory.whole_list(lambda call: Page((), 0, 0, 0, 0))


def test_the_sandbox_lists_what_the_document_says() -> None:
    gateway = Gateway("http://s", key=KEY, transport=httpx.WSGITransport(app=Sandbox()))
    found = gateway.list_models()
    assert found.is_whole
    rows = {one.id: one for one in found.models}
    assert rows["gpt-image-2"].endpoints[0].path == "/v1/images/generations"
    assert rows["qwen-image"].per_request == Decimal("0.04")


# ── The balance ──


def answering(answer: Callable[[httpx.Request], httpx.Response], query_url: str = "") -> Gateway:
    return Gateway(
        "http://gateway", key=KEY, query_url=query_url, transport=httpx.MockTransport(answer)
    )


def playing(**said: str) -> Callable[[httpx.Request], httpx.Response]:
    """Recorded answers by the last word of the address; anything else is a web page."""

    def answer(request: httpx.Request) -> httpx.Response:
        name = said.get(request.url.path.rpartition("/")[2])
        one: Reply = recorded(name, "directory") if name else page(200)
        return httpx.Response(one.status, headers=one.headers, content=one.body)

    return answer


def test_the_balance_is_the_limit_less_the_cents_that_were_used() -> None:
    gateway = answering(playing(subscription="subscription", usage="usage"))
    assert gateway.balance() == Balance(Decimal("68.155"), Decimal("12.345"))


def test_a_limit_beyond_all_measure_is_none() -> None:
    gateway = answering(playing(subscription="subscription_unlimited", usage="usage"))
    assert gateway.balance() == Balance(None, Decimal("12.345"))


@pytest.mark.parametrize(
    ("name", "left"),
    [("quota", Decimal("12.5")), ("quota_unlimited", None), ("quota_unlimited_of_old", None)],
)
@pytest.mark.parametrize("pair", [{}, {"subscription": "subscription"}, {"usage": "usage"}])
def test_the_query_host_is_asked_where_half_of_the_pair_is_missing(
    name: str, left: Decimal | None, pair: dict[str, str]
) -> None:
    gateway = answering(playing(quota=name, **pair), "https://query.example")
    assert gateway.balance() == Balance(left, Decimal("3.25"))


def test_without_a_query_host_the_first_answer_counts() -> None:
    with pytest.raises(ProviderBusy):
        answering(playing(quota="quota")).balance()


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    for name in (None, "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def told(error: BaseException | None) -> str:
    """All that an error and those it came from could say."""
    said = ""
    while error is not None:
        said += (
            f"{error} {error!r} {error.args} {getattr(getattr(error, '_request', None), 'url', '')}"
        )
        error = error.__cause__ or error.__context__
    return said


def test_the_key_reaches_the_query_host_and_no_log(
    everything_logged: pytest.LogCaptureFixture,
) -> None:
    log = Log()
    with (
        serving_sandbox(Sandbox(log=log)) as doors,
        serving(reply(b"no", status="404 Not Found")) as api,
    ):
        gateway = Gateway(api.origin, key=KEY, query_url=doors.gateway)
        # Another origin without https: the key stays at home.
        with pytest.raises(RequestRefused):
            gateway.balance()
        gateway = Gateway(doors.gateway, key=KEY, query_url=doors.gateway)
        gateway._look = refusing  # type: ignore[method-assign]
        assert gateway.balance() == Balance(Decimal(500), Decimal(0))
        gateway.close()
    assert [request.path for request in log.requests] == ["/user/quota"]
    assert "HTTP Request: GET" in everything_logged.text
    assert KEY not in everything_logged.text


def refusing(*args: Any) -> Any:
    raise RequestRefused("No such address.")


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nno", reply(b"x" * 9), reply(b"{}")],
    ids=["cut", "half", "text", "empty"],
)
def test_no_error_of_the_query_host_tells_the_key(
    answer: bytes, everything_logged: pytest.LogCaptureFixture
) -> None:
    with serving(answer) as api:
        gateway = Gateway(api.origin, key=KEY, query_url=api.origin)
        with pytest.raises(ProviderError) as caught:
            gateway.balance()
        gateway.close()
    assert any(b"/user/quota?key=" + KEY.encode() in head for head in api.requests)
    assert KEY not in told(caught.value)
    assert KEY not in everything_logged.text


def test_the_key_in_an_address_is_not_in_a_header_too_and_follows_no_redirect() -> None:
    with serving() as evil:
        head = f"HTTP/1.1 302 Found\r\nLocation: {evil.origin}/x\r\nConnection: close\r\n"
        away = f"{head}Content-Length: 0\r\n\r\n"
        with serving(away.encode()) as api:
            gateway = Gateway(api.origin, key=KEY, query_url=api.origin)
            with pytest.raises(RequestRefused):
                gateway.balance()
            gateway.close()
    (asked,) = [head for head in api.requests if b"/user/quota" in head]
    assert b"authorization" not in asked.lower()
    assert evil.requests == []


@pytest.mark.parametrize(
    ("query_url", "goes_to"),
    [
        ("https://query.example", "query.example"),
        ("https://query.example/", "query.example"),
        ("http://gateway", "gateway"),
        ("http://gateway:81", None),
        ("http://query.example", None),
        ("ftp://gateway", None),
        ("query.example", None),
        ("https://", None),
        ("http://[", None),
        ("", None),
    ],
)
def test_the_key_goes_to_a_query_host_only_in_secret_or_to_the_gateway_itself(
    query_url: str, goes_to: str | None
) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == directory.QUOTA:
            seen.append(request.url.host)
            return httpx.Response(200, json={"total_quota": 1})
        return httpx.Response(404)

    gateway = answering(answer, query_url)
    if goes_to:
        assert gateway.balance() == Balance(Decimal(1), None)
    else:
        with pytest.raises(RequestRefused):
            gateway.balance()
    assert seen == ([goes_to] if goes_to else [])
