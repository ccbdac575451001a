"""What the full-text index reads of an image: its search words, and what it is filtered by."""

import hashlib
from typing import Any, Self

from django.db import models

from generator.models.people import Team
from generator.search_words import search_words


def fact(kind: str, value: object) -> str:
    """The word that stands for a fact of an image; no search word begins with its underscore.

    `kind` is one of "team", "author", "model", "kind" and "shape".
    """
    if kind == "model":  # a name of any letters
        value = hashlib.sha256(str(value).encode()).hexdigest()[:16]
    return f"_{kind}{value}"


class ImageWords(models.Model):
    """An image's facts and the search words of its prompt, parted by spaces.

    The key is the image's `place`, so that the index itself knows which is the newest. On SQLite
    triggers keep the index: a migration that alters this table has to make them again.
    """

    place = models.BigIntegerField(primary_key=True)
    image = models.OneToOneField("ImageAsset", on_delete=models.CASCADE, related_name="words")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+", db_index=False)
    words = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["team", "-place"], name="words_of_a_team")]

    def __str__(self) -> str:
        return f"words of {self.image_id}"

    @classmethod
    def of(cls, image: Any) -> Self:
        """The row of an image that has its place, not saved."""
        facts = (
            fact("team", image.team_id),
            fact("author", image.author_id),
            fact("model", image.wire_model),
            fact("kind", image.kind),
            fact("shape", image.shape),
        )
        words = " ".join((*facts, *search_words(image.generation.prompt)))
        return cls(place=image.place, image=image, team_id=image.team_id, words=words)
