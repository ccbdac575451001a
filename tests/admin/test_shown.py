"""A page that stood open while something else wrote never puts old values back."""

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse, reverse_lazy

from generator.models import (
    CatalogueEntry,
    PriceKind,
    PriceSource,
    QuotaAccount,
    StartingCaps,
    Team,
    User,
    Window,
)
from tests.make import make_entry, make_team, make_user, set_cap

LIST = reverse_lazy("admin:generator_catalogueentry_changelist")


class Form(HTMLParser):
    """What a browser would send of a page as it stands."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said: dict[str, str] = {}
        self._of = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        kind, name = facts.get("type", ""), facts.get("name", "")
        if tag == "input" and name and "__prefix__" not in name:
            if kind not in ("checkbox", "radio") or "checked" in facts:
                self.said[name] = facts.get("value", "on" if kind == "checkbox" else "")
        elif tag in ("select", "textarea"):
            self._of = name
            self.said |= {name: ""} if tag == "textarea" else {}
        elif tag == "option" and "selected" in facts:
            self.said[self._of] = facts.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._of in self.said and self.get_starttag_text().startswith("<textarea"):
            self.said[self._of] = (self.said[self._of] + data).lstrip("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self._of = ""


def opened(staff: Client, path: str) -> dict[str, str]:
    """A page that stands open: what saving it would send."""
    form = Form(staff.get(str(path)).content.decode()).said
    return {name: value for name, value in form.items() if name not in ("action", "q")} | {
        "_save": "Save"
    }


@pytest.fixture
def entries(db: None) -> tuple[CatalogueEntry, CatalogueEntry]:
    """All that is in the catalogue."""
    both = make_entry("gpt-image-2"), make_entry("qwen-image")
    CatalogueEntry.objects.exclude(pk__in=[entry.pk for entry in both]).delete()
    CatalogueEntry.objects.update(
        credits_each=40, price_kind=PriceKind.IMAGE, price_source=PriceSource.GATEWAY, offered=True
    )
    for entry in both:
        entry.refresh_from_db()
    return both


def row_of(form: dict[str, str], entry: CatalogueEntry) -> str:
    """The prefix of an entry's row in the list."""
    (name,) = [
        name for name, value in form.items()
        if name.startswith("form-") and name.endswith("-id") and value == str(entry.pk)
    ]  # fmt: skip
    return name.removesuffix("id")


def page_of(entry: CatalogueEntry) -> str:
    return reverse("admin:generator_catalogueentry_change", args=[entry.pk])


def repriced(entry: CatalogueEntry, **facts: Any) -> None:
    """What a sync does meanwhile."""
    CatalogueEntry.objects.filter(pk=entry.pk).update(**({"credits_each": 120} | facts))


def prices(entry: CatalogueEntry) -> tuple[int | None, str]:
    entry.refresh_from_db()
    return entry.credits_each, entry.price_source


def test_a_list_that_stood_open_leaves_the_prices_that_were_not_touched_on_it(
    staff: Client, entries: tuple[CatalogueEntry, CatalogueEntry]
) -> None:
    one, other = entries
    form = opened(staff, LIST)
    repriced(one)
    repriced(other)
    form.pop(f"{row_of(form, one)}offered")
    form[f"{row_of(form, other)}credits_each"] = "40"
    assert staff.post(LIST, form).status_code == 302
    assert prices(one) == prices(other) == (120, PriceSource.GATEWAY)
    assert not one.offered


def test_a_price_that_changed_while_one_was_typed_is_told_on_its_row_and_asked_once_more(
    staff: Client, entries: tuple[CatalogueEntry, CatalogueEntry]
) -> None:
    one, _other = entries
    form = opened(staff, LIST)
    repriced(one)
    typed = f"{row_of(form, one)}credits_each"
    page = staff.post(LIST, form | {typed: "77"}).content.decode()
    assert "Changed meanwhile: Credits each: 120." in page
    assert Form(page).said[typed] == "77"
    assert prices(one) == (120, PriceSource.GATEWAY)
    assert staff.post(LIST, Form(page).said | {"_save": "Save"}).status_code == 302
    assert prices(one) == (77, PriceSource.STAFF)


def test_an_entry_s_own_page_that_stood_open_leaves_its_price(
    staff: Client, entries: tuple[CatalogueEntry, CatalogueEntry]
) -> None:
    one, _other = entries
    form = opened(staff, page_of(one))
    repriced(one, rates={"upscale": 9})
    assert staff.post(page_of(one), form | {"label": "Another name"}).status_code == 302
    assert prices(one) == (120, PriceSource.GATEWAY)
    assert (one.label, one.rates) == ("Another name", {"upscale": 9})


def test_a_price_is_one_piece_what_moved_of_it_is_told_whatever_was_typed(
    staff: Client, entries: tuple[CatalogueEntry, CatalogueEntry]
) -> None:
    one, _other = entries
    form = opened(staff, page_of(one))
    repriced(one, credits_each=40, rates={"upscale": 9})
    page = staff.post(page_of(one), form | {"credits_each": "77"}).content.decode()
    assert "Changed meanwhile: Other prices:" in page
    assert prices(one) == (40, PriceSource.GATEWAY)
    again = Form(page).said
    assert (again["credits_each"], json.loads(again["rates"])) == ("77", {"upscale": 9})
    assert staff.post(page_of(one), again).status_code == 302
    assert prices(one) == (77, PriceSource.STAFF)
    assert one.rates == {"upscale": 9}


def path_of(person: User, team: Team, where: str) -> str:
    account = QuotaAccount.objects.of(team, person)
    key = {"user": person.pk, "team": team.pk, "quotaaccount": account.pk}[where]
    return reverse(f"admin:generator_{where}_change", args=[key])


def field_of(where: str) -> str:
    """A member's cap a month on a page where the account stands once."""
    return {"user": "accounts-0-month", "team": "accounts-2-0-month", "quotaaccount": "month"}[
        where
    ]


PLACES = pytest.mark.parametrize("where", ["user", "team", "quotaaccount"])


@pytest.fixture
def jonas(db: None) -> User:
    """Somebody in no team but one, in which their cap a month is 1000."""
    jonas = make_user("jonas")
    Team.objects.filter(personal_of=jonas).update(personal_of=None)
    jonas.memberships.all().delete()
    set_cap(make_team(jonas), jonas, window=Window.MONTH, credits=1000)
    return jonas


@PLACES
def test_a_page_that_stood_open_writes_no_cap_that_was_not_touched_on_it(
    staff: Client, jonas: User, where: str
) -> None:
    account = QuotaAccount.objects.get(user=jonas)
    path = path_of(jonas, account.team, where)
    form = opened(staff, path)
    assert form[field_of(where)] == "1000"
    account.set_cap(Window.MONTH, 0)
    day = field_of(where).replace("month", "day")
    answer = staff.post(path, form | {day: "55"})
    assert answer.status_code == 302
    assert [(cap.window, cap.credits) for cap in account.caps.order_by("window")] == [
        ("day", 55), ("month", 0),
    ]  # fmt: skip


@PLACES
def test_a_cap_that_changed_while_one_was_typed_is_told_and_asked_once_more(
    staff: Client, jonas: User, where: str
) -> None:
    account = QuotaAccount.objects.get(user=jonas)
    path = path_of(jonas, account.team, where)
    form = opened(staff, path)
    account.set_cap(Window.MONTH, 0)
    typed = field_of(where)
    answer = staff.post(path, form | {typed: "900"}).content.decode()
    assert "Changed meanwhile: cap a month: 0." in answer
    assert Form(answer).said[typed] == "900"
    assert account.caps.get().credits == 0
    again = Form(answer).said
    assert staff.post(path, again | {"_save": "Save"}).status_code == 302
    assert account.caps.get().credits == 900


def test_caps_to_begin_with_that_were_not_touched_stay_as_another_set_them(staff: Client) -> None:
    path = reverse("admin:generator_startingcaps_change", args=[1])
    form = opened(staff, path)
    StartingCaps(member_day=5).save()
    assert staff.post(path, form | {"pool_ever": "900"}).status_code == 302
    now = StartingCaps.objects.now()
    assert (now.member_day, now.pool_ever) == (5, 900)


def test_a_page_of_what_did_not_change_meanwhile_is_saved_at_once(
    staff: Client, entries: tuple[CatalogueEntry, CatalogueEntry]
) -> None:
    one, _other = entries
    repriced(one, credits_each=40, rates={})
    form = opened(staff, page_of(one))
    assert staff.post(page_of(one), form | {"credits_each": "77"}).status_code == 302
    assert prices(one) == (77, PriceSource.STAFF)
