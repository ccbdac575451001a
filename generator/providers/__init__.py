"""The wire: an adapter for each protocol, by the name that families.toml uses."""

from generator.providers import openai_images
from generator.providers.base import Adapter, DialogAdapter, PollingAdapter

ADAPTERS: dict[str, Adapter] = {"openai_images": openai_images}
POLLING_ADAPTERS: dict[str, PollingAdapter] = {}
DIALOG_ADAPTERS: dict[str, DialogAdapter] = {}
