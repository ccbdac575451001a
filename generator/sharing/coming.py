"""Who came to a link: the log, and how many passwords may be guessed."""

import hashlib
import ipaddress
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache
from django.utils import timezone

from generator.models import Came, ShareLink, ShareVisit

MOST_LINES = 5000  # of the log of one link
MOST_FROM_THERE = 60  # lines an hour from one network; then it is known that they come
_PRUNED_EVERY = 50  # lines


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody at the door: where they come from (shortened), and what they say they use.

    Without an address ("": behind a socket, say) all of them would be one network, and the first
    that is stopped would stop everybody: for them only what is bound for the whole link holds.
    """

    id: uuid.UUID
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class Bound:
    """So many times in so many seconds."""

    most: int
    seconds: int


# Whoever guesses from one place is stopped there, soon and for long. All guesses at a link together
# stop it for everybody, so they may be many more; and yet a password of six digits outlasts months.
_FROM_THERE = (Bound(5, 300), Bound(20, 86_400))
_OF_A_LINK = Bound(300, 3600)


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
    """Write a line, unless their network has filled its part of the log; the oldest go once there
    are MOST_LINES."""
    lines = ShareVisit.objects.filter(link=link)
    lately = lines.filter(at__gt=timezone.now() - timedelta(hours=1), address=visitor.address)
    if visitor.address and lately[:MOST_FROM_THERE].count() >= MOST_FROM_THERE:
        return
    line = ShareVisit.objects.create(
        link=link, came=came, visitor=visitor.id, address=visitor.address, agent=visitor.agent
    )
    if line.pk % _PRUNED_EVERY == 0:
        last = lines.order_by("-at").values_list("at", flat=True)[MOST_LINES : MOST_LINES + 1]
        for at in last:
            lines.filter(at__lte=at).delete()


def has_room(name: str, bound: Bound) -> bool:
    """Count one more of what may come so often; False where it is one too many.

    Of many at the very same moment a few more may get through.
    """
    place = f"{name}:{int(time.time()) // bound.seconds}"
    count = cache.get(place, 0)
    if count < bound.most:
        cache.set(place, count + 1, bound.seconds)
    return bool(count < bound.most)


def take_a_guess(link: ShareLink, visitor: Visitor) -> int:
    """Use up one guess at the link's password: 0, or the seconds until there is another.

    The guess is counted before it is looked at, in places that only one process gets each: however
    many come at once, no more get through. A right one is given back by `forget_guesses`.
    """
    now = int(time.time())
    bounds = _from_there(link, visitor, now) | {_of(link, now): _OF_A_LINK}
    counted = cache.get_many(bounds)
    waits = [
        _left(bound, now) for name, bound in bounds.items() if counted.get(name, 0) >= bound.most
    ]
    if waits:
        return max(waits)
    for name, bound in bounds.items():
        if not _take_a_place(name, counted.get(name, 0), bound):
            return _left(bound, now)
    return 0


def forget_guesses(link: ShareLink, visitor: Visitor) -> None:
    """The guesses from there were somebody's who knows the password after all.

    Of all guesses at the link, the last is given back: else those who know it shut the link.
    """
    now = int(time.time())
    names = _from_there(link, visitor, now)
    places = [f"{name}:{place}" for name, bound in names.items() for place in range(bound.most)]
    cache.delete_many([*names, *places])
    name = _of(link, now)
    for place in reversed(range(min(cache.get(name, 0), _OF_A_LINK.most))):
        if cache.delete(f"{name}:{place}"):
            cache.set(name, place, _OF_A_LINK.seconds)
            return


def shut_for(links: Iterable[ShareLink]) -> dict[int, int]:
    """Which of these are shut to everybody by wrong passwords, by key, and for how many seconds."""
    now = int(time.time())
    names = {_of(link, now): link.pk for link in links if link.password}
    counted = cache.get_many(names) if names else {}
    left = _left(_OF_A_LINK, now)
    return {names[name]: left for name, count in counted.items() if count >= _OF_A_LINK.most}


def _take_a_place(name: str, first: int, bound: Bound) -> bool:
    """`cache.add` is the one step that the database's cache does for one process alone."""
    for place in range(first, bound.most):
        if cache.add(f"{name}:{place}", 1, bound.seconds):
            cache.set(name, place + 1, bound.seconds)
            return True
    cache.set(name, bound.most, bound.seconds)
    return False


def _left(bound: Bound, now: int) -> int:
    """Seconds until it is counted anew."""
    return bound.seconds - now % bound.seconds


def _from_there(link: ShareLink, visitor: Visitor, now: int) -> dict[str, Bound]:
    """What bounds the guesses of their network, by the name under which they are counted."""
    if not visitor.address:
        return {}
    return {f"{_of(link, now, bound)}:{visitor.address}": bound for bound in _FROM_THERE}


def _of(link: ShareLink, now: int, bound: Bound = _OF_A_LINK) -> str:
    """Guesses at the password that there is now: of another nothing is counted yet."""
    password = hashlib.sha256(link.password.encode()).hexdigest()[:16]
    return f"guess:{bound.seconds}:{link.pk}:{password}:{now // bound.seconds}"
