"""Images in a real S3 server: kept, private, behind links that end, waited for when it refuses."""

import pickle
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import boto3
import httpx
import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from generator import jobs
from generator.models import Generation, ImageAsset, Status, Team, User, image_storage
from generator.s3 import SharedS3Storage
from tests.make import make_asset, make_generation
from tests.scripted import ScriptedGateway, images, look_again, run


def options(s3: dict[str, str], **facts: Any) -> dict[str, Any]:
    """As settings.py makes them from the same environment."""
    return {
        "bucket_name": s3["AWS_STORAGE_BUCKET_NAME"],
        "endpoint_url": s3["AWS_S3_ENDPOINT_URL"],
        "region_name": s3["AWS_S3_REGION_NAME"],
        "access_key": s3["AWS_ACCESS_KEY_ID"],
        "secret_key": s3["AWS_SECRET_ACCESS_KEY"],
        "addressing_style": "path",
        "signature_version": "s3v4",
        "default_acl": None,
        "file_overwrite": True,
        "querystring_expire": 300,
        **facts,
    }


@pytest.fixture
def bucket(s3: dict[str, str], settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The images of this test lie in the bucket."""
    _use(settings, monkeypatch, options(s3))
    return s3


def _use(settings: Any, monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any]) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "images": {"BACKEND": "generator.s3.SharedS3Storage", "OPTIONS": facts},
    }
    monkeypatch.setattr(ImageAsset._meta.get_field("file"), "storage", image_storage())


def test_an_image_and_its_thumbnails_are_kept_in_the_bucket(
    bucket: dict[str, str], team: Team, member: User
) -> None:
    make_generation(member, team)
    asset = run(ScriptedGateway(images())).images.get()
    assert isinstance(asset.file.storage, SharedS3Storage)
    jobs.make_thumbnails(str(asset.pk))
    with image_storage().open(asset.file.name) as file:
        assert len(file.read()) == asset.size
    assert image_storage().exists(asset.thumbnail_key("large"))


def test_storing_the_same_image_twice_leaves_one_object(
    bucket: dict[str, str], team: Team, member: User
) -> None:
    storage = image_storage()
    first = storage.save("teams/1/x/0.png", ContentFile(b"one"))
    second = storage.save("teams/1/x/0.png", ContentFile(b"two"))
    assert first == second
    with storage.open(first) as file:
        assert file.read() == b"two"


def test_a_signed_link_opens_the_image_and_nothing_else_does(
    bucket: dict[str, str], team: Team, member: User
) -> None:
    asset = make_asset(make_generation(member, team))
    link = asset.file.url
    assert len(httpx.get(link).content) == asset.size
    assert httpx.get(link.partition("?")[0]).status_code == 403
    name, _, signature = link.rpartition("X-Amz-Signature=")
    forged = f"{name}X-Amz-Signature={'0' * len(signature)}"
    assert httpx.get(forged).status_code == 403


def test_a_signed_link_ends(
    s3: dict[str, str], team: Team, member: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(settings, monkeypatch, options(s3, querystring_expire=1))
    link = make_asset(make_generation(member, team)).file.url
    assert httpx.get(link).status_code == 200
    assert _ends(link)


def _ends(link: str) -> bool:
    import time

    for _ in range(40):
        time.sleep(0.1)
        if httpx.get(link).status_code == 403:
            return True
    return False


def test_a_bucket_that_refuses_is_waited_for(
    s3: dict[str, str], team: Team, member: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(settings, monkeypatch, options(s3, secret_key="wrong"))
    make_generation(member, team)
    generation = run(ScriptedGateway(images()))
    assert (generation.status, generation.note) == (Status.STORING, "storage")
    _use(settings, monkeypatch, options(s3))
    Generation.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert look_again(generation, ScriptedGateway()).status == Status.SUCCEEDED


def test_deleting_an_image_empties_its_place(
    bucket: dict[str, str], team: Team, member: User, django_capture_on_commit_callbacks: Any
) -> None:
    asset = make_asset(make_generation(member, team))
    with django_capture_on_commit_callbacks(execute=True):
        asset.delete()
    assert not image_storage().exists(asset.file.name)


def test_forty_threads_at_once_share_one_connection(
    bucket: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = boto3.Session.resource

    def counted(session: Any, name: str, **facts: Any) -> Any:
        made.append(name)
        return make(session, name, **facts)

    monkeypatch.setattr(boto3.Session, "resource", counted)
    storage: Any = image_storage()
    together = threading.Barrier(40)

    def kept(number: int) -> tuple[bytes, int]:
        together.wait(30)
        name = storage.save(f"teams/1/{number}.png", ContentFile(b"%d" % number))
        assert storage.exists(name)
        with storage.open(name) as file:
            return file.read(), httpx.get(storage.url(name)).status_code

    with ThreadPoolExecutor(40) as threads:
        assert list(threads.map(kept, range(40))) == [(b"%d" % n, 200) for n in range(40)]
    assert made == ["s3"]


def test_a_picture_of_many_parts_comes_back_whole(bucket: dict[str, str]) -> None:
    picture = random.Random(7).randbytes(20 * 1024 * 1024)
    name = image_storage().save("teams/1/x/large.png", ContentFile(picture))
    with image_storage().open(name) as file:
        assert file.read() == picture


def test_a_bucket_that_hangs_is_given_up(s3: dict[str, str]) -> None:
    facts = SharedS3Storage(**options(s3)).connection.meta.client.meta.config
    assert (facts.connect_timeout, facts.read_timeout) == (5, 30)
    assert facts.retries["total_max_attempts"] == 3
    assert (facts.signature_version, facts.s3["addressing_style"]) == ("s3v4", "path")


def test_a_copy_of_the_storage_makes_a_connection_of_its_own(bucket: dict[str, str]) -> None:
    storage: Any = image_storage()
    storage.save("teams/1/x/0.png", ContentFile(b"one"))
    copy = pickle.loads(pickle.dumps(storage))
    assert copy.exists("teams/1/x/0.png")
    assert copy.connection is not storage.connection
