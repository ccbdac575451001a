"""`manage.py demo`: a team, an administrator, a member, a viewer; and a history, if asked for."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from generator import demo_history
from generator.demo import make_demo, sign_ins_file
from generator.errors import NotOffered

MOST = 5_000_000
SECONDS_BETWEEN_WORDS = 5


class Command(BaseCommand):
    """Make what of the demo is missing, and print how its people sign in."""

    help = "Makes the demo team and its people; run again, prints their sign-ins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`--scale N`."""
        parser.add_argument(
            "--scale",
            type=int,
            metavar="N",
            help="also make up N generations of the past six months; run again, N more",
        )

    def handle(self, *, scale: int | None = None, **options: Any) -> None:
        """Raises CommandError where the passwords cannot be kept, or for a scale that cannot be."""
        if scale is not None and not settings.DEMO:
            raise CommandError("A history is made up in a demo only, and this is a deployment.")
        if scale is not None and not 1 <= scale <= MOST:
            raise CommandError(f"--scale takes a number from 1 to {MOST:,}.")
        try:
            sign_ins = make_demo()
        except OSError as error:
            raise CommandError(f"{sign_ins_file()} cannot be written: {error.strerror}.") from error
        for one in sign_ins:
            lost = f"(lost: manage.py changepassword {one.username})"
            self.stdout.write(f"{one.part:<7} {one.email:<26} {one.password or lost}")
        if scale:
            self._fill(scale)

    def _fill(self, scale: int) -> None:
        start = said = time.monotonic()

        def say(done: int) -> None:
            nonlocal said
            if time.monotonic() - said > SECONDS_BETWEEN_WORDS:
                said = time.monotonic()
                self.stdout.write(f"{done:,} of {scale:,} generations")
                self.stdout.flush()

        try:
            lines = demo_history.fill(scale, say=say)
        except NotOffered as error:
            raise CommandError(str(error)) from error
        took = time.monotonic() - start
        self.stdout.write(
            f"{scale:,} generations and {lines:,} ledger lines in {took:.0f} s. "
            "Their people have no passwords: `manage.py changepassword NAME` gives one."
        )
