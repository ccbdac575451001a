"""What the button, the bill and the empty prompt say."""

from collections.abc import Sequence

from generator.access import Allowance
from generator.forms.doing import ACTION_WORDS
from generator.forms.prompt import PromptForm
from generator.models import Action
from generator.templatetags.studio import credits


def verb(form: PromptForm) -> str:
    """What pressing the button does, in a word or two."""
    if form.action == Action.CREATE:
        return "Make"
    return ACTION_WORDS.get(form.action, "Make")


def button_words(forms: Sequence[PromptForm]) -> str:
    """`Make 4 images · 160 credits`, `Edit · 40 credits`, `Make 6 images with 3 models · …`."""
    first = forms[0]
    cost = credits(sum(form.cost for form in forms))
    images = sum(form.how_many for form in forms)
    if first.action == Action.CREATE:
        return f"{verb(first)} {_images(images, len(forms))} · {cost}"
    if images == 1:
        return f"{verb(first)} · {cost}"
    return f"{verb(first)} · {_images(images, len(forms))} · {cost}"


def bill_words(forms: Sequence[PromptForm]) -> str:
    """`4 images at 40`; `6 images with 3 models`; `Describe at 10` where text is the answer."""
    first, each = forms[0], forms[0].each
    images = _images(sum(form.how_many for form in forms), len(forms))
    if len(forms) > 1:
        return images
    what = verb(first) if first.rule.answer == "text" else images
    # Of several that cost less together than one by one nothing is said about each.
    return what if each is None else f"{what} at {each:,}"


def over_words(allowance: Allowance, missing: int) -> str:
    """`120 more than you have left this month`: how much too much something is for one cap."""
    who = "the team has" if allowance.shared else "you have"
    return f"{missing:,} more than {who} left {allowance.when.removesuffix(', team')}"


def _images(count: int, models: int) -> str:
    images = f"{count:,} image{'' if count == 1 else 's'}"
    return images if models == 1 else f"{images} with {models} models"


def prompt_hint(form: PromptForm) -> str:
    """What stands in an empty prompt: what to write, or why there is nothing to write."""
    match form.rule.prompt:
        case "none":
            return "Nothing to write: this works on the image alone."
        case "optional":
            return "What should it show? May stay empty."
        case _ if form.action == Action.CREATE:
            return "What should it show?"
        case _:
            return "What should be done?"
