"""Cards: what they say at each turn, and what may be done with them."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator.library.sorting import favourite
from generator.models import (
    CatalogueEntry,
    Generation,
    LedgerEntry,
    ReferenceImage,
    Role,
    Status,
    Team,
    User,
)
from generator.views.feed import cards_of, for_cards
from tests.conftest import FakeQueue
from tests.make import (
    add_member,
    make_asset,
    make_entry,
    make_generation,
    make_reference,
    make_user,
)
from tests.views.conftest import SignIn, words

HTMX = {"HX-Request": "true"}


def card(client: Client, generation: Generation) -> str:
    answer = client.get(reverse("card", args=[generation.team.slug, generation.pk]))
    assert answer.status_code == 200
    return str(answer.content.decode())


def act(client: Client, what: str, generation: Generation, **fields: Any) -> Any:
    address = reverse(what, args=[generation.team.slug, generation.pk])
    return client.post(address, fields, headers=HTMX)


def test_a_waiting_card_says_its_place_and_can_be_cancelled(
    maker: Client, team: Team, member: User
) -> None:
    make_generation(member, team)
    said = card(maker, make_generation(member, team))
    assert "2nd in line" in words(said)
    assert "40 credits held" in words(said)
    assert "Cancel" in words(said)
    assert 'hx-trigger="moved, every 15s"' in said


def test_the_line_is_counted_once_for_all_cards(
    team: Team, member: User, django_assert_num_queries: Any
) -> None:
    rows = [make_generation(member, team) for _ in range(4)]
    membership = member.memberships.select_related("team").get(team=team)
    feed = list(for_cards(team).filter(pk__in=[row.pk for row in rows]).order_by("created_at"))
    with django_assert_num_queries(2):  # who is under way, and who waits
        places = [shown.place_in_line for shown in cards_of(feed, membership)]
    assert places == [1, 2, 3, 4]


def test_a_busy_model_is_said(maker: Client, team: Team, member: User) -> None:
    said = words(card(maker, make_generation(member, team, note="busy")))
    assert "The model is busy; trying again…" in said


def test_a_working_card_says_how_long_it_usually_takes_here(
    maker: Client, team: Team, member: User
) -> None:
    now = timezone.now()
    for took in (10, 12, 300):
        make_generation(
            member, team, status=Status.SUCCEEDED, cost=40,
            started_at=now - timedelta(seconds=took), finished_at=now,
        )  # fmt: skip
    generation = make_generation(
        member, team, status=Status.SUBMITTING, started_at=now - timedelta(seconds=6)
    )
    said = card(maker, generation)
    assert "6 s so far, usually about 12 s" in words(said)
    assert re.search(r'class="passed" y="3" width="2[5-9]\.\d"', said)
    assert "Cancel" not in words(said)


def test_a_model_new_to_the_team_takes_what_its_family_says(
    maker: Client, team: Team, member: User
) -> None:
    generation = make_generation(member, team, status=Status.SUBMITTING, started_at=timezone.now())
    assert "usually about 35 s" in words(card(maker, generation))


@pytest.mark.parametrize(
    ("note", "said"), [("", "1 of 3 kept"), ("storage", "Waiting for the storage; nothing is lost")]
)
def test_a_card_that_keeps_images_shows_those_it_has(
    maker: Client, team: Team, member: User, note: str, said: str
) -> None:
    generation = make_generation(member, team, status=Status.STORING, count=3, note=note)
    make_asset(generation)
    shown = card(maker, generation)
    assert said in words(shown)
    assert (shown.count("<img"), shown.count('class="frame"')) == (1, 2)


def test_a_finished_card_shows_its_images_and_asks_no_more(
    maker: Client, team: Team, member: User
) -> None:
    generation = make_generation(
        member, team, status=Status.SUCCEEDED, cost=40, used={"quality": "medium"}
    )
    image = make_asset(generation)
    said = card(maker, generation)
    assert "hx-trigger" not in said
    assert reverse("picture", args=[team.slug, image.pk, "large"]) in said
    assert 'width="64" height="48"' in said
    assert "GPT Image 2 64 × 48 medium 40 credits" in words(said)
    assert reverse("download", args=[team.slug, image.pk]) in said


def test_each_picture_of_a_card_can_be_liked_and_shared(
    maker: Client, viewer: Client, team: Team, member: User
) -> None:
    generation = make_generation(member, team, status=Status.SUCCEEDED, count=2, cost=40)
    liked, other = make_asset(generation), make_asset(generation, position=1)
    favourite(member, [liked], on=True)
    said = card(maker, generation)
    assert re.findall(r'/([^/"]+)/favourite" name="on" value="(.)"', said) == [
        (str(liked.pk), "0"),
        (str(other.pk), "1"),
    ]
    assert f"{reverse('link_new', args=[team.slug])}?image={other.pk}" in said
    theirs = card(viewer, generation)
    assert "/favourite" in theirs
    assert 'aria-pressed="true"' not in theirs  # what one likes is one's own
    assert "?image=" not in theirs


def test_what_is_liked_is_asked_for_once_for_all_cards(
    team: Team, member: User, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=40))
    rows = list(for_cards(team).newest_first())
    membership = team.memberships.get(user=member)
    cards_of(rows, membership)  # which models are offered is asked once
    with django_assert_num_queries(2):  # what is liked, and what is offered
        cards_of(rows, membership)


def test_a_failed_card_says_why_what_it_cost_and_what_to_do(
    maker: Client, team: Team, member: User
) -> None:
    generation = make_generation(
        member, team, status=Status.FAILED, reason="The model is too busy at the moment.",
        reason_code="busy", finished_at=timezone.now(),
    )  # fmt: skip
    said = words(card(maker, generation))
    assert "Failed: The model is too busy at the moment." in said
    assert "It cost nothing. The 40 credits held for it were given back" in said
    assert "Try again in a while." in said
    assert "Try again · 40 credits" in said


def test_cancelling_gives_the_credits_back(maker: Client, team: Team, member: User) -> None:
    generation = make_generation(member, team)
    said = words(act(maker, "cancel", generation).content.decode())
    assert "Cancelled before it was sent. It cost nothing." in said
    generation.refresh_from_db()
    assert generation.status == Status.CANCELLED
    assert sum(LedgerEntry.objects.values_list("credits", flat=True)) == 0


def test_what_has_begun_is_not_cancelled(maker: Client, team: Team, member: User) -> None:
    generation = make_generation(member, team, status=Status.SUBMITTING, started_at=timezone.now())
    said = words(act(maker, "cancel", generation).content.decode())
    assert "Working" in said
    generation.refresh_from_db()
    assert generation.status == Status.SUBMITTING


def test_members_cancel_what_is_theirs_and_owners_what_is_the_teams(
    team: Team, member: User, mate: Client, viewer: Client, stranger: Client, sign_in: SignIn
) -> None:
    generation = make_generation(member, team)
    for client in (mate, viewer):
        assert "Cancel" not in words(card(client, generation))
    for client in (mate, viewer, stranger):
        assert act(client, "cancel", generation).status_code == 404
    owner = make_user("owner")
    add_member(team, owner, Role.OWNER)
    assert act(sign_in(owner), "cancel", generation).status_code == 200
    generation.refresh_from_db()
    assert generation.status == Status.CANCELLED


def test_again_is_a_new_generation_with_the_same_settings(
    maker: Client, team: Team, member: User, queue: FakeQueue,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    first = make_generation(
        member, team, prompt="a heron", count=2, status=Status.FAILED, fields={"quality": "low"}
    )
    with django_capture_on_commit_callbacks(execute=True):
        answer = act(maker, "again", first, batch=uuid.uuid4())
    second = Generation.objects.exclude(pk=first.pk).get()
    assert (second.prompt, second.count, second.fields) == ("a heron", 2, {"quality": "low"})
    assert f'id="generation-{second.pk}"' in answer.content.decode()
    assert ("start_next", ()) in queue.sent


def test_again_pressed_twice_is_once(maker: Client, team: Team, member: User) -> None:
    first, batch = make_generation(member, team), uuid.uuid4()
    for _ in range(2):
        act(maker, "again", first, batch=batch)
    assert Generation.objects.count() == 2


def test_again_costs_todays_price(maker: Client, team: Team, member: User) -> None:
    first = make_generation(member, team)
    make_entry(credits_each=55)
    assert "Cancel" in words(card(maker, first))
    act(maker, "again", first, batch=uuid.uuid4())
    assert Generation.objects.exclude(pk=first.pk).get().price == 55


def test_again_with_a_model_taken_away_is_refused_in_words(
    maker: Client, team: Team, member: User
) -> None:
    first = make_generation(member, team, status=Status.FAILED, reason="No.")
    make_entry(offered=False)
    assert "Try again" not in words(card(maker, first)).replace("Try again, or", "")
    answer = act(maker, "again", first, batch=uuid.uuid4())
    assert "not offered" in words(answer.content.decode())
    assert answer["HX-Reswap"] == "none"
    assert Generation.objects.count() == 1


def test_again_without_an_image_that_is_gone_is_refused_in_words(
    maker: Client, team: Team, member: User
) -> None:
    image = make_reference(member, team)
    before = make_generation(member, team, action="edit", references=(image,))
    ReferenceImage.objects.update(file="")
    said = act(maker, "again", before, batch=uuid.uuid4()).content.decode()
    assert "An image that was added is not here any more" in words(said)
    assert Generation.objects.count() == 1


def test_again_is_the_author_s_own_wherever_it_came_from(
    mate: Client, team: Team, member: User
) -> None:
    first = make_generation(member, team)
    act(mate, "again", first, batch=uuid.uuid4())
    assert Generation.objects.exclude(pk=first.pk).get().author.username == "mate"


def test_a_viewer_begins_nothing_again(viewer: Client, team: Team, member: User) -> None:
    first = make_generation(member, team, status=Status.CANCELLED)
    assert "Make it after all" not in words(card(viewer, first))
    act(viewer, "again", first, batch=uuid.uuid4())
    assert Generation.objects.count() == 1


@pytest.mark.parametrize("what", ["card", "cancel", "again", "press"])
def test_a_card_of_another_team_does_not_exist(maker: Client, team: Team, what: str) -> None:
    theirs = make_generation()
    own = Team.objects.get(personal_of__username="member")  # where the member is the owner
    for slug in (team.slug, own.slug, theirs.team.slug):
        for pk in (theirs.pk, uuid.uuid4()):
            address = reverse(what, args=[slug, pk])
            ask = maker.get if what == "card" else maker.post
            assert ask(address).status_code == 404
    theirs.refresh_from_db()
    assert theirs.status == Status.QUEUED
    assert Generation.objects.count() == 1


@pytest.mark.parametrize("what", ["cancel", "again", "press"])
def test_nothing_changes_by_looking(maker: Client, team: Team, member: User, what: str) -> None:
    generation = make_generation(member, team)
    assert maker.get(reverse(what, args=[team.slug, generation.pk])).status_code == 405


# ── What a provider offers next ──

U2 = {"id": "MJ::JOB::upsample::2::abc", "label": "U2", "action": "upscale", "asks": ""}
REGION = {"id": "MJ::Inpaint::1::abc", "label": "Vary (Region)", "action": "fill", "asks": "mask"}


@pytest.fixture
def grid(team: Team, member: User) -> Generation:
    """Four pictures of Midjourney's, with two of its buttons."""
    generation = make_generation(
        member, team, wire_model="midjourney", prompt="a harbour", status=Status.SUCCEEDED,
        cost=40, task_id="17", buttons=[U2, REGION],
    )  # fmt: skip
    make_asset(generation)
    return generation


def test_buttons_are_offered_with_their_price(maker: Client, grid: Generation) -> None:
    said = card(maker, grid)
    assert f'name="button" value="{U2["id"]}"' in said
    assert "U2 20 credits" in words(said)
    assert "Vary (Region)… 40 credits" in words(said)
    assert f"parent={grid.pk}" in said


def test_a_pressed_button_begins_what_it_does_and_is_shown_as_pressed(
    maker: Client, grid: Generation, queue: FakeQueue, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        said = act(maker, "press", grid, button=U2["id"], batch=uuid.uuid4()).content.decode()
    child = Generation.objects.exclude(pk=grid.pk).get()
    assert (child.parent, child.button, child.action) == (grid, U2["id"], "upscale")
    assert (child.button_label, child.price) == ("U2", 20)
    assert f'id="generation-{child.pk}"' in said
    assert re.search(rf'id="presses-{grid.pk}" hx-swap-oob="true"', said)
    assert "U2 20 credits, pressed before" in words(said)
    assert "U2 20 credits, pressed before" in words(card(maker, grid))
    assert ("start_next", ()) in queue.sent


def test_a_button_pressed_twice_at_once_is_pressed_once_and_later_again(
    maker: Client, grid: Generation
) -> None:
    batch = uuid.uuid4()
    for _ in range(2):
        act(maker, "press", grid, button=U2["id"], batch=batch)
    assert grid.children.count() == 1
    act(maker, "press", grid, button=U2["id"], batch=uuid.uuid4())
    assert grid.children.count() == 2


def test_a_button_goes_as_fast_as_what_it_goes_on_from(maker: Client, grid: Generation) -> None:
    Generation.objects.update(fields={"speed": "turbo"})
    grid.refresh_from_db()
    price = grid.entry.price(1, "upscale", grid.fields) if grid.entry else 0
    assert f"U2 {price} credits" in words(card(maker, grid))
    act(maker, "press", grid, button=U2["id"], batch=uuid.uuid4())
    child = grid.children.get()
    assert (child.fields, child.price) == ({"speed": "turbo"}, price)


def test_a_button_with_a_dialog_leads_to_the_studio(
    maker: Client, team: Team, grid: Generation
) -> None:
    address = act(maker, "press", grid, button=REGION["id"])["HX-Redirect"]
    said = maker.get(address).content.decode()
    assert "Vary (Region) of an image by Midjourney" in words(said)
    assert f'data-paint="image:{grid.images.get().pk}"' in said
    assert "Fill in · 40 credits" in words(said)
    assert f'name="button" value="{REGION["id"]}"' in said
    assert not grid.children.exists()


def test_a_button_that_is_gone_is_said(maker: Client, grid: Generation) -> None:
    for forged in ("MJ::JOB::upsample::1::abc", "", "x" * 5000):
        answer = act(maker, "press", grid, button=forged, batch=uuid.uuid4())
        assert "does not offer this for that image" in words(answer.content.decode())
        assert answer["HX-Reswap"] == "none"
    assert not grid.children.exists()


def test_a_model_taken_away_takes_its_buttons_along(maker: Client, grid: Generation) -> None:
    make_entry("midjourney", offered=False)
    assert 'name="button"' not in card(maker, grid)
    answer = act(maker, "press", grid, button=U2["id"], batch=uuid.uuid4())
    assert "not offered" in words(answer.content.decode())
    assert not grid.children.exists()


def test_viewers_and_strangers_press_nothing(
    viewer: Client, stranger: Client, grid: Generation
) -> None:
    assert 'name="button"' not in card(viewer, grid)
    for client in (viewer, stranger):
        assert act(client, "press", grid, button=U2["id"]).status_code == 404
    assert not grid.children.exists()


def test_what_is_pressed_has_todays_price_and_nothing_that_was_posted(
    maker: Client, grid: Generation
) -> None:
    forged = {"price": "0", "cost": "0", "model": "gpt-image-2", "team": "1", "author": "1"}
    act(maker, "press", grid, button=U2["id"], batch=uuid.uuid4(), **forged)
    child = grid.children.get()
    assert (child.price, child.wire_model, child.team) == (20, "midjourney", grid.team)


# ── What else a card says ──


def test_a_description_is_text_to_go_on_with(maker: Client, team: Team, member: User) -> None:
    told = make_generation(
        member, team, wire_model="midjourney", action="describe", prompt="",
        status=Status.SUCCEEDED, cost=10, texts=["a pier & a <b>gull</b> --ar 2:3"],
    )  # fmt: skip
    said = card(maker, told)
    assert "<b>gull" not in said
    assert "?prompt=a%20pier%20%26%20a%20%3Cb%3Egull%3C%2Fb%3E%20--ar%202%3A3" in said
    assert "card__pictures" not in said
    address = re.search(r'href="([^"]+\?prompt=[^"]+)"', said)
    assert address
    shown = maker.get(address[1]).content.decode()
    assert "a pier &amp; a &lt;b&gt;gull&lt;/b&gt; --ar 2:3</textarea>" in shown


def test_words_beside_an_image_are_there_to_open(maker: Client, team: Team, member: User) -> None:
    generation = make_generation(
        member, team, status=Status.SUCCEEDED, cost=40, texts=["Here you are."]
    )
    make_asset(generation)
    said = card(maker, generation)
    assert "What the model said Here you are." in words(said)
    assert "<details" in said
    assert "Use as prompt" not in said


def test_what_did_not_come_out_is_said_quietly(maker: Client, team: Team, member: User) -> None:
    generation = make_generation(
        member, team, status=Status.SUCCEEDED, cost=160, count=6, failed_members=2,
        reason="The provider’s safety rules refused them.",
    )  # fmt: skip
    for position in range(4):
        make_asset(generation, position)
    said = words(card(maker, generation))
    assert "2 of 6 did not come out: The provider’s safety rules refused them." in said
    assert "Failed" not in said


def test_a_task_that_is_gone_says_what_to_do(maker: Client, team: Team, member: User) -> None:
    generation = make_generation(
        member, team, status=Status.FAILED, reason_code="gone",
        reason="The provider no longer knows this task.",
    )  # fmt: skip
    assert "Providers keep their work for a while only. Try again." in words(
        card(maker, generation)
    )


def test_what_the_provider_says_meanwhile_is_shown(maker: Client, team: Team, member: User) -> None:
    facts = {"status": Status.RUNNING, "started_at": timezone.now()}
    busy = make_generation(member, team, note="queued, <67> tasks ahead", **facts)
    assert "queued, &lt;67&gt; tasks ahead" in card(maker, busy)
    assert "unknown" not in words(
        card(maker, make_generation(member, team, note="unknown", **facts))
    )


def test_a_card_shows_what_it_was_made_from_and_what_was_done(
    maker: Client, team: Team, member: User
) -> None:
    reference = make_reference(member, team)
    source = make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=40))
    edit = make_generation(
        member, team, action="edit", references=(reference,), parent=source.generation
    )
    said = card(maker, edit)
    assert reverse("reference_picture", args=[team.slug, reference.pk]) in said
    assert "GPT Image 2 Edit" in words(said)


def test_an_image_leads_to_its_edit_where_some_model_can(
    maker: Client, viewer: Client, team: Team, member: User
) -> None:
    image = make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=40))
    link = f"{reverse('studio', args=[team.slug])}?image={image.pk}"
    assert link in card(maker, image.generation)
    Generation.objects.update(memory="teams/1/memory")
    assert f"&amp;parent={image.generation_id}&amp;parent_position=0" in card(
        maker, image.generation
    )
    Generation.objects.update(memory="")
    assert link not in card(viewer, image.generation)
    CatalogueEntry.objects.exclude(wire_model="dall-e-3").update(offered=False)
    assert link not in card(maker, image.generation)


def test_a_card_comes_with_those_of_its_batch_where_they_are_asked_for(
    maker: Client, team: Team, member: User
) -> None:
    first, second = make_generation(member, team), make_generation(member, team)
    make_generation(member, team)
    Generation.objects.filter(pk=second.pk).update(batch=first.batch)
    address = reverse("card", args=[team.slug, first.pk])
    together = maker.get(address, {"together": ""}).content.decode()
    assert re.findall(r'id="generation-([^"]+)"', together) == [str(first.pk), str(second.pk)]
    assert "2 models, side by side" in words(together)
    assert "side by side" not in card(maker, first)
