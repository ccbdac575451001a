"""The trash of a team: moved there, taken out again, emptied after TRASH_LIFE."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import batched

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from generator.models import Deed, ImageAsset, Membership
from generator.models.assets import ImageAssetQuerySet

TRASH_LIFE = timedelta(days=30)
BITE = 500  # images of one statement


def trash(images: Iterable[ImageAsset], *, by: Membership) -> int:
    """Move images into the trash: those that the member may move; says how many were moved."""
    now = timezone.now()
    return sum(
        bite.kept().update(trashed_at=now, trashed_by=by.user) for bite in _movable(images, by)
    )


def restore(images: Iterable[ImageAsset], *, by: Membership) -> int:
    """Take images out of the trash: those that the member may move; says how many came back."""
    return sum(
        bite.trashed().update(trashed_at=None, trashed_by=None) for bite in _movable(images, by)
    )


def empty(now: datetime, *, at_most: int) -> int:
    """Delete what has lain in the trash for TRASH_LIFE, bytes and all; says how many images it saw.

    The generation, what it cost and references that stood for the image stay.
    """
    over = ImageAsset.objects.trashed().filter(trashed_at__lte=now - TRASH_LIFE)
    keys = list(over.order_by("trashed_at").values_list("pk", flat=True)[:at_most])
    for key in keys:
        with transaction.atomic():
            # Looked at again under a lock: somebody may have taken it out just now.
            image = over.select_for_update().filter(pk=key).first()
            if image:
                image.delete()
    return len(keys)


def movable(by: Membership) -> Q:
    """Which images a member may move into the trash and out of it."""
    if by.may(Deed.TRASH_ANY):
        return Q(team=by.team_id)
    if by.may(Deed.TRASH_OWN):
        return Q(team=by.team_id, author=by.user_id)
    return Q(pk__in=())


def _movable(images: Iterable[ImageAsset], by: Membership) -> Iterator[ImageAssetQuerySet]:
    for bite in batched([image.pk for image in images], BITE, strict=False):
        yield ImageAsset.objects.filter(movable(by), pk__in=bite)
