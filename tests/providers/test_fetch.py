"""Fetching an image from a stranger, over real sockets: hops, bytes, sizes, time, names."""

import contextlib
import datetime
import gzip
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from generator.errors import LinkRefused, LinkSilent, ProviderError
from generator.providers.gateway import MOST_REDIRECTS, Gateway
from tests.providers import servers
from tests.providers.servers import RawServer, redirect, reply, serving

KEY = "sk-test1234"
DEADLINE = 0.5
LATE = 1.0


@contextlib.contextmanager
def gateway_for(*origins: str, addresses: tuple[str, ...] = ("127.0.0.1",)) -> Iterator[Gateway]:
    """One that may go to these origins, where every name has these addresses."""
    gateway = Gateway(
        "http://gateway", key=KEY, image_origins=origins, resolve=lambda host, port: [*addresses]
    )
    try:
        yield gateway
    finally:
        gateway.close()


def fetched(server: RawServer, path: str = "/1.png", **limits: int) -> bytes:
    """What a fetch from a listed server gives."""
    with gateway_for(server.origin) as gateway:
        return gateway.fetch(f"{server.origin}{path}", **limits)


def failure(server: RawServer, **limits: float) -> ProviderError:
    """What a fetch from a listed server fails with, in time."""
    start = time.monotonic()
    with gateway_for(server.origin) as gateway, pytest.raises(ProviderError) as caught:
        gateway.fetch(f"{server.origin}/1.png", deadline=DEADLINE, **limits)  # type: ignore[arg-type]
    assert time.monotonic() - start < DEADLINE + LATE
    return caught.value


# ── Where it leads (S1, S3) ──


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_somewhere_else_within_is_refused_before_it_is_called(status: int) -> None:
    with (
        serving() as within,
        serving(redirect(f"{within.origin}/secret", status)) as first,
        gateway_for(first.origin) as gateway,
    ):
        with pytest.raises(LinkRefused):
            gateway.fetch(f"{first.origin}/1.png")
        assert (len(first.requests), within.connections) == (1, 0)


@pytest.mark.parametrize(
    "to",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/",
        "https://127.0.0.1/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://2130706433/",
        "//169.254.169.254/",
        "https://user@images.example/",
        "\\\\169.254.169.254\\",
        "file:///etc/passwd",
        "https://a]b/",
        "https://im ages.example/",
        "/1.png, https://169.254.169.254/",
    ],
)
def test_what_is_refused_as_a_link_is_refused_as_a_redirect(to: str) -> None:
    with serving(redirect(to)) as server:
        assert isinstance(failure(server), LinkRefused)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "to", ["http://[::1", "https://[::1].example/", "https://\xff/", "https://a:b/"]
)
def test_a_redirect_that_cannot_be_read_leads_nowhere(to: str) -> None:
    with serving(redirect(to)) as server:
        assert isinstance(failure(server), LinkRefused | LinkSilent)
        assert len(server.requests) == 1


def _path(head: bytes) -> bytes:
    return head.split(b" ", 2)[1]


def test_a_redirect_is_checked_at_every_hop() -> None:
    def answer(connection: socket.socket, head: bytes) -> None:
        to = {b"/1.png": "/2.png", b"/2.png": "3.png"}.get(_path(head), "https://10.0.0.1/")
        connection.sendall(redirect(to))

    with serving(answer) as server:
        assert isinstance(failure(server), LinkRefused)
        assert [_path(head) for head in server.requests] == [b"/1.png", b"/2.png", b"/3.png"]


def test_a_listed_origin_may_redirect_to_itself() -> None:
    def answer(connection: socket.socket, head: bytes) -> None:
        done = _path(head) == b"/cdn/1.png?sig=a%2Fb"
        connection.sendall(reply() if done else redirect("/cdn/1.png?sig=a%2Fb"))

    with serving(answer) as server:
        assert fetched(server) == b"image"


def test_a_redirect_in_circles_ends() -> None:
    with serving(redirect("/1.png")) as server:
        assert failure(server).code == "redirects"
        assert len(server.requests) == MOST_REDIRECTS + 1


def test_a_redirect_to_nowhere_is_no_image() -> None:
    with serving(reply(b"", "302 Found")) as server:
        assert isinstance(failure(server), LinkRefused)


def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    """A name server whose second answer is another one finds nobody who asks twice."""
    with (
        serving(reply(b"first")) as first,
        contextlib.ExitStack() as stack,
    ):
        answers = iter([["127.0.0.1"], ["127.0.0.2"]])
        asked: list[str] = []

        def resolve(host: str, port: int) -> list[str]:
            asked.append(host)
            return next(answers)

        origin = f"http://images.internal:{first.port}"
        gateway = Gateway("http://gateway", key=KEY, image_origins=[origin], resolve=resolve)
        stack.callback(gateway.close)
        assert gateway.fetch(f"{origin}/1.png") == b"first"
        assert asked == ["images.internal"]
        assert f"host: images.internal:{first.port}\r\n".encode() in first.requests[0].lower()


def test_two_names_at_one_address_share_no_connection() -> None:
    """What was said under one name must not answer for the other."""
    lasting = servers.lasting(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nimage")
    with serving(lasting) as server:
        origins = [f"http://{name}.internal:{server.port}" for name in ("a", "b")]
        with gateway_for(*origins) as gateway:
            for origin in origins:
                gateway.fetch(f"{origin}/1.png")
        assert server.connections == 2


# ── What is said ──


@pytest.mark.parametrize(
    "target",
    [
        "/a%2Fb%2fc+d'e~f?x=%2F%2f&amp;y=a+b%20c&z='~'&q=%e4%E4",
        "/?X-Amz-Signature=ab%2Bcd%3D%3D&X-Amz-Date=20260101T000000Z",
        "/%41%zz?%",
        "//double//slash/./../up",
        "/a;b=c,d!$()*:@[x]?[y]=(z)",
        "/?",
        "/x?#fragment",
    ],
)
def test_path_and_query_arrive_byte_for_byte(target: str) -> None:
    with serving() as server:
        fetched(server, target)
        said = _path(server.requests[0]).decode()
    assert said == target.partition("#")[0]


def test_a_stranger_is_told_neither_the_key_nor_a_cookie_that_another_one_left() -> None:
    leaving = reply(b"image", set_cookie="id=1; Path=/")
    with serving(leaving) as server, gateway_for(server.origin) as gateway:
        for _turn in range(2):
            gateway.fetch(f"{server.origin}/1.png")
        gateway.fetch(f"{server.origin}/user:word/2.png")
    for head in server.requests:
        names = {line.partition(b":")[0].lower() for line in head.split(b"\r\n")[1:] if line}
        assert names == {b"host", b"user-agent", b"accept", b"accept-encoding"}
        assert KEY.encode() not in head
        assert b"accept-encoding: identity" in head.lower()


# ── How much, and how long (D2) ──


def test_an_image_of_just_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    with serving(reply(bytes(5000))) as server:
        assert len(fetched(server, limit=5000)) == 5000
        assert failure(server, limit=4999).code == "size"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + bytes(100_000),
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + bytes(100_000),
        reply(gzip.compress(bytes(10_000_000)), content_encoding="gzip"),
        servers.endless,
    ],
    ids=["says too much", "says nothing", "packed", "endless"],
)
def test_a_body_over_the_limit_is_cut_whatever_it_says_of_itself(
    answer: servers.Answer | bytes,
) -> None:
    with serving(answer) as server:
        assert failure(server, limit=50_000).code == "size"


def test_what_comes_after_the_length_that_was_said_is_no_part_of_it() -> None:
    with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nimage" + bytes(9999)) as server:
        assert fetched(server) == b"image"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + bytes(2000), LinkSilent),
        (b"", LinkSilent),
        (b"nonsense\r\n\r\n", LinkSilent),
        (servers.never, LinkSilent),
        (servers.dripping(b"HTTP/1.1 200 O"), LinkSilent),
        (servers.dripping(b"HTTP/1.1 200 OK\r\nX: "), LinkSilent),
        (servers.dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"), LinkSilent),
        (reply(b"gone", "404 Not Found"), LinkRefused),
        (reply(b"over", "403 Forbidden"), LinkRefused),
        (reply(b"gone", "410 Gone"), LinkRefused),
        (reply(b"part", "206 Partial Content"), LinkRefused),
        (reply(b"slow down", "429 Too Many Requests"), LinkSilent),
        (reply(b"oops", "500 Oops"), LinkSilent),
        (reply(b"oops", "503 Oops"), LinkSilent),
    ],
)
def test_a_link_is_tried_again_only_where_that_may_help(
    answer: servers.Answer | bytes, kind: type[ProviderError]
) -> None:
    with serving(answer) as server:
        assert type(failure(server)) is kind


def test_the_deadline_is_for_all_hops_together() -> None:
    def answer(connection: socket.socket, head: bytes) -> None:
        time.sleep(DEADLINE * 0.4)
        connection.sendall(redirect("/1.png"))

    with serving(answer) as server:
        assert isinstance(failure(server), LinkSilent)
        assert len(server.requests) <= MOST_REDIRECTS


def test_one_that_is_not_there_may_be_later() -> None:
    with serving() as server:
        pass
    assert isinstance(failure(server), LinkSilent)


# ── Whom it speaks to (TLS) ──

NAME = "images.internal"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that NAME has signed for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(
        signed.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


@contextlib.contextmanager
def serving_tls(certificate: Path, said: list[str]) -> Iterator[RawServer]:
    """A server with that certificate; `said` are the names that it was called by."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: said.append(name)
    with serving(tls=context) as server:
        yield server


def _over_tls(name: str, server: RawServer, transport: httpx.BaseTransport | None) -> bytes:
    origin = f"https://{name}:{server.port}"
    gateway = Gateway(
        "http://gateway",
        key=KEY,
        image_origins=[origin],
        image_transport=transport,
        resolve=lambda host, port: ["127.0.0.1"],
    )
    with contextlib.closing(gateway):
        return gateway.fetch(f"{origin}/1.png", deadline=5)


def test_a_certificate_that_nobody_vouches_for_is_not_believed(certificate: Path) -> None:
    said: list[str] = []
    with serving_tls(certificate, said) as server:
        with pytest.raises(LinkSilent):
            _over_tls(NAME, server, None)
        assert server.requests == []
    assert said == [NAME]


def test_a_certificate_is_checked_against_the_name_of_the_link(certificate: Path) -> None:
    """Though the connection is to an address."""
    said: list[str] = []
    trusting = ssl.create_default_context(cafile=str(certificate))
    with serving_tls(certificate, said) as server:
        assert _over_tls(NAME, server, httpx.HTTPTransport(verify=trusting)) == b"image"
        with pytest.raises(LinkSilent):
            _over_tls("other.internal", server, httpx.HTTPTransport(verify=trusting))
        assert len(server.requests) == 1
    assert said == [NAME, "other.internal"]


def test_a_handshake_that_never_ends_is_left_at_the_deadline() -> None:
    with serving(servers.never) as server:
        origin = f"https://127.0.0.1:{server.port}"
        start = time.monotonic()
        with gateway_for(origin) as gateway, pytest.raises(LinkSilent):
            gateway.fetch(f"{origin}/1.png", deadline=DEADLINE)
        assert time.monotonic() - start < DEADLINE + LATE
