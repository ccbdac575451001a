"""Why a task came to nothing, for the systems that say it in prose (E4, I1)."""

import json
import re

from generator.errors import ContentRefused, RequestRefused, TaskUnknown
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
# Words, not the names of fields: `safety_tolerance` and `content_moderation` stand in complaints
# about numbers and switches.
_SENSITIVE = re.compile(
    r"nsfw|\be005\b|flagged as sensitive|sensitive (?:content|information|words?)"
    r"|moderated\b|\bmoderation\b|risk control|content (?:security )?polic"
    r"|safety[ _-](?:system|filter|check|rule|polic)|\binappropriate\b|\bharmful\b"
)


def failure(reason: JSON, request_id: str) -> RequestRefused:
    """What to raise for a task that failed for this reason: text, or JSON of any form.

    ContentRefused where safety rules are recognised in it. None of its words reach a person.
    """
    if speaks_of_safety(json.dumps(reason, ensure_ascii=False)):
        return ContentRefused(SENSITIVE, code="content_moderated", request_id=request_id)
    return RequestRefused(FAILED, code="task_failed", request_id=request_id)


def unknown_task(request_id: str) -> TaskUnknown:
    """What to raise where a look is answered that there is no such task (E4)."""
    return TaskUnknown(UNKNOWN, code="task_not_found", request_id=request_id)


def no_image(request_id: str) -> RequestRefused:
    """What to raise for a task that is said to be done and has no image."""
    return RequestRefused(NO_IMAGE, code="empty", request_id=request_id)


def speaks_of_safety(text: str) -> bool:
    """Whether a provider's sentence is about its safety rules."""
    return bool(_SENSITIVE.search(text[:_LONGEST].lower()))
