"""The app's configuration; loads the system checks and the watch of the audit log."""

from django.apps import AppConfig


class GeneratorConfig(AppConfig):
    """The one app of the studio."""

    name = "generator"
    verbose_name = "Studio"

    def ready(self) -> None:
        """Register what is checked at start-up, and what the audit log watches."""
        from generator import audit, checks  # noqa: F401

        audit.watch()
