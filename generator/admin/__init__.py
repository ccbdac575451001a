"""What staff see and may change. The ledger is read-only here, but for grants."""

from generator.admin import catalogue, generations, people, quota

__all__ = ["catalogue", "generations", "people", "quota"]
