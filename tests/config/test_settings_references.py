"""The references of a configuration: what each key becomes, and the messages if they contradict each other."""

import traceback
from pathlib import Path

import pytest

from janitor.config import Settings, load_settings
from janitor.errors import ConfigurationError
from janitor.references import Names, Reference
from janitor.transport import HttpOptions

URL = "https://vault.example/launch-templates.json"


def load(folder: Path, *items: str, environ: dict[str, str] | None = None) -> Settings:
    """The settings with these references, the first of which is in line 3."""
    references = "".join(f"  - {item}\n" for item in items)
    folder.mkdir(exist_ok=True)
    (folder / "janitor.yaml").write_text(
        f"targets: [{{name: prod, api: openstack, cloud: x}}]\nreferences:\n{references}", encoding="utf-8"
    )
    return load_settings(folder / "janitor.yaml", environ or {})


def problems(folder: Path, *items: str, environ: dict[str, str] | None = None) -> list[str]:
    """The problems in them, without the name of the file."""
    with pytest.raises(ConfigurationError) as caught:
        load(folder, *items, environ=environ)
    return [str(problem).split("janitor.yaml:", 1)[1] for problem in caught.value.problems]


def test_without_references_there_are_none(tmp_path: Path) -> None:
    (tmp_path / "janitor.yaml").write_text("targets: [{name: prod, api: openstack, cloud: x}]\n")
    assert load_settings(tmp_path / "janitor.yaml", {}).references == ()


def test_files_are_relative_to_the_configuration(tmp_path: Path) -> None:
    settings = load(tmp_path, 'files: "/srv/infra/**/*.tf"', 'files: "../state/*.tfstate"')
    assert settings.references == (
        Reference("/srv/infra/**/*.tf", "/srv/infra/**/*.tf", names=Names.ALL, required=True),
        Reference("../state/*.tfstate", f"{tmp_path}/../state/*.tfstate"),
    )


def test_the_folder_of_the_configuration_is_no_glob(tmp_path: Path) -> None:
    settings = load(tmp_path / "[prod]*", "files: a.tf")
    assert settings.references[0].files == f"{tmp_path}/[[]prod][*]/a.tf"


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        ("true", Names.ALL),
        ("false", Names.NONE),
        ("newest", Names.NEWEST),
        ('"${NAMES}"', Names.NONE),
    ],
)
def test_which_names_count_can_be_chosen(tmp_path: Path, names: str, kept: Names) -> None:
    item = f"{{files: x, names: {names}}}"
    assert load(tmp_path, item, environ={"NAMES": "false"}).references[0].names is kept


def test_a_reference_may_be_optional(tmp_path: Path) -> None:
    settings = load(tmp_path, "{files: x, needed: optional}", "{files: x, needed: required}")
    assert [reference.required for reference in settings.references] == [False, True]


def test_a_url_takes_a_token(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("the-token\n")
    expected = Reference(URL, None, URL, "the-token")
    for item in (f"{{url: {URL}, token_file: t}}", f'{{url: {URL}, token: "${{T}}"}}'):
        settings = load(tmp_path, item, environ={"T": "the-token"})
        assert settings.references == (expected,)
        assert settings.secrets == {"the-token"}
        assert "the-token" not in repr(settings)


def test_the_secrets_of_a_url_are_not_shown(tmp_path: Path) -> None:
    url = "https://me:pass%20word@vault.example:8200/x.json?sig=the-signature#part"
    (reference,) = (settings := load(tmp_path, f'url: "{url}"')).references
    assert (reference.what, reference.url) == ("https://vault.example:8200/x.json", url)
    assert settings.secrets >= {url, "pass%20word", "pass word", "sig=the-signature"}
    assert "the-signature" not in repr(settings)
    assert "pass" not in repr(settings)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "127.9.9.9", "[::1]:80"])
def test_http_is_fine_on_loopback(tmp_path: Path, host: str) -> None:
    assert load(tmp_path, f'url: "http://{host}/x"').references[0].url == f"http://{host}/x"


def test_patience_with_urls_is_that_of_all_requests(tmp_path: Path) -> None:
    assert load(tmp_path, "files: x").http == HttpOptions()
    (tmp_path / "janitor.yaml").write_text("targets: [{name: x, cloud: y, api: openstack}]\nhttp: {attempts: 2}\n")
    assert load_settings(tmp_path / "janitor.yaml", {}).http == HttpOptions(attempts=2)


@pytest.mark.parametrize(
    ("item", "told"),
    [
        pytest.param("{}", "3: references[0]: has neither files nor a url: give either one or the other", id="none"),
        pytest.param("names: true", "3: references[0]: has neither files nor a url", id="neither"),
        pytest.param("{files: x, url: https://y}", "3: references[0]: has both files and a url: give", id="both"),
        pytest.param(
            "{url: https://x, name: true}", '3: references[0].name: unknown key, did you mean "names"?', id="near"
        ),
        pytest.param("{files: x, when: y}", "3: references[0].when: unknown key (known here: files, url", id="key"),
        pytest.param('files: ""', "3: references[0].files: is empty", id="no-files"),
        pytest.param('files: " "', "3: references[0].files: is empty: write text", id="a-space"),
        pytest.param("files:", "3: references[0].files: is empty", id="nothing"),
        pytest.param('files: "${NOPE:-}"', "3: references[0].files: environment variable NOPE is not set", id="unset"),
        pytest.param('files: "${NOPE}"', "3: references[0].files: environment variable NOPE is not set", id="no-value"),
        pytest.param("files: [a, b]", "3: references[0].files: is a list: write text, in quotes", id="a-list"),
        pytest.param("files: 7", "3: references[0].files: is a number: write text, in quotes", id="a-number"),
        pytest.param('files: "a\\x07b"', "3: references[0].files: holds a line break or another", id="control"),
        pytest.param('files: "a\\0b"', "3: references[0].files: holds a null character", id="null"),
        pytest.param('{url: https://x, token: ""}', "3: references[0].token: is empty", id="no-token"),
        pytest.param("{url: https://x, token_file: nope}", "3: references[0].token_file: ", id="no-token-file"),
        pytest.param("{url: https://x, token: a, token_file: b}", "3: references[0].token_file: give either", id="two"),
        pytest.param(
            "{files: x, token: y}", "3: references[0].token: belongs to a url, but this reference has", id="token"
        ),
        pytest.param("{files: x, names: all}", '3: references[0].names: "all" is not known here: write true', id="all"),
        pytest.param("{files: x, names: 1}", "3: references[0].names: write true, false or newest", id="one"),
        pytest.param("{files: x, needed: off}", '3: references[0].needed: "off" is not known here', id="off"),
        pytest.param("{files: x, needed: true}", "3: references[0].needed: is true or false: write one of", id="true"),
        pytest.param("url: vault.example", "3: references[0].url: is not a URL like", id="no-url"),
        pytest.param("url: http://vault.example/x", "3: references[0].url: must be https: http is for loop", id="http"),
        pytest.param("url: http://127.0.0.1.example/x", "3: references[0].url: must be https", id="like-loopback"),
        pytest.param("url: ftp://127.0.0.1/x", "3: references[0].url: is not a URL like", id="ftp"),
        pytest.param("url: file:///etc/passwd", "3: references[0].url: is not a URL like", id="file"),
        pytest.param('{url: "https://[x", token: y}', "3: references[0].url: is not a URL like", id="half-an-address"),
        pytest.param("{url: https://a:b@x/, token: y}", "3: references[0].url: must not hold a user name", id="user"),
        pytest.param("x", "3: references[0]: is text: write keys and values", id="text"),
        pytest.param("", "3: references[0]: is empty", id="empty-item"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(tmp_path: Path, item: str, told: str) -> None:
    said = problems(tmp_path, item)
    assert len(said) == 1, said
    assert said[0].startswith(told)


@pytest.mark.parametrize("value", ["", " x", " {files: x}"])
def test_references_are_a_list(tmp_path: Path, value: str) -> None:
    (tmp_path / "janitor.yaml").write_text(f"targets: [{{name: x, cloud: y, api: openstack}}]\nreferences:{value}\n")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(tmp_path / "janitor.yaml", {})
    (problem,) = caught.value.problems
    assert (problem.key, problem.line) == ("references", 2)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    said = problems(tmp_path, "{files: x, token: y}", "{names: maybe}", "url: http://vault.example")
    assert [one.split(":")[1].strip() for one in said] == [
        "references[0].token",
        "references[1]",
        "references[1].names",
        "references[2].url",
    ]


def test_no_problem_shows_a_secret(tmp_path: Path) -> None:
    environ = {"PASSWORD": "the-password", "SIGNATURE": "the-signature", "TOKEN": "the-token"}
    item = (
        '{url: "http://me:${PASSWORD}@x/?sig=${SIGNATURE}", token: "${TOKEN}", needed: "${TOKEN}", names: "${TOKEN}"}'
    )
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, item, environ=environ)
    told = "".join(traceback.format_exception(caught.value))
    assert len(caught.value.problems) == 3
    assert not [secret for secret in environ.values() if secret in told]
