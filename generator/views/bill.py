"""What a form costs, told beside it: on its button, in the bill, and against what is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from generator.access import Allowance, TeamRequest, allowances, in_team
from generator.errors import NotOffered
from generator.forms.prompt import PromptForm
from generator.views.asking import fitted, form_of, others_of, showable
from generator.views.wording import bill_words, button_words, over_words


@dataclass(frozen=True, slots=True)
class LeftAfter:
    """What one cap leaves once the form was sent, in credits: below nought where it refuses."""

    allowance: Allowance
    credits: int

    @property
    def over(self) -> str:
        """By how much it is too much, in words; empty where it is not."""
        return over_words(self.allowance, -self.credits) if self.credits < 0 else ""


@require_POST
@in_team
def price(request: TeamRequest) -> HttpResponse:
    """What the form would cost as it stands, and leave, told in bits that find their own places.

    What is left is the database's at this moment. Nothing is kept or begun, and of the prompt only
    `prompt_bytes` is sent along: how long it is. Who may not make images is told nothing: a form
    is open to them only if they might a moment ago, and why not any more is said when they send.
    """
    if not request.membership.may_make:
        return HttpResponse(status=204)
    model = request.POST.get("model", "")
    form = form_of(request, initial=fitted(request, request.POST, model))
    try:
        form = showable(request, form)
        context = bill(request, form, offered_others(request, form))
    except NotOffered as error:
        raise Http404 from error
    return render(request, "generator/_bill.html#told", {"form": form, **context, "oob": True})


def offered_others(request: TeamRequest, form: PromptForm) -> list[PromptForm]:
    """The same for each model that it is compared with and that is still offered."""
    return [other for other in others_of(request, form) if other.is_offered]


def bill(request: TeamRequest, form: PromptForm, others: Sequence[PromptForm]) -> dict[str, Any]:
    """What the bill, the button and the chips say. Raises NotOffered where there is no price."""
    forms = [form, *others]
    total = sum(one.cost for one in forms)
    caps = allowances(request.team, request.user)
    left = [LeftAfter(cap, cap.credits - total) for cap in caps]
    return {
        "others": others,
        "button_words": button_words(forms),
        "bill_words": bill_words(forms),
        "total": total,
        "price_tags": [str(one.shown) for one in forms],
        "by_use": any(one.is_by_use for one in forms),
        "by_words": any(one.is_by_words for one in forms),
        "left_after": left,
        # Asked for once, for the frame of the page as well.
        "allowances": caps,
        "left": next(iter(caps), None),
        # The tightest comes first, and says whether it is too much.
        "over": next((one.over for one in left), ""),
    }
