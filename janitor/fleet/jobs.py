"""Procrastinate's jobs, which only the worker that has one may end.

Procrastinate ends a job by its id, whoever asks. A worker that was stopped for a while and comes back would so end the
job that its successor is carrying out, and where that one died then, nobody would carry it out again.
"""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import LiteralString

from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.utils import utcnow

_OURS = """
WITH ours AS (
    SELECT id, queueing_lock FROM procrastinate_jobs
    WHERE id = %(job_id)s AND status = 'doing' AND attempts = %(attempts)s FOR UPDATE
)
"""
_FINISH = "SELECT procrastinate_finish_job_v1(id, %(status)s::procrastinate_job_status, %(delete)s) FROM ours"
# Procrastinate refuses to hand back a job beside one that waits with the same lock: it would stay with its worker.
_RETRY = """
SELECT CASE
    WHEN EXISTS (SELECT FROM procrastinate_jobs AS job WHERE job.queueing_lock = ours.queueing_lock AND status = 'todo')
    THEN procrastinate_finish_job_v1(id, 'failed', true)
    ELSE procrastinate_retry_job_v2(id, %(retry_at)s, NULL, NULL, NULL)
END FROM ours
"""
_FORGOTTEN = """
SELECT id, status, task_name, priority, lock, queueing_lock, args, scheduled_at, queue_name, attempts, worker_id
FROM procrastinate_jobs AS job
WHERE status = 'doing' AND worker_id = %(worker_id)s AND id <> ALL(%(known)s::bigint[])
AND (SELECT max(at) FROM procrastinate_events WHERE job_id = job.id AND type = 'started') < now() - %(age)s
"""
_FETCHED = timedelta(minutes=1)
"""Within it, a worker knows of every job that it took."""

_log = logging.getLogger("janitor.fleet")


class OwnJobs(JobManager):
    """Ends a job, or hands it back, only while it is with the worker that took it: else it is left to its new one."""

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """End a job."""
        await self._change(_FINISH, job, status=status.value, delete=delete_job)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Hand a job back, to be carried out again then, or end it where the account has been queued anew meanwhile.

        What else Procrastinate could change of it stays.
        """
        assert (priority, queue, lock) == (None, None, None), "no job of this program changes its place"
        await self._change(_RETRY, job, retry_at=retry_at or utcnow())

    async def free_stalled(
        self, queues: Collection[str], seconds: float, but: Collection[int] = frozenset()
    ) -> list[Job]:
        """Hand back the jobs of these queues whose worker gave no sign for so long; returns them.

        `but` are those that this process carries out, whose own sign may have been lost.
        """
        stalled = await self.get_stalled_jobs(seconds_since_heartbeat=seconds)
        freed = [job for job in stalled if job.queue in queues and job.id not in but]
        for job in freed:
            await self.retry_job(job)
        return freed

    async def free_forgotten(self, worker_id: int, known: Collection[int]) -> list[Job]:
        """Hand back what stands as being carried out by a living worker, which knows nothing of it; returns them.

        That is left where PostgreSQL went away while a worker took a job or ended it. `known` are those it carries out.
        """
        rows = await self.connector.execute_query_all_async(
            _FORGOTTEN, worker_id=worker_id, known=list(known), age=_FETCHED
        )
        forgotten = [Job.from_row(row) for row in rows]
        for job in forgotten:
            await self.retry_job(job)
        return forgotten

    async def _change(self, change: LiteralString, job: Job, **values: object) -> None:
        # Whoever hands a job back counts an attempt, so that no other worker has it while the number is the same.
        values = {"job_id": job.id, "attempts": job.attempts, **values}
        try:
            changed = await self.connector.execute_query_all_async(_OURS + change, **values)
        except UniqueViolation:  # somebody enqueued the account at the same moment
            changed = await self.connector.execute_query_all_async(_OURS + change, **values)
        if not changed:
            _log.warning("job-of-another job=%s account=%s: left to the worker that has it by now", job.id, job.lock)
