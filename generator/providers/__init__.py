"""The wire: an adapter for each protocol, by the name that families.toml uses."""

from generator.providers import gemini, grok, kling, openai_edits, openai_images, seedream
from generator.providers.base import Adapter, DialogAdapter, PollingAdapter

ADAPTERS: dict[str, Adapter] = {
    "gemini": gemini,
    "grok": grok,
    "kling": kling,
    "openai_edits": openai_edits,
    "openai_images": openai_images,
    "seedream": seedream,
}
POLLING_ADAPTERS: dict[str, PollingAdapter] = {"kling": kling}
DIALOG_ADAPTERS: dict[str, DialogAdapter] = {}
