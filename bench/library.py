"""`./studio bench library`: pages of one team's library, at 1,000 images and at a million.

`--images N` for another size, `--postgres` for the other database, `--data FOLDER` to keep the
studio for the next run. Milliseconds of the question alone, and of the page at the server
(Django's test client: database and template together), each run RUNS times; and how many queries
the page asks.
"""

import contextlib
import json
import statistics
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import batched
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from bench.filled import filled

FEW = 1000  # images of the small library
RUNS = 40
EACH = 4  # images of a generation
NEWEST = 3000  # images that lack a word which all others have
MEMBERS = MODELS = 12
SINCE = datetime(2024, 1, 1, tzinfo=UTC)
APART = timedelta(minutes=4)  # between two generations
CHUNK = 2500  # generations of one transaction
BITE = 5000  # of one question
TOLD = 100_000  # images between two lines that say how far it is
SLUG = "bench"
MOST, MOST_OF_A_SEARCH = 50, 150  # ms that a page may take at the larger size, 95th percentile
MOST_RATIO = 1.5  # to the smaller size
MOST_QUERIES = 20  # of a page, whatever the size


def main() -> None:
    """Fill, measure, fill up, measure again, and print both side by side."""
    parser = ArgumentParser(description="How long pages of a library take.")
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL, not on SQLite")
    parser.add_argument("--data", type=Path, help="keep the studio here, and use one that is there")
    wanted = parser.parse_args()
    with filled(Namespace(lines=0, postgres=wanted.postgres, data=wanted.data)):
        took: dict[int, dict[str, Took]] = {}
        for size in (FEW, wanted.images):
            _fill(size, wanted.images)
            start = time.perf_counter()
            took[size] = {case.name: _measure(case) for case in _cases(size)}
            print(f"measured in {time.perf_counter() - start:.0f} s", flush=True)
        _print(*took.items())
        _judge(*took.values())


@dataclass(frozen=True, slots=True)
class Case:
    """One page: what the address asks for, and the place it begins before."""

    name: str
    query: str = ""
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Took:
    """Milliseconds of each run, of the question and of the page; the images that are on it, and
    the queries it asks."""

    question: list[float]
    page: list[float]
    images: int
    queries: int


def _cases(size: int) -> Iterator[Case]:
    from generator.models import Collection, Tag, User

    author = User.objects.get(username="member3").pk
    other = User.objects.get(username="member4").pk
    tags = {tag.name: tag.pk for tag in Tag.objects.all()}
    collection = Collection.objects.get().pk
    middle = _moment(size // EACH // 2)
    yield Case("first page")
    yield Case("page deep down", before=int(middle.timestamp()) * 1_000_000_000)
    yield Case("one model", "model=flux-2-pro")
    yield Case("one author", f"author={author}")
    yield Case("two authors", f"author={author}&author={other}")
    yield Case("one kind", "kind=upscale")
    yield Case("one shape", "shape=tall")
    yield Case("model, author, kind", f"model=flux-2-pro&author={author}&kind=edit")
    yield Case("a month", f"since={middle.date()}&until={(middle + timedelta(days=30)).date()}")
    yield Case("favourites", "favourites=1")
    yield Case("a tag", f"tag={tags['campaign']}")
    yield Case("a tag of few", f"tag={tags['cover']}")
    yield Case("a collection", f"collection={collection}")
    yield Case("tag and favourites", f"tag={tags['campaign']}&favourites=1")
    yield Case("tag, model, author", f"tag={tags['campaign']}&model=flux-2-pro&author={author}")
    yield Case("search: a rare word", "q=zeppelin")
    yield Case("search: a common word", "q=photograph")
    yield Case("search: beginning of one", "q=photogr")
    yield Case("search: one letter", "q=s")
    yield Case("search: a word of old images", "q=typewriter")
    yield Case("search: all but the newest", "q=gramophone")
    yield Case("search: two that rarely meet", "q=heron+otter")
    yield Case("search: one letter, a rare word", "q=s+zeppelin")
    yield Case("search: two words", "q=lighthouse+linocut")
    yield Case("search: none has it", "q=qqqq")
    yield Case("search, deep down", "q=photograph", int(middle.timestamp()) * 1_000_000_000)
    yield Case("search, model, author", f"q=heron&model=flux-2-pro&author={author}")
    yield Case("search in a tag", f"q=heron&tag={tags['campaign']}")
    yield Case("search: rare in a tag", f"q=zeppelin&tag={tags['campaign']}")
    yield Case("search: old in a tag", f"q=gramophone&tag={tags['cover']}")
    yield Case("search in favourites", "q=photograph&favourites=1")


# ── Filling ──


def _fill(size: int, whole: int) -> None:
    """Make the library of the team this large, as the beginning of one of `whole` images."""
    from django.db import connection, transaction

    from generator.models import Generation, ImageAsset, ImageWords

    start, team, members = time.perf_counter(), *_people()
    there = ImageAsset.objects.filter(team=team).count() // EACH
    maker = _Maker(team, members, whole)
    with _unhurried():
        for numbers in batched(range(there, size // EACH), CHUNK, strict=False):
            made = [maker.generation(number) for number in numbers]
            images = [maker.image(one) for one in made]
            with transaction.atomic():
                _insert(Generation, made)
                _insert(ImageAsset, images, EACH)
                _insert(ImageWords, map(ImageWords.of, images), EACH)
            if (numbers[-1] + 1) * EACH % TOLD == 0:
                seconds = time.perf_counter() - start
                print(f"… {(numbers[-1] + 1) * EACH:,} images after {seconds:.0f} s", flush=True)
    _tie(team, members[0], size)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")  # as its own housekeeping does, sooner or later
    print(f"{size:,} images after {time.perf_counter() - start:.0f} s", flush=True)


@contextlib.contextmanager
def _unhurried() -> Iterator[None]:
    """What makes a million rows quick to write: PostgreSQL's index is made once they are there."""
    from django.db import connection

    search = import_module("generator.migrations.0014_search")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP INDEX IF EXISTS image_search")
        else:
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.execute("PRAGMA cache_size = -500000")
        yield
        if connection.vendor == "postgresql":
            cursor.execute("SET maintenance_work_mem = '512MB'")
            cursor.execute(search.POSTGRESQL[0])
    connection.close()  # and with it these settings


def _insert(model: Any, rows: Iterable[Any], each: int = 1) -> None:
    """As `bulk_create`, without asking each field of each row how it is written.

    Each row is written as many times as said, as that many images of a generation.
    """
    from django.db import connection

    fields = model._meta.concrete_fields
    names = ", ".join(f'"{field.column}"' for field in fields)
    plain = [_written(field, connection) for field in fields]
    columns = [field.attname for field in fields]
    values = _copied(([one(row) for one in plain] for row in rows), columns, each)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" * len(fields))
            sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"
            cursor.connection.cursor().executemany(sql, values)


def _copied(rows: Iterable[list[Any]], columns: list[str], each: int) -> Iterator[list[Any]]:
    keys = [at for at, name in enumerate(columns) if name in ("id", "image_id")]
    numbers = [at for at, name in enumerate(columns) if name in ("place", "position")]
    for row in rows:
        yield row
        for _ in range(1, each):
            row = row.copy()  # each is the one before, one further
            for at in numbers:
                row[at] += 1
            for at in keys:
                key = row[at] if isinstance(row[at], UUID) else UUID(row[at])
                key = UUID(int=key.int + 1)
                row[at] = key if isinstance(row[at], UUID) else key.hex
            yield row


def _written(field: Any, connection: Any) -> Callable[[Any], Any]:
    """Reads a field of a row in the form in which the database takes it."""
    from django.db import models

    name = field.attname
    if isinstance(field, models.JSONField):
        return lambda row: json.dumps(getattr(row, name))
    if isinstance(field, models.FileField):
        return lambda row: str(getattr(row, name))
    if connection.vendor == "postgresql":
        return lambda row: getattr(row, name)
    if isinstance(field, models.DateTimeField):
        return lambda row: (at := getattr(row, name)) and str(at.replace(tzinfo=None))
    if isinstance(field.target_field if field.is_relation else field, models.UUIDField):
        return lambda row: (key := getattr(row, name)) and key.hex
    return lambda row: getattr(row, name)


def _people() -> tuple[Any, list[Any]]:
    from generator.models import CatalogueEntry, Membership, Role, Team, User

    CatalogueEntry.objects.fill()
    team = Team.objects.get_or_create(slug=SLUG, defaults={"name": "Bench"})[0]
    members = []
    for number in range(MEMBERS):
        user = User.objects.filter(username=f"member{number}").first() or User.objects.create(
            username=f"member{number}", email=f"member{number}@example.org"
        )
        role = Role.OWNER if number == 0 else Role.MEMBER
        Membership.objects.get_or_create(team=team, user=user, defaults={"role": role})
        members.append(user)
    return team, members


class _Maker:
    """Rows that are not saved, the same for the same number."""

    def __init__(self, team: Any, members: list[Any], whole: int) -> None:
        from generator.models import CatalogueEntry

        self.team, self.members = team, members
        self.old = (whole - NEWEST) // EACH
        self.entries = list(CatalogueEntry.objects.exclude(wire_model="flux-2-pro")[: MODELS - 1])
        self.entries.append(CatalogueEntry.objects.get(wire_model="flux-2-pro"))

    def generation(self, number: int) -> Any:
        """The generation of this number."""
        from generator.models import Generation, Status

        rng, entry = Random(number), self.entries[number * 7 % MODELS]
        kind = rng.choices(["create", "edit", "vary", "upscale"], [66, 18, 8, 8])[0]
        return Generation(
            id=UUID(int=number << 64 | rng.getrandbits(64)),
            team=self.team, author=self.members[number % MEMBERS], entry=entry, label=entry.label,
            provider="bench", family=entry.family, protocol="openai_images",
            wire_model=entry.wire_model, action=kind, prompt=self._prompt(rng, number),
            fields={"size": "1024x1024"}, count=EACH, price=40, cost=40, status=Status.SUCCEEDED,
            created_at=_moment(number), finished_at=_moment(number), attempts=1,
        )  # fmt: skip

    def _prompt(self, rng: Random, number: int) -> str:
        from generator.demo_history.words import SUBJECTS, prompt

        words = [prompt(rng, rng.randrange(len(SUBJECTS))), "heron" if number % 2 else "otter"]
        if number % 5000 == 11:
            words += ["heron", "otter"]
        if number % 10_000 == 7:
            words.append("zeppelin")
        if number < 80_000:
            words.append("typewriter")
        if number < self.old:
            words.append("gramophone")
        words.append(f"number{number}")
        return ", ".join(words)

    def image(self, generation: Any) -> Any:
        """Its first image; no file lies behind it."""
        from generator.models import ImageAsset

        wide, high = ((1536, 1024), (1024, 1536), (1024, 1024))[generation.id.int % 3]
        return ImageAsset(
            id=UUID(int=generation.id.int // EACH * EACH), generation=generation, team=self.team,
            position=0, file="demo/bench.jpg",
            format="JPEG", extension="jpg", content_type="image/jpeg", width=wide, height=high,
            size=400_000, digest="0" * 64, created_at=generation.created_at,
            thumbnails_at=generation.created_at,
        ).fill_in()  # fmt: skip


def _moment(number: int) -> datetime:
    return SINCE + number * APART


def _tie(team: Any, user: Any, size: int) -> None:
    """Favourites, tags and a collection: each of a part of all that is there."""
    from generator.library import sorting
    from generator.models import Collected, Collection, Favourite, ImageAsset, Tag, Tagging

    for kind in (Favourite, Tag, Collection, Tagging, Collected):
        kind._default_manager.all().delete()
    images = ImageAsset.objects.filter(team=team)
    places = list(images.order_by("place").values_list("place", flat=True))

    def some(each: int) -> Iterator[Any]:
        """Every so many of them, four at a time: favourites, tags and collections overlap."""
        wanted = [place for n, place in enumerate(places) if n % (4 * each) < 4]
        for bite in batched(wanted, BITE, strict=False):
            yield from images.filter(place__in=bite).only("team", "place")

    collection = sorting.new_collection(team, user, "Spring")
    sorting.favourite(user, some(min(size // 100, 100)), on=True)
    sorting.tag(team, some(min(size // 100, 30)), "campaign")
    sorting.tag(team, some(size // 100), "cover")
    sorting.collect(team, user, some(min(size // 100, 70)), collection)


# ── Measuring ──


def _measure(case: Case) -> Took:
    from django.db import connection
    from django.http import QueryDict
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from generator.library.looking import Look, page
    from generator.models import Team, User

    team, user = Team.objects.get(slug=SLUG), User.objects.get(username="member0")
    look = Look.read(QueryDict(case.query))
    client = Client()
    client.force_login(user)
    before = f"before={case.before}" if case.before else ""
    address = f"/t/{SLUG}/library/?" + "&".join(part for part in (case.query, before) if part)
    times = _times(lambda: _get(client, address))
    with CaptureQueriesContext(connection) as asked:
        _get(client, address)
    return Took(
        _times(lambda: page(team, user, look, before=case.before)),
        times,
        len(page(team, user, look, before=case.before).images),
        len(asked),
    )


def _get(client: Any, address: str) -> None:
    answer = client.get(address, headers={"Host": "localhost"})
    assert answer.status_code == 200, (address, answer.status_code)


def _times(job: Callable[[], object]) -> list[float]:
    for _ in range(3):
        job()
    found = []
    for _ in range(RUNS):
        start = time.perf_counter()
        job()
        found.append((time.perf_counter() - start) * 1000)
    return found


def _print(few: tuple[int, Mapping[str, Took]], many: tuple[int, Mapping[str, Took]]) -> None:
    print(f"\n{'':32}{few[0]:>35,} images{many[0]:>35,} images  ratio of the page")
    head = "  there    p50    p95 | page p50    p95 queries"
    print(f"{'ms, question | page':32}{head * 2}    p50    p95   best")
    for name, then in few[1].items():
        now = many[1][name]
        ratios = (
            statistics.median(now.page) / statistics.median(then.page),
            _p95(now.page) / _p95(then.page),
            min(now.page) / min(then.page),  # in the others is what else the machine does
        )
        print(f"{name:32}{_figures(then)}{_figures(now)}" + "".join(f"{r:7.2f}" for r in ratios))


def _figures(took: Took) -> str:
    question, page = (
        f"{statistics.median(one):7.1f}{_p95(one):7.1f}" for one in (took.question, took.page)
    )
    return f"{took.images:7}{question} |  {page}{took.queries:8}"


def _judge(few: Mapping[str, Took], many: Mapping[str, Took]) -> None:
    """Say which pages take longer than they may."""
    for name, now in many.items():
        then, most = few[name], MOST_OF_A_SEARCH if "search" in name else MOST
        faults = [
            (_p95(now.page) > most, f"p95 over {most} ms"),
            (_grown(then, now) > MOST_RATIO * _p95(then.page), f"over {MOST_RATIO} times"),
            (now.queries > MOST_QUERIES, f"{now.queries} queries"),
        ]
        said = ", ".join(words for is_so, words in faults if is_so)
        if said:
            print(f"{name}: {said}")


def _grown(then: Took, now: Took) -> float:
    """The page's time, 95th percentile. A page of more images takes longer to draw, which says
    nothing: of that one, the time of the smaller library's and what the question takes more."""
    if now.images <= then.images:
        return _p95(now.page)
    return _p95(then.page) + _p95(now.question) - _p95(then.question)


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
