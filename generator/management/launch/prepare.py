"""Brings the database, and what a deployment serves as files, up to date."""

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from generator import demo
from generator.management.launch import CannotStart
from generator.models import CatalogueEntry, User, WorkerSeen


def prepare() -> None:
    """Migrate, make the cache's table, fill the catalogue; gather static files to deploy.

    May run any number of times, and beside itself. Raises CannotStart where the database fails.
    """
    try:
        _reach_database()
        # Looking costs a tenth of what `migrate` does when there is nothing to do.
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        CatalogueEntry.objects.fill()
    except DatabaseError as error:
        raise CannotStart(f"The database cannot be used: {_first_line(error)}") from error
    if not settings.DEMO:
        call_command("collectstatic", interactive=False, verbosity=0)


def forget_workers() -> None:
    """Take every worker seen before as dead: this is the one machine, and ours are not started."""
    WorkerSeen.objects.all().delete()


def let_go_of_database() -> None:
    """Close what is open: a process that is forked must not share it, nor a pool's threads."""
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()  # type: ignore[attr-defined]  # the stubs know no pool


def demo_sign_ins() -> list[demo.SignIn]:
    """How the people of the demo sign in; none where real people came first.

    Raises CannotStart where their passwords cannot be kept.
    """
    if not settings.DEMO or (User.objects.exists() and not demo.sign_ins_file().exists()):
        return []
    try:
        return demo.make_demo()
    except OSError as error:
        raise CannotStart(f"The demo's passwords cannot be kept: {error}.") from error


def _reach_database() -> None:
    # Asked without the pool, which tries for half a minute and says so every few seconds.
    if connection.vendor == "postgresql":
        with connection.wrap_database_errors:
            parameters = {**connection.get_connection_params(), "connect_timeout": 5}
            psycopg.connect(**parameters).close()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
