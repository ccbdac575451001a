"""Which addresses the studio may fetch an image from: those of the public internet, by https.

A link in a provider's answer is a stranger's word. Its host is resolved here, once, and the
address that passed is the one connected to, so that no second answer of a name server, no odd
spelling of an address and no difference between two parsers leads anywhere else.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from generator.errors import LinkRefused, LinkSilent

Resolver = Callable[[str, int], list[str]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

REFUSED = "The provider gave a link that the studio may not open."
# What a URL of a provider is made of. Anything else is read differently by different parsers.
PLAIN = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
HOST = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}")
# All of the public IPv6 internet lies in here. IPv4-mapped and NAT64 addresses do not.
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# But for these: Teredo and its like, documentation, 6to4. They lead to an IPv4 address or nowhere.
SPECIAL = tuple(
    ipaddress.ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect, and what to say there: `target` is path and query byte for byte.

    `spares` are the other addresses of the name, checked like the first.
    """

    scheme: str
    host: str
    port: int
    address: str
    target: str
    spares: tuple[str, ...] = ()


def system_resolve(host: str, port: int) -> list[str]:
    """All addresses of a name, as the system gives them. Raises OSError."""
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


def check(url: str, *, origins: Collection[str], resolve: Resolver) -> Target:
    """Where this link leads, if the studio may go there.

    `origins` (scheme, host and port) are allowed though private, by exact match. Raises
    LinkRefused for any other that is not https on its own port at a public address, LinkSilent
    if the name cannot be resolved now.
    """
    if not PLAIN.fullmatch(url):
        raise LinkRefused(REFUSED, code="url")
    try:
        parts = urlsplit(url)
        usual = {"https": 443, "http": 80}[parts.scheme]
        port = usual if parts.port is None else parts.port
        host = (parts.hostname or "").removesuffix(".")
    except (ValueError, KeyError):
        raise LinkRefused(REFUSED, code="url") from None
    if "@" in parts.netloc or not host:
        raise LinkRefused(REFUSED, code="url")
    listed = f"{parts.scheme}://{parts.netloc}".lower() in {
        origin.rstrip("/").lower() for origin in origins
    }
    if not listed and (parts.scheme != "https" or port != 443):
        raise LinkRefused(REFUSED, code="origin")
    address, *spares = _addresses(host, port, listed=listed, resolve=resolve)
    return Target(parts.scheme, host, port, address, _said(url, parts.netloc), tuple(spares))


def _said(url: str, netloc: str) -> str:
    """Path and query as they stand in the link: a parser that joins them again may mend them."""
    rest = url.partition("://")[2][len(netloc) :].partition("#")[0]
    return rest if rest.startswith("/") else f"/{rest}"


def _addresses(host: str, port: int, *, listed: bool, resolve: Resolver) -> list[str]:
    literal = _literal(host)
    if literal is None and not HOST.fullmatch(host):
        raise LinkRefused(REFUSED, code="host")
    try:
        found = [host] if literal else resolve(host, port)
    except OSError:
        raise LinkSilent("The provider's link leads to a name that does not resolve.") from None
    addresses = [_literal(text) for text in found]
    # All of them: a name with one private address among public ones is a trap.
    if not addresses or not all(a and (listed or is_public(a)) for a in addresses):
        raise LinkRefused(REFUSED, code="address")
    return found


def _literal(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, and carries no other one inside it."""
    if isinstance(address, ipaddress.IPv6Address) and (
        address.scope_id
        or address not in GLOBAL_UNICAST
        or any(address in network for network in SPECIAL)
    ):
        return False
    return address.is_global and not address.is_multicast
