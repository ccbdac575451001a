"""A process that begins generations as fast as it can: `python -m tests.services.pressing`.

Arguments: a file to wait for, the author's id, how many, and the prices to ask for, in turn.
It prints how often it was accepted at each price, as JSON.
"""

import json
import os
import sys
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import django


def main() -> None:
    """Wait for the file, so that all processes begin together; then press."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comet_site.settings")
    django.setup()
    start, author, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    prices = [int(price) for price in sys.argv[4:]]
    accepted: Counter[int] = Counter()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _n: _ready(author), range(8)))
        print("ready", flush=True)
        while not start.exists():
            time.sleep(0.005)
        asked = [prices[n % len(prices)] for n in range(count)]
        for price, fits in zip(asked, threads.map(lambda p: _press(author, p), asked), strict=True):
            accepted[price] += fits
    print(json.dumps(accepted), flush=True)


def _ready(author: int) -> None:
    """A connection of its own, and everything imported."""
    from generator.models import User

    User.objects.get(pk=author)


def _press(author: int, price: int) -> bool:
    from generator import lifecycle
    from generator.errors import QuotaExceeded
    from generator.models import Asked, CatalogueEntry, User

    entry = CatalogueEntry.objects.get(wire_model="gpt-image-2")
    entry.credits_each = price  # of this copy alone: the row is everybody's
    user = User.objects.get(pk=author)
    asked = Asked("create", "a teapot", {"size": "1024x1024"})
    try:
        lifecycle.begin(user, user.personal_team, entry, asked, batch=uuid.uuid4())
    except QuotaExceeded:
        return False
    return True


if __name__ == "__main__":
    main()
