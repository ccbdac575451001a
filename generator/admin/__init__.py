"""What staff see and may change. The ledger is read-only here, but for grants."""

from generator.admin import catalogue, ceilings, generations, ledger, people, quota

__all__ = ["catalogue", "ceilings", "generations", "ledger", "people", "quota"]
