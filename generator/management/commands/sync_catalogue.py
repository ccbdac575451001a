"""`manage.py sync_catalogue`: bring the catalogue up to the gateway's list of models."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generator import catalogue_sync, jobs
from generator.errors import ProviderError


class Command(BaseCommand):
    """The same as the button above the catalogue, and as what workers do once a day."""

    help = "Reads the gateway's list of models and prices, and prints what changed."

    def handle(self, **options: Any) -> None:
        """One line for each change. Raises CommandError where the gateway gives no list."""
        try:
            changes = catalogue_sync.sync(jobs.open_gateway())
        except ProviderError as error:
            raise CommandError(str(error)) from error
        for line in catalogue_sync.told(changes):
            self.stdout.write(line)
        if not changes:
            self.stdout.write("Nothing has changed.")
