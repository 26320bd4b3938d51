"""Procrastinate's jobs, which only the worker that has one may end.

Procrastinate ends a job by its id, whoever asks. A worker that was stopped for a while and comes back would so end the
job that its successor is carrying out, and where that one died then, nobody would carry it out again.
"""

import logging
from collections.abc import Collection
from datetime import datetime
from typing import LiteralString

from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.utils import utcnow

_FINISH = """
WITH ours AS (
    SELECT id FROM procrastinate_jobs
    WHERE id = %(job_id)s AND status = 'doing' AND worker_id IS NOT DISTINCT FROM %(worker_id)s FOR UPDATE
)
SELECT procrastinate_finish_job_v1(id, %(status)s::procrastinate_job_status, %(delete)s) FROM ours
"""
_RETRY = """
WITH ours AS (
    SELECT id FROM procrastinate_jobs
    WHERE id = %(job_id)s AND status = 'doing' AND worker_id IS NOT DISTINCT FROM %(worker_id)s FOR UPDATE
)
SELECT procrastinate_retry_job_v2(id, %(retry_at)s, NULL, NULL, NULL) FROM ours
"""

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
        """Hand a job back, to be carried out again then. What else Procrastinate could change of it stays."""
        assert (priority, queue, lock) == (None, None, None), "no job of this program changes its place"
        await self._change(_RETRY, job, retry_at=retry_at or utcnow())

    async def free_stalled(self, queues: Collection[str], seconds: float) -> list[Job]:
        """Hand back the jobs of these queues whose worker gave no sign for so long; returns them."""
        stalled = await self.get_stalled_jobs(seconds_since_heartbeat=seconds)
        freed = [job for job in stalled if job.queue in queues]
        for job in freed:
            await self.retry_job(job)
        return freed

    async def _change(self, statement: LiteralString, job: Job, **values: object) -> None:
        changed = await self.connector.execute_query_all_async(
            statement,
            job_id=job.id,
            worker_id=job.worker_id,
            **values,
        )
        if not changed:
            _log.warning("job-of-another job=%s account=%s: left to the worker that has it by now", job.id, job.lock)
