"""What is stored, and the rules one row can keep."""

from generator.models.assets import ImageAsset, image_key
from generator.models.catalogue import CatalogueEntry, PriceSource
from generator.models.ceilings import Ceiling
from generator.models.clock import Chore, Lock, WorkerSeen
from generator.models.generations import FINAL, MOVES, UNDER_WAY, Action, Generation, Status
from generator.models.people import Invitation, Membership, Role, Team, User
from generator.models.quota import Cap, Kind, LedgerEntry, QuotaAccount, Window, WindowTotal
from generator.models.references import Asked, GivenReference, Purpose, ReferenceImage
from generator.models.storage import image_storage

__all__ = [
    "FINAL",
    "MOVES",
    "UNDER_WAY",
    "Action",
    "Asked",
    "Cap",
    "CatalogueEntry",
    "Ceiling",
    "Chore",
    "Generation",
    "GivenReference",
    "ImageAsset",
    "Invitation",
    "Kind",
    "LedgerEntry",
    "Lock",
    "Membership",
    "PriceSource",
    "Purpose",
    "QuotaAccount",
    "ReferenceImage",
    "Role",
    "Status",
    "Team",
    "User",
    "Window",
    "WindowTotal",
    "WorkerSeen",
    "image_key",
    "image_storage",
]
