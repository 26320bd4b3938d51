"""deploy/fleet.yaml, the example for Kubernetes, checked by reading it; its schema is checked with the others."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from janitor.cli.app import janitor
from janitor.config.fleet.accounts import load_accounts
from janitor.core.result import Mode
from janitor.notify.channels import SCHEMAS

ROOT = Path(__file__).parents[2]
MANIFESTS: dict[str, Any] = {
    f"{manifest['kind']} {manifest['metadata']['name']}": manifest
    for manifest in yaml.safe_load_all((ROOT / "deploy/fleet.yaml").read_text(encoding="utf-8"))
}
SINGLE = {
    manifest["kind"]: manifest
    for manifest in yaml.safe_load_all((ROOT / "deploy/cronjob.yaml").read_text(encoding="utf-8"))
}
CONFIGURATION = MANIFESTS["ConfigMap janitor-fleet"]["data"]
SECRET = MANIFESTS["Secret janitor-fleet"]["stringData"]
INIT, WORK, SERVE = (
    MANIFESTS[name]["spec"]["template"]["spec"]
    for name in ("Job janitor-fleet-init", "StatefulSet janitor-fleet", "Deployment janitor-fleet-serve")
)
PODS = [pytest.param(INIT, id="init"), pytest.param(WORK, id="work"), pytest.param(SERVE, id="serve")]


@pytest.mark.parametrize("pod", PODS)
def test_every_pod_is_as_locked_down_as_that_of_a_single_host(pod: dict[str, Any]) -> None:
    single = SINGLE["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["securityContext"] == single["securityContext"]
    assert pod["automountServiceAccountToken"] is False
    [container], [of_single] = pod["containers"], single["containers"]
    assert container["securityContext"] == of_single["securityContext"]
    assert container["image"] == of_single["image"]
    assert {mount["mountPath"]: mount.get("readOnly", False) for mount in container["volumeMounts"]} == {
        "/etc/janitor": True,
        "/data": False,
    }


def test_each_worker_has_a_volume_that_one_pod_has_at_a_time_and_nobody_deletes() -> None:
    workers = MANIFESTS["StatefulSet janitor-fleet"]["spec"]
    [claim] = workers["volumeClaimTemplates"]
    assert (claim["metadata"]["name"], claim["spec"]["accessModes"]) == ("data", ["ReadWriteOncePod"])
    assert set(workers["persistentVolumeClaimRetentionPolicy"].values()) == {"Retain"}
    assert [volume["name"] for volume in WORK["volumes"]] == ["configuration"]
    assert (workers["serviceName"], workers["podManagementPolicy"]) == ("janitor-fleet", "Parallel")
    assert MANIFESTS["Service janitor-fleet"]["spec"]["clusterIP"] == "None"


def test_a_worker_has_the_time_to_hand_back_what_it_has() -> None:
    assert WORK["terminationGracePeriodSeconds"] > 10


@pytest.mark.parametrize("pod", PODS)
def test_no_probe_ends_a_pod_because_postgresql_is_away(pod: dict[str, Any]) -> None:
    [container] = pod["containers"]
    assert not {"livenessProbe", "startupProbe", "readinessProbe"} & container.keys()


def test_the_document_says_what_to_change() -> None:
    document = (ROOT / "docs/fleet.md").read_text(encoding="utf-8")
    section = document.partition("## On Kubernetes\n")[2].partition("\n## ")[0]
    workers = MANIFESTS["StatefulSet janitor-fleet"]["spec"]
    secrets = [name.split()[1] for name in MANIFESTS if name.startswith("Secret ")]
    told = [WORK["containers"][0]["image"], f"replicas: {workers['replicas']}", "storageClassName", *secrets]
    told += [f"deploy/{name.split()[1]} --" for name in MANIFESTS if name.startswith("Deployment ")]
    assert [each for each in told if each not in section] == []


def test_only_the_job_has_the_password_of_the_owner_of_the_tables() -> None:
    of_pods = [[entry["secretRef"]["name"] for entry in pod["containers"][0]["envFrom"]] for pod in (INIT, WORK, SERVE)]
    assert of_pods == [["janitor-fleet", "janitor-fleet-owner"], ["janitor-fleet"], ["janitor-fleet"]]  # the last wins
    assert list(MANIFESTS["Secret janitor-fleet-owner"]["stringData"]) == ["JANITOR_FLEET_URL"]


def test_the_secrets_are_empty_and_name_what_the_configuration_reads() -> None:
    assert set(SECRET.values()) == {""}
    assert set(SECRET) == set(re.findall(r"\$\{(\w+)", json.dumps(CONFIGURATION)))


@pytest.mark.parametrize("pod", [PODS[0], PODS[2]])
def test_the_commands_of_the_pods_exist(pod: dict[str, Any]) -> None:
    [container] = pod["containers"]
    assert "command" not in container
    with janitor.make_context("janitor", list(container["args"]), resilient_parsing=True) as context:
        group = janitor.get_command(context, "fleet")
    assert container["args"][1] in group.commands  # type: ignore[union-attr]


def test_each_worker_has_its_part_of_the_shards(tmp_path: Path) -> None:
    (tmp_path / "janitor").write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    (tmp_path / "janitor").chmod(0o755)
    [container] = WORK["containers"]
    shards: list[int] = []
    for number in range(MANIFESTS["StatefulSet janitor-fleet"]["spec"]["replicas"]):
        environ = {"PATH": f"{tmp_path}:/bin:/usr/bin", "HOSTNAME": f"janitor-fleet-{number}"}
        words = [*container["command"], *container["args"]]
        done = subprocess.run(words, env=environ, capture_output=True, text=True, check=True).stdout.split()
        assert done[:-1] == ["fleet", "work", "--concurrency", "4", "--shards"]
        first, last = map(int, done[-1].split("-"))
        shards += range(first, last + 1)
    assert shards == list(range(yaml.safe_load(CONFIGURATION["janitor.yaml"])["fleet"]["shards"]))


def test_the_mounted_configuration_is_one_of_a_fleet_that_deletes_nothing_yet(tmp_path: Path) -> None:
    [volume] = (volume for volume in WORK["volumes"] if "configMap" in volume)
    for item in volume["configMap"]["items"]:
        file = tmp_path / item["path"]
        file.parent.mkdir(exist_ok=True)
        file.write_text(CONFIGURATION[item["key"]], encoding="utf-8")
    environ = {
        **SECRET,
        "JANITOR_FLEET_URL": "postgresql://janitor_worker:a-password@db.example/janitor",
        "NHN_USERNAME": "somebody",
        "NHN_PASSWORD": "a-password",
    }
    accounts = load_accounts(tmp_path / "janitor.yaml", environ, lambda: SCHEMAS)
    assert list(accounts.names) == ["shop", "web"]
    assert accounts.settings_of("web").targets
    assert (accounts.settings.mode, accounts.settings.database) == (Mode.DRY_RUN, Path("/data/shards"))
