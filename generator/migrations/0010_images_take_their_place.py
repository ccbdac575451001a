"""Every image takes its place in the library, and copies what the library filters by.

May run again: only images without a place are touched. No two have the same place, though they
may be of the same moment.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import migrations

BITE = 2000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def take_places(apps: Any, schema_editor: Any) -> None:
    images = apps.get_model("generator", "ImageAsset").objects.using(schema_editor.connection.alias)
    last = UUID(int=0)
    while True:
        bite = list(
            images.filter(place=None, pk__gt=last)
            .order_by("pk")
            .select_related("generation")
            .only(
                "width", "height", "position", "created_at", "generation__author_id",
                "generation__wire_model", "generation__action",
            )[:BITE]
        )  # fmt: skip
        if not bite:
            return
        for image in bite:
            generation = image.generation
            moment = (image.created_at - EPOCH) // timedelta(microseconds=1)
            image.place = moment * 1000 + generation.pk.int % 50 * 20 + image.position % 20
            image.author_id = generation.author_id
            image.wire_model, image.kind = generation.wire_model, generation.action
            longer, shorter = max(image.width, image.height), min(image.width, image.height)
            lies = "wide" if image.width > image.height else "tall"
            image.shape = "square" if longer * 20 <= shorter * 21 else lies
        _part(images, bite)
        images.bulk_update(bite, ["place", "author", "wire_model", "kind", "shape"], 200)
        last = bite[-1].pk


def _part(images: Any, bite: list[Any]) -> None:
    """Move on those whose place is another's."""
    wanted = [image.place for image in bite]
    taken = set(images.filter(place__in=wanted).values_list("place", flat=True))
    for image in bite:
        if image.place in taken:
            while image.place in taken or images.filter(place=image.place).exists():
                taken.add(image.place)
                image.place += 1
        taken.add(image.place)


class Migration(migrations.Migration):
    dependencies = [("generator", "0009_library_and_links")]

    operations = [migrations.RunPython(take_places, migrations.RunPython.noop, elidable=True)]
