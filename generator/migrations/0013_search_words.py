"""Images that are there get their search words. May run again: only those without are touched."""

import hashlib
from typing import Any

from django.db import migrations, models

from generator.search_words import search_words

BITE = 2000


def write_words(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    images = apps.get_model("generator", "ImageAsset").objects.using(alias)
    rows = apps.get_model("generator", "ImageWords")
    place: int | None = None
    while True:
        left = images.filter(words=None).order_by("place").select_related("generation")
        bite = list((left if place is None else left.filter(place__gt=place))[:BITE])
        if not bite:
            return
        rows.objects.using(alias).bulk_create(_row(rows, image) for image in bite)
        place = bite[-1].place


def _row(rows: Any, image: Any) -> Any:
    model = hashlib.sha256(image.wire_model.encode()).hexdigest()[:16]
    facts = (
        f"_team{image.team_id}", f"_author{image.author_id}", f"_model{model}",
        f"_kind{image.kind}", f"_shape{image.shape}",
    )  # fmt: skip
    words = " ".join((*facts, *search_words(image.generation.prompt)))
    return rows(place=image.place, image_id=image.pk, team_id=image.team_id, words=words)


class Migration(migrations.Migration):
    dependencies = [("generator", "0012_invitations_by_letter")]

    operations = [
        migrations.AddIndex(
            model_name="imagewords",
            index=models.Index(fields=["team", "-place"], name="words_of_a_team"),
        ),
        migrations.RunPython(write_words, migrations.RunPython.noop),
    ]
