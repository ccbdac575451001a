"""An RQ worker that runs many waiting jobs on the threads of one process.

Most wire protocols answer only when the image is done, a minute or more later. A waiting call
costs a thread here, not a forked process of 43 MB. The worker never takes a job without a free
thread, keeps the heartbeats of what runs, outlives a queue that is away, and ends warm on
SIGTERM: no new work, running calls finish. A second signal ends it at once.
"""

import logging
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import FrameType
from typing import Any

import redis
from django.db import connections
from django_rq.queues import get_queue
from rq import worker_registration
from rq.exceptions import DequeueTimeout, StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue
from rq.timeouts import TimerDeathPenalty
from rq.worker import SimpleWorker, WorkerStatus

from generator import jobs, patience

logger = logging.getLogger(__name__)

LISTEN = 5  # seconds of waiting for a job before looking round
BEAT_EVERY = 15  # seconds between heartbeats
HEARTBEAT_LIFE = 60  # seconds after which a job without heartbeat counts as abandoned


class ThreadWorker(SimpleWorker):
    """Takes jobs on one thread and runs them on many."""

    death_penalty_class = TimerDeathPenalty  # the alarm of the others works in main threads only

    def __init__(self, *args: Any, threads: int = 1, **kwargs: Any) -> None:
        # Before RQ's own, which sets `execution`.
        self._mine = threading.local()
        super().__init__(*args, **kwargs)
        self._slots = threading.Semaphore(threads)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="job")
        self._running: dict[str, tuple[Job, Execution]] = {}
        self._listening = False
        self._last_beat = 0.0

    # RQ keeps the execution on the worker, since it thinks of one job at a time.
    @property
    def execution(self) -> Execution | None:
        """The execution of the job that this thread runs."""
        return getattr(self._mine, "execution", None)

    @execution.setter
    def execution(self, execution: Execution | None) -> None:
        self._mine.execution = execution

    def work(self, *args: Any, **kwargs: Any) -> bool:
        """Run until a signal says stop. A queue that is away is waited for."""
        self._install_signal_handlers()
        try:
            self._join_the_queue()
            while not self._stop_requested:
                try:
                    self._take_one()
                except redis.RedisError as error:
                    logger.warning("The queue is away (%s).", type(error).__name__)
                    time.sleep(1)
                    self._join_the_queue()
        except StopRequested:
            pass
        finally:
            self.teardown()
        return True

    def _join_the_queue(self) -> None:
        """Register; again after the queue was away, since it may have forgotten us."""
        while not self._stop_requested:
            try:
                self.connection.delete(self.key)
                self.register_birth()  # type: ignore[no-untyped-call]
                self.set_state(WorkerStatus.IDLE)
                return
            except redis.RedisError:
                time.sleep(1)

    def _take_one(self) -> None:
        """Wait for a free thread, then for a job, and hand the one to the other."""
        self._beat_if_due()
        if not self._slots.acquire(timeout=LISTEN):
            return
        try:
            taken = self._listen()
        except BaseException:
            self._slots.release()
            raise
        if taken is None:
            self._slots.release()
        else:
            self._pool.submit(self._run, *taken)

    def _listen(self) -> tuple[Job, Queue] | None:
        if self.should_run_maintenance_tasks:
            self.run_maintenance_tasks()  # type: ignore[no-untyped-call]
        self._listening = True
        try:
            if self._stop_requested:
                raise StopRequested
            return self.queue_class.dequeue_any(
                self._ordered_queues,
                LISTEN,
                connection=self.connection,
                job_class=self.job_class,
                serializer=self.serializer,
                death_penalty_class=self.death_penalty_class,
            )
        except DequeueTimeout:
            return None
        finally:
            self._listening = False

    def _run(self, job: Job, queue: Queue) -> None:
        try:
            execution = self.prepare_execution(job)
            self._running[job.id] = (job, execution)
            with patience.working():
                self.perform_job(job, queue)
        except redis.RedisError as error:
            # RQ's books may be behind; what the job did stands in the database.
            logger.warning("The queue went away under a job (%s).", type(error).__name__)
        except Exception:
            logger.exception("A job ended badly.")
        finally:
            self._running.pop(job.id, None)
            connections.close_all()
            self._slots.release()

    def _beat_if_due(self) -> None:
        if time.monotonic() - self._last_beat < BEAT_EVERY:
            return
        self._last_beat = time.monotonic()
        self.heartbeat()
        for job, execution in list(self._running.values()):
            with self.connection.pipeline() as pipeline:
                execution.heartbeat(job.started_job_registry, HEARTBEAT_LIFE, pipeline=pipeline)
                pipeline.execute()

    def get_heartbeat_ttl(self, job: Job) -> int:
        """Short: a worker that dies is noticed soon (seconds)."""
        return HEARTBEAT_LIFE

    # One job at a time is what RQ shows; with many the last one would be a lie.
    def set_current_job_id(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing."""

    def set_current_job_working_time(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing."""

    def procline(self, message: str) -> None:
        """Do nothing: the name of the process says nothing true of many jobs."""

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Begin a warm end; a second signal is a cold one."""
        if self._stop_requested:
            os._exit(1)
        self._stop_requested = True
        if self._listening:
            raise StopRequested

    def _install_signal_handlers(self) -> None:
        signal.signal(signal.SIGINT, self.request_stop)
        signal.signal(signal.SIGTERM, self.request_stop)

    def teardown(self) -> None:
        """Wait for what runs, with heartbeats, then say goodbye."""
        closing = threading.Thread(target=self._pool.shutdown)
        closing.start()
        while closing.is_alive():
            closing.join(1)
            with suppress(redis.RedisError):
                self._beat_if_due()
        with suppress(redis.RedisError):
            self.register_death()  # type: ignore[no-untyped-call]
            with self.connection.pipeline() as pipeline:
                worker_registration.unregister(self, pipeline)
                pipeline.execute()


def run(queue: str, *, threads: int) -> None:
    """Work on a queue until a signal says stop; the default queue's worker also keeps the clock."""
    clock = jobs.Clock() if queue == "default" else None
    connections.close_all()  # this thread will wait for jobs, not for the database
    if clock:
        clock.start()
    rq_queue = get_queue(queue)
    worker = ThreadWorker(
        [rq_queue],
        connection=rq_queue.connection,
        serializer=rq_queue.serializer,
        name=f"{queue}:{jobs.WORKER}",
        threads=threads,
        log_job_description=False,
        default_result_ttl=0,
    )
    try:
        worker.work()
    finally:
        if clock:
            clock.stop()
