"""Offers and prices, as staff keep them."""

import html
import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator import jobs
from generator.models import CatalogueEntry, Ceiling, PriceSource, User
from generator.providers.gateway import Gateway
from generator.sandbox import Log, Sandbox
from tests.make import make_entry

LIST = "admin:generator_catalogueentry_changelist"
SYNC = "admin:generator_catalogueentry_sync"


@pytest.fixture(autouse=True)
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """What the process's gateway leads to."""
    sandbox = Sandbox(log=Log(balance="12.50"))
    gateway = Gateway("http://s", key="sk-test1234", transport=httpx.WSGITransport(app=sandbox))
    monkeypatch.setattr(jobs, "open_gateway", lambda: gateway)
    yield sandbox
    gateway.close()


def edited(entry: CatalogueEntry, **facts: object) -> dict[str, object]:
    """The list's form as a browser sends it, with one entry on it."""
    form = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(entry.pk),
            "form-0-offered": "on" if entry.offered else "",
            "form-0-credits_each": "" if entry.credits_each is None else str(entry.credits_each),
            "_save": "Save"}  # fmt: skip
    return form | {f"form-0-{name}": value for name, value in facts.items()}


def test_a_price_set_in_the_list_comes_from_the_staff(staff: Client) -> None:
    entry = make_entry("qwen-image")
    CatalogueEntry.objects.exclude(pk=entry.pk).delete()
    page = staff.post(reverse(LIST), edited(entry, credits_each="77"), follow=True)
    assert "Qwen Image: one image costs 77 credits now" in page.content.decode()
    entry.refresh_from_db()
    assert (entry.credits_each, entry.price_source) == (77, PriceSource.STAFF)


@pytest.mark.parametrize("page", ["list", "form"])
def test_a_price_beyond_all_measure_is_refused_in_words(staff: Client, page: str) -> None:
    CatalogueEntry.objects.fill()
    entry = CatalogueEntry.objects.get(wire_model="gpt-image-2")
    CatalogueEntry.objects.exclude(pk=entry.pk).delete()
    if page == "list":
        answer = staff.post(reverse(LIST), edited(entry, credits_each=10**8 + 1))
    else:
        change = reverse("admin:generator_catalogueentry_change", args=[entry.pk])
        form = {"label": "x", "family": entry.family, "credits_each": 10**8 + 1, "position": 1}
        answer = staff.post(change, form)
    assert "An image may cost at most 100,000,000 credits." in answer.content.decode()
    before = entry.credits_each
    entry.refresh_from_db()
    assert entry.credits_each == before


def test_taking_an_offer_back_leaves_the_price_where_it_came_from(staff: Client) -> None:
    CatalogueEntry.objects.fill()
    entry = CatalogueEntry.objects.get(wire_model="gpt-image-2")
    CatalogueEntry.objects.exclude(pk=entry.pk).delete()
    staff.post(reverse(LIST), edited(entry, offered=""))
    entry.refresh_from_db()
    assert (entry.offered, entry.price_source) == (False, PriceSource.FILE)


def test_a_press_fills_the_catalogue_from_the_families_file(staff: Client) -> None:
    assert staff.get(reverse("admin:generator_catalogueentry_fill")).status_code == 405
    assert not CatalogueEntry.objects.exists()
    staff.post(reverse("admin:generator_catalogueentry_fill"))
    assert CatalogueEntry.objects.filter(wire_model="gpt-image-2").exists()
    assert "Fill from the families file" in staff.get(reverse(LIST)).content.decode()


# ── Prices of every kind ──


def page_of(entry: CatalogueEntry) -> str:
    return reverse("admin:generator_catalogueentry_change", args=[entry.pk])


def typed(entry: CatalogueEntry, **facts: object) -> dict[str, object]:
    """The entry's own page as a browser sends it."""
    names = ("label", "family", "position", "price_kind", "credits_each", "tokens_in", "tokens_out")
    form = {name: value for name in names if (value := getattr(entry, name)) is not None}
    form |= {"rates": json.dumps(entry.rates), "offered": "on" if entry.offered else ""}
    return form | facts


def test_staff_price_a_model_by_tokens(staff: Client) -> None:
    entry = make_entry()
    form = typed(entry, price_kind="tokens", tokens_in="1000", tokens_out="10000.5")
    page = staff.post(page_of(entry), form, follow=True).content.decode()
    assert "GPT Image 2: one image costs about 11 credits now" in page
    entry.refresh_from_db()
    assert (entry.price_kind, entry.price_source) == ("tokens", PriceSource.STAFF)
    assert (entry.tokens_out, entry.credits_each) == (Decimal("10000.5"), None)


@pytest.mark.parametrize(
    ("wire_model", "facts", "text"),
    [
        ("gpt-image-2", {"price_kind": "tokens", "tokens_in": "5"}, "needs both numbers"),
        ("gpt-image-2", {"price_kind": "tokens"}, "needs both numbers"),
        ("gpt-image-2", {"price_kind": "tokens", "tokens_in": "-1", "tokens_out": "5"},
         "greater than or equal to 0"),
        ("gpt-image-2", {"price_kind": "tokens", "tokens_in": "NaN", "tokens_out": "5"},
         "Enter a number"),
        ("gpt-image-2", {"price_kind": "tokens", "tokens_in": "1e12", "tokens_out": "5"},
         "may cost at most 100,000,000,000 credits"),
        ("qwen-image", {"price_kind": "tokens", "tokens_in": "5", "tokens_out": "5"},
         "How many tokens an image of this model takes is not known"),
        ("qwen-image", {"price_kind": "image", "credits_each": ""}, "without a price"),
        ("qwen-image", {"price_kind": "hour"}, "not one of the available choices"),
        ("qwen-image", {"credits_each": "a lot"}, "Enter a whole number"),
        ("qwen-image", {"credits_each": "-5"}, "greater than or equal to 0"),
    ],
)  # fmt: skip
def test_a_price_that_makes_no_sense_is_refused_where_it_was_typed(
    staff: Client, wire_model: str, facts: dict[str, object], text: str
) -> None:
    entry = make_entry(wire_model)
    before = entry.price_tag
    answer = staff.post(page_of(entry), typed(entry, **facts))
    assert answer.status_code == 200
    assert text in html.unescape(answer.content.decode())
    entry.refresh_from_db()
    assert entry.price_tag == before


def test_a_price_by_the_image_of_one_that_has_a_price_by_tokens_is_refused_in_the_list(
    staff: Client,
) -> None:
    CatalogueEntry.objects.fill()
    entry = CatalogueEntry.objects.get(wire_model="gpt-image-2")
    CatalogueEntry.objects.exclude(pk=entry.pk).delete()
    page = staff.post(reverse(LIST), edited(entry, credits_each="77")).content.decode()
    assert "This model is priced by tokens. Open it" in page
    entry.refresh_from_db()
    assert (entry.credits_each, entry.price_source) == (None, PriceSource.FILE)


def test_a_model_without_a_price_is_not_put_on_offer(staff: Client) -> None:
    entry = make_entry("qwen-image", credits_each=None, offered=False)
    CatalogueEntry.objects.exclude(pk=entry.pk).delete()
    page = staff.post(reverse(LIST), edited(entry, offered="on")).content.decode()
    assert "Nobody could pick the model without a price" in page
    entry.refresh_from_db()
    assert not entry.offered


@pytest.mark.parametrize("wire_model", ["gemini-3-pro-image", "midjourney", "dall-e-3"])
def test_who_changes_the_name_leaves_the_price_where_it_came_from(
    staff: Client, wire_model: str
) -> None:
    entry = make_entry(wire_model)
    before = CatalogueEntry.objects.get(pk=entry.pk).price_tag
    assert staff.post(page_of(entry), typed(entry, label="Ours")).status_code == 302
    entry.refresh_from_db()
    assert (entry.label, entry.price_source) == ("Ours", PriceSource.FILE)
    assert entry.price_tag == before


def test_the_page_says_what_people_pay_and_what_it_is_made_of(staff: Client, settings: Any) -> None:
    settings.PRICE_FACTOR = Decimal("1.5")
    CatalogueEntry.objects.fill()
    staff.post(reverse(SYNC))
    entry = CatalogueEntry.objects.get(wire_model="gpt-image-1")
    page = html.unescape(staff.get(page_of(entry)).content.decode())
    assert "about 51 credits" in page
    assert "5 for a million tokens in, 40 for a million tokens out" in page
    assert "0.8 (the gateway's ratio) × 1.5 (STUDIO_PRICE_FACTOR)" in page
    assert "Take the gateway" not in page


@pytest.mark.parametrize("wire_model", ["gpt-image-1", "qwen-image", "midjourney"])
def test_a_press_gives_the_staffs_price_up_for_the_gateways(staff: Client, wire_model: str) -> None:
    CatalogueEntry.objects.fill()
    staff.post(reverse(SYNC))
    entry = CatalogueEntry.objects.get(wire_model=wire_model)
    before = entry.price_tag
    form = typed(entry, price_kind="image", credits_each="77", rates="{}")
    assert staff.post(page_of(entry), form).status_code == 302
    entry.refresh_from_db()
    assert (entry.price_words, entry.price_source) == ("77 credits", PriceSource.STAFF)
    assert "Take the gateway" in staff.get(page_of(entry)).content.decode()
    give_up = reverse("admin:generator_catalogueentry_give_up", args=[entry.pk])
    assert staff.get(give_up).status_code == 405
    staff.post(give_up)
    entry.refresh_from_db()
    assert (entry.price_tag, entry.price_source) == (before, PriceSource.GATEWAY)


def test_a_price_that_nobody_else_says_is_not_given_up(staff: Client) -> None:
    entry = CatalogueEntry.objects.create(
        wire_model="gpt-image-2-2027-01-01", label="x", family="gpt-image-2", credits_each=9
    )
    give_up = reverse("admin:generator_catalogueentry_give_up", args=[entry.pk])
    assert "yours stays" in staff.post(give_up, follow=True).content.decode()
    entry.refresh_from_db()
    assert (entry.credits_each, entry.price_source) == (9, PriceSource.STAFF)


def test_who_may_not_change_the_catalogue_gives_no_price_up(client: Client, member: User) -> None:
    entry = make_entry("qwen-image", credits_each=9, price_source=PriceSource.STAFF)
    give_up = reverse("admin:generator_catalogueentry_give_up", args=[entry.pk])
    member.is_staff = True
    member.save()
    client.force_login(member)
    assert client.post(give_up).status_code == 403
    entry.refresh_from_db()
    assert entry.credits_each == 9


def test_the_list_asks_no_more_for_forty_models_than_for_one(
    staff: Client, django_assert_max_num_queries: Any
) -> None:
    CatalogueEntry.objects.fill()
    staff.get(reverse(LIST))
    with django_assert_max_num_queries(12):
        page = staff.get(reverse(LIST)).content.decode()
    assert "about 26 credits" in page


def test_staff_read_later_what_a_sync_changed(staff: Client) -> None:
    entry = make_entry("qwen-image", credits_each=39)
    staff.post(reverse(SYNC))
    page = staff.get(reverse("admin:generator_cataloguechange_changelist")).content.decode()
    assert "39 credits" in page
    assert "repriced: 39 credits, now 40 credits" in staff.get(page_of(entry)).content.decode()
    found = reverse("admin:generator_cataloguechange_changelist") + "?q=qwen-image"
    assert staff.get(found).content.decode().count("39 credits") == 1


# ── What the gateway says ──


def test_a_press_brings_the_catalogue_up_to_the_gateways_list(staff: Client) -> None:
    make_entry("qwen-image", credits_each=39)
    assert staff.get(reverse(SYNC)).status_code == 405
    page = staff.post(reverse(SYNC), follow=True).content.decode()
    assert "qwen-image: 39 credits, now 40 credits" in page
    assert CatalogueEntry.objects.get(wire_model="qwen-image").credits_each == 40
    page = staff.post(reverse(SYNC), follow=True).content.decode()
    assert "says nothing new" in page


def test_who_may_not_change_the_catalogue_may_not_sync_it(client: Client, member: User) -> None:
    client.force_login(member)
    assert client.post(reverse(SYNC)).status_code in {302, 403}
    member.is_staff = True
    member.save()
    assert client.post(reverse(SYNC)).status_code == 403
    assert not CatalogueEntry.objects.filter(seen_at__isnull=False).exists()


def test_a_gateway_that_does_not_answer_is_a_sentence_and_no_error_page(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route to host")

    gateway = Gateway("http://s", key="sk-test1234", transport=httpx.MockTransport(fail))
    monkeypatch.setattr(jobs, "open_gateway", lambda: gateway)
    answer = staff.post(reverse(SYNC), follow=True)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "The gateway cannot be reached at the moment." in page
    assert "no route to host" not in page
    assert "<strong>unknown</strong>" in page


def test_staff_see_what_the_account_has_left(staff: Client) -> None:
    assert "<strong>$12.50 left, $0.00 used</strong>" in staff.get(reverse(LIST)).content.decode()


def test_the_list_says_what_is_missing_at_the_gateway_and_what_nobody_can_pick(
    staff: Client, sandbox: Sandbox
) -> None:
    make_entry("qwen-image")
    assert "never seen" in staff.get(reverse(LIST)).content.decode()
    staff.post(reverse(SYNC))
    page = staff.get(reverse(LIST)).content.decode()
    assert "missing since" not in page
    assert "not known: nobody can pick it" in page
    sandbox.withdrawn.add("qwen-image")
    staff.post(reverse(SYNC))
    assert "missing since" in staff.get(reverse(LIST)).content.decode()


def test_rates_that_staff_change_are_the_staffs(staff: Client) -> None:
    entry = make_entry("qwen-image")
    change = reverse("admin:generator_catalogueentry_change", args=[entry.pk])
    form = {"label": "x", "family": entry.family, "offered": "on", "credits_each": 40,
            "rates": '{"create": 60}', "position": 1, "price_kind": "image"}  # fmt: skip
    assert staff.post(change, form).status_code == 302
    entry.refresh_from_db()
    assert (entry.rates, entry.price_source) == ({"create": 60}, PriceSource.STAFF)


@pytest.mark.parametrize(
    "rates", ["[1]", '"x"', '{"create": "40"}', '{"create": -1}', '{"create": true}',
              '{"create": 4.5}', '{"create": 100000001}'],
)  # fmt: skip
def test_other_prices_that_are_none_are_refused_in_words(staff: Client, rates: str) -> None:
    entry = make_entry("qwen-image")
    change = reverse("admin:generator_catalogueentry_change", args=[entry.pk])
    form = {"label": "x", "family": entry.family, "credits_each": 40, "rates": rates,
            "position": 1}  # fmt: skip
    page = staff.post(change, form).content.decode()
    assert "Write whole credits for each action" in page
    entry.refresh_from_db()
    assert entry.rates == {}


@pytest.mark.parametrize(
    ("wire_model", "name"),
    [("midjourney", "foo"), ("midjourney", "create slow"), ("qwen-image", "upscale"),
     ("qwen-image", "create turbo")],
)  # fmt: skip
def test_a_price_under_a_name_that_the_model_does_not_know_is_refused_by_that_name(
    staff: Client, wire_model: str, name: str
) -> None:
    entry = make_entry(wire_model)
    page = staff.post(page_of(entry), typed(entry, rates=json.dumps({name: 3}))).content.decode()
    assert f"This model knows no “{name}”. It knows create" in page
    before = entry.rates
    entry.refresh_from_db()
    assert entry.rates == before


@pytest.mark.parametrize(
    ("facts", "told"),
    [({"credits_each": 0, "rates": ""}, "it is free for everybody."),
     ({"rates": '{"create turbo": 0}'}, "costs nothing now for: create turbo."),
     ({"credits_each": 7, "rates": '{"create turbo": 9}'}, "")],
)  # fmt: skip
def test_a_price_of_nought_is_taken_and_warned_of(
    staff: Client, facts: dict[str, object], told: str
) -> None:
    entry = make_entry("midjourney")
    page = staff.post(page_of(entry), typed(entry, **facts), follow=True).content.decode()
    entry.refresh_from_db()
    assert entry.price_source == PriceSource.STAFF
    assert told in page
    assert ("costs nothing" in page) == bool(told)


def test_what_the_gateway_says_of_a_model_is_text_and_no_markup(staff: Client) -> None:
    said = {"description": "<script>alert(1)</script><img src=x onerror=alert(2)>"}
    entry = make_entry("qwen-image", listed=said)
    change = reverse("admin:generator_catalogueentry_change", args=[entry.pk])
    page = staff.get(change).content.decode()
    assert "alert(2)" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_an_entry_of_no_known_family_can_still_be_renamed(staff: Client) -> None:
    entry = CatalogueEntry.objects.create(wire_model="paint-o-matic", label="x", offered=False)
    change = reverse("admin:generator_catalogueentry_change", args=[entry.pk])
    form = {"label": "Paint", "position": 1, "rates": "{}", "price_kind": "image"}
    assert staff.post(change, form).status_code == 302
    entry.refresh_from_db()
    assert entry.label == "Paint"


def test_staff_see_which_ceilings_were_lowered_and_what_holds_by_now(staff: Client) -> None:
    changed = timezone.now() - timedelta(minutes=3)
    ceiling = Ceiling.objects.create(name="Black Forest Labs", at_once=4, changed_at=changed)
    page = staff.get(reverse("admin:generator_ceiling_changelist")).content.decode()
    assert "Black Forest Labs" in page
    assert ">7<" in page.replace(" ", "").replace("\n", "")
    change = reverse("admin:generator_ceiling_change", args=[ceiling.pk])
    assert staff.post(change, {"at_once": 200}).status_code == 403


def test_staff_see_what_is_not_shown_and_why(staff: Client, settings: Any) -> None:
    entry = make_entry("midjourney")
    address = reverse("admin:generator_catalogueentry_change", args=[entry.pk])
    settings.STORAGE_IS_REACHABLE = False
    assert "STUDIO_STORAGE_IS_REACHABLE" in staff.get(address).content.decode()
    settings.STORAGE_IS_REACHABLE = True
    assert "STUDIO_STORAGE_IS_REACHABLE" not in staff.get(address).content.decode()
