"""How Bria refuses (H4), and what all of its bodies have in common."""

from collections.abc import Mapping

from generator.sandbox.inputs import Rule, Whole, faults
from generator.sandbox.wire import Answer, Fields, Refused, as_json

SEED = Whole(0, 2**31 - 1)


class BriaRefused(Refused):
    """A refusal in Bria's form: an object whose code is a number, and an id of its own."""

    def answer(self, request_id: str) -> Answer:
        """`{"error": {"code", "message", "details"}, "request_id"}`."""
        error = {"code": self.status, "message": self.message, "details": self.param}
        return as_json({"error": error, "request_id": request_id}, self.status, self.headers)


def moderated() -> BriaRefused:
    """The safety refusal, before anything is made."""
    return BriaRefused(422, "The prompt did not pass content moderation.")


def checked(
    body: Fields, rules: Mapping[str, Rule], *, needed: tuple[str, ...], strict: bool
) -> Fields:
    """The body, if it may be carried out; when not strict, without what is wrong.

    Raises `BriaRefused` (422) for what is wrong, and for what is needed and not there.
    """
    said = {name: value for name, value in body.items() if value is not None}
    wrong = faults(said, rules)
    for name in needed:
        if not said.get(name) or name in wrong:
            raise BriaRefused(422, f"{name}: Field required", param=name)
    if not strict:
        return {name: value for name, value in said.items() if name not in wrong}
    for name, fault in wrong.items():
        raise BriaRefused(422, f"{name}: {fault}", param=name)
    return said
