"""What the processes tell each other through the database: locks, signs of life, daily work."""

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone


class LockQuerySet(models.QuerySet["Lock"]):
    """Locks by name."""

    def hold(self, name: str) -> "Lock":
        """Hold the lock of this name until the transaction ends; one row a name.

        PostgreSQL locks the row. On SQLite a writing transaction holds the whole file.
        """
        self.get_or_create(name=name)
        return self.select_for_update().get(name=name)


class Lock(models.Model):
    """A row to lock where no row of the thing itself would do."""

    name = models.CharField(max_length=60, primary_key=True)

    objects = LockQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class WorkerSeenQuerySet(models.QuerySet["WorkerSeen"]):
    """Workers, by name of the question."""

    def beat(self, name: str) -> None:
        """Say that the worker of this name is alive now."""
        self.update_or_create(name=name, defaults={"seen_at": timezone.now()})

    def alive(self, *, within: timedelta) -> bool:
        """Whether any worker was seen so lately."""
        return self.filter(seen_at__gte=timezone.now() - within).exists()


class WorkerSeen(models.Model):
    """A worker's sign of life. Claims of one that gives none are taken as ended."""

    name = models.CharField(max_length=100, primary_key=True)
    seen_at = models.DateTimeField()

    objects = WorkerSeenQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "workers seen"

    def __str__(self) -> str:
        return self.name


class ChoreQuerySet(models.QuerySet["Chore"]):
    """Recurring work, by name."""

    def take(self, name: str, *, every: timedelta) -> bool:
        """Whether this process shall do the chore now; of many that ask, one is told yes."""
        now = timezone.now()
        chore, _made = self.get_or_create(name=name, defaults={"due_at": now})
        if chore.due_at > now:
            return False
        return bool(self.filter(name=name, due_at=chore.due_at).update(due_at=now + every))

    def put_off(self, name: str, *, by: timedelta) -> None:
        """Let a chore that could not be done come round sooner, or later, than it would."""
        self.filter(name=name).update(due_at=timezone.now() + by)


class Chore(models.Model):
    """Work that comes round, and when it is due. It hangs on no schedule in the queue."""

    name = models.CharField(max_length=60, primary_key=True)
    due_at: "models.DateTimeField[datetime, datetime]" = models.DateTimeField()

    objects = ChoreQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
