"""Everything that one person or one team made, as the entries of one archive.

Rows are read a few at a time by key, and no connection is held in between: a team of a million
images takes as much memory as one of a thousand.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import batched

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from generator import packing, sheets
from generator.models import (
    Collected,
    Deed,
    Favourite,
    Generation,
    ImageAsset,
    LedgerEntry,
    QuotaAccount,
    ReferenceImage,
    Tagging,
    Team,
    User,
)
from generator.models.ledger import KIND_WORDS, Kind
from generator.packing import BrokenOff
from generator.zipping import Document, Entry, Fact, as_cell, as_json

AT_ONCE = 500  # rows
READ_ME = """\
{title}

images/           every image, as it was made
trash/            images that are in the trash and not gone yet
references/       images that were given along with a prompt
manifest.csv      which file is which: prompt, model, settings, when (.json says the same)
generations.csv   everything that was asked for, what failed as well (.json says the same)
ledger.csv        what it took in credits
collections.csv   which image is in which collection, by the image's id in the manifest
tags.csv          which image has which tag
{more}
Times are in UTC.
"""


@dataclass(frozen=True, slots=True)
class Whose:
    """What `by` takes: all of these teams, or with `author` what this person made in them."""

    teams: tuple[Team, ...]
    by: User
    author: User | None = None

    def within[M: Model](self, rows: QuerySet[M], team: Team) -> QuerySet[M]:
        """Those of the rows (generations, images, references) that are theirs."""
        theirs = rows.filter(team=team)
        return theirs.filter(author=self.author) if self.author else theirs

    def while_allowed[T](self, rows: Iterator[T], team: Team, *, at_once: int) -> Iterator[T]:
        """The rows of a team. Raises BrokenOff where they may not be taken any more: asked before
        each bite of them."""
        deed = Deed.LOOK if self.author else Deed.TAKE_ALL
        for some in batched(rows, at_once, strict=False):
            if not packing.may_still(self.by, team, deed):
                raise BrokenOff("Whoever takes it has left the team, or may take less of it.")
            packing.give_back_connection()
            yield from some


def of_person(user: User) -> Whose:
    """What somebody made in the teams that they are in now."""
    return Whose(tuple(Team.objects.of(user)), user, user)


def of_team(team: Team, *, by: User) -> Whose:
    """What everybody made in a team, for somebody who may take all."""
    return Whose((team,), by)


def entries(whose: Whose) -> Iterator[Entry | Document]:
    """The files, one by one; nothing is read before its turn.

    Raises BrokenOff where something may not be taken any more: whoever leaves a team ends their own
    download, and begins another of what is left to them.
    """
    now = timezone.now()
    yield Document("read-me.txt", partial(_read_me, whose), now)
    yield from _images(whose)
    yield from _references(whose)
    for name, table in _TABLES.items():
        yield Document(f"{name}.csv", partial(_sheet, table, whose), now)
    if whose.author:
        yield Document("favourites.csv", partial(_sheet, _FAVOURITES, whose), now)
    yield Document("generations.json", partial(_list, _TABLES["generations"], whose), now)


def _read_me(whose: Whose) -> Iterator[bytes]:
    names = ", ".join(team.name for team in whose.teams)
    title = f"What {whose.author.shown_name} made in {names}" if whose.author else f"{names}"
    more = "favourites.csv    which images you like\n" if whose.author else ""
    yield READ_ME.format(title=title, more=more).encode()


# ── Files ──


def _images(whose: Whose) -> Iterator[Entry]:
    for team in whose.teams:
        for folder, images in (
            ("images", ImageAsset.objects.kept()),
            ("trash", ImageAsset.objects.trashed()),
        ):
            theirs = images.filter(team=team)
            if whose.author:
                theirs = theirs.filter(author=whose.author)
            found = packing.in_bites(theirs)
            for image in whose.while_allowed(found, team, at_once=packing.AT_ONCE):
                yield packing.entry(image, folder=_folder(folder, whose, team))


def _references(whose: Whose) -> Iterator[Entry]:
    """What was uploaded. What stands for an image of the library is there already, and what stood
    for one that is gone has no file."""
    for team in whose.teams:
        rows = whose.within(ReferenceImage.objects.filter(asset=None).exclude(file=""), team)
        found = _by_key(rows.select_related("author"))
        for reference in whose.while_allowed(found, team, at_once=AT_ONCE):
            yield Entry(
                title="mask" if reference.is_mask else "reference",
                extension=reference.extension,
                chunks=partial(packing.chunks, str(reference.file.name)),
                size=reference.size,
                modified=reference.created_at,
                facts={
                    "image": str(reference.pk),
                    "author": reference.author.shown_name,
                    "made": _moment(reference.created_at),
                    "width": reference.width,
                    "height": reference.height,
                    "bytes": reference.size,
                },
                folder=_folder("references", whose, team),
            )


def _folder(name: str, whose: Whose, team: Team) -> str:
    return name if len(whose.teams) == 1 else f"{name}/{team.slug}"


# ── Tables ──

type Row = dict[str, Fact]
type Table = Callable[[Whose, Team], Iterator[Row]]


def _rows(table: Table, whose: Whose) -> Iterator[Row]:
    for team in whose.teams:
        rows = whose.while_allowed(table(whose, team), team, at_once=AT_ONCE)
        yield from ({"team": team.name, **row} for row in rows)


def _sheet(table: Table, whose: Whose) -> Iterator[bytes]:
    heads: list[str] = []
    for row in _rows(table, whose):
        if not heads:
            heads = list(row)
            yield sheets.BOM.encode() + sheets.lines([heads])
        yield sheets.lines([map(as_cell, row.values())])


def _list(table: Table, whose: Whose) -> Iterator[bytes]:
    before = b"[\n"
    for row in _rows(table, whose):
        yield before + as_json(row)
        before = b",\n"
    yield b"\n]\n" if before == b",\n" else b"[]\n"


def _generations(whose: Whose, team: Team) -> Iterator[Row]:
    rows = whose.within(Generation.objects.select_related("author"), team)
    for one in _by_moment(rows):
        yield {
            "generation": str(one.pk),
            "author": one.author.shown_name,
            "asked": _moment(one.created_at),
            "ended": _moment(one.finished_at),
            "status": one.status,
            "reason": one.reason,
            "action": one.action,
            "prompt": one.prompt,
            "model": one.label,
            "settings": packing.said_settings(one),
            "parent": str(one.parent_id or ""),
            "what the model said": one.texts,
            "price": one.price,
            "cost": one.cost,
        }


def _ledger(whose: Whose, team: Team) -> Iterator[Row]:
    accounts = QuotaAccount.objects.filter(team=team).select_related("user")
    if whose.author:
        accounts = accounts.filter(user=whose.author)
    for account in list(accounts.order_by("pk")):
        for line in _by_moment(LedgerEntry.objects.filter(account=account).select_related("by")):
            yield {
                "account": account.user.shown_name if account.user else "the whole team",
                "time": _moment(line.created_at),
                "counts on": line.counts_on.isoformat(),
                "what": KIND_WORDS[Kind(line.kind)],
                "credits": line.credits,
                "reason": line.reason,
                "granted by": line.by.shown_name if line.by else "",
                "generation": str(line.generation_id or ""),
            }


def _collections(whose: Whose, team: Team) -> Iterator[Row]:
    for collection in list(team.collections.by_name()):
        rows = _of_author(Collected.objects.filter(collection=collection), whose)
        for tie in _by_place(rows):
            yield {"collection": collection.name, "image": str(tie.image_id)}


def _tags(whose: Whose, team: Team) -> Iterator[Row]:
    for tag in list(team.tags.all()):
        for tie in _by_place(_of_author(Tagging.objects.filter(tag=tag), whose)):
            yield {"tag": tag.name, "image": str(tie.image_id)}


def _favourites(whose: Whose, team: Team) -> Iterator[Row]:
    for tie in _by_place(Favourite.objects.filter(team=team, user=whose.author)):
        yield {"image": str(tie.image_id)}


def _of_author[M: Model](ties: QuerySet[M], whose: Whose) -> QuerySet[M]:
    return ties.filter(image__author=whose.author) if whose.author else ties


_FAVOURITES: Table = _favourites
_TABLES: dict[str, Table] = {
    "generations": _generations,
    "ledger": _ledger,
    "collections": _collections,
    "tags": _tags,
}


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else ""


# ── Read in bites ──


def _by_moment[M: (Generation, LedgerEntry)](rows: QuerySet[M]) -> Iterator[M]:
    """Newest first."""
    rows = rows.order_by("-created_at", "-pk")

    def behind(row: M) -> Q:
        before = Q(created_at__lt=row.created_at) | Q(pk__lt=row.pk)
        return before & Q(created_at__lte=row.created_at)

    yield from _in_bites(rows, behind)


def _by_place[M: (Collected, Tagging, Favourite)](rows: QuerySet[M]) -> Iterator[M]:
    yield from _in_bites(rows.order_by("-place"), lambda row: Q(place__lt=row.place))


def _by_key[M: Model](rows: QuerySet[M]) -> Iterator[M]:
    yield from _in_bites(rows.order_by("pk"), lambda row: Q(pk__gt=row.pk))


def _in_bites[M: Model](rows: QuerySet[M], behind: Callable[[M], Q]) -> Iterator[M]:
    """All rows, some at a time; `behind` says what comes after the last of them."""
    some = list(rows[:AT_ONCE])
    while some:
        packing.give_back_connection()
        yield from some
        some = list(rows.filter(behind(some[-1]))[:AT_ONCE])
