"""What a visitor of a sharing link meets, and what nobody else gets."""

import io
import json
import logging
import uuid
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from comet_site.quiet_logs import WithoutSecrets
from generator import pictures
from generator.models import (
    Audience,
    Came,
    Collected,
    Download,
    ImageAsset,
    ShareLink,
    ShareNote,
    SharePick,
    ShareVisit,
    Team,
    User,
)
from generator.packing import BrokenOff
from generator.sharing import coming, handing, opening, secrets
from tests.make import (
    make_asset,
    make_collection,
    make_generation,
    make_link,
    make_picture,
    make_team,
    make_user,
)

pytestmark = pytest.mark.django_db
PROMPT = "a teapot nobody may read of"


@pytest.fixture(autouse=True)
def _no_guesses_of_other_tests(db: None) -> None:
    cache.clear()


def make_images(team: Team, member: User, count: int = 1, **facts: Any) -> list[ImageAsset]:
    """So many new images of the team."""
    generation = make_generation(member, team, prompt=PROMPT)
    return [make_asset(generation, position, **facts) for position in range(count)]


@pytest.fixture
def images(team: Team, member: User) -> list[ImageAsset]:
    """Three images of the team."""
    return make_images(team, member, 3)


def share(images: list[ImageAsset], **facts: Any) -> ShareLink:
    """A link of these images by their author."""
    return make_link(images[0].author, images, **facts)


def at(link: ShareLink, rest: str = "") -> str:
    """Where a link leads."""
    return f"/s/{secrets.secret_of(link)}/{rest}"


def keys(link: ShareLink) -> list[int]:
    """What its pages call its images."""
    return [shown.key for shown in opening.page(link).images]


def every_way_in(link: ShareLink, key: int) -> list[str]:
    """All addresses under which a link hands something out."""
    rests = ["", f"?image={key}", f"{key}/small", f"{key}/large", f"{key}/original",
             f"{key}/download", "all.zip"]  # fmt: skip
    return [at(link, rest) for rest in rests]


def body_of(answer: Any) -> bytes:
    """All bytes of an answer."""
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


# ── What is shown ──


def test_a_link_shows_its_images_without_a_word_of_the_prompt(
    client: Client, images: list[ImageAsset]
) -> None:
    link = share(images, title="Poster round two")
    page = client.get(at(link)).content.decode()
    assert "Poster round two" in page
    assert "3 images from Northlight" in page
    assert page.count("/small") >= 3
    for secret in (PROMPT, "northlight", images[0].author.email, images[0].author.username,
                   str(images[0].pk), str(images[0].generation_id), "teams/"):  # fmt: skip
        assert secret not in page


def test_prompt_and_settings_are_shown_where_the_link_says_so(
    client: Client, images: list[ImageAsset]
) -> None:
    page = client.get(at(share(images, shows_prompt=True))).content.decode()
    assert PROMPT in page
    assert images[0].generation.label in page


def test_the_page_says_nothing_to_search_engines_and_to_other_sites(
    client: Client, images: list[ImageAsset]
) -> None:
    answer = client.get(at(share(images)))
    assert answer["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "private, no-store"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "http" not in answer["Content-Security-Policy"]


def test_a_picture_is_our_own_bytes_under_our_own_type(
    client: Client, images: list[ImageAsset]
) -> None:
    link = share(images)
    answer = client.get(at(link, f"{keys(link)[0]}/small"))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/webp"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert pictures.inspect(answer.content).format == "webp"


def test_five_hundred_images_come_in_pages_that_do_not_overlap(
    client: Client, team: Team, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening.page, "__kwdefaults__", {"after": None, "size": 2})
    link = share(make_images(team, member, 5))
    seen, after = [], ""
    while True:
        answer = client.get(at(link, f"?after={after}" if after else ""))
        seen += [row["key"] for row in answer.context["rows"]]
        after = answer.context["after"]
        if not after:
            break
    assert seen == [str(key) for key in keys_of_all(link)]


def keys_of_all(link: ShareLink) -> list[int]:
    """All keys of a selection, in its order."""
    return list(link.shared.order_by("position").values_list("pk", flat=True))


def test_the_page_asks_the_database_as_often_for_many_images(
    client: Client, team: Team, member: User
) -> None:
    few = share(make_images(team, member, 1), takes_replies=True)
    many = share(make_images(team, member, 8), takes_replies=True)
    counts = []
    for link in (few, many):
        client.get(at(link))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(at(link))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8


def test_a_collection_shown_as_it_grows_shows_the_newest_first(
    client: Client, team: Team, member: User
) -> None:
    first, second = make_images(team, member, 2)
    collection = make_collection(team, [first])
    link = make_link(member, team=team, collection=collection)
    assert "1 image from" in client.get(at(link)).content.decode()
    Collected.objects.create(collection=collection, image=second)
    answer = client.get(at(link))
    assert [row["image"] for row in answer.context["rows"]] == [second, first]


# ── One page for whoever may not ──


def test_whatever_is_wrong_with_a_link_the_page_is_the_same(
    client: Client, images: list[ImageAsset]
) -> None:
    past = timezone.now() - timedelta(minutes=1)
    suspended = make_user("gone")
    team = make_team(suspended, slug="other")
    theirs = make_link(suspended, make_images(team, suspended))
    suspended.is_active = False
    suspended.save()
    wrong = [
        at(share(images, expires_at=past)),
        at(share(images, revoked_at=past)),
        at(share(images, most_views=1, views=1)),
        at(share(images, audience=Audience.MEMBERS)),
        at(theirs),
        "/s/x/", f"/s/{'x' * 32}/", f"/s/{'x' * 3000}/", "/s/%00/", "/s/%F0%9F%90%8C/", "/s/'--/",
    ]  # fmt: skip
    answers, asked = [], []
    for address in wrong:
        with CaptureQueriesContext(connection) as queries:
            answers.append(client.get(address))
        asked.append(len(queries))
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({json.dumps(sorted(answer.headers.items())) for answer in answers}) == 1
    assert not any(answer.cookies for answer in answers)
    assert set(asked) == {1}


@pytest.mark.parametrize(
    "fate",
    [{"revoked_at": timezone.now}, {"expires_at": timezone.now}, {"download": "none"}],
    ids=["revoked", "expired", "not to keep"],
)
def test_a_link_that_is_shut_hands_out_nothing_from_that_moment_on(
    client: Client, images: list[ImageAsset], fate: dict[str, Any]
) -> None:
    link = share(images)
    ways = every_way_in(link, keys(link)[0])
    assert {client.get(way).status_code for way in ways} == {200}
    for name, value in fate.items():
        setattr(link, name, value() if callable(value) else value)
    link.save()
    shut = ways if "download" not in fate else ways[4:]
    assert {client.get(way).status_code for way in shut} == {404}


def test_an_image_in_the_trash_is_shown_by_no_link_and_a_restored_one_is(
    client: Client, images: list[ImageAsset]
) -> None:
    link = share(images[:1])
    ways = every_way_in(link, keys(link)[0])[1:-1]
    ImageAsset.objects.filter(pk=images[0].pk).update(trashed_at=timezone.now())
    assert "These images are no longer here." in client.get(at(link)).content.decode()
    assert {client.get(way).status_code for way in ways} == {404}
    archive = zipfile.ZipFile(io.BytesIO(body_of(client.get(at(link, "all.zip")))))
    assert not [name for name in archive.namelist() if not name.startswith("manifest")]
    ImageAsset.objects.filter(pk=images[0].pk).update(trashed_at=None)
    assert {client.get(way).status_code for way in ways} == {200}


def test_the_key_of_another_link_opens_nothing(client: Client, team: Team, member: User) -> None:
    mine, other = share(make_images(team, member)), share(make_images(team, member))
    foreign = every_way_in(mine, keys(other)[0])[1:-1]
    assert {client.get(way).status_code for way in foreign} == {404}
    assert client.get(at(mine, f"{10**30}/small")).status_code == 404


def test_a_link_for_members_opens_to_members_alone(
    client: Client, member: User, images: list[ImageAsset]
) -> None:
    link = share(images, audience=Audience.MEMBERS)
    ways = every_way_in(link, keys(link)[0])
    assert {client.get(way).status_code for way in ways} == {404}
    client.force_login(make_user("stranger"))
    assert {client.get(way).status_code for way in ways} == {404}
    client.force_login(member)
    assert {client.get(way).status_code for way in ways} == {200}


# ── The password ──


def test_a_password_in_the_address_opens_nothing(client: Client, images: list[ImageAsset]) -> None:
    link = share(images, password="open sesame")
    answer = client.get(at(link, "?password=open+sesame"))
    assert "These images have a password" in answer.content.decode()
    assert "og:image" not in answer.content.decode()
    assert {client.get(way).status_code for way in every_way_in(link, keys(link)[0])[2:]} == {404}


def test_the_password_opens_the_link_and_no_other_until_it_is_changed(
    client: Client, images: list[ImageAsset]
) -> None:
    link = share(images, password="open sesame")
    other = share(images, password="open sesame")
    assert client.post(at(link), {"password": "open sesame"}).status_code == 302
    assert "3 images" in client.get(at(link)).content.decode()
    assert client.get(at(link, f"{keys(link)[0]}/small")).status_code == 200
    stolen = client.cookies["visit"].value
    client.cookies["visit"] = stolen
    client.cookies["visit"]["path"] = "/"
    assert "have a password" in client.get(at(other)).content.decode()
    link.password = secrets.hashed("open sesame")
    link.save()
    assert "have a password" in client.get(at(link)).content.decode()
    assert client.get(at(link, f"{keys(link)[0]}/small")).status_code == 404


def test_ten_thousand_guesses_do_not_get_through(
    client: Client, images: list[ImageAsset], monkeypatch: pytest.MonkeyPatch
) -> None:
    link = share(images, password="0417")
    tried: list[str] = []
    real = secrets.check_password
    monkeypatch.setattr(
        secrets, "check_password", lambda link, text: tried.append(text) or real(link, text)
    )
    monkeypatch.setattr(coming, "_OF_A_LINK", coming.Bound(30, 3600))
    for number in range(200):
        address = f"10.{number % 40}.0.1"
        client.post(at(link), {"password": f"{number:04}"}, REMOTE_ADDR=address)
    assert len(tried) <= 30
    with CaptureQueriesContext(connection) as queries:
        answer = client.post(at(link), {"password": "0417"}, REMOTE_ADDR="10.99.0.1")
    assert answer.status_code == 429
    assert "Try again in" in answer.content.decode()
    assert len(queries) <= 3
    assert ShareVisit.objects.filter(link=link, came=Came.WRONG_PASSWORD).count() == len(tried)


def test_who_guesses_from_one_place_is_stopped_and_others_are_not(
    client: Client, images: list[ImageAsset]
) -> None:
    link = share(images, password="open sesame")
    for _ in range(5):
        client.post(at(link), {"password": "wrong"}, REMOTE_ADDR="192.0.2.7")
    refused = client.post(at(link), {"password": "open sesame"}, REMOTE_ADDR="192.0.2.99")
    assert refused.status_code == 429
    taken = client.post(at(link), {"password": "open sesame"}, REMOTE_ADDR="198.51.100.1")
    assert taken.status_code == 302


def test_the_password_form_is_safe_from_other_sites(images: list[ImageAsset]) -> None:
    link = share(images, password="open sesame")
    answer = Client(enforce_csrf_checks=True).post(at(link), {"password": "open sesame"})
    assert answer.status_code == 403


# ── Views and the log ──


def test_a_visit_counts_once_and_the_last_one_goes_on_seeing(
    client: Client, images: list[ImageAsset]
) -> None:
    link = share(images, most_views=1)
    picture = at(link, f"{keys(link)[0]}/small")
    assert client.get(picture).status_code == 404
    for _ in range(3):
        assert client.get(at(link)).status_code == 200
    assert client.get(picture).status_code == 200
    link.refresh_from_db()
    assert (link.views, link.last_opened_at is not None) == (1, True)
    assert Client().get(at(link)).status_code == 404
    assert Client().get(picture).status_code == 404


def test_a_view_too_many_is_not_counted_however_close_they_come(
    images: list[ImageAsset],
) -> None:
    link = share(images, most_views=2)
    came = [opening.count_view(link, timezone.now()) for _ in range(4)]
    link.refresh_from_db()
    assert (came, link.views) == ([True, True, False, False], 2)


def test_a_program_that_only_draws_a_card_is_no_view(
    client: Client, images: list[ImageAsset]
) -> None:
    link = share(images, title='A "title" <b>', most_views=1)
    card = client.get(at(link), headers={"User-Agent": "Slackbot-LinkExpanding 1.0"})
    page = card.content.decode()
    assert 'content="A &quot;title&quot; &lt;b&gt;"' in page
    assert "/small" not in page
    client.head(at(link))
    link.refresh_from_db()
    assert link.views == 0
    page = client.get(at(link, "?look=1"), headers={"User-Agent": "Viber"}).content.decode()
    assert "/small" in page


def test_a_card_has_an_image_only_where_anybody_may_see_it(
    client: Client, images: list[ImageAsset]
) -> None:
    assert 'property="og:image" content="http' in client.get(at(share(images))).content.decode()
    assert "og:image" not in client.get(at(share(images, most_views=9))).content.decode()


def test_the_log_says_a_network_and_a_short_clean_agent(
    client: Client, images: list[ImageAsset]
) -> None:
    link = share(images)
    agent = f"Mozilla\x1b[31m {'x' * 500}"
    client.get(at(link), REMOTE_ADDR="192.0.2.77", headers={"User-Agent": agent})
    (line,) = ShareVisit.objects.filter(link=link)
    assert (line.came, line.address) == (Came.OPENED, "192.0.2.0")
    assert len(line.agent) == 200
    assert "\x1b" not in line.agent


@pytest.mark.parametrize(
    ("address", "said"),
    [("203.0.113.9", "203.0.113.0"), ("2001:db8:1:2::3", "2001:db8:1::"),
     ("::ffff:203.0.113.9", "203.0.113.0"), ("fe80::1%eth0", "fe80::"), ("nonsense", "")],
)  # fmt: skip
def test_an_address_is_shortened(address: str, said: str) -> None:
    assert coming.shortened(address) == said


# ── To keep ──


def with_secrets_inside() -> bytes:
    """A PNG into which its provider wrote the prompt."""
    from PIL import PngImagePlugin

    said = PngImagePlugin.PngInfo()
    said.add_text("parameters", PROMPT)
    said.add_itxt("prompt", PROMPT)
    return make_picture(pnginfo=said)


@pytest.mark.parametrize("download", [Download.ORIGINAL, Download.SMALL])
@pytest.mark.parametrize("watermark", ["", "Northlight"])
def test_a_download_says_only_that_a_machine_made_it(
    client: Client, team: Team, member: User, download: str, watermark: str
) -> None:
    link = share(
        make_images(team, member, data=with_secrets_inside()), download=download,
        watermark=watermark,
    )  # fmt: skip
    answer = client.get(at(link, f"{keys(link)[0]}/download"))
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Cache-Control"] == "private, no-store"
    archive = zipfile.ZipFile(io.BytesIO(body_of(client.get(at(link, "all.zip")))))
    files = [archive.read(name) for name in archive.namelist()]
    assert len(files) == 3
    for data in (answer.content, *files):
        assert PROMPT.encode() not in data
        assert member.username.encode() not in data
    assert all(b"trainedAlgorithmicMedia" in data for data in (answer.content, files[0]))


def test_a_download_tells_prompt_and_settings_where_the_link_shows_them(
    client: Client, images: list[ImageAsset]
) -> None:
    link = share(images, shows_prompt=True)
    assert PROMPT.encode() in client.get(at(link, f"{keys(link)[0]}/download")).content
    archive = zipfile.ZipFile(io.BytesIO(body_of(client.get(at(link, "all.zip")))))
    manifest = archive.read("manifest.json").decode()
    assert PROMPT in manifest
    assert images[0].author.shown_name not in manifest
    assert str(images[0].pk) not in manifest


@pytest.mark.parametrize(
    "change",
    [
        {"download": Download.SMALL},
        {"watermark": "Northlight"},
        {"shows_prompt": True},
        {"audience": Audience.MEMBERS},
        {"password": "another"},
        {"revoked_at": timezone.now()},
        {"expires_at": timezone.now()},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_archive_is_broken_off_where_its_link_is_put_on_other_terms(
    images: list[ImageAsset], change: dict[str, Any]
) -> None:
    link = share(images)
    entries = handing.entries(link, secrets.secret_of(link), None)
    next(entries)
    ShareLink.objects.filter(pk=link.pk).update(**change)
    with pytest.raises(BrokenOff):
        next(entries)


def test_an_archive_for_members_is_broken_off_where_one_is_none_any_more(
    member: User, images: list[ImageAsset]
) -> None:
    link = share(images, audience=Audience.MEMBERS)
    entries = handing.entries(link, secrets.secret_of(link), member.pk)
    next(entries)
    member.memberships.filter(team=link.team).delete()
    with pytest.raises(BrokenOff):
        next(entries)


def test_an_archive_goes_on_where_the_link_has_another_title_or_no_views_left(
    images: list[ImageAsset],
) -> None:
    link = share(images, most_views=1)
    entries = handing.entries(link, secrets.secret_of(link), None)
    next(entries)
    ShareLink.objects.filter(pk=link.pk).update(title="Round three", views=1)
    assert len(list(entries)) == 2


def test_an_archive_of_a_link_that_tells_nothing_does_not_tell_when(
    client: Client, images: list[ImageAsset]
) -> None:
    archive = zipfile.ZipFile(io.BytesIO(body_of(client.get(at(share(images), "all.zip")))))
    assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    for row in json.loads(archive.read("manifest.json")):
        assert "made" not in row
        assert row["made by"] == "a trained algorithm"


def test_a_small_download_is_small(client: Client, team: Team, member: User) -> None:
    wide = make_picture(2000, 1000)
    link = share(make_images(team, member, data=wide), download=Download.SMALL)
    data = client.get(at(link, f"{keys(link)[0]}/download")).content
    picture = pictures.inspect(data)
    assert (picture.format, picture.width, picture.height) == ("png", handing.SMALL, 800)


def test_what_is_not_to_be_kept_has_no_way_to_keep_it(
    client: Client, images: list[ImageAsset]
) -> None:
    page = client.get(at(share(images, download=Download.NONE))).content.decode()
    assert "ownload" not in page


def test_the_watermark_lies_over_what_is_shown_and_what_is_kept(
    client: Client, team: Team, member: User
) -> None:
    images = make_images(team, member, data=make_picture(640, 480))
    plain, marked = share(images), share(images, watermark="Northlight")
    for rest in ("small", "large", "original", "download"):
        one = client.get(at(plain, f"{keys(plain)[0]}/{rest}")).content
        other = client.get(at(marked, f"{keys(marked)[0]}/{rest}")).content
        assert pictures.inspect(other).width == pictures.inspect(one).width
        assert (
            pictures.converted(one, format="png").data
            != pictures.converted(other, format="png").data
        )


# ── Replies ──


def test_a_visitor_picks_images_and_leaves_a_note_that_stay_theirs(
    client: Client, images: list[ImageAsset]
) -> None:
    link = share(images, takes_replies=True)
    client.get(at(link))
    key = keys(link)[1]
    client.post(at(link, "reply"), {"pick": key, "on": "on"})
    client.post(at(link, "reply"), {"name": "Ana", "text": "The second one."})
    client.post(at(link, "reply"), {"name": "Ana", "text": "The second one, please."})
    (pick,), (note,) = SharePick.objects.filter(link=link), ShareNote.objects.filter(link=link)
    assert (pick.image, note.text) == (images[1], "The second one, please.")
    page = client.get(at(link)).content.decode()
    assert page.count('aria-pressed="true"') == 1
    assert "The second one, please." in page
    assert "The second one" not in Client().get(at(link)).content.decode()
    client.post(at(link, "reply"), {"pick": key})
    assert not SharePick.objects.exists()


def test_a_note_too_long_is_refused_beside_its_field_and_kept(
    client: Client, images: list[ImageAsset]
) -> None:
    link = share(images, takes_replies=True)
    client.get(at(link))
    answer = client.post(at(link, "reply"), {"text": "x" * 2001})
    assert answer.status_code == 200
    assert "at most 2000 characters" in answer.content.decode()
    assert "x" * 2001 in answer.content.decode()
    assert 'href="?' not in answer.content.decode()  # it stands at another address
    assert not ShareNote.objects.exists()


def test_a_note_of_which_nothing_is_seen_is_none(client: Client, images: list[ImageAsset]) -> None:
    link = share(images, takes_replies=True)
    client.get(at(link))
    answer = client.post(at(link, "reply"), {"text": "\u200b\u2060"})
    assert "Write something first." in answer.content.decode()
    assert not ShareNote.objects.exists()


@pytest.mark.parametrize("sent", [{"pick": "1"}, {"pick": "x"}, {"pick": "9" * 40}])
def test_what_the_link_does_not_show_cannot_be_picked(
    client: Client, images: list[ImageAsset], sent: dict[str, str]
) -> None:
    other = share(images)
    link = share(images, takes_replies=True)
    client.get(at(link))
    sent = {"pick": str(keys(other)[0])} if sent == {"pick": "1"} else sent
    assert client.post(at(link, "reply"), {**sent, "on": "on"}).status_code == 404
    assert not SharePick.objects.exists()


@pytest.mark.parametrize("sent", [{"on": "on"}, {"on": "on", "large": "on"}, {"text": "Hello."}])
def test_who_replies_when_none_are_taken_any_more_is_told_so_and_the_link_is_not_dead(
    client: Client, images: list[ImageAsset], sent: dict[str, str]
) -> None:
    link = share(images, takes_replies=True)
    client.get(at(link))
    ShareLink.objects.update(takes_replies=False)
    sent = sent if "text" in sent else {**sent, "pick": str(keys(link)[0])}
    said = "Picks and notes are no longer taken here."
    answer = client.post(at(link, "reply"), sent)
    assert (answer.status_code, said in answer.content.decode()) == (409, True)
    assert "<img" in answer.content.decode()
    script = client.post(at(link, "reply"), sent, headers={"Accept": "application/json"})
    assert (script.status_code, script.content.decode()) == (409, said)
    stranger = Client().post(at(link, "reply"), sent)
    assert (stranger.status_code, stranger["Location"]) == (302, at(link))
    assert Client().post("/s/no-such-link/reply", sent).status_code == 404
    assert not SharePick.objects.exists()
    assert not ShareNote.objects.exists()


def test_a_cookie_of_ones_own_making_is_no_visitor(
    client: Client, images: list[ImageAsset]
) -> None:
    link = share(images, most_views=1)
    client.get(at(link))
    stranger = Client()
    stranger.cookies["visit"] = f"{uuid.uuid4().hex}:1:{client.cookies['visit'].value[-40:]}"
    assert stranger.get(at(link)).status_code == 404


@pytest.mark.parametrize("way", ["/s/%s/4/download", "/invitations/%s/", "/files/%s"])
def test_no_line_of_a_log_holds_a_secret(way: str) -> None:
    line = logging.LogRecord(
        "django.request", logging.WARNING, "", 1, "%s: %s", ("Not Found", way % "c3cr3t"), None
    )
    assert WithoutSecrets().filter(line)
    assert "c3cr3t" not in line.getMessage()


def test_what_is_said_on_the_console_goes_through_the_filter(settings: Any) -> None:
    assert "without_secrets" in settings.LOGGING["handlers"]["console"]["filters"]


def test_a_page_with_a_form_lets_the_browser_say_where_the_form_comes_from(
    client: Client, images: list[ImageAsset]
) -> None:
    """Under no-referrer a browser sends forms from an origin called null, which are refused."""
    for link in (share(images, password="open sesame"), share(images, takes_replies=True)):
        assert client.get(at(link))["Referrer-Policy"] == "same-origin"


def test_a_visit_to_one_link_is_no_visit_to_another(
    client: Client, images: list[ImageAsset]
) -> None:
    """The test's browser sends its cookie everywhere, as somebody who copies it would."""
    client.get(at(share(images)))
    full = share(images, most_views=1, views=1)
    assert client.get(at(full)).status_code == 404
    assert client.get(at(full, f"{keys(full)[0]}/small")).status_code == 404
