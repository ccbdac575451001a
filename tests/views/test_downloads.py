"""Images to keep: one in the form somebody wants, many as one ZIP, sent while it is made."""

import asyncio
import io
import json
import uuid
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished
from django.db import connection
from django.test import AsyncClient, Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from generator import packing
from generator.models import ImageAsset, Status, Team, User, image_storage
from generator.packing import BrokenOff
from generator.views import downloads
from generator.zipping import CHUNK, Entry, stream
from tests.make import make_asset, make_generation, make_picture, make_team, make_user
from tests.views.conftest import words

DRAWING = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="600" height="300">'
    b'<rect width="600" height="300" fill="red"/></svg>'
)


@pytest.fixture
def image(team: Team, member: User) -> ImageAsset:
    """A large one of the member's."""
    generation = make_generation(
        member, team, status=Status.SUCCEEDED, cost=40, prompt="a heron in reeds"
    )
    return make_asset(generation, data=make_picture(1500, 750))


def made(author: User, team: Team, prompt: str, **facts: Any) -> ImageAsset:
    """An image of this prompt."""
    generation = make_generation(author, team, status=Status.SUCCEEDED, cost=40, prompt=prompt)
    return make_asset(generation, **facts)


def got(client: Client, image: ImageAsset, **wish: Any) -> Any:
    return client.get(reverse("download", args=[image.team.slug, image.pk]), wish)


def seen(answer: Any) -> Image.Image:
    assert answer.status_code == 200
    return Image.open(io.BytesIO(answer.content))


# ── One ──


@pytest.mark.parametrize(
    ("form", "type", "name"),
    [("png", "PNG", "png"), ("jpeg", "JPEG", "jpg"), ("webp", "WEBP", "webp")],
)
def test_an_image_comes_in_the_form_and_size_somebody_wants(
    maker: Client, image: ImageAsset, form: str, type: str, name: str
) -> None:
    answer = got(maker, image, **{"as": form, "edge": 512})
    assert seen(answer).format == type
    assert seen(answer).size == (512, 256)
    assert answer["Content-Type"] == f"image/{form}"
    assert answer["Content-Disposition"].endswith(f'-1-512.{name}"')
    assert answer["Content-Disposition"].startswith("attachment")


def test_where_many_wait_for_another_form_the_next_is_told_on_the_page_and_nothing_is_read(
    maker: Client, image: ImageAsset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "CONVERTING", turns := packing.Turns(1, most=0))
    monkeypatch.setattr(packing, "chunks", lambda key: pytest.fail("The file was read."))
    with turns.turn():
        answer = got(maker, image, **{"as": "webp"})
    assert answer.url == reverse("image", args=[image.team.slug, image.pk])
    said = words(maker.get(answer.url).content.decode())
    assert "Many people want images just now. Try again in a moment." in said


def test_an_image_is_never_enlarged(maker: Client, image: ImageAsset) -> None:
    assert seen(got(maker, image, **{"as": "webp", "edge": 2048})).size == (1500, 750)
    assert seen(got(maker, image, **{"as": "webp", "edge": "full"})).size == (1500, 750)


def test_the_form_it_was_made_in_is_the_image_as_made(viewer: Client, image: ImageAsset) -> None:
    as_made = got(viewer, image).content
    assert got(viewer, image, **{"as": "png"}).content == as_made
    assert got(viewer, image, **{"as": "png", "edge": 2048}).content == as_made
    assert seen(got(viewer, image, edge=1024)).size == (1024, 512)


@pytest.mark.parametrize("form", ["jpeg", "webp", "png"])
def test_another_form_carries_the_mark_and_the_author_s_copy_the_prompt(
    maker: Client, mate: Client, image: ImageAsset, form: str, settings: Any
) -> None:
    wish = {"as": form, "edge": 512}
    own, theirs = got(maker, image, **wish).content, got(mate, image, **wish).content
    assert b"trainedAlgorithmicMedia" in own
    assert b"trainedAlgorithmicMedia" in theirs
    assert b"a heron in reeds" in own
    assert b"a heron in reeds" not in theirs
    settings.KEEP_SETTINGS_IN_DOWNLOADS = False
    assert b"a heron in reeds" not in got(maker, image, **wish).content


def test_what_is_transparent_becomes_white_in_a_jpeg(
    maker: Client, team: Team, member: User
) -> None:
    file = io.BytesIO()
    Image.new("RGBA", (64, 64), (255, 0, 0, 0)).save(file, "PNG")
    image = made(member, team, "glass", data=file.getvalue())
    assert seen(got(maker, image, **{"as": "jpeg"})).getpixel((5, 5)) == (255, 255, 255)
    assert seen(got(maker, image, **{"as": "webp"})).convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]


def test_an_image_that_lies_on_its_side_is_turned(maker: Client, team: Team, member: User) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = make_picture(600, 300, "JPEG", exif=exif.tobytes())
    image = made(member, team, "a tower", data=data)
    assert seen(got(maker, image, **{"as": "png", "edge": 512})).size == (256, 512)


def test_a_drawing_comes_as_made_or_drawn(maker: Client, team: Team, member: User) -> None:
    image = made(member, team, "a flag", data=DRAWING)
    assert got(maker, image).content == DRAWING
    picture = seen(got(maker, image, **{"as": "png"}))
    assert picture.size == (600, 300)
    assert picture.convert("RGB").getpixel((300, 150)) == (255, 0, 0)
    assert seen(got(maker, image, **{"as": "png", "edge": 2048})).size == (2048, 1024)


@pytest.mark.parametrize(
    "wish",
    [
        {"as": "exe"}, {"as": "svg"}, {"as": "gif"}, {"as": "../png"}, {"as": "png", "edge": "0"},
        {"as": "png", "edge": "-512"}, {"as": "png", "edge": "513"}, {"edge": "٥١٢"},
        {"as": "png", "edge": "9" * 5000}, {"edge": "1e3"},
    ],
)  # fmt: skip
def test_there_is_no_other_form(maker: Client, image: ImageAsset, wish: dict[str, str]) -> None:
    assert got(maker, image, **wish).status_code == 404


def test_an_image_in_the_trash_is_not_handed_out(maker: Client, image: ImageAsset) -> None:
    ImageAsset.objects.update(trashed_at=timezone.now())
    assert got(maker, image).status_code == 404
    assert got(maker, image, **{"as": "webp"}).status_code == 404


def test_bytes_that_cannot_be_decoded_are_said_and_not_a_broken_page(
    maker: Client, image: ImageAsset
) -> None:
    with image_storage().open(image.file.name or "", "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\nno more")
    answer = got(maker, image, **{"as": "webp"})
    assert answer.url == reverse("image", args=[image.team.slug, image.pk])
    assert "Download it as it was made" in words(maker.get(answer.url).content.decode())
    assert got(maker, image).content.endswith(b"no more")


# ── Many ──


def zipped(client: Client, team: Team, **data: Any) -> zipfile.ZipFile:
    answer: Any = client.post(reverse("zip", args=[team.slug]), data)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"].startswith(f'attachment; filename="{team.slug}-images-')
    archive = zipfile.ZipFile(io.BytesIO(answer.getvalue()))
    assert archive.testzip() is None
    return archive


def prompts(archive: zipfile.ZipFile) -> list[str]:
    return [row["prompt"] for row in json.loads(archive.read("manifest.json"))]


def test_the_chosen_images_come_as_they_are_stored(
    viewer: Client, team: Team, member: User, image: ImageAsset
) -> None:
    made(member, team, "not chosen")
    archive = zipped(viewer, team, image=[str(image.pk)])
    assert archive.namelist() == ["0001-a-heron-in-reeds.png", "manifest.csv", "manifest.json"]
    with image.file.open() as file:
        assert archive.read("0001-a-heron-in-reeds.png") == file.read()
    (row,) = json.loads(archive.read("manifest.json"))
    assert row["prompt"] == "a heron in reeds"
    assert row["author"] == "member"
    assert row["settings"]["model"] == "gpt-image-2"
    assert (row["width"], row["height"], row["bytes"]) == (1500, 750, image.size)


def test_all_that_answer_a_look_come_newest_first(
    viewer: Client, team: Team, member: User, image: ImageAsset
) -> None:
    mate = User.objects.get(username="viewer")
    made(member, team, "a kettle")
    theirs = make_team(mate)
    made(mate, theirs, "in another team")
    assert prompts(zipped(viewer, team, all="1")) == ["a kettle", "a heron in reeds"]
    assert prompts(zipped(viewer, team, all="1", shape="wide")) == ["a kettle", "a heron in reeds"]


def test_of_other_teams_and_of_the_trash_nothing_comes_along(
    maker: Client, team: Team, member: User, image: ImageAsset
) -> None:
    stranger = make_user()
    other = made(stranger, stranger.personal_team, "theirs")
    binned = made(member, team, "binned", trashed_at=timezone.now())
    chosen = [str(each.pk) for each in (image, other, binned)] + [str(uuid.uuid4()), "nonsense"]
    assert prompts(zipped(maker, team, image=chosen)) == ["a heron in reeds"]
    assert prompts(zipped(maker, team, all="1")) == ["a heron in reeds"]


def test_what_is_trashed_while_it_is_sent_does_not_come_along(
    team: Team, member: User, image: ImageAsset
) -> None:
    later = packing.at_places(team, [image.place], by=member)
    ImageAsset.objects.update(trashed_at=timezone.now())
    assert list(later) == []


@pytest.mark.parametrize("fate", ["left", "suspended"])
def test_what_is_sent_is_broken_off_where_somebody_may_not_see_it_any_more(
    team: Team, member: User, image: ImageAsset, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    monkeypatch.setattr(packing, "AT_ONCE", 1)
    places = [image.place, *(made(member, team, f"{number}").place for number in range(2))]
    later = packing.at_places(team, places, by=member)
    assert next(later) == image
    if fate == "left":
        member.memberships.filter(team=team).delete()
    else:
        User.objects.filter(pk=member.pk).update(is_active=False)
    with pytest.raises(BrokenOff):
        next(later)


def test_a_file_that_the_storage_has_lost_is_noted(
    maker: Client, team: Team, member: User, image: ImageAsset
) -> None:
    lost = made(member, team, "lost")
    image_storage().delete(lost.file.name or "")
    archive = zipped(maker, team, image=[str(image.pk), str(lost.pk)])
    rows = {row["prompt"]: row for row in json.loads(archive.read("manifest.json"))}
    assert "could not be read" in rows["lost"]["note"]
    assert archive.read(rows["a heron in reeds"]["file"])


@pytest.mark.parametrize(
    "data",
    [
        {}, {"image": ["nonsense"]}, {"all": "1", "author": "999999"},
        {"all": "1", "q": "%%%"},  # no word to look for
    ],
)  # fmt: skip
def test_nothing_to_download_is_said(
    maker: Client, team: Team, image: ImageAsset, data: dict[str, Any]
) -> None:
    answer: Any = maker.post(reverse("zip", args=[team.slug]), data)
    assert answer.url.startswith(reverse("library", args=[team.slug]))
    said = words(maker.get(answer.url).content.decode())
    assert "There is no image to download." in said


def test_more_than_an_archive_takes_is_said_with_what_to_do(
    maker: Client, team: Team, member: User, image: ImageAsset, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(member, team, "one more")
    monkeypatch.setattr(downloads, "MOST_CHOSEN", 1)
    answer: Any = maker.post(reverse("zip", args=[team.slug]), {"all": "1"})
    said = words(maker.get(answer.url).content.decode())
    assert "There are more than 1 images here. Filter them" in said


def test_an_archive_is_not_for_strangers_and_not_got_by_a_link(
    maker: Client, stranger: Client, team: Team, image: ImageAsset
) -> None:
    address = reverse("zip", args=[team.slug])
    assert stranger.post(address, {"all": "1"}).status_code == 404
    assert maker.get(address).status_code == 405
    assert Client().post(address, {"all": "1"}).status_code == 302


def test_many_images_take_few_questions(
    maker: Client, team: Team, member: User, image: ImageAsset
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            zipped(maker, team, all="1")
        return len(queries)

    zipped(maker, team, all="1")  # the session learns which team was visited
    few = asked()
    for number in range(5):
        made(member, team, f"number {number}")
    assert asked() == few


# ── While it is made ──


def test_a_server_that_runs_many_at_once_sends_it_piece_by_piece(team: Team, member: User) -> None:
    noise = Image.effect_noise((700, 700), 90)
    file = io.BytesIO()
    noise.convert("RGB").save(file, "PNG")
    chosen = [str(made(member, team, f"{n}", data=file.getvalue()).pk) for n in range(3)]
    client = AsyncClient()
    client.force_login(member)

    async def pieces() -> list[bytes]:
        answer: Any = await client.post(reverse("zip", args=[team.slug]), {"image": chosen})
        assert answer.is_async
        return [piece async for piece in answer.streaming_content]

    parts = async_to_sync(pieces)()
    assert len(parts) > 3
    assert zipfile.ZipFile(io.BytesIO(b"".join(parts))).testzip() is None


def sent(parts: Generator[bytes], *, stays: bool = False, slow: bool = False) -> list[Any]:
    """What a server that runs many at once sends of it, to a reader who stays or leaves."""
    messages: list[Any] = []

    class Handler(ASGIHandler):
        """One view and no middleware."""

        async def get_response_async(self, request: Any) -> Any:
            return downloads.zip_answer(request, parts, "all.zip")

    async def visit() -> None:
        leaves = asyncio.Event()
        calls = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            if calls:
                return calls.pop()
            await leaves.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            messages.append(message)
            if message.get("more_body") and not stays:
                leaves.set()
                await asyncio.sleep(10 if slow else 0)

        scope = {
            "type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"",
            "asgi": {"version": "3.0"}, "http_version": "1.1",
        }  # fmt: skip
        await asyncio.wait_for(Handler()(scope, receive, send), 5)

    async_to_sync(visit)()
    return messages


@pytest.mark.parametrize("slow", [False, True])
def test_what_makes_it_ends_when_the_reader_leaves(db: None, slow: bool) -> None:
    ended: list[bool] = []

    def endless() -> Generator[bytes]:
        try:
            while True:
                yield b"x" * CHUNK
        finally:
            ended.append(True)

    sent(endless(), slow=slow)
    assert ended == [True]


def test_one_that_is_broken_off_does_not_look_whole_and_is_put_away(
    db: None, caplog: pytest.LogCaptureFixture
) -> None:
    closed: list[bool] = []

    def chunks() -> Iterator[bytes]:
        try:
            yield b"x" * CHUNK
        finally:
            closed.append(True)

    def entries() -> Iterator[Entry]:
        yield Entry("one", "png", chunks, CHUNK, timezone.now(), {})
        raise BrokenOff("They left.")

    with watched_requests() as ended:
        messages = sent(stream(entries()), stays=True)
    assert messages[-1]["more_body"]  # the server sees that no end was sent, and cuts the line
    assert b"PK\5\6" not in b"".join(message.get("body", b"") for message in messages)
    assert (closed, ended) == ([True], [True])
    (line,) = caplog.records
    assert (line.getMessage(), line.exc_info) == ("A download was broken off: They left.", None)


@contextmanager
def watched_requests() -> Iterator[list[bool]]:
    """A line for each request that Django has put away."""
    ended: list[bool] = []

    def note(**_facts: Any) -> None:
        ended.append(True)

    request_finished.connect(note)
    yield ended
    request_finished.disconnect(note)


def test_an_ordinary_server_ends_it_too(db: None) -> None:
    ended: list[bool] = []

    def endless() -> Generator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            ended.append(True)

    answer = downloads.zip_answer(RequestFactory().get("/"), endless(), "all.zip")
    assert next(iter(answer)) == b"x"
    answer.close()
    assert ended == [True]


def test_who_asks_only_what_there_is_has_nothing_made(db: None) -> None:
    answer = downloads.zip_answer(RequestFactory().head("/"), iter_of(b"x"), "all.zip")
    assert list(answer) == []


def iter_of(*parts: bytes) -> Generator[bytes]:
    yield from parts
