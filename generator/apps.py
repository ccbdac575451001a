"""The app's configuration; loads the system checks."""

from django.apps import AppConfig


class GeneratorConfig(AppConfig):
    """The one app of the studio."""

    name = "generator"
    verbose_name = "Studio"

    def ready(self) -> None:
        """Register what is checked at start-up."""
        from generator import checks  # noqa: F401
