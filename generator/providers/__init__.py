"""The wire: an adapter for each protocol, by the name that families.toml uses."""

from generator.providers import (
    bria,
    flux,
    gemini,
    grok,
    kling,
    midjourney,
    openai_edits,
    openai_images,
    replicate,
    seedream,
)
from generator.providers.base import Adapter, DialogAdapter, PollingAdapter

ADAPTERS: dict[str, Adapter] = {
    "bria": bria,
    "flux": flux,
    "gemini": gemini,
    "grok": grok,
    "kling": kling,
    "midjourney": midjourney,
    "openai_edits": openai_edits,
    "openai_images": openai_images,
    "replicate": replicate,
    "seedream": seedream,
}
POLLING_ADAPTERS: dict[str, PollingAdapter] = {
    "bria": bria,
    "flux": flux,
    "kling": kling,
    "midjourney": midjourney,
    "replicate": replicate,
}
DIALOG_ADAPTERS: dict[str, DialogAdapter] = {"midjourney": midjourney}
