"""What became of a generation, at a glance: why, what it cost, and what the gateway said last."""

from dataclasses import dataclass

from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generator.models import FINAL, Generation, KeptReply, Status

# What the code of a failure means for whoever runs the studio.
MEANS = {
    "content": _(
        "The provider's safety rules refused the prompt or the image. The same will not work again."
    ),
    "refused": _("The gateway or the provider said no. The same will not work again."),
    "busy": _("The provider had no room or could not be reached, five times in a row."),
    "silent": _(
        "No answer came to a paid call. It may have been made and paid for all the same, so it is "
        "never sent again by itself."
    ),
    "lost": _(
        "A worker stopped in the middle of the paid call, so nobody knows whether it was made. It "
        "is never sent again by itself."
    ),
    "late": _("The provider was still working when its time was up."),
    "gone": _("The provider no longer knew of the task it had taken."),
    "unreadable": _("An answer came that the studio cannot read. It may have been paid for."),
    "empty": _("The answer had no image in it."),
    "unusable": _("Images came, but none could be kept: broken, too large, or behind dead links."),
    "spool": _("The image came and was lost: this machine's disk was full or not writable."),
    "bug": _("A fault of the studio itself: the worker's log says which."),
    "staff": _("Somebody on the staff gave it up."),
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
        means=str(MEANS.get(code, "")),
        code=code,
        credits=_credits(generation),
        answer=_last_answer(last) if with_answer else "",
        said=last.text if last else "",
        is_bad=failed,
    )


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
        "step": reply.get_step_display(),
        "status": reply.status,
        "seconds": number_format(reply.seconds, 1),
    }
    if not reply.status:
        return gettext("The last call, a %(step)s, had no answer after %(seconds)s s.") % facts
    return gettext("The last answer, to the %(step)s: %(status)s, after %(seconds)s s.") % facts
