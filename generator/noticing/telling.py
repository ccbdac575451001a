"""Who is to be told what, when something was spent: written down once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from generator.models import Membership, Notice, QuotaAccount, Team
from generator.models.roles import Deed, roles_that_may
from generator.noticing.standings import Place, Standing, standings


def tell(team: Team, accounts: Sequence[QuotaAccount]) -> None:
    """Write down who is to be told what, after something was spent from these accounts.

    Of each cap the highest step that is reached, and that only once in a window: lower ones are
    not told afterwards, nor is a step that a grant had undone. A cap that allows more than the one
    that was told of begins anew. Runs in the transaction that closed the books, with the accounts
    locked.
    """
    reached = [one for one in standings(team, accounts) if one.step]
    if not reached:
        return
    told = _told(reached)
    news = [one for one in reached if _highest(told, one) < (one.step or 0)]
    readers = {account.pk: _readers(team, account) for account in {one.account for one in news}}
    Notice.objects.bulk_create(
        (
            Notice(
                user_id=user, account=one.account, window=one.window, start=one.start,
                percent=one.step or 0, cap=one.cap,
            )
            for one in news
            for user in readers[one.account.pk]
        ),
        ignore_conflicts=True,
    )  # fmt: skip


def _told(reached: Sequence[Standing]) -> dict[Place, list[tuple[int, int]]]:
    """What anybody was told of each: the cap, and the step."""
    told: dict[Place, list[tuple[int, int]]] = defaultdict(list)
    notices = Notice.objects.filter(
        account__in={one.account.pk for one in reached}, start__in={one.start for one in reached}
    )
    for notice in notices:
        told[notice.account_id, notice.window, notice.start].append((notice.cap, notice.percent))
    return told


def _highest(told: Mapping[Place, Sequence[tuple[int, int]]], one: Standing) -> int:
    """The highest step that anybody was told of a cap that allowed as much, or more."""
    return max((step for cap, step in told.get(one.place, ()) if cap >= one.cap), default=0)


def _readers(team: Team, account: QuotaAccount) -> list[int]:
    """Keys of those whom an account concerns: its member, or who steers the team."""
    members = Membership.objects.filter(team=team, user__is_active=True)
    if account.user_id:
        members = members.filter(user=account.user_id)
    else:
        members = members.filter(role__in=roles_that_may(Deed.SET_CAPS))
    return list(members.order_by("pk").values_list("user", flat=True))
