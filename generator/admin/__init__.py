"""What staff see and may change. The ledger is read-only here, but for grants."""

from generator.admin import (
    audit,
    catalogue,
    catalogue_changes,
    ceilings,
    generations,
    ledger,
    people,
    quota,
    teams,
)

__all__ = [
    "audit",
    "catalogue",
    "catalogue_changes",
    "ceilings",
    "generations",
    "ledger",
    "people",
    "quota",
    "teams",
]
