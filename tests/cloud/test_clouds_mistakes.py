"""Mistakes in clouds.yaml and the OS_* variables: each is reported in one line, with its place and without a secret."""

import os
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from janitor.cloud.openstack.clouds import configured
from janitor.errors import UsageError
from tests.cloud.clouds_yaml import AUTH, at, cloud
from tests.identity_stand_in import PASSWORD, Keystone, serving

pytestmark = pytest.mark.usefixtures("alone")

NO_PASSWORD = {name: value for name, value in AUTH.items() if name != "password"}
WITH_URL = "{auth_url: 'https://x', username: x, password: hunter2}"
AUTH_KEY = "clouds:\n  devstack:\n    auth:\n"
MISTAKES = [
    pytest.param(
        "clouds: {prod: {}, test: {}}", 'no cloud named "devstack" in *clouds.yaml; there is prod, test', id="other"
    ),
    pytest.param("clouds: {}", 'no cloud named "devstack" in *clouds.yaml; it has none', id="none"),
    pytest.param(
        None, 'no cloud named "devstack": there is no clouds.yaml (looked for in the current directory, *', id="no-file"
    ),
    pytest.param("clouds:\n devstack:\n  password: 'hunter2\n", "clouds.yaml:4: is not YAML: found *", id="no-yaml"),
    pytest.param(
        "clouds: {devstack: {password: *hunter2}}",
        "clouds.yaml:1: is not YAML: a text that begins with * must be in quotes",
        id="no-alias",
    ),
    pytest.param(
        "- hunter2", "clouds.yaml:1: is a list: write keys and values, *, with clouds: at the top", id="a-list"
    ),
    pytest.param(
        "x: {}\ncluods: {devstack: {}}",
        "clouds.yaml:2: cluods: no clouds can be read from it: the key clouds is missing (is this it?)",
        id="no-clouds",
    ),
    pytest.param("clouds: [devstack]", "clouds.yaml:1: clouds: is a list: write keys and values, *", id="listed"),
    pytest.param("clouds:\n", "clouds.yaml:1: clouds: is empty: write keys and values, *", id="empty-clouds"),
    pytest.param(
        "x: &a [*a]\nclouds: {devstack: {}}", "clouds.yaml: holds more than 100000 values, or an alias *", id="itself"
    ),
    pytest.param(
        "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(9))
        + "clouds: {devstack: *a9}",
        "clouds.yaml: holds more than 100000 values, or an alias *",
        id="without-end",
    ),
    pytest.param("client: [a]\nclouds: {}", "clouds.yaml:1: client: is a list: write keys and values, *", id="client"),
    pytest.param(
        "clouds:\n  devstack: hunter2", "clouds.yaml:2: clouds.devstack: is text: write keys and values, *", id="text"
    ),
    pytest.param(
        "clouds:\n  devstack:\n", "clouds.yaml:2: clouds.devstack: is empty: *, beginning with auth:", id="empty"
    ),
    pytest.param(AUTH_KEY, "clouds.yaml:3: clouds.devstack.auth: is empty: write auth_url, *", id="empty-auth"),
    pytest.param(
        f"{AUTH_KEY}      - auth_url: http://x\n",
        "clouds.yaml:3: clouds.devstack.auth: is a list: write auth_url, *",
        id="listed-auth",
    ),
    pytest.param(
        f"{AUTH_KEY}      password: {{hunter2: x}}\n",
        "clouds.yaml:4: clouds.devstack.auth.password: holds keys and values: write text, in quotes",
        id="a-mapping-for-a-password",
    ),
    pytest.param(
        f"{AUTH_KEY}      auth_url: 5\n",
        "clouds.yaml:4: clouds.devstack.auth.auth_url: is a number: write text, in quotes",
        id="a-number-for-a-url",
    ),
    pytest.param(
        f"{AUTH_KEY}      password: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        6231\n",
        "clouds.yaml:4: holds !vault: what Ansible encrypted must be decrypted first",
        id="vault",
    ),
    pytest.param(
        AUTH_KEY + "      password: {{ hunter2 }}\n",
        "clouds.yaml:4: clouds.devstack.auth.password: holds {{ … }}, a template that is not filled in here: write *",
        id="jinja",
    ),
    pytest.param(
        AUTH_KEY + "      password: '{{ hunter2 }}'\n",
        "clouds.yaml:4: clouds.devstack.auth.password: is a template, like {{ … }}, which is not filled in here: *",
        id="jinja-in-quotes",
    ),
    pytest.param(
        "{% if hunter2 %}\nclouds: {}\n",
        "clouds.yaml:1: is not YAML: *{% … %} is not filled in here",
        id="jinja-statement",
    ),
    pytest.param(
        "clouds:\n\tdevstack: {}\n", "clouds.yaml:2: is not YAML: it has a tab where only spaces are allowed", id="tabs"
    ),
    pytest.param(
        "clouds:\n  devstack: {}\n  devstack: {}\n",
        "clouds.yaml:3: clouds.devstack: is given twice, first in line 2",
        id="twice",
    ),
    pytest.param(
        f"{AUTH_KEY}      auth_url: http://x\n      auth_url: http://y\n",
        "clouds.yaml:5: clouds.devstack.auth.auth_url: is given twice, first in line 4",
        id="a-key-twice",
    ),
    pytest.param(
        f"{AUTH_KEY}      username: x\n      password: hunter2\n",
        "clouds.yaml:3: clouds.devstack.auth: auth_url is missing or empty, and auth_type password needs it",
        id="no-url",
    ),
    pytest.param(
        f"{AUTH_KEY}      auth_url: x:5000/v3\n      username: x\n      password: hunter2",
        "clouds.yaml:4: clouds.devstack.auth.auth_url: is not a URL like https://host/path: write it with https://*",
        id="no-scheme",
    ),
    pytest.param(
        f"clouds:\n  devstack:\n    image_endpoint_override: x.example/v2\n    auth: {WITH_URL}",
        "clouds.yaml:3: clouds.devstack.image_endpoint_override: is not a URL like https://host/path: *",
        id="no-scheme-of-an-override",
    ),
    pytest.param(
        "clouds:\n  devstack:\n    auth_type: v3totp\n    auth: {auth_url: http://x, username: x, user_domain_id: d}",
        "clouds.yaml:4: clouds.devstack.auth: passcode is missing or empty, and auth_type v3totp needs it (*",
        id="no-passcode",
    ),
    pytest.param(
        "clouds:\n  devstack:\n    auth: {auth_url: http://x, username: x, password: }",
        "clouds.yaml:3: clouds.devstack.auth: password is missing or empty, and auth_type password needs it",
        id="no-password",
    ),
    pytest.param(
        "clouds:\n  devstack:\n    auth_type: v3pasword\n    auth: {}",
        'clouds.yaml:3: *: "v3pasword" is not an auth_type known here, did you mean "v3password"?',
        id="no-plugin",
    ),
    pytest.param(
        "clouds:\n  devstack:\n    auth_type: [v3password]\n",
        "clouds.yaml:3: clouds.devstack.auth_type: is a list: write text, or leave the key out",
        id="a-list-of-plugins",
    ),
    pytest.param(
        "clouds:\n  devstack:\n    auth_type: none\n    auth: {endpoint: http://x}",
        "clouds.yaml:3: clouds.devstack.auth_type: auth_type none gives no token with a service catalogue *",
        id="no-sign-in",
    ),
    *(
        pytest.param(
            f"clouds:\n  devstack:\n    auth_type: {kind}\n    auth: {WITH_URL}",
            f"clouds.yaml:3: clouds.devstack.auth_type: auth_type {kind} gives no token with a service catalogue for *",
            id=f"no-token-of-{kind}",
        )
        for kind in ("none", "admin_token", "http_basic")
    ),
    pytest.param(
        f"{AUTH_KEY}      auth_url: http://x\n      usernaem: x\n      username: x\n      password: hunter2\n",
        "clouds.yaml:5: clouds.devstack.auth.usernaem: usernaem is not a key that auth_type password knows, did *",
        id="a-misspelt-key",
    ),
    pytest.param(
        "clouds:\n  devstack:\n    interface: xyz\n",
        "clouds.yaml:3: clouds.devstack.interface: is not one of public, internal, admin",
        id="interface",
    ),
    pytest.param(
        "clouds:\n  devstack:\n    interface: [5]\n",
        "clouds.yaml:3: clouds.devstack.interface: is not one of public, internal, admin",
        id="interfaces",
    ),
    pytest.param(
        "clouds:\n  devstack:\n    regions:\n      - name:\n",
        "clouds.yaml:4: clouds.devstack.regions[0]: is empty: write the name of a region",
        id="a-region-without-a-name",
    ),
    pytest.param(
        f"clouds: {{devstack: {{regions: [KR1], auth: {WITH_URL}}}}}",
        "clouds.yaml:1: clouds.devstack: Region KR9 is not a valid region name for cloud devstack. "
        "Valid choices are KR1. *",
        id="no-region",
    ),
    pytest.param(
        "clouds: {devstack: {regions: KR1}}",
        "clouds.yaml:1: clouds.devstack.regions: is text: write a list, like [KR1, KR2]",
        id="text-for-regions",
    ),
    pytest.param(
        "clouds: {devstack: {regions: [{nam: KR1, password: hunter2}]}}",
        """clouds.yaml:1: clouds.devstack: Invalid region entry at: {'nam': 'KR1', 'password': '***'}""",
        id="a-region-with-a-secret",
    ),
    pytest.param(
        "clouds: {devstack: {networks: [hunter2]}}",
        "clouds.yaml:1: clouds.devstack.networks[0]: is text: write keys and values, like key: value",
        id="a-network",
    ),
    pytest.param(
        f"clouds: {{devstack: {{region_name: '{{0}}', auth: {WITH_URL}}}}}",
        "clouds.yaml:1: clouds.devstack: openstacksdk cannot use these settings; see https://docs.openstack.org/*",
        id="whatever-else",
    ),
    pytest.param(
        f"clouds: {{devstack: {{cacert: nowhere.pem, auth: {WITH_URL}}}}}",
        "clouds.yaml:1: clouds.devstack: the certificates in nowhere.pem cannot be used: No such file or directory",
        id="no-authority",
    ),
    pytest.param(
        f"clouds: {{devstack: {{cert: clouds.yaml, auth: {WITH_URL}}}}}",
        "clouds.yaml:1: clouds.devstack: the certificates in clouds.yaml cannot be used: *",
        id="no-certificate",
    ),
]


@pytest.mark.parametrize(("content", "told"), MISTAKES)
def test_a_mistake_is_told_in_one_line(content: str | None, told: str, caplog: pytest.LogCaptureFixture) -> None:
    if content is not None:
        Path("clouds.yaml").write_text(content)
    with pytest.raises(UsageError) as caught:
        configured("devstack", "KR9" if "regions: [KR1]" in (content or "") else None)
    assert fnmatchcase(str(caught.value), told.replace("[", "[[]")), str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caplog.text == "", "the library's own words may quote the file"


@pytest.mark.parametrize("file", ["clouds.yaml", "secure.yaml"])
@pytest.mark.parametrize("written", ["2026-11-01", "0123", "0x1F", "yes", "True", "1_0", "1.50", "+5", "12:30:45"])
def test_a_secret_that_yaml_does_not_read_as_its_text_is_refused(written: str, file: str) -> None:
    cloud(auth=at("http://x"))
    key = AUTH_KEY + "      " + ("" if file == "secure.yaml" else "auth_url: http://x\n      username: x\n      ")
    Path(file).write_text(f"{key}password: {written}\n")
    line = 4 if file == "secure.yaml" else 6
    told = rf"^{file}:{line}: password YAML does not read it as the text you wrote: write it in quotes$"
    with pytest.raises(UsageError, match=told):
        configured("devstack", None)


def test_a_secret_of_another_cloud_is_left_alone() -> None:
    cloud(auth=at("http://x"))
    with Path("clouds.yaml").open("a") as file:
        file.write("  other:\n    auth:\n      password: 0123\n")
    assert configured("devstack", None).secrets


def test_half_of_a_character_in_a_secret_is_refused() -> None:
    Path("clouds.yaml").write_text(AUTH_KEY + '      password: "hunter2\\ud83d"\n')
    with pytest.raises(UsageError, match=r"^clouds\.yaml:4: password holds half a character"):
        configured("devstack", None)


@pytest.mark.parametrize("written", ["12345678", "'0123'", '"yes"', "1_a", "0", "!!str 0123"])
def test_a_secret_that_is_read_as_its_text_is_sent_so(written: str) -> None:
    with serving(Keystone()) as server:
        cloud(auth=at(server.url))
        text = Path("clouds.yaml").read_text()
        Path("clouds.yaml").write_text(text.replace(f"password: {PASSWORD}", f"password: {written}"))
        identity = configured("devstack", None)
        assert identity.secrets[-1] == written.removeprefix("!!str ").strip("'\"")


VARIABLES = {"OS_AUTH_URL": "http://x/v3", "OS_USERNAME": "x", "OS_PASSWORD": "hunter2", "OS_PROJECT_NAME": "p"}
MISTAKES_OF_VARIABLES = [
    pytest.param({"OS_AUTH_URL": "x:5000/v3"}, "OS_AUTH_URL: is not a URL like https://host/path: *", id="no-scheme"),
    pytest.param(
        {"OS_PASSWORD": ""},
        "the OS_* variables: OS_PASSWORD is not set or empty, and auth_type password needs it",
        id="no-password",
    ),
    pytest.param(
        {"OS_AUTH_TYPE": "v3totp"},
        "the OS_* variables: OS_PASSCODE is not set or empty, and auth_type v3totp needs it (*",
        id="no-passcode",
    ),
    pytest.param({"OS_AUTH_TYPE": "v9"}, 'OS_AUTH_TYPE: "v9" is not an auth_type known here', id="no-plugin"),
    pytest.param(
        {"OS_AUTH_TYPE": "v3samlpassword"},
        "OS_AUTH_TYPE: v3samlpassword needs a library that is not installed: pip install 'keystoneauth1[[]saml2]'",
        id="a-plugin-that-cannot-be-imported",
    ),
    pytest.param(
        {"OS_AUTH_TYPE": "v3kerberos"},
        "OS_AUTH_TYPE: v3kerberos needs a library that is not installed: pip install 'keystoneauth1[[]kerberos]'",
        id="a-plugin-that-is-not-available",
    ),
    pytest.param(
        {"OS_CLIENT_CONFIG_FILE": "gone.yaml"},
        "OS_CLIENT_CONFIG_FILE: gone.yaml cannot be read: No such file or directory",
        id="no-file",
    ),
    pytest.param({"OS_PASSWORD": "\udcffhunter2"}, "OS_PASSWORD: is not UTF-8 text", id="a-password-that-is-no-text"),
    pytest.param({"OS_USERNAME": "\udcff"}, "OS_USERNAME: is not UTF-8 text", id="a-name-that-is-no-text"),
    pytest.param({"OS_AUTH_URL": "http://\udcff/v3"}, "OS_AUTH_URL: is not UTF-8 text", id="a-url-that-is-no-text"),
    pytest.param(
        {"OS_INTERFACE": "xyz"},
        'the OS_* variables: interface "xyz" is not one of public, internal, admin',
        id="interface",
    ),
    pytest.param({"OS_IMAGE_ENDPOINT_OVERRIDE": "x/v2"}, "OS_IMAGE_ENDPOINT_OVERRIDE: is not a URL*", id="override"),
]


@pytest.mark.parametrize(("given", "told"), MISTAKES_OF_VARIABLES)
def test_a_mistake_in_a_variable_is_told_with_its_name(
    given: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (VARIABLES | given).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError) as caught:
        configured(None, None)
    assert fnmatchcase(str(caught.value), told), str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_profile_that_is_not_there_is_named_where_it_was_to_give_something(caplog: pytest.LogCaptureFixture) -> None:
    cloud(profile="nobody")
    missing = "auth_url is missing or empty, also in profile nobody, and auth_type password needs it"
    with pytest.raises(UsageError, match=rf"^clouds\.yaml:3: clouds\.devstack\.auth: {missing}$"):
        configured("devstack", None)
    assert caplog.text.count("Couldn't find the vendor profile nobody") == 1


def test_a_mistake_in_the_file_of_secrets_is_told_with_its_line() -> None:
    cloud(auth={name: value for name, value in at("http://x").items() if name != "password"})
    Path("secure.yaml").write_text("clouds:\n  devstack:\n    auth:\n      password: [hunter2]\n")
    with pytest.raises(UsageError, match=r"^secure\.yaml:4: clouds\.devstack\.auth\.password: is a list: write text"):
        configured("devstack", None)


def test_what_other_tools_take_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    """Merge keys, tags of YAML itself, a byte order mark, and whatever is wrong with a cloud that is not asked for."""
    Path("clouds.yaml").write_text(
        "\ufeffbase: &base\n  region_name: KR1\n"
        f"clouds:\n  7: {{}}\n  other:\n  devstack:\n    <<: *base\n    auth: {WITH_URL}\n"
    )
    assert configured("devstack", None).region == "KR1"
    Path("clouds.yaml").write_text(f"clouds:\n  devstack:\n    region_name: !!str KR2\n    auth: {WITH_URL}\n")
    assert configured("devstack", None).region == "KR2"
    assert caplog.text == ""


def test_a_file_that_is_none_is_passed_over_and_said() -> None:
    os.mkfifo("clouds.yaml")
    with pytest.raises(UsageError, match=r"; clouds\.yaml cannot be read: it is not a regular file$"):
        configured("devstack", None)


def test_json_is_read_and_told_likewise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", "clouds.json")
    Path("clouds.json").write_text('{"clouds": {"devstack":\n {"auth": []}}}')
    with pytest.raises(UsageError, match=r"^clouds\.json:2: clouds\.devstack\.auth: is a list: write auth_url"):
        configured("devstack", None)
    Path("clouds.json").write_text('{"clouds":\n {]}')
    with pytest.raises(UsageError, match=r"^clouds\.json:2: is not JSON$"):
        configured("devstack", None)


def test_a_cloud_that_a_variable_names_though_there_is_no_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_CLOUD", "prod")
    with pytest.raises(UsageError, match=r'no cloud named "prod": there is no clouds\.yaml'):
        configured(None, None)


def test_a_cloud_that_a_variable_names_wrongly_is_told_likewise(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud("prod", at("http://x"))
    monkeypatch.setenv("OS_CLOUD", "prdo")
    with pytest.raises(UsageError, match=r'no cloud named "prdo" in .*clouds\.yaml; there is prod'):
        configured(None, None)
