"""Sending a prompt: one press, one generation, and nothing typed is lost."""

import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from generator.models import CatalogueEntry, Generation, LedgerEntry, Status, Team, User, Window
from tests.conftest import FakeQueue
from tests.make import make_asset, make_entry, make_generation, set_cap
from tests.views.conftest import words

HTMX = {"HX-Request": "true"}


def post(client: Client, team: Team, *, htmx: bool = True, **fields: Any) -> Any:
    sent = {"batch": str(uuid.uuid4()), "model": "gpt-image-2", "prompt": "a teapot", **fields}
    return client.post(reverse("create", args=[team.slug]), sent, headers=HTMX if htmx else None)


def page(client: Client, team: Team, **query: Any) -> str:
    return str(client.get(reverse("studio", args=[team.slug]), query).content.decode())


def test_the_card_is_there_at_once_and_a_worker_is_told(
    maker: Client, team: Team, queue: FakeQueue, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(maker, team, size="1024x1536", count="4")
    generation = Generation.objects.get()
    said = answer.content.decode()
    assert answer.status_code == 200
    assert f'id="generation-{generation.pk}"' in said
    assert "Waiting" in words(said)
    assert "next in line" in words(said)
    assert said.count('class="frame"') == 4
    assert 'viewBox="0 0 1024 1536"' in said
    assert ("start_next", ()) in queue.sent


def test_sending_asks_the_database_and_nobody_else(
    maker: Client, team: Team, django_assert_max_num_queries: Any
) -> None:
    post(maker, team, prompt="the first makes the accounts")
    with django_assert_max_num_queries(25):
        post(maker, team)


def test_a_form_sent_twice_makes_one_generation_and_shows_the_same_card(
    maker: Client, team: Team
) -> None:
    batch = str(uuid.uuid4())
    first, second = (post(maker, team, batch=batch) for _ in range(2))
    generation = Generation.objects.get()
    assert all(f"generation-{generation.pk}" in a.content.decode() for a in (first, second))
    assert LedgerEntry.objects.filter(account__user__isnull=False).count() == 1


def test_a_changed_prompt_of_the_same_batch_is_another_generation(
    maker: Client, team: Team
) -> None:
    batch = str(uuid.uuid4())
    post(maker, team, batch=batch)
    post(maker, team, batch=batch, prompt="two teapots")
    assert Generation.objects.count() == 2


def test_the_answer_brings_a_fresh_batch_id(maker: Client, team: Team) -> None:
    batch = str(uuid.uuid4())
    found = re.search(r'id="batch" name="batch" value="([^"]+)"', post(
        maker, team, batch=batch
    ).content.decode())  # fmt: skip
    assert found
    assert uuid.UUID(found[1]) != uuid.UUID(batch)


def test_what_is_left_follows_at_once(maker: Client, team: Team, member: User) -> None:
    set_cap(team, member, window=Window.MONTH, credits=1000)
    assert "1,000 credits left this month" in words(page(maker, team))
    assert "960 credits left this month" in words(post(maker, team).content.decode())


def test_a_plain_form_leads_back_to_the_page_with_its_settings(maker: Client, team: Team) -> None:
    answer = post(maker, team, htmx=False, quality="high")
    generation = Generation.objects.get()
    assert answer.status_code == 302
    shown = maker.get(answer.url).content.decode()
    assert f'id="generation-{generation.pk}"' in shown
    assert re.search(r'name="quality" value="high"[^>]* checked', shown)
    assert ">a teapot</textarea>" in shown


@pytest.mark.parametrize("htmx", [True, False])
def test_a_refusal_stands_beside_its_field_and_keeps_what_was_typed(
    maker: Client, team: Team, htmx: bool
) -> None:
    answer = post(
        maker, team, htmx=htmx, prompt="", size="own", size_width="1001", size_height="700",
        quality="low",
    )  # fmt: skip
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert not Generation.objects.exists()
    assert "Write what the image should show." in words(shown)
    assert "multiples of 16" in words(shown)
    assert 'value="1001"' in shown
    assert re.search(r'name="quality" value="low"[^>]* checked', shown)


def test_a_long_prompt_is_given_back_whole(maker: Client, team: Team) -> None:
    prompt = "very " * 300 + '<long> & "quoted"'
    shown = post(maker, team, htmx=False, model="dall-e-2", prompt=prompt).content.decode()
    assert "at most 1,000 characters" in words(shown)
    assert "very &lt;long&gt; &amp; &quot;quoted&quot;</textarea>" in shown


def test_a_model_taken_away_is_said_and_the_prompt_is_kept(maker: Client, team: Team) -> None:
    make_entry("dall-e-3", offered=False)
    shown = post(maker, team, htmx=False, model="dall-e-3", prompt="a heron").content.decode()
    assert "dall-e-3 is not offered" in words(shown)
    assert ">a heron</textarea>" in shown
    assert "not offered" in words(post(maker, team, model="dall-e-3").content.decode())
    assert not Generation.objects.exists()


def test_a_cap_refuses_on_the_form_and_nothing_is_written(
    maker: Client, team: Team, member: User
) -> None:
    set_cap(team, member, window=Window.MONTH, credits=50)
    shown = words(post(maker, team, count="2").content.decode())
    assert "You have 50 credits left this month, and this needs 80." in shown
    assert not Generation.objects.exists()
    assert not LedgerEntry.objects.exists()


def test_the_price_is_the_catalogues_whatever_is_posted(maker: Client, team: Team) -> None:
    post(maker, team, count="2", cost="0", price="1", credits_per_image="0", author="1")
    assert Generation.objects.get().price == 2 * 40


def test_a_viewer_makes_nothing_and_is_told_why(viewer: Client, team: Team) -> None:
    assert "You may look at this team’s images" in words(page(viewer, team))
    assert "prompt-form" not in page(viewer, team)
    assert "not make new ones" in words(post(viewer, team).content.decode())
    assert not Generation.objects.exists()


def test_another_teams_studio_does_not_exist(stranger: Client, team: Team) -> None:
    assert post(stranger, team).status_code == 404
    for name in ("studio", "fields", "library"):
        assert stranger.get(reverse(name, args=[team.slug])).status_code == 404
    assert not Generation.objects.exists()


def test_nothing_is_begun_by_looking(maker: Client, team: Team) -> None:
    assert maker.get(reverse("create", args=[team.slug])).status_code == 405


def test_nothing_is_begun_without_the_forms_token(member: User, team: Team) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(member)
    assert post(client, team).status_code == 403
    assert not Generation.objects.exists()


def test_an_expired_sign_in_takes_the_whole_page_and_comes_back(team: Team) -> None:
    address = f"http://testserver{reverse('studio', args=[team.slug])}?model=dall-e-3"
    answer = Client().post(
        reverse("create", args=[team.slug]), headers={**HTMX, "HX-Current-URL": address}
    )
    assert answer.status_code == 200
    assert answer["HX-Redirect"].startswith(reverse("account_login"))
    assert f"next=%2Ft%2F{team.slug}%2F%3Fmodel%3Ddall-e-3" in answer["HX-Redirect"]
    assert not answer.content


def test_home_opens_the_team_that_was_visited_last(maker: Client, team: Team) -> None:
    page(maker, team)
    assert maker.get("/").url == reverse("studio", args=[team.slug])


def test_the_panel_has_the_models_fields_and_keeps_what_fits(maker: Client, team: Team) -> None:
    query = {"model": "dall-e-3", "quality": "hd", "size": "1024x1024", "count": "3"}
    shown = maker.get(reverse("fields", args=[team.slug]), query).content.decode()
    assert 'name="style"' in shown
    assert 'name="count"' not in shown
    assert re.search(r'name="quality" value="hd"[^>]* checked', shown)
    assert "1 image at 40" in words(shown)


def test_a_panel_of_a_model_nobody_offers_does_not_exist(maker: Client, team: Team) -> None:
    assert maker.get(reverse("fields", args=[team.slug]), {"model": "x"}).status_code == 404


def test_settings_can_be_taken_over_from_a_generation(
    maker: Client, team: Team, member: User
) -> None:
    generation = make_generation(member, team, prompt="a heron", count=3, fields={"quality": "low"})
    shown = page(maker, team, **{"from": generation.pk})
    assert ">a heron</textarea>" in shown
    assert "Make 3 images · 120 credits" in words(shown)
    assert re.search(r'name="quality" value="low"[^>]* checked', shown)


def test_settings_of_another_team_are_not_taken_over(maker: Client, team: Team) -> None:
    secret = make_generation(prompt="a secret")
    for forged in (secret.pk, "x", uuid.uuid4()):
        assert "a secret" not in page(maker, team, **{"from": forged})


def test_a_studio_without_models_says_so(maker: Client, team: Team) -> None:
    CatalogueEntry.objects.update(offered=False)
    assert "No model is offered yet" in words(page(maker, team))


def test_the_feed_shows_the_team_and_nobody_else(
    maker: Client, mate: Client, team: Team, member: User
) -> None:
    make_generation(member, team, prompt="ours")
    make_generation(prompt="theirs")
    for client in (maker, mate):
        assert "ours" in page(client, team)
        assert "theirs" not in page(client, team)


def test_earlier_cards_follow_without_gap_or_repeat(
    maker: Client, team: Team, member: User
) -> None:
    moment = make_generation(member, team).created_at
    for _ in range(44):
        make_generation(member, team)
    Generation.objects.update(created_at=moment)  # ties must not matter
    seen: list[str] = []
    address: str | None = reverse("studio", args=[team.slug])
    while address:
        shown = maker.get(address).content.decode()
        seen += re.findall(r'id="generation-([^"]+)"', shown)
        make_generation(member, team)  # what is new does not push what is old
        found = re.search(r'<a href="([^"]+before=[^"]+)">Earlier', shown)
        address = found and found[1]
    assert len(seen) == len(set(seen)) == 45


@pytest.mark.parametrize("before", ["x", "-", "1-2", "9" * 400, f"{'9' * 30}-{uuid.uuid4().hex}"])
def test_a_spoilt_place_in_the_feed_is_its_beginning(
    maker: Client, team: Team, before: str
) -> None:
    for name in ("studio", "library"):
        answer = maker.get(reverse(name, args=[team.slug]), {"before": before})
        assert answer.status_code == 200


def test_the_feed_asks_the_same_questions_however_long_it_is(
    maker: Client, team: Team, member: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(15):
        make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=40))
    page(maker, team)
    with django_assert_max_num_queries(16):
        page(maker, team)


def test_a_prompt_is_text_wherever_it_is_shown(maker: Client, team: Team, member: User) -> None:
    evil = '<script>alert(1)</script>"onerror=alert(1) {{ 7 }} </textarea>'
    image = make_asset(
        make_generation(member, team, prompt=evil, status=Status.SUCCEEDED, cost=40),
        revised_prompt=evil,
    )
    for address in (
        reverse("studio", args=[team.slug]) + f"?from={image.generation_id}",
        reverse("library", args=[team.slug]),
        reverse("image", args=[team.slug, image.pk]),
    ):
        shown = maker.get(address).content.decode()
        assert "<script>alert" not in shown
        assert '"onerror' not in shown
        assert shown.count("</textarea>") <= 1


def test_pages_hold_no_script_or_style_of_their_own(
    maker: Client, team: Team, member: User
) -> None:
    image = make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=40))
    for address in (
        reverse("studio", args=[team.slug]),
        reverse("library", args=[team.slug]),
        reverse("image", args=[team.slug, image.pk]),
    ):
        answer = maker.get(address)
        assert "script-src 'self'" in answer["Content-Security-Policy"]
        shown = answer.content.decode()
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|hx-on", shown)
