"""The one door to the network. It sends what adapters build, and fetches images from strangers.

Two clients: one carries the key, speaks to the gateway alone and follows no redirect; the other
carries nothing and goes only where `guard` lets it.
"""

import contextlib
import re
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import quote, urljoin

import httpx

from generator.errors import (
    LinkRefused,
    LinkSilent,
    ProviderBusy,
    ProviderError,
    ProviderSilent,
    RequestRefused,
)
from generator.providers import deadline as deadlines
from generator.providers import directory, guard
from generator.providers.base import (
    LARGEST_IMAGE,
    Adapter,
    Brief,
    Call,
    DialogAdapter,
    Finished,
    Outcome,
    Pending,
    PollingAdapter,
    RememberingAdapter,
    Reply,
)
from generator.providers.directory import Balance, Directory
from generator.providers.faults import SILENT
from generator.providers.guard import Resolver, Target
from generator.providers.packing import unpacked
from generator.providers.reading import unreadable
from generator.providers.witness import Witness

# These fail before a byte of the request has left.
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
LARGEST_REPLY = 256 * 1024 * 1024  # bytes, after decompression
CONNECT = 15.0  # seconds
KEY = re.compile(r"[!-~]+")  # what may stand in a header
MOST_REDIRECTS = 3
# Short: on a connection that the other side has just closed, a paid call ends as *silent*.
KEEP_ALIVE = 5.0
KEPT = 16  # idle connections: the pool looks at each of them whenever a reply ends
UNREADABLE = (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError)
# No encoding is asked for: images and base64 hardly shrink, and unpacking is a way to hurt us.
PLAIN = {"User-Agent": "comet-studio", "Accept-Encoding": "identity"}


class Gateway:
    """One a process, shared by all its threads.

    `root` is the gateway's address, with or without `/v1`. `image_origins` are private origins
    that result links may point to. `query_url`: the host that tells the balance where the
    gateway does not (A7); the key goes there too, so only over https or to the gateway itself.
    Transports and `resolve` are for tests. Raises RequestRefused for a key that cannot stand in
    a header.
    """

    def __init__(
        self,
        root: str,
        *,
        key: str,
        image_origins: Collection[str] = (),
        query_url: str = "",
        connections: int = 256,
        transport: httpx.BaseTransport | None = None,
        image_transport: httpx.BaseTransport | None = None,
        resolve: Resolver = guard.system_resolve,
    ) -> None:
        if not KEY.fullmatch(key.strip()):
            raise RequestRefused(
                "COMETAPI_KEY is empty or holds characters that a key cannot have."
            )
        limits = httpx.Limits(
            max_connections=connections,
            max_keepalive_connections=KEPT,
            keepalive_expiry=KEEP_ALIVE,
        )
        # No connection to a stranger twice: it is to an address, and two names may share one.
        once = httpx.Limits(max_connections=connections, max_keepalive_connections=0)
        self._client = httpx.Client(
            base_url=root_of(root),
            headers={**PLAIN, "Authorization": f"Bearer {key.strip()}"},
            cookies=_no_cookies(),
            transport=transport or _timed_transport(limits),
            follow_redirects=False,
            trust_env=False,
        )
        self._images = httpx.Client(
            headers=PLAIN,
            cookies=_no_cookies(),
            transport=image_transport or _timed_transport(once),
            follow_redirects=False,
            trust_env=False,
        )
        self._key = key.strip()
        self._query = _query_origin(query_url, root)
        self._origins = frozenset(image_origins)
        self._resolve = resolve

    def close(self) -> None:
        """Close every connection."""
        self._client.close()
        self._images.close()

    def submit(
        self, adapter: Adapter, brief: Brief, *, deadline: float, witness: Witness | None = None
    ) -> Outcome:
        """Make the paid call and read its answer, within `deadline` seconds in all.

        `witness` sees the reply, or that none came, before it is read. Raises RequestRefused,
        ContentRefused, ProviderBusy, ProviderSilent or BadReply.
        """
        call = replace(adapter.build_submit(brief), deadline=deadline)
        outcome = _parsed(adapter.parse_submit, self._seen_by(witness, call))
        if isinstance(outcome, Finished) and isinstance(adapter, RememberingAdapter):
            return adapter.remember(call, outcome)
        return outcome

    def answer(
        self, adapter: DialogAdapter, brief: Brief, task_id: str, *, deadline: float,
        witness: Witness | None = None,
    ) -> Outcome:  # fmt: skip
        """Answer a dialog: a paid call, read like a submit. Raises as `submit` does."""
        call = replace(adapter.build_continue(brief, task_id), deadline=deadline)
        return _parsed(adapter.parse_submit, self._seen_by(witness, call))

    def poll(
        self, adapter: PollingAdapter, task_id: str, *, deadline: float = 60,
        witness: Witness | None = None,
    ) -> Outcome:  # fmt: skip
        """Look at a task. A look is free, so where a submit would be silent it may be repeated.

        Raises RequestRefused, ContentRefused, ProviderBusy or BadReply.
        """
        call = replace(adapter.build_poll(task_id), deadline=deadline)
        outcome = self._look(call, adapter.parse_poll, witness)
        if isinstance(outcome, Pending) and not outcome.task_id:
            # Not every answer says which task it is about, or says it truly (H4).
            return replace(outcome, task_id=task_id)
        return outcome

    def list_models(self, *, deadline: float = 60) -> Directory:
        """The gateway's own list of models and prices (A6); `deadline` is for each page.

        Raises as `poll` does.
        """
        return directory.whole_list(
            lambda call: self._look(replace(call, deadline=deadline), directory.parse_list)
        )

    def balance(self, *, deadline: float = 10) -> Balance:
        """What the account has left (A7); `deadline` is for each of the calls it takes.

        The billing pair is asked first: the key then stands in a header. Raises as `poll` does.
        """
        limit, usage = directory.build_subscription(), directory.build_usage()
        try:
            return directory.balance_of(
                self._look(replace(limit, deadline=deadline), directory.parse_subscription),
                self._look(replace(usage, deadline=deadline), directory.parse_usage),
            )
        except ProviderError:
            if not self._query:
                raise
        with _nothing_to_lose():
            return _parsed(directory.parse_quota, self._ask_query_host(deadline))

    def _look[T](
        self, call: Call, parse: Callable[[Reply], T], witness: Witness | None = None
    ) -> T:
        with _nothing_to_lose():
            return _parsed(parse, self._seen_by(witness, call))

    def _seen_by(self, witness: Witness | None, call: Call) -> Reply:
        return witness.watch(self.send, call, key=self._key) if witness else self.send(call)

    def _ask_query_host(self, deadline: float) -> Reply:
        """The one call in which the key stands in an address, and leaves for another host.

        httpx logs addresses and puts them into its errors, so it is not told this one: what is
        asked for goes past it (K25).
        """
        request = self._client.build_request(
            "GET", self._query + directory.QUOTA, timeout=_timeouts(deadline)
        )
        del request.headers["Authorization"]
        path = request.url.raw_path + b"?key=" + quote(self._key, safe="").encode("ascii")
        request.extensions["target"] = path
        return self._exchanged(request, deadline)

    def send(self, call: Call) -> Reply:
        """Send one call, whatever its answer.

        Raises RequestRefused for one that cannot be sent at all, ProviderBusy if it has not
        left, ProviderSilent if it may have.
        """
        return self._exchanged(self._request(call), call.deadline)

    def _exchanged(self, request: httpx.Request, deadline: float) -> Reply:
        try:
            status, headers, body = _exchange(
                self._client, request, deadline=deadline, limit=LARGEST_REPLY
            )
        except NEVER_SENT as error:
            raise ProviderBusy("The gateway cannot be reached at the moment.") from error
        except (httpx.HTTPError, httpx.StreamError, _TooMuch) as error:
            raise ProviderSilent(SILENT, code=type(error).__name__) from error
        return Reply(status, headers, body)

    def _request(self, call: Call) -> httpx.Request:
        # A whole address in place of a path would take the key along to wherever it leads.
        if not call.path.startswith("/"):
            raise RequestRefused("The studio calls nobody but the gateway.", code="path")
        try:
            return self._client.build_request(
                call.method,
                call.path,
                json=call.json,
                data=call.data,
                files=_parts(call) or None,
                timeout=_timeouts(call.deadline),
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise RequestRefused("This cannot be written as a request.", code="form") from error

    def fetch(self, url: str, *, deadline: float = 120, limit: int = LARGEST_IMAGE) -> bytes:
        """The bytes behind a result link, at most `limit`, within `deadline` seconds in all.

        Raises LinkRefused for a link that leads where the studio does not go, is over or is too
        large, LinkSilent for one to try again.
        """
        end = time.monotonic() + deadline
        for _hop in range(MOST_REDIRECTS + 1):
            target = guard.check(url, origins=self._origins, resolve=self._resolve)
            status, headers, body = self._get(target, end, limit)
            if status in {301, 302, 303, 307, 308} and "location" in headers:
                url = _onward(url, headers["location"])
                continue
            return _image_bytes(status, body)
        raise LinkRefused("The provider's link leads in circles.", code="redirects")

    def _get(self, target: Target, end: float, limit: int) -> tuple[int, dict[str, str], bytes]:
        # Every address of the list was checked. This machine may have no way to the first of
        # them: names often give IPv6 before IPv4.
        *others, last = (target.address, *target.spares)
        try:
            for address in others:
                with contextlib.suppress(*NEVER_SENT):
                    return self._get_from(replace(target, address=address), end, limit)
            return self._get_from(replace(target, address=last), end, limit)
        except _TooMuch:
            raise LinkRefused("The provider's image is larger than 64 MB.", code="size") from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise LinkSilent(
                "The provider's image link did not answer.", code=type(error).__name__
            ) from error

    def _get_from(
        self, target: Target, end: float, limit: int
    ) -> tuple[int, dict[str, str], bytes]:
        left = end - time.monotonic()
        return _exchange(self._images, _request_to(target, left), deadline=left, limit=limit)


class _TooMuch(Exception):
    """A body larger than its limit."""


def root_of(address: str) -> str:
    """The gateway's root: a trailing `/v1` or `/v1beta` is cut (A1)."""
    root = address.rstrip("/")
    for ending in ("/v1beta", "/v1"):
        root = root.removesuffix(ending)
    return root.rstrip("/")


def _parts(call: Call) -> list[tuple[str, tuple[str, bytes, str]]]:
    """Files for a multipart body, in httpx's form."""
    return [(name, (file.file_name, file.data, file.content_type)) for name, file in call.files]


def _onward(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise LinkRefused(guard.REFUSED, code="url") from None


def _query_origin(address: str, root: str) -> str:
    """The query host's address without a slash at its end; empty where the key may not go."""
    try:
        ours, theirs = httpx.URL(root), httpx.URL(address)
    except httpx.InvalidURL:
        return ""
    is_ours = (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)
    safe = theirs.host and (theirs.scheme == "https" or is_ours)
    return address.strip().rstrip("/") if safe else ""


@contextlib.contextmanager
def _nothing_to_lose() -> Iterator[None]:
    """What costs nothing may be asked again after a silence."""
    try:
        yield
    except ProviderSilent as error:
        raise ProviderBusy(str(error), code=error.code, request_id=error.request_id) from error


def _parsed[T](parse: Callable[[Reply], T], reply: Reply) -> T:
    try:
        return parse(reply)
    except UNREADABLE as error:
        raise unreadable(reply) from error


def _timeouts(deadline: float) -> httpx.Timeout:
    return httpx.Timeout(deadline, connect=min(CONNECT, deadline), pool=min(CONNECT, deadline))


def _request_to(target: Target, left: float) -> httpx.Request:
    """A request to the address that was checked, under the name that was asked for."""
    bracketed = f"[{target.address}]" if ":" in target.address else target.address
    usual = {"https": 443, "http": 80}[target.scheme] == target.port
    name = f"[{target.host}]" if ":" in target.host else target.host
    return httpx.Request(
        "GET",
        f"{target.scheme}://{bracketed}:{target.port}/",
        headers={
            **PLAIN,
            "Host": name if usual else f"{name}:{target.port}",
            "Accept": "image/*",
        },
        extensions={
            # Byte for byte: a signature over the query breaks at the slightest kindness.
            "target": target.target.encode("ascii"),
            "sni_hostname": target.host,
            "timeout": _timeouts(max(left, 0.1)).as_dict(),
        },
    )


def _exchange(
    client: httpx.Client, request: httpx.Request, *, deadline: float, limit: int
) -> tuple[int, dict[str, str], bytes]:
    """Send, and take the body, counted after decompression, all within the deadline."""
    with deadlines.within(deadline), contextlib.closing(client.send(request, stream=True)) as reply:
        body = bytearray()
        assert isinstance(reply.stream, httpx.SyncByteStream)
        try:
            # Not `iter_bytes`, which unpacks before anybody can count.
            for chunk in unpacked(reply.stream, reply.headers.get("content-encoding", "")):
                body += chunk
                if len(body) > limit:
                    raise _TooMuch
        except ValueError as error:
            raise httpx.DecodingError(str(error)) from error
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return reply.status_code, headers, bytes(body)


def _no_cookies() -> CookieJar:
    """A jar that takes nothing: a client would carry a stranger's cookies along for life."""
    return CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))


def _timed_transport(limits: httpx.Limits) -> httpx.HTTPTransport:
    """httpx's own transport, over sockets that keep a total deadline."""
    transport = httpx.HTTPTransport(limits=limits, trust_env=False)
    # httpx has no public way to name the backend of the pool that it makes.
    transport._pool._network_backend = deadlines.TimedBackend()
    return transport


def _image_bytes(status: int, body: bytes) -> bytes:
    if status == 200:
        return body
    if status in {408, 425, 429} or status >= 500:
        raise LinkSilent("The provider's image link did not answer.", code=str(status))
    raise LinkRefused("The provider's link to the image did not work any more.", code=str(status))
