"""`manage.py generate "a teapot" --model … --as …`: the same path as a page, from a shell."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.urls import reverse

from generator import jobs, lifecycle, pictures, uploads
from generator.errors import StudioError
from generator.forms.prompt import KNOWN_FIELDS, PromptForm
from generator.models import (
    Action,
    Generation,
    ImageAsset,
    ReferenceImage,
    Status,
    Team,
    User,
)

LOOK_EVERY = 0.25  # seconds


class Command(BaseCommand):
    """Give a prompt to a model as a person, through the running queue and worker."""

    help = "Makes images as a person would, and prints their addresses."

    def add_arguments(self, parser: CommandParser) -> None:
        """The prompt, the model, the person; what goes along, and the model's fields."""
        parser.add_argument("prompt", nargs="?", default="")
        parser.add_argument("--model", required=True, help="the model's id at the gateway")
        parser.add_argument("--as", required=True, dest="person", help="e-mail or user name")
        parser.add_argument("--team", help="the team's address; else the one `/` opens first")
        parser.add_argument(
            "--field", action="append", default=[], metavar="NAME=VALUE",
            help="one of the model's own, e.g. size=1024x1536; may be repeated",
        )  # fmt: skip
        parser.add_argument("--action", default="", choices=["", *Action.values], metavar="ACTION",
            help=f"what to do: {', '.join(Action.values)}; implied by the images where it can be",
        )  # fmt: skip
        parser.add_argument(
            "--reference", action="append", default=[], type=Path, metavar="FILE",
            help="an image to go along; may be repeated",
        )  # fmt: skip
        parser.add_argument(
            "--style", action="append", default=[], type=Path, metavar="FILE",
            help="an image whose look is wanted; may be repeated",
        )  # fmt: skip
        parser.add_argument(
            "--mask", type=Path, metavar="FILE",
            help="what is to change in the first image: white, or painted on a clear ground",
        )  # fmt: skip
        parser.add_argument(
            "--parent", metavar="ID", help="start from this generation, or from this image"
        )
        parser.add_argument(
            "--button", default="", help="the label of one of the parent's buttons, e.g. U2"
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
            for text in generation.texts:
                self.stdout.write(text)
            for asset in generation.images.kept():
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
    try:
        form = PromptForm(_sent(person, team, options), team=team, author=person)
        if not form.is_valid():
            raise _refused(" ".join(_faults(form)))
        return lifecycle.begin(person, team, form.entry, form.asked(), batch=form.batch)
    except StudioError as error:
        raise _refused(str(error)) from error


def _sent(person: User, team: Team, options: dict[str, Any]) -> dict[str, Any]:
    """What a page would have posted. Raises StudioError and CommandError."""
    references = [_kept(person, team, path) for path in options["reference"]]
    return {
        **_fields(options["field"]),
        "batch": str(uuid.uuid4()),
        "model": options["model"],
        "action": options["action"],
        "prompt": options["prompt"],
        "reference": [one.token for one in references],
        "style_reference": [_kept(person, team, path).token for path in options["style"]],
        **_start(team, options),
        **_mask(person, team, options, references),
    }


def _kept(person: User, team: Team, path: Path) -> ReferenceImage:
    return uploads.keep_reference(team, person, _read(path), name=path.name)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(pictures.MAX_BYTES + 1)  # one more is refused, whatever follows
    except OSError as error:
        raise _refused(f"{path} cannot be read: {error.strerror}.") from error


def _mask(
    person: User, team: Team, options: dict[str, Any], references: list[ReferenceImage]
) -> dict[str, str]:
    if options["mask"] is None:
        return {}
    over: ReferenceImage | ImageAsset | None = references[0] if references else None
    over = over or _parent_image(team, options)
    if over is None:
        raise _refused("--mask says what is to change in an image: give --reference or --parent.")
    mask = uploads.keep_mask(
        team, person, _read(options["mask"]), width=over.width, height=over.height
    )
    return {"mask": mask.token}


def _start(team: Team, options: dict[str, Any]) -> dict[str, str]:
    """`--parent` and `--button` as a form posts them."""
    if not options["parent"]:
        if options["button"]:
            raise _refused("--button is one of an earlier generation's: give --parent as well.")
        return {}
    image = _parent_image(team, options)
    parent = image.generation if image else _parent(team, options["parent"])
    if parent is None:
        raise _refused(f"There is no generation or image {options['parent']} in this team.")
    label = options["button"]
    buttons = {row["label"]: row["id"] for row in parent.buttons}
    if label and label not in buttons:
        raise _refused(f"It offers no “{label}”, but: {', '.join(buttons) or 'nothing'}.")
    position = str(image.position) if image else ""
    return {
        "parent": str(parent.pk),
        "parent_position": position,
        "button": buttons.get(label, ""),
    }


def _parent(team: Team, text: str) -> Generation | None:
    pk = _uuid(text)
    return team.generations.filter(pk=pk).first() if pk else None


def _parent_image(team: Team, options: dict[str, Any]) -> ImageAsset | None:
    """The image that `--parent` names; the first one of a generation."""
    if (pk := _uuid(options["parent"] or "")) is None:
        return None
    images = ImageAsset.objects.kept().filter(team=team).select_related("generation")
    return images.filter(pk=pk).first() or images.filter(generation=pk, position=0).first()


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _fields(pairs: list[str]) -> dict[str, str]:
    """What `--field` said. A form passes over names it does not know; a shell must not."""
    fields = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign:
            raise _refused(f"--field takes NAME=VALUE, and not “{pair}”.")
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
