"""Whether the studio lives, and whether it is ready to work: for people and load balancers."""

from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from generator import jobs
from generator.models import image_storage

PROBE = "readyz"


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


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
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
    except DatabaseError:
        return False


PARTS: dict[str, Callable[[], bool]] = {
    "database": _database,
    "queue": jobs.queue_answers,
    "storage": _storage,
    "worker": _worker,
}
