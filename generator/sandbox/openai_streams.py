"""GPT image models, streaming: server-sent events in place of one answer (B4, M2).

A draft is the image out of focus. Every whole image has an event of its own, with its own usage
and without an index, and there is no `[DONE]` at the end.
"""

import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from PIL import Image, ImageFilter

from generator.sandbox.desk import Desk, in_base64
from generator.sandbox.gallery import Wish, encode, encode64
from generator.sandbox.orders import Order
from generator.sandbox.wire import Answer, Fields

_BLUR = 24  # pixels, of the first draft


def events(
    desk: Desk, order: Order, wishes: Iterable[Wish], word: str,
    usage: Callable[[Order], Fields], kind: str,
) -> Answer:  # fmt: skip
    """The answer of status 200. `kind`: `image_generation` or `image_edit`."""
    facts = {"created_at": int(desk.pace.now()), **order.echo}
    body = b"".join(
        _event(f"{kind}.{name}", {**said, **facts})
        for wish in ([] if word == "empty" else wishes)
        for name, said in _of_one(desk, order, wish, word, usage)
    )
    return Answer(200, "text/event-stream; charset=utf-8", body)


def _of_one(
    desk: Desk, order: Order, wish: Wish, word: str, usage: Callable[[Order], Fields]
) -> Iterator[tuple[str, Fields]]:
    whole = in_base64(desk.gallery, wish, word)
    for index in range(order.drafts):
        draft = _draft(desk.gallery.picture(wish).data, order, _BLUR >> index)
        yield "partial_image", {"b64_json": draft, "partial_image_index": index}
    yield "completed", {"b64_json": whole, "usage": usage(replace(order, count=1))}


def _draft(data: bytes, order: Order, blur: int) -> str:
    with Image.open(io.BytesIO(data)) as image:
        return encode64(encode(image.filter(ImageFilter.BoxBlur(blur)), order.format, 60))


def _event(name: str, said: Fields) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **said})}\n\n".encode()
