"""`manage.py sandbox`: the stand-in gateway and its image host, on real sockets."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from generator.sandbox import Sandbox
from generator.sandbox.serve import serving


class Command(BaseCommand):
    """Serves until SIGTERM or Ctrl-C."""

    help = "Serve a stand-in for the gateway, and its image host, until stopped."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen, and how to behave."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8090, help="0 takes a free one")
        parser.add_argument("--image-port", type=int, default=8091, help="0 takes a free one")
        parser.add_argument(
            "--delay", type=float, default=1.5, help="seconds that a generation takes"
        )
        parser.add_argument(
            "--image-bytes", type=int, help="about how much every image weighs (for benches)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Open both ports, say which, and wait."""
        sandbox = Sandbox(delay=options["delay"], image_bytes=options["image_bytes"])
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            with serving(sandbox, options["host"], options["port"], options["image_port"]) as doors:
                self.stdout.write(f"sandbox: gateway {doors.gateway} images {doors.images}")
                self.stdout.flush()
                stop.wait()
        except OSError as error:
            raise CommandError(f"The sandbox cannot listen: {error.strerror}.") from error
