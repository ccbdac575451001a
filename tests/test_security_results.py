"""What comes back from strangers, a class at a time, through every protocol to the kept image.

S1 and S3 (links that lead within, redirects, names that change), S4 (the key goes to the gateway
and nowhere else), D1 (bombs), X1 (drawings with scripts), T1 (prompts and keys in words and logs);
and that each system's own refusal is said as such and costs nothing.
"""

import logging
from collections.abc import Iterator

import httpx
import pytest
from django.core import serializers
from django.test import Client
from django.urls import reverse

from generator import jobs
from generator.families import FAMILIES
from generator.models import Generation, ImageAsset, LedgerEntry, Status, Team, User, storage
from generator.models.storage import image_storage
from generator.pictures import thumbnail
from generator.providers import POLLING_ADAPTERS
from tests.living import CASES, KEY, Studio, living
from tests.scripted import CAP, age, left, look_again

pytestmark = pytest.mark.django_db

PUBLIC = "93.184.216.34"
STRANGER = "https://images.stranger.example"
SECRET = "an unspeakable teapot"
# One case of each protocol, where its actions say it alike.
PROTOCOLS = {name.split()[0]: case for name, case in reversed(CASES.items())}
# Bria makes images from text at once (H1): there is no task that could say anything.
POLLED = {
    name: case
    for name, case in CASES.items()
    if name.split()[0] in POLLING_ADAPTERS and name != "bria create"
}


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with living() as studio:
        yield studio


def came_to_nothing(generation: Generation) -> None:
    """It failed in words of ours, its books are closed at nought, and nothing is kept of it."""
    assert generation.status == Status.FAILED, generation.status
    assert left(generation) == CAP
    assert LedgerEntry.objects.filter(generation=generation, kind="settle").count() == 0
    assert not generation.images.exists()
    assert not generation.outcome
    reason = generation.reason.lower()
    assert reason
    for word in (*SECRET.split()[1:], "[", "http", "169.254", STRANGER, KEY):
        assert word not in reason, reason


# ── Refusals ──


@pytest.mark.parametrize("word", ["refuse", "withheld"])
@pytest.mark.parametrize("name", CASES)
def test_the_refusal_of_every_system_is_said_as_such_and_costs_nothing(
    studio: Studio, team: Team, member: User, caplog: pytest.LogCaptureFixture,
    name: str, word: str,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    before = studio.log.paid_calls
    generation = studio.make(team, member, CASES[name], f"{SECRET} [{word}]")
    came_to_nothing(generation)
    assert generation.reason_code == "content"
    assert studio.log.paid_calls == before
    ours = [record for record in caplog.records if record.name != "django.db.backends"]
    assert not [record for record in ours if "unspeakable" in record.getMessage()]
    assert KEY not in caplog.text


@pytest.mark.parametrize("word", ["money", "html", "error", "empty", "fail"])
@pytest.mark.parametrize("name", PROTOCOLS)
def test_no_failure_of_any_system_tells_the_prompt_or_the_key(
    studio: Studio, team: Team, member: User, caplog: pytest.LogCaptureFixture,
    name: str, word: str,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    generation = studio.begin(team, member, PROTOCOLS[name], f"{SECRET} [{word}]")
    studio.carry(generation, looks=3 if word == "fail" else 0)
    generation.refresh_from_db()
    assert generation.status in {Status.FAILED, Status.QUEUED, Status.RUNNING}
    assert left(generation) == CAP if generation.is_final else True
    assert "unspeakable" not in f"{generation.reason}{generation.note}{generation.request_id}"
    ours = [record for record in caplog.records if record.name != "django.db.backends"]
    assert not [record for record in ours if "unspeakable" in record.getMessage()]
    assert KEY not in caplog.text
    assert KEY not in serializers.serialize("json", [generation])


# ── Words that nobody knows, tasks that never end ──


@pytest.mark.parametrize("word", ["odd", "stuck"])
@pytest.mark.parametrize("name", POLLED)
def test_a_task_that_says_nothing_known_ends_at_its_deadline_and_is_never_sent_again(
    studio: Studio, team: Team, member: User, name: str, word: str
) -> None:
    before = studio.log.paid_calls
    generation = studio.begin(team, member, CASES[name], f"{SECRET} [{word}]")
    generation = studio.carry(generation, looks=3)
    assert generation.status == Status.RUNNING, generation.reason
    age(generation, generation.rule.deadline + 1)
    generation = look_again(generation, studio.gateway)  # type: ignore[arg-type]
    came_to_nothing(generation)
    assert generation.reason_code == "late"
    assert studio.log.paid_calls == before + 1


@pytest.mark.parametrize("name", POLLED)
def test_a_task_that_is_gone_is_given_up_and_never_sent_again(
    studio: Studio, team: Team, member: User, name: str
) -> None:
    before = studio.log.paid_calls
    generation = studio.begin(team, member, CASES[name], f"{SECRET} [gone]")
    generation = studio.carry(generation, looks=1)
    age(generation, generation.takes.grace + 60)
    for _ in range(3):
        if not generation.is_final:
            generation = look_again(generation, studio.gateway)  # type: ignore[arg-type]
    came_to_nothing(generation)
    assert generation.reason_code == "gone"
    assert studio.log.paid_calls == before + 1


# ── Links ──


class Internet:
    """Names and what answers behind them, for result links; what is connected to is noted.

    `addresses` are the answers of the name service, one list a question and the last for ever;
    `answers` what the hosts say, likewise.
    """

    def __init__(self) -> None:
        self.addresses: list[list[str]] = [[PUBLIC]]
        self.answers: list[httpx.Response] = []
        self.connected: list[str] = []
        self.headers: list[httpx.Headers] = []

    def resolve(self, host: str, port: int) -> list[str]:
        """The next answer of the name service."""
        return self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]

    def answer(self, request: httpx.Request) -> httpx.Response:
        """The next answer of whoever is connected to."""
        self.connected.append(request.url.host)
        self.headers.append(request.headers)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def plays(self, addresses: list[list[str]], *answers: httpx.Response) -> None:
        """Begin anew."""
        self.__init__()  # type: ignore[misc]
        self.addresses, self.answers = addresses, list(answers) or [httpx.Response(404)]


@pytest.fixture(scope="module")
def internet() -> Internet:
    return Internet()


@pytest.fixture(scope="module")
def abroad(internet: Internet) -> Iterator[Studio]:
    """A studio whose every result is a link to a stranger's host."""
    transport = httpx.MockTransport(internet.answer)
    with living(
        image_origin=STRANGER, image_transport=transport, resolve=internet.resolve
    ) as studio:
        yield studio


# Any model answers with a link where this word is in the prompt; the stranger's host is ours.
LINKED = f"{SECRET} [redirect]"
OUT, IN = [PUBLIC], ["127.0.0.1"]
NOT_NOW = httpx.Response(503)


def onward(to: str) -> httpx.Response:
    return httpx.Response(302, headers={"Location": to})


TRAPS: dict[str, tuple[list[list[str]], list[httpx.Response], int]] = {
    # Addresses by question, answers by connection, and how many connections are made.
    "a name that leads within": ([IN], [NOT_NOW], 0),
    "a name with one address within": ([[PUBLIC, "10.0.0.1"]], [NOT_NOW], 0),
    "a mapped address": ([["::ffff:a9fe:a9fe"]], [NOT_NOW], 0),
    "a name that changes": ([OUT, IN], [NOT_NOW], 1),
    "a name that changes at a redirect": ([OUT, IN], [onward("/2.png")], 1),
    "a redirect within": ([OUT], [onward("https://169.254.169.254/latest/meta-data/")], 1),
    "a redirect to a mapped address": ([OUT], [onward("https://[::ffff:a9fe:a9fe]/")], 1),
    "a redirect to a number": ([OUT, IN], [onward("https://2130706433/")], 1),
    "a redirect without https": ([OUT], [onward("http://images.stranger.example/")], 1),
    "a redirect to a file": ([OUT], [onward("file:///etc/passwd")], 1),
    "a redirect past a name": ([OUT], [onward("https://images.stranger.example@127.0.0.1/")], 1),
    "redirects in circles": ([OUT], [onward("/again.png")], 4),
}


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("name", PROTOCOLS)
def test_no_protocol_s_link_leads_within(
    abroad: Studio, internet: Internet, team: Team, member: User, name: str, trap: str
) -> None:
    addresses, answers, connections = TRAPS[trap]
    internet.plays([*addresses], *answers)
    before = abroad.log.paid_calls
    generation = abroad.make(team, member, PROTOCOLS[name], LINKED)
    came_to_nothing(generation)
    assert internet.connected == [PUBLIC] * connections
    assert abroad.log.paid_calls == before + 1
    assert not [head for head in internet.headers if "authorization" in head or "cookie" in head]


@pytest.mark.parametrize("word", ["private", "redirect", "expired"])
@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_link_of_the_sandbox_that_leads_nowhere_comes_to_nothing(
    studio: Studio, team: Team, member: User, name: str, word: str
) -> None:
    generation = studio.make(team, member, PROTOCOLS[name], f"{SECRET} [{word}]")
    if generation.note == "later":
        # "Not found" behind a link that was given early means "not yet" until the deadline (H2).
        age(generation, generation.rule.deadline + 1)
        generation = look_again(generation, studio.gateway)  # type: ignore[arg-type]
    came_to_nothing(generation)


# ── Files ──


@pytest.mark.parametrize("word", ["bomb", "garbage"])
@pytest.mark.parametrize("name", PROTOCOLS)
def test_what_is_no_image_is_not_kept_and_not_paid(
    studio: Studio, team: Team, member: User, name: str, word: str
) -> None:
    came_to_nothing(studio.make(team, member, PROTOCOLS[name], f"{SECRET} [{word}]"))


@pytest.mark.parametrize("name", CASES)
def test_an_image_is_what_its_bytes_are_and_the_key_stays_at_the_gateway(
    studio: Studio, team: Team, member: User, name: str
) -> None:
    since = len(studio.log.requests)
    generation = studio.make(team, member, CASES[name], f"{SECRET} [lies]")
    assert generation.status == Status.SUCCEEDED, generation.reason
    for asset in generation.images.all():
        with asset.file.open() as file:
            start = file.read(12)
        told = {"png": b"\x89PNG", "jpeg": b"\xff\xd8\xff", "webp": b"RIFF", "svg": b"<"}
        assert start.lstrip().startswith(told[asset.format]), asset.format
        assert asset.file.name.endswith(f".{asset.extension}")
    seen = list(studio.log.requests)[since:]
    assert seen
    assert all(one.carried_key is (one.host == "gateway") for one in seen)


# ── Drawings ──


@pytest.fixture
def drawing(studio: Studio, team: Team, member: User) -> ImageAsset:
    """A drawing with scripts and links to strangers in it, as it was kept."""
    vector = FAMILIES["bria-vector"], "bria-vector", "create"
    generation = studio.make(team, member, vector, f"{SECRET} [script]")
    assert generation.status == Status.SUCCEEDED, generation.reason
    return generation.images.get()


def test_a_drawing_with_a_script_is_never_shown_as_it_came(
    drawing: ImageAsset, team: Team, member: User
) -> None:
    assert drawing.format == "svg"
    with drawing.file.open() as file:
        assert b"<script" in file.read()
    browser = Client()
    browser.force_login(member)
    shown = reverse("picture", args=[team.slug, drawing.pk, "original"])
    assert browser.get(shown).url.endswith("drawing.svg")
    page = browser.get(reverse("image", args=[team.slug, drawing.pk])).content.decode()
    assert "alert(" not in page
    jobs.make_thumbnails(str(drawing.pk))
    small = browser.get(reverse("picture", args=[team.slug, drawing.pk, "small"]))
    answer = browser.get(small.url)
    assert answer["Content-Type"] == "image/webp"
    assert answer.content[:4] == b"RIFF"
    assert b"alert(" not in answer.content


def test_a_drawing_is_only_ever_a_file_to_save(
    drawing: ImageAsset, team: Team, member: User
) -> None:
    browser = Client()
    browser.force_login(member)
    download = browser.get(reverse("download", args=[team.slug, drawing.pk]))
    link = browser.get(image_storage().url(drawing.file.name))
    for answer in (download, link):
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["X-Content-Type-Options"] == "nosniff"
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
    assert "sandbox" in link["Content-Security-Policy"]


def test_a_bucket_offers_a_drawing_as_a_file_to_save(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bucket:
        bucket_name = "images"

        def url(self, key: str, parameters: dict[str, str] | None = None) -> str:
            return f"{key} {parameters}"

    monkeypatch.setattr(storage, "image_storage", Bucket)
    assert "attachment" in storage.link_to("teams/1/x.svg")
    assert "attachment" not in storage.link_to("teams/1/x.png")


def test_a_thumbnail_of_a_drawing_asks_nobody_for_anything(drawing: ImageAsset) -> None:
    with drawing.file.open() as file:
        assert thumbnail(file.read(), edge=64)[:4] == b"RIFF"
