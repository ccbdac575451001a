"""The full-text index: which words an image must have, and the places of those that have them.

SQLite's index walks its hits from the newest on and stops when there are enough. PostgreSQL's
finds all of them first, so that words which most images have are kept out of its question, and
nothing is asked where too many have all of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import F, Q, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Concat, StrIndex
from django.db.models.lookups import GreaterThan

from generator.library.spans import Span
from generator.models import Team

STRETCHES, PROBED = 8, 250  # of a team's time, and images of each: how common is a word?
COMMON = 0.05  # of the probed
MOST_GATHERED = 20_000  # hits that PostgreSQL may have to list for one question
_WORDS = "array_to_tsvector(string_to_array(words, ' '))"
_TEXT = "' ' || words || ' '"


@dataclass(frozen=True, slots=True)
class Term:
    """A word that must be there: one of `choices`; where it `begins`, a word beginning so."""

    choices: tuple[str, ...]
    begins: bool = False

    def condition(self, field: str = "words") -> Q:
        """The same asked of each row, without the index."""
        text = Concat(Value(" "), F(field), Value(" "), output_field=TextField())
        end = "" if self.begins else " "
        asked = Q()
        for choice in self.choices:
            asked |= Q(GreaterThan(StrIndex(text, Value(f" {choice}{end}")), 0))
        return asked


def all_of(terms: Iterable[Term], field: str = "words") -> Q:
    """That a row has every one of them."""
    asked = Q()
    for term in terms:
        asked &= term.condition(field)
    return asked


def everywhere(terms: Sequence[Term]) -> RawSQL:
    """The places of all images that have every term, for `place__in`."""
    if connection.vendor == "postgresql":
        sql = f"SELECT place FROM generator_imagewords WHERE {_WORDS} @@ %s::tsquery"  # noqa: S608
        return RawSQL(sql, [_tsquery(terms)])  # noqa: S611
    sql = "SELECT rowid FROM image_search WHERE image_search MATCH %s"
    return RawSQL(sql, [_match(terms)])  # noqa: S611


@dataclass(frozen=True, slots=True)
class Question:
    """What the index is asked: `terms` of it, and `common` ones of the rows that it finds.

    `is_quick` says whether that is little work: not many images have all of them.
    """

    terms: Sequence[Term]
    common: Sequence[Term] = ()
    is_quick: bool = True


def question(team: Team, terms: Sequence[Term]) -> Question:
    """How to ask for the images of a team that have every term.

    Where all are common, the two that are least so go to PostgreSQL's index.
    """
    if connection.vendor != "postgresql":
        return Question(terms)
    words = [term for term in terms if not _is_of_the_team(term)]
    probed, have_all, *counts = _probe(team, words)
    by_count = sorted(range(len(words)), key=lambda at: counts[at])
    rare = [at for at in by_count if counts[at] < probed * COMMON] or by_count[:2]
    return Question(
        terms=[*filter(_is_of_the_team, terms), *(words[at] for at in rare)],
        common=[words[at] for at in by_count if at not in rare],
        is_quick=have_all < probed * COMMON,
    )


def hits(asked: Question, span: Span, most: int) -> list[int] | None:
    """The first places of a span whose images, trashed ones too, have every term.

    None if more than MOST_GATHERED have them: listing them all takes too long.
    """
    order = "ASC" if span.up else "DESC"
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute(
                "SELECT rowid FROM image_search WHERE image_search MATCH %s "  # noqa: S608
                f"AND rowid >= %s AND rowid < %s ORDER BY rowid {order} LIMIT %s",
                [_match(asked.terms), span.low, span.high, most],
            )
            return [row[0] for row in cursor.fetchall()]
        fits = " AND ".join(f"({_strpos(term)})" for term in asked.common) or "TRUE"
        # The query as a question of its own: were it known beforehand to have many hits, PostgreSQL
        # would read the table from end to end instead of asking its index.
        cursor.execute(
            f"WITH found AS MATERIALIZED (SELECT place, {fits} AS fits "  # noqa: S608
            f"FROM generator_imagewords WHERE {_WORDS} @@ (SELECT %s::tsquery) LIMIT %s) "
            "SELECT (SELECT count(*) FROM found), ARRAY(SELECT place FROM found "
            f"WHERE fits AND place >= %s AND place < %s ORDER BY place {order} LIMIT %s)",
            [*_strpos_values(asked.common), _tsquery(asked.terms), MOST_GATHERED + 1,
             span.low, span.high, most],
        )  # fmt: skip
        count, places = cursor.fetchone()
    return places if count <= MOST_GATHERED else None


def _probe(team: Team, words: Sequence[Term]) -> list[int]:
    """Of some images from all over a team's time: how many there are, have all the words, and have
    each of them."""
    each = [f"({_strpos(word, 'text')})" for word in words]
    asked = ["TRUE", " AND ".join(each) or "TRUE", *each]
    counts = ", ".join(f"count(*) FILTER (WHERE {one})" for one in asked)
    values = _strpos_values(words)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH ends AS (SELECT min(place) AS low, max(place) AS high "  # noqa: S608
            "FROM generator_imagewords WHERE team_id = %s) "
            f"SELECT {counts} FROM ends, generate_series(0, %s) AS stretch, "
            f"LATERAL (SELECT {_TEXT} AS text FROM generator_imagewords WHERE team_id = %s "
            "AND place <= high - (high - low) / %s * stretch ORDER BY place DESC LIMIT %s) AS few",
            [team.pk, *values, *values, STRETCHES - 1, team.pk, STRETCHES, PROBED],
        )
        return list(cursor.fetchone())


def _is_of_the_team(term: Term) -> bool:
    return term.choices[0].startswith("_team")


def _match(terms: Sequence[Term]) -> str:
    """In the language of FTS5. The words are letters and digits, so nothing in them is escaped."""
    return " AND ".join(
        "(" + " OR ".join(f'"{one}"{"*" * term.begins}' for one in term.choices) + ")"
        for term in terms
    )


def _tsquery(terms: Sequence[Term]) -> str:
    """In the language of PostgreSQL's `tsquery`."""
    return " & ".join(
        "(" + " | ".join(f"'{one}'{':*' * term.begins}" for one in term.choices) + ")"
        for term in terms
    )


def _strpos(term: Term, text: str = _TEXT) -> str:
    return " OR ".join(f"strpos({text}, %s) > 0" for _ in term.choices)


def _strpos_values(terms: Sequence[Term]) -> list[str]:
    return [f" {choice}{'' if term.begins else ' '}" for term in terms for choice in term.choices]
