"""From targets to sites: regions, names, who signs in and how often, and what is rejected."""

import json
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import stamina

from janitor.cloud.openstack.catalogue import ImagePlace
from janitor.cloud.openstack.keystone import Grant, Identity
from janitor.cloud.service import Need, Sources
from janitor.config import Settings, load_settings
from janitor.errors import CloudError, ConfigurationError, Denied, Exit, UsageError
from janitor.run.orders import Site
from janitor.run.sites import chosen, sites_of
from janitor.transport import HttpOptions
from tests.fakes import RecordingCloud
from tests.identity_stand_in import NOW, PASSWORD, PROJECT, USERNAME, Catalogue, Keystone, refusal, serving
from tests.loopback import Answered, Asked, Loopback

TWO: Catalogue = {
    "image": {"KR1": ["public"], "kr2": ["public"]},
    "compute": {"KR1": ["public"], "kr2": ["public"], "JP1": ["public"]},
}


@dataclass
class Client(RecordingCloud):
    """In place of the real client: keeps what it was made with."""

    listed: list[Any] = field(default_factory=list)
    identity: Identity | None = None
    place: ImagePlace | None = None
    region: str | None = None
    made_with: dict[str, Any] = field(default_factory=dict)


def client(identity: Identity, place: ImagePlace, region: str | None, options: HttpOptions, **rest: Any) -> Client:
    return Client(identity=identity, place=place, region=region, made_with={"options": options, **rest})


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("janitor.cloud.openstack.client")
    module.OpenStackClient = client  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "janitor.cloud.openstack.client", module)


@pytest.fixture(autouse=True)
def _impatient() -> Any:
    with stamina.set_testing(True, attempts=1):
        yield


@dataclass
class Desk:
    """Writes a configuration, and makes sites of it."""

    folder: Path
    targets: list[str] = field(default_factory=list)

    def openstack(self, server: Loopback, *keys: str, name: str = "prod") -> None:
        login = (
            f"identity: {server.url}/v2.0",
            f"tenant_id: {PROJECT}",
            f"username: {USERNAME}",
            f"password: {json.dumps(PASSWORD)}",
        )
        self.target("api: openstack", *login, *keys, name=name)

    def toast(self, name: str = "old") -> None:
        self.target("appkey: k", "username: u", "password: p", name=name)

    def target(self, *keys: str, name: str) -> None:
        self.targets.append(f"  - name: {name}\n" + "".join(f"    {key}\n" for key in keys))

    def settings(self) -> Settings:
        path = self.folder / "janitor.yaml"
        path.write_text("http: {attempts: 1}\ntargets:\n" + "".join(self.targets))
        return load_settings(path, {})

    def sites(self, *names: str) -> list[Site]:
        settings = self.settings()
        return sites_of(settings, chosen(settings, names), clock=lambda: NOW)

    def problems(self, *names: str) -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            self.sites(*names)
        assert caught.value.exit_code == Exit.USAGE
        return [str(problem).partition("janitor.yaml: ")[2] for problem in caught.value.problems]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def regions(sites: list[Site]) -> dict[str, str | None]:
    """The region that each site connects to."""
    found = {}
    for site in sites:
        connected = site.connect()
        assert isinstance(connected, Client)
        found[site.name] = connected.region
    return found


def failures(sites: list[Site]) -> dict[str, str]:
    """What each site that cannot be connected says."""
    said = {}
    for site in sites:
        try:
            site.connect()
        except CloudError as error:
            said[site.name] = str(error)
    return said


# Regions


def test_the_only_region_of_a_catalogue_need_not_be_named(desk: Desk) -> None:
    with serving(Keystone()) as server:
        desk.openstack(server, "shared: ignore", "usage: {volumes: off}", "http: {timeout: 5s}")
        [site] = desk.sites()
        connected = site.connect()
    assert isinstance(connected, Client)
    assert (site.name, connected.region) == ("prod", "KR1")
    assert connected.identity is not None
    assert connected.identity.secrets == (PASSWORD,)
    given = connected.made_with.pop("grant")
    assert isinstance(given, Grant)
    assert given.token == "t0ken-1"
    clock: Callable[[], datetime] = connected.made_with.pop("clock")
    assert clock() == NOW
    assert connected.made_with == {
        "options": HttpOptions(timedelta(seconds=5), attempts=1),
        "sources": Sources(volumes=Need.OFF),
        "imageless": False,
        "shared_ignored": True,
        "stop": None,
        "http_transport": None,
        "max_images": 1_000_000,
    }


@pytest.mark.parametrize(
    ("region", "found"),
    [
        pytest.param("KR1", {"prod": "KR1"}, id="one"),
        pytest.param("kr2", {"prod": "kr2"}, id="another"),
        pytest.param("'*'", {"prod-KR1": "KR1", "prod-kr2": "kr2"}, id="every-one-with-images"),
    ],
)
def test_a_region_is_chosen_or_every_one(desk: Desk, region: str, found: dict[str, str]) -> None:
    keystone = Keystone(TWO)
    with serving(keystone) as server:
        desk.openstack(server, f"region: {region}")
        assert regions(desk.sites()) == found
    assert keystone.issued == 1, "nobody signs in twice"


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        pytest.param(("region: KR3",), 'the cloud has no images in a region "KR3"; there is KR1, kr2', id="unknown"),
        pytest.param(("region: kr1",), 'the cloud has no images in a region "kr1"; there is KR1, kr2', id="other-case"),
        pytest.param(("region: JP1",), 'the cloud has no images in a region "JP1"; there is KR1, kr2', id="no-images"),
        pytest.param(
            (), 'the cloud has the regions KR1, kr2: choose one by region, or "*" for all of them', id="none-chosen"
        ),
    ],
)
def test_a_region_that_is_not_there_or_not_chosen_is_told(desk: Desk, keys: tuple[str, ...], told: str) -> None:
    with serving(Keystone(TWO)) as server:
        desk.toast()
        desk.openstack(server, *keys)
        assert desk.problems() == [f"targets[1]: {told}"]


def test_every_problem_of_every_target_is_told_at_once(desk: Desk) -> None:
    with serving(Keystone(TWO)) as server:
        desk.openstack(server, name="a")
        desk.openstack(server, "region: KR3", name="b")
        assert [problem.split(": ")[0] for problem in desk.problems()] == ["targets[0]", "targets[1]"]


@pytest.mark.parametrize(
    ("catalogue", "keys", "found"),
    [
        pytest.param({"image": {None: ["public"]}}, (), {"prod": None}, id="no-region-at-all"),
        pytest.param({"image": {None: ["public"]}}, ("region: '*'",), {"prod": None}, id="every-one-of-none"),
        pytest.param(
            {"image": {None: ["public"]}, "compute": {"KR1": ["public"]}}, (), {"prod": "KR1"}, id="that-of-the-servers"
        ),
    ],
)
def test_images_may_be_in_no_region(desk: Desk, catalogue: Any, keys: tuple[str, ...], found: dict[str, Any]) -> None:
    with serving(Keystone(catalogue)) as server:
        desk.openstack(server, *keys)
        assert regions(desk.sites()) == found


def test_images_in_no_region_may_be_used_in_each_but_not_in_one_that_is_not_there(desk: Desk) -> None:
    with serving(Keystone({"image": {None: ["public"]}, "compute": TWO["compute"]})) as server:
        desk.openstack(server)
        assert regions(desk.sites()) == {"prod": None}
        desk.targets.clear()
        desk.openstack(server, "region: KR9")
        [problem] = desk.problems()
    assert "KR1, kr2, JP1" in problem


# Failures of one target


@pytest.mark.parametrize("region", ["KR1", "'*'"])
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param(refusal(401, "No."), "the credentials are not accepted", id="denied"),
        pytest.param(Answered(b"", 503), "no usable answer (tried once): HTTP 503", id="down"),
    ],
)
def test_an_identity_service_that_fails_fails_its_target_alone(
    desk: Desk, region: str, answer: Answered, told: str
) -> None:
    with serving(Keystone(scripted=[answer])) as bad, serving(Keystone()) as good:
        desk.toast()
        desk.openstack(bad, f"region: {region}")
        desk.openstack(good, name="other")
        sites = desk.sites()
    assert [site.name for site in sites] == ["old", "prod", "other"]
    assert list(failures(sites)) == ["prod"]
    assert told in failures(sites)["prod"]


def test_a_catalogue_without_images_fails_its_target_alone(desk: Desk) -> None:
    with serving(Keystone({"compute": {"KR1": ["public"]}})) as bad, serving(Keystone()) as good:
        desk.openstack(bad)
        desk.openstack(bad, "region: '*'", name="all")
        desk.openstack(good, name="other")
        assert failures(desk.sites()) == {
            "prod": "the cloud's catalogue has no image service",
            "all": "the cloud's catalogue has no image service",
        }


def test_nobody_waits_for_anothers_identity_service(desk: Desk) -> None:
    meeting = threading.Barrier(2, timeout=10)

    def answer(keystone: Keystone) -> Callable[[Asked], Answered]:
        def meet(asked: Asked) -> Answered:
            meeting.wait()
            return keystone.answer(asked)

        return meet

    with Loopback(answer(Keystone())) as one, Loopback(answer(Keystone({"image": {"KR2": ["public"]}}))) as other:
        desk.openstack(one, name="one")
        desk.openstack(other, name="other")
        assert regions(desk.sites()) == {"one": "KR1", "other": "KR2"}


# Names


@pytest.mark.parametrize(
    ("names", "found"),
    [
        pytest.param([], ["old", "prod-KR1", "prod-kr2"], id="everything"),
        pytest.param(["old"], ["old"], id="a-target"),
        pytest.param(["prod"], ["prod-KR1", "prod-kr2"], id="all-regions"),
        pytest.param(["prod-kr2"], ["prod-kr2"], id="one-region"),
        pytest.param(["prod-kr2", "old"], ["old", "prod-kr2"], id="in-the-order-of-the-file"),
        pytest.param(["prod-kr2", "prod"], ["prod-KR1", "prod-kr2"], id="one-and-all"),
    ],
)
def test_a_target_is_chosen_by_its_name_or_one_regions(desk: Desk, names: list[str], found: list[str]) -> None:
    with serving(Keystone(TWO)) as server:
        desk.toast()
        desk.openstack(server, "region: '*'")
        assert [site.name for site in desk.sites(*names)] == found


def test_every_name_of_other_targets_is_known_by_their_history_where_they_do_not_sign_in(desk: Desk) -> None:
    """A name of the target's own is none of them, nor is that of a target which is no longer configured."""
    with serving(Keystone(TWO)) as server:
        desk.toast()
        desk.openstack(server, "region: '*'")
        settings = desk.settings()
        known = ["prod-KR1", "prod-gone", "removed"]
        [site] = sites_of(settings, chosen(settings, ["old"]), clock=lambda: NOW, known=known)
        assert site.elsewhere == {"prod", "prod-KR1", "prod-gone"}
        [first, _] = sites_of(settings, chosen(settings, ["prod"]), clock=lambda: NOW, known=["prod-KR1", "prod"])
        assert first.elsewhere == {"old"}


def test_who_is_not_let_into_a_project_is_alike_by_the_one_that_is_configured(desk: Desk) -> None:
    """Sites that are signed in are known to be different image services of their project."""
    with serving(Keystone(TWO)) as server, serving(Keystone(scripted=[refusal(401, "No.")])) as other:
        desk.toast()
        desk.openstack(server, "region: '*'")
        desk.openstack(other, name="same")
        found = {site.name: set(site.alike.items()) for site in desk.sites()}
    regions = ("prod-KR1", "prod-kr2")
    assert found == {
        "old": set(),
        **{name: {("same", "the same project")} for name in regions},
        "same": {(name, "the same project") for name in regions},
    }


@pytest.mark.parametrize(("known", "alike"), [([], "prod"), (["prod-KR1", "gone"], "prod-KR1")])
def test_a_target_that_does_not_sign_in_is_alike_by_what_is_configured(
    desk: Desk, known: list[str], alike: str
) -> None:
    with serving(Keystone(TWO)) as server:
        desk.openstack(server, "region: '*'")
        desk.target("appkey: k", "username: u", "password: p", f"endpoint: {server.url}/compute", name="old")
        settings = desk.settings()
        [site] = sites_of(settings, chosen(settings, ["old"]), clock=lambda: NOW, known=known)
    assert site.alike == {alike: "the same host"}
    assert server.asked == []


def test_appkeys_of_one_endpoint_are_accounts_of_their_own(desk: Desk) -> None:
    desk.toast()
    desk.target("appkey: l", "username: v", "password: p", name="new")
    assert [site.alike for site in desk.sites()] == [{}, {}]


def test_who_is_not_chosen_does_not_sign_in(desk: Desk) -> None:
    with serving(Keystone()) as server:
        desk.toast()
        desk.openstack(server)
        desk.sites("old")
    assert server.asked == []


@pytest.mark.parametrize("name", ["prdo", "prod-KR1", "every"])
def test_a_name_that_nothing_can_have_is_told_before_anybody_signs_in(desk: Desk, name: str) -> None:
    with serving(Keystone(TWO)) as server:
        desk.openstack(server, "region: KR1")
        desk.openstack(server, "region: '*'", name="every-where")
        with pytest.raises(UsageError, match=f"no target named {name}; there is prod, every-where"):
            desk.sites(name)
    assert server.asked == []


def test_a_region_chosen_by_name_must_be_there(desk: Desk) -> None:
    with serving(Keystone(TWO)) as server:
        desk.openstack(server, "region: '*'")
        assert desk.problems("prod-KR9") == ['targets[0]: the cloud has no images in a region "KR9"; there is KR1, kr2']


def test_the_failure_of_a_region_chosen_by_name_bears_that_name(desk: Desk) -> None:
    with serving(Keystone(scripted=[refusal(401, "No.")])) as server:
        desk.openstack(server, "region: '*'")
        assert list(failures(desk.sites("prod-KR1"))) == ["prod-KR1"]


@pytest.mark.parametrize("names", [[], ["prod"], ["prod-KR1", "prod"]])
def test_no_two_sites_are_of_one_name(desk: Desk, names: list[str]) -> None:
    with serving(Keystone(TWO)) as server:
        desk.toast("prod-KR1")
        desk.openstack(server, "region: '*'")
        assert desk.problems(*names) == [
            "targets[1]: there would be two targets named prod-KR1: give one of them another name"
        ]


def test_nor_are_two_regions_of_two_targets(desk: Desk) -> None:
    with (
        serving(Keystone({"image": {"b-c": ["public"]}})) as one,
        serving(Keystone({"image": {"c": ["public"]}})) as other,
    ):
        desk.openstack(one, "region: '*'", name="a")
        desk.openstack(other, "region: '*'", name="a-b")
        [problem] = desk.problems()
    assert problem == "targets[1]: there would be two targets named a-b-c: give one of them another name"


def test_a_name_of_its_own_is_not_that_of_a_region(desk: Desk) -> None:
    with serving(Keystone(scripted=[refusal(401, "No.")])) as server:
        desk.toast("prod-KR1")
        desk.openstack(server, "region: '*'")
        assert [site.name for site in desk.sites("prod-KR1")] == ["prod-KR1"]
    assert server.asked == []


def test_a_denial_stays_a_denial(desk: Desk) -> None:
    with serving(Keystone(scripted=[refusal(401, "No.")])) as server:
        desk.openstack(server)
        [site] = desk.sites()
    with pytest.raises(Denied):
        site.connect()
