"""The configuration of OpenStack targets: which credentials they use, and the message if these do not match."""

from datetime import timedelta
from pathlib import Path

import pytest

from janitor.cloud.openstack.target import Login, OpenStackTarget
from janitor.cloud.service import Need, Sources
from janitor.cloud.toast.target import ToastTarget
from janitor.config import Settings, load_settings
from janitor.errors import ConfigurationError
from janitor.transport import HttpOptions

IDENTITY = "https://identity.example/v2.0"
LOGIN = Login(IDENTITY, "the-tenant", "the-username", "the-password")
SPELLED_OUT = (
    "identity: https://identity.example/v2.0",
    "tenant_id: the-tenant",
    "username: the-username",
    "password: the-password",
)


def load(folder: Path, *lines: str, environ: dict[str, str] | None = None) -> Settings:
    """The settings with one OpenStack target of these keys."""
    keys = "".join(f"    {line}\n" for line in ("api: openstack", *lines))
    (folder / "janitor.yaml").write_text(f"targets:\n  - name: prod\n{keys}")
    return load_settings(folder / "janitor.yaml", environ or {})


def target_of(folder: Path, *lines: str, environ: dict[str, str] | None = None) -> OpenStackTarget:
    (target,) = load(folder, *lines, environ=environ).targets
    assert isinstance(target, OpenStackTarget)
    return target


def problems(folder: Path, *lines: str, environ: dict[str, str] | None = None) -> list[str]:
    """The problems in it, without the name of the file."""
    with pytest.raises(ConfigurationError) as caught:
        load(folder, *lines, environ=environ)
    return [str(problem).split("janitor.yaml:", 1)[1] for problem in caught.value.problems]


def test_a_cloud_of_clouds_yaml_is_enough(tmp_path: Path) -> None:
    assert target_of(tmp_path, "cloud: devstack") == OpenStackTarget(
        name="prod",
        api="openstack",
        login=None,
        cloud="devstack",
        region=None,
        shared_ignored=False,
        image_endpoint=None,
        usage=Sources(),
        imageless=False,
        http=HttpOptions(),
    )


def test_credentials_may_be_spelled_out(tmp_path: Path) -> None:
    settings = load(tmp_path, *SPELLED_OUT, "region: KR1")
    (target,) = settings.targets
    assert isinstance(target, OpenStackTarget)
    assert (target.login, target.cloud, target.region) == (LOGIN, None, "KR1")
    assert settings.secrets == {"the-password"}
    assert "the-password" not in repr(settings)


@pytest.mark.parametrize("url", ["https://identity.example", "https://identity.example/", f"{IDENTITY}/", IDENTITY])
def test_the_identity_may_name_its_version(tmp_path: Path, url: str) -> None:
    assert target_of(tmp_path, f"identity: {url}", *SPELLED_OUT[1:]).login == LOGIN


def test_username_and_password_may_come_from_files(tmp_path: Path) -> None:
    for name in ("username", "password"):
        (tmp_path / name).write_text(f"the-{name}\n")
    lines = (*SPELLED_OUT[:2], "username_file: username", "password_file: password")
    assert target_of(tmp_path, *lines).login == LOGIN


@pytest.mark.parametrize(
    ("environ", "region"),
    [
        pytest.param({"OS_CLOUD": "devstack"}, None, id="a-cloud"),
        pytest.param({"OS_AUTH_URL": "https://x/v3", "OS_REGION_NAME": "RegionOne"}, "RegionOne", id="all-of-it"),
        pytest.param({"OS_CLOUD": "devstack", "OS_REGION_NAME": "RegionOne"}, "RegionOne", id="a-cloud-and-a-region"),
    ],
)
def test_without_credentials_the_variables_of_openstack_count(
    tmp_path: Path, environ: dict[str, str], region: str | None
) -> None:
    target = target_of(tmp_path, environ=environ)
    assert (target.login, target.cloud, target.region) == (None, None, region)


@pytest.mark.parametrize("line", ["cloud: devstack", "region: KR1"])
def test_a_region_of_the_environment_is_for_its_own_cloud_only(tmp_path: Path, line: str) -> None:
    environ = {"OS_CLOUD": "x", "OS_REGION_NAME": "RegionOne"}
    assert target_of(tmp_path, line, environ=environ).region == (None if "cloud" in line else "KR1")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param(
            (), ["2: targets[0]: has no credentials: name a cloud of clouds.yaml by cloud, or give"], id="none"
        ),
        pytest.param(
            ("identity: ${A:-}", "password: ${B:-${C:-}}"),
            [
                "2: targets[0]: has no credentials: name a cloud of clouds.yaml by cloud, or give identity, tenant_id, "
                "username and password, or set the OS_* variables, of which neither OS_CLOUD nor OS_AUTH_URL is set; "
                "identity: environment variable A is not set; "
                "password: environment variable B is not set; environment variable C is not set"
            ],
            id="none-of-the-variables-that-would-give-them",
        ),
        pytest.param(
            ("cloud: x", *SPELLED_OUT[2:]),
            ["4: targets[0].cloud: takes the credentials from clouds.yaml, and username, password spell them out"],
            id="two-kinds",
        ),
        pytest.param(
            SPELLED_OUT[:3],
            ["2: targets[0].password: is missing: identity, tenant_id, username, password belong together"],
            id="no-password",
        ),
        pytest.param(
            SPELLED_OUT[3:],
            ["2: targets[0].identity: is missing", "2: targets[0].tenant_id: ", "2: targets[0].username: "],
            id="only-a-password",
        ),
        pytest.param(
            (*SPELLED_OUT[:3], "password: ${NOPE:-}"),
            ["7: targets[0].password: environment variable NOPE is not set"],
            id="a-password-that-came-out-empty",
        ),
        pytest.param(
            (*SPELLED_OUT[:3], "password: ${NOPE}"),
            ["7: targets[0].password: environment variable NOPE is not set"],
            id="a-password-that-is-not-set",
        ),
        pytest.param(("cloud: ${NOPE}",), ["4: targets[0].cloud: environment variable NOPE"], id="an-unset-cloud"),
        pytest.param(
            ("identity: https://x.example/identity/v3", *SPELLED_OUT[1:]),
            ["4: targets[0].identity: is Identity v3, but these keys are for v2.0. For v3, name a cloud"],
            id="v3",
        ),
        pytest.param(
            ("identity: https://me:pw@x.example", *SPELLED_OUT[1:]),
            ["4: targets[0].identity: must not hold a user name or password"],
            id="userinfo",
        ),
        pytest.param(
            ("cloud: x", "appkey: y"),
            ["5: targets[0].appkey: is a key of api: toast, but this target has api: openstack"],
            id="a-key-of-the-other-api",
        ),
        pytest.param(
            ("cloud: x", "regoin: y"), ['5: targets[0].regoin: unknown key, did you mean "region"?'], id="near"
        ),
        pytest.param(("cloud: x", "shared: no"), ['5: targets[0].shared: "no" is not known here'], id="shared"),
        pytest.param(
            ("cloud: x", "usage: {servers: maybe}"), ['5: targets[0].usage.servers: "maybe" is not known'], id="need"
        ),
        pytest.param(
            ("cloud: x", "usage: {servers: true}"),
            ["5: targets[0].usage.servers: is true, which is not one of its values: write auto, required, optional"],
            id="true",
        ),
        pytest.param(
            ("cloud: x", "usage: {disks: off}"),
            ["5: targets[0].usage.disks: unknown key (known here: servers"],
            id="disks",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(tmp_path: Path, lines: tuple[str, ...], told: list[str]) -> None:
    said = problems(tmp_path, *lines)
    assert len(said) == len(told), said
    assert not [(one, other) for one, other in zip(said, told, strict=True) if not one.startswith(other)]


def test_the_sources_of_usage_can_be_chosen(tmp_path: Path) -> None:
    usage = "usage: {servers: optional, volumes: off, snapshots: required}"
    assert target_of(tmp_path, "cloud: x", usage).usage == Sources(Need.OPTIONAL, Need.OFF, snapshots=Need.REQUIRED)


def test_off_may_be_what_yaml_reads_as_false(tmp_path: Path) -> None:
    assert target_of(tmp_path, "cloud: x", "usage: {volumes: false}").usage.volumes is Need.OFF


def test_shared_images_can_be_unguarded_and_patience_is_the_targets_own(tmp_path: Path) -> None:
    target = target_of(tmp_path, "cloud: x", "shared: ignore", "http: {attempts: 1, timeout: 5s}")
    assert target.shared_ignored
    assert target.http == HttpOptions(timedelta(seconds=5), attempts=1)


def test_both_kinds_stand_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "janitor.yaml").write_text(
        """\
        targets:
          - {name: old, appkey: the-appkey, username: the-username, password: the-password}
          - {name: new, api: openstack, cloud: x}
        """
    )
    old, new = load_settings(tmp_path / "janitor.yaml", {}).targets
    assert isinstance(old, ToastTarget)
    assert old.endpoint == "https://api-compute.cloud.toast.com/compute"
    assert isinstance(new, OpenStackTarget)
