"""The container and its examples, checked by reading them; tests/container builds and runs it, if possible."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from janitor.cloud.openstack.target import Login, OpenStackTarget
from janitor.cloud.service import Need, Sources
from janitor.cloud.toast.target import ToastTarget
from janitor.config import load_settings
from janitor.config.policy_files import load_policies
from janitor.core.cron import Cron
from janitor.core.result import Mode
from janitor.errors import ConfigurationError
from janitor.transport import HttpOptions

ROOT = Path(__file__).parents[2]
USER = 10001
IDENTITY = "https://api-identity-infrastructure.nhncloudservice.com/v2.0"
CREDENTIALS = {"NHN_TENANT_ID": "the-tenant", "NHN_USERNAME": "somebody", "NHN_PASSWORD": "a-password"}
V2 = {"NHN_IDENTITY": IDENTITY, "NHN_REGION": "KR1", **CREDENTIALS}
V1 = {"JANITOR_API": "toast", "NHN_APPKEY": "the-appkey", "NHN_USERNAME": "somebody", "NHN_PASSWORD": "a-password"}
V1_OF_OLD = {"JANITOR_API": "toast"} | {key.replace("NHN", "TOAST"): V1[key] for key in V1 if key != "JANITOR_API"}


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """Every instruction with its arguments, continuation lines joined, comments left out."""
    lines = [line for line in dockerfile.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in joined.splitlines() if line]


INSTRUCTIONS = instructions((ROOT / "Dockerfile").read_text())
STAGES = [index for index, (word, _) in enumerate(INSTRUCTIONS) if word == "FROM"]
FINAL = INSTRUCTIONS[STAGES[-1] :]


def final(word: str) -> list[str]:
    """The arguments of every such instruction of the stage that becomes the image."""
    return [arguments for name, arguments in FINAL if name == word]


def environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for arguments in final("ENV") for pair in arguments.split())


def tracked() -> set[str]:
    """Every file that git knows, and every directory above one."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git clone")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {part for name in listed.splitlines() for part in (name, *map(str, Path(name).parents))}


def copied() -> list[str]:
    """Everything that is copied into any stage from this directory."""
    sources = [
        arguments.split()[:-1] for word, arguments in INSTRUCTIONS if word == "COPY" and "--from" not in arguments
    ]
    return [source for group in sources for source in group]


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((ROOT / name).read_text()))


def pins(name: str) -> set[str]:
    return set(re.findall(r"^[a-z0-9][\w.-]*==\S+", (ROOT / "requirements" / name).read_text(), re.MULTILINE))


# The image


@pytest.mark.parametrize("index", STAGES)
def test_every_base_is_slim_and_pinned_to_a_release_and_a_distribution(index: int) -> None:
    assert re.match(r"python:3\.\d+-slim-[a-z]+( AS \w+)?$", INSTRUCTIONS[index][1])


def test_every_stage_has_the_same_base_as_the_environment_is_copied_between_them() -> None:
    assert len({INSTRUCTIONS[index][1].split()[0] for index in STAGES}) == 1


def test_the_base_is_a_python_that_the_package_supports() -> None:
    found = re.search(r"python:3\.(\d+)", INSTRUCTIONS[0][1])
    assert found is not None
    assert int(found[1]) >= 11


@pytest.mark.parametrize(
    ("word", "arguments"),
    [
        pytest.param("USER", [f"{USER}:{USER}"], id="a-numeric-user-that-is-not-root"),
        pytest.param("ENTRYPOINT", ['["janitor"]'], id="entrypoint-without-a-shell-so-that-signals-arrive"),
        pytest.param("CMD", ['["serve"]'], id="serves-by-default"),
        pytest.param("STOPSIGNAL", ["SIGTERM"], id="stop-signal"),
        pytest.param("VOLUME", ["/data"], id="one-volume"),
        pytest.param("WORKDIR", ["/data"], id="temporary-files-go-where-one-can-write"),
    ],
)
def test_the_image(word: str, arguments: list[str]) -> None:
    assert final(word) == arguments


def test_data_belongs_to_the_user_before_it_becomes_a_volume() -> None:
    made = FINAL.index(("RUN", f"install -d -o {USER} -g {USER} -m 0700 /data"))
    assert made < FINAL.index(("VOLUME", "/data"))


def test_the_command_is_tried_while_building_as_the_user_that_will_run_it() -> None:
    assert FINAL.index(("RUN", '["janitor", "--version"]')) > FINAL.index(("USER", f"{USER}:{USER}"))


def test_nothing_is_written_outside_data() -> None:
    expected = {"JANITOR_CONFIG": "/etc/janitor/janitor.yaml", "HOME": "/data", "PYTHONDONTWRITEBYTECODE": "1"}
    assert environment().items() >= expected.items()


def test_configuration_and_policies_stand_in_etc_janitor() -> None:
    assert {"deploy/container/janitor.yaml /etc/janitor/janitor.yaml", "policies /etc/janitor/policies"} <= set(
        final("COPY")
    )


def test_no_secret_is_built_in() -> None:
    words = " ".join(arguments for _, arguments in INSTRUCTIONS)
    assert not re.search(r"NHN_|OS_|TOAST_|SLACK_|PASSWORD|TOKEN|--index-url|PIP_INDEX", words)


# What it is built from


def test_every_source_is_in_git() -> None:
    assert set(copied()) <= tracked()


def test_every_source_is_let_through_and_nothing_else() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == set(copied())


def test_every_installation_is_locked_with_hashes_or_the_package_itself() -> None:
    runs = " && ".join(arguments for word, arguments in INSTRUCTIONS if word == "RUN")
    installs = [step for step in runs.split("&&") if "pip install" in step or "pip wheel" in step]
    assert installs
    assert all("--require-hashes -r requirements/" in step or "--no-deps" in step for step in installs)


@pytest.mark.parametrize("name", ["runtime.txt", "build.txt"])
def test_the_container_runs_and_builds_with_what_is_tested(name: str) -> None:
    assert pins(name)
    assert pins(name) <= pins("dev.txt")


def test_the_locks_hold_what_the_package_asks_for() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())
    locked = {pin.split("==")[0] for pin in pins("runtime.txt")}
    extras = asked["project"]["optional-dependencies"]
    wanted = [*asked["project"]["dependencies"], *extras["openstack"], *extras["fleet"]]
    assert {re.split(r"[<>=\[]", requirement)[0] for requirement in wanted} <= locked
    assert asked["build-system"]["requires"][0] in (ROOT / "requirements/build.in").read_text().splitlines()


# The configuration inside it


def load(environ: dict[str, str]) -> Any:
    return load_settings(ROOT / "deploy/container/janitor.yaml", environ)


def test_five_variables_are_a_configuration() -> None:
    settings = load(V2)
    assert settings.targets == (
        OpenStackTarget(
            name="cloud",
            api="openstack",
            login=Login(IDENTITY, "the-tenant", "somebody", "a-password"),
            cloud=None,
            region="KR1",
            image_endpoint=None,
            shared_ignored=False,
            usage=Sources(),
            imageless=False,
            http=HttpOptions(),
        ),
    )
    assert (settings.mode, settings.slack, settings.database) == (Mode.DRY_RUN, None, Path("/data/janitor.db"))
    assert settings.schedule == Cron.parse("0 3 * * *")


def test_the_environment_says_how_much_each_source_of_usage_matters() -> None:
    [target] = load(V2 | {"JANITOR_USAGE_CLUSTERS": "optional", "JANITOR_USAGE_IMAGELESS": "none"}).targets
    assert (target.usage, target.imageless) == (Sources(clusters=Need.OPTIONAL), True)


@pytest.mark.parametrize("given", [V1, V1_OF_OLD], ids=["by-the-new-names", "by-those-of-old"])
def test_so_are_four_for_the_old_api(given: dict[str, str]) -> None:
    (target,) = load(given).targets
    assert isinstance(target, ToastTarget)
    assert (target.appkey, target.username, target.password) == ("the-appkey", "somebody", "a-password")
    assert target.endpoint == "https://api-compute.cloud.toast.com/compute"


@pytest.mark.parametrize("given", [{"OS_CLOUD": "mine"}, {"OS_AUTH_URL": "https://x/v3", "OS_REGION_NAME": "here"}])
def test_so_are_those_of_every_openstack_tool(given: dict[str, str]) -> None:
    (target,) = load(given).targets
    assert (target.login, target.cloud, target.region) == (None, None, given.get("OS_REGION_NAME"))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        pytest.param(given, name, id=name)
        for given in (V2, V1)
        for name in given
        if name not in ("NHN_REGION", "JANITOR_API")
    ],
)
def test_a_missing_variable_is_named(given: dict[str, str], name: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load({key: value for key, value in given.items() if key != name})
    assert f"environment variable {name} is not set" in str(refused.value)


def test_where_all_are_missing_they_are_named_too() -> None:
    with pytest.raises(ConfigurationError) as refused:
        load({})
    assert not [name for name in (*V2, "OS_CLOUD") if name not in str(refused.value) and name != "NHN_REGION"]


@pytest.mark.parametrize(
    ("given", "name"),
    [(V2, "NHN_PASSWORD"), (V2, "NHN_USERNAME"), *((V1_OF_OLD, name) for name in V1_OF_OLD if "_API" not in name)],
)
def test_a_secret_can_come_from_a_file(given: dict[str, str], name: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from-a-file\n")
    (target,) = load(given | {name: "", f"{name}_FILE": str(secret)}).targets
    assert getattr(target if given is V1_OF_OLD else target.login, name.partition("_")[2].lower()) == "from-a-file"


def test_the_shipped_policies_load() -> None:
    assert load_policies(ROOT / "policies")


# docker compose


(COMPOSE,) = documents("compose.yaml")
SERVICE = COMPOSE["services"]["janitor"]


def checked(module: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """The output of a checker that includes its schemas; nothing is fetched."""
    return subprocess.run([sys.executable, "-m", module, *words], cwd=ROOT, capture_output=True, text=True, check=False)


def check_compose(file: str) -> "subprocess.CompletedProcess[str]":
    return checked("check_jsonschema", "--builtin-schema", "vendor.compose-spec", file)


def test_compose_is_what_its_published_schema_allows(tmp_path: Path) -> None:
    done = check_compose("compose.yaml")
    assert done.returncode == 0, done.stdout
    (tmp_path / "wrong.yaml").write_text((ROOT / "compose.yaml").read_text().replace("cap_drop", "cap_dorp"))
    assert "cap_dorp" in check_compose(str(tmp_path / "wrong.yaml")).stdout


def test_compose_is_locked_down() -> None:
    assert (SERVICE["read_only"], SERVICE["cap_drop"]) == (True, ["ALL"])
    assert SERVICE["security_opt"] == ["no-new-privileges:true"]


def test_compose_keeps_the_database_in_a_named_volume() -> None:
    assert SERVICE["volumes"] == ["data:/data", "./policies:/etc/janitor/policies:ro"]
    assert "data" in COMPOSE["volumes"]


def test_compose_sets_only_what_the_configuration_reads_and_demands_the_credentials() -> None:
    known = set(re.findall(r"\$\{(\w+)", (ROOT / "deploy/container/janitor.yaml").read_text()))
    assert set(SERVICE["environment"]) <= known
    assert all(SERVICE["environment"][name] == f"${{{name}:?}}" for name in CREDENTIALS)


def test_compose_as_it_stands_is_a_configuration() -> None:
    given = {
        name: default for name, value in SERVICE["environment"].items() for default in re.findall(r":-(.*)}", value)
    }
    settings = load(given | CREDENTIALS)
    assert (settings.mode, settings.timezone.key, settings.slack) == (Mode.DRY_RUN, "Asia/Seoul", None)


# Kubernetes

MANIFESTS = {manifest["kind"]: manifest for manifest in documents("deploy/cronjob.yaml")}
CRON_JOB = MANIFESTS["CronJob"]["spec"]
POD = CRON_JOB["jobTemplate"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


@pytest.mark.parametrize("file", sorted((ROOT / "deploy").glob("*.yaml")), ids=lambda path: path.name)
@pytest.mark.parametrize("version", ["1.27.0", "1.37.0"], ids=["the-first-with-time-zones", "the-last-known-here"])
def test_every_manifest_is_what_its_published_schema_allows(file: Path, version: str, tmp_path: Path) -> None:
    done = checked("kubernetes_validate", "--strict", "-k", version, str(file))
    said = done.stdout + done.stderr
    assert (done.returncode, said.count("passed for resource")) == (0, len(documents(str(file)))), said
    (tmp_path / "wrong.yaml").write_text(file.read_text().replace("metadata:", "metdata:"))
    assert checked("kubernetes_validate", "--strict", "-k", version, str(tmp_path / "wrong.yaml")).returncode != 0


def test_runs_never_overlap_and_a_failed_one_is_not_repeated_blindly() -> None:
    assert CRON_JOB["concurrencyPolicy"] == "Forbid"
    assert CRON_JOB["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert POD["restartPolicy"] == "Never"


def test_the_cron_job_fires_as_our_own_service_would() -> None:
    assert CRON_JOB["schedule"] == Cron.parse(CRON_JOB["schedule"]).text == "0 3 * * *"
    assert CRON_JOB["timeZone"] == yaml.safe_load(MANIFESTS["ConfigMap"]["data"]["janitor.yaml"])["timezone"]


def test_the_pod_is_locked_down() -> None:
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert {POD["securityContext"][key] for key in ("runAsUser", "runAsGroup", "fsGroup")} == {USER}
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_pod_uses_the_entrypoint_with_arguments_of_its_own() -> None:
    assert "command" not in CONTAINER
    assert CONTAINER["args"] == ["run"]


def test_the_pod_mounts_what_is_defined_beside_it() -> None:
    mounts = {mount["mountPath"]: mount["name"] for mount in CONTAINER["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in POD["volumes"]}
    assert set(mounts) == {"/etc/janitor", "/data"}
    assert volumes[mounts["/data"]]["persistentVolumeClaim"]["claimName"] == name_of("PersistentVolumeClaim")
    assert volumes[mounts["/etc/janitor"]]["configMap"]["name"] == name_of("ConfigMap")
    assert CONTAINER["envFrom"] == [{"secretRef": {"name": name_of("Secret")}}]


def name_of(kind: str) -> str:
    return str(MANIFESTS[kind]["metadata"]["name"])


def test_the_mounted_configuration_loads_with_the_secret_and_finds_its_policies(tmp_path: Path) -> None:
    (volume,) = (volume for volume in POD["volumes"] if "configMap" in volume)
    for item in volume["configMap"]["items"]:
        file = tmp_path / item["path"]
        file.parent.mkdir(exist_ok=True)
        file.write_text(MANIFESTS["ConfigMap"]["data"][item["key"]])
    settings = load_settings(tmp_path / "janitor.yaml", MANIFESTS["Secret"]["stringData"] | CREDENTIALS)
    assert (settings.mode, settings.database) == (Mode.DRY_RUN, Path("/data/janitor.db"))
    names = [policy.name for policy in load_policies(settings.policies)]
    assert names == ["stuck-uploads", "endless-saves", "ci-images"]


def test_the_secret_is_empty_and_names_what_the_configuration_reads() -> None:
    secret = MANIFESTS["Secret"]["stringData"]
    assert set(secret.values()) == {""}
    assert set(secret) == set(re.findall(r"\$\{(\w+)", json.dumps(MANIFESTS["ConfigMap"]["data"])))
