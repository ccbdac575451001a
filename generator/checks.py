"""What is mis-set, said at start-up and not at three in the morning."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from generator.families import FAMILIES, Family
from generator.models import Action
from generator.providers import ADAPTERS


@register(Tags.compatibility)
def families_can_be_spoken(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every family names protocols and actions that we have, and only fields that can be said."""
    faults: list[CheckMessage] = []
    for family in FAMILIES.values():
        faults += [_error(family, text, number) for text, number in _faults(family)]
    return faults


def _faults(family: Family) -> Iterator[tuple[str, int]]:
    for rule in family.actions.values():
        adapter = ADAPTERS.get(rule.protocol)
        if rule.action not in Action.values:
            yield f"the studio knows no action {rule.action!r}", 4
        elif adapter is None:
            yield f"no adapter speaks {rule.protocol!r}", 1
        elif rule.action not in adapter.ACTIONS:
            yield f"{rule.protocol} has no words for {rule.action!r}", 5
        else:
            taken = {
                field.name
                for field in family.fields.values()
                if not field.actions or rule.action in field.actions
            }
            for name in sorted(taken - {"count"} - set(adapter.FIELDS)):
                yield f"{rule.protocol} cannot say {name}", 2
    for field in family.fields.values():
        if field.choices and field.default not in field.choices:
            yield f"the default of {field.name} is no choice", 3


def _error(family: Family, text: str, number: int) -> Error:
    return Error(f"{family.name}: {text}.", id=f"studio.E00{number}")


@register(Tags.security, deploy=True)
def queue_is_guarded(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Whoever writes to the queue decides what the workers do: a socket, or a password."""
    url = urlsplit(settings.REDIS_URL)
    if url.scheme == "unix" or url.password:
        return []
    text = "REDIS_URL has no password: whoever reaches the queue decides what the workers do."
    return [Warning(text, id="studio.W003")]


@register(Tags.security, deploy=True)
def gateway_is_safe(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A deployment speaks to its gateway, and to its image origins, over https."""
    faults: list[CheckMessage] = []
    if not settings.COMETAPI_BASE_URL.startswith("https://"):
        faults.append(
            Warning(
                "COMETAPI_BASE_URL is not https: the key travels in the clear.", id="studio.W001"
            )
        )
    if any(origin.startswith("http://") for origin in settings.COMETAPI_IMAGE_ORIGINS):
        faults.append(
            Warning(
                "COMETAPI_IMAGE_ORIGINS lets result links be fetched in the clear.",
                id="studio.W002",
            )
        )
    return faults
