"""What is stored, and the rules one row can keep."""

from generator.models.assets import ImageAsset, Shape, image_key
from generator.models.caps import Cap, StartingCaps
from generator.models.catalogue import CatalogueEntry, PriceKind, PriceSource
from generator.models.catalogue_changes import CatalogueChange, Change
from generator.models.ceilings import Ceiling
from generator.models.clock import Chore, Lock, WorkerSeen
from generator.models.deleting import FileToDelete
from generator.models.generations import (
    AT_THE_PROVIDER,
    FINAL,
    MOVES,
    UNDER_WAY,
    Action,
    Generation,
    Status,
)
from generator.models.ledger import Kind, LedgerEntry, WindowTotal
from generator.models.library import Collected, Collection, Favourite, Tag, Tagging
from generator.models.notices import Notice
from generator.models.people import Invitation, Membership, Team, User
from generator.models.quota import QuotaAccount
from generator.models.references import Asked, GivenReference, Purpose, ReferenceImage
from generator.models.replies import KeptReply, Step
from generator.models.roles import MAY, Deed, Role
from generator.models.sharing import (
    Audience,
    Came,
    Download,
    SharedImage,
    ShareLink,
    ShareNote,
    SharePick,
    ShareVisit,
    SharingRules,
)
from generator.models.storage import image_storage
from generator.models.usage import UsageTotal
from generator.models.windows import Window
from generator.models.words import ImageWords

__all__ = [
    "AT_THE_PROVIDER",
    "FINAL",
    "MAY",
    "MOVES",
    "UNDER_WAY",
    "Action",
    "Asked",
    "Audience",
    "Came",
    "Cap",
    "CatalogueChange",
    "CatalogueEntry",
    "Ceiling",
    "Change",
    "Chore",
    "Collected",
    "Collection",
    "Deed",
    "Download",
    "Favourite",
    "FileToDelete",
    "Generation",
    "GivenReference",
    "ImageAsset",
    "ImageWords",
    "Invitation",
    "KeptReply",
    "Kind",
    "LedgerEntry",
    "Lock",
    "Membership",
    "Notice",
    "PriceKind",
    "PriceSource",
    "Purpose",
    "QuotaAccount",
    "ReferenceImage",
    "Role",
    "Shape",
    "ShareLink",
    "ShareNote",
    "SharePick",
    "ShareVisit",
    "SharedImage",
    "SharingRules",
    "StartingCaps",
    "Status",
    "Step",
    "Tag",
    "Tagging",
    "Team",
    "UsageTotal",
    "User",
    "Window",
    "WindowTotal",
    "WorkerSeen",
    "image_key",
    "image_storage",
]
