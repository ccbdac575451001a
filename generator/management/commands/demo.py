"""`manage.py demo`: a team, an administrator, a member, a viewer."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generator.demo import make_demo, sign_ins_file


class Command(BaseCommand):
    """Make what of the demo is missing, and print how its people sign in."""

    help = "Makes the demo team and its people; run again, prints their sign-ins."

    def handle(self, **options: Any) -> None:
        """Raises CommandError where the passwords cannot be kept."""
        try:
            sign_ins = make_demo()
        except OSError as error:
            raise CommandError(f"{sign_ins_file()} cannot be written: {error.strerror}.") from error
        for one in sign_ins:
            lost = f"(lost: manage.py changepassword {one.username})"
            self.stdout.write(f"{one.part:<7} {one.email:<26} {one.password or lost}")
