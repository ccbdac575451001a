"""The stand-in gateway as one WSGI application: routes, keys, and trouble on request."""

import secrets
import time
from collections.abc import Callable, Iterable
from typing import Literal
from wsgiref.types import StartResponse, WSGIEnvironment

from generator.sandbox import (
    account,
    bria,
    catalogue,
    flux,
    front_page,
    gemini,
    generations,
    kling,
    midjourney,
    openai_edits,
    replicate,
    wire,
)
from generator.sandbox.desk import Desk, House, Said, bearer
from generator.sandbox.gallery import Gallery
from generator.sandbox.images_host import ImageHost
from generator.sandbox.links import Links
from generator.sandbox.log import Log
from generator.sandbox.pace import Pace
from generator.sandbox.wire import Answer, Refused, Visit, as_html, as_json

type Protocol = Callable[[Desk, Visit, list[str]], Answer | None]

# By section of the documents. No two know the same address; the first that knows it answers.
PROTOCOLS: tuple[Protocol, ...] = (
    generations.answer,
    openai_edits.answer,
    flux.answer,
    midjourney.answer,
    gemini.answer,
    bria.answer,
    replicate.answer,
    kling.answer,
)


class Sandbox:
    """A WSGI callable that answers as the gateway does; `images` is its image host.

    Every answer is a real reading of the gateway's documentation (A, B, K, L) and says
    `X-Sandbox: 1`. `log` is all the state there is.
    """

    def __init__(
        self,
        key: str | None = None,
        log: Log | None = None,
        *,
        image_origin: str = "http://images.sandbox",
        delay: float = 0.0,
        strict: bool = True,
        response_format: Literal["reject", "ignore"] = "reject",
        link_life: float = 3600,
        unknown_path: Literal["html", "404"] = "html",
        image_bytes: int | None = None,
        body_limit: int = 100_000_000,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`key`: the only one accepted; None takes any of the right form.

        `image_origin`: scheme, host and port of the links. `delay`: seconds a generation
        takes. `strict`: refuse wrong fields as the real one does, or mend them in silence.
        `response_format`: what GPT image models do about it. `link_life`: seconds.
        `image_bytes`: about how much every image file weighs. `body_limit`: bytes.
        """
        self.log = log if log is not None else Log()
        pace = Pace(clock, sleep)
        gallery = Gallery(image_bytes)
        links = Links(secrets.token_bytes(32), link_life, clock)
        house = House(key, delay, strict, response_format == "reject", body_limit)
        self.desk = Desk(house, self.log, gallery, links, pace, image_origin)
        self._unknown_path = unknown_path
        # Ids of models that the list names no more.
        self.withdrawn: set[str] = set()
        self.images = ImageHost(links, gallery, self.log, pace)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        visit = wire.visit(environ, self.desk.pace.now())
        try:
            answer = self._answer(visit)
        except Refused as refused:
            answer = refused.answer(visit.request_id)
        except Said as said:
            answer = said.answer
        return wire.send(answer, visit.request_id, start_response)

    def _answer(self, visit: Visit) -> Answer:
        path = visit.path.strip("/").split("/")
        for protocol in PROTOCOLS:
            if (answer := protocol(self.desk, visit, path)) is not None:
                return answer
        self.log.record("gateway", visit)
        match visit.method, path:
            case "GET", [""]:
                return front_page.page(self.log)
            case "GET", ["api", "models"]:
                return as_json(catalogue.page(visit.asked, self.withdrawn))
            case "GET", ["api", "model", code]:
                return as_json(catalogue.one(code))
            case "GET", ["user", "quota"]:
                self.desk.admit(visit.asked.get("key", ""))
                return as_json(account.quota(self.log, visit.asked))
            case "GET", ["v1", "models"]:
                self.desk.admit(bearer(visit))
                return as_json(catalogue.as_openai_list())
            case "GET", ["v1", "dashboard", "billing", "subscription"]:
                self.desk.admit(bearer(visit))
                return as_json(account.subscription(self.log))
            case "GET", ["v1", "dashboard", "billing", "usage"]:
                self.desk.admit(bearer(visit))
                return as_json(account.usage(self.log))
            case "POST", ["v1", "images", "variations"]:
                self.desk.admit(bearer(visit))
                raise Refused(501, "api not implemented", code="api_not_implemented")
        return self._nowhere()

    def _nowhere(self) -> Answer:
        """A wrong path: the gateway's own web page, with status 200 (A2)."""
        status = 200 if self._unknown_path == "html" else 404
        return as_html("Sandbox", "<p>There is no such page, and this is not JSON.", status)
