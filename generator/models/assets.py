"""One stored image of a generation."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generator import pictures
from generator.models.deleting import delete_files
from generator.models.generations import Action, Generation
from generator.models.people import Team, User
from generator.models.storage import image_storage
from generator.models.words import ImageWords

THUMBNAIL_TRIES = 3
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHARED = "demo/"  # the images of a made-up history lie under it, each shared by many
THUMBNAILS = tuple(pictures.THUMBNAIL_EDGES)  # ("small", "large")


def image_key(asset: "ImageAsset", filename: str) -> str:
    """The same image always gets the same key: storing twice is harmless."""
    return f"teams/{asset.team_id}/{asset.generation_id}/{asset.position}.{asset.extension}"


def shared_thumbnail_key(key: str, size: str) -> str:
    """Where the thumbnail of a file under SHARED lies."""
    return f"{key.rpartition('.')[0]}-{size}.webp"


class Shape(models.TextChoices):
    """How an image lies: within a twentieth of a square it is one."""

    WIDE = "wide", _("wide")
    TALL = "tall", _("tall")
    SQUARE = "square", _("square")


def shape_of(width: int, height: int) -> Shape:
    """The shape of so many pixels."""
    if max(width, height) * 20 <= min(width, height) * 21:
        return Shape.SQUARE
    return Shape.WIDE if width > height else Shape.TALL


def place_of(created_at: datetime, generation: uuid.UUID, position: int) -> int:
    """Where an image stands in the order of the library: the higher, the newer.

    Microseconds since 1970, and three digits that tell apart what is of the same moment. One
    number, so that a page, a tag and the full-text index agree on the order.
    """
    return place_of_moment(created_at) + generation.int % 50 * 20 + position % 20


def place_of_moment(moment: datetime) -> int:
    """The first place of a moment: what was made earlier stands below it."""
    return (moment - EPOCH) // MICROSECOND * 1000


class ImageAssetQuerySet(models.QuerySet["ImageAsset"]):
    """Image assets, by name of the question."""

    def kept(self) -> Self:
        """Those that are not in the trash: whatever shows or hands out images begins here."""
        return self.filter(trashed_at=None)

    def trashed(self) -> Self:
        """Those in the trash."""
        return self.exclude(trashed_at=None)

    def newest_first(self) -> Self:
        """The library's order; no two images have the same place, so pages never overlap."""
        return self.order_by("-place")

    def without_thumbnails(self) -> Self:
        """Those the *pictures* queue still has to do."""
        return self.filter(thumbnails_at=None, thumbnail_attempts__lt=THUMBNAIL_TRIES)


def _kept(*fields: str, name: str) -> models.Index:
    return models.Index(fields=[*fields, "-place"], name=name, condition=Q(trashed_at=None))


class ImageAsset(models.Model):
    """One stored image. The original is kept as it came, but for a mark in its metadata."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    generation = models.ForeignKey(Generation, on_delete=models.PROTECT, related_name="images")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="images")
    position = models.PositiveSmallIntegerField()
    file = models.FileField(storage=image_storage, upload_to=image_key, max_length=200)
    format = models.CharField(_("format"), max_length=8)
    extension = models.CharField(max_length=5)
    content_type = models.CharField(max_length=40)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size = models.PositiveBigIntegerField(_("bytes"))
    digest = models.CharField(_("SHA-256"), max_length=64)
    revised_prompt = models.TextField(blank=True)
    thumbnails_at = models.DateTimeField(null=True)
    thumbnail_attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    trashed_at = models.DateTimeField(null=True, editable=False)
    trashed_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    # What the library sorts and filters by. All but `place` are copied of the generation, so
    # that a page is read from one index; `save` fills them in.
    place = models.BigIntegerField(unique=True, editable=False)
    author = models.ForeignKey(
        User, on_delete=models.PROTECT, editable=False, related_name="+", db_index=False
    )
    wire_model = models.CharField(max_length=120, editable=False)
    kind = models.CharField(max_length=24, choices=Action, editable=False)
    shape = models.CharField(max_length=6, choices=Shape, editable=False)

    objects = ImageAssetQuerySet.as_manager()

    class Meta:
        ordering = ["generation", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["generation", "position"], name="an_image_has_a_place_of_its_own"
            ),
        ]
        indexes = [
            _kept("team", name="images_of_a_team"),
            _kept("team", "author", name="images_by_author"),
            _kept("team", "wire_model", name="images_by_model"),
            _kept("team", "kind", name="images_by_kind"),
            _kept("team", "shape", name="images_by_shape"),
            models.Index(
                fields=["team", "-trashed_at", "-place"], name="images_in_the_trash",
                condition=Q(trashed_at__isnull=False),
            ),
            models.Index(
                fields=["team", "author", "-trashed_at", "-place"], name="trash_by_author",
                condition=Q(trashed_at__isnull=False),
            ),
            models.Index(
                fields=["created_at"], name="images_without_thumbnails",
                condition=Q(thumbnails_at=None),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.width} × {self.height} {self.format}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a new image is given its place in the library first, and its search words."""
        if not self._state.adding:
            super().save(*args, **kwargs)
            return
        self.fill_in()
        while ImageAsset.objects.filter(place=self.place).exists():
            self.place += 1  # another team's, of the same microsecond
        with transaction.atomic():
            super().save(*args, **kwargs)
            ImageWords.of(self).save(force_insert=True)

    def fill_in(self) -> Self:
        """Set what is copied of the generation, and the place; before a bulk insert, too."""
        generation = self.generation
        self.place = place_of(self.created_at, generation.pk, self.position)
        self.author_id = generation.author_id
        self.wire_model, self.kind = generation.wire_model, generation.action
        self.shape = shape_of(self.width, self.height)
        return self

    @property
    def ratio(self) -> int:
        """The nearest step of the style sheet's `data-ratio`."""
        return pictures.nearest_ratio(self.width, self.height)

    @property
    def alt(self) -> str:
        """What a screen reader says: the start of the prompt, or what was done without one."""
        generation = self.generation
        prompt = " ".join(generation.prompt.split())
        if not prompt:
            done = generation.button_label or str(generation.get_action_display()).capitalize()
            return f"{done}, by {generation.label}"
        return prompt if len(prompt) <= 120 else f"{prompt[:119]}…"

    @property
    def is_shared(self) -> bool:
        """Whether its file is that of other images, too."""
        return str(self.file.name).startswith(SHARED)

    def thumbnail_key(self, size: str) -> str:
        """Where the thumbnail of this size lies, beside the original."""
        if self.is_shared:
            return shared_thumbnail_key(str(self.file.name), size)
        return f"teams/{self.team_id}/{self.generation_id}/{self.position}-{size}.webp"

    def file_name(self) -> str:
        """What a download is called: no word of the prompt, so no word to clean."""
        return f"comet-{str(self.generation_id)[:8]}-{self.position + 1}.{self.extension}"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the row, and its bytes once that is sure. The generation and its entries stay.

        With it goes whatever a model remembers of it: its own conversation, and those that went
        on from there. They start again from their images.
        """
        files = [str(self.file.name), *(self.thumbnail_key(size) for size in THUMBNAILS)]
        keys = [] if self.is_shared else files
        with transaction.atomic():
            tellers = self._held_tellers()
            gone = super().delete(*args, **kwargs)
            keys += [teller.memory or teller.memory_key for teller in tellers]
            Generation.objects.filter(pk__in=[teller.pk for teller in tellers]).update(memory="")
            self.generation.memory = ""
            delete_files(keys)
        return gone

    def _held_tellers(self) -> list[Generation]:
        """Its generation and whatever was made from it: what a model may remember of it.

        Locked, or a memory that is kept just now would outlive its image; in the order of their
        keys, or two deletions in one family tree would wait for each other.
        """
        generation = self.generation
        keys = [generation.pk, *(one.pk for one in Generation.objects.descendants_of(generation))]
        return list(Generation.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
