"""A worker's process that is killed at a given moment: `python -m tests.services.dying MOMENT`.

"with the reply": the images are put down, and nothing is moved yet. "at the books": the images are
kept, and the transaction that closes the books is open.
"""

import os
import signal
import sys
from typing import Any, NoReturn
from unittest import mock

import django

PLACES = {
    "with the reply": "generator.lifecycle.storing.begin_storing",
    "at the books": "generator.models.usage.UsageTotalQuerySet.add",
}


def main() -> None:
    """Take the next generation, have it made, and die."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comet_site.settings")
    django.setup()
    from tests.scripted import ScriptedGateway, images, run

    with mock.patch(PLACES[sys.argv[1]], _die):
        run(ScriptedGateway(images(2)))


def _die(*_arguments: Any, **_facts: Any) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still here")


if __name__ == "__main__":
    main()
