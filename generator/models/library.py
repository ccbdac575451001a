"""How a team keeps order among its images: tags, collections, and each person's favourites.

Every row that ties an image to one of them copies the image's `place`, so that "the newest of
this tag" is read from one index.
"""

import unicodedata
from typing import Any, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generator import names
from generator.models.assets import ImageAsset
from generator.models.people import Team, User

LONGEST_TAG = 40  # characters
LONGEST_TITLE = 80  # characters of a collection's or a link's name


def folded(name: str) -> str:
    """A name as it is compared: case does not count, nor how an accent is written, nor joiners.

    Done here and not by the database: each of them has its own idea of capital letters.
    """
    bare = name.translate(dict.fromkeys(map(ord, names.JOINERS)))
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", bare).casefold())


class NamedQuerySet[T: "Named"](models.QuerySet[T]):
    """Tags or collections, by name of the question."""

    def by_name(self) -> Self:
        """In the order of a list."""
        return self.order_by("folded")

    def held(self, pk: int) -> T | None:
        """The one of this key, locked, so that it is not deleted while something is tied to it;
        None if it is gone. Only inside a transaction."""
        return self.select_for_update(no_key=True).filter(pk=pk).first()


class Named(models.Model):
    """What has a name that its team has once; `folded` is what is compared."""

    name: "models.CharField[str, str]"
    folded = models.CharField(max_length=4 * LONGEST_TITLE, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save with the name's folded form."""
        self.folded = folded(self.name)
        super().save(*args, **kwargs)


class Tag(Named):
    """A word that a team puts on images."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="tags")
    name = models.CharField(_("name"), max_length=LONGEST_TAG)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = NamedQuerySet["Tag"].as_manager()

    class Meta:
        ordering = ["folded"]
        constraints = [
            models.UniqueConstraint(fields=["team", "folded"], name="a_tag_is_once_a_team")
        ]


class Tied(models.Model):
    """An image's tie to a set of images; `place` is the image's, for the order."""

    image = models.ForeignKey(ImageAsset, on_delete=models.CASCADE, related_name="+")
    place = models.BigIntegerField(editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save with the image's place."""
        self.place = self.image.place
        super().save(*args, **kwargs)


class Tagging(Tied):
    """A tag on an image."""

    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="taggings")
    image = models.ForeignKey(ImageAsset, on_delete=models.CASCADE, related_name="taggings")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tag", "image"], name="an_image_has_a_tag_once")
        ]
        indexes = [models.Index(fields=["tag", "-place"], name="images_of_a_tag")]

    def __str__(self) -> str:
        return f"{self.tag} on {self.image}"


class Collection(Named):
    """A named set of a team's images; an image may be in many."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="collections")
    name = models.CharField(_("name"), max_length=LONGEST_TITLE)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = NamedQuerySet["Collection"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "folded"], name="a_collection_is_once_a_team")
        ]


class Collected(Tied):
    """An image in a collection."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="collected")
    image = models.ForeignKey(ImageAsset, on_delete=models.CASCADE, related_name="collected")
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["collection", "image"], name="an_image_is_once_in_a_collection"
            )
        ]
        indexes = [models.Index(fields=["collection", "-place"], name="images_of_a_collection")]

    def __str__(self) -> str:
        return f"{self.image} in {self.collection}"


class Favourite(Tied):
    """An image that somebody likes; nobody else sees that."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")
    image = models.ForeignKey(ImageAsset, on_delete=models.CASCADE, related_name="favourites")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "image"], name="a_favourite_is_liked_once")
        ]
        indexes = [models.Index(fields=["user", "team", "-place"], name="favourites_of_a_person")]

    def __str__(self) -> str:
        return f"{self.user} likes {self.image}"
