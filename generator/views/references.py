"""Images given along: added from a device or the library, shown, and masks painted over them."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import trigger_client_event

from generator import uploads
from generator.access import TeamRequest, in_team
from generator.errors import BadPicture, StorageRefused
from generator.families import ReferenceRule
from generator.forms.given import find_reference, reference_fault
from generator.forms.prompt import PromptForm
from generator.models import ImageAsset, ReferenceImage
from generator.models.storage import link_to
from generator.views.files import SAFETY

MOST_FILES = 16  # at once
LARGEST = 64 * 1024 * 1024  # bytes of one file
NEWEST = 40  # images of the library to choose from
STYLE = "style_reference"


@dataclass(frozen=True, slots=True)
class Tile:
    """One image of the strip in the prompt bar. `fault`: why the model picked does not take it."""

    reference: ReferenceImage
    number: int
    note: str = ""
    fault: str = ""
    without: str = ""  # what a plain link that takes it out brings along


def tiles_of(form: PromptForm) -> list[Tile]:
    """The reference images of a form, and what will be done to each before it is sent."""
    rule, label = form.rule.references, form.entry.label
    return [
        Tile(
            reference,
            number,
            note,
            _fault(rule, reference, number, label),
            form.carried_without(reference),
        )
        for number, (reference, note) in enumerate(form.shown_references, start=1)
    ]


def style_tiles_of(form: PromptForm) -> list[Tile]:
    """The images that a form gives along for the look alone."""
    rule = form.rule.styles if form.takes_styles else None
    return [
        Tile(reference, number, fault=_fault(rule, reference, number, form.entry.label, style=True))
        for number, reference in enumerate(form.style_references, start=1)
    ]


def _fault(
    rule: ReferenceRule | None,
    reference: ReferenceImage,
    number: int,
    label: str,
    *,
    style: bool = False,
) -> str:
    if rule is None:
        return f"{label} takes no {'style ' if style else ''}images here."
    if number > rule.most:
        return f"{label} takes at most {rule.most}."
    return reference_fault(rule, reference)


def keep_files(
    request: TeamRequest, files: Iterable["UploadedFile[bytes]"]
) -> tuple[list[ReferenceImage], list[str]]:
    """Keep uploaded files as reference images; a sentence for each that was refused."""
    kept: list[ReferenceImage] = []
    refusals: list[str] = []
    for number, file in enumerate(files):
        if number == MOST_FILES:
            refusals.append(f"At most {MOST_FILES} files at once: the rest was left out.")
            break
        try:
            kept.append(_kept(request, file))
        except (BadPicture, StorageRefused) as error:
            refusals.append(f"{_called(file)}: {error}")
    return kept, refusals


def _kept(request: TeamRequest, file: "UploadedFile[bytes]") -> ReferenceImage:
    """The reference image of a file. The same image added twice is one, the one that was first:
    so a plain form sent twice gives the same along, and begins one generation."""
    return _first_of(
        uploads.keep_reference(request.team, request.user, _read(file), name=file.name or "")
    )


def keep_mask(
    request: TeamRequest, file: "UploadedFile[bytes]", over: ReferenceImage | ImageAsset
) -> ReferenceImage:
    """Keep a file as the mask over this image; the same mask added twice is one as well.

    Raises BadPicture for what is no mask of that image, StorageRefused.
    """
    return _first_of(
        uploads.keep_mask(
            request.team, request.user, _read(file), width=over.width, height=over.height
        )
    )


def _first_of(new: ReferenceImage) -> ReferenceImage:
    """The first of those that are the same as this one, which goes where it is not the first."""
    same = ReferenceImage.objects.filter(
        team=new.team, author=new.author, asset=None, is_mask=new.is_mask, digest=new.digest
    )
    first = same.order_by("created_at", "id").exclude(file="").first() or new
    if first != new:
        new.delete()
    return first


def _read(file: "UploadedFile[bytes]") -> bytes:
    if (file.size or 0) > LARGEST:
        raise BadPicture(f"It weighs more than {LARGEST // 1024 // 1024} MB.")
    return bytes(file.read())


def _called(file: "UploadedFile[bytes]") -> str:
    """The file's name for a sentence: without control and direction marks."""
    name = "".join(one for one in str(file.name or "") if one.isprintable())
    return name[:60] or "The file"


# ── Requests ──


@require_http_methods(["GET", "HEAD", "POST"])
@in_team
def references(request: TeamRequest) -> HttpResponse:
    """The library's newest images to choose from; a POST keeps `files`, or a `mask`."""
    if not request.membership.may_make:
        raise Http404
    if request.method != "POST":
        return _choose(request)
    if mask := request.FILES.get("mask"):
        return _keep_mask(request, mask)
    kept, refusals = keep_files(request, request.FILES.getlist("files"))
    context = {
        "tiles": [Tile(reference, number) for number, reference in enumerate(kept, start=1)],
        "purpose": STYLE if request.POST.get("purpose") == STYLE else "reference",
        "refusals": refusals if kept or refusals else ["Choose an image first."],
    }
    return render(request, "generator/_along.html#uploaded", context)


def _choose(request: TeamRequest) -> HttpResponse:
    images = ImageAsset.objects.kept().filter(team=request.team).exclude(format="svg")
    newest = images.select_related("generation").newest_first()[:NEWEST]
    return render(request, "generator/_along.html#chooser", {"images": newest})


def _keep_mask(request: TeamRequest, file: "UploadedFile[bytes]") -> HttpResponse:
    """A mask over the image whose token is `painted_over`."""
    token = request.POST.get("painted_over", "")
    try:
        mask = keep_mask(request, file, find_reference(request.team, request.user, token))
    except (BadPicture, StorageRefused) as error:
        return _refuse_mask(request, str(error))
    except ValidationError as error:
        return _refuse_mask(request, " ".join(error.messages))
    answer = render(request, "generator/_along.html#painted", {"mask": mask, "oob": True})
    return trigger_client_event(answer, "mask-kept")


def _refuse_mask(request: TeamRequest, sentence: str) -> HttpResponse:
    return render(request, "generator/_along.html#mask_refusal", {"sentence": sentence})


@require_safe
@in_team
def picture(request: TeamRequest, pk: uuid.UUID) -> HttpResponse:
    """Off to the bytes of a reference image: a small copy, or with `?size=full` all of it."""
    usable = ReferenceImage.objects.usable_by(request.team, request.user)
    reference = get_object_or_404(usable.select_related("asset"), pk=pk)
    key = reference.key if request.GET.get("size") == "full" else reference.preview_key
    if not key:
        raise Http404
    answer = redirect(link_to(key))
    answer["Cache-Control"] = f"private, max-age={settings.IMAGE_LINK_LIFE - SAFETY}"
    return answer
