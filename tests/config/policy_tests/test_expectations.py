"""What tests of policies expect: when it holds, and every mistake with its line."""

from pathlib import Path

import pytest

from tests.config.policy_tests.written import CI, problems_of, results
from tests.documentation import blocks, document

NOTICE = CI.replace("after: 14d}", "after: 14d}, notice: 48h")
IMAGES = "now: 2026-06-01\nimages: [{name: ci-1, age: 13d}, {name: ci-2, age: 15d}, {name: golden-1}]\n"
WELL = "ci-1: any, ci-2: any, golden-1: any"


def test_the_example_of_the_documents_holds(tmp_path: Path) -> None:
    example = next(block for block in blocks("yaml", document("docs/policies.md")) if "expect:" in block)
    assert [each.holds for each in results(tmp_path, example)] == [True] * 4


@pytest.mark.parametrize(
    ("image", "expected", "holds"),
    [
        ("ci-1", "any", True),
        ("ci-1", "keep", True),
        ("ci-1", "delete", False),
        ("ci-1", "{keep: too-young}", True),
        ("ci-1", "{keep: in-use}", False),
        ("ci-1", "{keep: too-young, due: 2026-06-02}", True),
        ("ci-1", "{keep: too-young, due: 2026-06-01}", False),
        ("ci-1", "{due: 2026-06-02T00:00:00Z}", True),
        ("ci-1", "{due: 2026-06-02T09:00:00+09:00}", True),
        ("ci-1", "{due: 2026-06-02T00:00:01Z}", False),
        ("ci-1", "{policy: ci-images}", True),
        ("ci-1", "{policy: golden}", False),
        ("ci-1", "{reason: too-young}", True),
        ("ci-1", "{verdict: keep, policy: ci-images}", True),
        ("ci-1", "{verdict: any, policy: ci-images}", True),
        ("ci-2", "{wait: ci-images}", True),
        ("ci-2", "{wait: golden}", False),
        ("ci-2", "{wait: notice}", True),
        ("ci-2", "{wait: refused}", False),
        ("ci-2", "{wait: notice, policy: ci-images, due: 2026-06-03}", True),
        ("ci-2", "wait", True),
        ("golden-1", "{keep: pinned}", True),
        ("golden-1", "{due: 2026-06-02}", False),
    ],
)
def test_what_holds(tmp_path: Path, image: str, expected: str, holds: bool) -> None:
    others = WELL.replace(f"{image}: any", f"{image}: {expected}")
    found = {each.case.label: each.holds for each in results(tmp_path, f"{IMAGES}expect: {{{others}}}", NOTICE)}
    assert found.pop(image) is holds
    assert all(found.values())


@pytest.mark.parametrize("expected", ["{delete: ci-images}", "{delete: expired}", "delete"])
def test_a_deletion_is_expected_by_policy_or_by_reason(tmp_path: Path, expected: str) -> None:
    test = f"{{now: 2026-06-01, images: [{{name: ci-1}}], expect: {{ci-1: {expected}}}}}"
    assert [each.holds for each in results(tmp_path, test)] == [True]


def test_a_guarded_image_has_its_policy_too(tmp_path: Path) -> None:
    test = "{now: 2026-06-01, images: [{name: ci-1, protected: true}], expect: {ci-1: {policy: ci-images}}}"
    [each] = results(tmp_path, test)
    assert (each.holds, each.decision.policy) == (True, None)


def test_an_image_that_an_earlier_policy_may_own_has_no_policy(tmp_path: Path) -> None:
    large = "  - {name: large, match: {larger_than: 1GiB}}\n"
    test = "{now: 2026-06-01, images: [{name: ci-1, unknown: size}], expect: {ci-1: any}}"
    [each] = results(tmp_path, test, CI.replace("policies:\n", f"policies:\n{large}"))
    assert (each.decision.reason, each.owner) == ("unmatched", None)


def test_images_of_one_name_are_expected_by_id(tmp_path: Path) -> None:
    test = """
    now: 2026-06-01
    images: [{name: ci-1, id: a}, {name: ci-1, id: b, age: 1d}, {id: c}]
    expect: {a: delete, b: keep, c: {keep: unmatched}}
    """
    assert [each.holds for each in results(tmp_path, test)] == [True] * 3


@pytest.mark.parametrize(
    ("expected", "problem"),
    [
        pytest.param("in-use", 'expect.ci-1: "in-use" is a reason: write {keep: in-use}', id="lone-reason"),
        pytest.param(
            "ci-images", "is not a verdict (any, keep, wait, delete): write one, or {delete", id="lone-policy"
        ),
        pytest.param("kep", '"kep" is not a verdict, did you mean "keep"?', id="misspelt-verdict"),
        pytest.param("", "expect.ci-1: is empty", id="empty"),
        pytest.param("[keep]", "expect.ci-1: is a list: write keys and values", id="list"),
        pytest.param("{}", "expect.ci-1: must not be empty: to expect nothing, write any", id="nothing"),
        pytest.param("{keep: in-us}", '"in-us" is not a reason to keep an image, did you mean "in-use"?', id="reason"),
        pytest.param("{keep: notice}", '"notice" is not a reason to keep an image', id="reason-of-waiting"),
        pytest.param(
            "{delete: ci-image}", '"ci-image" is not a policy, nor a reason to delete, did you mean', id="policy"
        ),
        pytest.param("{delete: in-use}", '"in-use" is a reason: write {keep: in-use}', id="reason-of-keeping"),
        pytest.param("{wait: x}", "(known: ci-images, golden, refused, notice)", id="nothing-near"),
        pytest.param("{policy: goldn}", 'policy: "goldn" is not a policy, did you mean "golden"?', id="owner"),
        pytest.param("{reason: pined}", 'reason: "pined" is not a reason, did you mean "pinned"?', id="any-reason"),
        pytest.param("{keep: in-use, delete: golden}", "has keep and delete: give only one of them", id="two-verdicts"),
        pytest.param("{keep: in-use, reason: pinned}", "has keep and reason, which is the same", id="two-reasons"),
        pytest.param("{verdict: wait, reason: pinned}", "pinned is a reason to keep, not to wait", id="never"),
        pytest.param("{due: soon}", 'due: "soon" is not a date like 2026-06-01', id="due"),
        pytest.param("{kep: in-use}", 'expect.ci-1.kep: unknown key, did you mean "keep"?', id="key"),
    ],
)
def test_a_wrong_expectation_is_named_with_its_line(expected: str, problem: str) -> None:
    others = "  ci-2: any\n  golden-1: any\n"
    [said] = problems_of(f"{IMAGES}expect:\n  ci-1: {expected}\n{others}")
    assert said.startswith("ci.test.yaml:4: expect.ci-1")
    assert problem in said


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        pytest.param(
            "images: [{name: a}]\nexpect: {a: any}",
            ["ci.test.yaml:1: now: is missing: say at what time these images are decided on, like 2026-06-01"],
            id="no-now",
        ),
        pytest.param(
            "now: 3026-06-01\nimages: [{name: a}]\nexpect: {a: any}",
            ['ci.test.yaml:1: now: "3026-06-01" is out of range: write a year from 1970 to 2999'],
            id="too-late",
        ),
        pytest.param(
            "now: 0001-01-01\nimages: [{name: a}]\nexpect: {a: any}",
            ['ci.test.yaml:1: now: "0001-01-01" is out of range: write a year from 1970 to 2999'],
            id="out-of-range",
        ),
        pytest.param(
            "now: 2026-06-01\nimages:\n  - {name: a}\n  - {name: b}\nexpect: {a: any, golden: any}",
            [
                "ci.test.yaml:4: images[1]: nothing is expected for b: add it under `expect`, or `b: any`",
                "ci.test.yaml:5: expect.golden: is not an image of this test",
            ],
            id="image-and-expectation-apart",
        ),
        pytest.param(
            "now: 2026-06-01\nimages: [{name: ci-1}, {name: ci-1, age: 1d}]\nexpect:\n  ci-1: any",
            ["ci.test.yaml:4: expect.ci-1: is the name of 2 images: give each an id, and expect by these"],
            id="name-of-two",
        ),
        pytest.param(
            "now: 2026-06-01\nimages:\n  - {id: A}\n  - {id: a}\nexpect: {A: any, a: any}",
            ["ci.test.yaml:4: images[1].id: is already the id of images[0]"],
            id="id-of-two",
        ),
        pytest.param(
            "now: 2026-06-01\nimages: [{id: a, name: x}]\nexpect:\n  a: any\n  x: any",
            ["ci.test.yaml:5: expect.x: is the image that is expected as a already"],
            id="expected-twice",
        ),
        pytest.param(
            "now: 2026-06-01\nimages:\n  - {nam: a, age: 20}\n  - {name: b, crated: 1d, in_use: }\nexpect: {a: any}",
            [
                "ci.test.yaml:3: images[0].age: is a number: write a duration with its unit, like 24h",
                'ci.test.yaml:3: images[0].nam: unknown key, did you mean "name"?',
                "ci.test.yaml:4: images[1].in_use: is empty: give it a value or leave the key out",
                'ci.test.yaml:4: images[1].crated: unknown key, did you mean "created"?',
            ],
            id="all-at-once",
        ),
        pytest.param(
            "policies: [{name: x}]\nexempt: []\nimages: 3",
            [
                f"ci.test.yaml:{line}: {key}: is not read in a *.test.yaml or *.test.yml file, which holds tests: "
                "move it to a file of another name"
                for line, key in ((1, "policies"), (2, "exempt"))
            ],
            id="policies-in-it",
        ),
    ],
)
def test_every_mistake_of_a_file_is_named_with_its_line(text: str, problems: list[str]) -> None:
    assert problems_of(text) == problems


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ("age: 1d, created: 2d", "has an age and a date of creation: give only one of them"),
        ("age: -1d", '"-1d" is not a duration like 36h or 14d'),
        ("last_used: 3m", '"3m" is minutes or months'),
        ("updated: 2026-06-31", '"2026-06-31" is not a date like 2026-06-01 or a time like 2026-06-01T03:00:00+09:00'),
        ("updated: 2026-6-1", '"2026-6-1" is not a date like 2026-06-01'),
        ("visibility: private, public: true", "public contradicts visibility: private"),
        ("user_deleted: true", "user_deleted goes with last_used"),
        ("refusals: 2", "refusals goes with refused"),
        ("unknown: [size], size: 1GiB", "size is given, and unknown: leave one of them out"),
        ("unknown: sise", '"sise" is not something that may be unknown, did you mean "size"?'),
        ("status: actve", '"actve" is not a status, did you mean "active"?'),
        ("disk_format: qcow", '"qcow" is not a disk format, did you mean "qcow2"?'),
        ("exempt: {untl: 2026-01-01}", 'exempt.untl: unknown key, did you mean "until"?'),
        ("exempt: tomorrow", '"tomorrow" is not a date like 2026-12-31'),
        ("properties: {a: 1}", "properties.a: is a number: write text, in quotes"),
    ],
)
def test_a_wrong_image_is_named_with_its_line(facts: str, problem: str) -> None:
    said = problems_of(f"now: 2026-06-01\nimages:\n  - {{name: a, {facts}}}\nexpect: {{a: any}}")
    assert all(each.startswith("ci.test.yaml:3: images[0]") for each in said)
    assert any(problem in each for each in said)


def test_an_image_without_name_and_id_cannot_be_expected() -> None:
    [said] = problems_of("now: 2026-06-01\nimages: [{age: 1d}]\nexpect: {a: any}")
    assert "has neither a name nor an id" in said
