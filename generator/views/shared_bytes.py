"""The bytes behind a sharing link: always through the studio, never off to the storage."""

import hashlib
import logging

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from generator import packing, zipping
from generator.errors import BadPicture
from generator.models import Came
from generator.models.assets import THUMBNAILS
from generator.models.sharing import Download
from generator.sharing import handing, opening
from generator.sharing.handing import Handed
from generator.sharing.opening import Shown
from generator.views.downloads import zip_answer
from generator.views.files import content_type
from generator.views.visiting import Visit, gone, visits

BRIEFLY = 60  # seconds that a browser may show an image again without asking
SOON = 5  # seconds until one may ask again for what cannot be had just now
logger = logging.getLogger(__name__)


@require_safe
@visits
def picture(request: HttpRequest, visit: Visit, pk: int, size: str) -> HttpResponseBase:
    """One of the images, small or large; as made only where it may be downloaded so."""
    link = visit.link
    is_whole = size == "original" and link.download == Download.ORIGINAL
    if not visit.may_see or not (size in THUMBNAILS or is_whole):
        return gone(request)
    shown = opening.one(link, pk)
    if shown is None or (is_whole and shown.image.format == "svg"):
        return gone(request)
    image = shown.image
    packing.give_back_connection()  # others may be waited for
    try:
        handed = handing.to_keep(link, image) if is_whole else handing.thumbnail(link, image, size)
    except packing.Busy as error:
        return _not_now(str(error))
    except (zipping.Unreadable, BadPicture) as error:
        return _silent(error)
    answer = _bytes(handed)
    answer["Cache-Control"] = f"private, max-age={BRIEFLY}"
    return answer


@require_safe
@visits
def download(request: HttpRequest, visit: Visit, pk: int) -> HttpResponseBase:
    """One of the images to keep, as the link allows it."""
    if not visit.may_see or visit.link.download == Download.NONE:
        return gone(request)
    shown = opening.one(visit.link, pk)
    if shown is None:
        return gone(request)
    packing.give_back_connection()
    try:
        handed = handing.to_keep(visit.link, shown.image)
    except packing.Busy as error:
        return _not_now(str(error))
    except (zipping.Unreadable, BadPicture) as error:
        return _silent(error)
    if request.method == "GET":
        visit.log(Came.DOWNLOADED)
    answer = _bytes(handed)
    name = f"image-{shown.number or _mark(visit, shown)}.{handed.extension}"
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return answer


@require_safe
@visits
def archive(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """All of them as one ZIP, on the same terms."""
    if not visit.may_see or visit.link.download == Download.NONE:
        return gone(request)
    try:
        entries = handing.entries(visit.link, visit.secret, visit.user)
    except packing.Busy as error:
        return _not_now(str(error))
    if request.method == "GET":
        visit.log(Came.TOOK_ALL)
    name = f"{zipping.safe_name(visit.link.title) or 'images'}.zip"
    packing.give_back_connection()
    return zip_answer(request, zipping.stream(entries), name)


def _mark(visit: Visit, shown: Shown) -> str:
    """What tells the files of a link apart where images have no number that lasts."""
    return hashlib.sha256(f"{visit.link.digest} {shown.key}".encode()).hexdigest()[:8]


def _bytes(handed: Handed) -> HttpResponse:
    answer = HttpResponse(handed.data, content_type=content_type(f"image.{handed.extension}"))
    # Whatever the bytes are, they run nothing and load nothing.
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


def _silent(error: Exception) -> HttpResponse:
    logger.warning("A shared image could not be read: %s", type(error.__cause__ or error).__name__)
    return _not_now("The image cannot be had just now. Try again in a moment.")


def _not_now(sentence: str) -> HttpResponse:
    """No page, as it is asked for by an `<img>` or to be kept: a browser would keep the page."""
    answer = HttpResponse(sentence, content_type="text/plain; charset=utf-8", status=503)
    answer["Retry-After"] = str(SOON)
    return answer
