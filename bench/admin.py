"""`./studio bench admin`: how long the dashboard and every list of the admin take, and how many
queries, at a million ledger lines.

Takes the same `--lines`, `--postgres` and `--data` as `bench usage`.
"""

import contextlib
from typing import Any

from bench.filled import HEAD, arguments, filled, times


def main() -> None:
    """Fill, measure and print."""
    with filled(arguments("How long the dashboard and the lists of the admin take.")):
        _measure()


def _measure() -> None:
    from django.contrib import admin
    from django.test import Client
    from django.urls import reverse

    from generator.models import User

    client = Client()
    client.force_login(User.objects.filter(is_superuser=True)[0])
    print(f"{HEAD}, then queries")
    pages = {"the dashboard": reverse("admin:index")}
    for model in admin.site._registry:
        if model._meta.app_label == "django_rq":  # asks Valkey, which does not run here
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        pages[model._meta.label] = reverse(name)
    for name, address in pages.items():
        _page(client, name, address)


def _page(client: Any, name: str, address: str) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def get() -> int:
        answer = client.get(address, headers={"Host": "localhost"})
        answer.content  # noqa: B018  # rendered by now
        return int(answer.status_code)

    took, status = times(get), get()
    with CaptureQueriesContext(connection) as asked:
        get()
    slowest = max((float(query["time"]) for query in asked), default=0.0) * 1000
    fault = "" if status == 200 else f", answered {status}"
    print(f"{took} {len(asked):5}   {name} (slowest query {slowest:.0f} ms{fault})")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
