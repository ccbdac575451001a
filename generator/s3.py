"""Images in a bucket, over one client for all the threads of a process.

Apart from the models on purpose: importing boto3 takes 20 MB that a studio on disk can spare.
"""

import threading
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from django.conf import settings
from storages.backends.s3 import S3Storage

_making = threading.Lock()


class SharedS3Storage(S3Storage):  # type: ignore[misc]  # it comes without types
    """S3Storage with one connection a process, where the original makes one for each thread.

    A connection takes some 13 MB, and a worker has hundreds of threads. boto3 lets threads share
    a client; of its resources they share only what is never changed once it is made.
    """

    client_config: Any  # set by the original from its options
    _shared: Any = None

    def __init__(self, **options: Any) -> None:
        # In the caller's thread: else each transfer starts up to ten threads of its own.
        super().__init__(**{"transfer_config": TransferConfig(use_threads=False), **options})
        self.client_config = self.client_config.merge(_patience())

    @property
    def connection(self) -> Any:
        """The process's boto3 resource, made when first asked for."""
        with _making:
            if self._shared is None:
                self._shared = super().connection
            return self._shared

    def __getstate__(self) -> dict[str, Any]:
        """What a copy starts from: all but the connection."""
        return {**super().__getstate__(), "_shared": None}


def _patience() -> Config:
    """A bucket that hangs is given up, for the sweep to try again; all threads may call at once."""
    return Config(
        connect_timeout=5,
        read_timeout=30,
        retries={"max_attempts": 2},
        max_pool_connections=settings.WORKER_THREADS + 8,
    )
