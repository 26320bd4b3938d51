"""Asking every source of usage in parallel, and what follows where one of them cannot be read."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from janitor.cloud.common.records import Users, in_order
from janitor.cloud.openstack.catalogue import Endpoint, NotOffered
from janitor.cloud.service import Need, Sources
from janitor.core.names.image_ids import ImageId
from janitor.core.units import counted
from janitor.core.usage import EarlierUsage, Reading, Source, Unread, Usage, User, UserKind, called
from janitor.errors import CloudError

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Task:
    """One place to ask for users of images: an endpoint, or for None the images themselves; `read` asks it.

    `place` is the path of its URL as shown to people, and `alone`: its region has no other endpoint of this source.
    """

    source: Source
    endpoint: Endpoint | None
    read: Callable[[], Users]
    place: str = ""
    alone: bool = True

    @property
    def region(self) -> str:
        """Its region, as people call it; empty where there is none."""
        return (self.endpoint.region or "") if self.endpoint is not None else ""

    @property
    def label(self) -> str:
        """What people call it."""
        where = called(self.source, self.region)
        return where if self.alone else f"{where} ({self.place})"

    def ask(self) -> Users | CloudError:
        """The users of images that it lists, or why it cannot be asked or read."""
        if self.endpoint is not None and self.endpoint.problem is not None:
            return CloudError(self.endpoint.problem)
        try:
            return self.read()
        except CloudError as error:
            return error


@dataclass(slots=True)
class Gathering:
    """Combines what the sources say, by how much each of them matters to the target."""

    sources: Sources
    earlier: EarlierUsage
    _users: defaultdict[ImageId, list[User]] = field(default_factory=lambda: defaultdict(list))
    _unread: set[Unread] = field(default_factory=set)
    _remarks: list[str] = field(default_factory=list)
    _problems: list[str] = field(default_factory=list)
    _readings: list[Reading] = field(default_factory=list)

    def ask(self, tasks: Sequence[Task]) -> None:
        """Run all tasks whose source is not off in parallel, and take in what they say."""
        wanted = [task for task in tasks if self.sources.need(task.source) is not Need.OFF]
        asked = [task for task in wanted if task.endpoint is None or not task.endpoint.replaced]
        for source in Source:
            if source is not Source.REFERENCES:
                self._look_for_what_is_missing(source, [task for task in asked if task.source is source])
        for task in wanted:
            if task not in asked:
                self._pass_over(task)
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="usage") as pool:
            answers = list(pool.map(Task.ask, asked))
        for task, answer in zip(asked, answers, strict=True):
            self._take(task, answer)

    def usage(self) -> Usage:
        """What was taken in."""
        problem = "; ".join(self._problems) or None
        return Usage(
            {} if problem else in_order(self._users, ""),
            problem=problem,
            volumes=self._made_of_images(),
            unread=frozenset(self._unread),
            remarks=tuple(self._remarks),
            readings=tuple(sorted(self._readings, key=_by_source)),
        )

    def _look_for_what_is_missing(self, source: Source, tasks: Sequence[Task]) -> None:
        """A service that was read before, or is required, is not absent because the present catalogue omits it."""
        need = self.sources.need(source)
        if need is Need.OFF:
            self._readings.append(Reading(source, problem="not asked: turned off"))
            return
        before = {region for known, region in self.earlier.read if known is source}
        now = Counter(task.region for task in tasks)
        for region in sorted(before):
            where = f" in {region}" if region else ""
            known = self.earlier.places.get((source, region), 1)
            if now[region] < known:
                self.fail(source, f"{source}{where}", _lost(now[region], known, where), Reading(source, region))
        if tasks or before:
            return
        if need is Need.REQUIRED:
            self.fail(source, source.value, NotOffered("the catalogue has no such service"), Reading(source))
            return
        if need is Need.OPTIONAL:
            # About a service that the present catalogue omits, we know no more than about one that does not answer.
            self._unread.add(Unread(source))
        self._readings.append(Reading(source, problem="not asked: the catalogue has no such service"))
        if source is Source.SERVERS:
            self._remarks.append("servers are not asked: the catalogue has no compute service")

    def _pass_over(self, task: Task) -> None:
        """Note that the configuration replaces an endpoint."""
        why = "not asked: the configuration replaces its URL"
        self._remarks.append(f"{task.label} at {task.place} {why}")
        self._readings.append(Reading(task.source, task.region, problem=f"{why} ({task.place})"))

    def _take(self, task: Task, answer: Users | CloudError) -> None:
        if isinstance(answer, CloudError):
            self.fail(task.source, task.label, answer, Reading(task.source, task.region, task.place))
            return
        found = in_order(answer, task.label)
        for image_id, using in found.items():
            self._users[image_id] += using
        users = {user.id for using in found.values() for user in using}
        note = task.endpoint.note if task.endpoint is not None else None
        if note is not None:
            self._remarks.append(f"{task.label} asked {note}")
        self._readings.append(Reading(task.source, task.region, task.place, None, len(users), len(found), note))

    def fail(self, source: Source, label: str, error: CloudError, reading: Reading) -> None:
        """Note that a source, or a part of it by this name, cannot be read."""
        self._readings.append(replace(reading, problem=str(error)))
        if self.sources.need(source) is Need.OPTIONAL:
            self._unread.add(Unread(source, "" if label == source else label))
            self._remarks.append(f"{label} could not be read, but are optional here: {error}")
        else:
            lifted = f"`usage: {{{source}: optional}}`"
            self._problems.append(f"{label}: {error} (to go on without them, write {lifted} on the target)")

    def _made_of_images(self) -> int | None:
        """How many volumes were made from images; None where not all were read."""
        readings = [reading for reading in self._readings if reading.source is Source.VOLUMES]
        if not readings or any(reading.problem is not None for reading in readings):
            return None
        return sum(user.kind is UserKind.VOLUME for users in self._users.values() for user in users)


def _lost(there: int, known: int, where: str) -> NotOffered:
    if not there:
        return NotOffered(f"the catalogue no longer has the service{where}, which the last accepted survey read")
    return NotOffered(
        f"the catalogue has {counted(there, 'such service')}{where}, the last accepted survey read {known}"
    )


def _by_source(reading: Reading) -> tuple[int, str, str]:
    return list(Source).index(reading.source), reading.region, reading.place
