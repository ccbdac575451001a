"""Two that spend at the same moment tell one notice: on SQLite, and on PostgreSQL."""

import pytest
from django.db import transaction

from generator import noticing
from generator.models import Notice, QuotaAccount, Team, User, Window
from tests.make import make_generation, make_team, make_user, set_cap
from tests.scripted import ScriptedGateway, images, run
from tests.services.test_races import race

pytestmark = pytest.mark.django_db(transaction=True)


def _team_that_has_spent_half() -> tuple[Team, User, QuotaAccount]:
    member = make_user()
    team = make_team(member)
    price = make_generation(member, team).price
    run(ScriptedGateway(images()))
    return team, member, set_cap(team, member, window=Window.MONTH, credits=2 * price)


def test_eight_that_tell_at_once_tell_once_and_none_stumbles() -> None:
    team, member, account = _team_that_has_spent_half()

    def tell() -> None:
        # Without the locks of a settle, which would put them in order.
        with transaction.atomic():
            noticing.tell(team, [account])

    assert race(*[tell] * 8) == [None] * 8
    assert [one.percent for one in Notice.objects.filter(user=member)] == [50]


def test_of_eight_jobs_that_send_the_same_notice_one_does(mailoutbox: list[object]) -> None:
    team, member, account = _team_that_has_spent_half()
    noticing.tell(team, [account])
    notice = Notice.objects.get(user=member)
    race(*[lambda: noticing.mail_notice(notice.pk, address="https://studio.example")] * 8)
    assert len(mailoutbox) == 1
