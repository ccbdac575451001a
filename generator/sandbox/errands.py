"""Tasks of Flux and of the Replicate format: the gateway reads them by either route (E4)."""

from dataclasses import dataclass, field
from decimal import Decimal

from generator.sandbox import paint
from generator.sandbox.canvas import Size
from generator.sandbox.desk import Asked, Desk, new_id
from generator.sandbox.gallery import Wish
from generator.sandbox.tasks import Task
from generator.sandbox.trouble import FOR_NOTHING
from generator.sandbox.wire import Fields, Refused


@dataclass(frozen=True, slots=True)
class Errand:
    """What a task is to make, painted or about to be. `life`: seconds for which its links work.

    `said` is the input, as it is repeated; `seed` is the one asked for, or one of ours.
    """

    model: str
    wishes: tuple[Wish, ...]
    seed: int
    life: float
    dollars: Decimal
    said: Fields = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Motif:
    """What to paint: over `base`, if there is one, and there only where `change` is white."""

    prompt: str
    model: str
    size: Size | None
    format: str
    count: int = 1
    seed: int | None = None
    base: bytes | None = field(default=None, repr=False)
    change: bytes | None = field(default=None, repr=False)


def seed_of(desk: Desk, motif: Motif) -> int:
    """The seed that was asked for, or one that is another each time the prompt is paid for."""
    if motif.seed is not None:
        return motif.seed
    return paint.seed_for(motif.prompt, motif.model, desk.log.paid(motif.prompt)) % 2**32


def wishes(desk: Desk, asked: Asked, motif: Motif) -> tuple[Wish, ...]:
    """One a picture: of the same seed they are the same, and no two of one task are."""
    seed = seed_of(desk, motif)
    seeds = [paint.seed_for(motif.prompt, motif.model, seed, n) for n in range(motif.count)]
    if motif.base is None or asked.word in FOR_NOTHING:  # the latter are never painted
        size = motif.size or (1024, 1024)
        return tuple(Wish(one, size, motif.format) for one in seeds)
    return tuple(
        desk.retouched(motif.base, motif.change, one, size=motif.size, format=motif.format)
        for one in seeds
    )


def stumble(desk: Desk, asked: Asked) -> None:
    """Raise for the words that spoil the submit; a refusal is told by the task, not by this."""
    if asked.word not in FOR_NOTHING:
        desk.stumble(asked.word, Refused(400, "sensitive words detected"))


def begin(desk: Desk, asked: Asked, errand: Errand, *, id: str = "") -> Task:
    """The task of an errand. Raises what `Desk.begin` does."""
    return desk.begin(asked, errand.dollars, errand, id=id or new_id())


def find(desk: Desk, id: str) -> Task | None:
    """The task of this id, if it is one of these; None the first time for one that is late."""
    return desk.tasks.look_for(id, Errand)


def links(desk: Desk, task: Task) -> list[str]:
    """Links to what a task made. Their time runs from the moment at which it was made (K11)."""
    errand: Errand = task.order
    until = task.ready + errand.life
    return [desk.link(wish, task.prompt, task.word, until=until) for wish in errand.wishes]
