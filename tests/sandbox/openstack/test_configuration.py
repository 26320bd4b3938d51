"""The configuration for a sandbox of OpenStack, and the options that it takes."""

from dataclasses import replace
from typing import Any

import pytest
import yaml

from janitor.errors import UsageError
from janitor.sandbox.calls import Api
from janitor.sandbox.flags import options_from
from janitor.sandbox.models import OURS
from janitor.sandbox.options import Options
from janitor.sandbox.server import Sandbox
from tests.in_process import in_process


def target_of(sandbox: Sandbox) -> tuple[dict[str, Any], str]:
    text = sandbox.configuration()
    [target] = yaml.safe_load(text)["targets"]
    return target, text


def test_the_configuration_names_the_sandbox() -> None:
    sandbox, _ = in_process(Options(api=Api.OPENSTACK, images=1, password='a "quoted" 한글 # pass'))
    target, _ = target_of(sandbox)
    assert target == {
        "name": "sandbox",
        "api": "openstack",
        "identity": f"{sandbox.origin}/identity/v2.0",
        "tenant_id": OURS,
        "username": sandbox.options.username,
        "password": 'a "quoted" 한글 # pass',
        "region": "RegionOne",
    }


def test_with_two_regions_the_configuration_takes_both() -> None:
    sandbox, _ = in_process(Options(api=Api.OPENSTACK, images=1, regions=2))
    assert target_of(sandbox)[0]["region"] == "*"


def test_the_configuration_says_how_to_write_a_clouds_yaml() -> None:
    sandbox, _ = in_process(Options(api=Api.OPENSTACK, images=1))
    _, text = target_of(sandbox)
    comment = text.partition("# clouds:\n")[2].splitlines()
    clouds = yaml.safe_load("clouds:\n" + "\n".join(line.removeprefix("#") for line in comment))["clouds"]
    assert clouds["sandbox"]["auth"]["auth_url"] == f"{sandbox.origin}/identity/v3"
    assert clouds["sandbox-application"]["auth"]["application_credential_id"] == sandbox.options.application


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"api": "openstack", "appkey": "x"}, "--appkey goes with --api toast only"),
        ({"api": "openstack", "booleans": "string"}, "--booleans goes with --api toast only"),
        ({"api": "toast", "regions": 2}, "--regions goes with --api openstack only"),
        ({"no_volumes": True}, "--no-volumes goes with --api openstack only"),
        ({"api": "openstack", "regions": 3}, "3 regions: choose 1 to 2"),
        ({"api": "openstack", "regions": 0}, "0 regions: choose 1 to 2"),
        ({"computes": 2}, "--computes goes with --api openstack only"),
        ({"api": "openstack", "computes": 4}, "4 computes: choose 1 to 3"),
        ({"api": "openstack", "shared_images": True}, "--shared-images needs --regions 2"),
        ({"api": "openstack", "image_in_first": True}, "--image-in-first needs --regions 2"),
        ({"api": "openstack", "volume_interface": "secret"}, "secret is not an interface of a service"),
        ({"api": "openstack", "volume_type": "disk"}, "disk is not a service type of volumes"),
        (
            {"api": "openstack", "compute_microversion": "new"},
            "new is not a microversion of compute: write one like 2.96, or none",
        ),
        ({"api": "openstack", "kubernetes": True, "no_clusters": True}, "--kubernetes does not go with --no-clusters"),
        ({"reference_token": "a b"}, "a reference token is made of visible ASCII"),
        ({"api": "azure"}, "'azure' is not a valid Api"),
    ],
    ids=str,
)
def test_options_that_cannot_be_are_usage_errors(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        options_from(wrong)
    assert str(caught.value) == f"sandbox: {sentence}"


def test_the_flags_of_openstack_become_options() -> None:
    given = {"api": "openstack", "regions": 2, "no_volumes": True}
    assert options_from(given) == replace(Options(), api=Api.OPENSTACK, regions=2, no_volumes=True)
