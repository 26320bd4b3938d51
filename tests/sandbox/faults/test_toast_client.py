"""What the janitor's own client makes of faults: it comes through a storm, and tells of an outage."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
import stamina

from janitor.cloud.toast.client import ToastClient
from janitor.core.planning.deletion import Answer
from janitor.errors import Unavailable
from janitor.sandbox.calls import Api
from janitor.sandbox.faults import Fault, Faults, Rule, faults_of
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox
from janitor.transport import HttpOptions
from tests.sandbox.faults.rules import one
from tests.sandbox.ways import WAYS, reached


@contextmanager
def client_of(options: Options, way: str) -> Iterator[tuple[Sandbox, ToastClient]]:
    """A sandbox and the janitor's own client of it, which tries again without waiting."""
    patience = HttpOptions(timeout=timedelta(milliseconds=200), attempts=9)
    account = (options.appkey, options.username, options.password)
    with (
        stamina.set_testing(True, attempts=9),
        reached(way, options) as (sandbox, transport),
        closing(ToastClient(sandbox.url, *account, patience, http_transport=transport)) as client,
    ):
        yield sandbox, client


@pytest.mark.parametrize("way", WAYS)
def test_a_real_client_comes_through_a_storm(way: str) -> None:
    rules = tuple(
        Rule(fault, probability=0.04, delay=timedelta(seconds=1), code=-2, retry_after=timedelta())
        for fault in faults_of(Api.TOAST)
        if fault not in (Fault.EMPTY_INSTANCES, Fault.CLOCK_OFF, Fault.VANISHED_MARKER, Fault.DELETION_NOT_DONE)
    )
    with client_of(Options(images=300, page_cap=20, faults=Faults(4, rules)), way) as (sandbox, client):
        listed = [image.id for image in client.images()]
        assert sorted(listed) == sorted(sandbox.account.images)
        doomed = next(image for image in sandbox.account.images if sandbox.account.is_deletable(image))
        sandbox.faults = one(Fault.DELETION_UNACKNOWLEDGED, 1)
        assert client.delete(doomed) is Answer.ACCEPTED
        assert {fault for call in sandbox.requests for fault in call.faults} >= {"http-error", "cut-off-body"}


def test_a_lasting_outage_is_one_that_patience_does_not_outlast() -> None:
    faults = one(Fault.HTTP_ERROR, 2, calls=frozenset({"list-images"}), lasting=timedelta(hours=1))
    with (
        client_of(Options(images=50, page_cap=20, faults=faults), "in-process") as (_, client),
        pytest.raises(Unavailable, match="HTTP 503"),
    ):
        list(client.images())
