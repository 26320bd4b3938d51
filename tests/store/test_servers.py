"""The servers that are looked up by an index are those that a look at every use finds."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from janitor.core.names.image_ids import folded
from janitor.core.result import Mode
from janitor.core.survey import Survey
from janitor.core.units import iso
from janitor.core.usage import Source, Unread, Usage, User, UserKind
from janitor.store import Store
from tests.factories import image_called
from tests.new_database import new_database
from tests.store.recorded import NOW

NIGHT = timedelta(days=1)
SERVERS = st.sampled_from(["s1", "s2", "s3", ""])
USERS = st.builds(User, SERVERS, st.just("web"), st.sampled_from([UserKind.INSTANCE, UserKind.VOLUME]))
USED = st.dictionaries(st.sampled_from(["a", "b"]).map(folded), st.lists(USERS, max_size=3, unique=True).map(tuple))
UNREAD = st.sampled_from([frozenset[Unread](), frozenset({Unread(Source.SERVERS)})])
USAGES = st.builds(Usage, USED, unread=UNREAD, ended=st.frozensets(SERVERS)) | st.just(Usage(problem="unread"))

SCAN = """
SELECT instance, kind, deleted_in_run, coalesce(last_seen, :latest) FROM uses NOT INDEXED WHERE target = 'prod'
"""


@given(st.lists(USAGES, min_size=1, max_size=6), st.integers(0, 6))
def test_earlier_servers_are_those_of_all_uses_that_count(nights: list[Usage], since: int) -> None:
    with TemporaryDirectory() as folder, Store.open(new_database(Path(folder, "janitor.db"))) as store:
        latest = None
        for night, usage in enumerate(nights):
            at = NOW + night * NIGHT
            store.record_survey(store.begin_run(Mode.DRY_RUN, at), "prod", Survey((image_called("a"),), usage, at, at))
            latest = latest if usage.problem is not None else iso(at)
        with store._file.reading() as db:
            every = db.execute(SCAN, {"latest": latest}).fetchall()
        seen: dict[str, str] = {}
        for server, kind, deleted, last in every:
            if server and kind == "instance" and deleted is None and last is not None:
                seen[server] = max(last, seen.get(server, last))
        expected = {server: last for server, last in seen.items() if last >= iso(NOW + since * NIGHT)}
        known = store.earlier_usage("prod", NOW + since * NIGHT).servers
        assert {server: iso(last) for server, last in known.items()} == expected
