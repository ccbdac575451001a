"""What staff may do with generations, each noted in the audit log; the rest is left alone."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from generator import audit, jobs, lifecycle
from generator.errors import AlreadyMoved, IllegalMove, NotAllowed, StudioError
from generator.models import FINAL, Generation, Kind, LedgerEntry, Status, User

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

AT_ONCE = 100  # generations


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing to do: what its button says, what it means, and how it is done.

    `do` takes the generation, the reason and whoever does it; it raises StudioError with the
    reason why it is left alone. `note` stands in the audit log.
    """

    name: str
    title: "StrPromise"
    means: "StrPromise"
    note: str
    do: Callable[[Generation, str, User], None]
    done: Callable[[int], str]
    needs_reason: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """How many it was done with, and of how many it was left alone for which reason."""

    count: int
    left: Counter[str]


def carry_out(deed: Deed, generations: Iterable[Generation], *, reason: str, by: User) -> Done:
    """Do it with each of them; what cannot be done with one holds up none of the others."""
    count, left = 0, Counter[str]()
    note = f"{deed.note}: {reason}" if reason else deed.note
    for generation in generations:
        try:
            with transaction.atomic():
                deed.do(generation, reason, by)
                audit.note(generation, note, by=by)
            count += 1
        except StudioError as error:
            left[str(error)] += 1
    return Done(count, left)


def told(deed: Deed, done: Done) -> str:
    """What was done, and why the others were left alone, for people."""
    parts = [deed.done(done.count)] if done.count or not done.left else []
    for why, count in done.left.items():
        text = ngettext(
            "%(count)d was left alone: %(why)s", "%(count)d were left alone: %(why)s", count
        )
        parts.append(text % {"count": count, "why": why})
    return " ".join(parts)


def why_not(deed: Deed, generation: Generation) -> str:
    """Why it could do nothing with this one, whoever asks; empty if it could."""
    is_final = generation.status in FINAL
    match deed.name:
        case LOOK_AGAIN.name if is_final:
            return gettext("It has come to its end.")
        case CANCEL.name if generation.status != Status.QUEUED:
            return gettext("Only what still waits can be cancelled.")
        case GIVE_BACK.name if is_final and not generation.cost:
            return gettext("It cost nothing: there is nothing to give back.")
        case GIVE_BACK.name if given_back(generation):
            return gettext("Its credits were given back already.")
    return ""


def given_back(generation: Generation) -> LedgerEntry | None:
    """The line of the ledger by which what it cost was given back; None if it was not."""
    grants = generation.entries.filter(kind=Kind.GRANT).select_related("by")
    return grants.order_by("pk").first()


def is_own(generation: Generation, by: object) -> bool:
    """Whether giving it back would be to themselves, which mere staff may not."""
    return isinstance(by, User) and generation.author_id == by.pk and not by.is_superuser


def _look_again(generation: Generation, reason: str, by: User) -> None:
    if generation.status in FINAL:
        raise AlreadyMoved(gettext("it has come to its end."))
    if not jobs.hurry(generation):
        raise AlreadyMoved(gettext("a worker has it just now."))


def _cancel(generation: Generation, reason: str, by: User) -> None:
    try:
        lifecycle.cancel(generation)
    except (AlreadyMoved, IllegalMove) as error:
        raise AlreadyMoved(gettext("only what still waits can be cancelled.")) from error


def _give_back(generation: Generation, reason: str, by: User) -> None:
    if is_own(generation, by):
        raise NotAllowed(gettext("it is your own. Ask a superuser."))
    lifecycle.give_back(generation, reason=reason, by=by)


LOOK_AGAIN = Deed(
    "look_again",
    _("Look again now"),
    _(
        "What is unfinished is looked at now instead of later. Nothing is sent twice, and what a "
        "worker has in hand is left alone."
    ),
    "looked at again",
    _look_again,
    lambda count: (
        ngettext(
            "%(count)d generation is looked at now.",
            "%(count)d generations are looked at now.",
            count,
        )
        % {"count": count}
    ),
)
CANCEL = Deed(
    "cancel_waiting",
    _("Cancel those that still wait"),
    _("What still waits is withdrawn, and its credits go back. What has begun goes on."),
    "cancelled",
    _cancel,
    lambda count: (
        ngettext(
            "%(count)d generation was cancelled.", "%(count)d generations were cancelled.", count
        )
        % {"count": count}
    ),
)
GIVE_BACK = Deed(
    "give_back",
    _("Give the credits back"),
    _(
        "What it cost goes back to its author and team, once. One that is unfinished is given up: "
        "it ends as failed, even if the provider still makes it. One whose images are being kept "
        "is left alone until they are."
    ),
    "credits given back",
    _give_back,
    lambda count: (
        ngettext(
            "The credits of %(count)d generation were given back.",
            "The credits of %(count)d generations were given back.",
            count,
        )
        % {"count": count}
    ),
    needs_reason=True,
)
