"""The catalogue after a look at the gateway's list: what is new, dearer, gone or untouched."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator import balance, jobs
from generator.catalogue_sync import Changes, Repriced, sync, told
from generator.errors import ProviderBusy, ProviderError
from generator.listed_prices import credits_of, rates_of
from generator.models import CatalogueChange, CatalogueEntry, Chore, PriceKind, PriceSource
from generator.providers.directory import Balance, Directory, Endpoint, Listed
from generator.providers.gateway import Gateway
from generator.sandbox import Sandbox
from tests.make import make_entry, make_user

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


class Gate:
    """A gateway that lists what a test says, and has what it says left."""

    def __init__(
        self, *rows: Listed, is_whole: bool = True, left: Balance | Exception | None = None
    ) -> None:
        self.directory = Directory(rows, is_whole)
        self.left = left
        self.asked = 0
        self.error: Exception | None = None

    def list_models(self) -> Directory:
        """What it lists."""
        self.asked += 1
        if self.error:
            raise self.error
        return self.directory

    def balance(self, *, deadline: float) -> Balance:
        """What is left."""
        self.asked += 1
        if isinstance(self.left, Balance):
            return self.left
        raise self.left or ProviderBusy("Away.")


def image(id: str, dollars: str | None = None, **facts: Any) -> Listed:
    """A row of a model that makes images."""
    price = Decimal(dollars) if dollars else None
    return Listed(id, **{"model_type": "image", "per_request": price, **facts})


def synced(*rows: Listed, after: timedelta = timedelta(0), is_whole: bool = True) -> Changes:
    """What a sync with these rows changes."""
    return sync(Gate(*rows, is_whole=is_whole), now=NOW + after)  # type: ignore[arg-type]


def entry(id: str) -> CatalogueEntry:
    return CatalogueEntry.objects.get(wire_model=id)


# ── New rows ──


def test_a_model_that_the_families_file_names_is_offered_at_the_gateways_price() -> None:
    changes = synced(image("qwen-image", "0.05", name="Qwen at the gateway"))
    assert changes.added == ["qwen-image"]
    one = entry("qwen-image")
    assert (one.label, one.family, one.offered) == ("Qwen Image", "qwen-image", True)
    assert (one.credits_each, one.price_source) == (50, PriceSource.GATEWAY)
    assert one in CatalogueEntry.objects.pickable()


def test_one_that_is_priced_by_the_token_has_the_gateways_price_and_ratio() -> None:
    four, twenty = Decimal(4), Decimal("20.5")
    synced(image("gpt-image-2", input_price=four, output_price=twenty, ratio=Decimal("0.8")))
    one = entry("gpt-image-2")
    assert (one.price_kind, one.price_source) == (PriceKind.TOKENS, PriceSource.GATEWAY)
    assert (one.tokens_in, one.tokens_out, one.ratio) == (
        Decimal(4000),
        Decimal(20_500),
        Decimal("0.8"),
    )
    assert one.credits_each is None
    assert (one.listed["input_price"], one.listed["ratio"]) == ("4", "0.8")
    assert "per_request" not in one.listed
    assert one in CatalogueEntry.objects.pickable()


def test_half_a_price_by_the_token_is_none_and_leaves_that_of_the_file() -> None:
    synced(image("gpt-image-2", input_price=Decimal(4), ratio=Decimal("0.5")))
    one = entry("gpt-image-2")
    assert (one.tokens_in, one.tokens_out) == (Decimal(5000), Decimal(30_000))
    assert (one.ratio, one.price_source) == (Decimal("0.8"), PriceSource.FILE)


def test_a_new_model_of_a_family_that_we_know_waits_for_the_staff() -> None:
    synced(image("gpt-image-2-2026-04-21", "0.06", name="GPT Image 2 of April"))
    one = entry("gpt-image-2-2026-04-21")
    assert (one.label, one.family, one.offered) == ("GPT Image 2 of April", "gpt-image-2", False)
    assert (one.credits_each, one.price_source) == (60, PriceSource.GATEWAY)


def test_a_model_of_no_family_that_we_know_is_listed_and_nobody_can_pick_it() -> None:
    synced(image("paint-o-matic-9", "0.01", provider="Somebody"))
    one = entry("paint-o-matic-9")
    assert (one.label, one.family, one.offered) == ("paint-o-matic-9", "", False)
    CatalogueEntry.objects.filter(pk=one.pk).update(offered=True)
    assert one not in CatalogueEntry.objects.pickable()


@pytest.mark.parametrize(
    "row",
    [
        image("recraftv3", "0.04", provider="Recraft"),
        image("recraft-ai/recraft-v3", "0.04"),
        image("ideogram-v3", "0.04"),
        image("gpt-image-2-2026-04-21", "0.04", provider="Ideogram"),
    ],
    ids=lambda row: row.id,
)
def test_what_the_gateway_once_took_away_is_never_offered(row: Listed) -> None:
    synced(row)
    assert (entry(row.id).family, entry(row.id).offered) == ("", False)


@pytest.mark.parametrize(
    ("row", "is_one"),
    [
        (Listed("a", model_type="image"), True),
        (Listed("a", model_type="text", features=("text-to-image",)), True),
        (Listed("a", features=("image-editing",)), True),
        (Listed("a", endpoints=(Endpoint("x", "POST", "/v1/images/edits"),)), True),
        (Listed("a", endpoints=(Endpoint("x", "POST", "/v1/chat/completions"),)), False),
        (Listed("a", model_type="text", features=("text-to-text", "image-to-text")), False),
        (Listed("a", model_type="video", features=("text-to-video", "image-to-video")), False),
        (Listed("a"), False),
    ],
)
def test_only_models_that_make_images_become_entries(row: Listed, is_one: bool) -> None:
    synced(row)
    assert CatalogueEntry.objects.exists() is is_one


def test_a_model_yet_to_come_is_passed_over() -> None:
    synced(image("gpt-image-2-2027-01-01", "0.1", upcoming=True))
    assert not CatalogueEntry.objects.exists()


# ── Prices ──


def test_a_price_at_the_gateway_takes_the_place_of_the_files() -> None:
    make_entry("qwen-image")
    changes = synced(image("qwen-image", "0.035"))
    assert changes.repriced == [Repriced("qwen-image", "40 credits", "35 credits")]
    one = entry("qwen-image")
    assert (one.credits_each, one.price_source) == (35, PriceSource.GATEWAY)


def test_the_same_price_is_no_change_but_comes_from_the_gateway_now() -> None:
    make_entry("qwen-image")
    assert not synced(image("qwen-image", "0.04"))
    assert entry("qwen-image").price_source == PriceSource.GATEWAY


def test_a_price_that_staff_set_is_never_overwritten() -> None:
    make_entry("qwen-image", credits_each=77, price_source=PriceSource.STAFF)
    assert not synced(image("qwen-image", "0.035"))
    one = entry("qwen-image")
    assert (one.credits_each, one.price_source) == (77, PriceSource.STAFF)
    assert one.listed["per_request"] == "0.035"


def test_staff_who_set_a_price_at_the_same_moment_are_not_overwritten() -> None:
    one = make_entry("qwen-image")
    same = CatalogueEntry.objects.filter(pk=one.pk)
    prices = [{"credits_each": 77, "price_source": PriceSource.STAFF}]

    def staff_first(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE") and "price_source" in sql and prices:
            same.update(**prices.pop())
        return execute(sql, *rest)

    with connection.execute_wrapper(staff_first):
        assert not synced(image("qwen-image", "0.035"))
    assert prices == []
    assert entry("qwen-image").credits_each == 77


@pytest.mark.parametrize(
    ("dollars", "credits"),
    [
        (None, None),
        ("0", None),
        ("0.04", 40),
        ("0.0401", 41),
        ("0.00001", 1),
        ("100000", 10**8),
        ("100001", None),
    ],
)
def test_a_price_is_whole_credits_rounded_up_and_never_a_gift(
    dollars: str | None, credits: int | None
) -> None:
    assert credits_of(None if dollars is None else Decimal(dollars)) == credits


def test_a_deployment_may_count_in_other_credits(settings: Any) -> None:
    settings.CREDITS_PER_DOLLAR = 250
    CatalogueEntry.objects.fill()
    assert entry("grok-imagine-image").credits_each == 5
    assert entry("gpt-image-2").tokens_out == 7500
    synced(image("qwen-image", "0.05"))
    assert entry("qwen-image").credits_each == 13


def test_a_price_that_makes_no_sense_leaves_the_one_there_is() -> None:
    make_entry("qwen-image")
    assert not synced(image("qwen-image", "99999999"))
    assert entry("qwen-image").credits_each == 40


def by_tokens(id: str, given: str | None, out: str | None, ratio: str | None = None) -> Listed:
    """A row of a model that is priced by the million tokens, in US dollars."""
    numbers = [None if said is None else Decimal(said) for said in (given, out, ratio)]
    return image(id, input_price=numbers[0], output_price=numbers[1], ratio=numbers[2])


@pytest.mark.parametrize(
    ("given", "out"),
    [(None, None), ("0", "0"), ("0", "24"), ("4", "0"), ("4", None), ("4", "99999999999")],
)
def test_tokens_that_have_no_sensible_price_keep_the_one_there_is(
    given: str | None, out: str | None
) -> None:
    synced(by_tokens("gpt-image-2", "4", "24"))
    before = entry("gpt-image-2").price_tag
    assert not synced(by_tokens("gpt-image-2", given, out), after=DAY)
    assert entry("gpt-image-2").price_tag == before
    assert entry("gpt-image-2").price(1) > 0


def test_a_price_that_the_gateway_leaves_out_is_no_gift() -> None:
    synced(image("qwen-image", "0.04"))
    assert not synced(image("qwen-image"), after=DAY)
    assert entry("qwen-image").price(1) == 40


def test_tokens_that_nobody_can_foresee_are_no_price() -> None:
    make_entry("qwen-image")
    assert not synced(by_tokens("qwen-image", "4", "24"))
    assert entry("qwen-image").price(1) == 40


@pytest.mark.parametrize(
    ("ratio", "price"),
    [(None, 50), ("1", 50), ("0.8", 40), ("2", 100), ("0", 50), ("11", 50), ("0.00001", 1)],
)
def test_the_gateways_ratio_is_in_the_price_where_it_makes_sense(
    ratio: str | None, price: int
) -> None:
    synced(image("qwen-image", "0.05", ratio=Decimal(ratio) if ratio else None))
    assert entry("qwen-image").price(1) == price


def test_a_ratio_that_is_another_now_is_another_price() -> None:
    synced(by_tokens("gpt-image-2", "5", "30", "0.8"))
    changes = synced(by_tokens("gpt-image-2", "5", "30", "0.5"), after=DAY)
    assert list(told(changes)) == [
        "gpt-image-2: 4,000 credits for a million tokens in, 24,000 out, "
        "now 2,500 credits for a million tokens in, 15,000 out"
    ]
    # The same money in other words is no change.
    assert not synced(by_tokens("gpt-image-2", "2.5", "15"), after=2 * DAY)


def test_a_model_may_go_from_tokens_to_a_price_by_the_image_and_back() -> None:
    synced(by_tokens("gpt-image-2", "5", "30"))
    synced(image("gpt-image-2", "0.03"), after=DAY)
    assert (entry("gpt-image-2").price(2), entry("gpt-image-2").tokens_out) == (60, None)
    synced(by_tokens("gpt-image-2", "5", "30"), after=2 * DAY)
    assert entry("gpt-image-2").price_words == "about 32 credits"


def test_tokens_that_staff_priced_are_never_overwritten() -> None:
    make_entry("gpt-image-2")
    assert not synced(by_tokens("gpt-image-2", "5", "30"))
    assert (entry("gpt-image-2").price(1), entry("gpt-image-2").price_source) == (40, "staff")


def test_what_a_sync_changed_can_be_read_later() -> None:
    make_entry("qwen-image")
    synced(image("qwen-image", "0.035"), image("paint-o-matic", "0.01"))
    synced(image("paint-o-matic", "0.01"), after=DAY)
    synced(image("qwen-image", "0.035"), image("paint-o-matic", "0.01"), after=2 * DAY)
    read = [
        (change.entry.wire_model, change.what, change.before, change.after)
        for change in CatalogueChange.objects.select_related("entry").order_by("at", "pk")
    ]
    assert read == [
        ("qwen-image", "repriced", "40 credits", "35 credits"),
        ("paint-o-matic", "added", "", "10 credits"),
        ("qwen-image", "gone", "", ""),
        ("qwen-image", "back", "", ""),
    ]
    assert CatalogueChange.objects.earliest("at").at == NOW


def test_the_prices_of_actions_that_changed_can_be_read_later() -> None:
    rated(rates={"upscale": 20, "pan": 40}, credits_each=40)
    synced(image("mj-fast-imagine", "0.04"), image("mj-fast-upscale", "0.03"))
    change = CatalogueChange.objects.get()
    assert (change.before, change.after) == ("40 credits; upscale 20", "40 credits; upscale 30")


# ── Midjourney's price rows ──


def test_price_rows_are_rates_by_action_and_speed() -> None:
    rows = [
        image("mj-fast-imagine", "0.04"),
        image("mj-turbo-imagine", "0.08"),
        image("mj-fast-upscale-creative", "0.02"),
        image("mj-fast-upscale-subtle", "0.01"),
        image("mj-relax-low-variation", "0.015"),
        image("mj-fast-describe", "0.005"),
        image("mj_reroll", "0.03"),
        image("mj-fast-video", "0.5"),
        image("mj-fast-zoom"),
    ]
    assert rates_of(rows) == {
        "create": 40, "create turbo": 80, "upscale": 20, "vary relax": 15, "describe": 5,
        "reroll": 30,
    }  # fmt: skip


def rated(name: str = "midjourney", **facts: Any) -> CatalogueEntry:
    return CatalogueEntry.objects.create(
        wire_model=name,
        **{"label": name, "family": "midjourney", "credits_each": 50, "rates": {"pan": 9},
           "price_source": PriceSource.FILE, **facts},
    )  # fmt: skip


def test_price_rows_are_the_prices_of_midjourney_and_niji_and_no_entries() -> None:
    rated()
    rated("niji")
    changes = synced(image("mj-fast-imagine", "0.04"), image("mj-turbo-imagine", "0.08"))
    assert changes.added == []
    assert [one.wire_model for one in changes.repriced] == ["midjourney", "niji"]
    for one in (entry("midjourney"), entry("niji")):
        assert one.rates == {"create turbo": 80, "pan": 9}
        assert one.price(1) == 40
        assert one.price(1, "create", {"speed": "turbo"}) == 80
        assert (one.credits_each, one.price_source) == (40, PriceSource.GATEWAY)
        assert one.seen_at == NOW
    assert not synced(image("mj-fast-imagine", "0.04"), image("mj-turbo-imagine", "0.08"))


def test_a_rate_that_comes_down_to_the_price_of_all_others_is_a_change_told_as_one() -> None:
    rated(rates={"upscale": 20, "pan": 40}, credits_each=40)
    changes = synced(image("mj-fast-imagine", "0.04"), image("mj-fast-upscale", "0.04"))
    assert list(told(changes)) == ["midjourney: other prices for some of its actions"]
    assert entry("midjourney").price(1, "upscale") == 40


def test_rates_that_staff_set_are_never_overwritten() -> None:
    rated(price_source=PriceSource.STAFF)
    assert not synced(image("mj-fast-imagine", "0.04"))
    assert (entry("midjourney").rates, entry("midjourney").credits_each) == ({"pan": 9}, 50)


# ── Gone, and back ──


def test_a_model_that_is_listed_no_more_is_marked_and_stays_on_offer() -> None:
    synced(image("qwen-image", "0.04"), image("dall-e-3", "0.04"))
    changes = synced(image("dall-e-3", "0.04"), after=DAY)
    assert changes.gone == ["qwen-image"]
    one = entry("qwen-image")
    assert (one.gone_at, one.seen_at, one.offered) == (NOW + DAY, NOW, True)
    assert one in CatalogueEntry.objects.pickable()


def test_the_menu_says_that_a_model_may_be_gone(client: Client) -> None:
    member = make_user()
    client.force_login(member)
    studio = reverse("studio", args=[member.personal_team.slug])
    one = make_entry("qwen-image")
    assert "no longer lists it" not in client.get(studio).content.decode()
    CatalogueEntry.objects.filter(pk=one.pk).update(gone_at=NOW)
    assert client.get(studio).content.decode().count("no longer lists it") == 1


def test_it_is_told_once_that_a_model_is_gone() -> None:
    synced(image("qwen-image", "0.04"), image("dall-e-3", "0.04"))
    synced(image("dall-e-3", "0.04"), after=DAY)
    assert not synced(image("dall-e-3", "0.04"), after=2 * DAY)
    assert entry("qwen-image").gone_at == NOW + DAY


def test_a_model_that_comes_back_is_listed_again() -> None:
    both = [image("qwen-image", "0.04"), image("dall-e-3", "0.04")]
    synced(*both)
    synced(both[1], after=DAY)
    changes = synced(*both, after=2 * DAY)
    assert (changes.back, changes.gone) == (["qwen-image"], [])
    assert (entry("qwen-image").gone_at, entry("qwen-image").seen_at) == (None, NOW + 2 * DAY)


def test_what_was_never_listed_is_not_gone() -> None:
    make_entry("qwen-image")
    assert not synced(image("dall-e-3", "0.04"))
    assert entry("qwen-image").gone_at is None


def test_a_list_that_is_not_whole_proves_nothing_gone() -> None:
    synced(image("qwen-image", "0.04"), image("dall-e-3", "0.04"))
    assert not synced(image("dall-e-3", "0.04"), after=DAY, is_whole=False)


def test_a_gateway_that_gives_no_list_changes_nothing() -> None:
    synced(image("qwen-image", "0.04"))
    gate = Gate()
    gate.error = ProviderBusy("Away.")
    with pytest.raises(ProviderError):
        sync(gate)  # type: ignore[arg-type]
    assert entry("qwen-image").gone_at is None


# ── What staff decided ──


def test_an_offer_that_staff_took_back_stays_back() -> None:
    make_entry("qwen-image", offered=False, label="Our Qwen", position=3)
    synced(image("qwen-image", "0.04", name="Another name"))
    one = entry("qwen-image")
    assert (one.offered, one.label, one.position) == (False, "Our Qwen", 3)


def test_a_family_that_this_release_has_learned_is_filled_in_and_staff_still_offer_it() -> None:
    CatalogueEntry.objects.create(
        wire_model="gpt-image-2", label="GPT", offered=False, price_source=PriceSource.GATEWAY
    )
    synced(image("gpt-image-2"))
    one = entry("gpt-image-2")
    assert (one.family, one.offered, one.tokens_out) == ("gpt-image-2", False, Decimal(30_000))


# ── The sandbox, the command, the daily round ──


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox that the process's gateway leads to."""
    sandbox = Sandbox()
    gateway = Gateway("http://s", key="sk-test1234", transport=httpx.WSGITransport(app=sandbox))
    monkeypatch.setattr(jobs, "open_gateway", lambda: gateway)
    yield sandbox
    gateway.close()


def test_the_sandboxs_prices_are_those_of_the_families_file(sandbox: Sandbox) -> None:
    CatalogueEntry.objects.fill()
    changes = sync(jobs.open_gateway())
    assert changes.repriced == []
    assert "recraftv3" in changes.added
    assert not {"gpt-5.5", "gpt-image-3", "mj-fast-imagine"} & set(changes.added)


def test_the_command_says_what_changed_and_then_that_nothing_has(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    make_entry("qwen-image", credits_each=39)
    call_command("sync_catalogue")
    said = capsys.readouterr().out
    assert "recraftv3: new\n" in said
    assert "qwen-image: 39 credits, now 40 credits\n" in said
    sandbox.withdrawn.add("qwen-image")
    call_command("sync_catalogue")
    said = capsys.readouterr().out
    assert said == "qwen-image: the gateway does not list it any more\n"
    sandbox.withdrawn.clear()
    call_command("sync_catalogue")
    assert capsys.readouterr().out == "qwen-image: listed again\n"
    call_command("sync_catalogue")
    assert capsys.readouterr().out == "Nothing has changed.\n"


def test_the_command_ends_in_a_sentence_where_the_gateway_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate()
    gate.error = ProviderBusy("The gateway cannot be reached at the moment.")
    monkeypatch.setattr(jobs, "open_gateway", lambda: gate)
    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("sync_catalogue")


def test_once_a_day_a_worker_is_sent_to_look(queue: Any) -> None:
    jobs.daily()
    jobs.daily()
    assert queue.sent.count(("sync_catalogue", ())) == 1


def test_a_look_that_failed_is_taken_again_within_the_hour_and_said_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    gate.error = ProviderBusy("The gateway cannot be reached at the moment.")
    monkeypatch.setattr(jobs, "open_gateway", lambda: gate)
    jobs.daily()
    jobs.sync_catalogue()
    due = Chore.objects.get(name="catalogue").due_at - timezone.now()
    assert timedelta(minutes=59) < due <= timedelta(hours=1)
    assert "cannot be reached" in caplog.text


# ── The balance in words ──


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (Balance(Decimal("1234.5"), Decimal("3.256")), "$1,234.50 left, $3.26 used"),
        (Balance(None, Decimal(3)), "no limit, $3.00 used"),
        (Balance(Decimal("-0.5"), None), "-$0.50 left"),
        (ProviderBusy("Away."), "unknown"),
    ],
)
def test_the_balance_is_told_in_dollars_and_asked_for_once_in_a_while(
    left: Balance | Exception, words: str
) -> None:
    gate = Gate(left=left)
    assert balance.in_words(lambda: gate) == words  # type: ignore[arg-type, return-value]
    assert balance.in_words(lambda: gate) == words  # type: ignore[arg-type, return-value]
    assert gate.asked == 1


def test_a_studio_without_a_key_does_not_know_its_balance() -> None:
    assert balance.in_words(lambda: Gateway("http://s", key="")) == "unknown"
