"""The demo: a team called Northlight, three people in it, and a filled catalogue."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction

from generator.models import CatalogueEntry, Membership, Role, Team, User

DOMAIN = "northlight.example"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the demo. `part` is what they are there to show, and their address."""

    part: str
    username: str
    first_name: str
    last_name: str
    role: Role
    rules: bool = False


PEOPLE = (
    Person("admin", "mara", "Mara", "Lindqvist", Role.OWNER, rules=True),
    Person("member", "jonas", "Jonas", "Hale", Role.MEMBER),
    Person("viewer", "vera", "Vera", "Okafor", Role.VIEWER),
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """What somebody of the demo signs in with, either name and the password.

    The password is empty where the file with it was lost: `manage.py changepassword` sets another.
    """

    part: str
    username: str
    email: str
    password: str


def make_demo() -> list[SignIn]:
    """Make what of the demo is missing, and say how its people sign in.

    The passwords are random, made once, and kept in `sign_ins_file()`, readable only by whoever
    runs the studio. Raises OSError where that file cannot be kept.
    """
    CatalogueEntry.objects.fill()
    # Kept before they are used: a start that dies in between loses nobody's password.
    sign_ins = _sign_ins()
    with transaction.atomic():
        team, _made = Team.objects.get_or_create(slug="northlight", defaults={"name": "Northlight"})
        for person, sign_in in zip(PEOPLE, sign_ins, strict=True):
            _make_person(team, person, sign_in)
    return sign_ins


def sign_ins_file() -> Path:
    """Where the demo's passwords are kept: one line a person, words apart by space."""
    return Path(settings.DATA) / "demo-sign-ins.txt"


def _sign_ins() -> list[SignIn]:
    kept = _kept()
    sign_ins = [kept.get(person.part) or _new_sign_in(person) for person in PEOPLE]
    if len(kept) < len(PEOPLE):
        file = sign_ins_file()
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch()
        file.chmod(0o600)
        file.write_text(
            "".join(f"{one.part} {one.username} {one.email} {one.password}\n" for one in sign_ins)
        )
    return sign_ins


def _kept() -> dict[str, SignIn]:
    try:
        lines = sign_ins_file().read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {words[0]: SignIn(*words) for words in map(str.split, lines) if len(words) == 4}


def _new_sign_in(person: Person) -> SignIn:
    there = User.objects.filter(username=person.username).exists()
    password = "" if there else _readable_password()
    return SignIn(person.part, person.username, f"{person.part}@{DOMAIN}", password)


def _readable_password() -> str:
    """Such as `bodu-kifa-remo-zati`: 49 bits, and easily read out over a desk."""

    def word() -> str:
        return "".join(secrets.choice("bdfghklmnprstvz") + secrets.choice("aeiou") for _ in "12")

    return "-".join(word() for _ in "1234")


def _make_person(team: Team, person: Person, sign_in: SignIn) -> None:
    user = User.objects.filter(username=person.username).first()
    if user is None:
        user = User.objects.create_user(
            person.username,
            sign_in.email,
            sign_in.password,
            first_name=person.first_name,
            last_name=person.last_name,
            is_staff=person.rules,
            is_superuser=person.rules,
        )
        EmailAddress.objects.create(user=user, email=sign_in.email, verified=True, primary=True)
    Membership.objects.get_or_create(team=team, user=user, defaults={"role": person.role})
