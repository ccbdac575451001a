"""Logs without the secrets that some addresses hold."""

import logging
import re

_SECRET = re.compile(r"(/(?:s|invitations|files)/)[^/\s?]+")


class WithoutSecrets(logging.Filter):
    """Writes a dash for what opens a sharing link, an invitation or a stored file."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mend the line; let it through."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                _SECRET.sub(r"\1-", part) if isinstance(part, str) else part for part in record.args
            )
        return True
