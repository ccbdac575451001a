"""`manage.py generate "a teapot" --model … --as …`: the same path as a page, from a shell."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.urls import reverse

from generator import jobs, lifecycle
from generator.errors import StudioError
from generator.forms.prompt import KNOWN_FIELDS, PromptForm
from generator.models import Generation, ImageAsset, Status, Team, User

LOOK_EVERY = 0.25  # seconds


class Command(BaseCommand):
    """Give a prompt to a model as a person, through the running queue and worker."""

    help = "Makes images as a person would, and prints their addresses."

    def add_arguments(self, parser: CommandParser) -> None:
        """The prompt, the model, the person; `--set` for the model's fields."""
        parser.add_argument("prompt")
        parser.add_argument("--model", required=True, help="the model's id at the gateway")
        parser.add_argument("--as", required=True, dest="person", help="e-mail or user name")
        parser.add_argument("--team", help="the team's address; else the one `/` opens first")
        parser.add_argument(
            "--set", action="append", default=[], metavar="FIELD=VALUE", help="e.g. size=1024x1536"
        )
        parser.add_argument("--wait", action="store_true", help="until the images are kept")
        parser.add_argument("--timeout", type=float, default=900, help="seconds to wait at most")

    def handle(self, **options: Any) -> None:
        """Begin, and if asked to, wait. Raises CommandError with the reason on one line."""
        person = _person(options["person"])
        team = _team(person, options["team"])
        generation = _begin(person, team, options)
        jobs.nudge()
        if options["wait"]:
            _wait(generation, options["timeout"])
            for asset in generation.images.all():
                self.stdout.write(_address(asset))
        else:
            self.stdout.write(str(generation.pk))


def _person(name: str) -> User:
    people = User.objects.filter(is_active=True)
    found = people.filter(email__iexact=name).first() or people.filter(username=name).first()
    if found is None:
        raise CommandError(f"Nobody here is called {name}.")
    return found


def _team(person: User, slug: str | None) -> Team:
    found = Team.objects.of(person).filter(**({"slug": slug} if slug else {})).first()
    if found is None:
        raise CommandError(f"{person.username} is in no team called {slug}.")
    return found


def _begin(person: User, team: Team, options: dict[str, Any]) -> Generation:
    form = PromptForm(
        {
            **_fields(options["set"]),
            "batch": str(uuid.uuid4()),
            "model": options["model"],
            "prompt": options["prompt"],
        }
    )
    if not form.is_valid():
        raise _refused(" ".join(_faults(form)))
    try:
        return lifecycle.begin(person, team, form.entry, form.brief(), batch=form.batch)
    except StudioError as error:
        raise _refused(str(error)) from error


def _fields(pairs: list[str]) -> dict[str, str]:
    """What `--set` said. A form passes over names it does not know; a shell must not."""
    fields = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise _refused(f"--set takes FIELD=VALUE, and not “{pair}”.")
        if name not in KNOWN_FIELDS:
            raise _refused(f"No model takes the field “{name}”.")
        fields[name] = value
    return fields


def _faults(form: PromptForm) -> Iterator[str]:
    for name, texts in form.errors.items():
        about = "" if name == NON_FIELD_ERRORS else f"{name}: "
        yield from (f"{about}{text}" for text in texts)


def _refused(reason: str) -> CommandError:
    """The reason on one line."""
    return CommandError(" ".join(reason.split()))


def _wait(generation: Generation, timeout: float) -> None:
    until = time.monotonic() + timeout
    while not generation.is_final:
        if time.monotonic() > until:
            raise CommandError("It is not done yet; it goes on, and will be in the library.")
        connection.close()
        time.sleep(LOOK_EVERY)
        generation.refresh_from_db()
    if generation.status != Status.SUCCEEDED:
        raise _refused(generation.reason or f"It was {generation.get_status_display()}.")


def _address(asset: ImageAsset) -> str:
    path = reverse("image", args=[asset.team.slug, asset.pk])
    return f"{settings.ADDRESS}{path}"
