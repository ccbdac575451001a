"""What staff see of generations, and what they may do with them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generator.admin.verdicts import made_of
from generator.models import (
    Generation,
    KeptReply,
    Kind,
    LedgerEntry,
    Status,
    Step,
    User,
    WorkerSeen,
)
from generator.overview.failing import WHY_FAILED
from generator.prices import Basis
from tests.make import make_asset, make_generation, make_user
from tests.scripted import ScriptedGateway, images, run

LIST = "admin:generator_generation_changelist"


@pytest.mark.usefixtures("team")
def test_a_prompt_stands_on_its_generation_s_page_and_in_no_list(
    staff: Client, member: User
) -> None:
    generation = make_generation(member, prompt="a very private teapot")
    make_asset(generation)
    for name in ("generation", "imageasset", "ledgerentry", "quotaaccount"):
        page = staff.get(reverse(f"admin:generator_{name}_changelist")).content.decode()
        assert "private teapot" not in page
    page = staff.get(reverse("admin:generator_generation_change", args=[generation.pk]))
    assert "a very private teapot" in page.content.decode()


def test_a_prompt_s_html_is_shown_as_text(staff: Client, member: User) -> None:
    generation = make_generation(member, prompt="<script>alert(1)</script>")
    page = staff.get(reverse("admin:generator_generation_change", args=[generation.pk]))
    assert "<script>alert(1)" not in page.content.decode()


def test_a_generation_cannot_be_added_changed_or_deleted(staff: Client, member: User) -> None:
    generation = make_generation(member)
    assert staff.post(reverse("admin:generator_generation_add")).status_code == 403
    for name in ("change", "delete"):
        there = reverse(f"admin:generator_generation_{name}", args=[generation.pk])
        assert staff.post(there, {"post": "yes", "prompt": "mine"}).status_code == 403


def test_cancelling_withdraws_what_waits_gives_credits_back_and_leaves_the_rest(
    staff: Client, member: User
) -> None:
    waiting = make_generation(member)
    working = make_generation(member, status=Status.RUNNING)
    form = {"action": "cancel_waiting", "_selected_action": [str(waiting.pk), str(working.pk)]}
    page = staff.post(reverse(LIST), form, follow=True).content.decode()
    assert "1 generation was cancelled" in page
    waiting.refresh_from_db()
    working.refresh_from_db()
    assert (waiting.status, working.status) == (Status.CANCELLED, Status.RUNNING)
    released = LedgerEntry.objects.filter(kind=Kind.RELEASE)
    assert {entry.generation for entry in released} == {waiting}


# ── What stands on the page ──


def page_of(staff: Client, generation: Generation) -> str:
    there = reverse("admin:generator_generation_change", args=[generation.pk])
    return " ".join(staff.get(there).content.decode().split())


def test_why_it_failed_stands_on_top_with_what_it_cost_and_the_last_answer(
    staff: Client, member: User
) -> None:
    generation = make_generation(
        member, status=Status.FAILED, reason="No answer came in time.", reason_code="silent",
        finished_at=timezone.now(),
    )  # fmt: skip
    KeptReply.objects.create(
        generation=generation, step=Step.SUBMIT, status=524, seconds=0.31, text="<b>oh</b>"
    )
    top = page_of(staff, generation).split('aria-label="What became of it"')[1].split("</section>")
    for part in (
        "Failed,", "· No answer came", "No answer came in time.", "No answer came to a paid call.",
        "It cost nothing: the 40 credits held went back.",
        "The last answer (sending it) was 524, after 0.3 s.", "&lt;b&gt;oh&lt;/b&gt;",
    ):  # fmt: skip
        assert part in top[0], part


def test_a_page_speaks_a_person_s_words_and_leaves_out_what_says_nothing(
    staff: Client, member: User
) -> None:
    parent = make_generation(member, status=Status.SUCCEEDED)
    generation = make_generation(
        member, status=Status.FAILED, reason_code="content", task_id="t-1", parent=parent,
        link_attempts=2, used={"quality": "high", "background": ""},
    )  # fmt: skip
    Generation.objects.filter(pk=generation.pk).update(fields={"output_format": "png"})
    KeptReply.objects.create(generation=generation, step=Step.SUBMIT, status=0, seconds=9)
    page = page_of(staff, generation)
    for said in (
        "Model id at the gateway", "The provider&#x27;s own number", "Tries to fetch the images",
        "Quality: high", ": png", "no answer came", "Refused by a provider", ", done</a>",
        "No answer came to the last call (sending it)",
    ):  # fmt: skip
        assert said in page, said
    for unsaid in (
        "Wire model", "Task id", "Link attempts", "Due at", "Next look", "Tries to keep",
        "did not come out", "succeeded", "{}", "Background",
    ):  # fmt: skip
        assert unsaid not in page, unsaid
    rows = staff.get(reverse(LIST)).content.decode()
    assert "failed: refused by a provider" in rows


def test_what_the_gateway_answered_is_shown_as_text(staff: Client, member: User) -> None:
    generation = make_generation(member)
    KeptReply.objects.create(
        generation=generation, step=Step.SUBMIT, status=400, seconds=1,
        text="</pre><script>alert(1)</script>",
    )  # fmt: skip
    page = page_of(staff, generation)
    assert "&lt;/pre&gt;&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_a_page_leads_to_its_author_team_model_parent_children_and_ledger_lines(
    staff: Client, member: User
) -> None:
    parent = make_generation(member)
    generation = make_generation(member, parent=parent)
    child = make_generation(member, parent=generation)
    page = page_of(staff, generation)
    for row in (
        member,
        generation.team,
        generation.entry,
        parent,
        child,
        generation.entries.first(),
    ):
        assert row is not None
        there = reverse(f"admin:generator_{row._meta.model_name}_change", args=[row.pk])
        assert f'href="{there}' in page, row


def test_every_code_of_a_failure_has_its_words() -> None:
    # As `lifecycle` gives them; one of a provider's own stands as it is.
    codes = ("silent", "lost", "late", "content", "busy", "unreadable", "gone", "refused", "spool",
             "storage", "unusable", "bug", "staff", "empty")  # fmt: skip
    assert set(codes) == set(WHY_FAILED)


# ── Looking again ──


def act(staff: Client, name: str, *generations: Generation, **more: Any) -> str:
    """What staff are told after an action in the list."""
    chosen = [str(generation.pk) for generation in generations]
    form = {"action": name, "_selected_action": chosen, **more}
    return " ".join(staff.post(reverse(LIST), form, follow=True).content.decode().split())


def later(**facts: Any) -> dict[str, Any]:
    return {"due_at": timezone.now() + timedelta(minutes=20), **facts}


def test_what_nobody_has_and_what_a_dead_worker_had_is_looked_at_now(
    staff: Client, member: User, queue: Any, django_capture_on_commit_callbacks: Any
) -> None:
    free = make_generation(member, status=Status.RUNNING, **later())
    dead = make_generation(member, status=Status.SUBMITTING, **later(claimed_by="gone:1"))
    waits = make_generation(member, **later())
    with django_capture_on_commit_callbacks(execute=True):
        page = act(staff, "look_again", free, dead, waits)
    assert "3 generations are looked at now." in page
    for generation in (free, dead, waits):
        generation.refresh_from_db()
        assert generation.due_at <= timezone.now()
    assert {("step", (str(free.pk),)), ("step", (str(dead.pk),)), ("start_next", ())} <= set(
        queue.sent
    )
    notes = LogEntry.objects.get_for_object(free)
    assert "looked at again" in str([note.additional_data for note in notes])


def test_what_a_live_worker_has_is_left_to_it(staff: Client, member: User) -> None:
    WorkerSeen.objects.beat("alive:1")
    theirs = make_generation(member, status=Status.SUBMITTING, **later(claimed_by="alive:1"))
    over = make_generation(member, status=Status.FAILED, **later())
    page = act(staff, "look_again", theirs, over)
    assert "1 was left alone: a worker has it just now." in page
    assert "1 was left alone: it has come to its end." in page
    for generation in (theirs, over):
        before = (generation.due_at, generation.claimed_by)
        generation.refresh_from_db()
        assert (generation.due_at, generation.claimed_by) == before


# ── Giving back ──


def succeeded(member: User) -> Generation:
    make_generation(member)
    return run(ScriptedGateway(images()))


def test_credits_are_given_back_for_a_reason_that_is_asked_for(
    staff: Client, boss: User, member: User
) -> None:
    generation = succeeded(member)
    asked = act(staff, "give_back", generation)
    assert "Its author reads it" in asked
    assert not LedgerEntry.objects.filter(kind=Kind.GRANT).exists()
    page = act(staff, "give_back", generation, reason="the wrong heron")
    assert "The credits of 1 generation were given back." in page
    given = LedgerEntry.objects.filter(kind=Kind.GRANT, generation=generation)
    assert {(line.credits, line.reason, line.by) for line in given} == {
        (generation.cost, "the wrong heron", boss)
    }
    page = act(staff, "give_back", generation, reason="once more")
    assert "1 was left alone" in page
    assert given.count() == 2  # the member's account and the pool, once each
    notes = LogEntry.objects.get_for_object(generation)
    assert "the wrong heron" in str([note.additional_data for note in notes])


def test_what_was_given_back_says_so_on_top_and_is_offered_and_asked_about_no_more(
    staff: Client, boss: User, member: User
) -> None:
    generation = succeeded(member)
    there = reverse("admin:generator_generation_give_back_here", args=[generation.pk])
    staff.post(there, {"reason": "the wrong heron"})
    page = page_of(staff, generation)
    top = page.split('aria-label="What became of it"')[1].split("</section>")[0]
    assert f"{generation.cost} credits were given back by {boss.shown_name}, " in top
    assert ": the wrong heron" in top
    assert there not in page
    again = staff.get(there, follow=True).content.decode()
    assert "Its credits were given back already." in again
    assert "Its author reads it" not in again


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("look_again_here", "It has come to its end."),
        ("cancel_here", "Only what still waits can be cancelled."),
        ("give_back_here", "It cost nothing: there is nothing to give back."),
    ],
)
def test_a_form_that_could_do_nothing_does_not_open(
    staff: Client, member: User, name: str, why: str
) -> None:
    generation = make_generation(member, status=Status.FAILED)
    there = reverse(f"admin:generator_generation_{name}", args=[generation.pk])
    assert why in staff.get(there, follow=True).content.decode()


def test_more_than_a_hundred_are_not_done_at_once(
    staff: Client, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generator.admin.deeds.AT_ONCE", 2)
    waiting = [make_generation(member) for _ in range(3)]
    page = act(staff, "cancel_waiting", waiting[0], select_across="1")
    assert "Choose at most 2 at once." in page
    assert not Generation.objects.filter(status=Status.CANCELLED).exists()


# ── On its own page ──

HERE = ["look_again_here", "cancel_here", "give_back_here"]


@pytest.mark.parametrize("name", HERE)
def test_a_button_asks_first_and_acts_on_a_post_alone(
    staff: Client, member: User, name: str
) -> None:
    generation = make_generation(member, **later())
    there = reverse(f"admin:generator_generation_{name}", args=[generation.pk])
    assert there in page_of(staff, generation)
    assert "Back, and do nothing" in staff.get(there).content.decode()
    assert not LogEntry.objects.get_for_object(generation).exists()
    page = staff.post(there, {"reason": "asked for"}, follow=True)
    assert page.redirect_chain[-1][0].endswith(f"{generation.pk}/change/")
    assert LogEntry.objects.get_for_object(generation).count() == 1


@pytest.mark.parametrize("name", HERE)
def test_who_may_only_look_is_offered_nothing_and_may_do_nothing(
    client: Client, member: User, name: str
) -> None:
    looker = make_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_generation"))
    client.force_login(looker)
    generation = make_generation(member, **later())
    there = reverse(f"admin:generator_generation_{name}", args=[generation.pk])
    assert there not in page_of(client, generation)
    assert client.post(there, {"reason": "asked for"}).status_code == 403
    act(client, name.replace("_here", "").replace("cancel", "cancel_waiting"), generation)
    generation.refresh_from_db()
    assert generation.status == Status.QUEUED
    assert generation.due_at > timezone.now()


# ── What its price was made of ──

KINDS_OF_PRICE = [
    (Basis("image", each=Decimal(40)), "40 credits an image; set by staff"),
    (
        Basis("image", each=Decimal("12.50"), times=Decimal(4), ratio=Decimal("0.80"),
              factor=Decimal("1.2"), source="gateway"),
        "12.5 credits an image, × 4 for its settings; ratio 0.8; the studio's factor 1.2; "
        "set by the gateway",
    ),
    (Basis("request", each=Decimal(1234)), "1,234 credits a request; set by staff"),
    (
        Basis("megapixel", each=Decimal(3), megapixels=Decimal("1.05"), source="file"),
        "3 credits a megapixel; expected 1.05 an image; set by the families file",
    ),
    (
        Basis("tokens", tokens_in=Decimal(8000), tokens_out=Decimal(30000), given=Decimal(50),
              out=Decimal(1056), ratio=Decimal("0.8")),
        "by tokens: 8,000 credits for a million in, 30,000 for a million out; expected 50 in, "
        "1,056 out an image; ratio 0.8; set by staff",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("basis", "said"), KINDS_OF_PRICE)
def test_what_a_price_was_made_of_is_said_in_a_sentence(basis: Basis, said: str) -> None:
    assert made_of(basis.as_row()) == said


@pytest.mark.parametrize("row", [{}, {"kind": "tokens", "each": "many"}, {"model": "from before"}])
def test_of_a_price_that_an_older_release_wrote_nothing_is_made_up(row: dict[str, str]) -> None:
    assert made_of(row) == "not known"


def test_the_sentence_stands_on_the_page(staff: Client, member: User) -> None:
    assert "40 credits an image; set by staff" in page_of(staff, make_generation(member))
