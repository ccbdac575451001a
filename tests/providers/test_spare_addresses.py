"""A name has several addresses, and this machine may not have a way to the first of them."""

import httpx
import pytest

from generator.errors import LinkRefused, LinkSilent
from generator.providers.gateway import Gateway

LINK = "https://images.example/1.png"
FIRST, SECOND = "2606:4700::1111", "93.184.216.34"


def _gateway(down: set[str], addresses: list[str], called: list[str]) -> Gateway:
    def answer(request: httpx.Request) -> httpx.Response:
        called.append(request.url.host)
        if request.url.host in down:
            raise httpx.ConnectError("no route to host")
        return httpx.Response(200, content=b"image")

    return Gateway(
        "http://gateway", key="sk-test", image_transport=httpx.MockTransport(answer),
        resolve=lambda host, port: addresses,
    )  # fmt: skip


def test_the_next_address_is_tried_where_the_first_cannot_be_reached() -> None:
    called: list[str] = []
    assert _gateway({FIRST}, [FIRST, SECOND], called).fetch(LINK) == b"image"
    assert called == [FIRST, SECOND]


def test_a_link_is_silent_where_no_address_can_be_reached() -> None:
    with pytest.raises(LinkSilent):
        _gateway({FIRST, SECOND}, [FIRST, SECOND], []).fetch(LINK)


@pytest.mark.parametrize(
    "hidden",
    [
        "64:ff9b::5db8:d822",
        "2002:5db8:d822::1",
        "2001:0:1::1",
        "::ffff:93.184.216.34",
        "fec0::1",
        "2001:1::1",
    ],
    ids=["NAT64", "6to4", "Teredo", "IPv4-mapped", "site-local", "protocol anycast"],
)
def test_an_address_that_hides_another_is_never_called_even_as_a_spare(hidden: str) -> None:
    called: list[str] = []
    with pytest.raises(LinkRefused):
        _gateway({FIRST}, [FIRST, hidden], called).fetch(LINK)
    assert called == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(httpx.Response(200, content=bytes(2000)), LinkRefused), (httpx.ReadError("cut"), LinkSilent)],
    ids=["too large", "cut off"],
)
def test_what_goes_wrong_after_connecting_is_told_and_not_tried_elsewhere(
    answer: httpx.Response | Exception, kind: type[Exception]
) -> None:
    called: list[str] = []

    def transport(request: httpx.Request) -> httpx.Response:
        called.append(request.url.host)
        if isinstance(answer, Exception):
            raise answer
        return answer

    gateway = Gateway(
        "http://gateway", key="sk-test", image_transport=httpx.MockTransport(transport),
        resolve=lambda host, port: [FIRST, SECOND],
    )  # fmt: skip
    with pytest.raises(kind):
        gateway.fetch(LINK, limit=1000)
    assert called == [FIRST]
