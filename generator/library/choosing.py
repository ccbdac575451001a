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

    Raises StudioError where more than MOST_CHOSEN are named.
    """
    named = list(islice(pks, MOST_CHOSEN + 1))
    if len(named) > MOST_CHOSEN:
        raise StudioError(f"Choose at most {MOST_CHOSEN:,} images at once.")
    keys = set()
    for text in named:
        with suppress(ValueError):
            keys.add(uuid.UUID(text))
    return ImageAsset.objects.kept().filter(team=team, pk__in=keys).newest_first()
