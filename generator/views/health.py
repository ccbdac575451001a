"""Whether the studio lives, and whether it is ready to work: for people and load balancers."""

import threading
import time
from collections.abc import Callable

from django import db
from django.contrib.auth.decorators import login_not_required
from django.core.files.base import ContentFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from generator import jobs
from generator.models import image_storage

PROBE = "readyz"
# Seconds a verdict holds: anybody may ask as often as they like, and the parts have work to do.
GOOD_FOR = 3.0
STORAGE_GOOD_FOR = 30.0  # each look writes an object
BAD_FOR = 1.0


@never_cache
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the web process answers."""
    return HttpResponse("alive\n", content_type="text/plain")


@never_cache
@login_not_required
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when all that a generation needs answers; else 503 and the names of what does not."""
    missing = [name for name, answers in PARTS.items() if not answers()]
    return JsonResponse({"ready": not missing, "missing": missing}, status=503 if missing else 200)


class Part:
    """Something the studio needs, and the last verdict on it, kept for some seconds.

    `look` says whether it answers; a good verdict holds `good_for` seconds, a bad one BAD_FOR.
    """

    def __init__(self, look: Callable[[], bool], *, good_for: float = GOOD_FOR) -> None:
        self._look = look
        self._good_for = good_for
        self._looking = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Look again when next asked."""
        self._verdict: bool | None = None
        self._until = 0.0

    def __call__(self) -> bool:
        """Whether it answers."""
        # While another looks the last verdict stands: a part that hangs holds up one of us.
        if not self._looking.acquire(blocking=self._verdict is None):
            return bool(self._verdict)
        try:
            if self._verdict is None or time.monotonic() >= self._until:
                self._verdict = self._look()
                lasts = self._good_for if self._verdict else BAD_FOR
                self._until = time.monotonic() + lasts
            return self._verdict
        finally:
            self._looking.release()


def _database() -> bool:
    try:
        with db.connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except db.Error:
        return False
    return True


def _storage() -> bool:
    try:
        storage = image_storage()
        name = storage.save(PROBE, ContentFile(b"ready"))
        return storage.exists(name)
    except Exception:  # storages raise what they like
        return False


def _worker() -> bool:
    try:
        return jobs.worker_alive()
    except db.Error:
        return False


PARTS: dict[str, Callable[[], bool]] = {
    "database": Part(_database),
    "queue": Part(lambda: jobs.queue_answers()),
    "storage": Part(_storage, good_for=STORAGE_GOOD_FOR),
    "worker": Part(_worker),
}
