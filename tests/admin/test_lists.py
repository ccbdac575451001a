"""Every list of the admin stays fast: nothing large is counted, sorted, or read row by row."""

import re
from collections.abc import Iterable
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from generator import lifecycle
from generator.admin.base import LargeTable
from generator.models import (
    CatalogueChange,
    Generation,
    GivenReference,
    ImageAsset,
    Invitation,
    KeptReply,
    LedgerEntry,
    Notice,
    QuotaAccount,
    ReferenceImage,
    ShareLink,
    Status,
    Step,
    Team,
    UsageTotal,
    User,
    Window,
    WindowTotal,
)
from tests.make import make_entry, make_generation, make_link, make_team, make_user

LARGE = (
    Generation, ImageAsset, LedgerEntry, KeptReply, Notice, UsageTotal, WindowTotal,
    ReferenceImage, GivenReference, QuotaAccount, ShareLink,
)  # fmt: skip
PEOPLE_SIZED = (User, Team, Invitation)  # may be searched word by word, but not counted
LISTS = [
    model for model in admin.site._registry
    if model._meta.app_label in ("generator", "auth", "auditlog")
]  # fmt: skip
LARGE_LISTS = [model for model in LISTS if isinstance(admin.site._registry[model], LargeTable)]


def fill(count: int) -> None:
    """So many of everything, each of another person in another team."""
    make_entry()
    for number in range(count):
        author = make_user()
        team = make_team(author)
        generation = make_generation(author, team)
        KeptReply.objects.create(
            generation=generation, step=Step.SUBMIT, status=429, seconds=0.2, text="busy"
        )
        ImageAsset.objects.create(
            generation=generation, team=team, position=0, file="x.png", format="PNG",
            extension="png", content_type="image/png", width=1, height=1, size=1, digest="0" * 64,
        )  # fmt: skip
        account = QuotaAccount.objects.of(team, author)
        account.grant(credits=5, reason="welcome", by=author)
        Notice.objects.create(
            user=author, account=account, window=Window.MONTH, start=team.today(), percent=50
        )
        make_link(author, team=team)
        if number % 2:
            lifecycle.cancel(generation)


def asked(client: Client, path: str, query: dict[str, Any] | None = None) -> list[str]:
    """The queries that a page takes."""
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = client.get(path, query or {})
    assert answer.status_code == 200, (path, query, answer.status_code)
    return [each["sql"] for each in queries.captured_queries if not _is_of_every_page(each["sql"])]


def _is_of_every_page(sql: str) -> bool:
    return bool(re.search(r'"django_session"|SAVEPOINT|"django_site"', sql))


def counted(queries: Iterable[str], but: type[models.Model] | None = None) -> list[str]:
    """Those that count rows of a large table, or people or teams."""
    tables = "|".join(model._meta.db_table for model in (*LARGE, *PEOPLE_SIZED) if model != but)
    return [
        sql for sql in queries
        if re.search(r"\bCOUNT\(", sql) and re.search(rf'FROM "({tables})"', sql)
    ]  # fmt: skip


def path_of(model: type[models.Model], name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def test_no_list_takes_more_queries_for_more_rows_or_counts_a_large_table(
    staff: Client, boss: User
) -> None:
    fill(3)
    paths = {model: path_of(model, "changelist") for model in LISTS}
    few = {model: asked(staff, path) for model, path in paths.items() if opens(staff, path)}
    fill(20)
    for model, before in few.items():
        after = asked(staff, paths[model])
        assert len(after) == len(before), (model, after)
        assert not counted(after), model


def opens(client: Client, path: str) -> bool:
    """Whether it is a list: one that leads to its only row is none. What is kept between requests
    is filled by this."""
    return client.get(path).status_code == 200


def test_no_page_takes_more_queries_for_more_rows_or_counts_a_large_table(
    staff: Client, boss: User
) -> None:
    fill(3)
    pages = {}
    for model in LISTS:
        row = model._default_manager.order_by("pk").first()
        if row is not None and row != boss:
            pages[model] = path_of(model, "change", row.pk)
    few = {model: len(asked(staff, path)) for model, path in pages.items() if opens(staff, path)}
    generation = Generation.objects.order_by("pk").first()
    assert generation is not None
    for number in range(25):
        KeptReply.objects.create(
            generation=generation, step=Step.LOOK, status=500, seconds=number, text="oh"
        )
        make_generation(generation.author, generation.team, parent=generation)
    fill(6)
    for model, path in pages.items():
        if model in few:
            after = asked(staff, path)
            # On a team's page its members' accounts, and no others, are counted to page them.
            assert not counted(after, but=QuotaAccount), model
            assert len(after) <= few[model] + 1, (model, after)


# ── What the database does for a list ──


def plans(queries: Iterable[str]) -> list[tuple[str, str]]:
    """How SQLite answers each, and the query."""
    found = []
    for sql in queries:
        if not sql.startswith("SELECT"):
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql.replace('%', '%%')}")
            found.append((" / ".join(row[3] for row in cursor.fetchall()), sql))
    return found


def slow(queries: Iterable[str]) -> list[tuple[str, str]]:
    """Those that may read the whole of a large table: to find, to sort, or for want of an end."""
    tables = "|".join(model._meta.db_table for model in LARGE)
    return [
        (plan, sql) for plan, sql in plans(queries)
        if re.search(rf"SCAN ({tables})", plan)
        and ("TEMP B-TREE" in plan or "WHERE" in sql or "LIMIT" not in sql)
    ]  # fmt: skip


def questions(author: User, generation: Generation) -> list[dict[str, Any]]:
    """What may stand in the address of a large list: filters, a search, an order of one's own."""
    return [
        {}, {"p": 3}, {"o": "3.-2"}, {"status__exact": Status.FAILED}, {"reason_code": "busy"},
        {"wire_model": "gpt-image-2"},
        {"team__id__exact": generation.team_id}, {"author__id__exact": author.pk},
        {"created_at_from": "2026-01-01", "created_at_to": "2026-12-31"},
        {"kind__exact": "grant"}, {"account__id__exact": 1}, {"user__id__exact": author.pk},
        {"status__exact": Status.FAILED, "reason_code__in": "busy,silent",
         "created_at__gte": "2026-01-01T00:00:00+00:00"},
        {"q": str(generation.pk)}, {"q": author.username}, {"q": author.email}, {"q": "pers"},
        {"q": "req_123"}, {"q": "%"}, {"q": "\0'\""}, {"q": "x" * 5000},
    ]  # fmt: skip


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plans of SQLite")
@pytest.mark.parametrize("model", LARGE_LISTS)
def test_a_large_list_and_each_of_its_filters_walks_an_index(
    staff: Client, boss: User, model: type[models.Model]
) -> None:
    fill(4)
    generation = Generation.objects.first()
    assert generation is not None
    filters = [each for each in admin.site._registry[model].list_filter if isinstance(each, tuple)]
    known = {field.name for field in model._meta.get_fields()} | {"q", "p", "o"}
    known |= {f"{name}_from" for name, _filter in filters}
    for query in questions(generation.author, generation):
        by_row = {name.removesuffix("__id__exact") for name in query if "__id__exact" in name}
        if not by_row <= {name for name, _filter in filters}:
            continue  # nothing of ours asks it
        if model is ImageAsset and {"wire_model", "kind__exact"} & set(query):
            continue  # an image has these as well, and no filter by them
        if all(name.split("__")[0].replace("_to", "_from") in known for name in query):
            queries = asked(staff, path_of(model, "changelist"), query)
            assert not slow(queries), (query, slow(queries))
            assert not counted(queries), query


def test_lists_over_large_tables_are_made_for_them() -> None:
    for model in LARGE:
        registered = admin.site._registry.get(model)
        assert registered is None or isinstance(registered, LargeTable), model
    assert {Generation, ImageAsset, LedgerEntry, Notice, ShareLink} <= set(LARGE_LISTS)


@pytest.mark.parametrize(
    "query",
    [
        {"prompt": "a teapot"}, {"prompt__contains": "tea"}, {"label__icontains": "gpt"},
        {"author__password__startswith": "md5"}, {"reason__regex": "(a+)+$"},
        {"fields__size": "1"}, {"texts__0": "a"}, {"prompt__length__gt": "3"},
        {"note__exact": "x"}, {"note__exact": "x", "status__exact": "succeeded"},
        {"reason_code__in": "x"}, {"status__in": "queued,succeeded"}, {"due_at__lt": "2026-01-01"},
    ],
)  # fmt: skip
def test_what_no_index_answers_is_not_asked_by_an_address(
    staff: Client, member: User, query: dict[str, str]
) -> None:
    make_generation(member)
    assert staff.get(path_of(Generation, "changelist"), query).status_code == 400


@pytest.mark.parametrize("model", LARGE_LISTS)
def test_an_address_asks_of_no_field_of_a_large_table_what_reads_all_of_it(
    staff: Client, model: type[models.Model]
) -> None:
    for field in model._meta.get_fields():
        for lookup in ("gt", "lte", "contains", "isnull", "ne", "0"):
            answer = staff.get(path_of(model, "changelist"), {f"{field.name}__{lookup}": "1"})
            assert answer.status_code == 400, (field.name, lookup)


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (Generation, {"status__in": "running,storing", "due_at__lt": "2026-01-01T00:00:00+00:00"}),
        (Generation, {"status__exact": "storing", "note__exact": "storage",
                      "storing_attempts__gte": "3"}),
        (Generation, {"status__exact": "failed", "reason_code__exact": ""}),
        (Generation, {"status__exact": "failed", "wire_model": "gpt-image-2"}),
        (Generation, {"id__in": "0a7ac5fe-6f21-4b4a-a0b7-0fd2b4c9a5a1"}),
        (CatalogueChange, {"what__exact": "gone", "at__gte": "2026-01-01T00:00:00+00:00"}),
        (LedgerEntry, {"account__id__exact": "1"}),
    ],
)  # fmt: skip
def test_what_our_own_pages_link_to_opens(
    staff: Client, model: type[models.Model], query: dict[str, str]
) -> None:
    assert staff.get(path_of(model, "changelist"), query).status_code == 200


def test_an_account_is_found_by_its_member_or_its_team(
    staff: Client, member: User, team: Team
) -> None:
    account = QuotaAccount.objects.of(team, member)
    other = make_user("someone")
    QuotaAccount.objects.of(make_team(other, slug="elsewhere"), other)
    for term in ("memb", "member@example.org", "orthl", "northl"):
        page = staff.get(path_of(QuotaAccount, "changelist"), {"q": term}).content.decode()
        assert path_of(QuotaAccount, "change", account.pk) in page, term
        assert "someone in" not in page, term


def test_an_author_is_found_by_name_by_address_and_by_how_the_name_begins(
    staff: Client, member: User
) -> None:
    generation = make_generation(member)
    other = make_generation(make_user("someone"))
    for term in ("Member", "member@example.org", "memb", f" {generation.pk} "):
        page = staff.get(path_of(Generation, "changelist"), {"q": term}).content.decode()
        assert str(generation.pk) in page, term
        assert str(other.pk) not in page, term
    page = staff.get(path_of(Generation, "changelist"), {"q": "nobody"}).content.decode()
    assert str(generation.pk) not in page
