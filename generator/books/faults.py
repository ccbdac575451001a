"""What may be wrong with the books, and how it is told."""

from dataclasses import dataclass, field

MOST_NAMED = 20  # of a kind of fault

# What is wrong, by the word that a query calls it.
FAULTS = {
    "total": "A window's total is not the sum of its entries",
    "orphan": "An entry closes or gives back what was never held",
    "doubled": "A generation is held, closed or given back twice in one account",
    "held": "What is held is not the price",
    "early": "An unfinished generation is closed",
    "unclosed": "A finished generation is not closed",
    "ended otherwise": "A generation is settled that did not succeed, or released that did",
    "costless": "A generation succeeded, and its row says no cost",
    "closed": "What came back at the end is not price less cost, or not all that was held",
    "day": "A generation is closed or given back on another day than that of its reservation",
    "given": "More was given back than it cost",
    "unheld": "A generation holds nothing in any account",
    "one side": "A generation is not held once by its author and once by the team",
    "stranger": "A generation stands in an account of another team or person",
    "unequal": "The author's account and the team's do not agree on a generation",
    "usage": "The usage of a day is not what the generations say",
}


@dataclass(slots=True)
class Finding:
    """One kind of fault: how often, by how many credits together, and where the first are."""

    what: str
    count: int = 0
    credits: int = 0
    where: list[str] = field(default_factory=list)

    def add(self, where: str, credits: int) -> None:
        """One more."""
        self.count += 1
        self.credits += credits
        if self.count <= MOST_NAMED:
            self.where.append(where)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: a key of FAULTS, where, and the credits it is off by."""

    kind: str
    where: str
    credits: int
