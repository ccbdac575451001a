"""`manage.py worker`: carries generations to the gateway, or makes thumbnails."""

import os
import resource
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from generator import workers

THUMBNAIL_MEMORY = 4 * 1024**3  # bytes of address space: a bomb ends this process, not the host


class Command(BaseCommand):
    """Work until a signal says stop."""

    help = "Works on the queue: `worker` carries generations, `worker pictures` makes thumbnails."

    def add_arguments(self, parser: CommandParser) -> None:
        """Name the queue and the threads."""
        parser.add_argument("queue", nargs="?", default="default", choices=["default", "pictures"])
        parser.add_argument("--threads", type=int, help="jobs at once; 1 for pictures")

    def handle(self, *, queue: str, threads: int | None, **options: Any) -> None:
        """Run the worker."""
        if queue == "pictures":
            os.nice(10)  # thumbnails may wait; who looks at a page may not
            resource.setrlimit(resource.RLIMIT_AS, (THUMBNAIL_MEMORY, THUMBNAIL_MEMORY))
        usual = settings.WORKER_THREADS if queue == "default" else 1
        workers.run(queue, threads=threads or usual)
