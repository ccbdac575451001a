"""`manage.py up`: a whole studio on this machine, until Ctrl-C."""

import io
import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from generator.demo import SignIn
from generator.management.launch import CannotStart, checks, ready
from generator.management.launch.chatter import Chatter
from generator.management.launch.crew import Crew
from generator.management.launch.plan import Plan, make_plan
from generator.management.launch.prepare import (
    demo_sign_ins,
    forget_workers,
    let_go_of_database,
    prepare,
)
from generator.management.launch.running import noted
from generator.models import User


class Command(BaseCommand):
    """Look, prepare, run, say when it is ready."""

    help = (
        "Runs a whole studio on this machine: web, workers, and unless named, Valkey and sandbox."
    )
    # Each process of the studio makes its own; once more here would only take time.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal. Exits with 1 and a line that says what to do if that cannot be."""
        os.umask(0o077)  # whatever is made under the data folder is its owner's alone
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # a terminal that lacks a sign must not end us
        try:
            fault = run(settings.DATA)
        except CannotStart as error:
            fault = str(error)
        if fault:
            self.stderr.write(f"studio: {fault}")
            sys.exit(1)


def run(data: Path) -> str:
    """Run a studio on this data folder until it is asked to end; what went wrong, or nothing.

    Raises CannotStart for what is found before anything runs.
    """
    checks.usable_folder(data)
    with checks.lock(data):
        checks.free_to_listen(settings.HOST, settings.PORT)
        plan = make_plan(
            (settings.ROOT / "Procfile").read_text(), os.environ, data=data, port=settings.PORT
        )
        prepare()
        forget_workers()
        sign_ins = demo_sign_ins()
        greeting = _greeting(plan, sign_ins)
        let_go_of_database()
        with noted(data, plan.outside()):
            return _run_crew(plan, greeting)


def _run_crew(plan: Plan, greeting: str) -> str:
    with Chatter(settings.DATA / "logs") as chatter:
        crew = Crew(
            chatter,
            ready=lambda: _wait_until_ready(plan),
            on_ready=lambda: print(greeting, flush=True),
        )
        for name, command in plan.commands.items():
            crew.add_process(name, command, env=plan.environment, cwd=settings.ROOT)
        crew.loop()
    return crew.fault


def _wait_until_ready(plan: Plan) -> None:
    called = settings.ALLOWED_HOSTS[0].lstrip("*.") or "localhost"
    ready.wait_for_studio(settings.HOST, settings.PORT, called=called)
    if plan.sandbox:
        ready.wait_for_sandbox(plan.sandbox)


def _greeting(plan: Plan, sign_ins: list[SignIn]) -> str:
    gateway = (
        "sandbox: images are painted here, no model is asked (COMETAPI_KEY=… for real ones)"
        if plan.sandbox
        else f"{settings.COMETAPI_BASE_URL}: generations cost money"
    )
    lines = [
        f"Comet Studio is ready: {settings.ADDRESS}",
        "",
        *_sign_in_lines(sign_ins),
        f"  Gateway  {gateway}",
        f"  Data     {settings.DATA}",
        "",
        "Ctrl-C ends it.",
    ]
    return "\n".join(lines)


def _sign_in_lines(sign_ins: list[SignIn]) -> list[str]:
    if not sign_ins and User.objects.exists():
        return []
    if not sign_ins:
        return ["  Sign in  nobody can yet: ./studio manage createsuperuser", ""]
    width = max(len(one.email) for one in sign_ins)
    lines = [
        f"{one.email:<{width}}  {one.password or '(changed; see manage.py changepassword)'}"
        for one in sign_ins
    ]
    return [f"  {'Sign in' if n == 0 else '':<7}  {line}" for n, line in enumerate(lines)] + [""]
