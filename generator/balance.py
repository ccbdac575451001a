"""What the studio's account has left at the gateway (A7), as staff are told it."""

from collections.abc import Callable
from decimal import Decimal

from django.core.cache import cache

from generator.errors import ProviderError
from generator.providers.directory import Balance
from generator.providers.gateway import Gateway

UNKNOWN = "unknown"
KEPT_FOR = 300  # seconds
UNKNOWN_KEPT_FOR = 60  # seconds: a gateway that does not answer holds up one page a minute
DEADLINE = 3.0  # seconds for each of the calls it takes

_NAME = "balance-told-by-the-gateway"


def kept(open_gateway: Callable[[], Gateway]) -> Balance | None:
    """The account's balance, some minutes old; None where the gateway does not say.

    Never raises a ProviderError, since it stands on pages that are about other things.
    """
    said: tuple[Decimal | None, ...] | None = cache.get(_NAME)
    if said is None:
        found = _ask(open_gateway)
        said = (found.left, found.used) if found else ()
        cache.set(_NAME, said, KEPT_FOR if said else UNKNOWN_KEPT_FOR)
    return Balance(*said) if said else None


def in_words(open_gateway: Callable[[], Gateway]) -> str:
    """The same, such as `$12.50 left, $3.25 used`; UNKNOWN where the gateway does not say."""
    balance = kept(open_gateway)
    return UNKNOWN if balance is None else _words(balance)


def _ask(open_gateway: Callable[[], Gateway]) -> Balance | None:
    try:
        return open_gateway().balance(deadline=DEADLINE)
    except ProviderError:
        return None


def _words(balance: Balance) -> str:
    left = "no limit" if balance.left is None else f"{_dollars(balance.left)} left"
    return left if balance.used is None else f"{left}, {_dollars(balance.used)} used"


def _dollars(amount: Decimal) -> str:
    return f"{'-' if amount < 0 else ''}${abs(amount):,.2f}"
