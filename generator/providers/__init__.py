"""The wire: an adapter for each protocol, by the name that families.toml uses."""

from generator.providers import kling, openai_images, seedream
from generator.providers.base import Adapter, DialogAdapter, PollingAdapter

ADAPTERS: dict[str, Adapter] = {
    "kling": kling,
    "openai_images": openai_images,
    "seedream": seedream,
}
POLLING_ADAPTERS: dict[str, PollingAdapter] = {"kling": kling}
DIALOG_ADAPTERS: dict[str, DialogAdapter] = {}
