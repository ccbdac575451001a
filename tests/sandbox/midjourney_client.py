"""A small client of the sandbox's Midjourney, which knows nothing of the studio's adapter."""

import base64
import io
from typing import Any

import httpx
from PIL import Image

from tests.sandbox.conftest import KEY, opened

HEADERS = {"Authorization": f"Bearer {KEY}"}


class Midjourney:
    """Says things to `/mj` and looks at what comes of them."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def post(self, verb: str, body: Any, prefix: str = "") -> httpx.Response:
        """A submit, whatever comes of it."""
        return self.client.post(f"{prefix}/mj/submit/{verb}", json=body, headers=HEADERS)

    def begin(self, verb: str, prefix: str = "", **body: Any) -> str:
        """The id of a task that was taken."""
        reply = self.post(verb, body, prefix)
        assert reply.status_code == 200, reply.text
        assert reply.json()["code"] in {1, 21, 22}, reply.text
        return str(reply.json()["result"])

    def look(self, id: str) -> dict[str, Any]:
        """The task as it is now."""
        reply = self.client.get(f"/mj/task/{id}/fetch", headers=HEADERS)
        assert reply.status_code == 200, reply.text
        task: dict[str, Any] = reply.json()
        return task

    def picture(self, id: str) -> Image.Image:
        """The file of a task that succeeded."""
        task = self.look(id)
        assert task["status"] == "SUCCESS", task
        reply = self.client.get(task["imageUrl"])
        assert reply.headers["content-type"] == "image/png"
        return opened(reply.content)

    def button(self, id: str, label: str) -> str:
        """The custom id of a task's button, by its label or sign."""
        buttons = self.look(id)["buttons"]
        return next(str(b["customId"]) for b in buttons if label in {b["label"], b["emoji"]})

    def press(self, id: str, label: str, prefix: str = "") -> str:
        """Press a button; the id of the new task."""
        return self.begin("action", prefix, taskId=id, customId=self.button(id, label))


def uri(image: Image.Image, format: str = "PNG") -> str:
    """An image as a data URI."""
    file = io.BytesIO()
    image.save(file, format)
    text = base64.b64encode(file.getvalue()).decode()
    return f"data:image/{format.lower()};base64,{text}"


def quadrant(grid: Image.Image, number: int) -> Image.Image:
    """One of the four pictures: 1 top left, 2 top right, 3 bottom left, 4 bottom right."""
    width, height = grid.width // 2, grid.height // 2
    left, top = (number - 1) % 2 * width, (number - 1) // 2 * height
    return grid.crop((left, top, left + width, top + height))
