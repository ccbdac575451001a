"""The trash: who may move what, what goes when it is emptied, and what stays."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.db.models import F
from django.utils import timezone

from generator import books, jobs
from generator.library import sorting, trash
from generator.models import (
    Chore,
    FileToDelete,
    Generation,
    ImageAsset,
    ImageWords,
    LedgerEntry,
    Membership,
    Purpose,
    ReferenceImage,
    Role,
    Team,
    User,
    image_storage,
)
from generator.models.assets import THUMBNAILS
from generator.models.deleting import AGAIN_AFTER, delete_files
from generator.models.references import GivenReference
from generator.models.storage import SignedFileStorage
from tests.make import add_member, make_asset, make_generation, make_reference, make_user

pytestmark = pytest.mark.django_db


def in_trash(days: float, *images: ImageAsset) -> None:
    """Make them look as if they had lain there so long."""
    keys = [image.pk for image in images]
    since = timezone.now() - timedelta(days=days)
    ImageAsset.objects.filter(pk__in=keys).update(trashed_at=since)


@pytest.mark.parametrize(
    ("role", "own", "others"),
    [(Role.OWNER, 1, 1), (Role.ADMIN, 1, 1), (Role.MEMBER, 1, 0), (Role.VIEWER, 0, 0)],
)
def test_a_role_says_whose_images_one_may_move(
    role: Role, own: int, others: int, member: User, team: Team
) -> None:
    me = add_member(team, make_user())
    mine = make_asset(make_generation(me.user, team))
    me.role = role
    me.save()
    other = make_asset(make_generation(member, team))
    assert (trash.trash([mine], by=me), trash.trash([other], by=me)) == (own, others)
    assert ImageAsset.objects.trashed().filter(trashed_by=me.user).count() == own + others
    in_trash(1, mine, other)
    images = ImageAsset.objects.all()
    assert trash.restore(images, by=me) == own + others
    assert ImageAsset.objects.kept().filter(trashed_by=None).count() == own + others


def test_images_of_another_team_are_not_moved(member: User, team: Team) -> None:
    image = make_asset(make_generation(member))
    owner = add_member(team, make_user(), Role.OWNER)
    assert trash.trash([image], by=owner) == 0
    assert ImageAsset.objects.kept().count() == 1


def test_moving_twice_keeps_the_first_day_and_changes_nothing_in_the_books(
    member: User, team: Team
) -> None:
    by = Membership.objects.get(team=team, user=member)
    image = make_asset(make_generation(member, team))
    lines = list(LedgerEntry.objects.values())
    in_trash(29, image)
    assert trash.trash([image], by=by) == 0
    image.refresh_from_db()
    assert image.trashed_at
    assert timezone.now() - image.trashed_at > timedelta(days=28)
    assert trash.restore([image], by=by) == 1
    assert trash.restore([image], by=by) == 0
    assert list(LedgerEntry.objects.values()) == lines
    assert books.prove() == []


def test_what_lay_there_for_thirty_days_goes_with_its_bytes_and_memory(
    member: User, team: Team, django_capture_on_commit_callbacks: Any
) -> None:
    generation = make_generation(member, team)
    old, young = make_asset(generation), make_asset(generation, 1)
    storage = image_storage()
    for size in THUMBNAILS:
        storage.save(old.thumbnail_key(size), ContentFile(b"small"))
    storage.save(generation.memory_key, ContentFile(b"said"))
    Generation.objects.filter(pk=generation.pk).update(memory=generation.memory_key)
    sorting.favourite(member, [old], on=True)
    sorting.tag(team, [old, young], "liked")
    in_trash(30, old)
    in_trash(29.9, young)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.empty_trash()
    assert list(ImageAsset.objects.all()) == [young]
    assert ImageWords.objects.count() == 1
    gone = [old.file.name, generation.memory_key, *(old.thumbnail_key(size) for size in THUMBNAILS)]
    assert not any(storage.exists(str(key)) for key in gone)
    assert storage.exists(str(young.file.name))
    generation.refresh_from_db()
    assert generation.memory == ""
    assert books.prove() == []


def refusing(monkeypatch: pytest.MonkeyPatch, *keys: str) -> set[str]:
    """A storage that deletes none of these as long as they are in the set."""
    refused, delete = set(keys), SignedFileStorage.delete

    def stumble(self: SignedFileStorage, name: str) -> None:
        if name in refused:
            raise OSError("no")
        delete(self, name)

    monkeypatch.setattr(SignedFileStorage, "delete", stumble)
    return refused


def later(queue: Any) -> None:
    """A while passes, and the clock of a worker sweeps."""
    FileToDelete.objects.update(due_at=F("due_at") - AGAIN_AFTER)
    Chore.objects.filter(name="left files").update(due_at=timezone.now())
    jobs.sweep()
    assert queue.sent[-1] == ("delete_left_files", ())
    jobs.delete_left_files()


def test_bytes_that_the_storage_does_not_delete_at_once_are_deleted_later(
    member: User, team: Team, queue: Any, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    storage, generation = image_storage(), make_generation(member, team)
    images = [make_asset(generation, position) for position in range(3)]
    reference = make_reference(member, team)
    keys = [str(image.file.name) for image in images]
    refused = refusing(monkeypatch, *keys[:2], reference.key)
    for days, image in zip((31, 32, 33), images, strict=True):  # the last goes first
        in_trash(days, image)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.empty_trash()
        reference.delete()
    assert not ImageAsset.objects.exists()
    assert [storage.exists(key) for key in (*keys, reference.key)] == [True, True, False, True]
    jobs.sweep()
    assert ("delete_left_files", ()) not in queue.sent  # each was tried just now
    refused -= {keys[1], reference.key}
    for _ in range(2):  # the first is still refused, and keeps nothing else back
        later(queue)
    assert [storage.exists(key) for key in (*keys, reference.key)] == [True, False, False, False]
    refused.clear()
    later(queue)
    assert not storage.exists(keys[0])
    assert not FileToDelete.objects.exists()


def test_a_storage_that_is_away_is_not_asked_for_each_image(
    member: User, team: Team, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    generation = make_generation(member, team)
    images = [make_asset(generation, position) for position in range(3)]
    refusing(monkeypatch, *(str(image.file.name) for image in images))
    in_trash(31, *images)
    with django_capture_on_commit_callbacks(execute=True):
        jobs.empty_trash()
    assert not ImageAsset.objects.exists()
    assert caplog.text.count("The storage kept a file") == 1


def test_while_left_files_are_deleted_no_sweep_sends_another(
    queue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "FILES_AT_ONCE", 1)
    delete_files(["a", "b", "c"])
    later(queue)
    queue.sent.remove(("delete_left_files", ()))
    queue.sent.remove(("delete_left_files", ()))  # by itself, for the next bite
    jobs.sweep()
    jobs.sweep()
    assert queue.sent == []
    assert FileToDelete.objects.count() == 2


def test_what_is_to_be_deleted_is_noted_once_and_in_its_order() -> None:
    delete_files(["b", "c", "", "a", "b"])
    delete_files(["a"])
    keys = FileToDelete.objects.order_by("pk").values_list("key", flat=True)
    assert list(keys) == ["a", "b", "c"]


def test_a_memory_that_was_kept_again_is_not_deleted_later(
    member: User, team: Team, queue: Any
) -> None:
    generation = make_generation(member, team)
    image_storage().save(generation.memory_key, ContentFile(b"said"))
    delete_files([generation.memory_key])
    Generation.objects.filter(pk=generation.pk).update(memory=generation.memory_key)
    later(queue)
    assert image_storage().exists(generation.memory_key)
    assert not FileToDelete.objects.exists()


def test_bytes_that_other_images_show_stay(
    member: User, team: Team, django_capture_on_commit_callbacks: Any
) -> None:
    storage = image_storage()
    storage.save("demo/1-1.jpg", ContentFile(b"painted"))
    image = make_asset(make_generation(member, team))
    ImageAsset.objects.filter(pk=image.pk).update(file="demo/1-1.jpg")
    in_trash(31, image)
    with django_capture_on_commit_callbacks(execute=True):
        assert trash.empty(timezone.now(), at_most=10) == 1
    assert storage.exists("demo/1-1.jpg")


def test_a_generation_that_was_given_the_image_outlives_it(member: User, team: Team) -> None:
    image = make_asset(make_generation(member, team))
    reference = ReferenceImage.objects.saved(
        ReferenceImage.objects.standing_for(team, member, image)
    )
    later = make_generation(member, team, prompt="the same in red")
    GivenReference.objects.create(
        generation=later, reference=reference, purpose=Purpose.REFERENCE, position=0
    )
    in_trash(31, image)
    trash.empty(timezone.now(), at_most=10)
    reference.refresh_from_db()
    assert reference.asset is None
    assert (reference.key, reference.preview_key) == ("", "")
    assert Generation.objects.count() == 2


def test_a_full_trash_is_emptied_in_bites(
    member: User, team: Team, queue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "TRASH_AT_ONCE", 2)
    generation = make_generation(member, team)
    in_trash(40, *(make_asset(generation, position) for position in range(3)))
    jobs.empty_trash()
    assert ImageAsset.objects.count() == 1
    assert queue.sent[-1] == ("empty_trash", ())
    sent = len(queue.sent)
    jobs.empty_trash()
    assert ImageAsset.objects.count() == 0
    assert len(queue.sent) == sent


@pytest.mark.django_db(transaction=True)
def test_of_two_who_move_the_same_image_at_once_one_moves_it() -> None:
    owner = make_user()
    team = owner.personal_team
    by = Membership.objects.get(team=team, user=owner)
    images = [make_asset(make_generation(owner, team), 0) for _ in range(3)]
    start, moved = threading.Barrier(2), list[int]()

    def move(order: list[ImageAsset]) -> None:
        start.wait()
        moved.append(trash.trash(order, by=by))
        connection.close()

    threads = [threading.Thread(target=move, args=(order,)) for order in (images, images[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(moved) == 3
    assert ImageAsset.objects.trashed().count() == 3
