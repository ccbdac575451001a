"""`./studio bench usage`: how long totals and pages of the ledger take at a million lines.

`--lines N` for a ledger of another length, `--postgres` for the other database, `--data FOLDER` to
keep the studio for the next run.
"""

import contextlib
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from bench.filled import HEAD, arguments, filled, times

PAGES_DEEP = 15


def main() -> None:
    """Fill, measure and print."""
    with filled(arguments("How long totals and pages of the ledger take.")):
        _totals()
        _pages()


def _totals() -> None:
    from django.utils import timezone

    from generator import usage

    team, member = _busiest()
    scopes = {
        "a member": usage.Scope(team, member),
        "a team": usage.Scope(team),
        "all": usage.Scope(),
    }
    today: date = timezone.now().date()
    periods = {
        "a month": usage.Period(today - timedelta(days=30), today),
        "six months": usage.Period(today - timedelta(days=183), today),
    }
    names = ("total", "by_day", "by_model", "by_action", "by_author", "by_team")
    print(HEAD)
    for whose, scope in scopes.items():
        for when, period in periods.items():
            for name in names:
                ask: Callable[..., Any] = getattr(usage, name)
                took = times(lambda: ask(scope, period))  # noqa: B023  # asked at once
                print(f"{took}   {name:<10} of {whose}, {when}")


def _busiest() -> tuple[Any, Any]:
    """The team and the member with most lines."""
    from django.db.models import Sum

    from generator.models import Team, UsageTotal, User

    rows = UsageTotal.objects.values("team", "author").annotate(most=Sum("generations"))
    most = rows.order_by("-most")[0]
    return Team.objects.get(pk=most["team"]), User.objects.get(pk=most["author"])


def _pages() -> None:
    """The pages over Django's client, database and template together."""
    from django.test import Client

    from generator.models import Role

    team, member = _busiest()
    owner = team.memberships.filter(role=Role.OWNER)[0].user
    for who, what, path in (
        (member, "a member's usage page", f"/t/{team.slug}/usage/"),
        (owner, "a team's usage page", f"/t/{team.slug}/usage/team/"),
    ):
        client = Client()
        client.force_login(who)
        for deep in (0, PAGES_DEEP):
            address = _further(client, path, deep)
            took = times(lambda: _get(client, address))  # noqa: B023  # asked at once
            print(f"{took}   {what}{f', {deep} pages of the ledger deeper' if deep else ''}")


def _further(client: Any, path: str, pages: int) -> str:
    address = path
    for _ in range(pages):
        found = re.search(r'href="(\?[^"]*before=[^"]+)"', _get(client, address))
        if found is None:
            break
        address = path + found[1].replace("&amp;", "&")
    return address


def _get(client: Any, address: str) -> str:
    answer = client.get(address, headers={"Host": "localhost"})
    assert answer.status_code == 200, (address, answer.status_code)
    return str(answer.content.decode())


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
