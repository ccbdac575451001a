"""Brings the database, and what a deployment serves as files, up to date."""

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


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
