"""Which models people may pick, and what an image of each costs."""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from generator.errors import NotOffered
from generator.families import FAMILIES, Family, Model, family_named
from generator.prices import Basis

LARGEST_RATIO = 10  # of the gateway's: one that is larger is a mistake of somebody's


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


def tokens_in_credits(of_the_file: Decimal | None) -> Decimal | None:
    """What a million tokens take in the credits of this deployment, from US dollars."""
    return None if of_the_file is None else of_the_file * settings.CREDITS_PER_DOLLAR


def price_of_the_file(model: Model) -> dict[str, Any]:
    """What an entry starts with: the values of its columns, in credits."""
    return {
        "price_kind": model.kind,
        "credits_each": in_credits(model.credits),
        "tokens_in": tokens_in_credits(model.tokens_in),
        "tokens_out": tokens_in_credits(model.tokens_out),
        "ratio": model.ratio,
        "rates": rates_in_credits(model.rates),
        "price_source": PriceSource.FILE,
    }


class CatalogueQuerySet(models.QuerySet["CatalogueEntry"]):
    """Catalogue entries, by name of the question."""

    def pickable(self) -> Self:
        """What a page shows: offered, priced, and of a family that this release knows."""
        return self.filter(self._priced(), offered=True, family__in=FAMILIES).order_by(
            "position", "label"
        )

    @staticmethod
    def _priced() -> Q:
        """In step with `CatalogueEntry.basis`: what is not priced so is refused."""
        counted = [name for name, family in FAMILIES.items() if family.pricing.tokens]
        by_tokens = Q(
            price_kind=PriceKind.TOKENS,
            tokens_in__isnull=False,
            tokens_out__isnull=False,
            family__in=counted,
        )
        others = [kind for kind in PriceKind if kind != PriceKind.TOKENS]
        return by_tokens | Q(price_kind__in=others, credits_each__isnull=False)

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
                position=position,
                **price_of_the_file(model),
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
        words: int = 0,
        before: int = 0,
    ) -> int:
        """Credits held for `count` images made so, with what goes along as `basis` takes it.

        Fields that are not said stand at the family's defaults. Raises NotOffered where the price
        is unknown.
        """
        if not self.offered:
            raise NotOffered(f"{self.label} is not offered any more. Pick another model.")
        basis = self.basis(action, fields, references=references, words=words, before=before)
        if basis is None:
            raise NotOffered(f"Nobody has set a price for {self.label} yet. Pick another model.")
        return basis.price(count)

    def basis(
        self,
        action: str = "create",
        fields: Mapping[str, Any] | None = None,
        *,
        references: int = 0,
        words: int = 0,
        before: int = 0,
    ) -> Basis | None:
        """What the price of images made so is made of; None where nobody knows it.

        `references`: how many images go along. `words`: bytes of the prompt. `before`: tokens of
        the conversation that goes on (`tokens_before`). Only a price by tokens hangs on them.
        Fields that are not said stand at the family's defaults.
        """
        family = FAMILIES.get(self.family)
        if family is None:
            return None
        # What is said of a field that the action has not is nobody's business here.
        usual = {
            name: field.default
            for name, field in family.fields_for(self.wire_model, action).items()
        }
        set_so = usual | {name: said for name, said in (fields or {}).items() if said is not None}
        if self.price_kind == PriceKind.TOKENS:
            words += _bytes_of_texts(family, set_so)
            return self._basis_by_tokens(
                family, set_so, references=references, words=words, before=before
            )
        each = self._credits_of(action, set_so)
        if each is None or self.price_kind not in PriceKind.values:
            return None
        # A megapixel costs the same whatever it is part of.
        is_counted = self.price_kind == PriceKind.MEGAPIXEL
        return Basis(
            self.price_kind,
            each=Decimal(each),
            times=Decimal(1) if is_counted else family.pricing.factor(set_so),
            megapixels=family.pricing.expected_megapixels(set_so),
            ratio=self.own_ratio,
            factor=self.own_factor,
            source=self.price_source,
        )

    def _basis_by_tokens(
        self, family: Family, set_so: Mapping[str, Any], **along: int
    ) -> Basis | None:
        tokens = family.pricing.tokens
        if tokens is None or self.tokens_in is None or self.tokens_out is None:
            return None
        return Basis(
            PriceKind.TOKENS.value,
            tokens_in=Decimal(self.tokens_in),
            tokens_out=Decimal(self.tokens_out),
            given=tokens.given(set_so, **along),
            out=tokens.out(self.wire_model, set_so),
            ratio=self.own_ratio,
            factor=self.own_factor,
            source=self.price_source,
        )

    def _credits_of(self, action: str, set_so: Mapping[str, Any]) -> int | None:
        """Of one image, request or megapixel. A rate alone is no price: the entry has none."""
        if self.credits_each is None:
            return None
        for name in (f"{action} {set_so.get('speed') or self._usual_speed()}", action):
            if isinstance(each := self.rates.get(name), int):
                return each
        return self.credits_each

    def _usual_speed(self) -> str | None:
        family = FAMILIES.get(self.family)
        field = family.fields.get("speed") if family else None
        return field.default if field else None

    @property
    def own_ratio(self) -> Decimal:
        """What the gateway multiplies this price by (A6); never a price that staff set."""
        ratio = Decimal(self.ratio)
        is_staffs = self.price_source == PriceSource.STAFF
        return ratio if not is_staffs and 0 < ratio <= LARGEST_RATIO else Decimal(1)

    @property
    def own_factor(self) -> Decimal:
        """What the deployment multiplies it by; never a price that staff set."""
        return Decimal(1) if self.price_source == PriceSource.STAFF else settings.PRICE_FACTOR

    @property
    def usual_price(self) -> int | None:
        """Credits of one image with every setting as it is at first, for the first action that the
        model can do; None where nobody knows."""
        return self._price_of_one(self._usual_basis)

    @property
    def price_words(self) -> str:
        """The same for people: `42 credits`, and `about 42 credits` where only what was made says
        what it costs."""
        basis = self._usual_basis
        price = self._price_of_one(basis)
        if basis is None or price is None:
            return gettext("no price")
        words = ngettext("%(count)s credit", "%(count)s credits", price)
        words %= {"count": f"{price:,}"}
        return gettext("about %(price)s") % {"price": words} if basis.is_estimate else words

    @property
    def price_tag(self) -> str:
        """Short, and another one as soon as anything is another that its prices hang on."""
        hang_on = [
            self.price_kind, self.credits_each, _plain(self.tokens_in), _plain(self.tokens_out),
            self.rates, _plain(self.own_ratio), _plain(self.own_factor), self.price_source,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(hang_on, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def _usual_basis(self) -> Basis | None:
        family = FAMILIES.get(self.family)
        able = [action for action in family.actions if self.can(action)] if family else []
        return self.basis(able[0]) if able else None

    @staticmethod
    def _price_of_one(basis: Basis | None) -> int | None:
        try:
            return basis.price(1) if basis else None
        except NotOffered:
            return None

    def can(self, action: str) -> bool:
        """Whether the model can do this."""
        family = FAMILIES.get(self.family)
        return family is not None and family.can(self.wire_model, action)

    def price_basis(
        self,
        action: str = "create",
        fields: Mapping[str, Any] | None = None,
        *,
        references: int = 0,
        words: int = 0,
        before: int = 0,
    ) -> dict[str, Any]:
        """What a generation copies, so that settling reads no price that changed since."""
        basis = self.basis(action, fields, references=references, words=words, before=before)
        return basis.as_row() if basis else {}


def _bytes_of_texts(family: Family, set_so: Mapping[str, Any]) -> int:
    texts = [name for name, field in family.fields.items() if field.kind == "text"]
    return sum(len(str(set_so.get(name) or "").encode()) for name in texts)


def _plain(number: Decimal | None) -> str:
    """The same text for the same number, wherever it comes from."""
    return "" if number is None else f"{Decimal(number).normalize():f}"
