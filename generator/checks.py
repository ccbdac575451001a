"""What is mis-set, said at start-up and not at three in the morning."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from generator.families import FAMILIES
from generator.providers import ADAPTERS


@register(Tags.compatibility)
def families_can_be_spoken(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every family names a protocol that we have, and only fields that its adapter can say."""
    faults: list[CheckMessage] = []
    for family in FAMILIES.values():
        adapter = ADAPTERS.get(family.protocol)
        if adapter is None:
            faults.append(
                Error(f"{family.name}: no adapter speaks {family.protocol!r}.", id="studio.E001")
            )
            continue
        unsaid = set(family.fields) - {"count"} - set(adapter.FIELDS)
        if unsaid:
            words = ", ".join(sorted(unsaid))
            faults.append(
                Error(f"{family.name}: its adapter cannot say {words}.", id="studio.E002")
            )
        for field in family.fields.values():
            if field.choices and field.default not in field.choices:
                faults.append(
                    Error(
                        f"{family.name}.{field.name}: its default is no choice.", id="studio.E003"
                    )
                )
    return faults


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
