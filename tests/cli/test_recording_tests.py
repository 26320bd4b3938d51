"""`janitor test --record`: a test of what a recorded run decided, which then holds."""

import yaml

from janitor.core.result import Mode
from janitor.core.survey import Survey
from janitor.core.usage import Usage
from janitor.store import Store
from tests.conftest import Desk
from tests.factories import NOW, make_image, to_delete


def recorded(desk: Desk) -> Desk:
    done = desk.janitor("run", "--dry-run", "--no-post", "-q")
    assert done.returncode == 0, done.stderr
    return desk


def test_a_recorded_test_holds(sandbox_desk: Desk) -> None:
    desk = recorded(sandbox_desk)
    done = desk.janitor("test", "--record", "1", "--output", "policies/all.test.yaml")
    assert (done.returncode, done.stdout) == (0, "")
    assert "recorded; the test holds under the policies of that run.\n" in done.stderr
    tested = desk.janitor("test")
    assert tested.returncode == 0, tested.stdout
    assert "in 1 file\n" in tested.stdout
    text = (desk.folder / "policies" / "all.test.yaml").read_text(encoding="utf-8")
    with Store.open_existing(desk.folder / "sandbox.db") as store:
        [inputs] = store.inputs(1).values()
    assert not [image.id for image in inputs.survey.images if image.id in text]


def test_only_names_that_are_asked_for_are_recorded(sandbox_desk: Desk) -> None:
    desk = recorded(sandbox_desk)
    done = desk.janitor("test", "--record", "1", "--name", "ci-*")
    assert done.returncode == 0
    test = yaml.safe_load(done.stdout)
    assert test["images"]
    assert all(image["name"].startswith("ci-") for image in test["images"])
    assert done.stdout.startswith("# Recorded from run 1 of target ")


def test_no_file_is_overwritten(sandbox_desk: Desk) -> None:
    desk = recorded(sandbox_desk)
    file = desk.write("mine.test.yaml", "mine")
    done = desk.janitor("test", "--record", "1", "--output", "mine.test.yaml")
    assert done.returncode == 2
    assert "mine.test.yaml exists and was not changed" in done.stderr
    assert file.read_text() == "mine"


def test_a_test_is_named_as_one(sandbox_desk: Desk) -> None:
    done = recorded(sandbox_desk).janitor("test", "--record", "1", "--output", "policies/new.yaml")
    assert done.returncode == 2
    assert "policies/new.yaml would be no test of policies: name it *.test.yaml or *.test.yml" in done.stderr
    assert not (sandbox_desk.folder / "policies" / "new.yaml").exists()


def test_what_cannot_be_recorded_is_said(sandbox_desk: Desk) -> None:
    desk = recorded(sandbox_desk)
    for words, said in (
        (("2",), "there is no run 2: the latest is 1"),
        (("1", "--name", "nothing-*"), "run 1 saw no such image (it surveyed "),
        (("1", "--target", "nowhere"), '--target: run 1 did not survey "nowhere" (it surveyed '),
        (("1", "--format", "json"), "--record writes a test, and goes with --name, --target and --output only"),
        (("1", "policies"), "--record writes a test, and goes with --name, --target and --output only"),
        (("1", "--output", "nowhere/x.test.yaml"), "--output: nowhere/x.test.yaml: No such file or directory"),
    ):
        done = desk.janitor("test", "--record", *words)
        assert done.returncode == 2, words
        assert said in done.stderr
    done = desk.janitor("test", "--name", "ci-*")
    assert (done.returncode, "--name goes with --record only" in done.stderr) == (2, True)


def test_a_run_that_did_not_record_what_it_decided_on_is_said(sandbox_desk: Desk) -> None:
    image = make_image("ci-1")
    with Store.open(sandbox_desk.folder / "sandbox.db") as store:
        run = store.begin_run(Mode.DELETE, NOW)
        for target in ("prod", "test"):
            store.record_survey(run, target, Survey((image,), Usage(), NOW, NOW))
            store.record_decisions(run, target, [to_delete(image)])
    several = sandbox_desk.janitor("test", "--record", "1")
    assert (several.returncode, "in prod, test: choose one by --target" in several.stderr) == (2, True)
    done = sandbox_desk.janitor("test", "--record", "1", "--target", "prod")
    assert done.returncode == 2
    assert "decided nothing, or did not record what on, as by an earlier version" in done.stderr


def test_a_run_that_could_not_read_usage_is_said(sandbox_desk: Desk) -> None:
    with Store.open(sandbox_desk.folder / "sandbox.db") as store:
        run = store.begin_run(Mode.DELETE, NOW)
        store.record_survey(run, "prod", Survey((make_image("ci-1"),), Usage(problem="503"), NOW, NOW))
    done = sandbox_desk.janitor("test", "--record", "1")
    assert done.returncode == 2
    assert "could not read what is in use, so it deleted nothing: name another run" in done.stderr


def test_without_a_database_there_is_nothing_to_record(sandbox_desk: Desk) -> None:
    done = sandbox_desk.janitor("test", "--record", "1")
    assert done.returncode == 2
    assert not (sandbox_desk.folder / "sandbox.db").exists()


def test_the_latest_run_is_recorded_and_a_test_is_not_written_where_it_would_be_read(sandbox_desk: Desk) -> None:
    desk = recorded(sandbox_desk)
    latest = desk.janitor("test", "--record", "latest")
    assert (latest.returncode, latest.stdout) == (0, desk.janitor("test", "--record", "1").stdout)
    assert "'newest' is not a run" in desk.janitor("test", "--record", "newest").stderr
    desk.amend("references: [{files: texts/*.yaml}]\n")
    desk.write("texts/main.yaml", "nothing")
    done = desk.janitor("test", "--record", "1", "--output", "texts/x.test.yaml")
    assert (done.returncode, 'which the reference "texts/*.yaml" matches' in done.stderr) == (2, True)
    assert not (desk.folder / "texts/x.test.yaml").exists()
