"""Names as people see them: in exemptions, policies and references, however they are spelled."""

import json
import unicodedata
from datetime import UTC
from typing import Any

import pytest

from janitor.core.decide import decide
from janitor.core.decision import Reason, Verdict
from janitor.core.exemptions import FOREVER, exemptions_for
from janitor.core.memory import Exemption
from janitor.core.names.pattern import Pattern, flaw_of_glob
from janitor.core.names.spelling import normal
from janitor.core.policy import Match, Policy
from janitor.core.policy_lint import exempting_nothing
from janitor.core.usage import Usage
from janitor.sandbox.server import Sandbox
from tests.conftest import Desk
from tests.factories import NOW, OLD, make_image

COMPOSED = "골든-결제"
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)
SECRETS = "appkey: the-appkey, username: the-user, password: the-password"
OF_TESTS = "{now: 2026-06-01, images: [{name: x}], expect: {x: any}}\n"
CONFIGURED = f"targets: [{{name: prod, {SECRETS}}}]\n"
SAME = [
    pytest.param(COMPOSED, DECOMPOSED, id="decomposed"),
    pytest.param("golden-1", "golden-1 ", id="a-blank"),
    pytest.param("golden-1", "\tgolden-1\r\n", id="whitespace"),
    pytest.param("golden-1", "gol\u200bden-1", id="zero-width-space"),
    pytest.param("golden-1", "\ufeffgolden-1", id="byte-order-mark"),
    pytest.param("golden-1", "golden\u00ad-1", id="soft-hyphen"),
    pytest.param("golden-1", "golden-1\ufe0f", id="variation-selector"),
    pytest.param("golden-1", "golden-1\u200b ", id="a-blank-behind-what-nobody-sees"),
    pytest.param("golden-1", "\u2066golden-1\u2069", id="bidi"),
    pytest.param("golden-1", "golden-1\U000e0041", id="a-tag"),
]


@pytest.mark.parametrize(("name", "spelled"), SAME)
def test_names_are_the_same_where_people_see_the_same(name: str, spelled: str) -> None:
    assert normal(name) == normal(spelled) == name


@pytest.mark.parametrize("others", [("a", "A"), ("a b", "ab"), ("é", "e"), ("ﬁ", "fi"), ("a", "а")])
def test_other_names_are_others(others: tuple[str, str]) -> None:
    assert normal(others[0]) != normal(others[1])


def test_what_is_invisible_is_what_unicode_says() -> None:
    """Of what unicodedata knows: format characters without a meaning of their own, and fillers."""
    for code in (0xAD, 0x34F, 0x61C, 0x115F, 0x17B4, 0x180E, 0x200B, 0x200F, 0x202E, 0x2060, 0x206F, 0x3164, 0xFE00):
        assert normal(f"a{chr(code)}b") == "ab"
    for code in (0x0600, 0x06DD, 0x070F, 0x110BD, 0xFFF9, 0x2028):  # Cf and Zl that show, or that mean something
        assert normal(f"a{chr(code)}b") != "ab"


@pytest.mark.parametrize(("name", "spelled"), SAME)
@pytest.mark.parametrize("swapped", [False, True], ids=["in-the-cloud", "in-the-file"])
def test_an_exemption_finds_its_image_however_both_are_spelled(name: str, spelled: str, swapped: bool) -> None:
    written, listed = (spelled, name) if swapped else (name, spelled)
    given = Exemption(written, FOREVER, "why", "who")
    image = make_image(listed)
    assert exemptions_for([image], [], [given], NOW) == {image.id: given}
    assert exempting_nothing([given], {"prod": [image]}) == []
    by_id = Exemption(f"{image.id.upper()}\u200b", FOREVER, "why", "who")
    assert exemptions_for([image], [], [by_id], NOW) == {image.id: by_id}


def test_an_exemption_of_another_name_exempts_nothing() -> None:
    given = Exemption("golden-2", FOREVER, "why", "who")
    assert exemptions_for([make_image("golden-1")], [], [given], NOW) == {}
    assert exempting_nothing([given], {"prod": [make_image("golden-1")]}) == ["golden-2"]


MATCHES = [
    pytest.param("golden-*", "golden-1", True, id="plain"),
    pytest.param("golden-*", "golden-1\u200b", True, id="both-agree"),
    pytest.param("golden-*", "\u200bgolden-1", None, id="only-what-is-seen"),
    pytest.param("golden-1", "golden-1 ", None, id="only-without-the-blank"),
    pytest.param("* ", "golden-1", None, id="a-blank-in-the-glob"),
    pytest.param("*\u200b*", "golden-1", None, id="a-glob-for-what-nobody-sees-is-not-for-all"),
    pytest.param("/^golden-[0-9]+$/", "golden-1\u2060", None, id="an-expression"),
    pytest.param("/ $/", "golden-1 ", None, id="an-expression-for-blanks"),
    pytest.param(f"{COMPOSED}*", COMPOSED, True, id="composed"),
    pytest.param(f"{COMPOSED}*", DECOMPOSED, None, id="decomposed-in-the-cloud"),
    pytest.param(f"{DECOMPOSED}*", COMPOSED, True, id="decomposed-in-the-file"),
    pytest.param(f"{DECOMPOSED}*", DECOMPOSED, True, id="decomposed-in-both"),
    pytest.param(f"/{DECOMPOSED}/", COMPOSED, None, id="a-decomposed-expression"),
    pytest.param("silver-*", "\u200bgolden-1", False, id="neither"),
    pytest.param("*", "\u200b", True, id="everything"),
]


@pytest.mark.parametrize(("pattern", "name", "told"), MATCHES)
def test_a_pattern_is_sure_where_the_name_as_written_and_as_seen_agree(
    pattern: str, name: str, told: bool | None
) -> None:
    assert Pattern(pattern).matches(name) is told


def decided(policies: list[Policy], name: str, **facts: Any) -> tuple[Verdict, Reason, str]:
    [decision] = decide([make_image(name, **facts)], policies, Usage(), {}, NOW, target="prod", zone=UTC)
    return decision.verdict, decision.reason, decision.detail


def test_an_image_of_which_name_and_policy_disagree_is_kept() -> None:
    pinned = Policy("golden", Match(name=(Pattern("golden-*"),)))
    assert decided([pinned, OLD], "\u200bgolden-1") == (
        Verdict.KEEP,
        Reason.UNMATCHED,
        'it is unknown whether policy golden matches it: "golden-*" matches either as written or without '
        "surrounding blanks and invisible characters, its name",
    )
    assert decided([pinned, OLD], "\u200bsilver-1")[0] is Verdict.DELETE


# Globs


@pytest.mark.parametrize("glob", ["ci-[0-9", "[", "[]", "[!]", "a[b]c[d", "[[]["])
def test_a_set_without_its_end_is_told(glob: str) -> None:
    assert (flaw_of_glob(glob) or "").startswith("has a [ without its ]")


@pytest.mark.parametrize(
    ("glob", "told"),
    [
        ("ci-{golden,base}-*", "write one glob for each, or [{] for the character itself"),
        ("ci-{1..3}", "write one glob for each, or [{]"),
        ("{a,{b}}", "write one glob for each, or [{]"),
        ("/golden/i", "write /(?i)golden/"),
        ("/golden/gi", "write /(?i)golden/"),
        ("/golden/g", "write /golden/"),
        ("ci-[z-a]olden*", "has the empty range z-a: write a-z"),
        ("ci-[!z-a]", "has the empty range z-a"),
        ("[a-cz-x]", "has the empty range z-x"),
        ("ci-[[:alpha:]]*", "has [:alpha:], which is not known here: write the characters, like [a-z]"),
        ("[![:digit:]]", "has [:digit:],"),
        ("[[=a=]]", "has [=a=],"),
        ("ci-\\*", "write [*] for a *, and [\\\\] for a backslash"),
        ("CORP\\svc", "has a backslash"),
        ("[a\\]]", "has a backslash in […]"),
        ("[\\]]", "has a backslash in […]"),
        ("[\\*]", "has a backslash in […]"),
        ("ci-[^x]olden*", "write [!…] for all but these"),
        ("[^]", "write [!…] for all but these"),
        ("!(golden)*", "write one glob for each, or `not`, or [(]"),
        ("@(golden|base)-*", "write one glob for each, or `not`, or [(]"),
    ],
)
def test_a_glob_that_means_something_else_in_a_shell_is_told_with_what_to_write(glob: str, told: str) -> None:
    assert told in (flaw_of_glob(glob) or "")


@pytest.mark.parametrize(
    ("glob", "name"),
    [
        ("ci-[0-9]", "ci-7"),
        ("[]]", "]"),
        ("[!]]", "a"),
        ("[[]", "["),
        ("ci-]", "ci-]"),
        ("[a][b]", "ab"),
        ("ci-[!x]", "ci-y"),
        ("[x^]", "^"),
        ("ci-[*]", "ci-*"),
        ("CORP[\\\\]svc", "CORP\\svc"),
        ("CORP[\\]svc", "CORP\\svc"),
        ("[{]a,b}", "{a,b}"),
        ("{a}", "{a}"),
        ("[(]a|b)", "(a|b)"),
        ("*(copy)", "golden (copy)"),
        ("[-a]", "-"),
        ("[a-]", "-"),
        ("[a-a]", "a"),
        ("[[:]", ":"),
        ("/dev/vda", "/dev/vda"),
        ("[/]golden/i", "/golden/i"),
        ("/(?i)golden/", "GOLDEN-1"),
    ],
)
def test_what_messages_tell_to_write_means_what_they_say(glob: str, name: str) -> None:
    assert Pattern(glob).expression or flaw_of_glob(glob) is None
    assert Pattern(glob).matches(name) is True


@pytest.mark.parametrize("key", ["name", "targets", "tags", "owner", "properties: {os", "not: {name"])
def test_a_glob_without_its_end_is_an_error_with_its_place(desk: Desk, key: str) -> None:
    desk.write("janitor.yaml", CONFIGURED)
    end = "}" * key.count("{")
    desk.write("policies/ci.yaml", f'policies:\n  - name: ci\n    match: {{{key}: ["ci-*", "ci-[0-9"]{end}}}\n')
    done = desk.janitor("check")
    assert done.returncode == 2
    place = key.replace(": {", ".")
    assert f"policies/ci.yaml:3: ci: match.{place}" in done.stderr
    assert '"ci-[0-9" has a [ without its ]: write [[] for the character itself' in done.stderr


def test_a_not_whose_glob_protects_nothing_is_an_error_with_its_place(desk: Desk) -> None:
    desk.write("janitor.yaml", CONFIGURED)
    match = "{name: '*', not: {name: 'ci-{golden,base}-*'}}"
    desk.write("policies/ci.yaml", f"policies:\n  - name: ci\n    match: {match}\n    expire: {{after: 14d}}\n")
    done = desk.janitor("check")
    assert done.returncode == 2
    assert 'policies/ci.yaml:3: ci: match.not.name: "ci-{golden,base}-*" has {…}, which is not known' in done.stderr


@pytest.mark.parametrize("glob", ["infra/{a,b}.tf", "infra/{a/x,b/y}.tf", "infra/[^a].tf", "infra/a\\ b.tf"])
def test_a_reference_glob_that_shells_read_otherwise_is_an_error(desk: Desk, glob: str) -> None:
    desk.write("janitor.yaml", f"{CONFIGURED}references:\n  - files: '{glob}'\n")
    desk.write("policies/ci.yaml", 'policies: [{name: ci, match: {name: "*"}}]\n')
    done = desk.janitor("check")
    assert done.returncode == 2
    assert f'janitor.yaml:3: references[0].files: "{glob}" has ' in done.stderr


@pytest.mark.parametrize("glob", ["/golden/i", "/a/b/i", "infra/../{a}/../{b}"])
def test_a_glob_of_paths_may_look_like_an_expression(glob: str) -> None:
    assert flaw_of_glob(glob, of_paths=True) is None


def test_a_reference_glob_without_its_end_is_an_error(desk: Desk) -> None:
    desk.write(
        "janitor.yaml",
        f"{CONFIGURED}references:\n  - files: 'infra/[ab/*.tf'\n",
    )
    desk.write("policies/ci.yaml", 'policies: [{name: ci, match: {name: "*"}}]\n')
    done = desk.janitor("check")
    assert done.returncode == 2
    assert 'janitor.yaml:3: references[0].files: "infra/[ab/*.tf" has a [ without its ]' in done.stderr


# What reports say of policy files


def notes(desk: Desk, *words: str) -> list[str]:
    done = desk.janitor("run", *words, "--format", "json")
    remarks: list[str] = json.loads(done.stdout)["remarks"]
    return remarks


def test_an_exemption_without_an_image_is_said_once_in_each_mode(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    name = next(iter(sandbox.account.images.values())).name
    sandbox_desk.write(
        "policies/keep.yaml",
        f"exempt: [{{images: ['nowhere-1', '{name} \u200b'], until: 2999-12-31, why: so}},"
        " {image: nowhere-0, until: 2020-01-01, why: lapsed}]\n",
    )
    told = ['a policy file exempts "nowhere-1", and in the latest surveys no image has this name or id']
    assert notes(sandbox_desk, "--dry-run") == told
    assert notes(sandbox_desk, "--dry-run") == []
    assert notes(sandbox_desk) == told
    assert notes(sandbox_desk) == []
    assert "called nowhere-1" in sandbox_desk.janitor("check").stdout
    again = " ".join(sandbox_desk.janitor("show", "3").stdout.split())
    assert f"Note: {told[0]}" in again


def test_it_is_not_said_before_all_targets_were_surveyed(sandbox_desk: Desk) -> None:
    text = (sandbox_desk.folder / "janitor.yaml").read_text()
    away = f"{{name: away, endpoint: 'http://127.0.0.1:9', {SECRETS}, http: {{attempts: 1}}}}"
    sandbox_desk.write("janitor.yaml", text.replace("targets:\n", f"targets:\n  - {away}\n"))
    sandbox_desk.write("policies/keep.yaml", "exempt: [{image: nowhere-1, until: 2999-12-31, why: so}]\n")
    assert notes(sandbox_desk, "--dry-run") == []


def test_what_is_passed_over_in_the_policies_folder_is_said(sandbox_desk: Desk) -> None:
    for name in ("z.YAML", "notes.txt", "sub.yaml/ci.yaml", ".hidden", "README.md", "..data/x"):
        sandbox_desk.write(f"policies/{name}", "policies: [] # not read\n")
    sandbox_desk.write("policies/old.test.yml", OF_TESTS)
    only = "in the policies folder, only *.yaml and *.yml files are read, and these are ignored"
    told = f"{only}: notes.txt, sub.yaml (a folder), z.YAML"
    assert f"note: {told}\n" in sandbox_desk.janitor("check").stdout
    assert notes(sandbox_desk, "--dry-run") == []
    assert notes(sandbox_desk) == [told]
    assert notes(sandbox_desk) == [told]


def test_a_file_of_tests_that_holds_policies_is_an_error(desk: Desk) -> None:
    desk.write("janitor.yaml", CONFIGURED)
    desk.write("policies/old.test.yaml", "policies: [{name: golden, match: {name: 'golden-*'}}]\n")
    done = desk.janitor("check")
    assert done.returncode == 2
    assert "policies/old.test.yaml:1: policies: is not read in a *.test.yaml" in done.stderr


# What JSON encoders write


def test_policies_that_a_json_encoder_wrote_can_be_run(sandbox_desk: Desk) -> None:
    rule = {"name": "old 😀", "description": "😀", "match": {"name": ["😀*", "*"]}, "expire": {"after": "90d"}}
    exempt = {"images": ["ci 😀"], "until": "2999-12-31", "why": "😀"}
    sandbox_desk.write("policies/old.yaml", json.dumps({"policies": [rule], "exempt": [exempt]}))
    done = sandbox_desk.janitor("run", "--dry-run", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert '"old \\ud83d\\ude00"' in done.stdout


def test_a_policy_file_whose_name_is_not_utf_8_can_be_run(sandbox_desk: Desk) -> None:
    text = "exempt: [{image: nowhere-1, until: 2999-12-31, why: so}]\n"
    sandbox_desk.write("policies/a\udcff.yaml", text)
    assert sandbox_desk.janitor("run", "--dry-run").returncode == 0


def test_words_that_are_not_utf_8_are_refused(sandbox_desk: Desk, sandbox: Sandbox) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    done = sandbox_desk.janitor("keep", next(iter(sandbox.account.images)), "--for", "3d", "--why", "a\udcff")
    assert (done.returncode, done.stderr) == (2, "janitor: --why is not UTF-8 text\n")


@pytest.mark.parametrize(
    "words", [("explain",), ("keep", "--for", "3d", "--why", "x"), ("unkeep",)], ids=lambda w: w[0]
)
def test_an_image_that_is_not_utf_8_is_wrong_usage(sandbox_desk: Desk, words: tuple[str, ...]) -> None:
    sandbox_desk.janitor("run", "--dry-run")
    done = sandbox_desk.janitor(*words, "a\udcff")
    assert (done.returncode, done.stderr) == (2, 'janitor: "a\\udcff" is not UTF-8 text, so it is not an id\n')
