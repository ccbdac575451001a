"""Why a task came to nothing, for the systems that say it in prose (E4, I1)."""

import json
import re

from generator.errors import ContentRefused, RequestRefused
from generator.providers.base import JSON

FAILED = "The provider could not make this image. Try once more, or try another model."
CANCELLED = "The provider called this off before an image was made. Try once more."
UNKNOWN = (
    "The provider does not know this task, or no longer does: what it makes is kept for a short "
    "time only."
)
NO_IMAGE = "The provider says that it is done, but gave no image. Try once more."
SENSITIVE = (
    "The provider's safety rules refused the prompt, an image that went with it, or what was made "
    "of them. Reword the prompt, or try another model."
)
_LONGEST = 4000  # characters of a reason that are looked at
# Not "safety" alone: `safety_tolerance` stands in complaints about numbers.
_SENSITIVE = re.compile(
    r"nsfw|\be005\b|flagged as sensitive|sensitive content|moderat(?:ed|ion)"
    r"|safety (?:system|filter|check|rule|polic)|content polic"
)


def failure(reason: JSON, request_id: str) -> RequestRefused:
    """What to raise for a task that failed for this reason: text, or JSON of any form.

    ContentRefused where safety rules are recognised in it. None of its words reach a person.
    """
    text = json.dumps(reason, ensure_ascii=False)[:_LONGEST].lower()
    if _SENSITIVE.search(text):
        return ContentRefused(SENSITIVE, code="content_moderated", request_id=request_id)
    return RequestRefused(FAILED, code="task_failed", request_id=request_id)
