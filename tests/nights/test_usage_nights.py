"""Usage over several nights: what anything uses is never deleted, and the rest is deleted in the end."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from janitor.core.names.image_ids import folded
from janitor.core.result import Mode, Outcome
from janitor.errors import ConfigurationError
from janitor.run import exit_code
from janitor.store import Store
from tests.openstack_account import entry, no, server
from tests.usage_cloud import Nights, UsageCloud, decision, reasons

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
A, B, C, D = (f"{letter * 8}-1111-4222-8333-944444444444" for letter in "abcd")
GLANCE, NOVA = ("image", "R1", "/image"), ("compute", "R1", "/compute")


def fleet(*ids: str, **facts: Any) -> list[dict[str, Any]]:
    return [entry(one, created_at="2026-01-01T00:00:00Z", **facts) for one in ids]


def cloud(*catalogue: tuple[Any, ...], **parts: Any) -> UsageCloud:
    return UsageCloud(list(catalogue) or [GLANCE, NOVA], images={"/image": fleet(A, B)}, **parts)


# A list that is valid and incomplete


@pytest.mark.parametrize("versions", [True, False], ids=["with-microversions", "without"])
def test_a_cell_that_is_down_frees_no_image(tmp_path: Path, versions: bool) -> None:
    servers = [server(f"s{number}", {"id": A}) for number in range(4)] + [server("cell", {"id": B})]
    nights = Nights(tmp_path, cloud(servers={"/compute": servers}, versions=versions))
    assert reasons(nights.run()) == {A: "in-use", B: "in-use"}
    nights.cloud.down = {"cell"}
    for _ in range(3):
        found = nights.run()
        assert reasons(found)[B] == "recently-used"
        assert exit_code(found) == (1 if versions else 0)
    assert not nights.cloud.gone


def test_without_microversions_an_image_is_free_after_three_days_of_lists_and_two_of_them(tmp_path: Path) -> None:
    nights = Nights(tmp_path, cloud(servers={"/compute": [server("s1", {"id": B})]}, versions=False))
    nights.run()
    nights.cloud.servers = {}
    assert reasons(nights.run(after=10 * DAY))[B] == "recently-used", "one list, however late, proves nothing"
    assert reasons(nights.run(after=HOUR))[B] == "expired"
    assert B in nights.cloud.gone


def test_a_server_that_is_known_to_be_deleted_holds_nothing(tmp_path: Path) -> None:
    nights = Nights(tmp_path, cloud(servers={"/compute": [server("s1", {"id": B})]}, versions=False))
    nights.run()
    nights.cloud.servers = {}
    nights.cloud.deleted_servers = [server("s1", {"id": B}, status="DELETED")]
    assert reasons(nights.run(after=HOUR))[B] == "expired"


def test_a_deletion_that_is_learnt_of_later_frees_the_image_then(tmp_path: Path) -> None:
    nights = Nights(tmp_path, cloud(servers={"/compute": [server("s1", {"id": B})]}, versions=False))
    nights.run()
    nights.cloud.servers = {}
    assert reasons(nights.run(after=HOUR))[B] == "recently-used"
    nights.cloud.deleted_servers = [server("s1", {"id": B}, status="DELETED")]
    assert reasons(nights.run(after=HOUR))[B] == "expired"


def test_another_server_of_the_image_that_is_missing_goes_on_holding_it(tmp_path: Path) -> None:
    both = [server("s1", {"id": B}), server("s2", {"id": B})]
    nights = Nights(tmp_path, cloud(servers={"/compute": both}, versions=False))
    nights.run()
    nights.cloud.servers = {}
    nights.cloud.deleted_servers = [server("s1", {"id": B}, status="DELETED")]
    assert reasons(nights.run(after=HOUR))[B] == "recently-used"


# One image service of several regions

TWO_REGIONS = (GLANCE, ("image", "R2", "/image"), NOVA, ("compute", "R2", "/compute-2"))


@pytest.mark.parametrize(
    "catalogue",
    [
        pytest.param(TWO_REGIONS, id="one-url-for-two-regions"),
        pytest.param((GLANCE, NOVA, ("compute", "R2", "/compute-2")), id="images-in-one-region-only"),
        pytest.param((GLANCE, ("compute", None, "/compute-2"), NOVA), id="a-compute-without-a-region-first"),
        pytest.param((GLANCE, NOVA, ("compute", "R1", "/compute-2")), id="two-computes-of-one-region"),
    ],
)
@pytest.mark.parametrize("region", ["R1", "*"])
def test_what_the_second_compute_uses_stays(tmp_path: Path, catalogue: Any, region: str) -> None:
    nights = Nights(tmp_path, cloud(*catalogue), [{"region": region}])
    nights.cloud.servers = {"/compute-2": [server("s1", {"id": A})]}
    for _ in range(3):
        found = nights.run()
        assert len(found.targets) == 1
        assert reasons(found).get(A) == "in-use"
    assert nights.cloud.gone == {B}


def test_with_a_configured_image_endpoint_every_regions_services_are_asked(tmp_path: Path) -> None:
    catalogue = [("image", "R1", "/other"), ("image", "R2", "/other-2"), NOVA, ("compute", "R2", "/compute-2")]
    nights = Nights(tmp_path, cloud(*catalogue))
    nights.cloud.catalogue.append(("metering", "R1", "/image"))
    nights.cloud.servers = {"/compute-2": [server("s1", {"id": A})]}
    nights.image_endpoint = "/image"
    assert reasons(nights.run()) == {A: "in-use", B: "expired"}


def test_two_regions_of_one_image_service_are_one_target_under_the_name_with_history(tmp_path: Path) -> None:
    nights = Nights(tmp_path, cloud(*TWO_REGIONS), [{"region": "*"}])
    nights.cloud.images["/image"] = fleet(A)
    nights.policy = 'policies: [{name: keep, match: {name: "*", targets: ["prod-R2"]}}]'
    assert [target.target for target in nights.run().targets] == ["prod-R1"]
    found = nights.run("prod-R2")
    assert [target.target for target in found.targets] == ["prod-R1"]
    assert reasons(found) == {A: "pinned"}, "policies know it by the other name, too"


def test_the_name_that_has_history_is_kept(tmp_path: Path) -> None:
    nights = Nights(tmp_path, cloud(GLANCE, ("image", "R2", "/image-2"), NOVA), [{"region": "*"}])
    nights.run("prod-R2")
    nights.cloud.catalogue = list(TWO_REGIONS)
    assert [target.target for target in nights.run().targets] == ["prod-R2"]


def test_two_targets_of_one_project_and_image_service_are_a_mistake(tmp_path: Path) -> None:
    two = [{"name": "one", "region": "R1"}, {"name": "two", "region": "R2"}]
    with pytest.raises(ConfigurationError, match="is the same project and image service as target one"):
        Nights(tmp_path, cloud(*TWO_REGIONS), two).run()


APART = (GLANCE, ("image", "R2", "/image-2"), NOVA, ("compute", "R2", "/compute-2"))


def test_sites_that_list_the_same_images_delete_nothing_until_a_person_joins_them(tmp_path: Path) -> None:
    nights = Nights(tmp_path, cloud(*APART), [{"region": "*"}], {"concurrency": {"targets": 1}})
    nights.cloud.images = {"/image": fleet(A, B), "/image-2": fleet(C, B.upper())}
    for accepted in (False, True):
        found = nights.run(accept_survey=accepted)
        assert [target.outcome for target in found.targets] == [Outcome.REFUSED] * 2
        assert "one image service under two names" in str(found.targets[0].error)
        assert "image_endpoint" in str(found.targets[0].error)
        assert "--accept-survey" not in str(found.targets[0].error), "which would not help"
    assert exit_code(found) == 4
    assert exit_code(nights.run("prod-R1")) == 4, "also where the other is not surveyed tonight"
    assert not nights.cloud.gone


def test_an_image_service_that_nobody_surveys_may_be_this_one_by_another_name(tmp_path: Path) -> None:
    nights = Nights(tmp_path, cloud(*APART), [{"region": "R1"}])
    nights.cloud.images = {"/image": fleet(A, B), "/image-2": fleet(A, B)}
    for _ in range(2):
        found = nights.run(accept_survey=True)
        assert (len(found.targets), exit_code(found)) == (1, 4)
        assert "one image service under two names" in str(found.targets[0].error)
    nights.targets = [{"region": "*"}]
    assert exit_code(nights.run("prod-R1")) == 4
    assert not nights.cloud.gone


def test_one_that_cannot_be_listed_tonight_is_asked_for_our_images_all_the_same(tmp_path: Path) -> None:
    nights = Nights(tmp_path, cloud(*APART), [{"region": "*"}])
    nights.cloud.images = {"/image": fleet(A, B), "/image-2": fleet(A, B)}
    nights.cloud.failing = {"/image-2/v2/images": no(503)}
    found = nights.run()
    assert "one image service under two names" in str(found.targets[0].error)
    assert not nights.cloud.gone


@pytest.mark.parametrize("answer", [no(404), no(403), no(500)], ids=["not-there", "not-for-us", "down"])
def test_one_that_does_not_know_our_images_or_cannot_be_asked_is_another(tmp_path: Path, answer: Any) -> None:
    nights = Nights(tmp_path, cloud(*APART), [{"region": "R1"}])
    answered = nights.cloud.answer
    nights.cloud.answer = lambda asked: answer if asked.path.startswith("/image-2") else answered(asked)  # type: ignore[method-assign]
    assert exit_code(nights.run()) == 0
    assert nights.cloud.gone == {A, B}


def test_sites_that_list_other_images_are_cleaned_each(tmp_path: Path) -> None:
    nights = Nights(tmp_path, cloud(*APART), [{"region": "*"}])
    nights.cloud.images = {"/image": fleet(A), "/image-2": fleet(C)}
    assert exit_code(nights.run()) == 0
    assert nights.cloud.gone == {A, C}


def test_a_site_that_cannot_be_listed_stops_none_of_the_others(tmp_path: Path) -> None:
    nights = Nights(tmp_path, cloud(*APART), [{"region": "*"}])
    nights.cloud.images = {"/image": fleet(A), "/image-2": fleet(C)}
    nights.cloud.failing = {"/image-2/v2/images": no(403)}
    assert [target.outcome for target in nights.run().targets] == [Outcome.OK, Outcome.FAILED]
    assert nights.cloud.gone == {A}


# Silence about a service that exists


def test_a_service_that_leaves_the_catalogue_is_not_absent(tmp_path: Path) -> None:
    nights = Nights(tmp_path, cloud(GLANCE, NOVA, ("container-infra", "R1", "/magnum/v1")))
    nights.cloud.clusters = [{"uuid": "c1", "name": "k8s"}]
    nights.cloud.node_groups = {"c1": [{"uuid": "g1", "name": "w", "image_id": A, "node_count": 0}]}
    assert decision(nights.run(), A).detail == "used by node group w of cluster k8s"
    nights.cloud.catalogue.pop()
    for _ in range(5):
        found = nights.run()
        assert exit_code(found) == 1
        assert "`usage: {clusters: optional}`" in str(found.targets[0].error)
    nights.targets = [{"usage": {"clusters": "off"}}]
    assert exit_code(nights.run()) == 0


def test_a_service_that_failed_last_night_where_it_may_is_known_to_be_there(tmp_path: Path) -> None:
    nights = Nights(tmp_path, cloud(GLANCE, NOVA, ("container-infra", "R1", "/magnum/v1")))
    nights.targets, nights.cloud.failing = [{"usage": {"clusters": "optional"}}], {"templates": no(403)}
    assert exit_code(nights.run(mode=Mode.DRY_RUN)) == 0
    nights.targets = [{}]
    nights.cloud.catalogue.pop()
    assert exit_code(nights.run()) == 1


# Images that other images need


def test_a_kernel_goes_in_the_run_after_the_last_image_that_needs_it(tmp_path: Path) -> None:
    nights = Nights(tmp_path, cloud())
    whole = fleet(A, disk_format="ami", kernel_id=B, ramdisk_id=C.upper())
    nights.cloud.images["/image"] = [*whole, *fleet(B, disk_format="aki"), *fleet(C, disk_format="ari"), *fleet(D)]
    first = nights.run()
    assert reasons(first) == {A: "expired", B: "needed", C: "needed", D: "expired"}
    assert decision(first, C).detail == f"the ramdisk of image name of {A}"
    assert reasons(nights.run()) == {B: "expired", C: "expired"}


# Images of others take no place of ours


def test_images_of_other_projects_take_no_place_of_ours(tmp_path: Path) -> None:
    nights = Nights(tmp_path, cloud())
    foreign = [entry(f"f{number}", owner="somebody", visibility="public") for number in range(5)]
    ours = [*fleet(A, B), entry(C, created_at="2026-01-02T00:00:00Z", protected=True)]
    nights.cloud.images["/image"] = [*foreign, *ours]
    nights.policy = 'policies: [{name: p, match: {name: "*"}, expire: {after: 14d}, keep: {newest: 2, per: policy}}]'
    found = reasons(nights.run())
    assert {image: found[image] for image in (A, B, C)} == {A: "kept-newest", B: "expired", C: "protected"}


# Declared references


def test_a_reference_keeps_what_it_names_and_for_three_days_what_it_named(tmp_path: Path) -> None:
    (tmp_path / "infra").mkdir()
    web = tmp_path / "infra" / "web.tf"
    web.write_text(f'\nimage = "{A.upper()}"\n')
    nights = Nights(tmp_path, cloud(), rest={"references": [{"files": "infra/**/*.tf"}]})
    found = nights.run()
    assert reasons(found) == {A: "referenced", B: "expired"}
    assert decision(found, A).detail == "named in infra/web.tf:2"
    web.write_text("nothing")
    assert [reasons(nights.run(after=30 * HOUR))[A] for _ in range(3)] == ["recently-used", "recently-used", "expired"]


def test_a_repository_that_moved_frees_nothing(tmp_path: Path) -> None:
    (tmp_path / "web.tf").write_text(f"image: {A}")
    nights = Nights(tmp_path, cloud(), rest={"references": [{"files": "*.tf"}]})
    nights.run()
    (tmp_path / "web.tf").unlink()
    for _ in range(5):
        found = nights.run()
        assert exit_code(found) == 1
        assert "reference *.tf: no file matches it" in str(found.targets[0].error)
    nights.rest = {"references": [{"files": "*.tf", "needed": "optional"}]}
    for _ in range(5):
        found = nights.run()
        assert reasons(found)[A] == "recently-used"
        assert decision(found, A).detail == "it was in use when reference *.tf could last be read"
        assert "reference *.tf (optional): no file matches it" in found.targets[0].survey.remarks
    assert nights.cloud.gone == {B}


def test_an_image_in_use_and_named_is_said_to_be_in_use(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text(A)
    nights = Nights(tmp_path, cloud(servers={"/compute": [server("s1", {"id": A})]}))
    nights.rest = {"references": [{"files": "a.tf"}]}
    found = nights.run()
    assert decision(found, A).detail == "used by instance name of s1"
    with Store.open_existing(tmp_path / "janitor.db") as store:
        users = store.surveys(found.run)["prod"].usage.by_image[folded(A)]
    assert [user.name for user in users] == ["a.tf:1", "name of s1"]


# What is recorded


def test_what_was_carried_over_is_told_from_what_was_seen(tmp_path: Path) -> None:
    """Of a source that is read in part, what was seen tonight is in the snapshot and what was not is not."""
    nights = Nights(tmp_path, cloud(*TWO_REGIONS), [{"usage": {"servers": "optional"}}])
    nights.cloud.servers = {"/compute": [server("s1", {"id": A})], "/compute-2": [server("s2", {"id": B})]}
    first = nights.run().run
    nights.cloud.failing = {"/compute-2/v2.1/servers/detail": no(403)}
    second = nights.run().run
    nights.cloud.failing = {}
    third = nights.run().run
    with Store.open_existing(tmp_path / "janitor.db") as store:
        seen = [set(store.surveys(run)["prod"].usage.by_image) for run in (first, second, third)]
        assert seen == [{A, B}, {A}, {A, B}]
        told = [event.text for event in store.image_history("prod", B) if "in use" in event.text]
    assert [words for words in told if not words.startswith("decision")] == ["in use by instance name of s2"]


def test_all_uses_are_explained_each_with_its_source(tmp_path: Path) -> None:
    nights = Nights(tmp_path, cloud(*TWO_REGIONS), [{"region": "R1"}])
    nights.cloud.servers = {"/compute": [server("s1", {"id": A})], "/compute-2": [server("s2", {"id": A})]}
    run = nights.run().run
    with Store.open_existing(tmp_path / "janitor.db") as store:
        users = store.surveys(run)["prod"].usage.by_image[folded(A)]
    assert [(user.id, user.source) for user in users] == [("s1", "servers in R1"), ("s2", "servers in R2")]
