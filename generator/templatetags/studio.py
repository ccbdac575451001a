"""What templates say in one word: an icon, a size, a stretch of time."""

from datetime import datetime

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from generator.models import Deed, Team
from generator.models.roles import may

register = template.Library()

# The pages that every team has: who changes teams stays on the same kind.
SWITCHED = ("studio", "library", "collections", "links", "usage", "team")


@register.simple_tag
def icon(name: str, *, kind: str = "") -> SafeString:
    """One of the icons of `static/icons.svg`, hidden from screen readers: a word stands by it."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        f" icon--{kind}" if kind else "",
        static("icons.svg"),
        name,
    )


@register.simple_tag
def same_page(place: str, team: Team) -> str:
    """The address of the same kind of page in another team, which says the reader's `role` there;
    its studio, where there is none or they may not see it."""
    route = place if place in SWITCHED else "studio"
    if route == "links" and not may(getattr(team, "role", ""), Deed.SHARE):
        route = "studio"
    return reverse(route, args=[team.slug])


@register.filter
def number(value: int | None) -> str:
    """A whole number as every page writes it: `1,200`, `−64` with a real minus; empty for None."""
    return "" if value is None else f"{value:,}".replace("-", "−")


@register.filter
def credits(value: int | None) -> str:
    """So many credits: `1 credit`, `1,200 credits`; empty for None."""
    if value is None:
        return ""
    return f"{number(value)} credit{'' if abs(value) == 1 else 's'}"


@register.filter
def pixels(size: object) -> str:
    """`1024x1536` as people write it: `1024 × 1536`."""
    return str(size).replace("x", " × ")


@register.filter
def seconds(value: float | None) -> str:
    """A stretch of time: `38 s`, `2 min 5 s`; empty for None."""
    if value is None:
        return ""
    whole = max(round(value), 0)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


@register.filter
def ago(moment: datetime) -> str:
    """How long ago, in one unit: `just now`, `2 min ago`, `3 h ago`, `5 d ago`."""
    past = (timezone.now() - moment).total_seconds()
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if past >= length:
            return f"{int(past // length)} {unit} ago"
    return "just now"
