"""`manage.py families`: the capability matrix as Markdown, for README."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from generator import matrix


class Command(BaseCommand):
    """Print what every family of models can be asked."""

    help = "Prints the capability matrix made from families.toml, in Markdown."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """`--doubts` for the points that the documents leave open."""
        parser.add_argument("--doubts", action="store_true", help="what is in doubt instead")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        self.stdout.write(matrix.doubts() if options["doubts"] else matrix.table())
