"""keystoneauth1 and openstacksdk, which know nothing of the sandbox, work against it, behind a socket and without."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from janitor.sandbox.calls import Api
from janitor.sandbox.faults import Fault, Faults, Rule
from janitor.sandbox.models import OURS
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox
from tests.sandbox.ways import WAYS, reached

identity = pytest.importorskip("keystoneauth1.identity")
exceptions = pytest.importorskip("keystoneauth1.exceptions")
session = pytest.importorskip("keystoneauth1.session")
openstack = pytest.importorskip("openstack")
requests = pytest.importorskip("requests")

# The SDK warns of what it will itself do away with, in lines of its own.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
OPTIONS = Options(api=Api.OPENSTACK, images=60, regions=2)
IMAGES = {"service_type": "image", "region_name": "RegionOne"}


@contextmanager
def session_to(way: str, options: Options = OPTIONS) -> Iterator[tuple[Sandbox, Any]]:
    """A sandbox, and a requests session that reaches it."""
    from tests.sandbox.openstack.requests_adapter import SandboxAdapter

    with reached(way, options) as (sandbox, transport), requests.Session() as http:
        http.trust_env = False
        if transport is not None:
            http.mount(sandbox.origin, SandboxAdapter(transport))
        yield sandbox, http


@pytest.fixture(params=WAYS)
def both(request: pytest.FixtureRequest) -> Iterator[tuple[Sandbox, Any]]:
    with session_to(request.param) as both:
        yield both


def user(sandbox: Sandbox) -> dict[str, str]:
    return {"username": sandbox.options.username, "password": sandbox.options.password}


PLUGINS: dict[str, Callable[[Sandbox], Any]] = {
    "v2-password": lambda it: identity.V2Password(it.url, tenant_id=OURS, **user(it)),
    "v3-password": lambda it: identity.V3Password(
        f"{it.origin}/identity/v3", project_id=OURS, user_domain_id="default", **user(it)
    ),
    "v3-application-credential": lambda it: identity.V3ApplicationCredential(
        f"{it.origin}/identity/v3",
        application_credential_id=it.options.application,
        application_credential_secret=it.options.application_secret,
    ),
    "generic-unversioned": lambda it: identity.Password(
        f"{it.origin}/identity", project_id=OURS, user_domain_name="Default", **user(it)
    ),
    "generic-project-by-name": lambda it: identity.Password(
        f"{it.origin}/identity",
        project_name="sandbox",
        project_domain_id="default",
        user_domain_id="default",
        **user(it),
    ),
    "generic-v3": lambda it: identity.Password(
        f"{it.origin}/identity/v3", project_id=OURS, user_domain_id="default", **user(it)
    ),
    "generic-v2": lambda it: identity.Password(it.url, tenant_id=OURS, **user(it)),
}


@pytest.mark.parametrize("plugin", PLUGINS.values(), ids=PLUGINS)
def test_every_plugin_signs_in_and_finds_every_service(both: tuple[Sandbox, Any], plugin: Any) -> None:
    sandbox, http = both
    auth = plugin(sandbox)
    cloud = session.Session(auth=auth, session=http)
    access = auth.get_access(cloud)
    assert access.project_id == OURS
    assert timedelta(minutes=50) < access.expires - datetime.now(UTC) < timedelta(minutes=61)
    for region, root in (("RegionOne", sandbox.origin), ("RegionTwo", f"{sandbox.origin}/RegionTwo")):
        found = [
            cloud.get_endpoint(service_type=service, region_name=region, interface="public")
            for service in ("image", "compute", "block-storage")
        ]
        assert found == [f"{root}/image", f"{root}/compute/v2.1/{OURS}", f"{root}/volume/v3/{OURS}"]
    assert cloud.get("/v2/images?limit=3", endpoint_filter=IMAGES).json()["next"].startswith("/v2/images?")


def test_wrong_credentials_are_what_the_library_calls_unauthorized(both: tuple[Sandbox, Any]) -> None:
    sandbox, http = both
    for auth in (
        identity.V2Password(sandbox.url, tenant_id=OURS, username="x", password="y"),
        identity.V3Password(
            f"{sandbox.origin}/identity/v3", project_id=OURS, user_domain_id="default", username="x", password="y"
        ),
        identity.V2Password(sandbox.url, tenant_id="f" * 32, **user(sandbox)),
    ):
        with pytest.raises(exceptions.Unauthorized, match="The request you have made requires authentication"):
            session.Session(auth=auth, session=http).get_token()


def test_a_token_that_ended_early_is_replaced_by_the_library_itself(both: tuple[Sandbox, Any]) -> None:
    sandbox, http = both
    cloud = session.Session(auth=PLUGINS["v2-password"](sandbox), session=http)
    assert cloud.get("/v2/images", endpoint_filter=IMAGES).status_code == 200
    sandbox.account.revoke_tokens()
    assert cloud.get("/v2/images", endpoint_filter=IMAGES).status_code == 200
    assert [one.name for one in sandbox.requests].count("issue-token") == 2


def test_an_error_of_glance_is_told_with_its_request_id(both: tuple[Sandbox, Any]) -> None:
    sandbox, http = both
    cloud = session.Session(auth=PLUGINS["v2-password"](sandbox), session=http)
    with pytest.raises(exceptions.NotFound) as caught:
        cloud.get("/v2/images/nope", endpoint_filter=IMAGES)
    assert caught.value.request_id.startswith("req-")


@pytest.mark.parametrize("plugin", ["v2-password", "v3-password"])
def test_the_sdk_lists_and_deletes(both: tuple[Sandbox, Any], plugin: str) -> None:
    sandbox, http = both
    cloud = session.Session(auth=PLUGINS[plugin](sandbox), session=http)
    connection = openstack.connection.Connection(session=cloud, region_name="RegionTwo")
    account = sandbox.accounts["RegionTwo"]
    images = {image.id: image for image in connection.image.images(limit=7)}
    hidden = [image.id for image in connection.image.images(is_hidden=True)]
    shown = [i for i in account.images.values() if i.owner == OURS and i.status not in ("killed", "deleted")]
    assert {i.id for i in shown} <= {*images, *hidden}
    assert hidden == [i.id for i in shown if i.hidden]
    assert {server.id for server in connection.compute.servers()} == account.instances.keys()
    assert {volume.id for volume in connection.block_storage.volumes()} == account.volumes.keys()
    doomed = next(image for image in images if account.is_deletable(image))
    connection.image.delete_image(doomed)
    assert doomed not in account.images
    protected = next(image.id for image in shown if image.protected)
    with pytest.raises(openstack.exceptions.ForbiddenException, match="is protected and cannot be deleted"):
        connection.image.delete_image(protected)


def test_the_sdk_finds_what_launches_servers(both: tuple[Sandbox, Any]) -> None:
    sandbox, http = both
    cloud = session.Session(auth=PLUGINS["v3-application-credential"](sandbox), session=http)
    connection = openstack.connection.Connection(session=cloud, region_name="RegionOne")
    infra = connection.container_infrastructure_management
    assert {cluster.id for cluster in infra.clusters()} == sandbox.account.clusters.keys()
    assert {template.id for template in infra.cluster_templates()} == sandbox.account.cluster_templates.keys()
    assert infra.get_endpoint_data().max_microversion == (1, 11)
    assert connection.compute.get_endpoint_data().max_microversion == (2, 96)
    known = sandbox.account.stacks
    stacks = list(connection.orchestration.stacks())
    assert {stack.id for stack in stacks} == {stack.id for stack in known.values() if stack.parent is None}
    shown = connection.orchestration.get_stack(stacks[0].id)
    assert known[shown.id].parameters.items() <= shown.parameters.items()


@pytest.mark.parametrize("name", ["sandbox", "sandbox-application"])
def test_the_clouds_yaml_that_is_printed_works(tmp_path: Path, name: str) -> None:
    with session_to("socket") as (sandbox, _):
        comment = sandbox.configuration().partition("# clouds:\n")[2].splitlines()
        path = tmp_path / "clouds.yaml"
        path.write_text("clouds:\n" + "\n".join(line.removeprefix("#") for line in comment))
        assert name in yaml.safe_load(path.read_text())["clouds"]
        configured = openstack.config.OpenStackConfig(config_files=[str(path)], load_envvars=False)
        connection = openstack.connection.Connection(config=configured.get_one(name))
        assert len(list(connection.image.images())) > 20
        connection.close()


def strike(sandbox: Sandbox, fault: Fault, **parameters: Any) -> None:
    sandbox.faults = Faults(0, (Rule(fault, calls=frozenset({"list-images"}), **parameters),))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.DROPPED_CONNECTION, "ConnectFailure"),
        (Fault.CUT_OFF_BODY, "ConnectFailure"),
        (Fault.DELAY, "ConnectTimeout"),
    ],
    ids=["dropped", "cut-off", "silence"],
)
def test_faults_reach_a_requests_session_without_sockets(fault: Fault, error: str) -> None:
    with session_to("in-process") as (sandbox, http):
        cloud = session.Session(auth=PLUGINS["v2-password"](sandbox), session=http, timeout=5)
        strike(sandbox, fault, **({"delay": timedelta(minutes=5)} if fault is Fault.DELAY else {}))
        with pytest.raises(getattr(exceptions, error)):
            cloud.get("/v2/images", endpoint_filter=IMAGES)
        sandbox.faults = Faults()
        assert cloud.get("/v2/images", endpoint_filter=IMAGES).status_code == 200
