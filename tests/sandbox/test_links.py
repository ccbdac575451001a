"""Result links are signed, end, and may not be asked for with a key."""

import httpx
import pytest

from generator.sandbox import Log, Sandbox
from generator.sandbox.gallery import Wish
from generator.sandbox.links import LinkExpired, Links
from tests.sandbox.conftest import KEY, Generate, opened


@pytest.fixture
def link(generate: Generate) -> str:
    return str(generate(prompt="a secret teapot", response_format="url").json()["data"][0]["url"])


def test_a_link_gives_the_image_and_tells_nothing_of_the_prompt(
    client: httpx.Client, link: str
) -> None:
    reply = client.get(link)
    assert (reply.status_code, opened(reply.content).size) == (200, (256, 256))
    assert reply.headers["X-Sandbox"] == "1"
    assert "teapot" not in link


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Size=256", "Size=512"),
        ("%2F", "/"),
        ("%2F", "%2f"),
        (".png", ".jpg"),
        ("Signature=", "Signature=0"),
        ("&Signature=", "&Extra=1&Signature="),
        ("&Signature=", "&Signature"),
    ],
)
def test_one_changed_byte_is_refused(client: httpx.Client, link: str, old: str, new: str) -> None:
    assert old in link
    reply = client.get(link.replace(old, new, 1))
    assert (reply.status_code, reply.headers["content-type"]) == (403, "application/xml")
    assert b"<Code>AccessDenied</Code>" in reply.content


def test_a_link_of_another_sandbox_is_refused(link: str) -> None:
    transport = httpx.WSGITransport(app=Sandbox().images)
    with httpx.Client(transport=transport) as client:
        assert client.get(link).status_code == 403


@pytest.mark.parametrize(
    "name", ["Authorization", "x-api-key", "x-goog-api-key", "mj-api-secret", "x-key"]
)
def test_a_key_in_a_header_is_refused_and_noticed(
    client: httpx.Client, link: str, log: Log, name: str
) -> None:
    assert client.get(link, headers={name: KEY}).status_code == 400
    assert log.requests[-1].carried_key
    assert KEY not in str(log.requests[-1])


def test_a_key_in_the_query_is_refused_and_not_written_down(
    client: httpx.Client, link: str, log: Log
) -> None:
    assert client.get(f"{link}&key={KEY}").status_code == 400
    assert KEY not in str(log.requests[-1])


def test_a_link_ends() -> None:
    time = [1000.0]
    links = Links(b"secret", 60, lambda: time[0])
    link = httpx.URL(links.make("http://images", Wish(7, (32, 32)), "a teapot"))
    wish, _ = links.read(link.path, link.query.decode())
    assert (wish.seed, wish.size, wish.format) == (7, (32, 32), "png")
    time[0] = 1061.0
    with pytest.raises(LinkExpired):
        links.read(link.path, link.query.decode())
