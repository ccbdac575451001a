"""The ledger is looked at: by no way of asking is a line of it changed or taken away."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from generator.models import Generation, Kind, LedgerEntry, QuotaAccount, Team, User
from tests.make import make_generation, make_user
from tests.scripted import ScriptedGateway, images, run

LIST = "admin:generator_ledgerentry_changelist"


@pytest.fixture
def entry(team: Team, member: User, boss: User) -> LedgerEntry:
    """A grant."""
    return QuotaAccount.objects.of(team, member).grant(credits=5, reason="welcome", by=boss)


def snapshot() -> list[dict[str, object]]:
    return list(LedgerEntry.objects.order_by("pk").values())


@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("name", ["change", "delete", "history", "changelist"])
def test_no_verb_at_no_address_changes_a_line(
    staff: Client, entry: LedgerEntry, verb: str, name: str
) -> None:
    before = snapshot()
    arguments = [] if name == "changelist" else [entry.pk]
    forged = {
        "credits": "5000", "reason": "mine", "kind": "settle", "post": "yes", "_save": "Save",
        "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(entry.pk),
        "form-0-credits": "5000",
    }  # fmt: skip
    there = reverse(f"admin:generator_ledgerentry_{name}", args=arguments)
    # Only a post is a form; the others are no way to say anything here.
    getattr(staff, verb)(there, **({"data": forged} if verb == "post" else {}))
    assert snapshot() == before


@pytest.mark.parametrize("action", ["delete_selected", "change", "", "make_generation"])
def test_no_action_takes_a_line_away(staff: Client, entry: LedgerEntry, action: str) -> None:
    before = snapshot()
    sent = {"action": action, "_selected_action": [entry.pk], "select_across": "1", "post": "yes"}
    staff.post(reverse(LIST), sent, follow=True)
    assert snapshot() == before
    assert 'value="delete_selected"' not in staff.get(reverse(LIST)).content.decode()


def test_who_may_only_look_may_not_grant(client: Client, entry: LedgerEntry) -> None:
    looker = make_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_ledgerentry"))
    client.force_login(looker)
    assert client.get(reverse(LIST)).status_code == 200
    before = snapshot()
    sent = {"account": entry.account_id, "credits": "500", "reason": "for me"}
    assert client.post(reverse("admin:generator_ledgerentry_add"), sent).status_code == 403
    assert snapshot() == before


def test_lines_are_found_by_generation_by_person_and_by_the_pool_of_a_team(
    staff: Client, entry: LedgerEntry, member: User, team: Team
) -> None:
    generation = make_generation(member, team)
    make_generation()

    def found(term: str) -> set[int]:
        page = staff.get(reverse(LIST), {"q": term})
        return {row.pk for row in page.context["cl"].result_list}

    mine = set(generation.entries.values_list("pk", flat=True))
    pool = QuotaAccount.objects.pool(team)
    assert found(str(generation.pk)) == mine
    assert found("member") == {line.pk for line in LedgerEntry.objects.filter(account__user=member)}
    assert found(team.slug) == {line.pk for line in pool.entries.all()}
    assert found("nobody") == set()


# ── How a line stands there ──


def settled(member: User, team: Team) -> Generation:
    """A generation that cost something, of a prompt of its own."""
    make_generation(member, team, prompt="a secret teapot")
    return run(ScriptedGateway(images()))


def cells(page: str, column: str) -> list[str]:
    """The words of a column."""
    found = re.findall(rf'<td class="[^"]*field-{column}\b[^"]*"[^>]*>(.*?)</td>', page, re.S)
    return [" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in found]


def test_the_list_says_what_happened_in_members_words_with_one_sign_and_the_way_to_it(
    staff: Client, member: User, team: Team, boss: User
) -> None:
    account = QuotaAccount.objects.of(team, member)
    account.grant(credits=-2500, reason="too much", by=boss)
    generation = settled(member, team)
    page = staff.get(reverse(LIST), {"account__id__exact": account.pk}).content.decode()
    assert cells(page, "what") == ["settled", "held", "taken back"]
    assert cells(page, "signed")[1:] == ["−40", "−2,500"]
    there = reverse("admin:generator_generation_change", args=[generation.pk])
    assert page.count(f'href="{there}"') == 2
    assert cells(page, "its_generation") == [generation.label, generation.label, ""]
    assert "teapot" not in page


def test_a_line_s_own_page_speaks_likewise(staff: Client, member: User, team: Team) -> None:
    generation = settled(member, team)
    entry = generation.entries.filter(kind=Kind.RESERVE).order_by("pk")[0]
    page = staff.get(reverse("admin:generator_ledgerentry_change", args=[entry.pk]))
    words = page.content.decode()
    assert "−40" in words
    assert "held" in words
    assert reverse("admin:generator_generation_change", args=[generation.pk]) in words
    assert "teapot" not in words


def test_a_generation_s_lines_and_images_stand_once_each_and_lead_to_their_pages(
    staff: Client, member: User, team: Team
) -> None:
    generation = settled(member, team)
    page = staff.get(reverse("admin:generator_generation_change", args=[generation.pk]))
    words = page.content.decode()
    assert set(cells(words, "what")) == {"held", "settled"}
    assert "−40" in cells(words, "signed")
    for row in (*generation.entries.all(), *generation.images.all()):
        assert str(row) not in words, "a caption says it once more"
        there = reverse(f"admin:generator_{row._meta.model_name}_change", args=[row.pk])
        assert words.count(f'href="{there}"') == 1


def test_who_may_not_see_generations_reads_the_model_and_finds_no_way_to_one(
    client: Client, member: User, team: Team
) -> None:
    generation = settled(member, team)
    looker = make_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_ledgerentry"))
    client.force_login(looker)
    page = client.get(reverse(LIST)).content.decode()
    assert generation.label in cells(page, "its_model")
    assert f"/admin/generator/generation/{generation.pk}" not in page
