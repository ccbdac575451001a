"""Sending a prompt: one press, one generation, and nothing typed is lost."""

import re
import uuid
from html import unescape
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from generator.models import (
    CatalogueEntry,
    Generation,
    LedgerEntry,
    ReferenceImage,
    Status,
    Team,
    User,
    Window,
)
from tests.conftest import FakeQueue
from tests.make import (
    make_asset,
    make_entry,
    make_generation,
    make_picture,
    make_reference,
    set_cap,
)
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
    with django_assert_max_num_queries(30):
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
    assert "You have 50 credits left this month, and this needs 80: 30 are missing." in shown
    assert not Generation.objects.exists()
    assert not LedgerEntry.objects.exists()


def test_the_price_is_the_catalogues_whatever_is_posted(maker: Client, team: Team) -> None:
    post(maker, team, count="2", cost="0", price="1", credits_each="0", author="1")
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
    assert "1 image at 80" in words(shown)


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
    with django_assert_max_num_queries(17):
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


# ── Several models at once ──


def test_the_same_prompt_goes_to_each_model_in_one_batch(
    maker: Client, team: Team, queue: FakeQueue
) -> None:
    said = post(maker, team, also=["dall-e-3", "dall-e-2"], count="2").content.decode()
    made = {row.wire_model: row for row in Generation.objects.all()}
    assert set(made) == {"gpt-image-2", "dall-e-3", "dall-e-2"}
    assert len({row.batch for row in made.values()}) == 1
    # DALL·E 3 makes one at a time.
    assert {name: row.count for name, row in made.items()} == {
        "gpt-image-2": 2, "dall-e-3": 1, "dall-e-2": 2,
    }  # fmt: skip
    assert "3 models, side by side" in words(said)
    assert said.count('class="card card--queued"') == 3


def test_one_who_presses_twice_compares_once(maker: Client, team: Team) -> None:
    batch = str(uuid.uuid4())
    for _ in range(2):
        post(maker, team, batch=batch, also=["dall-e-3", "dall-e-3", "gpt-image-2"])
    assert Generation.objects.count() == 2


def test_a_fault_of_one_model_begins_none_and_names_it(maker: Client, team: Team) -> None:
    said = words(post(maker, team, also="dall-e-2", prompt="x" * 1001).content.decode())
    assert "DALL·E 2 takes at most 1,000 characters" in said
    assert not Generation.objects.exists()
    assert "not offered" in words(post(maker, team, also="no-such").content.decode())
    assert not Generation.objects.exists()


def test_a_cap_that_the_sum_would_pass_refuses_all_with_the_sum(
    maker: Client, team: Team, member: User
) -> None:
    set_cap(team, member, window=Window.MONTH, credits=100)
    said = words(post(maker, team, also=["dall-e-3", "qwen-image"]).content.decode())
    assert "The 3 models together need 120 credits, and 100 are left this month." in said
    assert not Generation.objects.exists()
    assert not LedgerEntry.objects.exists()


def test_a_seventh_model_is_one_too_many(maker: Client, team: Team) -> None:
    also = [
        "dall-e-3",
        "dall-e-2",
        "qwen-image",
        "gpt-image-1",
        "gpt-image-1.5",
        "gpt-image-1-mini",
    ]
    assert "At most 6 models at once." in words(post(maker, team, also=also).content.decode())
    assert not Generation.objects.exists()


def test_the_bar_tells_each_models_price_and_the_sum(maker: Client, team: Team) -> None:
    query = {"model": "gpt-image-2", "also": ["dall-e-3", "dall-e-2"], "count": "2"}
    shown = maker.get(reverse("fields", args=[team.slug]), query).content.decode()
    assert "+ DALL·E 3 40 credits" in words(shown)  # one, for it makes no more at once
    assert "+ DALL·E 2 40 credits" in words(shown)  # two at 20
    assert "5 images with 3 models" in words(shown)
    assert "160 credits" in words(shown)


def test_a_page_of_the_feed_does_not_part_what_stands_side_by_side(
    maker: Client, team: Team, member: User
) -> None:
    for _ in range(19):
        make_generation(member, team)
    rows = [make_generation(member, team).pk for _ in range(3)]
    batch = uuid.uuid4()
    Generation.objects.filter(pk__in=rows).update(batch=batch, created_at="2020-01-01T00:00Z")
    make_generation(member, team, prompt="older")
    Generation.objects.filter(prompt="older").update(created_at="2019-01-01T00:00Z")
    first = page(maker, team)
    assert len(re.findall(r'id="generation-', first)) == 22
    assert "older" not in words(first)
    found = re.search(r'<a href="([^"]+before=[^"]+)">Earlier', first)
    assert found
    assert "older" in words(maker.get(found[1]).content.decode())


# ── Actions and fields ──


def bar(client: Client, team: Team, **fields: Any) -> str:
    answer = client.post(reverse("fields", args=[team.slug]), fields, headers=HTMX)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_what_to_do_is_asked_where_a_model_can_do_several_things(maker: Client, team: Team) -> None:
    shown = bar(maker, team, model="midjourney", action="describe")
    assert re.search(r'name="action" value="describe"[^>]* checked', shown)
    assert "Describe · 10 credits" in words(shown)
    assert 'data-writes="none"' in shown
    assert 'name="stylize"' not in shown
    assert 'name="action"' not in bar(maker, team, model="gpt-image-2", action="describe")


def test_an_action_that_only_another_model_knows_is_not_carried_over(
    maker: Client, team: Team, member: User
) -> None:
    reference = str(make_reference(member, team).pk)
    shown = bar(maker, team, model="gpt-image-2", action="create", reference=reference)
    assert "Edit · 40 credits" in words(shown)
    assert "reference--off" not in shown


def test_each_kind_of_field_has_its_control_and_no_value_that_nobody_set(
    maker: Client, team: Team
) -> None:
    shown = bar(maker, team, model="gemini-3.1-flash-image")
    assert re.search(r'<select[^>]* name="aspect_ratio"', shown)
    assert re.search(r'<input type="hidden" name="google_search" value="off"', shown)
    assert re.search(r'role="switch"[^>]* name="google_search" value="on"', shown)
    assert re.search(r'type="number" name="seed"[^>]* value=""', shown)
    assert re.search(r'type="number" name="temperature"[^>]* step="0.1" value=""', shown)
    kling = bar(maker, team, model="kling-v1")
    assert re.search(r'<textarea[^>]* name="negative_prompt"[^>]*></textarea>', kling)


def test_a_switch_that_is_left_off_is_not_sent_and_one_that_is_on_is(
    maker: Client, team: Team
) -> None:
    post(maker, team, model="gemini-3.1-flash-image", google_search="off")
    post(maker, team, model="gemini-3.1-flash-image", google_search=["off", "on"])
    asked = [row.fields for row in Generation.objects.order_by("created_at")]
    assert asked == [{}, {"google_search": True}]


def test_what_fits_the_next_model_goes_along(maker: Client, team: Team) -> None:
    given = {"seed": "7", "aspect_ratio": "16:9", "google_search": ["off", "on"]}
    shown = bar(maker, team, model="gemini-3.1-flash-image", **given)
    assert re.search(r'name="seed"[^>]* value="7"', shown)
    assert re.search(r'value="16:9" selected', shown)
    assert re.search(r'name="google_search" value="on"[^>]* checked', shown)


def test_a_dialog_of_another_model_is_left_behind(maker: Client, team: Team, member: User) -> None:
    button = {"id": "MJ::Inpaint::1::a", "label": "Vary (Region)", "action": "fill", "asks": "mask"}
    parent = make_generation(
        member, team, wire_model="midjourney", status=Status.SUCCEEDED, cost=40, buttons=[button]
    )
    start = {"parent": str(parent.pk), "button": button["id"]}
    assert "Vary (Region)" in bar(maker, team, model="midjourney", **start)
    assert "Vary (Region)" not in bar(maker, team, model="gpt-image-2", **start)
    assert "GPT Image 2 cannot fill in" in words(post(maker, team, **start).content.decode())
    assert "GPT Image 2 cannot fill in" in words(
        post(maker, team, htmx=False, **start).content.decode()
    )
    for address in ({"model": "gpt-image-2"}, {}):
        assert maker.get(reverse("studio", args=[team.slug]), address | start).status_code == 200
    assert Generation.objects.count() == 1


def test_an_address_brings_a_prompt_as_text(maker: Client, team: Team) -> None:
    shown = page(maker, team, prompt='</textarea><script>x</script>"', model="dall-e-2")
    assert "&lt;/textarea&gt;&lt;script&gt;" in shown
    assert 'value="dall-e-2"' in shown


def test_a_viewer_asks_for_no_fields(viewer: Client, team: Team) -> None:
    assert "prompt-form" not in page(viewer, team, image=str(uuid.uuid4()), prompt="x")
    address = reverse("fields", args=[team.slug])
    sent = {"model": "gpt-image-2"}
    assert viewer.get(address, sent).status_code == 404
    assert viewer.post(address, sent, headers=HTMX).status_code == 404


@pytest.mark.parametrize("htmx", [True, False])
def test_an_action_that_the_model_lacks_begins_nothing(
    maker: Client, team: Team, htmx: bool
) -> None:
    answer = post(maker, team, htmx=htmx, action="upscale", prompt="a heron")
    assert answer.status_code == 200
    assert "GPT Image 2 cannot upscale. Pick another model." in words(answer.content.decode())
    assert htmx or ">a heron</textarea>" in answer.content.decode()
    assert not Generation.objects.exists()


def test_a_compared_model_that_lacks_the_action_is_refused_by_its_label(
    maker: Client, team: Team, member: User
) -> None:
    sent = {"model": "midjourney", "action": "describe", "also": "gpt-image-2", "prompt": "",
            "reference": str(make_reference(member, team).pk)}  # fmt: skip
    said = words(post(maker, team, **sent).content.decode())
    assert "GPT Image 2 cannot describe." in said
    assert "GPT Image 2: GPT" not in said  # the name once
    assert not Generation.objects.exists()


def test_a_compared_model_that_is_asked_for_nothing_by_name_does_what_is_implied(
    maker: Client, team: Team, member: User
) -> None:
    reference = str(make_reference(member, team, data=make_picture(80, 80)).pk)
    said = post(maker, team, also="flux-kontext-pro", reference=reference).content.decode()
    assert {row.action for row in Generation.objects.all()} == {"edit"}, words(said)


def test_each_generation_of_several_has_a_worker_told(
    maker: Client, team: Team, queue: FakeQueue, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        post(maker, team, also=["dall-e-3", "dall-e-2"])
    assert queue.sent.count(("start_next", ())) == 3


def test_what_the_bar_shows_is_what_is_held(maker: Client, team: Team) -> None:
    make_entry("midjourney", rates={"create fast": 55, "create turbo": 80})
    for speed in ({}, {"speed": "fast"}, {"speed": "turbo"}):
        shown = bar(maker, team, model="midjourney", **speed)
        price = int(re.findall(r"1 image at (\d+)", words(shown))[0])
        post(maker, team, model="midjourney", **speed)
        assert (
            Generation.objects.newest_first()[0].price
            == price
            == (80 if "turbo" in speed.values() else 55)
        )


# ── Settings of what was made before ──


def test_settings_whose_image_is_gone_show_the_rest_and_say_so(
    maker: Client, team: Team, member: User
) -> None:
    images = [make_reference(member, team) for _ in range(2)]
    row = make_generation(member, team, action="edit", prompt="a heron", references=tuple(images))
    ReferenceImage.objects.filter(pk=images[0].pk).update(file="")
    shown = page(maker, team, **{"from": row.pk})
    assert "Image 1 is not here any more." in words(shown)
    assert f'name="reference" value="{images[1].pk}"' in shown
    assert f'value="{images[0].pk}"' not in shown
    assert ">a heron</textarea>" in shown


def test_settings_whose_only_image_is_gone_stand_at_what_would_be_sent(
    maker: Client, team: Team, member: User
) -> None:
    image = make_reference(member, team)
    row = make_generation(member, team, action="edit", references=(image,))
    ReferenceImage.objects.update(file="")
    shown = words(page(maker, team, **{"from": row.pk}))
    assert "An image that was added is not here any more." in shown
    assert "Make 1 image · 40 credits" in shown


def test_what_is_drawn_anew_says_at_once_what_is_gone(maker: Client, team: Team) -> None:
    shown = bar(maker, team, model="gpt-image-2", reference=str(uuid.uuid4()))
    assert "An image that was added is not here any more." in words(shown)


# ── Without scripts ──


def links(html: str) -> dict[str, QueryDict]:
    """What each link to the page's other models says, by model."""
    found = [
        QueryDict(unescape(query))
        for query in re.findall(r'class="model" href="[^"?]+\?([^"]+)"', html)
    ]
    return {query["model"]: query for query in found}


def test_links_to_other_models_take_words_and_images_along(
    maker: Client, team: Team, member: User
) -> None:
    image = make_asset(make_generation(member, team, status=Status.SUCCEEDED, cost=40))
    uploaded = str(make_reference(member, team).pk)
    given = {"prompt": 'a "heron" & co', "image": image.pk, "reference": uploaded}
    link = links(page(maker, team, model="gpt-image-2", **given))["dall-e-2"]
    shown = maker.get(reverse("studio", args=[team.slug]) + "?" + link.urlencode()).content.decode()
    assert ">a &quot;heron&quot; &amp; co</textarea>" in shown
    assert re.findall(r'name="reference" value="([^"]+)"', shown) == [uploaded, f"image:{image.pk}"]


def test_links_to_other_actions_take_what_it_starts_from_along(
    maker: Client, team: Team, member: User
) -> None:
    button = {"id": "U1&x", "label": "U1", "action": "upscale", "asks": ""}
    parent = make_generation(
        member, team, wire_model="midjourney", status=Status.SUCCEEDED, cost=40, buttons=[button]
    )
    make_asset(parent)
    start = {"parent": str(parent.pk), "parent_position": "0", "button": "U1&x"}
    shown = page(maker, team, model="midjourney", prompt="a heron", **start)
    link = links(shown)["midjourney"]
    assert {name: link[name] for name in start} == start
    dropped = re.findall(r'href="[^"?]+\?([^"]+)" data-drop-start', shown)
    assert QueryDict(unescape(dropped[0])).dict() == {"model": "midjourney", "prompt": "a heron"}


def test_a_plain_form_may_ask_for_another_action_than_its_fields_are_for(
    maker: Client, team: Team, member: User
) -> None:
    # The page was drawn for an image from text; nobody has touched those fields.
    reference = str(make_reference(member, team).pk)
    sent = {"model": "midjourney", "action": "describe", "reference": reference, "prompt": "",
            "version": "7", "stylize": "100", "aspect_ratio": "1:1"}  # fmt: skip
    assert post(maker, team, htmx=False, **sent).status_code == 302
    refused = post(maker, team, htmx=False, **{**sent, "stylize": "900"})
    assert "does not take the field “stylize” here" in words(refused.content.decode())
    assert Generation.objects.count() == 1


def test_a_fault_in_the_settings_is_told_at_the_prompt_too(maker: Client, team: Team) -> None:
    said = post(maker, team, count="70").content.decode()
    told = said.partition('id="prompt-errors"')[2].partition("</div>")[0]
    assert "Images: Give a whole number from 1 to 10." in words(told)
    assert 'popovertarget="settings"' in told


def test_a_model_that_answers_in_words_makes_no_images_of_the_bill(
    maker: Client, team: Team
) -> None:
    said = words(page(maker, team, model="midjourney", action="describe"))
    assert "Describe at 10" in said
    assert "1 image at 10" not in said
