"""A generation from the form to its end, through a real gateway and a sandbox on real sockets.

`tests.providers.carrying` does the same without rows; here the form, the books and the storage
take part. Waiting moves the sandbox's clock.
"""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from generator import lifecycle, uploads
from generator.forms.prompt import PromptForm
from generator.models import Generation, Status, Team, User
from generator.providers.gateway import Gateway
from generator.sandbox import Log, Sandbox, paint
from generator.sandbox.serve import serving
from tests.make import make_entry
from tests.providers import asking
from tests.providers.asking import Case
from tests.providers.carrying import PLENTY, Clock
from tests.scripted import look_again, run

KEY = "sk-sentinel-0123456789abcdef"
MOST_LOOKS = 40

# One case for each action of each protocol that takes a prompt of its own.
CASES: dict[str, Case] = {}
for _case in asking.CASES:
    _rule = _case[0].rule(_case[2])
    if _rule.prompt != "none" and _rule.starts_from != "button":
        CASES.setdefault(f"{_rule.protocol} {_rule.action}", _case)


@dataclass(frozen=True, slots=True)
class Studio:
    """A gateway, and the sandbox behind it."""

    sandbox: Sandbox
    log: Log
    clock: Clock
    gateway: Gateway

    def begin(self, team: Team, author: User, case: Case, prompt: str) -> Generation:
        """Begin an action by the form, with all the images that it needs, uploaded."""
        form = PromptForm(posted(team, author, case, prompt), team=team, author=author)
        assert form.is_valid(), form.errors
        return lifecycle.begin(author, team, form.entry, form.asked(), batch=form.batch)

    def carry(self, generation: Generation, *, looks: int = MOST_LOOKS) -> Generation:
        """Take its steps until it is over, or was looked at so many times."""
        assert generation.status == Status.QUEUED
        generation = run(self.gateway)  # type: ignore[arg-type]
        for _ in range(looks):
            if generation.is_final:
                break
            self.clock.sleep(generation.takes.poll_every)
            generation = look_again(generation, self.gateway)  # type: ignore[arg-type]
        return generation

    def make(self, team: Team, author: User, case: Case, prompt: str) -> Generation:
        """Begin it, and carry it to its end."""
        return self.carry(self.begin(team, author, case, prompt))


@contextlib.contextmanager
def living(*, image_origin: str = "", **gateway: Any) -> Iterator[Studio]:
    """A studio for the length of a block. `image_origin`: where result links lead instead of the
    sandbox's own image host; `gateway`: what the gateway is to be told besides."""
    clock, log = Clock(), Log(balance=PLENTY)
    sandbox = Sandbox(KEY, log, delay=8, clock=clock.now, sleep=clock.sleep)
    with paint.plainly(), serving(sandbox) as doors:
        sandbox.desk.image_origin = image_origin or doors.images
        door = Gateway(doors.gateway, key=KEY, image_origins=[doors.images], **gateway)
        try:
            yield Studio(sandbox, log, clock, door)
        finally:
            door.close()


def posted(team: Team, author: User, case: Case, prompt: str) -> dict[str, Any]:
    """What the page posts for an action, with the images that it cannot do without."""
    family, wire_model, action = case
    make_entry(wire_model)
    rule = family.rule(action)
    given = (
        [asking.reference(rule.references, n) for n in range(rule.references.least)]
        if (rule.references)
        else []
    )
    kept = [uploads.keep_reference(team, author, one.data, name=one.file_name) for one in given]
    data: dict[str, Any] = {
        "batch": str(uuid.uuid4()),
        "model": wire_model,
        "action": action,
        "prompt": prompt,
        "reference": [one.token for one in kept],
    }
    if rule.mask == "required":
        mask = asking.mask_of(given[0]).data
        over = {"width": kept[0].width, "height": kept[0].height}
        data["mask"] = uploads.keep_mask(team, author, mask, **over).token
    return data
