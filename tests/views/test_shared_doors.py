"""What the door of a sharing link tells, whom it counts, and what it keeps in a flood."""

import html
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generator.models import Audience, Came, ImageAsset, Team, User
from generator.sharing import coming, opening, replying, secrets
from generator.views import link_replies, visiting
from tests.make import (
    add_member,
    make_asset,
    make_collection,
    make_generation,
    make_link,
    make_user,
)
from tests.views.conftest import words

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_of_other_tests(db: None) -> None:
    cache.clear()


def share(team: Team, member: User, *, count: int = 1, **facts: Any) -> Any:
    """A link of so many new images."""
    generation = make_generation(member, team)
    return make_link(member, [make_asset(generation, place) for place in range(count)], **facts)


def at(link: Any, rest: str = "") -> str:
    """Where a link leads."""
    return f"/s/{secrets.secret_of(link)}/{rest}"


# ── What is told ──


def test_a_link_without_a_title_does_not_tell_what_its_collection_is_called(
    client: Client, team: Team, member: User
) -> None:
    generation = make_generation(member, team)
    collection = make_collection(team, [make_asset(generation, place) for place in range(2)])
    page = client.get(at(make_link(member, team=team, collection=collection))).content.decode()
    assert collection.name not in page
    assert "<h1>Images</h1>" in page


def test_a_link_of_one_image_speaks_of_one_and_hands_out_one(
    client: Client, team: Team, member: User
) -> None:
    link = share(team, member, most_views=9)
    key = link.shared.get().pk
    preview = client.get(at(link), headers={"User-Agent": "Slackbot"}).content.decode()
    wall = client.get(at(link)).content.decode()
    large = client.get(at(link, f"?image={key}")).content.decode()
    for page in (preview, wall, large):
        assert "<title>Image · Comet Studio</title>" in page
        assert "Images" not in page
    assert "all.zip" not in wall
    assert f'button--primary" href="{at(link, f"{key}/download")}" download' in wall
    two = share(team, member, count=2)
    assert "all.zip" in client.get(at(two)).content.decode()
    large = client.get(at(two, f"?image={two.shared.get(position=0).pk}")).content.decode()
    assert "<title>Images · Comet Studio</title>" in large


@pytest.mark.parametrize(("name", "said"), [("Ana Lima", "from Ana Lima"), ("", "1 image")])
def test_a_person_alone_is_called_by_their_name_and_never_by_an_address(
    client: Client, name: str, said: str
) -> None:
    person = make_user("ana@example.org", email="ana@example.org", first_name=name)
    page = client.get(at(share(person.personal_team, person))).content.decode()
    assert said in page
    assert "@" not in page
    assert "example.org" not in page


def test_images_are_counted_in_the_links_own_order_and_only_where_the_count_is_shown(
    client: Client, team: Team, member: User
) -> None:
    """By the images' own order, SQLite walks the whole team."""
    image = make_asset(make_generation(member, team))
    collection = make_collection(team, [image])
    link = make_link(member, team=team, collection=collection)
    counts = []
    for rest in ("", f"?image={collection.collected.get().pk}"):
        with CaptureQueriesContext(connection) as queries:
            client.get(at(link, rest))
        rows = 'COUNT(*) FROM (SELECT "generator_collected"'
        counts.append([one["sql"] for one in queries if rows in one["sql"]])
    assert len(counts[0]) == 1
    assert 'ORDER BY "generator_collected"."place"' in counts[0][0]
    assert counts[1] == []


# ── What is sent too late, from another page, or wrongly ──


@pytest.fixture
def an_hour_later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """As if everybody's visit were over; called once the page was seen."""
    return lambda: monkeypatch.setattr(visiting, "VISIT", -1)


def test_a_note_and_a_pick_that_took_longer_than_the_visit_are_kept_and_the_visit_goes_on(
    client: Client, team: Team, member: User, an_hour_later: Callable[[], None]
) -> None:
    link = share(team, member, takes_replies=True, password="open sesame")
    client.post(at(link), {"password": "open sesame"})
    client.get(at(link))
    an_hour_later()
    client.post(at(link, "reply"), {"pick": link.shared.get().pk, "on": "on"})
    answer = client.post(at(link, "reply"), {"text": "The blue one."}, follow=True)
    assert "The blue one." in answer.content.decode()
    assert 'aria-pressed="true"' in answer.content.decode()
    link.refresh_from_db()
    assert link.views == 2


def test_a_note_is_kept_and_said_so_where_the_link_was_used_up_meanwhile(
    client: Client, team: Team, member: User, an_hour_later: Callable[[], None]
) -> None:
    link = share(team, member, takes_replies=True, most_views=1)
    client.get(at(link))
    an_hour_later()
    answer = client.post(at(link, "reply"), {"text": "The blue one."})
    assert "Your note is kept" in answer.content.decode()
    assert "/small" not in answer.content.decode()
    assert link.notes.get().text == "The blue one."
    assert Client().post(at(link, "reply"), {"text": "Mine too."}).status_code == 404


@pytest.mark.parametrize(("on", "said"), [("on", "is kept"), ("", "is taken back")])
def test_a_pick_is_kept_and_said_so_where_the_link_was_used_up_meanwhile(
    client: Client, team: Team, member: User, an_hour_later: Callable[[], None], on: str, said: str
) -> None:
    link = share(team, member, takes_replies=True, most_views=1)
    client.get(at(link))
    an_hour_later()
    answer = client.post(at(link, "reply"), {"pick": link.shared.get().pk, "on": on})
    assert (answer.status_code, link.picks.count()) == (200, 1 if on else 0)
    assert f"Your pick {said}" in answer.content.decode()
    assert "/small" not in answer.content.decode()


@pytest.mark.parametrize("change", [{"password": "another one"}, {"revoked_at": timezone.now()}])
def test_whoever_was_shut_out_writes_nothing_more(
    client: Client, team: Team, member: User, change: dict[str, Any]
) -> None:
    link = share(team, member, takes_replies=True)
    client.get(at(link))
    if "password" in change:
        link.password = secrets.hashed(change["password"])
    else:
        link.revoked_at = change["revoked_at"]
    link.save()
    client.post(at(link, "reply"), {"text": "Still here."})
    assert not link.notes.exists()


@pytest.mark.parametrize(("most", "status"), [(None, 200), (2, 200), (1, 404)])
def test_a_note_refused_after_the_visit_begins_another_and_keeps_its_words(
    client: Client,
    team: Team,
    member: User,
    an_hour_later: Callable[[], None],
    most: int | None,
    status: int,
) -> None:
    link = share(team, member, takes_replies=True, most_views=most)
    client.get(at(link))
    an_hour_later()
    answer = client.post(at(link, "reply"), {"text": "x" * 2001})
    assert answer.status_code == status
    assert ("/small" in answer.content.decode()) == (status == 200)
    assert ("x" * 2001 in answer.content.decode()) == (status == 200)
    link.refresh_from_db()
    assert link.views == (1 if status == 404 else 2)


def test_a_note_refused_once_the_password_is_asked_for_again_leads_to_where_it_is_asked(
    client: Client, team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = share(team, member, takes_replies=True, password="open sesame")
    client.post(at(link), {"password": "open sesame"})
    client.get(at(link))
    monkeypatch.setattr(visiting, "UNLOCKED", -1)
    answer = client.post(at(link, "reply"), {"text": "x" * 2001})
    assert (answer.status_code, answer["Location"]) == (302, at(link))
    client.post(at(link, "reply"), {"text": "The blue one."})
    assert link.notes.get().text == "The blue one."
    assert "These images have a password" in client.get(at(link)).content.decode()


def test_a_text_is_as_long_as_the_browser_counts_it(
    client: Client, team: Team, member: User
) -> None:
    link = share(team, member, takes_replies=True)
    client.get(at(link))
    client.post(at(link, "reply"), {"text": "x\r\n" * 999 + "xx"})
    assert len(link.notes.get().text) == 2000


def test_what_is_sent_from_a_later_page_leads_back_to_it(
    client: Client, team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening.page, "__kwdefaults__", {"after": None, "size": 2})
    link = share(team, member, count=5, takes_replies=True)
    keys = [str(key) for key in link.shared.order_by("position").values_list("pk", flat=True)]
    page = client.get(at(link, f"?after={keys[1]}")).content.decode()
    assert page.count(f'name="after" value="{keys[1]}"') == 3  # two hearts, and the note
    sent = {"pick": keys[2], "on": "on", "after": keys[1]}
    assert client.post(at(link, "reply"), sent)["Location"] == at(
        link, f"?after={keys[1]}#i{keys[2]}"
    )
    sent = {"text": "x" * 2001, "after": keys[1]}
    assert f'id="i{keys[2]}"' in client.post(at(link, "reply"), sent).content.decode()
    sent = {"text": "Fine.", "after": keys[1]}
    assert client.post(at(link, "reply"), sent)["Location"] == at(link, f"?after={keys[1]}#note")


def test_visitors_see_the_numbers_by_which_the_team_speaks_of_images(
    client: Client, team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening.page, "__kwdefaults__", {"after": None, "size": 2})
    link = share(team, member, count=4, takes_replies=True, shows_prompt=True)
    rows = link.shared.order_by("position")
    ImageAsset.objects.filter(shared=rows[0]).update(trashed_at=timezone.now())
    for rest in (f"?after={rows[2].pk}", f"?image={rows[3].pk}"):
        assert "Image 4" in words(client.get(at(link, rest)).content.decode())
    client.post(at(link, "reply"), {"pick": rows[3].pk, "on": "on"})
    (pick,) = link_replies.replies(link, before=None).picked
    assert pick.number == "4"


@pytest.mark.parametrize("takes_replies", [True, False])
def test_where_no_number_lasts_none_is_said_shown_or_in_a_files_name(
    client: Client, team: Team, member: User, takes_replies: bool
) -> None:
    generation = make_generation(member, team)
    collection = make_collection(team, [make_asset(generation, place) for place in range(2)])
    link = make_link(member, team=team, collection=collection, takes_replies=takes_replies)
    key = collection.collected.latest("pk").pk
    for rest in ("", f"?image={key}"):
        page = client.get(at(link, rest)).content.decode()
        assert not re.search(r"Image \d", page)
        assert 'alt="Shared image"' in page
    name = client.get(at(link, f"{key}/download"))["Content-Disposition"]
    assert re.search(r'"image-[0-9a-f]{8}\.png"', name)
    assert client.get(at(link, f"{key}/download"))["Content-Disposition"] == name


def test_an_image_is_called_by_the_same_number_on_the_wall_large_and_as_a_file(
    client: Client, team: Team, member: User
) -> None:
    link = share(team, member, count=3)
    key = link.shared.get(position=1).pk
    for rest in ("", f"?image={key}"):
        assert 'alt="Image 2"' in client.get(at(link, rest)).content.decode()
    answer = client.get(at(link, f"{key}/download"))
    assert answer["Content-Disposition"] == 'attachment; filename="image-2.png"'


def test_a_large_image_leads_back_to_a_page_that_has_it(
    client: Client, team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening.page, "__kwdefaults__", {"after": None, "size": 2})
    monkeypatch.setattr(opening, "PAGE", 2)
    link = share(team, member, count=6, takes_replies=True)
    keys = list(link.shared.order_by("position").values_list("pk", flat=True))

    def way_back(rest: str) -> str:
        page = html.unescape(client.get(at(link, rest)).content.decode())
        (back,) = re.findall(r'href="([^"]+)" data-close', page)
        assert f'id="i{back.rpartition("#i")[2]}"' in client.get(back).content.decode()
        return back.removeprefix(at(link))

    on_a_page = html.unescape(client.get(at(link, f"?after={keys[1]}")).content.decode())
    come_from = f"?image={keys[3]}&after={keys[1]}"
    assert at(link, come_from) in on_a_page
    assert way_back(come_from) == f"?after={keys[1]}#i{keys[3]}"
    stepped_on = f"?image={keys[4]}&after={keys[1]}"
    assert stepped_on in html.unescape(client.get(at(link, come_from)).content.decode())
    assert way_back(stepped_on) == f"?after={keys[3]}#i{keys[4]}"
    for sent_to, back in ((keys[1], ""), (keys[3], f"?after={keys[2]}")):
        assert way_back(f"?image={sent_to}") == f"{back}#i{sent_to}"
    sent = {"pick": keys[3], "on": "on", "large": "on", "after": keys[1]}
    assert client.post(at(link, "reply"), sent)["Location"] == at(link, come_from)


def test_a_refused_note_stands_at_the_note_and_asked_for_again_there_is_the_page(
    client: Client, team: Team, member: User
) -> None:
    link = share(team, member, takes_replies=True)
    assert f'action="{at(link, "reply")}#note"' in client.get(at(link)).content.decode()
    answer = client.get(at(link, "reply"))
    assert (answer.status_code, answer["Location"]) == (302, at(link))


# ── Who is counted ──


def test_the_looks_of_the_team_are_not_counted_and_those_of_others_are(
    client: Client, team: Team, member: User
) -> None:
    link = share(team, member, most_views=2)
    for person in (member, add_member(team, make_user("mate")).user):
        mate = Client()
        mate.force_login(person)
        assert mate.get(at(link)).status_code == 200
        assert mate.get(at(link, f"{link.shared.get().pk}/small")).status_code == 200
        mate.get(at(link, "all.zip"))
    link.refresh_from_db()
    assert (link.views, link.last_opened_at, link.visits.count()) == (0, None, 0)
    client.force_login(make_user("stranger"))
    client.get(at(link))
    link.refresh_from_db()
    assert (link.views, link.visits.count()) == (1, 1)


def test_the_teams_own_trials_are_no_visitors_words(
    client: Client, team: Team, member: User
) -> None:
    link = share(team, member, takes_replies=True)
    sent = ({"pick": link.shared.get().pk, "on": "on"}, {"text": "A trial."})
    mate = Client()
    mate.force_login(add_member(team, make_user("mate")).user)
    said = "You or your team share this link"
    assert said in mate.get(at(link)).content.decode()
    for each in sent:
        assert said in mate.post(at(link, "reply"), each).content.decode()
    assert (link.picks.count(), link.notes.count()) == (0, 0)
    assert said not in client.get(at(link)).content.decode()
    for each in sent:
        client.post(at(link, "reply"), each)
    assert (link.picks.count(), link.notes.count()) == (1, 1)


def test_of_a_link_for_the_team_all_looks_but_the_authors_count(team: Team, member: User) -> None:
    link = share(team, member, audience=Audience.MEMBERS)
    for person in (member, add_member(team, make_user("mate")).user):
        mate = Client()
        mate.force_login(person)
        mate.get(at(link))
    link.refresh_from_db()
    assert (link.views, link.visits.count()) == (1, 1)


# ── Addresses that are none ──


@pytest.mark.parametrize(
    "rest", ["zzz", "zzz/", "a/b/c", "1/small/", "1/small/zzz", "reply/", "%00"]
)
def test_below_a_link_there_is_the_same_one_page_whether_or_not_there_is_a_link(
    client: Client, team: Team, member: User, rest: str
) -> None:
    past = timezone.now()
    answers, asked = [], []
    for address in ("/s/x/", at(share(team, member, revoked_at=past)), at(share(team, member))):
        with CaptureQueriesContext(connection) as queries:
            answers.append(client.get(f"{address}{rest}"))
        asked.append(len(queries))
    plain = client.get("/s/x/")
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.content for answer in answers} == {plain.content}
    assert {answer["Content-Security-Policy"] for answer in answers} == {
        plain["Content-Security-Policy"]
    }
    assert set(asked) == {1}


# ── Guesses, and floods ──


def somebody(address: str = "192.0.2.0") -> coming.Visitor:
    """Somebody new from this network."""
    return coming.Visitor(uuid.uuid4(), address, "Firefox")


def test_a_stranger_who_guesses_all_day_from_one_network_shuts_out_nobody_else(
    client: Client, team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = share(team, member, password="open sesame")
    got, tomorrow = 0, (time.time() // 86_400 + 1) * 86_400
    for minute in range(0, 24 * 60, 4):
        monkeypatch.setattr(coming.time, "time", lambda at=minute: tomorrow + at * 60)
        while not coming.take_a_guess(link, somebody()):
            got += 1
    assert got == 20
    refused = client.post(at(link), {"password": "open sesame"}, REMOTE_ADDR="192.0.2.9")
    assert refused.status_code == 429
    taken = client.post(at(link), {"password": "open sesame"}, REMOTE_ADDR="198.51.100.1")
    assert taken.status_code == 302


def test_guesses_from_a_thousand_networks_are_hopeless(team: Team, member: User) -> None:
    link = share(team, member, password="open sesame")
    tried = [coming.take_a_guess(link, somebody(f"10.0.{one}.0")) for one in range(1000)]
    assert tried.count(0) == 300


def test_whoever_is_without_an_address_is_not_one_network(
    client: Client, team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replying, "_NOTES_FROM_THERE", (coming.Bound(1, 3600),))
    monkeypatch.setattr(replying, "_PICKS_FROM_THERE", (coming.Bound(1, 3600),))
    link = share(team, member, password="open sesame", takes_replies=True)
    tried = [coming.take_a_guess(link, somebody("")) for _ in range(299)]
    assert tried.count(0) == 299
    taken = client.post(at(link), {"password": "open sesame"}, REMOTE_ADDR="")
    assert taken.status_code == 302
    assert coming.take_a_guess(link, somebody("")) == 0
    assert coming.take_a_guess(link, somebody("")) > 0
    assert coming.shut_for([link])  # the team reads of it
    for number in range(3):
        replying.write(link, somebody(""), name="", text=f"Note {number}.")
        replying.pick(link, somebody(""), link.shared.get().image, on=True)
    for _ in range(70):
        coming.log(link, somebody(""), Came.OPENED)
    assert (link.notes.count(), link.picks.count(), link.visits.count()) == (3, 3, 70)


def test_a_stranger_who_sends_notes_by_the_hundred_leaves_room_for_those_of_others(
    client: Client, team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replying, "_NOTES_FROM_THERE", (coming.Bound(3, 3600),))
    link = share(team, member, takes_replies=True)
    for number in range(5):
        flood = Client(REMOTE_ADDR="192.0.2.7")
        flood.get(at(link))
        answer = flood.post(at(link, "reply"), {"text": f"Buy {number}!"})
    assert link.notes.count() == 3
    assert "Too many notes were sent at once" in answer.content.decode()
    assert "Buy 4!" in answer.content.decode()
    client.get(at(link))
    client.post(at(link, "reply"), {"text": "The blue one."})
    assert link.notes.filter(text="The blue one.").exists()


def test_a_stranger_who_picks_without_end_is_stopped(
    client: Client, team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replying, "_PICKS_FROM_THERE", (coming.Bound(2, 3600),))
    link = share(team, member, takes_replies=True)
    sent = {"pick": link.shared.get().pk, "on": "on"}
    said = []
    for _ in range(4):
        flood = Client(REMOTE_ADDR="192.0.2.7")
        flood.get(at(link))
        said.append(flood.post(at(link, "reply"), sent))
    assert [answer.status_code for answer in said] == [302, 302, 409, 409]
    assert link.picks.count() == 2
    for large in ({}, {"large": "on"}):
        page = flood.post(at(link, "reply"), sent | large).content.decode()
        assert "Too many images were picked at once." in page
        assert f"/{sent['pick']}/{'large' if large else 'small'}" in page
    script = flood.post(at(link, "reply"), sent, headers={"Accept": "application/json"})
    assert (script.status_code, script["Content-Type"]) == (409, "text/plain; charset=utf-8")


def test_whoever_looks_by_the_hundred_does_not_push_others_out_of_the_log(
    client: Client, team: Team, member: User
) -> None:
    link = share(team, member)
    coming.log(link, somebody("198.51.100.0"), Came.OPENED)
    for _ in range(70):
        coming.log(link, somebody(), Came.OPENED)
    coming.log(link, somebody("203.0.113.0"), Came.OPENED)
    assert link.visits.filter(address="192.0.2.0").count() == 60
    assert link.visits.count() == 62


# ── On a slow phone ──


def test_a_phone_fetches_small_images(client: Client, team: Team, member: User) -> None:
    link = share(team, member)
    small = at(link, f"{link.shared.get().pk}/small")
    source = f'<source media="(max-width: 45rem)" srcset="{small}">'
    assert source in client.get(at(link)).content.decode()


def test_the_page_of_images_is_sent_small_and_the_one_for_no_link_is_always_the_same(
    client: Client, team: Team, member: User
) -> None:
    small = {"Accept-Encoding": "gzip"}
    link = share(team, member)
    answer = client.get(at(link), headers=small)
    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer["Vary"]
    for address in ("/s/x/", at(link, "?image=0"), at(link, "zzz")):
        assert not client.get(address, headers=small).has_header("Content-Encoding")
