"""Files on disk behind signed links, as a bucket serves them."""

from pathlib import PurePosixPath

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from generator.models import image_storage
from generator.models.storage import SignedFileStorage

SAFETY = 60  # seconds that a browser forgets a link before it ends

# Never guessed from bytes or from what a stranger said: our own few, and nothing a page runs.
CONTENT_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
}


@require_safe
@login_not_required
def file(request: HttpRequest, token: str) -> HttpResponse:
    """The bytes behind a link that has not expired. The link is the leave; it lives minutes."""
    storage = image_storage()
    if not isinstance(storage, SignedFileStorage):
        raise Http404
    try:
        name = storage.name_in(token)
        with storage.open(name) as stored:
            data = stored.read()
    except (signing.BadSignature, OSError, SuspiciousOperation, ValueError) as error:
        raise Http404 from error
    answer = HttpResponse(data, content_type=content_type(name))
    answer["Cache-Control"] = f"private, max-age={settings.IMAGE_LINK_LIFE}"
    # Whatever the bytes are, they run nothing and load nothing on the studio's origin.
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer["X-Content-Type-Options"] = "nosniff"
    if name.endswith(".svg"):
        answer["Content-Disposition"] = "attachment"
    return answer


def content_type(name: str) -> str:
    """The content type by our own table; bytes to keep for all else."""
    return CONTENT_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
