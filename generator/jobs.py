"""What RQ runs, and the sweep for what stalled.

A job is a nudge: what is to be done stands in the database. Jobs take keys as text, may run
twice, and may be lost; the sweep sends again what nobody does.
"""

import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

import redis
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from django_rq import get_queue

from generator import catalogue_sync, lifecycle, noticing, patience, pictures
from generator.errors import AlreadyMoved, BadPicture, ProviderError, StudioError
from generator.library import trash
from generator.models import (
    AT_THE_PROVIDER,
    Ceiling,
    Chore,
    FileToDelete,
    Generation,
    ImageAsset,
    Invitation,
    KeptReply,
    ReferenceImage,
    Status,
    WorkerSeen,
)
from generator.models.assets import THUMBNAILS
from generator.models.storage import image_storage, spool
from generator.models.turns import take_next
from generator.providers.gateway import Gateway

logger = logging.getLogger(__name__)

LEASE_MARGIN = timedelta(minutes=1)
BEAT_EVERY = 5  # seconds between a worker's signs of life
AT_ONCE = 1000  # generations that one look sends
FORGOTTEN_AT_ONCE = 500  # reference images that one bite deletes
REPLIES_AT_ONCE = 5000  # kept replies that one bite deletes
TRASH_AT_ONCE = 500  # images of the trash that one bite deletes
FILES_AT_ONCE = 1000  # files whose rows are gone that one bite deletes
THUMBNAILS_AT_ONCE = 500  # images a sweep sends to the *pictures* queue
MAILS_AT_ONCE = 200  # notices that a sweep sends
MAIL_AGAIN_AFTER = timedelta(minutes=5)
CATALOGUE, LEFT_FILES = "catalogue", "left files"  # the chores of these names
AGAIN_AFTER = timedelta(hours=1)
LEFT_FILES_AGAIN_AFTER = timedelta(minutes=5)  # longer than a bite of them takes
# One name a process: claims carry it, and the clock of the worker says that it is alive.
WORKER = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


@cache
def open_gateway() -> Gateway:
    """The process's one gateway, with room for every thread of a worker."""
    return Gateway(
        settings.COMETAPI_BASE_URL,
        key=settings.COMETAPI_KEY,
        image_origins=settings.COMETAPI_IMAGE_ORIGINS,
        query_url=settings.COMETAPI_QUERY_URL,
        connections=settings.WORKER_THREADS + 8,
    )


# ── Sending ──


def nudge() -> None:
    """Somebody may have something to start. Waits for the commit."""
    transaction.on_commit(partial(_enqueue, start_next))


def hurry(generation: Generation) -> bool:
    """Have an unfinished generation looked at now, and say whether that may be (see
    `lifecycle.hurry`). Waits for the commit."""
    unseen_since = timezone.now() - timedelta(seconds=settings.WORKER_LOST_AFTER)
    if not lifecycle.hurry(generation, unseen_since=unseen_since):
        return False
    transaction.on_commit(partial(_enqueue, step, str(generation.pk)))
    nudge()
    return True


@cache
def _queue(name: str) -> Any:
    # Once a process: each one made has a pool of connections of its own. Short of patience: a
    # queue that hangs must hold up neither a page nor the clock.
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2, max_connections=256
    )
    return get_queue(name, commit_mode="auto", connection=client)


def _enqueue(job: Callable[..., None], *args: str, queue: str = "default") -> bool:
    """Queue a job, and say whether that worked. A queue that is gone costs a line in the log,
    and the sweep sends it later."""
    try:
        _queue(queue).enqueue(job, *args)
        return True
    except redis.RedisError as error:
        logger.warning("The queue does not answer (%s); the work is kept.", type(error).__name__)
        return False


# ── Jobs ──


def start_next() -> None:
    """Start the next generation in fair order, if one may start, and take its first step."""
    generation = take_next(
        worker=WORKER,
        lease_margin=LEASE_MARGIN,
        member_at_once=settings.MEMBER_AT_ONCE,
        studio_at_once=settings.STUDIO_AT_ONCE,
        provider_at_once=settings.PROVIDER_AT_ONCE,
    )
    if generation is None:
        return
    _take(generation, lifecycle.submit)


def step(pk: str) -> None:
    """Take the next step of a generation that is due, unless someone else has it."""
    generation = Generation.objects.claim(uuid.UUID(pk), worker=WORKER, lease=_lease())
    if generation is None:
        return
    _take(generation, lifecycle.advance)


def _take(generation: Generation, first: Callable[[Generation, Gateway], float | None]) -> None:
    """Take a step, and go on at once where the next is due at once; a later one is the clock's."""
    try:
        pause = first(generation, open_gateway())
        while pause == 0:
            pause = lifecycle.advance(generation, open_gateway())
    except AlreadyMoved:
        return
    except Exception as error:
        if not isinstance(error, StudioError):
            logger.exception("A step of generation %s went wrong.", generation.pk)
        patience.let_go_of_the_database()  # it may be the connection that broke
        with suppress(AlreadyMoved):
            lifecycle.stumble(generation, error)
            generation.refresh_from_db()
    _after(generation)


def _lease() -> timedelta:
    return max(lifecycle.POLL_LEASE, lifecycle.STORE_LEASE)


def _after(generation: Generation) -> None:
    """Thumbnails of what was made; and where a place came free, whoever waits may start."""
    if generation.status == Status.SUCCEEDED:
        for asset in generation.images.without_thumbnails():
            _enqueue(make_thumbnails, str(asset.pk), queue="pictures")
        news = noticing.to_mail(generation.finished_at or timezone.now())
        for number in news.values_list("pk", flat=True):
            _enqueue(mail_notice, str(number))
    if generation.status in AT_THE_PROVIDER:
        return
    if Generation.objects.startable(timezone.now()).exists():
        nudge()


def mail_notice(pk: str) -> None:
    """Send one notice by e-mail, unless it has gone."""
    noticing.mail_notice(int(pk), address=settings.ADDRESS)


def sends_mail() -> bool:
    """Whether a mail server is set up, so that a letter reaches anybody."""
    return bool(settings.EMAIL_URL)


def mail_invitations(pks: Iterable[int]) -> None:
    """Have these invitations sent by e-mail. Waits for the commit."""
    for pk in pks:
        transaction.on_commit(partial(_enqueue, mail_invitation, str(pk)))


def mail_invitation(pk: str) -> None:
    """Send one invitation by e-mail, unless it has gone or is over."""
    noticing.mail_invitation(int(pk), address=settings.ADDRESS)


def make_thumbnails(pk: str) -> None:
    """Make the two thumbnails of an image; pages show the original until then."""
    asset = ImageAsset.objects.without_thumbnails().filter(pk=uuid.UUID(pk)).first()
    if asset is None:
        return
    # Counted first: a picture that ends the process is not tried for ever.
    mine = ImageAsset.objects.filter(pk=asset.pk)
    mine.update(thumbnail_attempts=asset.thumbnail_attempts + 1)
    storage = image_storage()
    with asset.file.open() as file:
        data = file.read()
    for size in THUMBNAILS:
        try:
            small = pictures.thumbnail(data, edge=pictures.THUMBNAIL_EDGES[size])
        except BadPicture as error:
            logger.warning("No thumbnail of image %s: %s", asset.pk, error)
            return
        storage.save(asset.thumbnail_key(size), ContentFile(small))
    mine.update(thumbnails_at=timezone.now())


# ── The clock of a worker ──


def look_for_due(seen: dict[str, object]) -> None:
    """Send what has come due: polls, pauses that are over. Called each second.

    `seen` remembers what was sent, so that a full queue is not filled with the same again.
    """
    now = timezone.now()
    steps = dict(Generation.objects.due(now).values_list("pk", "due_at")[:AT_ONCE])
    waiting = Generation.objects.startable(now).filter(attempts__gt=0)
    starts = dict(waiting.values_list("pk", "due_at")[:AT_ONCE])
    fresh = {str(pk): due for pk, due in {**steps, **starts}.items()}
    for gone in set(seen) - set(fresh):
        del seen[gone]
    for pk, due in fresh.items():
        if seen.get(pk) == due:
            continue
        if not (_enqueue(start_next) if uuid.UUID(pk) in starts else _enqueue(step, pk)):
            return  # one that is away is not asked again for each of them
        seen[pk] = due


def sweep() -> None:
    """Send again whatever nobody does: claims of dead workers, lost nudges, thumbnails.

    This makes losing the queue, or a worker in mid-step, harmless.
    """
    now = timezone.now()
    unseen_since = now - timedelta(seconds=settings.WORKER_LOST_AFTER)
    # A claim of a worker that is gone is over now, whatever its lease says. Ours are not.
    orphans = Generation.objects.orphaned(unseen_since).exclude(claimed_by=WORKER)
    orphans.filter(due_at__gt=now).update(due_at=now)
    lifecycle.withdraw_of_suspended()
    all(_enqueue(job, *args, queue=queue) for job, args, queue in list(_left_lying(now)))


def _left_lying(now: datetime) -> Iterator[tuple[Callable[..., None], tuple[str, ...], str]]:
    for pk in Generation.objects.due(now).values_list("pk", flat=True)[:AT_ONCE]:
        yield step, (str(pk),), "default"
    ceilings = Ceiling.objects.at(
        now,
        studio=settings.STUDIO_AT_ONCE,
        member=settings.MEMBER_AT_ONCE,
        provider=settings.PROVIDER_AT_ONCE,
    )
    free = ceilings.studio - Generation.objects.under_way().count()
    waiting = Generation.objects.startable(now).count()
    for _ in range(min(max(free, 0), waiting)):
        yield start_next, (), "default"
    oldest = ImageAsset.objects.without_thumbnails().filter(
        created_at__lt=now - timedelta(seconds=settings.SWEEP_EVERY)
    )
    if oldest.exists() and not _backlog("pictures"):
        for pk in oldest.order_by("created_at").values_list("pk", flat=True)[:THUMBNAILS_AT_ONCE]:
            yield make_thumbnails, (str(pk),), "pictures"
    left = FileToDelete.objects.due(now)
    if left.exists() and Chore.objects.take(LEFT_FILES, every=LEFT_FILES_AGAIN_AFTER):
        yield delete_left_files, (), "default"
    if Chore.objects.take("notices", every=MAIL_AGAIN_AFTER):
        unsent = noticing.to_mail(now - noticing.MAIL_LIFE)
        waiting_letters = unsent.filter(created_at__lt=now - MAIL_AGAIN_AFTER)
        for number in waiting_letters.values_list("pk", flat=True)[:MAILS_AT_ONCE]:
            yield mail_notice, (str(number),), "default"
        invitations = Invitation.objects.to_mail().values_list("pk", flat=True)
        for number in invitations[:MAILS_AT_ONCE]:
            yield mail_invitation, (str(number),), "default"


def _backlog(queue: str) -> int:
    try:
        return int(_queue(queue).count)
    except redis.RedisError:
        return 1


def daily() -> None:
    """What has to be done once a day by whoever comes first."""
    if Chore.objects.take("daily", every=timedelta(days=1)):
        call_command("clearsessions")
        WorkerSeen.objects.filter(seen_at__lt=timezone.now() - timedelta(days=1)).delete()
        for pk in list(spool().kept()):
            if not Generation.objects.unfinished().filter(pk=pk).exists():
                spool().clear(pk)
        # Jobs, here and below: the clock must not wait for a storage or a gateway, for a worker
        # whose clock stands counts as dead.
        _enqueue(forget_references)
        _enqueue(forget_replies)
        _enqueue(empty_trash)
    if Chore.objects.take(CATALOGUE, every=timedelta(days=1)) and not _enqueue(sync_catalogue):
        Chore.objects.put_off(CATALOGUE, by=AGAIN_AFTER)


def forget_references() -> None:
    """Delete reference images that were never sent, a bite at a time."""
    forgotten = list(ReferenceImage.objects.forgotten(timezone.now())[:FORGOTTEN_AT_ONCE])
    for reference in forgotten:
        reference.delete()
    if len(forgotten) == FORGOTTEN_AT_ONCE:
        _enqueue(forget_references)


def forget_replies() -> None:
    """Delete what the gateway answered long ago, a bite at a time."""
    if KeptReply.objects.forget(at_most=REPLIES_AT_ONCE) == REPLIES_AT_ONCE:
        _enqueue(forget_replies)


def empty_trash() -> None:
    """Delete what has lain in the trash for long, a bite at a time."""
    if trash.empty(timezone.now(), at_most=TRASH_AT_ONCE) == TRASH_AT_ONCE:
        _enqueue(empty_trash)


def delete_left_files() -> None:
    """Delete the bytes that the storage did not delete with their rows, a bite at a time."""
    # While one goes on from bite to bite, no sweep sends another.
    Chore.objects.put_off(LEFT_FILES, by=LEFT_FILES_AGAIN_AFTER)
    due = FileToDelete.objects.due(timezone.now())
    if due[:FILES_AT_ONCE].delete_from_storage() and due.exists():
        _enqueue(delete_left_files)


def sync_catalogue() -> None:
    """Bring the catalogue up to the gateway's list; one that gives none is asked again soon."""
    try:
        changes = catalogue_sync.sync(open_gateway())
    except ProviderError as error:
        logger.warning("The catalogue was not brought up to date: %s", error)
        Chore.objects.put_off(CATALOGUE, by=AGAIN_AFTER)
        return
    for line in catalogue_sync.told(changes):
        logger.info("Catalogue: %s", line)


class Clock(threading.Thread):
    """The thread of a worker that knows what time it is.

    Making one is the worker's first sign of life: it stands before the first claim.
    """

    def __init__(self) -> None:
        super().__init__(name="clock", daemon=True)
        self._over = threading.Event()
        self._sent: dict[str, object] = {}
        WorkerSeen.objects.beat(WORKER)

    def run(self) -> None:
        """Beat, look for due work each second, sweep every `SWEEP_EVERY` seconds."""
        ticks = 0
        while not self._over.wait(1.0):
            try:
                self._tick(ticks)
                ticks += 1
            except Exception as error:
                # The database may be away for a while. When it is back, every worker shall have
                # said that it lives before anybody sweeps up after the dead.
                logger.warning("The clock missed a beat: %s", type(error).__name__)
                ticks = settings.SWEEP_EVERY * BEAT_EVERY - BEAT_EVERY
            finally:
                connection.close()

    def _tick(self, ticks: int) -> None:
        if ticks % BEAT_EVERY == 0:
            WorkerSeen.objects.beat(WORKER)
        look_for_due(self._sent)
        if ticks % settings.SWEEP_EVERY == 0:
            sweep()
            daily()

    def stop(self) -> None:
        """End soon."""
        self._over.set()


def worker_alive() -> bool:
    """Whether any worker was seen lately."""
    return WorkerSeen.objects.alive(within=timedelta(seconds=30))


def queue_answers() -> bool:
    """Whether the queue answers a ping."""
    try:
        return bool(_queue("default").connection.ping())
    except redis.RedisError:
        return False
