"""What became of a generation, at a glance: why, what it cost, and what the gateway said last."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generator.admin import deeds
from generator.models import (
    FINAL,
    Generation,
    KeptReply,
    LedgerEntry,
    PriceKind,
    PriceSource,
    Status,
    Step,
)
from generator.overview.failing import in_brief, what_it_means
from generator.prices import Basis

STEP_WORDS = {
    Step.SUBMIT: _("sending it"),
    Step.LOOK: _("asking how far it is"),
    Step.ANSWER: _("answering the provider's question"),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Sentences for the top of a generation's page; each may be empty."""

    headline: str
    told: str
    means: str
    code: str
    credits: str
    answer: str
    said: str
    is_bad: bool


def verdict(generation: Generation, *, with_answer: bool) -> Verdict:
    """What to say of it; with the gateway's last answer (one query) for those who may see it."""
    failed = generation.status == Status.FAILED
    last = generation.replies.last() if with_answer else None
    code = generation.reason_code if failed else ""
    return Verdict(
        headline=_headline(generation),
        told=generation.reason,
        means=what_it_means(code),
        code=in_brief(code) if code else "",
        credits=_credits(generation),
        answer=_last_answer(last) if with_answer else "",
        said=last.text if last else "",
        is_bad=failed,
    )


def made_of(row: Mapping[str, Any]) -> str:
    """The basis of a price, as a generation keeps it, in a sentence."""
    basis = Basis.from_row(row)
    if basis is None:
        return gettext("not known")
    parts = [_counted_by(basis), _expected(basis)]
    if basis.ratio != 1:
        parts.append(gettext("ratio %(ratio)s") % {"ratio": _plain(basis.ratio)})
    if basis.factor != 1:
        parts.append(gettext("the studio's factor %(factor)s") % {"factor": _plain(basis.factor)})
    if basis.source in PriceSource.values:
        parts.append(gettext("set by %(whom)s") % {"whom": PriceSource(basis.source).label})
    return "; ".join(part for part in parts if part)


def _counted_by(basis: Basis) -> str:
    if basis.kind == PriceKind.TOKENS:
        text = gettext("by tokens: %(given)s credits for a million in, %(out)s for a million out")
        return text % {"given": _plain(basis.tokens_in), "out": _plain(basis.tokens_out)}
    text = {
        PriceKind.REQUEST: gettext("%(each)s credits a request"),
        PriceKind.MEGAPIXEL: gettext("%(each)s credits a megapixel"),
    }.get(PriceKind(basis.kind), gettext("%(each)s credits an image"))
    if basis.times != 1:
        text += gettext(", × %(times)s for its settings")
    return text % {"each": _plain(basis.each), "times": _plain(basis.times)}


def _expected(basis: Basis) -> str:
    match basis.kind:
        case PriceKind.MEGAPIXEL:
            text = gettext("expected %(megapixels)s an image")
        case PriceKind.TOKENS:
            text = gettext("expected %(given)s in, %(out)s out an image")
        case _:
            return ""
    numbers = {"megapixels": basis.megapixels, "given": basis.given, "out": basis.out}
    return text % {name: _plain(number) for name, number in numbers.items()}


def _plain(number: Decimal) -> str:
    return str(number_format(f"{number.normalize():f}", force_grouping=True))


def _headline(generation: Generation) -> str:
    status = str(generation.get_status_display()).capitalize()
    if generation.finished_at:
        when = date_format(localtime(generation.finished_at), "DATETIME_FORMAT")
        return gettext("%(status)s, %(when)s") % {"status": status, "when": when}
    if generation.claimed_by:
        return gettext("%(status)s: a worker has it") % {"status": status}
    when = date_format(localtime(generation.due_at), "DATETIME_FORMAT")
    return gettext("%(status)s, next look %(when)s") % {"status": status, "when": when}


def _credits(generation: Generation) -> str:
    given = deeds.given_back(generation)
    return _given_back(given) if given else _cost(generation)


def _given_back(given: LedgerEntry) -> str:
    facts = {
        "credits": number_format(given.credits, force_grouping=True),
        "whom": given.by.shown_name if given.by else gettext("the studio"),
        "when": date_format(localtime(given.created_at), "DATETIME_FORMAT"),
        "why": given.reason,
    }
    return gettext("%(credits)s credits were given back by %(whom)s, %(when)s: %(why)s") % facts


def _cost(generation: Generation) -> str:
    held = number_format(generation.price, force_grouping=True)
    if generation.cost is not None:
        cost = number_format(generation.cost, force_grouping=True)
        return gettext("It cost %(cost)s of the %(held)s credits held.") % {
            "cost": cost,
            "held": held,
        }
    if generation.status in FINAL:
        return gettext("It cost nothing: the %(held)s credits held went back.") % {"held": held}
    return gettext("%(held)s credits are held for it.") % {"held": held}


def _last_answer(reply: KeptReply | None) -> str:
    if reply is None:
        return gettext("No answer of the gateway is kept.")
    facts = {
        "step": STEP_WORDS[Step(reply.step)],
        "status": reply.status,
        "seconds": number_format(reply.seconds, 1),
    }
    if not reply.status:
        return gettext("No answer came to the last call (%(step)s) within %(seconds)s s.") % facts
    text = gettext("The last answer (%(step)s) was %(status)s, after %(seconds)s s.")
    return text % facts
