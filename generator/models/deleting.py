"""Bytes whose rows are gone: their keys are kept until the storage has deleted them."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Self

from django.db import models, transaction
from django.utils import timezone

from generator.models.generations import Generation
from generator.models.storage import image_storage

logger = logging.getLogger(__name__)

AGAIN_AFTER = timedelta(minutes=5)
REST = timedelta(minutes=1)  # in which a storage that refused is left alone by whoever deletes


class FileToDeleteQuerySet(models.QuerySet["FileToDelete"]):
    """Files to delete, by name of the question."""

    def due(self, now: datetime) -> Self:
        """Those that were not tried lately, those that wait longest first."""
        return self.filter(due_at__lte=now).order_by("due_at", "pk")

    def refused_lately(self, now: datetime) -> bool:
        """Whether the storage refused to delete one just now."""
        return self.filter(was_refused=True, due_at__gt=now + AGAIN_AFTER - REST).exists()

    def delete_from_storage(self) -> bool:
        """Delete these bytes, and say whether it did not refuse.

        Ends at the first refusal: a storage that is away is not asked for each of them.
        """
        for row in self:
            if not _is_in_use(row.key):
                try:
                    image_storage().delete(row.key)
                except Exception as error:  # storages raise what they like
                    logger.warning("The storage kept a file: %s", type(error).__name__)
                    refused = FileToDelete.objects.filter(pk=row.pk)
                    refused.update(was_refused=True, due_at=timezone.now() + AGAIN_AFTER)
                    return False
            FileToDelete.objects.filter(pk=row.pk).delete()
        return True


class FileToDelete(models.Model):
    """A key of the storage of images that no row has any more."""

    key = models.CharField(max_length=200, unique=True)
    due_at = models.DateTimeField(default=timezone.now, db_index=True)
    was_refused = models.BooleanField(default=False)

    objects = FileToDeleteQuerySet.as_manager()

    def __str__(self) -> str:
        return self.key


def delete_files(keys: Iterable[str]) -> None:
    """Delete these from the storage once the transaction is sure, and again until it has; what is
    not there is no fault."""
    # In their order: two that delete the same at once would wait for each other.
    wanted = sorted({key for key in keys if key})
    due_at = timezone.now() + AGAIN_AFTER
    rows = [FileToDelete(key=key, due_at=due_at) for key in wanted]
    FileToDelete.objects.bulk_create(rows, ignore_conflicts=True)
    noted = FileToDelete.objects.filter(key__in=wanted)
    transaction.on_commit(partial(_delete_now, noted))


def _delete_now(noted: FileToDeleteQuerySet) -> None:
    if not FileToDelete.objects.refused_lately(timezone.now()):
        noted.delete_from_storage()


def _is_in_use(key: str) -> bool:
    """Whether a generation has kept its memory there since."""
    match key.split("/"):
        case ["teams", _, generation, "memory"]:
            return Generation.objects.filter(pk=generation, memory=key).exists()
    return False
