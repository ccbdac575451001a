"""Links to images: signed, short-lived, and carrying all it takes to paint the image again.

No state is kept. The path holds a digest of the prompt, never the prompt; the query holds
the moment the link ends, what to paint, and an HMAC over the raw path and query before it.
One changed byte, and be it `%2F` written as `/`, breaks the signature (K8).
"""

import hashlib
import hmac
import math
import time
from collections.abc import Callable
from urllib.parse import parse_qsl

from generator.sandbox.gallery import Wish

_SIGNATURE = "&Signature="


class BadLink(Exception):
    """The link was not made here, or not so."""


class LinkNotYet(Exception):
    """The link is good, and there is nothing behind it yet."""


class LinkExpired(Exception):
    """The link was good once."""


class Links:
    """Makes links and reads them back; both with the same secret."""

    def __init__(self, secret: bytes, life: float, now: Callable[[], float] = time.time) -> None:
        """`life` is how long a link works, in seconds."""
        self._secret = secret
        self._life = life
        self._now = now

    def make(
        self,
        origin: str,
        wish: Wish,
        prompt: str,
        *,
        fault: str = "",
        expired: bool = False,
        until: float = math.inf,
        since: float = 0,
    ) -> str:
        """The URL of an image, on `origin` (`http://host:port`).

        `until`: the moment at which it ends, if that is before its usual life does. `since`: the
        moment before which nothing is found behind it.
        """
        now = self._now()
        digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()[:24]
        day = time.strftime("%Y%m%d", time.gmtime(now))
        path = f"/cdn/{day}/{digest}-{wish.seed:x}.{wish.format}"
        ends = now - 60 if expired else min(now + self._life, until)
        width, height = wish.size
        # The scope says nothing: it is there to be escaped.
        query = (
            f"Scope=images%2Fsandbox&Expires={int(ends)}&Seed={wish.seed}"
            f"&Size={width}x{height}&Format={wish.format}&Item={wish.item}&Fault={fault}"
        )
        if since > now:
            query += f"&Since={since:.3f}"
        return f"{origin}{path}?{query}{_SIGNATURE}{self._sign(path, query)}"

    def read(self, path: str, query: str) -> tuple[Wish, str]:
        """What a link asks for, and the trouble it is to make; `query` is raw.

        Raises `BadLink`, `LinkExpired` and `LinkNotYet`.
        """
        signed, _, signature = query.rpartition(_SIGNATURE)
        if not hmac.compare_digest(signature.encode(), self._sign(path, signed).encode()):
            raise BadLink
        fields = dict(parse_qsl(signed, keep_blank_values=True))
        if int(fields["Expires"]) < self._now():
            raise LinkExpired
        if float(fields.get("Since", 0)) > self._now():
            raise LinkNotYet
        width, _, height = fields["Size"].partition("x")
        size = int(width), int(height)
        wish = Wish(int(fields["Seed"]), size, fields["Format"], item=fields["Item"])
        return wish, fields["Fault"]

    def _sign(self, path: str, query: str) -> str:
        text = f"{path}?{query}".encode("utf-8", "surrogateescape")
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()
