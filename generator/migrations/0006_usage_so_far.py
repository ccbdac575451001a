"""Adds up what was made before there were sums by day.

Where any sum is there nothing is done: it may run twice, and what was deleted since stays counted.
"""

from typing import Any

from django.db import migrations
from django.db.models import Count, F, IntegerField, Max, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

AT_ONCE = 500  # rows in memory

_KEY = {
    "team_id": F("generation__team"),
    "author_id": F("generation__author"),
    "day": F("counts_on"),
    "wire_model": F("generation__wire_model"),
    "action": F("generation__action"),
}


def add_up(apps: Any, schema_editor: Any) -> None:
    UsageTotal = apps.get_model("generator", "UsageTotal")
    if UsageTotal.objects.exists():
        return
    rows = []
    for use in _uses(apps).iterator(chunk_size=AT_ONCE):
        rows.append(UsageTotal(**use))
        if len(rows) == AT_ONCE:
            UsageTotal.objects.bulk_create(rows)
            rows = []
    UsageTotal.objects.bulk_create(rows)


def _uses(apps: Any) -> Any:
    """One row a use, counted by the database: of members' reservations, for what has ended."""
    LedgerEntry = apps.get_model("generator", "LedgerEntry")
    ImageAsset = apps.get_model("generator", "ImageAsset")
    images = ImageAsset.objects.filter(generation=OuterRef("generation")).order_by()
    given_back = LedgerEntry.objects.filter(
        account=OuterRef("account"), generation=OuterRef("generation"), kind="grant"
    ).order_by()
    is_done = Q(generation__status="succeeded")
    ended = LedgerEntry.objects.filter(
        account__user__isnull=False,
        kind="reserve",
        generation__status__in=["succeeded", "failed"],
    )
    return (
        ended.annotate(
            made=_each(images.values("generation").annotate(number=Count("pk"))),
            back=_each(given_back.values("generation").annotate(number=Sum("credits"))),
        )
        .order_by()
        .values(**_KEY)
        .annotate(
            label=Max("generation__label"),
            provider=Max("generation__provider"),
            generations=Count("pk"),
            failures=Count("pk", filter=Q(generation__status="failed")),
            images=Coalesce(Sum("made", filter=is_done), 0),
            credits=Coalesce(Sum("generation__cost", filter=is_done), 0)
            - Coalesce(Sum("back", filter=is_done), 0),
        )
    )


def _each(counted: Any) -> Any:
    number = Subquery(counted.values("number"), output_field=IntegerField())
    return Coalesce(number, 0)


class Migration(migrations.Migration):
    dependencies = [("generator", "0005_ledger_and_prices")]

    operations = [migrations.RunPython(add_up, migrations.RunPython.noop)]
