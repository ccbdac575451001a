"""The search that every page of the admin has (Ctrl-K)."""

from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from generator.admin.finding import MOST
from generator.models import Team, User
from tests.make import make_entry, make_team, make_user


def found(client: Client, term: str) -> str:
    return client.get(reverse("admin:search"), {"s": term}).content.decode()


def test_people_teams_and_models_are_found_by_name(staff: Client) -> None:
    nora = make_user("nora", first_name="Nora", last_name="Quill")
    team = make_team(slug="quillworks")
    entry = make_entry("gpt-image-2", label="Quill Painter")
    page = found(staff, "Quil")
    for row in (nora, team, entry):
        assert reverse(f"admin:generator_{row._meta.model_name}_change", args=[row.pk]) in page
    assert "Nora Quill" in page
    assert "Nora Quill" in found(staff, "quill nora")


def test_the_end_of_an_address_is_no_name(staff: Client) -> None:
    nora = make_user("nora", email="nora@northlight.example")
    there = reverse("admin:generator_user_change", args=[nora.pk])
    assert there in found(staff, "nora@north")
    assert there not in found(staff, "northlight")


def test_what_one_may_not_see_is_not_found(client: Client, team: Team) -> None:
    clerk = make_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_team"))
    client.force_login(clerk)
    make_user("nora", email="nora@northlight.example")
    page = found(client, "northlight")
    assert reverse("admin:generator_team_change", args=[team.pk]) in page
    assert "nora" not in page


def test_a_search_that_finds_many_shows_the_first_few(staff: Client) -> None:
    for number in range(MOST + 3):
        make_user(f"quill{number}")
    first = User.objects.filter(username__startswith="quill").count()
    assert first > MOST
    assert found(staff, "quill").count("/admin/generator/user/") == MOST


def test_one_letter_finds_nobody(staff: Client) -> None:
    make_user("xavier")
    assert "xavier" not in found(staff, "x")


def test_the_box_says_what_it_finds(staff: Client) -> None:
    assert "Search people, teams, models" in staff.get("/admin/").content.decode()
