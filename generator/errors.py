"""Everything that can go wrong, as one tree. The text of an error is for people.

    StudioError
    ├── NotAllowed            the person may not do this here
    ├── NotOffered            the model is not offered, or has no price
    ├── PriceChanged          it costs something else than the page said; nothing was written
    ├── QuotaExceeded         a cap would be passed; nothing was written
    ├── IllegalMove           our bug: the life cycle has no such move
    ├── AlreadyMoved          an ordinary race: the loser stops
    ├── BadPicture            bytes that are no image we keep
    ├── StorageRefused        an image could not be put into the storage now
    ├── SecretLost            a sharing link's address cannot be told again
    ├── SpoolFull             a paid image could not be put down on this machine
    └── ProviderError
        ├── RequestRefused    it will never work so
        │   └── ContentRefused    the provider's safety rules
        ├── ProviderBusy      it came to nothing for sure: ask again
        ├── ProviderSilent    it may be going on behind our back: never ask again
        ├── BadReply          an answer that cannot be read
        ├── TaskUnknown       the provider knows no such task, yet or any more
        ├── LinkRefused       a result link that may not be fetched, or is gone
        └── LinkSilent        a result link that did not answer: try it again

A key, a prompt or a provider's raw answer never enters a message.
"""

from datetime import datetime


class StudioError(Exception):
    """Whatever the studio says no to; ``str(error)`` is a sentence for people."""


class NotAllowed(StudioError):
    """The person's role in the team does not let them do this."""


class NotOffered(StudioError):
    """The model is not offered, or nobody knows its price."""


class PriceChanged(StudioError):
    """It costs something else than the page said. Nothing was begun, and the person is asked."""


class QuotaExceeded(StudioError):
    """A cap would be passed. Nothing was reserved.

    `window` is that of the cap ("day", "month", "ever"; empty where nobody said), `shared` whether
    it is the team's, `own` whether the member set it themselves. `needed`, `left` (which may be
    below nought) and `missing` are credits; `resets_at` is an aware moment, None for never.
    """

    def __init__(
        self,
        message: str,
        *,
        window: str = "",
        shared: bool = False,
        own: bool = False,
        needed: int = 0,
        left: int = 0,
        resets_at: datetime | None = None,
    ) -> None:
        super().__init__(message)
        self.window = window
        self.shared = shared
        self.own = own
        self.needed = needed
        self.left = left
        self.resets_at = resets_at

    @property
    def missing(self) -> int:
        """Credits that would have to be there besides."""
        return self.needed - self.left


class IllegalMove(StudioError):
    """The life cycle has no such move: a bug of ours."""


class AlreadyMoved(StudioError):
    """Someone else has moved this generation; the loser stops."""


class BadPicture(StudioError):
    """The bytes are not an image that the studio keeps."""


class StorageRefused(StudioError):
    """The storage of images does not answer, or refuses."""


class SecretLost(StudioError):
    """A sharing link's address cannot be told again: the server's key is another."""


class SpoolFull(StudioError):
    """A paid image could not be put down on this machine's disk."""


class ProviderError(StudioError):
    """What came, or did not come, from the gateway or the provider behind it.

    `code` is the gateway's own word for it, `request_id` what its support asks
    for, `retry_after` the pause in seconds that it asked for. `is_limit`: it said that
    it is asked too often, so that fewer calls should be under way (A4, A5). `is_of_the_call`: the
    call was refused by its status, so a look says nothing of the task that was looked for.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        request_id: str = "",
        retry_after: float | None = None,
        is_limit: bool = False,
        is_of_the_call: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.is_limit = is_limit
        self.is_of_the_call = is_of_the_call


class RequestRefused(ProviderError):
    """The same request will never work."""


class ContentRefused(RequestRefused):
    """The provider's safety rules refused the prompt or what was made of it."""


class ProviderBusy(ProviderError):
    """Nothing was made, for sure: asking again costs nothing."""


class ProviderSilent(ProviderError):
    """Nobody knows whether it was made: asking again might pay twice."""


class BadReply(ProviderError):
    """The answer could not be read."""


class TaskUnknown(ProviderError):
    """The provider knows no such task: it is too new, or too old."""


class LinkRefused(ProviderError):
    """A result link that may not be fetched, or that is gone for good."""


class LinkSilent(ProviderError):
    """A result link that did not answer this time."""
