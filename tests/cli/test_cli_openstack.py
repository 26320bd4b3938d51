"""OpenStack targets as a user sees them: the command as a process, its exit codes and output, and what it imports."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from janitor.errors import Exit
from janitor.sandbox.calls import Api
from janitor.sandbox.faults import Fault, Faults, Rule
from janitor.sandbox.models import OURS
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox, running
from tests.conftest import POLICY, Desk
from tests.identity_stand_in import Keystone, refusal, serving

SECRET = "a-password-of-clouds-yaml"
LIBRARIES = {"keystoneauth1", "openstack", "requests"}

# Runs the command, and tells on stderr which of these modules it left behind.
TELLING = """
import atexit, sys
looked_for = sys.argv.pop(1).split(",")
atexit.register(lambda: print("imported", *(name for name in looked_for if name in sys.modules), file=sys.stderr))
from janitor.cli.app import main
main()
"""
# Runs the command where a package is not installed.
LACKING = """
import sys
sys.modules[sys.argv.pop(1)] = None
from janitor.cli.app import main
main()
"""


@pytest.fixture
def cloud() -> Iterator[Sandbox]:
    with running(Options(api=Api.OPENSTACK, images=40, regions=2, password=SECRET)) as started:
        yield started


@pytest.fixture
def cloud_desk(desk: Desk, cloud: Sandbox) -> Desk:
    """A desk with policies, and a clouds.yaml in its home directory, where other tools look for it."""
    desk.write("policies/old.yaml", POLICY)
    auth = {
        "auth_url": cloud.url.replace("/v2.0", "/v3"),
        "project_id": OURS,
        "username": cloud.options.username,
        "user_domain_id": "default",
        "password": SECRET,
    }
    clouds = {"here": {"auth": auth, "region_name": "RegionTwo"}, "there": {"auth": auth}}
    desk.write(".config/openstack/clouds.yaml", yaml.safe_dump({"clouds": clouds}))
    return desk


def configure(desk: Desk, *targets: dict[str, Any]) -> None:
    ample = {"max_deletions": 1000, "max_share": "100%"}
    desk.write("janitor.yaml", yaml.safe_dump({"limits": ample, "targets": list(targets), "http": {"attempts": 1}}))


def named(name: str = "prod", **keys: Any) -> dict[str, Any]:
    return {"name": name, "api": "openstack", **keys}


def spelled_out(cloud: Sandbox, name: str = "all", **keys: Any) -> dict[str, Any]:
    login = {"identity": cloud.url, "tenant_id": OURS, "username": cloud.options.username, "password": SECRET}
    return named(name, **login, **keys)


def outcomes(report: str) -> dict[str, str]:
    return {target["target"]: target["outcome"] for target in json.loads(report)["targets"]}


def script(desk: Desk, text: str, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-W", "error", "-c", text, *words]
    return subprocess.run(command, capture_output=True, timeout=60, check=False, **desk.settings_for_process())


def test_both_kinds_of_targets_are_one_job_with_one_report(cloud_desk: Desk, cloud: Sandbox, sandbox: Sandbox) -> None:
    old = yaml.safe_load(sandbox.configuration())["targets"][0] | {"name": "old"}
    configure(cloud_desk, old, named(cloud="here", region="*"))

    done = cloud_desk.janitor("run", "--dry-run", "--format", "json")

    assert (done.returncode, done.stderr) == (Exit.OK, "")
    assert outcomes(done.stdout) == dict.fromkeys(["old", "prod-RegionOne", "prod-RegionTwo"], "ok")
    assert len([asked for asked in cloud.requests if asked.path.endswith("/tokens")]) == 1, (
        "one sign-in for all regions"
    )


def test_two_targets_that_are_one_are_a_mistake(cloud_desk: Desk, cloud: Sandbox) -> None:
    configure(cloud_desk, named(cloud="here"), spelled_out(cloud, region="*"))

    done = cloud_desk.janitor("run", "--dry-run")

    assert done.returncode == Exit.USAGE
    assert "targets[1]: is the same project and image service as target prod" in done.stderr


def test_one_region_is_run_alone(cloud_desk: Desk, cloud: Sandbox) -> None:
    configure(cloud_desk, named(cloud="here"), spelled_out(cloud, region="*"))

    done = cloud_desk.janitor("run", "--dry-run", "--format", "json", "--target", "all-RegionTwo")

    assert outcomes(done.stdout) == {"all-RegionTwo": "ok"}


def test_the_variables_of_openstack_are_enough(cloud_desk: Desk, cloud: Sandbox) -> None:
    configure(cloud_desk, named())
    cloud_desk.environment |= {"OS_CLOUD": "there", "OS_REGION_NAME": "RegionOne"}

    done = cloud_desk.janitor("check", "--live")

    assert done.returncode == Exit.OK
    assert "target prod    ok: token accepted for project" in done.stdout


def test_without_any_the_ways_to_give_credentials_are_told(cloud_desk: Desk) -> None:
    configure(cloud_desk, named())

    done = cloud_desk.janitor("check")

    assert done.returncode == Exit.USAGE
    assert "targets[0]: has no credentials: name a cloud of clouds.yaml by cloud, or give identity" in done.stderr


@pytest.mark.parametrize("command", ["check", "run", "serve"])
def test_an_unknown_cloud_is_told_without_asking_anybody(cloud_desk: Desk, cloud: Sandbox, command: str) -> None:
    configure(cloud_desk, named(cloud="heer"))
    cloud_desk.amend('schedule: "0 3 * * *"\n')

    done = cloud_desk.janitor(command)

    assert done.returncode == Exit.USAGE
    assert 'janitor.yaml: targets[0]: no cloud named "heer" in ' in done.stderr
    assert "clouds.yaml; there is here, there" in done.stderr
    assert cloud.requests == ()


def test_an_unknown_region_is_told_before_anything_is_surveyed(cloud_desk: Desk, cloud: Sandbox) -> None:
    configure(cloud_desk, named(cloud="here"), spelled_out(cloud, region="RegionTen"))

    done = cloud_desk.janitor("run")

    assert (done.returncode, done.stdout) == (Exit.USAGE, "")
    told = 'janitor.yaml: targets[1]: the cloud has no images in a region "RegionTen"; there is RegionOne, RegionTwo\n'
    assert done.stderr == told
    assert not (cloud_desk.folder / "janitor.db").exists()
    assert not [asked for asked in cloud.requests if "/images" in asked.path]


def test_who_is_not_let_in_fails_alone_and_in_one_line(cloud_desk: Desk, cloud: Sandbox) -> None:
    with serving(Keystone(scripted=[refusal(401, "Who are you?")])) as keystone:
        other = spelled_out(cloud, "bad") | {"identity": keystone.url, "tenant_id": "0" * 32}
        configure(cloud_desk, named(cloud="here"), other)
        done = cloud_desk.janitor("run", "--dry-run", "--format", "json")

    assert done.returncode == Exit.FAILED
    assert outcomes(done.stdout) == {"prod": "ok", "bad": "failed"}
    [line] = done.stderr.splitlines()
    assert line.endswith('HTTP 401 "Who are you?": the credentials are not accepted')


def test_no_password_of_clouds_yaml_is_shown_or_kept(cloud_desk: Desk) -> None:
    configure(cloud_desk, named(cloud="here"))

    done = cloud_desk.janitor("run", "-vv", "--format", "json")

    assert outcomes(done.stdout) == {"prod": "ok"}
    assert SECRET not in done.stdout + done.stderr
    assert not [path for path in cloud_desk.folder.glob("janitor.db*") if SECRET.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("package", "target", "command"),
    [
        pytest.param("keystoneauth1", {"cloud": "here"}, "check", id="none-of-it"),
        pytest.param("openstack", {"cloud": "here"}, "run", id="half-of-it"),
        pytest.param("keystoneauth1", None, "run", id="spelled-out"),
    ],
)
def test_a_missing_extra_is_told_with_what_installs_it(
    cloud_desk: Desk, cloud: Sandbox, package: str, target: dict[str, str] | None, command: str
) -> None:
    configure(cloud_desk, spelled_out(cloud) if target is None else named(**target))

    done = script(cloud_desk, LACKING, package, command)

    assert (done.returncode, done.stdout) == (Exit.USAGE, "")
    assert done.stderr == (
        f"janitor.yaml: targets[0]: api: openstack needs {package}, which is not installed: "
        "pip install 'image-janitor[openstack]'\n"
    )


@pytest.mark.parametrize("words", [["--version"], ["check", "--live"], ["run", "--dry-run"], ["runs"]], ids=" ".join)
def test_nothing_of_openstack_is_imported_for_other_targets(sandbox_desk: Desk, words: list[str]) -> None:
    sandbox_desk.janitor("run", "--dry-run")

    done = script(sandbox_desk, TELLING, ",".join(LIBRARIES), *words)

    assert (done.returncode, done.stderr) == (Exit.OK, "imported\n")


def test_only_what_reads_clouds_yaml_is_imported_for_a_cloud_and_not_even_that_else(
    cloud_desk: Desk, cloud: Sandbox
) -> None:
    names = "keystoneauth1,openstack.config,openstack.connection"
    configure(cloud_desk, spelled_out(cloud, region="*"))
    assert script(cloud_desk, TELLING, names, "run", "--dry-run").stderr == "imported keystoneauth1\n"
    configure(cloud_desk, named(cloud="here"))
    assert script(cloud_desk, TELLING, names, "run", "--dry-run").stderr == "imported keystoneauth1 openstack.config\n"


def test_a_clouds_yaml_that_nobody_asked_for_is_not_read(cloud_desk: Desk, cloud: Sandbox) -> None:
    cloud_desk.write(".config/openstack/clouds.yaml", "clouds: [")
    configure(cloud_desk, spelled_out(cloud, region="*"))

    assert cloud_desk.janitor("check", "--live").returncode == Exit.OK


# Which services are asked


@pytest.fixture
def scattered(desk: Desk) -> Iterator[Desk]:
    """A project whose two regions share their images, with three computes, and volumes under an alias."""
    options = Options(
        api=Api.OPENSTACK, images=60, regions=2, shared_images=True, computes=2, volume_type="block-store"
    )
    with running(options) as started:
        desk.write("janitor.yaml", started.configuration())
        desk.write("policies/old.yaml", POLICY)
        yield desk


def test_a_live_check_says_what_was_asked_where_and_what_it_told(scattered: Desk) -> None:
    done = scattered.janitor("check", "--live")
    assert done.returncode == Exit.OK, done.stdout + done.stderr
    assert "target sandbox-RegionOne (also sandbox-RegionTwo) ok: " in done.stdout
    rows = [line.split() for line in done.stdout.splitlines()]
    asked = {(row[0], row[2] if row[1] == "in" else "") for row in rows if "yes" in row}
    regions = ("RegionOne", "RegionTwo")
    both = {(source, region) for source in ("servers", "volumes", "clusters", "stacks") for region in regions}
    assert asked == {("servers", ""), *both}
    table = done.stdout.split("source", 1)[1].partition("\nnext ")[0]
    assert max(map(len, table.splitlines())) <= 80
    places = [row[0] for row in rows if row and row[0].startswith("/") and row[0].endswith("/{project}")]
    assert len(places) == 7, "none is broken"


def test_a_live_check_prints_the_line_that_lets_a_run_go_on(desk: Desk) -> None:
    faults = Faults(0, (Rule(Fault.RESULT_CODE, calls=frozenset({"list-clusters"}), code=403),))
    with running(Options(api=Api.OPENSTACK, images=20, faults=faults)) as started:
        desk.write("janitor.yaml", started.configuration())
        desk.write("policies/old.yaml", POLICY)
        refused = desk.janitor("check", "--live")
        assert refused.returncode == Exit.FAILED
        assert "`usage: {clusters: optional}`" in refused.stdout
        text = started.configuration().replace("    region:", "    usage: {clusters: optional}\n    region:")
        desk.write("janitor.yaml", text)
        lifted = desk.janitor("check", "--live")
        assert lifted.returncode == Exit.OK
        assert "403" in lifted.stdout
        report = desk.janitor("run", "--dry-run")
        assert "clusters in RegionOne could not be read" in " ".join(report.stdout.split())


def test_an_explanation_names_every_user_and_the_text_that_names_the_image(scattered: Desk) -> None:
    scattered.janitor("run", "--dry-run")
    images = scattered.target("images")["images"]
    used = next(image for image in images if len({user["kind"] for user in image["used_by"]}) > 1)
    scattered.write("infra/web.tf", f"\nimage = {used['id']}\n")
    scattered.amend('references: [{files: "infra/*.tf"}]\n')
    scattered.janitor("run", "--dry-run")
    words = " ".join(scattered.janitor("explain", used["id"]).stdout.split())
    for user in used["used_by"]:
        assert f"{user['kind']} {user['name'] or user['id']} ({user['source']})" in words
    assert "named in infra/web.tf:2" in words
