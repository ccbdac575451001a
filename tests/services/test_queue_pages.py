"""The queue's pages in the admin, which come from django-rq, over a real Valkey."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django_rq.queues import get_queue
from rq import Worker
from rq.job import Job, JobStatus

from tests.make import make_user
from tests.services.servers import Valkey

HERE = "/admin/django_rq/dashboard/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> Job:
    """What failed in a queue whose worker is there."""
    for named in settings.RQ_QUEUES.values():
        monkeypatch.setitem(named, "URL", valkey.url)
    queue = get_queue("default", commit_mode="auto")
    job: Job = queue.enqueue("math.sqrt", -1)
    worker: Any = Worker([queue], connection=queue.connection)
    worker.register_birth()
    job.set_status(JobStatus.FAILED)
    queue.connection.lrem(queue.key, 0, job.id)
    queue.failed_job_registry.add(job, 60)
    return job


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_user("mara", is_staff=True, is_superuser=True))
    return client


def test_each_page_of_the_queue_opens_in_our_clothes(staff: Client, failed: Job) -> None:
    seen: set[str] = set()
    ahead = [HERE]
    while ahead:
        path = ahead.pop()
        seen.add(path)
        answer = staff.get(path)
        assert answer.status_code == 200, path
        page = answer.content.decode()
        assert "css/admin_queue.css" in page, path
        assert "Welcome" not in page, path
        found = re.findall(rf'href="({HERE}[^"?]+)"', page)
        ahead += [each for each in dict.fromkeys(found) if each not in seen and each not in ahead]
    assert {f"{HERE}queues/0/{failed.id}/", f"{HERE}queues/0/failed/"} <= seen
    assert any(path.startswith(f"{HERE}workers/0/") for path in seen)


def test_the_first_page_speaks_plainly_and_leads_nowhere_for_programs(
    staff: Client, failed: Job
) -> None:
    page = staff.get(HERE).content.decode()
    heads = [
        " ".join(each.split()) for each in re.findall(r'<th scope="col"[^>]*>(.*?)</th>', page)
    ]
    assert heads[:3] == ["Name", "Waiting", "Running"]
    assert "Failed" in heads
    assert "JSON" not in page
    assert "Cron" not in page


@pytest.mark.parametrize(
    ("path", "said"), [("delete/", {"post": "yes"}), ("requeue/", {"requeue": "Requeue"})]
)
def test_what_one_may_do_there_is_done(
    staff: Client, failed: Job, path: str, said: dict[str, Any]
) -> None:
    answer = staff.post(f"{HERE}queues/0/{failed.id}/{path}", said)
    assert answer.status_code == 302
    assert len(get_queue("default").failed_job_registry) == 0
