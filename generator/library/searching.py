"""The full-text index: which words an image must have, and the places of those that have them.

SQLite's index walks its hits from the newest on and stops when there are enough. PostgreSQL's
finds all of them first, so that words which most images have are kept out of its question.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, F, Q, QuerySet, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Concat, StrIndex
from django.db.models.lookups import GreaterThan

from generator.library.spans import Span
from generator.models import ImageWords, Team

PROBED = 2000  # images of which we look how common a word is
COMMON = 0.05  # of the probed
_WORDS = "array_to_tsvector(string_to_array(words, ' '))"


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


def hits(team: Team, terms: Sequence[Term], span: Span, most: int) -> list[int]:
    """The first places of a span whose images, trashed ones too, have every term."""
    order, asked = "ASC" if span.up else "DESC", list[str | int]()
    if connection.vendor == "postgresql":
        rare, common = _parted(team, terms)
        also = "".join(f" AND ({_strpos(term)})" for term in common)
        sql = (
            f"WITH found AS MATERIALIZED (SELECT place FROM generator_imagewords "  # noqa: S608
            f"WHERE {_WORDS} @@ %s::tsquery AND place >= %s AND place < %s{also}) "
            f"SELECT place FROM found ORDER BY place {order} LIMIT %s"
        )
        asked = [_tsquery(rare), span.low, span.high, *_strpos_values(common), most]
    else:
        sql = (
            "SELECT rowid FROM image_search WHERE image_search MATCH %s "  # noqa: S608
            f"AND rowid >= %s AND rowid < %s ORDER BY rowid {order} LIMIT %s"
        )
        asked = [_match(terms), span.low, span.high, most]
    with connection.cursor() as cursor:
        cursor.execute(sql, asked)
        return [row[0] for row in cursor.fetchall()]


def is_quick(team: Team, terms: Sequence[Term]) -> bool:
    """Whether asking for a few hits of these terms is little work: they are not on many images."""
    if connection.vendor != "postgresql":
        return True
    asked = [term for term in terms if not _is_of_the_team(term)]
    counts = _newest(team).aggregate(
        count=Count("place"), fit=Count("place", filter=all_of(asked))
    )  # fmt: skip
    return bool(counts["fit"] < counts["count"] * COMMON)


def _parted(team: Team, terms: Sequence[Term]) -> tuple[list[Term], list[Term]]:
    """What is asked of PostgreSQL's index, and what of the rows it finds.

    A common word begins with the work of listing every image that has it. Where all are common,
    the two that are least so go to the index.
    """
    words = [term for term in terms if not _is_of_the_team(term)]
    of_team = [term for term in terms if _is_of_the_team(term)]
    asked = {f"n{at}": Count("place", filter=one.condition()) for at, one in enumerate(words)}
    counts = _newest(team).aggregate(count=Count("place"), **asked)
    by_count = sorted(range(len(words)), key=lambda at: counts[f"n{at}"])
    limit = counts["count"] * COMMON
    rare = [at for at in by_count if counts[f"n{at}"] < limit] or by_count[:2]
    common = [words[at] for at in by_count if at not in rare]
    return [*of_team, *(words[at] for at in rare)], common


def _newest(team: Team) -> QuerySet[ImageWords]:
    return ImageWords.objects.filter(team=team).order_by("-place")[:PROBED]


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


def _strpos(term: Term) -> str:
    return " OR ".join("strpos(' ' || words || ' ', %s) > 0" for _ in term.choices)


def _strpos_values(terms: Sequence[Term]) -> list[str]:
    return [f" {choice}{'' if term.begins else ' '}" for term in terms for choice in term.choices]
