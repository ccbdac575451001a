"""What staff may hurry: the next look at a generation that seems to hang."""

from datetime import datetime

from django.utils import timezone

from generator.models import Generation, Status


def hurry(generation: Generation, *, unseen_since: datetime) -> bool:
    """Let an unfinished generation be due now; False if it has ended or a live worker has it.

    A claim counts as over where its worker was not seen since `unseen_since`, as in the sweep.
    """
    now = timezone.now()
    mine = Generation.objects.filter(pk=generation.pk)
    if mine.filter(status=Status.QUEUED, due_at__gt=now).update(due_at=now):
        return True
    # Each is one update that names the claim it believes in: a worker that comes first keeps it.
    free = mine.under_way().filter(claimed_by="")
    return (
        bool(free.update(due_at=now) or mine.orphaned(unseen_since).update(due_at=now))
        or mine.filter(status=Status.QUEUED).exists()
    )
