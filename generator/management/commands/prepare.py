"""`manage.py prepare`: what a deployment runs before its processes start."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generator.management.launch import CannotStart
from generator.management.launch.prepare import prepare


class Command(BaseCommand):
    """Bring the database and the static files up to date."""

    help = "Migrates, makes the cache's table, fills the catalogue, gathers static files."

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it. Raises CommandError where the database cannot be used."""
        try:
            prepare()
        except CannotStart as error:
            raise CommandError(str(error)) from error
