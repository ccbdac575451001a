"""A link in an answer is a stranger's word: where it may lead, and where it never does (S1–S3)."""

import ipaddress
from collections.abc import Iterator

import httpx
import pytest

from generator.errors import LinkRefused, LinkSilent
from generator.providers import guard
from generator.providers.gateway import Gateway

PUBLIC = "93.184.216.34"
METADATA = "169.254.169.254"


class Stranger:
    """The internet as a test has it: every name has these addresses, and what comes is noted."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.resolved: list[tuple[str, int]] = []
        self.requests: list[httpx.Request] = []
        self.gateway = Gateway(
            "http://gateway",
            key="sk-test1234",
            image_transport=httpx.MockTransport(self._answer),
            resolve=self._resolve,
        )

    def _resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append((host, port))
        return self.addresses

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(200, content=b"image")


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    stranger = Stranger(PUBLIC)
    yield stranger
    stranger.gateway.close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "127.0.0.1.",
        "0x7f000001",
        "0x7f.0.0.1",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "0",
        "0.0.0.0",
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "10.0.0.1",
        "10.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "192.168.257",
        "100.64.0.1",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "localhost",
        "LOCALHOST.",
        "LocalHost",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:a9fe:a9fe]",
        "[0:0:0:0:0:ffff:a9fe:a9fe]",
        "[::7f00:1]",
        "[::ffff:0:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::169.254.169.254]",
        "[64:ff9b:1:7f00:0:100:808:808]",
        "[2002:7f00:1::]",
        "[2002:a9fe:a9fe::1]",
        "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[fe80::1%eth0]",
        "[2606:4700::1111%25eth0]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fec0::1]",
        "[ff02::1]",
        "[2001:db8::1]",
    ],
)
def test_no_spelling_of_an_address_within_leads_there(host: str) -> None:
    """With the system's own name service, which knows more spellings than any table of ours."""
    with pytest.raises(LinkRefused):
        guard.check(f"https://{host}/x", origins=(), resolve=guard.system_resolve)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/x.png",
        "//images.example/x",
        "images.example/x",
        "https:",
        "https://",
        "https:///x",
        "https:/images.example/x",
        "https:images.example/x",
        "https://:443/x",
        "https://?x",
        "https://#images.example/",
        "https://./x",
        "https://../x",
        "http://images.example/x",
        "hTTp://images.example/x",
        "ftp://images.example/x",
        "file:///etc/passwd",
        "file://images.example/etc/passwd",
        "gopher://images.example/x",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "blob:https://images.example/x",
        "https://images.example:80/x",
        "https://images.example:8443/x",
        "https://images.example:0/x",
        "https://images.example:65979/x",
        "https://images.example:-443/x",
        "https://images.example:+443/x",
        "https://images.example:443x/x",
        "https://images.example:４４３/x",
        "https://user@images.example/x",
        "https://user:word@images.example/x",
        "https://@images.example/x",
        "https://images.example@127.0.0.1/x",
        "https://images.example:443@127.0.0.1/x",
        "https://images.example:443@evil.example/x",
        "https://images.example%40127.0.0.1/x",
        "https://images.example\\@127.0.0.1/x",
        "https://images.example\\x",
        "https:\\\\images.example\\x",
        "https://127.0.0.1\\.images.example/x",
        "https://images.example\t/x",
        "ht\ntps://images.example/x",
        "https://images.example/x\r\nHost: evil.example",
        "https://images.example/\x00",
        " https://images.example/x",
        "https://images.example/x ",
        "https://images.example/a b",
        "https://images.example/ü",
        "https://bücher.example/x",
        "https://ｉmages.example/x",
        "https://①②⑦.⓪.⓪.①/x",
        "https://127。0。0。1/x",
        "https://images.example%00.evil.example/x",
        "https://%31%32%37.0.0.1/x",
        "https://images..example/x",
        "https://images.example../x",
        "https://.images.example/x",
        "https://-images.example-/x",
        "https://images,example/x",
        "https://images.example;evil.example/x",
        "https://images.example&evil.example/x",
        "https://$host/x",
        "https://[::1/x",
        "https://::1]/x",
        "https://[images.example]/x",
        "https://[::1].images.example/x",
        "https://images.example[::1]/x",
        f"https://{'a' * 64}.example/x",
        f"https://{'a' * 100_000}/x",
    ],
)
def test_a_link_that_is_read_differently_by_different_readers_is_refused(
    stranger: Stranger, url: str
) -> None:
    """Even where the name that one of them reads has a public address."""
    with pytest.raises(LinkRefused):
        stranger.gateway.fetch(url)
    assert stranger.requests == []


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("https://images.example", "images.example", "/"),
        ("https://images.example/", "images.example", "/"),
        ("https://images.example:443/x", "images.example", "/x"),
        ("https://images.example:/x", "images.example", "/x"),
        ("HTTPS://Images.Example/X", "images.example", "/X"),
        ("https://images.example./x", "images.example", "/x"),
        ("https://xn--bcher-kva.example/x", "xn--bcher-kva.example", "/x"),
        ("https://a_b.images.example/x", "a_b.images.example", "/x"),
        ("https://images.example?a=b/c", "images.example", "/?a=b/c"),
        ("https://images.example/x#y", "images.example", "/x"),
        ("https://images.example#y/z", "images.example", "/"),
        ("https://images.example#@127.0.0.1/", "images.example", "/"),
        ("https://images.example/@127.0.0.1", "images.example", "/@127.0.0.1"),
        (
            "https://images.example/?to=http://127.0.0.1/",
            "images.example",
            "/?to=http://127.0.0.1/",
        ),
        ("https://images.example//127.0.0.1/", "images.example", "//127.0.0.1/"),
        ("https://images.example/../x", "images.example", "/../x"),
    ],
)
def test_an_honest_link_leads_to_the_address_of_its_name(
    stranger: Stranger, url: str, host: str, target: str
) -> None:
    assert stranger.gateway.fetch(url) == b"image"
    assert stranger.resolved == [(host, 443)]
    (request,) = stranger.requests
    assert (request.url.scheme, request.url.host, request.url.port) == ("https", PUBLIC, None)
    assert request.headers["host"] == host
    # The certificate is checked against the name, not against the address.
    assert request.extensions["sni_hostname"] == host
    assert request.extensions["target"] == target.encode()


def test_an_address_of_the_internet_needs_no_name(stranger: Stranger) -> None:
    assert stranger.gateway.fetch("https://[2606:4700::1111]/x") == b"image"
    assert stranger.resolved == []
    assert stranger.requests[0].headers["host"] == "[2606:4700::1111]"


@pytest.mark.parametrize(
    "addresses",
    [
        [],
        ["127.0.0.1"],
        [METADATA],
        [PUBLIC, "127.0.0.1"],
        [PUBLIC, "2606:4700::1111", "10.0.0.1"],
        ["::ffff:a9fe:a9fe"],
        ["fe80::1%eth0"],
        ["64:ff9b::a9fe:a9fe"],
        ["no address"],
        [PUBLIC, ""],
    ],
)
def test_a_name_with_one_address_within_is_a_trap(addresses: list[str]) -> None:
    stranger = Stranger(*addresses)
    with pytest.raises(LinkRefused):
        stranger.gateway.fetch("https://images.example/x")
    assert stranger.requests == []


def test_a_name_that_does_not_resolve_now_may_later() -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(LinkSilent):
        guard.check("https://images.example/x", origins=(), resolve=resolve)


def test_a_name_is_asked_for_once_and_its_answer_is_the_one_connected_to(
    stranger: Stranger,
) -> None:
    """Rebinding: the second answer of the name server is another one."""
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    stranger.gateway._resolve = lambda host, port: next(answers)
    stranger.gateway.fetch("https://images.example/x")
    assert [request.url.host for request in stranger.requests] == [PUBLIC]
    with pytest.raises(LinkRefused):
        stranger.gateway.fetch("https://images.example/x")


@pytest.mark.parametrize(
    ("text", "is_public"),
    [
        (PUBLIC, True),
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("2a00:1450:4001:82f::200e", True),
        ("100.63.255.255", True),
        ("100.64.0.0", False),
        ("100.127.255.255", False),
        ("100.128.0.0", True),
        ("172.15.255.255", True),
        ("172.32.0.0", True),
        ("::ffff:8.8.8.8", False),
        ("64:ff9b::808:808", False),
        ("2002:808:808::", False),
        ("2001:db8::", False),
        ("1fff::1", False),
        ("4000::1", False),
    ],
)
def test_which_addresses_are_of_the_public_internet(text: str, is_public: bool) -> None:
    assert guard.is_public(ipaddress.ip_address(text)) is is_public


# ── Listed origins ──

LISTED = ["http://127.0.0.1:9001", "https://images.internal"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9001/x",
        "HTTP://127.0.0.1:9001/x",
        "https://images.internal/x",
        "https://IMAGES.internal/x",
    ],
)
def test_a_listed_origin_may_be_private(url: str) -> None:
    target = guard.check(url, origins=LISTED, resolve=lambda host, port: ["127.0.0.1"])
    assert target.address == "127.0.0.1"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9002/x",
        "http://127.0.0.1/x",
        "http://127.0.0.1:90010/x",
        "https://127.0.0.1:9001/x",
        "http://127.0.0.2:9001/x",
        "http://127.1:9001/x",
        "http://localhost:9001/x",
        "http://x@127.0.0.1:9001/x",
        "http://127.0.0.1:9001@evil.example/x",
        "http://127.0.0.1:9001.evil.example/x",
        "https://127.0.0.1/?http://127.0.0.1:9001/x",
        "http://images.internal/x",
        "https://images.internal:8443/x",
        "https://other.images.internal/x",
        "https://images.internal.evil.example/x",
    ],
)
def test_a_listed_origin_opens_nothing_beside_itself(url: str) -> None:
    with pytest.raises(LinkRefused):
        guard.check(url, origins=LISTED, resolve=lambda host, port: ["127.0.0.1"])
