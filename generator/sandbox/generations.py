"""`POST /v1/images/generations`: one route, spoken differently by each provider (B, D, I3)."""

from types import ModuleType

from generator.sandbox import catalogue, grok, openai_images, seedream
from generator.sandbox.desk import Desk, no_channel
from generator.sandbox.wire import Answer, Fields, Refused, Visit

# Each has `speaks_for(model)` and `carry_out(desk, asked)`.
SPEAKERS: tuple[ModuleType, ...] = (openai_images, seedream, grok)


def answer(desk: Desk, visit: Visit, path: list[str]) -> Answer | None:
    """The answer of whoever speaks for the model, if this is the route."""
    if (visit.method, path) != ("POST", ["v1", "images", "generations"]):
        return None
    asked = desk.receive(visit, lambda body: body.get("prompt"))
    model = find_channel(asked.body)
    for speaker in SPEAKERS:
        if speaker.speaks_for(model):
            said: Answer = speaker.carry_out(desk, asked)
            return said
    message = "not supported model for image generation, only imagen models are supported"
    raise Refused(500, message, code="convert_request_failed")


def find_channel(body: Fields) -> str:
    """The model, or what the gateway says before it reads anything else (A2)."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise Refused(400, "model name is required")
    if not catalogue.known(model):
        raise no_channel(model)
    return model
