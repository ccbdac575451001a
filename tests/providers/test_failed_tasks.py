"""Whether a task failed for its content is read from prose, alike for all who write it."""

from typing import Any

import pytest

from generator.errors import ContentRefused, RequestRefused
from generator.providers.failed_tasks import failure


@pytest.mark.parametrize(
    "reason",
    [
        "NSFW content detected. Try running it again.",
        "The input or output was flagged as sensitive. (E005)",
        "Failure to pass the risk control system",
        "Content security policy triggered",
        "The result did not pass content moderation",
        "Prompt was moderated",
        "rejected by safety_filter",
        {"code": "content_moderated"},
        {"error": {"details": ["This contains inappropriate content"]}},
    ],
)
def test_a_task_that_failed_for_its_content_is_said_to_be_refused(reason: Any) -> None:
    error = failure(reason, "r1")
    assert (type(error), error.code, error.request_id) == (
        ContentRefused, "content_moderated", "r1",
    )  # fmt: skip


@pytest.mark.parametrize(
    "reason",
    [
        None,
        "",
        "CUDA out of memory near a fox",
        "safety_tolerance must be from 0 to 6",
        "prompt_content_moderation: Input should be a valid boolean",
        "The file name is case sensitive",
    ],
)
def test_whatever_else_failed_is_no_refusal_and_keeps_its_words_to_itself(reason: Any) -> None:
    error = failure(reason, "r1")
    assert (type(error), error.code) == (RequestRefused, "task_failed")
    assert "fox" not in str(error)
