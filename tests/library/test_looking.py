"""Looking through a library: the same images in the same order, whichever way finds them."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from django.http import QueryDict
from django.utils import timezone

from generator.library import searching, sorting, walking
from generator.library.looking import MOST_LOOKED_FOR, Look, images, neighbours, newer, page
from generator.library.spans import Span
from generator.models import Generation, ImageAsset, ImageWords, Role, Team, User
from generator.search_words import search_words
from tests.make import add_member, make_asset, make_generation, make_team, make_user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)
_minutes = count()


def make_image(
    author: User, team: Team, prompt: str = "a teapot", *, at: datetime | None = None, **facts: str
) -> ImageAsset:
    """A stored image of this prompt; those made later are newer."""
    generation = make_generation(author, team, prompt=prompt)
    if facts:
        Generation.objects.filter(pk=generation.pk).update(**facts)
        generation.refresh_from_db()
    return make_asset(generation, created_at=at or NOON + timedelta(minutes=next(_minutes)))


def looked(team: Team, user: User, **asked: object) -> list[str]:
    """The prompts of the first page."""
    found = page(team, user, Look(**asked))  # type: ignore[arg-type]
    return [image.generation.prompt for image in found.images]


def read(address: str) -> Look:
    """What an address asks for."""
    return Look.read(QueryDict(address))


# ── Words ──


def test_every_word_has_to_be_there_as_the_beginning_of_one_newest_first(
    member: User, team: Team
) -> None:
    for prompt in ("a red fox", "Foxes, in REDDISH light", "a fox", "the red box"):
        make_image(member, team, prompt)
    assert looked(team, member, words="fox red") == ["Foxes, in REDDISH light", "a red fox"]
    assert looked(team, member, words="RÉD") == [
        "the red box", "Foxes, in REDDISH light", "a red fox",
    ]  # fmt: skip
    assert looked(team, member, words="ox") == []


def test_each_character_of_chinese_japanese_or_korean_has_to_be_there(
    member: User, team: Team
) -> None:
    for prompt in ("東京の夜", "京都の夜", "서울의 밤"):
        make_image(member, team, prompt)
    assert looked(team, member, words="東京") == ["東京の夜"]
    assert looked(team, member, words="夜") == ["京都の夜", "東京の夜"]
    assert looked(team, member, words="밤") == ["서울의 밤"]


@pytest.mark.parametrize("typed", ["%", "***", '""', "'; --", "_", "\\", "OR", "NOT fox", "fox*"])
def test_signs_of_a_query_language_are_no_language(typed: str, member: User, team: Team) -> None:
    make_image(member, team, "a fox")
    found = looked(team, member, words=typed)
    assert found == (["a fox"] if search_words(typed) == ["fox"] else [])


@pytest.mark.parametrize("typed", ["%", "* _ *", '""', "\x00", "…"])
def test_a_search_without_a_word_looks_for_nothing_and_says_so(
    typed: str, member: User, team: Team
) -> None:
    make_image(member, team)
    look, image = Look(words=typed), make_image(member, team)
    make_image(member, team)
    assert look.says_nothing
    assert not page(team, member, look).images
    assert not images(team, member, look).exists()
    assert newer(team, member, look, after=0) == 0
    assert neighbours(team, member, look, image) == (None, None)


def test_as_many_words_count_as_a_prompt_has(member: User, team: Team) -> None:
    prompt = " ".join(f"w{n}x" for n in range(30))
    make_image(member, team, prompt)
    assert looked(team, member, words=f"{prompt} absent") == []
    assert looked(team, member, words=prompt) == [prompt]


def test_of_a_long_search_only_some_words_count() -> None:
    look = read("q=" + "+".join(f"w{n}" for n in range(5000)))
    assert len(look.search) == MOST_LOOKED_FOR
    assert look.leaves_words_out
    assert not read("q=a+red+fox").leaves_words_out
    assert len(look.query) < 1000
    assert len(read("q=" + "x" * 10_000).query) < 1000


def test_a_word_is_no_fact_of_an_image(member: User, team: Team) -> None:
    make_image(member, team, "a fox")
    assert looked(team, member, words="create") == []
    assert looked(team, member, words=f"_team{team.pk}") == []


def test_words_go_with_their_image(member: User, team: Team) -> None:
    image = make_image(member, team, "a fox")
    make_image(member, team, "another fox")
    image.delete()
    assert looked(team, member, words="fox") == ["another fox"]
    assert ImageWords.objects.count() == 1


# ── Filters ──


def test_a_look_finds_nothing_of_other_teams_and_nothing_in_the_trash(
    member: User, team: Team
) -> None:
    other = make_team(member)
    make_image(member, other, "a fox elsewhere")
    gone = make_image(member, team, "a fox thrown away")
    kept = make_image(member, team, "a fox")
    sorting.favourite(member, ImageAsset.objects.all(), on=True)
    tag = sorting.tag(team, [gone, kept], "foxes")
    ImageAsset.objects.filter(pk=gone.pk).update(trashed_at=timezone.now())
    for asked in ({}, {"words": "fox"}, {"favourites": True}, {"tag": tag.pk}):
        assert looked(team, member, **asked) == ["a fox"]
        assert looked(other, member, **asked) == ([] if "tag" in asked else ["a fox elsewhere"])


def test_favourites_are_one_s_own(member: User, team: Team) -> None:
    other = make_user()
    add_member(team, other, Role.VIEWER)
    image = make_image(member, team)
    sorting.favourite(other, [image], on=True)
    assert looked(team, member, favourites=True) == []
    assert looked(team, other, favourites=True) == ["a teapot"]


def test_days_are_those_of_the_team_s_clock(member: User) -> None:
    team = make_team(member, time_zone="Pacific/Auckland")
    make_image(member, team, "late", at=datetime(2026, 5, 16, 11, 59, 59, tzinfo=UTC))
    make_image(member, team, "early", at=datetime(2026, 5, 16, 12, 0, tzinfo=UTC))
    assert looked(team, member, since=date(2026, 5, 17)) == ["early"]
    assert looked(team, member, until=date(2026, 5, 16)) == ["late"]
    assert looked(team, member, since=date(2026, 5, 17), until=date(2026, 5, 17)) == ["early"]


ROUNDS: list[tuple[tuple[int, int], float, int]] = [
    ((1, 3), 0.05, 20_000),  # nearly everything is common: PostgreSQL's index is hardly asked
    ((1, 3), 2, 20_000),  # nothing is
    ((5, 20), 2, 3),  # it is asked, and often has too many
    ((2000, 20_000), 0.05, 20_000),
]


@pytest.mark.parametrize(("walked", "common", "gathered"), ROUNDS)
def test_each_way_finds_what_a_reading_of_every_image_finds(
    walked: tuple[int, int], common: float, gathered: int,
    member: User, team: Team, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(walking, "WALKED", walked)
    monkeypatch.setattr(walking, "MOST_HITS", 4)
    monkeypatch.setattr(searching, "COMMON", common)
    monkeypatch.setattr(searching, "MOST_GATHERED", gathered)
    rng, nora = random.Random(5), make_user("nora")
    add_member(team, nora)
    _fill(rng, [member, nora], team)
    everything = list(ImageAsset.objects.select_related("generation").order_by("-place"))
    sorting.favourite(member, rng.sample(everything, 12), on=True)
    tag = sorting.tag(team, rng.sample(everything, 20), "liked by the client")
    ImageAsset.objects.filter(pk__in=[one.pk for one in rng.sample(everything, 6)]).update(
        trashed_at=timezone.now()
    )
    for _ in range(25):
        look = _any_look(rng, [member, nora], tag.pk)
        right = [one.pk for one in _read_each(member, look)]
        assert _paged(team, member, look) == right, look
        assert [one.pk for one in images(team, member, look)] == right
        if walked == ROUNDS[-1][0]:
            assert newer(team, member, look, after=0) == len(right)
            _assert_neighbours(team, member, look, right)


def _fill(rng: random.Random, authors: list[User], team: Team) -> None:
    for _ in range(36):
        image = make_image(
            rng.choice(authors), team, " ".join(rng.sample(["fox", "owl", "red", "reed", "夜"], 2)),
            wire_model=rng.choice(["gpt-image-2", "flux/2'pro"]),
            action=rng.choice(["create", "edit", "replace_background"]),
        )  # fmt: skip
        assert image.words.words


def _any_look(rng: random.Random, authors: list[User], tag: int) -> Look:
    def some[T](*values: T) -> tuple[T, ...]:
        return tuple(rng.sample(values, rng.choice([0, 0, 1, 2])))

    return Look(
        words=rng.choice(["", "", "fox", "re", "fox r", "夜", "o 夜"]),
        models=some("gpt-image-2", "flux/2'pro"),
        authors=some(*(one.pk for one in authors)),
        kinds=some("create", "edit", "replace_background"),
        favourites=rng.random() < 0.3,
        tag=tag if rng.random() < 0.3 else None,
    )


def _read_each(user: User, look: Look) -> list[ImageAsset]:
    def fits(image: ImageAsset) -> bool:
        there = search_words(image.generation.prompt)
        return (
            all(any(one.startswith(word) for one in there) for word in look.search)
            and (not look.models or image.wire_model in look.models)
            and (not look.authors or image.author_id in look.authors)
            and (not look.kinds or image.kind in look.kinds)
            and (not look.favourites or image.favourites.filter(user=user).exists())
            and (not look.tag or image.taggings.filter(tag=look.tag).exists())
        )

    kept = ImageAsset.objects.kept().select_related("generation").order_by("-place")
    return [image for image in kept if fits(image)]


def _paged(team: Team, user: User, look: Look) -> list[UUID]:
    found, before = list[UUID](), None
    while True:
        some = page(team, user, look, before=before, size=7)
        found += [image.pk for image in some.images]
        if some.earlier is None:
            return found
        assert before is None or some.earlier < before
        before = some.earlier


def _assert_neighbours(team: Team, user: User, look: Look, right: list[UUID]) -> None:
    for place, pk in enumerate(right):
        image = ImageAsset.objects.get(pk=pk)
        around = [one and one.pk for one in neighbours(team, user, look, image)]
        assert around == [
            right[place - 1] if place else None,
            right[place + 1] if place + 1 < len(right) else None,
        ]


def test_neighbours_are_looked_for_beyond_the_first_stretch(
    member: User, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "WALKED", (2, 8))
    monkeypatch.setattr(walking, "MOST_HITS", 2)
    old, *rest = [make_image(member, team) for _ in range(8)]
    tag = sorting.tag(team, [old, *rest], "all")
    sorting.favourite(member, [old, rest[-1]], on=True)
    look = Look(tag=tag.pk, favourites=True)
    assert neighbours(team, member, look, rest[-1]) == (None, old)
    assert neighbours(team, member, look, old) == (rest[-1], None)


@pytest.mark.parametrize("up", [False, True])
def test_what_comes_after_a_place_leaves_out_the_place_and_nothing_else(up: bool) -> None:
    span = Span(3, 9, up)
    inside = list(range(span.low, span.high))
    walked = inside if up else inside[::-1]
    for at, place in enumerate(walked):
        behind, until = span.behind(place), span.until(place)
        assert set(range(behind.low, behind.high)) == set(walked[at + 1 :])
        assert set(range(until.low, until.high)) == set(walked[: at + 1])


@pytest.mark.parametrize("asked", [{}, {"words": "fox"}, {"words": "fox", "favourites": True}])
def test_days_and_places_beyond_the_last_are_no_error(
    asked: dict[str, object], member: User, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "WALKED", (1, 2))
    foxes = [make_image(member, team, "a fox") for _ in range(3)]
    sorting.favourite(member, foxes, on=True)
    far = date(9000, 1, 1)
    assert len(page(team, member, Look(until=far, **asked)).images) > 0  # type: ignore[arg-type]
    assert not page(team, member, Look(since=far, **asked)).images  # type: ignore[arg-type]
    assert newer(team, member, Look(**asked), after=2**63 - 1) == 0  # type: ignore[arg-type]


def test_new_images_are_counted_up_to_a_hundred(
    member: User, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generator.library.looking.MOST_NEWER", 2)
    first = make_image(member, team, "a fox")
    for prompt in ("an owl", "a fox", "a fox", "a fox"):
        make_image(member, team, prompt)
    assert newer(team, member, Look(), after=first.place) == 2
    assert newer(team, member, Look(words="owl"), after=first.place) == 1


@pytest.mark.parametrize(
    "asked", [{}, {"words": "fox"}, {"words": "fox", "tag": 1}, {"authors": (1, 2)}]
)
def test_a_page_asks_as_much_of_the_database_however_many_images_there_are(
    asked: dict[str, object], member: User, team: Team, django_assert_max_num_queries: Any
) -> None:
    for _ in range(12):
        make_image(member, team, "a fox")
    with django_assert_max_num_queries(8):
        page(team, member, Look(**asked), size=5)  # type: ignore[arg-type]


# ── Addresses ──


def test_a_look_is_its_address_and_back() -> None:
    look = Look(
        words="red fox", models=("a", "b"), authors=(3, 17), since=date(2026, 1, 2),
        until=date(2026, 2, 1), kinds=("edit",), shapes=("tall", "wide"), favourites=True,
        collection=1234, tag=5,
    )  # fmt: skip
    assert read(look.query) == look
    assert "collection=1234" in look.query
    assert read("") == Look()
    assert Look().query == ""
    assert Look().is_empty
    assert not look.is_empty


@pytest.mark.parametrize(
    "address",
    [
        "author=x&author=-1&author=99999999999999999999&tag=1e3&collection=%D9%A3",
        "since=2026-02-30&until=tomorrow&since=20260101", "since=0001-01-01&until=9999-12-31",
        "since=2263-01-01&until=2400-01-01",
        "kind=destroy&shape=round&favourites=yes&model=&model=%00", "q=+++&q=",
        "model=" + "x" * 121,
    ],
)  # fmt: skip
def test_what_cannot_be_read_of_an_address_is_left_out(address: str) -> None:
    assert read(address) == Look()
