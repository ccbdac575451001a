"""How numbers and links stand in the cells of our tables in the admin."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from generator.templatetags.studio import number


def signed(credits: int) -> str:
    """A number of credits in groups of three, with a plus or a real minus: "−1,240"."""
    return f"{'+' if credits > 0 else ''}{number(credits)}"


def linked(address: str, words: object) -> SafeString:
    """A link as the admin draws them."""
    link = '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>'
    return format_html(link, address, words)
