"""Sharing links, from the team's side: make, list, look into, change and revoke them."""

import io
from dataclasses import dataclass
from typing import Any

import segno
from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generator.access import TeamRequest, in_team, needs
from generator.errors import StudioError
from generator.forms.sharing import LinkForm
from generator.models import Collection, Deed, ImageAsset, ShareLink
from generator.sharing import coming, making
from generator.views import link_facts, link_replies
from generator.views.cursor import LineCursor
from generator.views.link_facts import Row

PREVIEWS = 8  # images of what is about to be shared
LONGEST_KEY = 18  # digits


@never_cache
@require_safe
@in_team
@needs(Deed.SHARE)
def links(request: TeamRequest) -> HttpResponse:
    """One's own links; for those who steer the team's, all of them. `?before=` is a place in it."""
    before = LineCursor.read(request.GET.get("before", ""))
    page = link_facts.rows(request, request.membership, before=before)
    context = {
        "place": "links",
        "rows": page.rows,
        "earlier": str(page.earlier or ""),
        "before": before,
        "steers_all": request.membership.may(Deed.SHARE_ANY),
    }
    return render(request, "generator/links.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@in_team
@needs(Deed.SHARE)
def link_new(request: TeamRequest) -> HttpResponse:
    """Make a link of `image`, repeated, or of `collection`.

    A POST without `make` shows the form: a selection may be longer than an address.
    """
    asked = request.POST if request.method == "POST" else request.GET
    try:
        shown = _to_share(request, asked)
    except StudioError as error:
        messages.error(request, str(error))
        return redirect("library", request.team.slug)
    sent = request.POST if "make" in request.POST else None
    form = LinkForm(sent, team=request.team, collection=shown.collection)
    if form.is_valid():
        try:
            link = _make(request, shown, form)
        except StudioError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "The link is made. Copy its address.")
            return redirect("link", request.team.slug, link.pk)
    context = {"place": "links", "form": form, "shown": shown, "previews": _previews(shown)}
    return render(request, "generator/link_new.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@in_team
@needs(Deed.SHARE)
def link(request: TeamRequest, pk: int) -> HttpResponse:
    """A link: its address, what it allows, who came (`?before=`), and what visitors said
    (`?notes=`)."""
    row = _row(request, pk)
    form = LinkForm(request.POST or None, team=request.team, link=row.link)
    if request.method == "POST" and form.is_valid():
        try:
            making.change(row.link, form.terms, by=request.membership)
        except making.Gone as error:
            raise Http404 from error
        except StudioError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Saved. It holds from now on.")
            return redirect("link", request.team.slug, pk)
    return render(request, "generator/link.html", _facts(request, row) | {"form": form})


@require_POST
@in_team
@needs(Deed.SHARE)
def link_revoke(request: TeamRequest, pk: int) -> HttpResponse:
    """Close a link for good."""
    row = _row(request, pk)
    making.revoke(making.steered_by(request.membership).filter(pk=pk))
    messages.success(request, f"Revoked: {row.title}. Nobody can open this link any more.")
    return redirect("links", request.team.slug)


@require_POST
@in_team
@needs(Deed.SHARE)
def links_revoke(request: TeamRequest) -> HttpResponse:
    """Close all of one's own links; with `whose=team`, those of the whole team."""
    found = making.steered_by(request.membership)
    if request.POST.get("whose") != "team":
        found = found.filter(author=request.user)
    elif not request.membership.may(Deed.SHARE_ANY):
        raise Http404
    count = making.revoke(found)
    said = f"{count:,} link{' was' if count == 1 else 's were'} revoked."
    messages.success(request, said if count else "There was no link to revoke.")
    return redirect("links", request.team.slug)


@never_cache
@require_safe
@in_team
@needs(Deed.SHARE)
def link_qr(request: TeamRequest, pk: int) -> HttpResponse:
    """The address as a QR code. Raises Http404 for a link that is revoked."""
    row = _row(request, pk)
    if not row.address:
        raise Http404
    drawn = io.BytesIO()
    code = segno.make(row.address, error="m", micro=False)
    code.save(drawn, kind="svg", scale=8, border=4, light="#ffffff", xmldecl=False)
    answer = HttpResponse(drawn.getvalue(), content_type="image/svg+xml")
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


# ── What is shared ──


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is about to be shared: images, or a collection. `missing` were asked for and are not
    there."""

    images: list[ImageAsset]
    collection: Collection | None
    missing: int

    @property
    def rest(self) -> int:
        """How many are not among the previews."""
        return len(self.images) - PREVIEWS

    @property
    def keys(self) -> str:
        """The images' keys in one field: a form takes no more than a few hundred fields."""
        return ",".join(image.pk.hex for image in self.images)


def _to_share(request: TeamRequest, asked: QueryDict) -> _Shown:
    """What was asked for. Raises Http404 where nothing of it is this team's, StudioError where
    nothing was asked for, or too much."""
    if pks := asked.getlist("image"):
        images, missing = making.images_to_share(request.team, pks)
        if not images:
            raise Http404
        return _Shown(images, None, missing)
    key = asked.get("collection", "")
    if not key:
        raise StudioError("Choose the images to share first.")
    if not (key.isascii() and key.isdigit() and len(key) <= LONGEST_KEY):
        raise Http404
    return _Shown([], get_object_or_404(request.team.collections, pk=int(key)), 0)


def _make(request: TeamRequest, shown: _Shown, form: LinkForm) -> ShareLink:
    if shown.collection:
        grows = form.cleaned_data["grows"]
        return making.share_collection(
            request.membership, shown.collection, form.terms, grows=grows
        )
    if shown.missing:
        raise StudioError("Some of the images are gone by now. Look at what is left, and make it.")
    return making.share_images(request.membership, shown.images, form.terms)


def _previews(shown: _Shown) -> list[ImageAsset]:
    if shown.collection is None:
        first = [image.pk for image in shown.images[:PREVIEWS]]
        whole = ImageAsset.objects.kept().select_related("generation").in_bulk(first)
        return [whole[pk] for pk in first if pk in whole]
    kept = shown.collection.collected.filter(image__trashed_at=None).order_by("-place")
    return [each.image for each in kept.select_related("image__generation")[:PREVIEWS]]


# ── A link ──


def _row(request: TeamRequest, pk: int) -> Row:
    row = link_facts.row(request, request.membership, pk) if pk < 2**63 else None
    if row is None:
        raise Http404
    return row


def _facts(request: TeamRequest, row: Row) -> dict[str, Any]:
    before = LineCursor.read(request.GET.get("before", ""))
    after = request.GET.get("notes", "")
    is_key = after.isascii() and after.isdigit() and len(after) <= LONGEST_KEY
    said = link_replies.replies(row.link, before=int(after) if is_key else None)
    return {
        "place": "links",
        "row": row,
        "link": row.link,
        "maker": link_facts.maker(request.membership, row.link),
        "log": link_facts.log(row.link, before=before),
        "most_lines": coming.MOST_LINES,
        "most_from_there": coming.MOST_FROM_THERE,
        "before": before,
        "trashed": link_facts.in_the_trash(row.link),
        "most_trashed": link_facts.TRASHED,
        "said": said,
        "more_notes": str(said.earlier or ""),
    }
