"""The images that somebody has chosen on a page."""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice

from generator.errors import StudioError
from generator.models import ImageAsset, Team
from generator.models.assets import ImageAssetQuerySet

MOST_CHOSEN = 10_000


def chosen(team: Team, pks: Iterable[str]) -> ImageAssetQuerySet:
    """The kept images of the team that these name; what names none is left out.

    One text may name several, parted by commas: a request has few fields.
    Raises StudioError where more than MOST_CHOSEN are named.
    """
    return _named(team, pks).kept()


def chosen_in_trash(team: Team, pks: Iterable[str]) -> ImageAssetQuerySet:
    """The same of the images in the trash."""
    return _named(team, pks).trashed()


def keys_of(pks: Iterable[str]) -> set[uuid.UUID]:
    """The keys that are written there, whether or not an image has them.

    Raises StudioError where more than MOST_CHOSEN are named.
    """
    each = (text for several in pks for text in several.split(","))
    named = list(islice(each, MOST_CHOSEN + 1))
    if len(named) > MOST_CHOSEN:
        raise StudioError(f"Choose at most {MOST_CHOSEN:,} images at once.")
    keys = set()
    for text in named:
        with suppress(ValueError):
            keys.add(uuid.UUID(text))
    return keys


def _named(team: Team, pks: Iterable[str]) -> ImageAssetQuerySet:
    return ImageAsset.objects.filter(team=team, pk__in=keys_of(pks)).newest_first()
