"""Readers who leave before they are answered: a page shut, a connection lost."""

import asyncio

from comet_site.bounds import Application, Message, Receive, Scope, Send


def told_late(application: Application) -> Application:
    """The application, which hears that a reader left only once its answer has begun.

    Told before, Django gives up a view whose thread runs on: at an unlucky moment it then cannot
    end the request (a RuntimeError in the log), and a connection to the database stays open. What
    is sent to nobody costs nothing.
    """

    async def inside(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        begun = asyncio.Event()
        await application(scope, _late(receive, begun), _telling(send, begun))

    return inside


def _late(receive: Receive, begun: asyncio.Event) -> Receive:
    all_came = False

    async def received() -> Message:
        nonlocal all_came
        message = await receive()
        if all_came:
            await begun.wait()
        all_came = not message.get("more_body", False)
        return message

    return received


def _telling(send: Send, begun: asyncio.Event) -> Send:
    async def sent(message: Message) -> None:
        begun.set()
        await send(message)

    return sent
