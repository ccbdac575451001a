"""The stand-in gateway as one WSGI application: routes, keys, and trouble on request."""

import json
import re
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Literal
from wsgiref.types import StartResponse, WSGIEnvironment

from generator.sandbox import (
    account,
    catalogue,
    front_page,
    limits,
    openai_images,
    orders,
    trouble,
    wire,
)
from generator.sandbox.gallery import Gallery
from generator.sandbox.images_host import ImageHost
from generator.sandbox.links import Links
from generator.sandbox.log import Log
from generator.sandbox.orders import Order
from generator.sandbox.pace import Pace
from generator.sandbox.wire import Answer, Cut, Fields, Refused, Visit, as_html, as_json

_KEY = re.compile(r"sk-[A-Za-z0-9_-]{4,250}")
_SLOW = 20.0
_SILENT_AFTER = 0.5


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
        body_limit: int = 16_000_000,
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
        self.image_origin = image_origin
        self._key = key
        self._delay = delay
        self._strict = strict
        self._refuse_format = response_format == "reject"
        self._unknown_path = unknown_path
        self._body_limit = body_limit
        self._pace = Pace(clock, sleep)
        self._gallery = Gallery(image_bytes)
        self._links = Links(secrets.token_bytes(32), link_life, clock)
        self.images = ImageHost(self._links, self._gallery, self.log, self._pace)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        visit = wire.visit(environ, self._pace.now())
        try:
            answer = self._route(visit)
        except Refused as refused:
            answer = refused.answer(visit.request_id)
        return wire.send(answer, visit.request_id, start_response)

    def _route(self, visit: Visit) -> Answer:
        if (visit.method, visit.path) == ("POST", "/v1/images/generations"):
            return self._generate(visit)
        self.log.record("gateway", visit)
        match visit.method, visit.path.strip("/").split("/"):
            case "GET", [""]:
                return front_page.page(self.log)
            case "GET", ["api", "models"]:
                return as_json(catalogue.page(visit.asked))
            case "GET", ["api", "model", code]:
                return as_json(catalogue.one(code))
            case "GET", ["user", "quota"]:
                self._admit(visit.asked.get("key", ""))
                return as_json(account.quota(self.log, visit.asked))
            case "GET", ["v1", "models"]:
                self._admit(_bearer(visit))
                return as_json(catalogue.as_openai_list())
            case "GET", ["v1", "dashboard", "billing", "subscription"]:
                self._admit(_bearer(visit))
                return as_json(account.subscription(self.log))
            case "GET", ["v1", "dashboard", "billing", "usage"]:
                self._admit(_bearer(visit))
                return as_json(account.usage(self.log))
            case "POST", ["v1", "images", "variations"]:
                self._admit(_bearer(visit))
                raise Refused(501, "api not implemented", code="api_not_implemented")
        return self._nowhere()

    def _nowhere(self) -> Answer:
        """A wrong path: the gateway's own web page, with status 200 (A2)."""
        status = 200 if self._unknown_path == "html" else 404
        return as_html("Sandbox", "<p>There is no such page, and this is not JSON.", status)

    def _admit(self, key: str) -> None:
        good = key == self._key if self._key is not None else _KEY.fullmatch(key)
        if not good:
            raise Refused(401, "invalid token")

    def _generate(self, visit: Visit) -> Answer:
        started = self._pace.now()
        body, problem = self._json(visit)
        turn = self.log.record("gateway", visit, body)
        self._admit(_bearer(visit))
        if problem is not None:
            raise problem
        assert body is not None
        _find_channel(body)
        order = orders.check(body, strict=self._strict, refuse_format=self._refuse_format)
        word = trouble.asked_for(order.prompt, turn)
        if word in trouble.ENDS_AT_ONCE:
            return _at_once(word, order)
        if self.log.left < openai_images.cost(order):
            raise _no_money()
        return self._carry_out(order, word, started, visit)

    def _json(self, visit: Visit) -> tuple[Fields | None, Refused | None]:
        """The body as an object, or what is wrong with it: said only after the key is checked."""
        try:
            body = json.loads(visit.body(self._body_limit))
        except Refused as refused:
            return None, refused
        except (ValueError, RecursionError):
            body = None
        if isinstance(body, dict):
            return body, None
        return None, Refused(400, "invalid request body", code="bad_request_body")

    def _carry_out(self, order: Order, word: str, started: float, visit: Visit) -> Answer:
        ready = started + self._delay
        match word:
            case "html":
                self._pace.wait_until(ready)
                return as_html("Sandbox", "<p>An HTML page where JSON was expected.")
            case "empty":
                # Filtered after it was made: nothing comes, nothing is charged.
                self._pace.wait_until(ready)
                return self._paint(order, 0, word)
            case "silent":
                self._pay(order)
                self._pace.sleep(_SILENT_AFTER)
                if visit.may_cut:
                    raise Cut
                return _timed_out()
            case "524":
                self._pay(order)
                self._pace.sleep(1)
                return _timed_out()
            case "slow":
                ready = started + _SLOW
        before = self._pay(order)
        answer = self._paint(order, before, word)
        self._pace.wait_until(ready)
        return answer

    def _paint(self, order: Order, turn: int, word: str) -> Answer:
        return openai_images.answer(
            order, turn, word, self._gallery, self._links, self.image_origin, self._pace
        )

    def _pay(self, order: Order) -> int:
        day = time.strftime("%Y-%m-%d", time.gmtime(self._pace.now()))
        return self.log.pay(order.prompt, openai_images.cost(order), day)


def _bearer(visit: Visit) -> str:
    """The key of a request, with or without the word before it (A1)."""
    return visit.headers.get("authorization", "").removeprefix("Bearer ").strip()


def _find_channel(body: Fields) -> None:
    """What the gateway says before it reads anything but the model (A2)."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise Refused(400, "model name is required")
    if not catalogue.known(model):
        message = f"no available channel for group default and model {model} (distributor)"
        raise Refused(503, message, code="model_not_found")
    if limits.limits_of(model) is None:
        message = "not supported model for image generation, only imagen models are supported"
        raise Refused(500, message, code="convert_request_failed")


def _at_once(word: str, order: Order) -> Answer:
    match word:
        case "busy":
            raise Refused(
                429,
                "The model is currently busy, please try again later",
                code="bad_response_status_code",
                headers={"Retry-After": "1"},
            )
        case "refuse":
            raise openai_images.refusal(order)
        case "money":
            raise _no_money()
        case "error":
            raise Refused(
                200, "upstream error: the job failed", code="upstream_error", kind="upstream_error"
            )
        case _:
            raise Refused(500, "do request failed", code="do_request_failed")


def _no_money() -> Refused:
    return Refused(403, "user quota is not enough", code="insufficient_user_quota")


def _timed_out() -> Answer:
    return as_html("524: A timeout occurred", "<p>The origin did not answer in time.", 524)
