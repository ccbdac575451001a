"""A sandbox on real sockets, for the providers' own SDKs to judge: they share no line with us."""

from collections.abc import Iterator

import pytest

from generator.sandbox import Log, Sandbox
from generator.sandbox.serve import Doors, serving

KEY = "sk-test1234"


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def doors(log: Log) -> Iterator[Doors]:
    """The addresses of a sandbox that takes KEY and no other."""
    with serving(Sandbox(KEY, log, sleep=lambda seconds: None)) as doors:
        yield doors
