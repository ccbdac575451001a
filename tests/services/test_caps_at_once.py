"""Caps are saved while images are begun. On SQLite, and on PostgreSQL by `test_postgres.py`."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from generator import books, lifecycle
from generator.models import QuotaAccount, Window
from tests.admin.test_shown import Form
from tests.make import make_asked, make_entry, make_generation, make_team, make_user
from tests.services.test_races import race

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_team_s_caps_are_saved_while_its_members_begin_and_nobody_stumbles() -> None:
    boss = make_user("mara", is_staff=True, is_superuser=True)
    jonas, entry = make_user("jonas"), make_entry()
    team = make_team(jonas)
    lifecycle.cancel(make_generation(jonas, team))  # accounts, totals and the entry are there
    mine, pool = QuotaAccount.objects.of(team, jonas), QuotaAccount.objects.pool(team)
    assert mine.pk < pool.pk  # and the page has the pool first
    path = reverse("admin:generator_team_change", args=[team.pk])
    browser = Client()
    browser.force_login(boss)
    page = browser.get(path).content.decode()
    form = {name: said for name, said in Form(page).said.items() if name not in ("action", "q")}

    def save(cap: int) -> int:
        another = Client()
        another.cookies = browser.cookies
        typed = {"accounts-0-month": str(10**6 + cap), "accounts-2-0-month": str(10**6 + cap)}
        said = {name: each for name, each in form.items() if not name.startswith("initial-")}
        return another.post(path, said | typed | {"_save": "Save"}).status_code

    def begin(n: int) -> None:
        lifecycle.begin(jonas, team, entry, make_asked(f"new {n}"), batch=uuid.uuid4())

    for many in range(0, 30, 10):
        saving = [lambda n=many + n: save(n) for n in range(2)]
        beginning = [lambda n=many + n: begin(n) for n in range(6)]
        assert race(*saving, *beginning) == [302] * 2 + [None] * 6
    caps = [account.caps.get(window=Window.MONTH).credits for account in (mine, pool)]
    assert caps[0] == caps[1]  # those of one page came together
    assert books.prove() == []
