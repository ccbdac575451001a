"""What the account pages need to put allauth's words and widgets into our clothes."""

import re

from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString

from generator import jobs

register = template.Library()

_LATER_WORDS = re.compile(r"(?<=[\s-])[A-Z][a-z]+")
_BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
_SYSTEMS = {
    "iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows",
    "Mac OS": "Mac", "CrOS": "ChromeOS", "Linux": "Linux",
}  # fmt: skip


@register.simple_tag
def sends_mail() -> bool:
    """Whether a letter from this studio reaches anybody."""
    return jobs.sends_mail()


@register.filter
def sentence(text: str) -> str:
    """`Sign Out Other Sessions` as the house writes it: `Sign out other sessions`."""
    words = text.strip()
    return _LATER_WORDS.sub(lambda word: word[0].lower(), words)


@register.filter
def dressed(field: BoundField) -> SafeString:
    """The widget with our class, and without a placeholder that repeats its label."""
    attrs: dict[str, str | bool] = {"placeholder": False}
    if getattr(field.field.widget, "input_type", "") not in {"checkbox", "radio", "hidden"}:
        attrs["class"] = "input"
    return field.as_widget(attrs=attrs)


@register.filter
def device(user_agent: str) -> str:
    """`Chrome on Linux`: what a person would call the browser that a session is in."""
    browser = next((name for word, name in _BROWSERS.items() if word in user_agent), "")
    system = next((name for word, name in _SYSTEMS.items() if word in user_agent), "")
    return " on ".join(filter(None, [browser or "A browser", system]))
