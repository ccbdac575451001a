"""Adds up what was made before there were sums by day. May run twice: it starts from nothing."""

from typing import Any

from django.db import migrations
from django.db.models import Count, Min


def add_up(apps: Any, schema_editor: Any) -> None:
    Generation = apps.get_model("generator", "Generation")
    LedgerEntry = apps.get_model("generator", "LedgerEntry")
    UsageTotal = apps.get_model("generator", "UsageTotal")
    ImageAsset = apps.get_model("generator", "ImageAsset")
    UsageTotal.objects.all().delete()
    ended = Generation.objects.filter(status__in=["succeeded", "failed"])
    images = dict(
        ImageAsset.objects.values_list("generation").annotate(number=Count("pk")).order_by()
    )
    days = dict(
        LedgerEntry.objects.filter(kind="reserve")
        .values_list("generation")
        .annotate(day=Min("counts_on"))
        .order_by()
    )
    sums: dict[Any, Any] = {}
    rows = ended.values_list(
        "pk", "team", "author", "wire_model", "label", "provider", "action", "status", "cost"
    )
    for pk, team, author, wire_model, label, provider, action, status, cost in rows.iterator():
        if pk not in days:
            continue
        key = (team, author, days[pk], wire_model, action)
        row = sums.setdefault(
            key,
            UsageTotal(
                team_id=team, author_id=author, day=days[pk], wire_model=wire_model, label=label,
                provider=provider, action=action,
            ),
        )
        row.generations += 1
        if status == "failed":
            row.failures += 1
        else:
            row.credits += cost or 0
            row.images += images.get(pk, 0)
    UsageTotal.objects.bulk_create(sums.values(), batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("generator", "0005_ledger_and_prices")]

    operations = [migrations.RunPython(add_up, migrations.RunPython.noop)]
