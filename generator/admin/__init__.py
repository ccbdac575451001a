"""What staff see and may change. The ledger is read-only here, but for grants."""

from generator.admin import (
    audit,
    catalogue,
    catalogue_changes,
    ceilings,
    generations,
    images,
    ledger,
    links,
    people,
    quota,
    teams,
    workers,
)

__all__ = [
    "audit",
    "catalogue",
    "catalogue_changes",
    "ceilings",
    "generations",
    "images",
    "ledger",
    "links",
    "people",
    "quota",
    "teams",
    "workers",
]
