"""Links from the team's side: made on a page, listed, looked into, changed and revoked."""

import copy
import html
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from generator.models import (
    Came,
    ImageAsset,
    Role,
    ShareLink,
    ShareNote,
    SharePick,
    ShareVisit,
    SharingRules,
    Team,
    User,
)
from generator.sharing import coming, making, secrets
from tests.make import (
    add_member,
    make_asset,
    make_collection,
    make_generation,
    make_link,
    make_team,
    make_user,
)
from tests.views.conftest import SignIn, words


@pytest.fixture
def image(team: Team, member: User) -> ImageAsset:
    """An image of the member's."""
    return make_asset(make_generation(member, team))


def terms(team: Team, days: int = 7, **said: str) -> dict[str, str]:
    """What the form sends."""
    day = team.today() + timedelta(days=days)
    plain = dict.fromkeys(("title", "password", "most_views", "watermark"), "")
    chosen = {"audience": "anyone", "download": "original", "until": f"{day}"}
    return {"make": "yes", **plain, **chosen, **said}


def send(client: Client, team: Team, **said: Any) -> HttpResponse:
    """Send the form of a new link."""
    answer: Any = client.post(reverse("link_new", args=[team.slug]), terms(team, **said))
    return answer  # type: ignore[no-any-return]


def page(client: Client, name: str, *args: Any, **query: Any) -> str:
    """A page that opens."""
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def shown_address(text: str) -> str:
    """The address in the page of a link."""
    found = re.search(r'id="address" value="([^"]+)"', text)
    assert found
    return html.unescape(found.group(1))


# ── Making ──


def test_a_link_is_made_of_what_was_chosen_and_its_address_opens(
    maker: Client, team: Team, image: ImageAsset
) -> None:
    form = page(maker, "link_new", team.slug, image=str(image.pk))
    assert "Share 1 image" in form
    assert image.pk.hex in form
    answer = send(maker, team, image=image.pk.hex, title="Poster round two")
    link = ShareLink.objects.get()
    assert answer["Location"] == reverse("link", args=[team.slug, link.pk])
    text = page(maker, "link", team.slug, link.pk)
    assert "The link is made." in text
    assert shown_address(text) == f"http://testserver/s/{secrets.secret_of(link)}/"
    assert Client().get(shown_address(text)).status_code == 200
    assert list(link.shared.values_list("image", flat=True)) == [image.pk]


def test_all_that_was_chosen_is_stored_and_shown_again(
    maker: Client, team: Team, image: ImageAsset
) -> None:
    send(
        maker, team, days=12, image=str(image.pk), title="For Ada", audience="members",
        download="small", password="open sesame", most_views="5", watermark="Northlight",
        shows_prompt="on", takes_replies="on",
    )  # fmt: skip
    link = ShareLink.objects.get()
    kept = (link.title, link.audience, link.download, link.most_views, link.watermark)
    assert kept == ("For Ada", "members", "small", 5, "Northlight")
    assert (link.shows_prompt, link.takes_replies) == (True, True)
    assert secrets.check_password(link, "open sesame")
    assert link.expires_at
    text = page(maker, "link", team.slug, link.pk)
    assert f'value="{team.today() + timedelta(days=12)}"' in text
    assert "Northlight" in text
    assert "open sesame" not in text


def test_a_text_that_cannot_be_written_over_images_is_refused_beside_its_field_and_kept(
    maker: Client, team: Team, image: ImageAsset
) -> None:
    answer = send(maker, team, image=str(image.pk), watermark="Müller 見本")
    assert answer.status_code == 200
    assert not ShareLink.objects.exists()
    said = "These cannot be written over an image: 見 本. Use Latin, Greek or Cyrillic letters."
    assert answer.context["form"].errors == {"watermark": [said]}
    text = answer.content.decode()
    assert said in text
    assert 'value="Müller 見本"' in text
    answer = send(maker, team, image=str(image.pk), watermark="\u200b\u2060")
    assert "Nothing of this can be seen." in answer.content.decode()
    send(maker, team, image=str(image.pk), watermark="Müller")
    assert ShareLink.objects.get().watermark == "Müller"


def test_a_selection_too_long_for_an_address_comes_by_post(
    maker: Client, team: Team, member: User
) -> None:
    generation = make_generation(member, team)
    images = [make_asset(generation, position) for position in range(12)]
    there = reverse("link_new", args=[team.slug])
    answer = maker.post(there, {"image": [str(image.pk) for image in images]})
    assert not ShareLink.objects.exists()
    text = answer.content.decode()
    assert "and 4 more" in text
    found = re.search(r'name="image" value="([^"]+)"', text)
    assert found
    send(maker, team, image=found.group(1))
    assert ShareLink.objects.get().shared.count() == 12


def test_ten_thousand_images_are_shared_by_one_link(
    maker: Client, team: Team, image: ImageAsset
) -> None:
    place, keys, rows = image.place, [], []
    for number in range(10_000):
        row = copy.copy(image)
        row.pk, row.place, row.position = uuid.uuid4(), place - number - 1, number + 1
        keys.append(row.pk.hex)
        rows.append(row)
    ImageAsset.objects.bulk_create(rows, batch_size=500)
    assert send(maker, team, image=",".join(keys)).status_code == 302
    assert ShareLink.objects.get().shared.count() == 10_000
    answer = send(maker, team, image=",".join([*keys, uuid.uuid4().hex]))
    assert answer["Location"] == reverse("library", args=[team.slug])


def test_a_collection_is_shared_as_it_grows_or_as_it_is(
    maker: Client, team: Team, image: ImageAsset
) -> None:
    collection = make_collection(team, [image])
    assert collection.name in page(maker, "link_new", team.slug, collection=collection.pk)
    send(maker, team, collection=f"{collection.pk}", grows="yes")
    send(maker, team, collection=f"{collection.pk}", grows="no")
    growing, fixed = ShareLink.objects.order_by("pk")
    assert (growing.collection, growing.shared.count()) == (collection, 0)
    assert (fixed.collection, fixed.shared.count()) == (None, 1)


def test_an_image_of_another_team_or_in_the_trash_is_not_there(
    maker: Client, team: Team, image: ImageAsset
) -> None:
    foreign = make_asset(make_generation(make_user()))
    ImageAsset.objects.filter(pk=image.pk).update(trashed_at=timezone.now())
    there = reverse("link_new", args=[team.slug])
    for key in (foreign.pk, image.pk, "nonsense", "' OR 1=1", "../x"):
        assert maker.get(there, {"image": str(key)}).status_code == 404
        assert send(maker, team, image=str(key)).status_code == 404
    theirs = make_collection(foreign.team, [foreign])
    for number in (str(theirs.pk), "9" * 30, "x"):
        assert maker.get(there, {"collection": number}).status_code == 404
    assert not ShareLink.objects.exists()


def test_what_is_gone_of_a_selection_is_not_left_out_in_silence(
    maker: Client, team: Team, image: ImageAsset
) -> None:
    foreign = make_asset(make_generation(make_user()))
    both = f"{image.pk},{foreign.pk}"
    assert "1 of the images that you chose is in the trash, or gone" in words(
        page(maker, "link_new", team.slug, image=both)
    )
    answer = send(maker, team, image=both)
    assert not ShareLink.objects.exists()
    assert "Some of the images are gone by now." in answer.content.decode()
    assert foreign.pk.hex not in answer.content.decode()


def test_nothing_chosen_leads_to_the_library(maker: Client, team: Team) -> None:
    answer = maker.get(reverse("link_new", args=[team.slug]))
    assert answer.status_code == 302
    assert answer["Location"] == reverse("library", args=[team.slug])


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"days": -1}, "This day is over."),
        ({"days": 3651}, "3,650 days at most"),
        ({"until": ""}, "Choose the last day"),
        ({"until": "soon"}, "Write the day as"),
        ({"password": "five5"}, "At least 6 letters"),
        ({"most_views": "0"}, "greater than or equal to 1"),
        ({"most_views": "many"}, "A whole number in digits"),
        ({"title": "x" * 81}, "at most 80 characters"),
        ({"title": "\u0958" * 80}, "at most 80 characters"),  # two each, once they are composed
        ({"title": "\u200b\u2060"}, "Nothing of this can be seen."),
        ({"download": "everything"}, "everything is not one of the available choices"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_what_was_typed_stays(
    maker: Client, team: Team, image: ImageAsset, said: dict[str, Any], fault: str
) -> None:
    answer = send(maker, team, image=str(image.pk), watermark="keep me", **said)
    assert answer.status_code == 200
    assert fault in html.unescape(answer.content.decode())
    assert "keep me" in answer.content.decode()
    assert not ShareLink.objects.exists()


def test_a_password_is_not_shown_again_even_where_something_else_was_wrong(
    maker: Client, team: Team, image: ImageAsset
) -> None:
    answer = send(maker, team, image=str(image.pk), password="open sesame", most_views="0")
    assert "open sesame" not in answer.content.decode()
    assert "Write the password again" in answer.content.decode()


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"title": "x" * 81, "most_views": "x"}, "title"),
        ({"password": "open sesame", "most_views": "x"}, "password"),
        ({"watermark": "漢", "most_views": "x"}, "most_views"),
    ],
)
def test_a_refused_form_begins_where_the_first_fault_is(
    maker: Client, team: Team, image: ImageAsset, said: dict[str, str], name: str
) -> None:
    text = send(maker, team, image=str(image.pk), **said).content.decode()
    assert re.findall(r'name="(\w+)" autofocus', text) == [name]
    assert " autofocus" not in page(maker, "link_new", team.slug, image=str(image.pk))


@pytest.mark.parametrize(
    "wrong", [{"password": "open sesame", "most_views": "x"}, {"password": "short"}]
)
def test_a_link_for_which_a_password_was_typed_is_not_open_because_it_was_not_typed_again(
    maker: Client, team: Team, image: ImageAsset, member: User, wrong: dict[str, str]
) -> None:
    there = make_link(member, [image])
    for send_it in (
        lambda **said: send(maker, team, image=str(image.pk), **said),
        lambda **said: maker.post(reverse("link", args=[team.slug, there.pk]), terms(team, **said)),
    ):
        first = send_it(**wrong)
        hidden = '<input type="hidden" name="password_was_typed" value="on">'
        assert hidden in first.content.decode()
        again = send_it(password_was_typed="on")
        assert "Write the password again, or tick “No password”." in again.content.decode()
        assert hidden in again.content.decode()
        assert send_it(password_was_typed="on", password="open sesame").status_code == 302
        assert secrets.check_password(ShareLink.objects.latest("pk"), "open sesame")
        ShareLink.objects.update(password="")
        assert send_it(password_was_typed="on", no_password="on").status_code == 302
        assert not ShareLink.objects.latest("pk").password
        ShareLink.objects.exclude(pk=there.pk).delete()


def test_a_new_password_that_must_be_typed_again_is_not_forgotten_for_the_old_one(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    link = make_link(member, [image], password="open sesame")
    sent = terms(team, password_is="keep", password="another one", most_views="x")
    form = maker.post(reverse("link", args=[team.slug, link.pk]), sent).content.decode()
    assert 'name="password_is" value="change" checked' in form
    assert "password_was_typed" not in form


def test_without_an_end_only_where_the_administrator_allows_it(
    maker: Client, team: Team, image: ImageAsset
) -> None:
    send(maker, team, image=str(image.pk), until="", endless="on")
    assert ShareLink.objects.get().expires_at is None
    SharingRules(default_days=9, never_allowed=False).save()
    form = page(maker, "link_new", team.slug, image=str(image.pk))
    assert "No end" not in form
    assert f'value="{team.today() + timedelta(days=9)}"' in form
    assert f'max="{team.today() + timedelta(days=365)}"' in form
    answer = send(maker, team, image=str(image.pk), until="", endless="on")
    assert "Choose the last day" in answer.content.decode()
    assert ShareLink.objects.count() == 1


def test_nothing_but_the_fields_of_the_form_is_read(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    other = make_user()
    more = {
        "team": f"{other.personal_team.pk}", "author": f"{other.pk}", "views": "99",
        "digest": "0" * 64, "nonce": "0", "revoked_at": "2026-01-01", "created_at": "2020-01-01",
    }  # fmt: skip
    sent = terms(team, image=str(image.pk)) | more
    assert maker.post(reverse("link_new", args=[team.slug]), sent).status_code == 302
    link = ShareLink.objects.get()
    assert (link.team, link.author, link.views, link.revoked_at) == (team, member, 0, None)
    assert link.digest != "0" * 64
    assert link.created_at.year > 2020


@pytest.mark.parametrize(
    "title", ['"><script>alert(1)</script>', "=cmd()", "../../x", "gnp\u202e.exe", "<bdo dir=rtl>"]
)
def test_a_title_is_shown_as_words_on_every_page(
    maker: Client, team: Team, image: ImageAsset, title: str
) -> None:
    send(maker, team, image=str(image.pk), title=title)
    link = ShareLink.objects.get()
    seen = title.replace("\u202e", "")
    for text in (page(maker, "links", team.slug), page(maker, "link", team.slug, link.pk)):
        assert html.escape(seen) in text
        assert "<script>alert" not in text
        assert "<bdo" not in text
        assert "\u202e" not in text


# ── Who ──


def test_a_member_meets_their_own_links_and_an_admin_all(
    maker: Client, team: Team, image: ImageAsset, member: User, sign_in: SignIn
) -> None:
    admin, mate = make_user("chief"), make_user("mate")
    add_member(team, admin, Role.ADMIN)
    add_member(team, mate)
    mine, theirs = make_link(member, [image], title="mine"), make_link(mate, [image], title="his")
    secret = secrets.secret_of(theirs)
    assert "his" not in words(page(maker, "links", team.slug)).split()
    assert secret in page(sign_in(admin), "links", team.slug)
    for name, sent in (("link", {}), ("link_revoke", {}), ("link", terms(team))):
        assert maker.post(reverse(name, args=[team.slug, theirs.pk]), sent).status_code == 404
    for name in ("link", "link_qr"):
        assert maker.get(reverse(name, args=[team.slug, theirs.pk])).status_code == 404
        assert sign_in(admin).get(reverse(name, args=[team.slug, mine.pk])).status_code == 200
    theirs.refresh_from_db()
    assert not theirs.revoked_at


def test_a_viewer_and_a_stranger_meet_no_link(
    viewer: Client, stranger: Client, team: Team, image: ImageAsset, member: User
) -> None:
    link = make_link(member, [image])
    for client in (viewer, stranger):
        for name in ("links", "link_new"):
            assert client.get(reverse(name, args=[team.slug])).status_code == 404
        for name in ("link", "link_qr"):
            assert client.get(reverse(name, args=[team.slug, link.pk])).status_code == 404
        assert client.post(reverse("link_revoke", args=[team.slug, link.pk])).status_code == 404
        assert client.post(reverse("links_revoke", args=[team.slug])).status_code == 404
    link.refresh_from_db()
    assert not link.revoked_at


def test_a_link_is_not_met_by_way_of_another_team(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    link, other = make_link(member, [image]), make_team(member, role=Role.OWNER)
    for name in ("link", "link_qr"):
        assert maker.get(reverse(name, args=[other.slug, link.pk])).status_code == 404
        assert maker.get(reverse(name, args=[other.slug, 2**70])).status_code == 404


# ── The list ──


def test_the_list_says_how_each_link_stands(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    now = timezone.now()
    make_link(member, [image], title="open", expires_at=now + timedelta(days=1), password="secret")
    make_link(member, [image], title="endless", audience="members")
    make_link(member, [image], title="over", expires_at=now - timedelta(days=2))
    make_link(member, [image], title="shut", revoked_at=now)
    make_link(member, [image], title="spent", views=3, most_views=3, last_opened_at=now)
    said = words(page(maker, "links", team.slug))
    for expected in ("open until", "password", "open, no end", "members", "ended", "revoked",
                     "used up", "3 of 3", "never opened", "just now"):  # fmt: skip
        assert expected in said


def test_it_is_said_where_the_author_may_share_no_more(
    team: Team, image: ImageAsset, member: User, sign_in: SignIn
) -> None:
    link = make_link(member, [image])
    chief = make_user("chief", is_staff=True, is_superuser=True)
    add_member(team, chief, Role.OWNER)
    client, words_of_it = sign_in(chief), "closed: its author may not share any more"
    pages = [
        reverse("links", args=[team.slug]),
        reverse("link", args=[team.slug, link.pk]),
        reverse("admin:generator_sharelink_changelist"),
        reverse("admin:generator_sharelink_change", args=[link.pk]),
    ]
    for lose in (
        lambda: team.memberships.filter(user=member).update(role=Role.VIEWER),
        team.memberships.filter(user=member).delete,
    ):
        lose()
        for each in pages:
            assert words_of_it in words(client.get(each).content.decode())


def test_a_revoked_link_has_no_address_any_more(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    link = make_link(member, [image], revoked_at=timezone.now())
    secret = secrets.secret_of(link)
    assert secret not in page(maker, "links", team.slug)
    assert secret not in page(maker, "link", team.slug, link.pk)
    assert maker.get(reverse("link_qr", args=[team.slug, link.pk])).status_code == 404


def test_the_list_goes_on_without_end_and_never_twice(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    now = timezone.now()
    for number in range(65):  # of the same moment, too
        make_link(member, [image], title=f"number{number}", created_at=now)
    seen, query = [], ""
    for _page in range(3):
        text = maker.get(reverse("links", args=[team.slug]) + query).content.decode()
        seen += re.findall(r"<bdi>(number\d+)</bdi></a>", text)
        found = re.search(r'href="[^"]*(\?before=[^"]+)"', text)
        query = found.group(1) if found else ""
    assert not query
    assert len(seen) == len(set(seen)) == 65


def test_it_is_said_who_made_a_link_and_who_looks_after_it_now(
    maker: Client, team: Team, image: ImageAsset, member: User, sign_in: SignIn
) -> None:
    chief = make_user("chief", first_name="Chief", last_name="One")
    add_member(team, chief, Role.OWNER)
    send(maker, team, image=image.pk.hex)
    link = ShareLink.objects.get()
    assert f"Made by {member.shown_name}," in words(page(maker, "link", team.slug, link.pk))
    making.hand_to(team.links.all(), chief)
    said = words(page(sign_in(chief), "link", team.slug, link.pk))
    assert f"Made by {member.shown_name}," in said
    assert "looked after by Chief One" in said


def test_a_link_without_a_title_is_called_by_what_it_shows(
    maker: Client, team: Team, member: User
) -> None:
    generation = make_generation(member, team, prompt="A lighthouse\nat dusk " + "x" * 99)
    images = [make_asset(generation, place) for place in range(2)]
    for shown, said in ((images[:1], "1 image: "), (images, "2 images: ")):
        link = make_link(member, shown)
        for text in (page(maker, "links", team.slug), page(maker, "link", team.slug, link.pk)):
            assert f"<bdi>{said}A lighthouse at dusk xxx" in text
            assert "x" * 60 not in text.replace(f'alt="{images[0].alt}"', "")


@pytest.mark.parametrize(
    ("views", "most", "said"),
    [(1, 5, "1 of 5 views"), (1, 1, "1 of 1 view "), (1, None, "1 view ")],
)
def test_views_are_counted_in_words(
    maker: Client, team: Team, image: ImageAsset, member: User, views: int, most: int, said: str
) -> None:
    make_link(member, [image], views=views, most_views=most)
    assert said in f"{words(page(maker, 'links', team.slug))} "


def test_a_link_is_offered_to_be_opened_only_where_it_opens(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    link = make_link(member, [image], most_views=2, views=1)
    assert "Open as visitor" in page(maker, "link", team.slug, link.pk)
    ShareLink.objects.update(views=2)
    text = page(maker, "link", team.slug, link.pk)
    assert "used up" in text
    assert "Open as visitor" not in text


def test_the_pages_take_as_many_queries_for_many_as_for_few(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    def fill(count: int) -> ShareLink:
        for _number in range(count):
            link = make_link(member, [image])
            make_link(member, team=team, collection=make_collection(team, [image]))
        for _number in range(count):
            ShareVisit.objects.create(link=link)
            ShareNote.objects.create(link=link, visitor=uuid.uuid4(), text="x")
        SharePick.objects.create(link=link, visitor=image.pk, image=image)
        return link

    def asked(name: str, *args: Any, **query: Any) -> int:
        with CaptureQueriesContext(connection) as queries:
            page(maker, name, team.slug, *args, **query)
        return len(queries)

    few = fill(1)
    page(maker, "links", team.slug)  # the session notes the team once
    list_few, link_few = asked("links"), asked("link", few.pk)
    many = fill(10)
    assert (asked("links"), asked("link", many.pk)) == (list_few, link_few)


# ── One link ──


def test_its_page_says_who_came_what_they_picked_and_wrote(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    link = make_link(member, [image], takes_replies=True)
    ShareVisit.objects.create(link=link, came=Came.WRONG_PASSWORD, address="203.0.113.0",
                              agent='<b>"Bot"</b>')  # fmt: skip
    for visitor in (image.pk, image.generation_id):
        SharePick.objects.create(link=link, visitor=visitor, image=image)
    ShareNote.objects.create(link=link, visitor=image.pk, name="<i>Ada</i>",
                             text="**Lovely** <script>alert(1)</script>\nsecond line")  # fmt: skip
    text = page(maker, "link", team.slug, link.pk)
    said = html.unescape(words(text))
    for expected in ("wrong password", "203.0.113.0", '<b>"Bot"</b>', "2 visitors", "<i>Ada</i>",
                     "**Lovely** <script>alert(1)</script> second line"):  # fmt: skip
        assert expected in said
    assert "<script>alert" not in text
    assert "<i>Ada" not in text


def test_a_pick_of_what_is_in_the_trash_is_not_shown(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    link = make_link(member, [image], takes_replies=True)
    SharePick.objects.create(link=link, visitor=image.pk, image=image)
    ImageAsset.objects.filter(pk=image.pk).update(trashed_at=timezone.now())
    assert str(image.pk) not in page(maker, "link", team.slug, link.pk)
    assert str(image.pk) not in page(maker, "links", team.slug)


def test_it_is_said_who_of_the_visitors_picked_which_image(
    maker: Client, team: Team, member: User
) -> None:
    generation = make_generation(member, team)
    images = [make_asset(generation, position) for position in range(20)]
    link = make_link(member, images, takes_replies=True)
    ada, silent, many = (uuid.uuid4() for _ in range(3))
    ShareNote.objects.create(link=link, visitor=ada, name="Ada", text="This one.")
    picks = [(ada, images[4]), (silent, images[6]), *((many, image) for image in images)]
    SharePick.objects.bulk_create(
        SharePick(link=link, visitor=visitor, image=image) for visitor, image in picks
    )
    said = words(page(maker, "link", team.slug, link.pk)).replace("Somebody", "\n").split("\n")
    top, of_many, of_silent = said[0].split("Ada")[0], *said[1:3]
    assert "Image 5 2 visitors" in top
    assert "This one. Picked: Image 5" in said[0]
    assert "Image 12" in of_many
    assert "Image 13" not in of_many
    assert "and 8 more" in of_many
    assert "without a note: Image 7" in of_silent
    assert "Image 5" not in of_silent


def test_it_is_said_how_many_of_its_images_are_in_the_trash(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    other = make_asset(make_generation(member, team), trashed_at=timezone.now())
    for link in (
        make_link(member, [image, other]),
        make_link(member, team=team, collection=make_collection(team, [image, other])),
    ):
        assert "1 of them is in the trash" in words(page(maker, "link", team.slug, link.pk))
    assert "trash" not in words(page(maker, "link", team.slug, make_link(member, [image]).pk))


def test_it_is_said_who_revoked_it_and_staff_are_not_named(
    maker: Client, team: Team, image: ImageAsset, member: User, sign_in: SignIn
) -> None:
    chief, boss = make_user("chief"), make_user("boss", is_staff=True, is_superuser=True)
    add_member(team, chief, Role.OWNER)
    for client, said in ((maker, "by you"), (sign_in(chief), "by chief")):
        link = make_link(member, [image])
        client.post(reverse("link_revoke", args=[team.slug, link.pk]))
        for text in (page(maker, "links", team.slug), page(maker, "link", team.slug, link.pk)):
            assert said in words(text)
    making.revoke(ShareLink.objects.filter(pk=make_link(member, [image]).pk))  # nobody did
    link = make_link(member, [image])
    chosen = {"_selected_action": link.pk, "action": "revoke", "confirmed": "yes"}
    sign_in(boss).post(reverse("admin:generator_sharelink_changelist"), chosen)
    said = words(page(maker, "link", team.slug, link.pk))
    assert "by an administrator" in said
    assert boss.username not in said


def test_it_is_said_where_wrong_passwords_have_shut_a_link(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    coming.cache.clear()
    link = make_link(member, [image], password="open sesame")
    number = 0
    while not coming.shut_for([link]):
        coming.take_a_guess(link, coming.Visitor(uuid.uuid4(), f"10.0.{number}.0", ""))
        number += 1
    for text in (page(maker, "links", team.slug), page(maker, "link", team.slug, link.pk)):
        assert "too many wrong passwords" in words(text)
    there = reverse("link", args=[team.slug, link.pk])
    maker.post(there, terms(team, password_is="change", password="another one"))
    assert "too many wrong passwords" not in words(page(maker, "links", team.slug))


def test_the_log_says_where_it_was_cut(
    maker: Client, team: Team, image: ImageAsset, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coming, "MOST_LINES", 3)
    link = make_link(member, [image])
    for number in range(3):
        assert "The log ends here" not in page(maker, "link", team.slug, link.pk)
        ShareVisit.objects.create(link=link, agent=f"agent{number}")
    said = words(page(maker, "link", team.slug, link.pk))
    assert "The log ends here: of each link its last 3 lines are kept." in said


def test_the_log_says_what_it_leaves_out(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    link = make_link(member, [image])
    coming.log(link, coming.Visitor(uuid.uuid4(), "192.0.2.0", ""), Came.OPENED)
    said = words(page(maker, "link", team.slug, link.pk))
    assert "Of one network 60 lines an hour are kept" in said


def test_the_log_goes_on(maker: Client, team: Team, image: ImageAsset, member: User) -> None:
    link = make_link(member, [image])
    now = timezone.now()
    ShareVisit.objects.bulk_create(
        ShareVisit(link=link, at=now, agent=f"agent{number}") for number in range(70)
    )
    first = page(maker, "link", team.slug, link.pk)
    found = re.search(r"\?before=([0-9-]+)", first)
    assert found
    second = page(maker, "link", team.slug, link.pk, before=found.group(1))
    agents = [set(re.findall(r'title="(agent\d+)"', text)) for text in (first, second)]
    assert (len(agents[0]), len(agents[0] | agents[1])) == (50, 70)


def test_terms_are_changed_and_the_password_is_kept(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    link = make_link(member, [image], password="open sesame")
    there = reverse("link", args=[team.slug, link.pk])
    sent = terms(team, title="new title", download="none", password_is="keep")
    assert maker.post(there, sent).status_code == 302
    link.refresh_from_db()
    assert (link.title, link.download) == ("new title", "none")
    assert secrets.check_password(link, "open sesame")
    maker.post(there, terms(team, password_is="change", password="another one"))
    link.refresh_from_db()
    assert secrets.check_password(link, "another one")
    maker.post(there, terms(team, password_is="remove"))
    link.refresh_from_db()
    assert not link.password


def test_a_link_that_goes_away_while_it_is_changed_is_not_there(
    maker: Client, team: Team, image: ImageAsset, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    mate = add_member(team, make_user("mate")).user
    real = making.change
    for go in (lambda mine: mine.update(author=mate), lambda mine: mine.delete()):
        link = make_link(member, [image])

        def late(row: ShareLink, *said: Any, go: Any = go, **more: Any) -> None:
            go(ShareLink.objects.filter(pk=row.pk))
            real(row, *said, **more)

        monkeypatch.setattr(making, "change", late)
        there = reverse("link", args=[team.slug, link.pk])
        assert maker.post(there, terms(team, title="late")).status_code == 404
    assert not ShareLink.objects.filter(title="late").exists()


def test_to_change_a_password_one_has_to_be_written(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    link = make_link(member, [image], password="open sesame")
    sent = terms(team, password_is="change")
    answer = maker.post(reverse("link", args=[team.slug, link.pk]), sent)
    assert "Write the new password." in answer.content.decode()


def test_a_new_password_that_is_typed_is_never_thrown_away(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    link = make_link(member, [image], password="open sesame")
    there = reverse("link", args=[team.slug, link.pk])
    both = maker.post(there, terms(team, password_is="remove", password="another one"))
    assert "Leave this empty to remove the password." in html.unescape(both.content.decode())
    link.refresh_from_db()
    assert secrets.check_password(link, "open sesame")
    maker.post(there, terms(team, password_is="keep", password="another one"))
    link.refresh_from_db()
    assert secrets.check_password(link, "another one")


def test_a_code_to_photograph_leads_to_the_address_and_runs_nothing(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    link = make_link(member, [image])
    answer = maker.get(reverse("link_qr", args=[team.slug, link.pk]))
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "no-store" in answer["Cache-Control"]
    assert answer.content.startswith(b"<svg")


# ── Revoking ──


def test_a_revoked_link_is_closed_at_once(
    maker: Client, team: Team, image: ImageAsset, member: User
) -> None:
    link = make_link(member, [image])
    address = reverse("shared", args=[secrets.secret_of(link)])
    assert Client().get(address).status_code == 200
    assert maker.get(reverse("link_revoke", args=[team.slug, link.pk])).status_code == 405
    answer = maker.post(reverse("link_revoke", args=[team.slug, link.pk]), follow=True)
    assert "Nobody can open this link any more." in answer.content.decode()
    assert Client().get(address).status_code != 200


def test_all_of_ones_own_or_of_the_team_are_revoked(
    maker: Client, team: Team, image: ImageAsset, member: User, sign_in: SignIn
) -> None:
    chief, mate = make_user("chief"), make_user("mate")
    add_member(team, chief, Role.OWNER)
    add_member(team, mate)
    make_link(member, [image])
    make_link(mate, [image])
    there = reverse("links_revoke", args=[team.slug])
    assert maker.post(there, {"whose": "team"}).status_code == 404
    assert "1 link was revoked." in maker.post(there, follow=True).content.decode()
    assert team.links.filter(revoked_at=None).get().author == mate
    said = sign_in(chief).post(there, {"whose": "team"}, follow=True).content.decode()
    assert "1 link was revoked." in said
    assert not team.links.filter(revoked_at=None).exists()
