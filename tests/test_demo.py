"""The demo: made once, and the same on every later start."""

import re
import stat
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from generator.demo import make_demo, sign_ins_file
from generator.models import CatalogueEntry, Membership, Role, Team, User

pytestmark = pytest.mark.django_db


def test_the_demo_is_a_team_with_an_administrator_a_member_and_a_viewer() -> None:
    make_demo()
    roles = dict(
        Membership.objects.filter(team__slug="northlight").values_list("user__email", "role")
    )
    assert roles == {
        "admin@northlight.example": Role.OWNER,
        "member@northlight.example": Role.MEMBER,
        "viewer@northlight.example": Role.VIEWER,
    }
    assert [user.email for user in User.objects.filter(is_staff=True)] == [
        "admin@northlight.example"
    ]
    assert CatalogueEntry.objects.pickable().exists()


@pytest.mark.parametrize("part", [0, 1, 2])
def test_everyone_signs_in_with_what_was_printed(client: Client, part: int) -> None:
    one = make_demo()[part]
    answer = client.post("/accounts/login/", {"login": one.email, "password": one.password})
    assert answer["Location"] == "/"


def test_passwords_are_long_and_readable_and_no_two_demos_have_the_same() -> None:
    words = [one.password for one in make_demo()]
    assert all(re.fullmatch(r"([a-z]{4}-){3}[a-z]{4}", word) for word in words)
    assert len(set(words)) == 3


def test_a_later_start_changes_nothing_and_reads_the_passwords_back() -> None:
    first = make_demo()
    hashes = list(User.objects.order_by("pk").values_list("password", flat=True))
    assert make_demo() == first
    assert list(User.objects.order_by("pk").values_list("password", flat=True)) == hashes
    assert Team.objects.count() == 4  # Northlight, and a personal team each


def test_the_passwords_are_kept_where_only_the_studio_s_user_reads_them() -> None:
    file = sign_ins_file()
    file.touch(mode=0o644)
    make_demo()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_where_the_file_was_lost_no_wrong_password_is_printed() -> None:
    make_demo()
    sign_ins_file().unlink()
    out = StringIO()
    call_command("demo", stdout=out)
    assert "lost: manage.py changepassword mara" in out.getvalue()
    assert User.objects.count() == 3


def test_a_folder_that_cannot_be_written_is_one_line() -> None:
    sign_ins_file().mkdir()
    with pytest.raises(CommandError, match=r"demo-sign-ins\.txt cannot be written"):
        call_command("demo")
