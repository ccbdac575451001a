"""What syncs with the gateway changed in the catalogue, kept for staff."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generator.models.catalogue import CatalogueEntry


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

    @property
    def in_words(self) -> str:
        """`repriced: 40 credits, now 35 credits`."""
        stood = ", ".join(filter(None, (self.before, self.after and f"now {self.after}")))
        if self.what == Change.ADDED:
            stood = self.after
        return f"{self.get_what_display()}: {stood}" if stood else self.get_what_display()
