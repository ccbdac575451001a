"""What a model remembers of its images: kept with them, forgotten with them, and never lied of."""

from typing import Any

import pytest
from django.db import transaction

from generator import keeping, lifecycle
from generator.models import Generation, Status, Team, User
from generator.models.storage import image_storage, spool
from tests.make import make_generation
from tests.scripted import ScriptedGateway, images, look_again, run

pytestmark = pytest.mark.django_db

SAID = b"what was said"


def remembering(member: User, team: Team, count: int = 1) -> Generation:
    make_generation(member, team, wire_model="gemini-3.1-flash-image-preview")
    return run(ScriptedGateway(images(count, memory=SAID)))


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A storage that keeps images, and refuses memories."""
    storage = type(image_storage())
    save = storage._save

    def refusing(self: Any, name: str, content: Any) -> str:
        if name.endswith("memory"):
            raise OSError("no room")
        return str(save(self, name, content))

    monkeypatch.setattr(storage, "_save", refusing)


# ── Kept ──


def test_a_storage_that_refuses_a_memory_is_waited_for(
    team: Team, member: User, no_memory: None
) -> None:
    generation = remembering(member, team)
    assert (generation.status, generation.note) == (Status.STORING, "storage")
    assert generation.images.count() == 1


def test_a_memory_that_no_storage_ever_took_is_forgotten(
    team: Team, member: User, no_memory: None
) -> None:
    generation = remembering(member, team)
    Generation.objects.update(storing_attempts=lifecycle.STORING_TRIES)
    generation = look_again(generation, ScriptedGateway())
    assert (generation.status, generation.memory) == (Status.SUCCEEDED, "")
    assert generation.images.count() == 1


def test_a_memory_that_the_spool_has_lost_is_forgotten(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr(type(image_storage()), "_save", refuse)
        generation = remembering(member, team)
    spool().clear(generation.pk)
    spool().add(generation.pk, 0, images().images[0].data)  # type: ignore[union-attr]
    generation = look_again(generation, ScriptedGateway())
    assert (generation.status, generation.memory) == (Status.SUCCEEDED, "")


def test_the_row_in_hand_forgets_as_the_database_does(
    team: Team, member: User, no_memory: None
) -> None:
    generation = remembering(member, team)
    keeping.keep_memory(generation, last_try=True)
    assert generation.memory == ""
    assert Generation.objects.get().memory == ""


def test_a_memory_that_another_worker_has_kept_is_not_forgotten(
    team: Team, member: User, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        generation = remembering(member, team)
    assert list(spool().kept()) == []
    keeping.keep_memory(generation, last_try=True)
    generation.refresh_from_db()
    assert generation.memory
    assert read(generation.memory) == SAID


def test_a_storage_that_cannot_say_whether_it_is_there_is_asked_again(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = remembering(member, team)
    spool().clear(generation.pk)
    monkeypatch.setattr(type(image_storage()), "exists", refuse)
    with pytest.raises(keeping.NotYet):
        keeping.keep_memory(generation, last_try=False)
    generation.refresh_from_db()
    assert generation.memory


# ── Deleted ──


def test_with_an_image_goes_what_the_model_remembers_of_it(
    team: Team, member: User, django_capture_on_commit_callbacks: Any
) -> None:
    generation = remembering(member, team, count=2)
    first, _second = generation.images.all()
    key = generation.memory
    with django_capture_on_commit_callbacks(execute=True):
        first.delete()
    assert not image_storage().exists(key)
    assert Generation.objects.get().memory == first.generation.memory == ""


def test_with_an_image_go_the_conversations_that_went_on_from_it(
    team: Team, member: User, django_capture_on_commit_callbacks: Any
) -> None:
    root = remembering(member, team)
    facts = {"wire_model": "gemini-3.1-flash-image-preview", "action": "edit"}
    keys, child = [], root
    for _ in range(2):
        make_generation(member, team, parent=child, **facts)
        child = run(ScriptedGateway(images(memory=SAID)))
        keys.append(child.memory)
    with django_capture_on_commit_callbacks(execute=True):
        root.images.get().delete()
    assert not any(image_storage().exists(key) for key in keys)
    assert set(Generation.objects.values_list("memory", flat=True)) == {""}
    assert child.images.count() == 1


def test_what_other_generations_remember_stays(
    team: Team, member: User, django_capture_on_commit_callbacks: Any
) -> None:
    gone, stays = remembering(member, team), remembering(member, team)
    with django_capture_on_commit_callbacks(execute=True):
        gone.images.get().delete()
    stays.refresh_from_db()
    assert read(stays.memory) == SAID


@pytest.mark.django_db(transaction=True)
def test_an_image_that_stays_after_all_keeps_its_memory(team: Team, member: User) -> None:
    generation = remembering(member, team)
    with transaction.atomic():
        generation.images.get().delete()
        transaction.set_rollback(True)
    generation.refresh_from_db()
    assert read(generation.memory) == SAID


def refuse(*args: object) -> None:
    raise OSError("the storage is away")


def read(key: str) -> bytes:
    with image_storage().open(key) as file:
        return bytes(file.read())
