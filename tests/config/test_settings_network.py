"""Proxies and certificates: which key or variable counts, and the message for one that cannot be used."""

from collections.abc import Callable
from pathlib import Path

import pytest

from janitor.config import Settings, load_settings
from janitor.errors import ConfigurationError
from janitor.transport.route import Route
from janitor.transport.trust import Trust
from tests.certificates import certificate_in

TARGET = """\
targets:
  - name: prod
    appkey: the-appkey
    username: me
    password: the-password
"""
Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load_(text: str = "", environ: dict[str, str] | None = None, target: str = "") -> Settings:
        (tmp_path / "janitor.yaml").write_text(f"{TARGET}{target}{text}")
        return load_settings(tmp_path / "janitor.yaml", environ or {})

    return load_


def problems_of(load: Load, *given: object, **named: object) -> str:
    with pytest.raises(ConfigurationError) as error:
        load(*given, **named)
    return str(error.value)


def way(route: Route, url: str) -> str:
    return str(route.proxy_for(url))


def test_nothing_is_said_of_the_way(load: Load) -> None:
    settings = load()
    assert settings.http.route == settings.targets[0].http.route == Route()


@pytest.mark.parametrize(
    ("environ", "http", "https"),
    [
        pytest.param({"http_proxy": "http://a:1"}, "http://a:1", "None", id="http"),
        pytest.param({"https_proxy": "http://a:1"}, "None", "http://a:1", id="https"),
        pytest.param({"HTTPS_PROXY": "http://a:1"}, "None", "http://a:1", id="https-in-capitals"),
        pytest.param({"all_proxy": "http://a:1"}, "http://a:1", "http://a:1", id="all"),
        pytest.param({"ALL_PROXY": "socks5://a:1"}, "socks5://a:1", "socks5://a:1", id="all-in-capitals"),
        pytest.param({"HTTPS_PROXY": "http://a:1", "ALL_PROXY": "b:2"}, "http://b:2", "http://a:1", id="both"),
        pytest.param({"https_proxy": "a:1", "HTTPS_PROXY": "b:2"}, "None", "http://a:1", id="small-letters-first"),
        pytest.param(
            {"https_proxy": "", "HTTPS_PROXY": " ", "ALL_PROXY": "a:1"}, "http://a:1", "http://a:1", id="empty"
        ),
        pytest.param({"HTTP_PROXY": "a:1"}, "http://a:1", "None", id="http-in-capitals"),
        pytest.param(
            {"HTTP_PROXY": "a:1", "REQUEST_METHOD": "GET"}, "None", "None", id="http-in-capitals-from-a-web-server"
        ),
        pytest.param({"ALL_PROXY": "a:1", "NO_PROXY": "images.example"}, "None", "None", id="excepted"),
        pytest.param(
            {"ALL_PROXY": "a:1", "no_proxy": "x", "NO_PROXY": "*"}, "http://a:1", "http://a:1", id="no-proxy-first"
        ),
        pytest.param({"ALL_PROXY": "a:1", "no_proxy": "", "NO_PROXY": "*"}, "None", "None", id="no-proxy-empty"),
    ],
)
def test_variables_of_proxies(environ: dict[str, str], http: str, https: str, load: Load) -> None:
    settings = load(environ=environ)
    for route in (settings.http.route, settings.targets[0].http.route):
        assert (way(route, "http://images.example"), way(route, "https://images.example")) == (http, https)


def test_a_key_comes_before_a_variable_and_that_of_a_target_before_the_one_at_the_top(load: Load) -> None:
    environ = {"HTTPS_PROXY": "http://environment:1", "NO_PROXY": "a.example"}
    top, own = (
        "http: {proxy: 'http://top:2'}\n",
        "    http: {proxy: 'http://own:3', no_proxy: [b.example, 10.0.0.0/8]}\n",
    )
    settings = load(top, environ, own)
    one, other = settings.http.route, settings.targets[0].http.route
    assert (way(one, "https://a.example"), way(one, "https://b.example")) == ("None", "http://top:2")
    assert (way(other, "https://a.example"), way(other, "https://b.example")) == ("http://own:3", "None")
    assert way(load("", environ, own).http.route, "https://b.example") == "http://environment:1"


def test_a_proxy_of_a_key_may_come_from_the_environment_and_be_empty(load: Load) -> None:
    text = "http: {proxy: '${PROXY:-}'}\n"
    assert load(text).http.route == Route()
    assert way(load(text, {"PROXY": "a:1"}).http.route, "https://x") == "http://a:1"


def test_the_password_of_a_proxy_is_a_secret(load: Load) -> None:
    settings = load(
        "http: {proxy: 'http://me:top%40secret@top:1'}\n", {}, "    http: {proxy: 'http://me:own-secret@own'}\n"
    )
    assert {"top@secret", "own-secret"} <= settings.secrets
    assert "secret" not in repr(settings).replace("secrets", "")


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        pytest.param({"HTTPS_PROXY": "http://"}, "HTTPS_PROXY: names no host", id="no-host"),
        pytest.param({"https_proxy": "ftp://a"}, "https_proxy: is not a supported kind of proxy", id="scheme"),
        pytest.param({"ALL_PROXY": "http://a:x"}, "ALL_PROXY: is not the URL of a proxy", id="port"),
        pytest.param({"NO_PROXY": "10.0.0.0/99"}, 'NO_PROXY: "10.0.0.0/99" is not a range', id="range"),
        pytest.param(
            {"SSL_CERT_FILE": "/nowhere.pem"}, "SSL_CERT_FILE: /nowhere.pem cannot be read: No such", id="gone"
        ),
        pytest.param({"SSL_CERT_FILE": "EMPTY"}, "SSL_CERT_FILE: EMPTY holds no certificate", id="empty"),
        pytest.param({"SSL_CERT_FILE": "TEXT"}, "SSL_CERT_FILE: TEXT holds no certificate", id="text"),
        pytest.param({"SSL_CERT_FILE": "/dev/null"}, "SSL_CERT_FILE: /dev/null is not a regular file", id="device"),
        pytest.param({"SSL_CERT_FILE": "."}, "SSL_CERT_FILE: . is not a regular file", id="folder"),
        pytest.param({"SSL_CERT_DIR": "/nowhere"}, "SSL_CERT_DIR: /nowhere cannot be read", id="folder-gone"),
        pytest.param(
            {"SSL_CERT_DIR": "EMPTY_FOLDER"}, "SSL_CERT_DIR: EMPTY_FOLDER holds no certificate", id="folder-empty"
        ),
        pytest.param({"REQUESTS_CA_BUNDLE": "/nowhere"}, "REQUESTS_CA_BUNDLE: /nowhere cannot be read", id="requests"),
        pytest.param({"http_proxy": "http://u:\udcff@h:9"}, "http_proxy: is not UTF-8 text", id="proxy-no-text"),
        pytest.param({"NO_PROXY": "\udcff"}, "NO_PROXY: is not UTF-8 text", id="no-proxy-no-text"),
        pytest.param({"SSL_CERT_FILE": "/\udcff"}, "SSL_CERT_FILE: is not UTF-8 text", id="file-no-text"),
        pytest.param({"SSL_CERT_DIR": "/\udcff"}, "SSL_CERT_DIR: is not UTF-8 text", id="folder-no-text"),
        pytest.param({"CURL_CA_BUNDLE": "/\udcff"}, "CURL_CA_BUNDLE: is not UTF-8 text", id="curl-no-text"),
        pytest.param({"CURL_CA_BUNDLE": "/nowhere"}, "CURL_CA_BUNDLE: /nowhere cannot be read", id="curl"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(
    environ: dict[str, str], told: str, load: Load, tmp_path: Path
) -> None:
    made = {"EMPTY": tmp_path / "empty.pem", "TEXT": tmp_path / "text.pem", "EMPTY_FOLDER": tmp_path / "folder"}
    made["EMPTY"].write_text("")
    made["TEXT"].write_text("no certificate\n")
    made["EMPTY_FOLDER"].mkdir()
    [(name, value)] = environ.items()
    path = str(made.get(value, value))
    assert problems_of(load, environ={name: path}).startswith(told.replace(value, path) if value in made else told)


@pytest.mark.parametrize(
    ("top", "target", "told"),
    [
        ("http: {proxy: 'ftp://me:secret@a'}\n", "", "janitor.yaml:6: http.proxy: is not a supported kind of proxy"),
        ("", "    http: {proxy: 'http://:1'}\n", "janitor.yaml:6: targets[0].http.proxy: names no host"),
        ("http: {no_proxy: '10.0.0.0/99'}\n", "", 'janitor.yaml:6: http.no_proxy: "10.0.0.0/99" is not a range'),
        ("", "    http: {ca_file: gone.pem}\n", "janitor.yaml:6: targets[0].http.ca_file: "),
    ],
)
def test_a_key_that_cannot_be_used_is_named_with_its_line(top: str, target: str, told: str, load: Load) -> None:
    said = problems_of(load, top, {}, target)
    assert told in said
    assert "secret" not in said


def test_a_socks_proxy_without_its_library(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = problems_of(load, environ={"ALL_PROXY": "socks5://localhost:1080"})
    assert said.startswith("ALL_PROXY: is a SOCKS proxy")
    assert said.endswith("pip install 'image-janitor[socks]'")


def test_what_is_not_used_is_not_looked_at(load: Load, tmp_path: Path) -> None:
    certificate_in(tmp_path)
    environ = {"HTTPS_PROXY": "http://", "NO_PROXY": "10.0.0.0/99", "SSL_CERT_FILE": "/nowhere"}
    settings = load("http: {proxy: 'a:1', no_proxy: b, ca_file: certificate.pem}\n", environ)
    assert way(settings.http.route, "https://x") == "http://a:1"


def test_certificates_in_their_order(load: Load, tmp_path: Path) -> None:
    ours = [str(certificate_in(tmp_path / name)) for name in ("top", "own", "file", "requests", "curl")]
    hashed = tmp_path / "hashed"
    hashed.mkdir()
    (hashed / "0a1b2c3d.0").write_bytes(Path(ours[0]).read_bytes())
    environ = {"CURL_CA_BUNDLE": ours[4]}
    assert load(environ=environ).http.route.trust == Trust(ours[4], (), "CURL_CA_BUNDLE")
    environ |= {"REQUESTS_CA_BUNDLE": ours[3]}
    assert load(environ=environ).http.route.trust == Trust(ours[3], (), "REQUESTS_CA_BUNDLE")
    environ |= {"SSL_CERT_DIR": str(hashed)}
    assert load(environ=environ).http.route.trust == Trust(None, (str(hashed),), "SSL_CERT_DIR")
    environ |= {"SSL_CERT_FILE": ours[2]}
    both = Trust(ours[2], (str(hashed),), "SSL_CERT_FILE and SSL_CERT_DIR")
    assert load(environ=environ).http.route.trust == both
    settings = load("http: {ca_file: top/certificate.pem}\n", environ, "    http: {ca_file: own/certificate.pem}\n")
    assert settings.http.route.trust == Trust(ours[0], (), "http.ca_file")
    assert settings.targets[0].http.route.trust == Trust(ours[1], (), "http.ca_file")
    empty = dict.fromkeys(environ, "")
    assert load(environ=empty).http.route.trust == Trust()
    assert load(environ={"REQUESTS_CA_BUNDLE": str(hashed)}).http.route.trust.folders == (str(hashed),)
