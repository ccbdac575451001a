"""The host that result links point to: a second one, that must never see a key.

It answers as object stores do: 400 to a request that brings a key along with the signature,
403 to a signature that does not fit or a link that has ended, both as XML.
"""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from generator.sandbox import wire
from generator.sandbox.desk import PRIVATE, file_of
from generator.sandbox.gallery import MEDIA_TYPES, Gallery
from generator.sandbox.links import BadLink, LinkExpired, LinkNotYet, Links
from generator.sandbox.log import Log
from generator.sandbox.pace import Pace
from generator.sandbox.wire import Answer, Visit


class ImageHost:
    """A WSGI callable."""

    def __init__(self, links: Links, gallery: Gallery, log: Log, pace: Pace) -> None:
        self._links = links
        self._gallery = gallery
        self._log = log
        self._pace = pace

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        visit = wire.visit(environ, self._pace.now())
        self._log.record("images", visit)
        return wire.send(self._answer(visit), visit.request_id, start_response)

    def _answer(self, visit: Visit) -> Answer:
        if not wire.KEY_HEADERS.isdisjoint(visit.headers) or "key" in visit.asked:
            return _xml(400, "InvalidArgument", "Only one auth mechanism allowed")
        if visit.method not in {"GET", "HEAD"}:
            return _xml(405, "MethodNotAllowed", "Only GET and HEAD are allowed")
        try:
            wish, word = self._links.read(visit.path, visit.query)
        except BadLink:
            return _xml(403, "AccessDenied", "Access Denied")
        except LinkExpired:
            return _xml(403, "AccessDenied", "Request has expired")
        except LinkNotYet:
            return _xml(404, "NoSuchKey", "The specified key does not exist.")
        if word == "redirect":
            return Answer(302, "text/plain", b"", {"Location": PRIVATE})
        data = file_of(self._gallery, wish, word)
        headers = {"Cache-Control": "private, max-age=3600", "Accept-Ranges": "none"}
        reply = Answer(200, MEDIA_TYPES[wish.format], data, headers)
        return self._pace.spoiled(reply, word)


def _xml(status: int, code: str, message: str) -> Answer:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    )
    return Answer(status, "application/xml", body.encode())
