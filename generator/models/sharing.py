"""Sharing links: what they show, to whom, until when; who came, and what they said."""

import uuid
from datetime import datetime
from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generator.models.assets import ImageAsset
from generator.models.library import LONGEST_TITLE, Collection, Tied
from generator.models.people import Membership, Team, User
from generator.models.roles import Deed, roles_that_may

LONGEST_NOTE = 2000  # characters of what a visitor writes
MOST_DAYS = 3650
MOST_DAYS_OF_AN_END = 365  # where every link must have one


class Audience(models.TextChoices):
    """Who may open a link."""

    ANYONE = "anyone", _("anyone with the link")
    MEMBERS = "members", _("signed-in members of the team")


class Download(models.TextChoices):
    """What a visitor may keep."""

    NONE = "none", _("not at all")
    SMALL = "small", _("small")
    ORIGINAL = "original", _("as made")


class SharingRulesQuerySet(models.QuerySet["SharingRules"]):
    """The one row."""

    def now(self) -> "SharingRules":
        """What staff said, else the defaults (unsaved)."""
        return self.filter(pk=1).first() or SharingRules(pk=1)


class SharingRules(models.Model):
    """What the administrator allows of every link; one row."""

    default_days = models.PositiveSmallIntegerField(
        _("days a new link is open"), default=30,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)],
    )  # fmt: skip
    never_allowed = models.BooleanField(_("links without an end are allowed"), default=True)

    objects = SharingRulesQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("rules for sharing links")
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="sharing_rules_are_one_row")]

    def __str__(self) -> str:
        return str(_("Rules for sharing links"))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the one row."""
        self.pk = 1
        super().save(*args, **kwargs)

    @property
    def most_days(self) -> int:
        """How long a link may be open that has an end.

        Where all must, ten years would be none: it is a year, or what is usual if that is more.
        """
        return MOST_DAYS if self.never_allowed else max(MOST_DAYS_OF_AN_END, self.default_days)


class ShareLinkQuerySet(models.QuerySet["ShareLink"]):
    """Links, by name of the question."""

    def open(self, now: datetime) -> Self:
        """Those that somebody may still enter: not revoked, over, or of an author who is suspended,
        not in the team any more or a viewer now.

        A link whose views are used up stays open to those who are in already: see `has_room`.
        """
        there = Membership.objects.filter(
            team=OuterRef("team"), user=OuterRef("author"), role__in=roles_that_may(Deed.SHARE)
        )
        return self.in_time(now).filter(Exists(there), author__is_active=True)

    def in_time(self, now: datetime) -> Self:
        """Those that are neither revoked nor over."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)

    def with_role(self) -> Self:
        """Each with `author_role`: that of its author in its team now, None without one."""
        theirs = FilteredRelation(
            "team__memberships", condition=Q(team__memberships__user=F("author"))
        )
        return self.annotate(theirs=theirs, author_role=F("theirs__role"))

    def with_room(self) -> Self:
        """Those whose views are not used up."""
        return self.filter(Q(most_views=None) | Q(views__lt=F("most_views")))


class ShareLink(models.Model):
    """A secret address that shows chosen images.

    The secret is derived from `nonce` with the server's key; the row keeps only its digest.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="links")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="links")
    title = models.CharField(_("title"), max_length=LONGEST_TITLE, blank=True)
    # A collection as it grows; a selection, or a collection as it was, has rows of its own.
    collection = models.ForeignKey(
        Collection, on_delete=models.CASCADE, null=True, blank=True, related_name="links"
    )
    nonce = models.BinaryField(max_length=16, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(_("open until"), null=True, blank=True)
    password = models.CharField(max_length=128, blank=True, editable=False)
    most_views = models.PositiveIntegerField(_("most views"), null=True, blank=True)
    download = models.CharField(
        _("download"), max_length=8, choices=Download, default=Download.ORIGINAL
    )
    shows_prompt = models.BooleanField(_("prompt and settings are shown"), default=False)
    watermark = models.CharField(_("text over the images"), max_length=60, blank=True)
    audience = models.CharField(_("for"), max_length=8, choices=Audience, default=Audience.ANYONE)
    takes_replies = models.BooleanField(_("visitors may pick and write"), default=False)
    views = models.PositiveIntegerField(default=0, editable=False)
    last_opened_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    author_role: str | None  # of those that were asked for `with_role`

    objects = ShareLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("sharing link")
        indexes = [
            models.Index(fields=["team", "-created_at"], name="links_of_a_team"),
            models.Index(fields=["-created_at", "-id"], name="links_newest_first"),
        ]

    def __str__(self) -> str:
        return self.title or f"link {self.pk}"


class SharedImage(Tied):
    """An image that a link shows; its key is what the public page calls it by."""

    link = models.ForeignKey(ShareLink, on_delete=models.CASCADE, related_name="shared")
    image = models.ForeignKey(ImageAsset, on_delete=models.CASCADE, related_name="shared")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["link", "image"], name="a_link_shows_an_image_once")
        ]
        indexes = [models.Index(fields=["link", "position"], name="images_of_a_link")]

    def __str__(self) -> str:
        return f"{self.image} in {self.link}"


class Came(models.TextChoices):
    """What a visitor did."""

    OPENED = "opened", _("opened")
    DOWNLOADED = "downloaded", _("downloaded an image")
    TOOK_ALL = "took all", _("downloaded all")
    WRONG_PASSWORD = "wrong", _("wrong password")


class ShareVisit(models.Model):
    """One line of a link's log. The address is shortened: a network, not a person."""

    link = models.ForeignKey(ShareLink, on_delete=models.CASCADE, related_name="visits")
    came = models.CharField(max_length=10, choices=Came, default=Came.OPENED)
    visitor = models.UUIDField(default=uuid.uuid4, editable=False)
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["link", "-at"], name="log_of_a_link")]

    def __str__(self) -> str:
        return f"{self.came} {self.link_id}"


class SharePick(models.Model):
    """An image that a visitor picked."""

    link = models.ForeignKey(ShareLink, on_delete=models.CASCADE, related_name="picks")
    visitor = models.UUIDField()
    image = models.ForeignKey(ImageAsset, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["link", "visitor", "image"], name="a_visitor_picks_an_image_once"
            )
        ]

    def __str__(self) -> str:
        return f"pick in {self.link_id}"


class ShareNote(models.Model):
    """What a visitor wrote; one a visitor, who may change it."""

    link = models.ForeignKey(ShareLink, on_delete=models.CASCADE, related_name="notes")
    visitor = models.UUIDField()
    name = models.CharField(_("name"), max_length=80, blank=True)
    text = models.TextField(_("note"), max_length=LONGEST_NOTE)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["link", "visitor"], name="a_visitor_has_one_note")
        ]

    def __str__(self) -> str:
        return f"note in {self.link_id}"
