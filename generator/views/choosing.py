"""What is done with images that were chosen on a page: one at a time, or ten thousand."""

import uuid
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from generator import names
from generator.access import TeamRequest, in_team, needs
from generator.errors import StudioError
from generator.forms.choosing import ChoosingForm, Do
from generator.library import sorting
from generator.library.choosing import chosen, chosen_in_trash, keys_of
from generator.library.looking import Look
from generator.library.trash import movable, restore, trash
from generator.models import Collection, Deed, ImageAsset, Tag
from generator.models.assets import ImageAssetQuerySet
from generator.models.library import folded
from generator.views.filters import sets_of
from generator.views.library import rights

MOST_IN_AN_ADDRESS = 100  # images; a script sends more of them by POST


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a deed: a sentence, the images that it was done to, and those it found gone."""

    sentence: str
    do: str = ""
    images: tuple[uuid.UUID, ...] = ()
    error: bool = False
    gone: tuple[uuid.UUID, ...] = ()

    @property
    def keys(self) -> str:
        """The images in one field."""
        return ",".join(map(str, self.images))

    @property
    def gone_keys(self) -> str:
        """Those that are gone, likewise."""
        return ",".join(map(str, self.gone))


@require_POST
@in_team
def choose(request: TeamRequest) -> HttpResponse:
    """Do `do` to every `image`; the answer says what came of it, in place or on the page before."""
    form = ChoosingForm(request.POST, team=request.team)
    form.full_clean()
    do = form.cleaned_data.get("do")
    if do is None or not request.membership.may(Do(do).deed):
        raise Http404
    try:
        images = _images(request, Do(do))
        gone = _gone(request, images)
        if not images.exists():
            told = Told("Choose images first: none of those is here any more.", error=True)
        elif Do(do) in (Do.SHARE, Do.ZIP):
            return _onward(request, Do(do), images)
        else:
            lost = _lost_words(request, Do(do), gone)
            told = _done(request, Do(do), images, form)
            told = replace(told, sentence=f"{told.sentence} {lost}".strip())
        told = replace(told, gone=tuple(gone))
    except StudioError as error:
        told = Told(str(error), error=True)
    return _answer(request, form, told)


@require_POST
@in_team
@needs(Deed.FAVOURITE)
def favourite(request: TeamRequest, pk: uuid.UUID) -> HttpResponse:
    """Like one image, or with `on=0` no longer; answers with its heart."""
    image = get_object_or_404(
        ImageAsset.objects.kept().select_related("generation"), team=request.team, pk=pk
    )
    on = request.POST.get("on") != "0"
    sorting.favourite(request.user, [image], on=on)
    if not request.htmx:
        return redirect("image", request.team.slug, image.pk)
    context = {"image": image, "liked": {image.pk} if on else set()}
    return render(request, "generator/_tile.html#heart", context)


def _images(request: TeamRequest, do: Do) -> ImageAssetQuerySet:
    named = request.POST.getlist("image")
    if not named:
        raise StudioError("Choose images first: tick the circle in the corner of each.")
    find = chosen_in_trash if do == Do.RESTORE else chosen
    return find(request.team, named)


def _gone(request: TeamRequest, images: ImageAssetQuerySet) -> set[uuid.UUID]:
    """Those that were named and that somebody else has moved or deleted since."""
    return keys_of(request.POST.getlist("image")) - set(images.values_list("pk", flat=True))


def _lost_words(request: TeamRequest, do: Do, gone: set[uuid.UUID]) -> str:
    if not gone:
        return ""
    if do == Do.RESTORE:
        return f"{len(gone):,} {_be(len(gone))} not in the trash any more."
    in_trash = ImageAsset.objects.filter(team=request.team, pk__in=gone).trashed().count()
    deleted = len(gone) - in_trash
    sentences = []
    if in_trash:
        sentences.append(f"{in_trash:,} {_be(in_trash)} in the trash by now.")
    if deleted:
        sentences.append(f"{deleted:,} {_be(deleted)} not there any more.")
    return " ".join(sentences)


def _be(count: int) -> str:
    return "is" if count == 1 else "are"


def _onward(request: TeamRequest, do: Do, images: ImageAssetQuerySet) -> HttpResponse:
    """On to the page that shares or packs them, with the images in its address."""
    if do == Do.ZIP:  # its page takes a POST: the same request once more
        answer = redirect("zip", request.team.slug)
        answer.status_code = 307
        return answer
    keys = list(images.values_list("pk", flat=True)[: MOST_IN_AN_ADDRESS + 1])
    if len(keys) > MOST_IN_AN_ADDRESS:
        raise StudioError(
            f"Put more than {MOST_IN_AN_ADDRESS} images into a collection, and share that."
        )
    page = reverse("link_new", args=[request.team.slug])
    return redirect(f"{page}?{urlencode([('image', key) for key in keys])}")


def _done(request: TeamRequest, do: Do, images: ImageAssetQuerySet, form: ChoosingForm) -> Told:
    rows = list(images.only("pk", "team_id", "place"))
    keys = tuple(image.pk for image in rows)
    words = _images_words(len(rows))
    said = form.cleaned_data
    match do:
        case Do.FAVOURITE:
            sorting.favourite(request.user, rows, on=True)
            sentence = f"{words} added to your favourites."
        case Do.UNFAVOURITE:
            sorting.favourite(request.user, rows, on=False)
            sentence = f"{words} taken out of your favourites."
        case Do.TAG:
            tag = sorting.tag(request.team, rows, said.get("tag", ""))
            sentence = f"{words} tagged “{tag.name}”."
        case Do.UNTAG:
            tag = _tag(request, said.get("tag", ""))
            sorting.untag(tag, rows)
            sentence = f"“{tag.name}” taken off {words}."
        case Do.COLLECT:
            collection = _collection(request, form)
            sorting.collect(request.team, request.user, rows, collection)
            sentence = f"{words} added to “{collection.name}”."
        case Do.UNCOLLECT:
            left = said.get("shown") or said.get("collection")
            if left is None:
                raise StudioError("That collection is not there any more.")
            sorting.uncollect(left, rows)
            sentence = f"{words} taken out of “{left.name}”."
        case Do.TRASH:
            return _moved(request, images, do, "moved to the trash")
        case Do.RESTORE:
            return _moved(request, images, do, "restored")
        case _:
            raise Http404
    return Told(sentence, do, keys)


def _moved(request: TeamRequest, images: ImageAssetQuerySet, do: Do, what: str) -> Told:
    asked = images.count()
    keys = tuple(images.filter(movable(request.membership)).values_list("pk", flat=True))
    move = trash if do == Do.TRASH else restore
    count = move(images, by=request.membership)
    stays = asked - count
    sentence = f"{_images_words(count)} {what}." if count else ""
    if stays:
        verb = "stays" if stays == 1 else "stay"
        sentence += f" {_images_words(stays)} {verb}: you may move only what you made yourself."
    return Told(sentence.strip(), do if count else "", keys, error=not count)


def _tag(request: TeamRequest, name: str) -> Tag:
    found = Tag.objects.filter(team=request.team, folded=folded(names.clean(name))).first()
    if found is None:
        raise StudioError("There is no such tag. Write it as it is written on the images.")
    return found


def _collection(request: TeamRequest, form: ChoosingForm) -> Collection:
    """The one that was picked, or the one whose name was written; a new one where there is none."""
    name, picked = form.cleaned_data.get("name", ""), form.cleaned_data.get("collection")
    if name:
        return sorting.collection_named(request.team, request.user, name)
    if "collection" in form.errors:
        raise StudioError("That collection is not there any more. Choose another one.")
    if picked is None:
        raise StudioError("Choose a collection, or write the name of a new one.")
    assert isinstance(picked, Collection)
    return picked


def _images_words(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"


def _answer(request: TeamRequest, form: ChoosingForm, told: Told) -> HttpResponse:
    there = _next(form)
    if request.htmx and not there:
        return _in_place(request, form, told)
    if there and told.do == Do.TRASH:
        return redirect(there)  # that page says it, and offers to undo it
    sentence = told.sentence
    if told.do == Do.TRASH:
        page = reverse("trash", args=[request.team.slug])
        sentence = format_html('{} <a href="{}">Restore from the trash</a>', sentence, page)
    messages.add_message(request, messages.ERROR if told.error else messages.INFO, sentence)
    if there:
        return redirect(there)
    if form.cleaned_data.get("do") == Do.RESTORE:
        return redirect("trash", request.team.slug)
    query = _look(form).query
    page = reverse("library", args=[request.team.slug])
    return redirect(f"{page}?{query}" if query else page)


def _in_place(request: TeamRequest, form: ChoosingForm, told: Told) -> HttpResponse:
    """What came of it, for the page that is open; with the filters, where sets come or go by it."""
    if told.do not in (Do.TAG, Do.UNTAG, Do.COLLECT) or "back" not in request.POST:
        return render(request, "generator/library.html#told", {"told": told})
    sets = sets_of(request.team, _look(form))
    choices = {f"{one.name}s": one.choices for one in sets}
    context = {"told": told, "anew": True, "sets": sets, **choices, **rights(request)}
    return render(request, "generator/library.html#sorted", context)


def _look(form: ChoosingForm) -> Look:
    """What the page that the form stands on looks for."""
    return Look.read(QueryDict(form.cleaned_data.get("back", "")))


def _next(form: ChoosingForm) -> str:
    """The page of the studio that the form names; empty if it names none."""
    there = str(form.cleaned_data.get("next", ""))
    # Without the slash it would be taken for the name of a route.
    is_here = there.startswith("/") and url_has_allowed_host_and_scheme(there, allowed_hosts=None)
    return there if is_here else ""
