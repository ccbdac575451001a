"""Reads one environment variable, typed; nonsense is refused by the variable's name."""

import os
from decimal import Decimal, InvalidOperation
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

YES = {"1", "true", "yes", "on"}
NO = {"0", "false", "no", "off"}


def text(name: str, default: str = "") -> str:
    """The variable without the space around it; blank counts as not set."""
    return os.environ.get(name, "").strip() or default


def words(name: str) -> list[str]:
    """A list written with commas."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def flag(name: str, *, default: bool) -> bool:
    """A yes or a no. Raises ImproperlyConfigured for anything else."""
    value = text(name).lower()
    if not value:
        return default
    if value in YES | NO:
        return value in YES
    raise ImproperlyConfigured(f"{name} is {value!r}: write 1 or 0.")


def number(name: str, default: int, *, least: int = 0) -> int:
    """A whole number. Raises ImproperlyConfigured for anything else."""
    value = text(name)
    try:
        found = int(value) if value else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}: write a whole number.") from None
    if found < least:
        raise ImproperlyConfigured(f"{name} is {found}: the least is {least}.")
    return found


def positive(name: str, default: Decimal, *, most: int = 1000) -> Decimal:
    """A number above nought, such as 1.25. Raises ImproperlyConfigured for anything else."""
    value = text(name)
    try:
        found = Decimal(value) if value else default
    except InvalidOperation:
        raise ImproperlyConfigured(f"{name} is {value!r}: write a number, such as 1.25.") from None
    if not (found.is_finite() and 0 < found <= most):
        raise ImproperlyConfigured(f"{name} is {value}: it must be above 0, and at most {most}.")
    return found


def folder(name: str, default: Path) -> Path:
    """A folder, made absolute; it need not exist yet."""
    return Path(text(name, str(default))).expanduser().resolve()


def required(name: str, *, unless: bool, default: str = "") -> str:
    """A variable that a deployment must set; `unless` it is a demo, which gets the default.

    Raises ImproperlyConfigured, naming the variable.
    """
    value = text(name)
    if value or unless:
        return value or default
    raise ImproperlyConfigured(f"{name} is not set: a deployment (DEBUG=0) needs it.")
