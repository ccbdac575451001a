"""A made-up history: as long as asked for, plausible, and with books that agree."""

from datetime import timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F, Sum
from django.test import Client
from django.utils import timezone

from generator import books, demo_history, noticing
from generator.demo import make_demo
from generator.library.looking import Look, page
from generator.models import (
    Action,
    CatalogueEntry,
    Collection,
    Favourite,
    Generation,
    ImageAsset,
    ImageWords,
    KeptReply,
    LedgerEntry,
    Membership,
    Notice,
    Status,
    Tag,
    Team,
    UsageTotal,
    User,
    image_storage,
)
from generator.providers import POLLING_ADAPTERS
from generator.sandbox import paint

pytestmark = pytest.mark.django_db
LENGTH = 300
EDGE = 48  # pixels


@pytest.fixture
def history() -> int:
    """A studio with a short history; how many ledger lines it has."""
    make_demo()
    return demo_history.fill(LENGTH, edge=EDGE)


def test_it_is_as_long_as_asked_for_and_spans_months(history: int) -> None:
    assert Generation.objects.count() == LENGTH
    oldest = Generation.objects.order_by("created_at")[0].created_at
    assert timedelta(days=150) < timezone.now() - oldest < timedelta(days=185)
    assert not Generation.objects.filter(created_at__gt=timezone.now()).exists()
    assert not Generation.objects.filter(finished_at__lt=F("created_at")).exists()


def test_its_books_agree_and_count_by_each_team_s_clock(history: int) -> None:
    assert books.prove() == []
    assert LedgerEntry.objects.count() == history
    for line in LedgerEntry.objects.filter(kind="reserve").select_related("account__team"):
        zone = ZoneInfo(line.account.team.time_zone)
        assert line.counts_on == line.created_at.astimezone(zone).date()
    used = UsageTotal.objects.aggregate(credits=Sum("credits"), failures=Sum("failures"))
    assert used["credits"] == Generation.objects.aggregate(cost=Sum("cost"))["cost"]
    assert used["failures"] == Generation.objects.filter(status=Status.FAILED).count()


def test_it_has_something_of_everything_that_pages_show(history: int) -> None:
    assert set(Generation.objects.values_list("status", flat=True)) == {
        "queued", "running", "storing", "succeeded", "failed", "cancelled",
    }  # fmt: skip
    assert Generation.objects.exclude(action=Action.CREATE).exists()
    assert Generation.objects.exclude(parent=None).exists()
    assert LedgerEntry.objects.filter(kind="grant").exists()
    # A worker that looks for a task must find somebody to ask.
    running = Generation.objects.filter(status=Status.RUNNING)
    assert {one.protocol for one in running} <= set(POLLING_ADAPTERS)
    assert KeptReply.objects.exclude(text="").exists()
    assert Generation.objects.filter(team__slug="northlight").exists()


def test_run_again_it_adds_as_many_and_the_books_still_agree(history: int) -> None:
    people = User.objects.count()
    demo_history.fill(LENGTH, edge=EDGE)
    assert Generation.objects.count() == 2 * LENGTH
    assert User.objects.count() == people
    assert books.prove() == []


def test_the_same_seed_tells_the_same_story() -> None:
    make_demo()
    stories = [_told(seed) for seed in (1, 1, 2)]
    assert stories[0] == stories[1] != stories[2]


def _told(seed: int) -> list[tuple[str, str]]:
    from django.db import transaction

    with transaction.atomic():
        demo_history.fill(40, seed=seed, edge=EDGE)
        story = list(Generation.objects.order_by("prompt", "label").values_list("prompt", "label"))
        transaction.set_rollback(True)
    return story


def test_nobody_of_it_signs_in_and_nobody_gets_a_letter(history: int) -> None:
    makers = User.objects.exclude(username__in=["mara", "jonas", "vera"])
    assert makers.exists()
    assert not any(user.has_usable_password() for user in makers)
    assert (
        not Membership.objects.filter(user__is_staff=True).exclude(user__username="mara").exists()
    )
    assert not noticing.to_mail(timezone.now() - timedelta(days=1)).exists()
    assert Notice.objects.filter(mailed_at=None).count() == 0


def test_its_images_are_there_and_outlive_one_that_is_deleted(history: int, client: Client) -> None:
    first = ImageAsset.objects.order_by("pk")[0]
    same = ImageAsset.objects.filter(file=first.file.name).exclude(pk=first.pk)[0]
    first.delete()
    assert image_storage().exists(str(same.file.name))
    client.force_login(Membership.objects.filter(team=same.team)[0].user)
    for size in ("original", "small", "large"):
        answer = client.get(f"/t/{same.team.slug}/images/{same.pk}/picture/{size}", follow=True)
        assert answer.status_code == 200, size


# ── the command ──


def test_the_command_makes_it_and_says_how_much() -> None:
    out = StringIO()
    with paint.plainly():
        call_command("demo", scale=20, stdout=out)
    assert "20 generations and " in out.getvalue()
    assert Generation.objects.count() == 20


@pytest.mark.parametrize("scale", [0, -1, 5_000_001])
def test_a_scale_that_cannot_be_is_refused(scale: int) -> None:
    with pytest.raises(CommandError, match="from 1 to 5,000,000"):
        call_command("demo", scale=scale)


def test_a_deployment_gets_no_made_up_history(settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="this is a deployment"):
        call_command("demo", scale=10)
    assert not User.objects.exists()


def test_where_nothing_is_offered_nothing_is_made_up() -> None:
    make_demo()
    CatalogueEntry.objects.update(offered=False)
    with pytest.raises(CommandError, match="offers no model"):
        call_command("demo", scale=10)


def test_its_images_are_found_by_their_words_and_people_sorted_some(history: int) -> None:
    assert ImageWords.objects.count() == ImageAsset.objects.count()
    team = Team.objects.get(slug="northlight")
    tag = Tag.objects.filter(team=team)[0]
    collection = Collection.objects.filter(team=team)[0]
    member = Favourite.objects.filter(team=team)[0].user
    for look in (
        Look(words="photogr"), Look(tag=tag.pk), Look(collection=collection.pk),
        Look(favourites=True),
    ):  # fmt: skip
        assert page(team, member, look).images, look
