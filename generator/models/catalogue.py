"""Which models people may pick, and what an image of each costs."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generator.errors import NotOffered
from generator.families import FAMILIES, Family, family_named


class PriceSource(models.TextChoices):
    """Who said the price; a sync never overwrites the staff's."""

    FILE = "file", _("the families file")
    GATEWAY = "gateway", _("the gateway")
    STAFF = "staff", _("staff")


class PriceKind(models.TextChoices):
    """What a price is counted by."""

    IMAGE = "image", _("image")
    REQUEST = "request", _("request")
    MEGAPIXEL = "megapixel", _("megapixel")
    TOKENS = "tokens", _("tokens")


def in_credits(of_the_file: int | None) -> int | None:
    """A price of the families file, which counts in thousandths of a US dollar, in the credits of
    this deployment; rounded up, for a price of nought is none."""
    return None if of_the_file is None else -(-of_the_file * settings.CREDITS_PER_DOLLAR // 1000)


def rates_in_credits(of_the_file: Mapping[str, int]) -> dict[str, int]:
    """The same for prices by action."""
    return {name: in_credits(each) or 0 for name, each in of_the_file.items()}


class CatalogueQuerySet(models.QuerySet["CatalogueEntry"]):
    """Catalogue entries, by name of the question."""

    def pickable(self) -> Self:
        """What a page shows: offered, priced, and of a family that this release knows."""
        return self.filter(self._priced(), offered=True, family__in=FAMILIES).order_by(
            "position", "label"
        )

    @staticmethod
    def _priced() -> Q:
        by_tokens = Q(price_kind=PriceKind.TOKENS)
        return (by_tokens & Q(tokens_in__isnull=False, tokens_out__isnull=False)) | (
            ~by_tokens & Q(credits_each__isnull=False)
        )

    def fill(self) -> int:
        """Add an entry for each model the families name that has none; say how many.

        What is there is left alone: staff may have changed it.
        """
        known = set(self.values_list("wire_model", flat=True))
        fresh = [
            CatalogueEntry(
                wire_model=model.wire_model,
                label=model.label,
                family=family.name,
                credits_each=in_credits(model.credits),
                rates=rates_in_credits(model.rates),
                price_source=PriceSource.FILE,
                position=position,
            )
            for position, (family, model) in enumerate(
                (family, model) for family in FAMILIES.values() for model in family.models
            )
            if model.wire_model not in known
        ]
        self.bulk_create(fresh, ignore_conflicts=True)
        return len(fresh)


class CatalogueEntry(models.Model):
    """One model people may pick, and its price: a row that staff and the sync keep."""

    wire_model = models.CharField(_("model id at the gateway"), max_length=120, unique=True)
    label = models.CharField(_("label"), max_length=120)
    family = models.CharField(
        _("family"),
        max_length=60,
        blank=True,
        help_text=_(
            "What the model takes: a name in families.toml. Empty: this release does not know it, "
            "and nobody can pick the model."
        ),
    )
    offered = models.BooleanField(_("offered"), default=True)
    price_kind = models.CharField(
        _("price by"), max_length=10, choices=PriceKind, default=PriceKind.IMAGE
    )
    credits_each = models.PositiveIntegerField(
        _("credits each"),
        null=True,
        blank=True,
        help_text=_(
            "For one image, request or megapixel. Empty: the price is not known, and nobody can "
            "pick the model."
        ),
    )
    # What a model that is priced by tokens takes for a million of them (B5, G2), in credits.
    tokens_in = models.DecimalField(
        _("credits for a million tokens in"),
        max_digits=16,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    tokens_out = models.DecimalField(
        _("credits for a million tokens out"),
        max_digits=16,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    # What the gateway multiplies its own prices by (A6); a price that staff set stands as it is.
    ratio = models.DecimalField(
        _("the gateway's ratio"), max_digits=8, decimal_places=4, default=Decimal(1), editable=False
    )
    # Prices that differ: by action, or by action and speed ("upscale", "create turbo").
    rates = models.JSONField(
        _("other prices"),
        default=dict,
        blank=True,
        help_text=_(
            'Credits by action, or by action and speed: {"upscale": 20, "create turbo": 80}.'
        ),
    )
    price_source = models.CharField(
        _("price from"), max_length=10, choices=PriceSource, default=PriceSource.STAFF
    )
    position = models.PositiveIntegerField(_("position"), default=1000)
    seen_at = models.DateTimeField(_("last seen at the gateway"), null=True, blank=True)
    # It was listed at the gateway and is no more. Staff decide whether it stays on offer: some
    # models can be called without being listed (A6).
    gone_at = models.DateTimeField(_("missing at the gateway since"), null=True, blank=True)
    # What the gateway says of it, as `catalogue_sync` writes it: for staff to read, not to bill by.
    listed = models.JSONField(_("what the gateway says"), default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CatalogueQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("catalogue entries")
        ordering = ["position", "label"]

    def __str__(self) -> str:
        return self.label

    @property
    def takes(self) -> Family:
        """What the model takes. Raises NotOffered if this release does not know its family."""
        return family_named(self.family)

    def price(
        self,
        count: int,
        action: str = "create",
        fields: Mapping[str, Any] | None = None,
        *,
        references: int = 0,
    ) -> int:
        """Credits held for `count` images made so, with so many references along.

        Fields that are not said stand at the family's defaults. Raises NotOffered where the price
        is unknown.
        """
        if not self.offered:
            raise NotOffered(f"{self.label} is not offered any more. Pick another model.")
        each = self.price_of_one(action, fields or {})
        if each is None:
            raise NotOffered(f"Nobody has set a price for {self.label} yet. Pick another model.")
        return each * count

    def price_of_one(self, action: str, fields: Mapping[str, Any]) -> int | None:
        """Credits of one image made so; None where nobody knows.

        A speed that is not said is the family's usual one.
        """
        speed = fields.get("speed") or self._usual_speed()
        for name in (f"{action} {speed}", action):
            if isinstance(each := self.rates.get(name), int):
                return each
        return self.credits_each

    def _usual_speed(self) -> str | None:
        family = FAMILIES.get(self.family)
        field = family.fields.get("speed") if family else None
        return field.default if field else None

    def can(self, action: str) -> bool:
        """Whether the model can do this."""
        family = FAMILIES.get(self.family)
        return family is not None and family.can(self.wire_model, action)

    def price_basis(
        self, action: str = "create", fields: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """What a generation copies, so that settling reads no price that changed since."""
        return {
            "kind": "image",
            "credits_each": self.price_of_one(action, fields or {}),
            "source": self.price_source,
        }


class Change(models.TextChoices):
    """What a sync found out about an entry."""

    ADDED = "added", _("new")
    REPRICED = "repriced", _("repriced")
    GONE = "gone", _("gone")
    BACK = "back", _("back")


class CatalogueChange(models.Model):
    """One thing that a sync changed, kept for staff: what stood before, and what stands now."""

    entry = models.ForeignKey(CatalogueEntry, on_delete=models.CASCADE, related_name="changes")
    what = models.CharField(_("what"), max_length=10, choices=Change)
    before = models.CharField(_("before"), max_length=200, blank=True)
    after = models.CharField(_("after"), max_length=200, blank=True)
    at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("change of the catalogue")
        verbose_name_plural = _("changes of the catalogue")

    def __str__(self) -> str:
        return f"{self.entry}: {self.get_what_display()}"
