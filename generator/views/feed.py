"""The cards of the feed: what each shows, and which stand side by side."""

import statistics
import uuid
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from itertools import groupby

from django.db.models import Prefetch

from generator.errors import NotOffered
from generator.families import FAMILIES, parse_ratio, parse_size
from generator.forms.doing import ACTION_WORDS
from generator.forms.fields import shape
from generator.models import (
    UNDER_WAY,
    Action,
    CatalogueEntry,
    Favourite,
    Generation,
    GivenReference,
    ImageAsset,
    Membership,
    Purpose,
    ReferenceImage,
    Status,
    Team,
)
from generator.models.generations import GenerationQuerySet
from generator.models.references import tokens_before
from generator.models.roles import Deed
from generator.offers import Offer, buttons_of

REMEMBERED = 100  # finished generations of the team that say how long a model usually takes
ENOUGH = 20  # of them, per model
MOST_TOGETHER = 12  # of one batch side by side
SQUARE = (1024, 1024)  # the place kept for an image whose size the provider chooses

OWN_NOTES = frozenset({"busy", "unknown", "storage", "link", "later"})

# What to do next, by the code of the reason; empty where the reason says it already.
ADVICE = {
    "content": "",
    "refused": "",
    "lost": "",
    "busy": "It was tried several times. Try again in a while.",
    "silent": "It is not sent again by itself, since it might be made twice.",
    "empty": "Try again, or reword the prompt.",
    "gone": "Providers keep their work for a while only. Try again.",
}


@dataclass(frozen=True, slots=True)
class Press:
    """A button of a card, and whether it was pressed already; it may be pressed again."""

    offer: Offer
    pressed: bool

    @property
    def explained(self) -> str:
        """What Midjourney's short names mean, `U2` and `V3`; empty where the label says it (F4)."""
        does, number = self.offer.label[:1], self.offer.label[1:]
        if does not in ("U", "V") or number not in ("1", "2", "3", "4"):
            return ""
        return f"picture {number} alone" if does == "U" else f"four like picture {number}"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What cards show beside their own rows, asked for once for all of them."""

    usual: dict[str, int]  # seconds, by wire model
    places: dict[uuid.UUID, int]
    pressed: set[tuple[uuid.UUID | None, str]]  # parent and button
    can_edit: bool  # whether any model on offer can
    liked: Set[uuid.UUID]  # images that the person likes


@dataclass(frozen=True, slots=True)
class Card:
    """What one card of the feed shows."""

    generation: Generation
    images: Sequence[ImageAsset]  # without those in the trash
    size: tuple[int, int]
    usual_seconds: int
    may_cancel: bool
    price_again: int | None
    place_in_line: int = 1  # of one that waits
    trashed: int = 0  # images in the trash
    presses: Sequence[Press] = ()
    can_edit: bool = False
    liked: Set[uuid.UUID] = frozenset()
    batch: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def status(self) -> str:
        """As the style sheet names it."""
        return self.generation.status

    @property
    def frames(self) -> range:
        """One place for each image that is still to come."""
        return range(self.places - len(self.images))

    @property
    def places(self) -> int:
        """Images and frames together."""
        return max(self.generation.count - self.trashed, len(self.images))

    @property
    def has_places(self) -> bool:
        """Whether there is anything to show above the prompt, or will be."""
        if self.status in (Status.FAILED, Status.CANCELLED):
            return False
        return bool(self.images) or self.status != Status.SUCCEEDED

    @property
    def shape(self) -> str:
        """`wide`, `tall` or `square`: all places of a card have one shape."""
        return shape(self.size)

    @property
    def passed(self) -> float:
        """How far the bar is, in hundredths: it ends at twice the usual time."""
        return min(100.0, 50 * (self.generation.seconds or 0) / self.usual_seconds)

    @property
    def asked_size(self) -> str:
        """The size for the line of facts: as made, else as asked for."""
        if self.images:
            return f"{self.size[0]}x{self.size[1]}"
        return str(self.generation.fields.get("size", ""))

    @property
    def quality(self) -> str:
        """The quality used where the provider said it, else as asked for."""
        said = self.generation.used.get("quality") or self.generation.fields.get("quality")
        family = FAMILIES.get(self.generation.family)
        field = family.fields.get("quality") if family else None
        labels = (field.labels or {}) if field else {}
        return labels.get(str(said), str(said or ""))

    @property
    def heading(self) -> str:
        """The prompt; where nothing was written, what was done, and to what."""
        row = self.generation
        if row.prompt or not self.doing:
            return row.prompt
        return (
            f"{self.doing}: {row.parent.prompt}" if row.parent and row.parent.prompt else self.doing
        )

    @property
    def doing(self) -> str:
        """What it does, in a word or two; empty for an image from text."""
        if self.generation.button_label:
            return self.generation.button_label
        action = self.generation.action
        return "" if action == Action.CREATE else ACTION_WORDS.get(action, "")

    @property
    def said_meanwhile(self) -> str:
        """What the provider says of a task under way; empty for the studio's own notes."""
        note = self.generation.note
        return "" if note in OWN_NOTES else note

    @property
    def fell_short(self) -> str:
        """What did not come out of a generation that succeeded, and why; empty if all did."""
        row = self.generation
        if row.status != Status.SUCCEEDED or not (row.reason or row.failed_members):
            return ""
        why = f": {row.reason}" if row.reason else "."
        if row.failed_members:
            of = max(row.count, self.made + row.failed_members)
            return f"{row.failed_members} of {of} did not come out{why}"
        return f"{self.made} of {row.count} came{why}"

    @property
    def made(self) -> int:
        """Images that it made, those in the trash among them."""
        return len(self.images) + self.trashed

    @property
    def away(self) -> str:
        """Where images went that it made and that are not shown; empty where all are."""
        is_bare = self.status == Status.SUCCEEDED and not self.made and not self.is_told
        match self.trashed:
            case 0:
                return "Its images were deleted." if is_bare else ""
            case 1 if self.made == 1:
                return "Its image is in the trash."
            case self.made:
                return f"All {self.made} images are in the trash."
            case trashed:
                return f"{trashed} of {self.made} in the trash."

    @property
    def is_told(self) -> bool:
        """Whether its answer is text, and no image."""
        return bool(self.generation.texts) and not self.made

    @property
    def start(self) -> ImageAsset | None:
        """The image of the parent that it started from, where none is given along as well."""
        parent = self.generation.parent
        if parent is None or self._along:
            return None
        wanted = self.generation.parent_position or 0
        kept, _trashed = _parted(parent)
        return next((image for image in kept if image.position == wanted), None)

    @property
    def given(self) -> list[ReferenceImage]:
        """The images that were given along, but those in the trash."""
        return [one for one in self._along if not (one.asset and one.asset.trashed_at)]

    @property
    def _along(self) -> list[ReferenceImage]:
        rows = self.generation.given.all()
        return [one.reference for one in rows if one.purpose != Purpose.MASK]

    @property
    def advice(self) -> str:
        """What to do about a failure."""
        return ADVICE.get(self.generation.reason_code, "Try again, or try another model.")


def cards_of(generations: Iterable[Generation], membership: Membership) -> list[Card]:
    """The cards of these generations, for this member."""
    rows = list(generations)
    around = _neighbours(rows, membership)
    return [_card(row, membership, around) for row in rows]


def _neighbours(rows: list[Generation], membership: Membership) -> Neighbours:
    under_way = any(row.status in UNDER_WAY for row in rows)
    waits = any(row.status == Status.QUEUED for row in rows)
    have_buttons = [row.pk for row in rows if row.buttons]
    children = Generation.objects.filter(parent__in=have_buttons).exclude(button="")
    made = any(row.status == Status.SUCCEEDED for row in rows)
    return Neighbours(
        usual=_usual_seconds(membership.team) if under_way else {},
        places=Generation.objects.places() if waits else {},
        pressed=set(children.values_list("parent_id", "button")) if have_buttons else set(),
        can_edit=made and membership.may_make and can_any_edit(),
        liked=_liked(rows, membership),
    )


def _liked(rows: list[Generation], membership: Membership) -> set[uuid.UUID]:
    shown = [image.pk for row in rows for image in _parted(row)[0]]
    if not shown:
        return set()
    mine = Favourite.objects.filter(user=membership.user_id, image__in=shown)
    return set(mine.values_list("image", flat=True))


def can_any_edit() -> bool:
    """Whether a model on offer can go on from an image of the library."""
    return any(entry.can(Action.EDIT) for entry in CatalogueEntry.objects.pickable())


@dataclass(frozen=True, slots=True)
class Group:
    """Cards that stand together: one, or those of one press of the button side by side."""

    cards: Sequence[Card]

    @property
    def first(self) -> Card:
        """The one whose words stand for all."""
        return self.cards[0]


def groups_of(cards: Iterable[Card]) -> list[Group]:
    """Cards in the feed's order, those of one batch together in the order they were begun in."""
    together = groupby(cards, key=lambda card: (card.generation.batch, card.generation.prompt))
    return [Group(list(group)[::-1]) for _key, group in together]


def for_cards(team: Team) -> GenerationQuerySet:
    """The team's generations with what cards need of their neighbours."""
    given = GivenReference.objects.select_related("reference__asset")
    rows = Generation.objects.filter(team=team).select_related("entry", "author", "parent")
    return rows.prefetch_related("images", "parent__images", Prefetch("given", given))


def _card(generation: Generation, membership: Membership, around: Neighbours) -> Card:
    images, trashed = _parted(generation)
    own = generation.author_id == membership.user_id
    may_press = bool(images) or not trashed
    return Card(
        generation=generation,
        images=images,
        size=(images[0].width, images[0].height) if images else _asked_size(generation),
        usual_seconds=around.usual.get(generation.wire_model) or _said_seconds(generation),
        may_cancel=generation.status == Status.QUEUED and may_cancel(membership, own=own),
        price_again=price_again(generation) if membership.may_make else None,
        place_in_line=around.places.get(generation.pk, 1),
        trashed=trashed,
        # Nobody goes on from what is in the trash: see `find_start`.
        presses=_presses(generation, around) if membership.may_make and may_press else (),
        can_edit=around.can_edit,
        liked=around.liked,
    )


def _parted(generation: Generation) -> tuple[list[ImageAsset], int]:
    """Its images without those in the trash, and how many these are."""
    images = list(generation.images.all())
    kept = [image for image in images if image.trashed_at is None]
    return kept, len(images) - len(kept)


def _presses(generation: Generation, around: Neighbours) -> list[Press]:
    """The buttons that can be pressed now; none where the model is not on offer any more."""
    if generation.status != Status.SUCCEEDED:
        return []
    return [
        Press(
            offer, offer.button is not None and (generation.pk, offer.button.id) in around.pressed
        )
        for offer in buttons_of(generation)
    ]


def may_cancel(membership: Membership, *, own: bool) -> bool:
    """Members withdraw what is theirs; owners and admins, anything of the team."""
    return membership.may_make and (own or membership.may(Deed.CANCEL_ANY))


def price_again(generation: Generation) -> int | None:
    """Credits for the same once more, or None where the model cannot be picked now."""
    if generation.entry is None:
        return None
    try:
        _ = generation.entry.takes
        given = [one.reference for one in generation.given.all() if one.purpose != Purpose.MASK]
        return generation.entry.price(
            generation.count,
            generation.action,
            generation.fields,
            references=len(given),
            words=len(generation.prompt.encode()),
            before=tokens_before(generation.parent, generation.entry, generation.action, given),
        )
    except NotOffered:
        return None


def _asked_size(generation: Generation) -> tuple[int, int]:
    try:
        own = generation.takes.fields
    except NotOffered:
        own = {}
    said = {name: field.default for name, field in own.items()} | generation.fields
    if size := parse_size(str(said.get("size", ""))):
        return size
    ratio = parse_ratio(str(said.get("aspect_ratio", "")))
    if ratio is None:
        return SQUARE
    longest = max(ratio)
    return round(SQUARE[0] * ratio[0] / longest), round(SQUARE[1] * ratio[1] / longest)


def _said_seconds(generation: Generation) -> int:
    try:
        return generation.rule.usual_seconds
    except NotOffered:
        return 30


def _usual_seconds(team: Team) -> dict[str, int]:
    """Median seconds of the team's last successes, by wire model."""
    done = (
        Generation.objects.filter(team=team, status=Status.SUCCEEDED)
        .newest_first()
        .values_list("wire_model", "started_at", "finished_at")[:REMEMBERED]
    )
    took: dict[str, list[float]] = {}
    for wire_model, started, finished in done:
        if started and finished:
            took.setdefault(wire_model, []).append((finished - started).total_seconds())
    return {name: max(1, round(statistics.median(times[:ENOUGH]))) for name, times in took.items()}
