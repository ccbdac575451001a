"""What a link hands out: to its end or not at all, and to many at once."""

import io
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client

from generator import packing
from generator.models import ImageAsset, ShareLink, Team, User
from generator.packing import Turns
from generator.sharing import handing, opening, secrets
from tests.make import make_asset, make_generation, make_link, make_picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def images(team: Team, member: User) -> list[ImageAsset]:
    """Three images of the team."""
    generation = make_generation(member, team)
    return [make_asset(generation, position) for position in range(3)]


def share(images: list[ImageAsset], **facts: Any) -> ShareLink:
    """A link of these images by their author."""
    return make_link(images[0].author, images, **facts)


def at(link: ShareLink, rest: str = "") -> str:
    """Where a link leads."""
    return f"/s/{secrets.secret_of(link)}/{rest}"


def test_all_can_be_downloaded_after_the_key_that_made_the_link_is_gone(
    client: Client, images: list[ImageAsset], settings: Any
) -> None:
    address = at(share(images), "all.zip")
    settings.SECRET_KEY = "another"
    answer: Any = client.get(address)
    archive = zipfile.ZipFile(io.BytesIO(answer.getvalue()))
    assert len(archive.namelist()) == 5


# ── To many at once ──


def crowded(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """As if so many were waiting for these turns that nobody more may."""
    for name in names:
        turns = Turns(1, most=0)
        turns._places.acquire()
        monkeypatch.setattr(packing, name, turns)


WAYS = [
    ("1/small", "SHOWING"), ("1/large", "SHOWING"), ("1/original", "KEEPING"),
    ("1/download", "KEEPING"), ("all.zip", "ARCHIVING"),
]  # fmt: skip


def way(link: ShareLink, rest: str) -> str:
    """The way to its first image, or to all."""
    return at(link, rest.replace("1/", f"{opening.page(link).images[0].key}/"))


@pytest.mark.parametrize(("rest", "turns"), WAYS)
def test_where_many_wait_the_next_comes_again_later_and_nothing_is_read(
    client: Client,
    images: list[ImageAsset],
    monkeypatch: pytest.MonkeyPatch,
    rest: str,
    turns: str,
) -> None:
    link = share(images, watermark="Northlight")
    crowded(monkeypatch, turns)
    monkeypatch.setattr(packing, "chunks", lambda key: pytest.fail("The file was read."))
    answer = client.get(way(link, rest))
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert answer["Cache-Control"] == "private, no-store"
    assert not link.visits.exists()


@pytest.mark.parametrize(("rest", "turns"), WAYS)
def test_who_waits_for_one_kind_holds_up_nobody_who_wants_another(
    client: Client,
    images: list[ImageAsset],
    monkeypatch: pytest.MonkeyPatch,
    rest: str,
    turns: str,
) -> None:
    link = share(images, watermark="Northlight")
    crowded(monkeypatch, *({"SHOWING", "KEEPING", "ARCHIVING", "CONVERTING"} - {turns}))
    answer: Any = client.get(way(link, rest))
    assert (answer.status_code, bool(answer.getvalue())) == (200, True)


def test_some_people_who_open_a_page_at_once_each_see_all_of_its_pictures() -> None:
    asked, turns = 3 * opening.PAGE, packing.SHOWING

    def look(_number: int) -> bool:
        with turns.turn():
            return True

    with ThreadPoolExecutor(asked) as people:
        with turns.turn(), turns.turn():
            looks = [people.submit(look, number) for number in range(asked)]
            until(lambda: turns._waiting + sum(each.done() for each in looks) == asked)
        assert all(each.result() for each in looks)


def until(holds: Callable[[], bool]) -> None:
    """Go on once it does."""
    while not holds():
        time.sleep(0.001)


def test_a_download_as_made_waits_for_no_turn(
    client: Client, images: list[ImageAsset], monkeypatch: pytest.MonkeyPatch
) -> None:
    crowded(monkeypatch, "KEEPING")
    assert client.get(way(share(images), "1/download")).status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        make_picture(60, 30, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0"),
        b'<svg xmlns="http://www.w3.org/2000/svg" width="60" height="30"><rect/></svg>',
    ],
    ids=["one turned upright", "a drawing"],
)
def test_a_download_as_made_that_is_encoded_anew_all_the_same_waits(
    client: Client, team: Team, member: User, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    link = share([make_asset(make_generation(member, team), data=data)])
    assert client.get(way(link, "1/download")).status_code == 200
    crowded(monkeypatch, "KEEPING")
    assert client.get(way(link, "1/download")).status_code == 503


def test_an_archive_that_is_begun_waits_as_long_as_it_must(
    images: list[ImageAsset], monkeypatch: pytest.MonkeyPatch
) -> None:
    link = share(images)
    entry = next(handing.entries(link, secrets.secret_of(link), None))
    monkeypatch.setattr(packing, "ARCHIVING", turns := Turns(1, most=0))
    with ThreadPoolExecutor(1) as reader:
        with turns.turn():
            image = reader.submit(lambda: next(entry.chunks()))
            until(lambda: turns._waiting == 1 or image.done())
        assert image.result()


@pytest.mark.parametrize(("rest", "turns"), [WAYS[0], WAYS[3], WAYS[4]])
def test_no_image_is_read_before_its_turn_has_come(
    client: Client,
    images: list[ImageAsset],
    monkeypatch: pytest.MonkeyPatch,
    rest: str,
    turns: str,
) -> None:
    link, free = share(images, watermark="Northlight"), []
    real, places = packing.chunks, getattr(packing, turns)._places
    before = places._value

    def chunks(key: str) -> Any:
        free.append(places._value)
        return real(key)

    monkeypatch.setattr(packing, "chunks", chunks)
    answer: Any = client.get(way(link, rest))
    assert answer.getvalue()
    assert set(free) == {before - 1}
