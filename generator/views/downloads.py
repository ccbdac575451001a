"""Images to keep: one, as made or in another form, and many as one ZIP."""

import logging
import uuid
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, get_args

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from generator import packing, pictures, zipping
from generator.access import TeamRequest, in_team, needs
from generator.errors import BadPicture, StudioError
from generator.library.choosing import MOST_CHOSEN, chosen
from generator.library.looking import Look, images
from generator.models import Deed, ImageAsset
from generator.views.files import content_type
from generator.views.streaming import streamed

FORMS: tuple[pictures.Form, ...] = get_args(pictures.Form.__value__)
EDGES = (512, 1024, 1600, 2048)  # pixels of the longest side that may be asked for

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """The form in which somebody wants an image; `edge` None keeps its size."""

    form: pictures.Form
    edge: int | None = None

    @classmethod
    def read(cls, request: HttpRequest, image: ImageAsset) -> "Wish | None":
        """What `?as=` and `?edge=` ask for; None for the image as made.

        Raises Http404 for what there is no form for.
        """
        form, edge = request.GET.get("as", ""), request.GET.get("edge", "")
        if form not in ("", *FORMS) or edge not in ("", "full", *map(str, EDGES)):
            raise Http404
        most = int(edge) if edge.isdigit() else None
        own = _form_of(image)
        wanted = next((one for one in FORMS if one == form), own or "png")
        is_smaller = most is not None and most < max(image.width, image.height)
        if wanted == own and not is_smaller:
            return None
        return cls(wanted, most) if form or is_smaller else None


@require_safe
@in_team
@needs(Deed.LOOK)
def download(request: TeamRequest, pk: uuid.UUID) -> HttpResponse:
    """An image to keep, as made or as `?as=` and `?edge=` say.

    The author's own copy also says prompt and settings, unless turned off.
    """
    kept = ImageAsset.objects.kept().select_related("generation")
    image = get_object_or_404(kept, pk=pk, team=request.team)
    wish = Wish.read(request, image)
    try:
        data = _converted(image, wish)
        if image.author_id == request.user.pk and settings.KEEP_SETTINGS_IN_DOWNLOADS:
            data = _told(image, data)
    except packing.Busy as error:
        return _refused(request, image, str(error))
    except zipping.Unreadable as error:
        logger.warning("An image could not be read: %s", type(error.__cause__).__name__)
        return _refused(request, image, "The image storage does not answer. Try again in a moment.")
    except BadPicture:
        sentence = "This image cannot be had in that form. Download it as it was made."
        return _refused(request, image, sentence)
    return _file(data, _name(image, wish))


@require_POST
@in_team
@needs(Deed.LOOK)
def archive(request: TeamRequest) -> HttpResponseBase:
    """The chosen images as a ZIP; with `all`, every image that answers the look in the form."""
    look = Look.read(request.POST)
    try:
        places = _places(request, look)
    except StudioError as error:
        messages.error(request, str(error))
        return redirect(f"{reverse('library', args=[request.team.slug])}?{look.query}".rstrip("?"))
    found = packing.at_places(request.team, places, by=request.user)
    packing.give_back_connection()
    name = f"{zipping.safe_name(request.team.slug)}-images-{request.team.today()}.zip"
    return zip_answer(request, zipping.stream(map(packing.entry, found)), name)


def zip_answer(
    request: HttpRequest, chunks: Generator[bytes], filename: str
) -> StreamingHttpResponse:
    """An archive (`zipping.stream`) as a file to keep, sent while it is made.

    It may be called from a view that is no coroutine, under ASGI and WSGI. The generator is closed
    when the reader leaves. What it reads from the database it should read in bites, and give the
    connection back after each (`packing.in_bites` does).
    """
    return streamed(request, chunks, filename=filename, content_type="application/zip")


# ── One ──


def _form_of(image: ImageAsset) -> pictures.Form | None:
    return next((form for form in FORMS if form == image.format), None)


def _converted(image: ImageAsset, wish: Wish | None) -> bytes:
    if wish is None:
        return _read(image)
    with packing.CONVERTING.turn():
        picture = pictures.converted(_read(image), format=wish.form, edge=wish.edge)
        return pictures.mark(picture.data)


def _read(image: ImageAsset) -> bytes:
    return b"".join(packing.chunks(str(image.file.name)))


def _told(image: ImageAsset, data: bytes) -> bytes:
    said: dict[str, Any] = packing.said_settings(image.generation)
    try:
        return pictures.mark(data, prompt=image.generation.prompt, settings=said)
    except BadPicture:
        return data  # damaged in the storage; it is theirs all the same


def _name(image: ImageAsset, wish: Wish | None) -> str:
    if wish is None:
        return image.file_name()
    stem = image.file_name().rpartition(".")[0]
    size = f"-{wish.edge}" if wish.edge else ""
    return f"{stem}{size}.{'jpg' if wish.form == 'jpeg' else wish.form}"


def _file(data: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(data, content_type=content_type(name))
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    answer["Cache-Control"] = "private, no-store"
    return answer


def _refused(request: TeamRequest, image: ImageAsset, sentence: str) -> HttpResponse:
    messages.error(request, sentence)
    return redirect("image", request.team.slug, image.pk)


# ── Many ──


def _places(request: TeamRequest, look: Look) -> list[int]:
    """Where the images stand in the library, newest first. Raises StudioError for none or for more
    than MOST_CHOSEN."""
    if "all" in request.POST:
        found = images(request.team, request.user, look)
    else:
        found = chosen(request.team, request.POST.getlist("image"))
    places = list(found.values_list("place", flat=True)[: MOST_CHOSEN + 1])
    if len(places) > MOST_CHOSEN:
        raise StudioError(
            f"There are more than {MOST_CHOSEN:,} images here. Filter them, and download some at a "
            "time."
        )
    if not places:
        raise StudioError("There is no image to download. Choose one or more first.")
    return places
