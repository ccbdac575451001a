"""Keeping order among images: tags and collections of a team, favourites of a person."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import batched
from typing import Any

from django.db import IntegrityError, models, transaction

from generator import names
from generator.errors import StudioError
from generator.models import Collected, Collection, Favourite, ImageAsset, Tag, Tagging, Team, User
from generator.models.library import LONGEST_TAG, LONGEST_TITLE, folded

BITE = 500  # rows of one statement
TRIES = 5  # to hold a tag that others make and delete at the same time


def favourite(user: User, images: Iterable[ImageAsset], *, on: bool) -> int:
    """Mark these as liked by this person, or no longer; says how many images were meant."""
    if on:
        return _tie(
            Favourite, images,
            lambda image: Favourite(
                user=user, team_id=image.team_id, image=image, place=image.place
            ),
        )  # fmt: skip
    return _untie(Favourite.objects.filter(user=user), images)


def tag(team: Team, images: Iterable[ImageAsset], name: str) -> Tag:
    """Put a tag on images; a new one is made. Raises StudioError for a name that is none."""
    name = clean_name(name, longest=LONGEST_TAG, what="A tag")
    with transaction.atomic():
        there = _named(team, name)
        _tie(Tagging, images, lambda image: Tagging(tag=there, image=image, place=image.place))
    return there


def untag(tag: Tag, images: Iterable[ImageAsset]) -> int:
    """Take a tag off images; one that is on no image any more is gone."""
    with transaction.atomic():
        Tag.objects.held(tag.pk)
        count = _untie(tag.taggings.all(), images)
        Tag.objects.filter(pk=tag.pk, taggings=None).delete()
    return count


def delete_tag(tag: Tag) -> None:
    """Delete a tag; its images stay."""
    with transaction.atomic():
        Tag.objects.held(tag.pk)
        tag.delete()


def collect(team: Team, user: User, images: Iterable[ImageAsset], collection: Collection) -> int:
    """Put images of the team into a collection of it. Raises StudioError if it is gone."""
    with transaction.atomic():
        there = Collection.objects.held(collection.pk)
        if there is None or there.team_id != team.pk:
            raise StudioError("That collection is not there any more. Choose another one.")
        return _tie(
            Collected, images,
            lambda image: Collected(
                collection=there, image=image, added_by=user, place=image.place
            ),
        )  # fmt: skip


def uncollect(collection: Collection, images: Iterable[ImageAsset]) -> int:
    """Take images out of a collection."""
    return _untie(collection.collected.all(), images)


def new_collection(team: Team, user: User, name: str) -> Collection:
    """A collection of this name. Raises StudioError if the team has one, or it is no name."""
    name = clean_name(name, longest=LONGEST_TITLE, what="A collection")
    try:
        with transaction.atomic():
            return Collection.objects.create(team=team, created_by=user, name=name)
    except IntegrityError as error:
        raise StudioError("There is a collection of this name: choose another one.") from error


def collection_named(team: Team, user: User, name: str) -> Collection:
    """The team's collection of this name; a new one where there is none. Raises StudioError if it
    is no name."""
    name = clean_name(name, longest=LONGEST_TITLE, what="A collection")
    made = {"name": name, "created_by": user}
    try:
        return Collection.objects.get_or_create(team=team, folded=folded(name), defaults=made)[0]
    except IntegrityError as error:  # another made it between two looks, and deleted it again
        raise StudioError("Somebody deleted this collection just now. Try again.") from error


def rename(row: Collection | Tag, name: str) -> None:
    """Give a collection or a tag another name. Raises StudioError if the team has one of that
    name, if it is no name, and if the row is gone."""
    match row:
        case Collection():
            longest, what = LONGEST_TITLE, "collection"
        case Tag():
            longest, what = LONGEST_TAG, "tag"
    row.name = clean_name(name, longest=longest, what=f"A {what}")
    try:
        with transaction.atomic():
            row.save(update_fields=["name", "folded"])
    except row.NotUpdated as error:
        raise StudioError(f"That {what} is not there any more.") from error
    except IntegrityError as error:
        raise StudioError(f"There is a {what} of this name: choose another one.") from error


def clean_name(text: str, *, longest: int, what: str) -> str:
    """A name in one line, of what is seen. Raises StudioError for none or a long one."""
    name = names.clean(text)
    if not name:
        raise StudioError(f"{what} needs a name.")
    if len(name) > longest:
        raise StudioError(f"{what} has at most {longest} characters in its name.")
    return name


def _named(team: Team, name: str) -> Tag:
    """The team's tag of this name, held; a new one where there is none, or none any more."""
    for _ in range(TRIES):
        # Another may make it between two looks, and delete it again.
        with suppress(IntegrityError):
            made = {"name": name}
            tag = Tag.objects.get_or_create(team=team, folded=folded(name), defaults=made)[0]
            held = Tag.objects.held(tag.pk)
            if held:
                return held
    raise StudioError("Somebody deleted this tag just now. Try again.")


def _tie[T: models.Model](
    kind: type[T], images: Iterable[ImageAsset], row: Callable[[ImageAsset], T]
) -> int:
    count = 0
    for bite in batched(_each(images), BITE, strict=False):
        kind._default_manager.bulk_create(map(row, bite), ignore_conflicts=True)
        count += len(bite)
    return count


def _untie(ties: models.QuerySet[Any], images: Iterable[ImageAsset]) -> int:
    count = 0
    for bite in batched(_each(images), BITE, strict=False):
        count += ties.filter(image__in=[image.pk for image in bite]).delete()[0]
    return count


def _each(images: Iterable[ImageAsset]) -> Iterator[ImageAsset]:
    """Read whole first: what is tied may be what the images were found by."""
    return iter(list(images))
