"""Who came to a link: the log, and how many passwords may be guessed."""

import ipaddress
import time
import uuid
from dataclasses import dataclass

from django.core.cache import cache

from generator.models import Came, ShareLink, ShareVisit

MOST_LINES = 5000  # of the log of one link
_PRUNED_EVERY = 50  # lines


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody at the door: where they come from (shortened), and what they say they use."""

    id: uuid.UUID
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class _Bound:
    """So many wrong passwords in so many seconds."""

    most: int
    seconds: int


_FROM_THERE, _OF_A_LINK = _Bound(5, 300), _Bound(30, 3600)


def shortened(address: str) -> str:
    """A network, not a person: /24 of IPv4, /48 of IPv6; "" for what is no address."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    bits = 24 if found.version == 4 else 48
    return str(ipaddress.ip_network((found, bits), strict=False).network_address)


def cleaned_agent(text: str) -> str:
    """What a browser says of itself, in at most 200 characters that can be printed."""
    return "".join(char for char in text[:400] if char.isprintable())[:200]


def log(link: ShareLink, visitor: Visitor, came: Came) -> None:
    """Write a line; the oldest go once there are MOST_LINES."""
    line = ShareVisit.objects.create(
        link=link, came=came, visitor=visitor.id, address=visitor.address, agent=visitor.agent
    )
    if line.pk % _PRUNED_EVERY == 0:
        lines = ShareVisit.objects.filter(link=link)
        last = lines.order_by("-at").values_list("at", flat=True)[MOST_LINES : MOST_LINES + 1]
        for at in last:
            lines.filter(at__lte=at).delete()


def take_a_guess(link: ShareLink, visitor: Visitor) -> int:
    """Use up one guess at the link's password: 0, or the seconds until there is another.

    The guess is counted before it is looked at, in places that only one process gets each: however
    many come at once, no more get through. A right one is given back by `forget_guesses`.
    """
    now = int(time.time())
    wheres = [(f"{link.pk}:{visitor.address}", _FROM_THERE), (str(link.pk), _OF_A_LINK)]
    names = [_name(where, bound, now) for where, bound in wheres]
    counted = cache.get_many(names)
    waits = [
        bound.seconds - now % bound.seconds
        for name, (_where, bound) in zip(names, wheres, strict=True)
        if counted.get(name, 0) >= bound.most
    ]
    if waits:
        return max(waits)
    for name, (_where, bound) in zip(names, wheres, strict=True):
        if not _take_a_place(name, counted.get(name, 0), bound):
            return bound.seconds - now % bound.seconds
    return 0


def forget_guesses(link: ShareLink, visitor: Visitor) -> None:
    """The guesses from there were somebody's who knows the password after all."""
    now = int(time.time())
    name = _name(f"{link.pk}:{visitor.address}", _FROM_THERE, now)
    cache.delete_many([name, *(f"{name}:{place}" for place in range(_FROM_THERE.most))])


def _take_a_place(name: str, first: int, bound: _Bound) -> bool:
    """`cache.add` is the one step that the database's cache does for one process alone."""
    for place in range(first, bound.most):
        if cache.add(f"{name}:{place}", 1, bound.seconds):
            cache.set(name, place + 1, bound.seconds)
            return True
    cache.set(name, bound.most, bound.seconds)
    return False


def _name(where: str, bound: _Bound, now: int) -> str:
    return f"guess:{where}:{now // bound.seconds}"
