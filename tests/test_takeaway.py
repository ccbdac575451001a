"""Leaving: everything one person or one team made, as one archive."""

import csv
import io
import json
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator import packing, takeaway
from generator.models import (
    Collected,
    Collection,
    Favourite,
    ImageAsset,
    Membership,
    QuotaAccount,
    ReferenceImage,
    Role,
    Status,
    Tag,
    Tagging,
    Team,
    User,
)
from generator.packing import BrokenOff
from tests.make import (
    add_member,
    make_asset,
    make_generation,
    make_reference,
    make_user,
)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def taken(user: User, team: Team | None = None) -> zipfile.ZipFile:
    """What somebody gets who takes their own along, or a team's."""
    route = reverse("team_takeaway", args=[team.slug]) if team else reverse("takeaway")
    answer: Any = signed_in(user).post(route)
    assert answer.status_code == 200
    assert "everything-" in answer["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.getvalue()))
    assert archive.testzip() is None
    return archive


def table(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))


def prompts(archive: zipfile.ZipFile, name: str = "manifest.csv") -> set[str]:
    return {row["prompt"] for row in table(archive, name)}


def made(author: User, team: Team, prompt: str, **facts: Any) -> ImageAsset:
    generation = make_generation(author, team, status=Status.SUCCEEDED, cost=40, prompt=prompt)
    return make_asset(generation, **facts)


@pytest.fixture
def mate(team: Team) -> User:
    user = make_user("mate")
    add_member(team, user)
    return user


@pytest.fixture
def owner(team: Team) -> User:
    user = make_user("owner")
    add_member(team, user, Role.OWNER)
    return user


def test_somebody_takes_along_what_they_made_in_every_team_of_theirs(
    team: Team, member: User, mate: User
) -> None:
    made(member, team, "a heron")
    made(member, member.personal_team, "at home")
    made(mate, team, "a mate's")
    archive = taken(member)
    assert prompts(archive) == {"a heron", "at home"}
    assert prompts(archive, "generations.csv") == {"a heron", "at home"}
    folders = {name.rpartition("/")[0] for name in archive.namelist() if "/" in name}
    assert folders == {f"images/{team.slug}", f"images/{member.personal_team.slug}"}


def test_who_has_left_a_team_takes_nothing_of_it_along(team: Team, member: User) -> None:
    made(member, team, "a heron")
    Membership.objects.get(team=team, user=member).delete()
    archive = taken(member)
    assert prompts(archive) == set()
    assert prompts(archive, "generations.csv") == set()
    assert table(archive, "ledger.csv") == []


def test_a_team_s_archive_has_what_everybody_made(
    team: Team, member: User, mate: User, owner: User
) -> None:
    made(member, team, "a heron")
    made(mate, team, "a mate's")
    made(member, member.personal_team, "at home")
    archive = taken(owner, team)
    assert prompts(archive) == {"a heron", "a mate's"}
    accounts = {row["account"] for row in table(archive, "ledger.csv")}
    assert accounts == {"member", "mate", "the whole team"}
    assert "favourites.csv" not in archive.namelist()


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_for_others_there_is_no_archive_of_the_team(team: Team, role: Role) -> None:
    user = make_user("nosy")
    add_member(team, user, role)
    route = reverse("team_takeaway", args=[team.slug])
    assert signed_in(user).post(route).status_code == 404
    assert signed_in(make_user("stranger")).post(route).status_code == 404
    assert Client().post(route).status_code == 302


def test_an_archive_is_not_got_by_following_a_link(team: Team, owner: User) -> None:
    for route in (reverse("takeaway"), reverse("team_takeaway", args=[team.slug])):
        assert signed_in(owner).get(route).status_code == 405


def test_what_is_in_the_trash_has_a_folder_of_its_own(team: Team, member: User) -> None:
    made(member, team, "kept")
    made(member, team, "binned", trashed_at=timezone.now())
    files = {row["prompt"]: row["file"] for row in table(taken(member), "manifest.csv")}
    assert files["kept"].startswith("images/")
    assert files["binned"].startswith("trash/")


def test_what_failed_comes_along_as_a_line(team: Team, member: User) -> None:
    make_generation(
        member, team, prompt="no luck", status=Status.FAILED, reason="The provider refused it."
    )
    archive = taken(member)
    (row,) = table(archive, "generations.csv")
    assert (row["status"], row["reason"]) == ("failed", "The provider refused it.")
    (told,) = json.loads(archive.read("generations.json"))
    assert told["prompt"] == "no luck"
    assert told["settings"]["model"] == "gpt-image-2"


def test_tags_collections_favourites_and_uploads_come_along(team: Team, member: User) -> None:
    image = made(member, team, "a heron")
    Tagging.objects.create(tag=Tag.objects.create(team=team, name="birds"), image=image)
    collection = Collection.objects.create(team=team, name="Reeds")
    Collected.objects.create(collection=collection, image=image)
    Favourite.objects.create(user=member, team=team, image=image)
    make_reference(member, team)
    archive = taken(member)
    assert [row["tag"] for row in table(archive, "tags.csv")] == ["birds"]
    assert [row["collection"] for row in table(archive, "collections.csv")] == ["Reeds"]
    assert [row["image"] for row in table(archive, "favourites.csv")] == [str(image.pk)]
    files = [row["file"] for row in table(archive, "manifest.csv")]
    assert [file.split("/")[0] for file in files] == ["images", "references"]


def test_what_stood_for_an_image_that_is_gone_has_no_file_to_come_along(
    team: Team, member: User
) -> None:
    made(member, team, "a heron")
    upload = make_reference(member, team)
    ReferenceImage.objects.filter(pk=upload.pk).update(file="")
    rows = table(taken(member), "manifest.csv")
    assert [(row["prompt"], row["note"]) for row in rows] == [("a heron", "")]


def test_nobody_learns_what_others_like(team: Team, member: User, mate: User) -> None:
    Favourite.objects.create(user=mate, team=team, image=made(member, team, "a heron"))
    assert table(taken(member), "favourites.csv") == []


def test_no_cell_of_any_table_is_a_formula(team: Team, member: User) -> None:
    image = made(member, team, "=cmd|' /C calc'!A0")
    tag = Tag.objects.create(team=team, name="@birds")
    Tagging.objects.create(tag=tag, image=image)
    Team.objects.filter(pk=team.pk).update(name="+team")
    archive = taken(member)
    for name in archive.namelist():
        if name.endswith(".csv"):
            for row in table(archive, name):
                for cell in row.values():
                    plain = cell.lstrip("-").isdigit()
                    assert plain or not cell.startswith(tuple("=+-@")), (name, cell)


def test_however_many_rows_all_are_there_once(
    team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeaway, "AT_ONCE", 2)
    monkeypatch.setattr("generator.packing.AT_ONCE", 2)
    moment = timezone.now()
    for number in range(5):
        generation = made(member, team, f"number {number}").generation
        # Of one moment: the key must tell them apart.
        type(generation).objects.filter(pk=generation.pk).update(created_at=moment)
    archive = taken(member)
    for name in ("manifest.csv", "generations.csv"):
        rows = [row["prompt"] for row in table(archive, name)]
        assert sorted(rows) == [f"number {number}" for number in range(5)]
    account = QuotaAccount.objects.of(team, member)
    assert len(table(archive, "ledger.csv")) == account.entries.count()


def test_the_account_page_offers_it(member: User) -> None:
    shown = signed_in(member).get(reverse("account")).content.decode()
    assert f'action="{reverse("takeaway")}"' in shown


def test_nothing_made_is_an_archive_all_the_same(member: User) -> None:
    archive = taken(member)
    assert "read-me.txt" in archive.namelist()


@pytest.mark.parametrize("fate", ["left", "suspended", "made a member"])
def test_a_team_s_archive_is_broken_off_where_somebody_may_not_have_it_any_more(
    team: Team, owner: User, mate: User, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    monkeypatch.setattr(packing, "AT_ONCE", 1)
    monkeypatch.setattr(takeaway, "AT_ONCE", 1)
    for number in range(3):
        made(mate, team, f"secret {number}")
    files = takeaway.entries(takeaway.of_team(team, by=owner))
    next(files), next(files)
    match fate:
        case "left":
            owner.memberships.filter(team=team).delete()
        case "suspended":
            User.objects.filter(pk=owner.pk).update(is_active=False)
        case _:
            owner.memberships.filter(team=team).update(role=Role.MEMBER)
    with pytest.raises(BrokenOff):
        next(files)


def test_a_table_is_broken_off_where_somebody_may_not_have_it_any_more(
    team: Team, owner: User, mate: User
) -> None:
    make_generation(mate, team, prompt="secret")
    files = list(takeaway.entries(takeaway.of_team(team, by=owner)))
    owner.memberships.filter(team=team).delete()
    for file in files:
        if file.name.startswith(("generations", "ledger")):  # type: ignore[union-attr]
            with pytest.raises(BrokenOff):
                list(file.chunks())


def test_who_leaves_a_team_while_they_take_theirs_along_takes_what_is_left_in_another(
    team: Team, member: User
) -> None:
    made(member, team, "a heron")
    made(member, member.personal_team, "at home")
    files = takeaway.entries(takeaway.of_person(member))
    next(files)
    member.memberships.filter(team=team).delete()
    with pytest.raises(BrokenOff):
        list(files)
    assert prompts(taken(member)) == {"at home"}
