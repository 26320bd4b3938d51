"""Kinds of channels are given to the reader of the configuration, which has none itself."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from janitor.config import Settings, load_settings
from janitor.config.channels import ChannelSchema, ChannelSchemas
from janitor.documents.kinds import Secret, Text
from janitor.errors import ConfigurationError

Load = Callable[[str], Settings]


@dataclass(frozen=True)
class Mail:
    """A channel of this test's own."""

    mail: str
    token: str | None
    files: ClassVar[dict[str, Path]] = {}


@dataclass(frozen=True)
class Log:
    """One more, which writes a file."""

    path: Path

    @property
    def files(self) -> dict[str, Path]:
        return {"log": self.path}


class MailSchema(ChannelSchema):
    secrets: ClassVar[tuple[str, ...]] = ("token",)

    mail: Text
    token: Secret | None = None
    token_file: Text | None = None

    def setting(self, _folder: Path) -> Mail:
        return Mail(self.mail, self.token)


class LogSchema(ChannelSchema):
    log: Text

    def setting(self, folder: Path) -> Log:
        return Log(folder / self.log)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(channels: str) -> Settings:
        target = "{name: prod, endpoint: 'http://127.0.0.1:1', appkey: k3y1, username: u, password: secret-password}"
        (tmp_path / "janitor.yaml").write_text(f"targets: [{target}]\nchannels:\n{channels}\n", encoding="utf-8")
        kinds: ChannelSchemas = {"mail": MailSchema, "log": LogSchema}
        return load_settings(tmp_path / "janitor.yaml", {"TOKEN": "from-the-environment"}, lambda: kinds)

    return load


def test_each_channel_is_what_its_kind_makes_of_its_keys(load: Load, tmp_path: Path) -> None:
    settings = load("  - {log: a.log}\n  - {mail: ops}")
    assert settings.channels == (Log(tmp_path / "a.log"), Mail("ops", None))


def test_what_a_kind_calls_a_secret_may_come_from_a_file_and_is_shown_nowhere(load: Load, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-a-file\n", encoding="utf-8")
    settings = load("  - {mail: ops, token_file: token}\n  - {mail: dev, token: '${TOKEN}'}")
    assert settings.channels == (Mail("ops", "from-a-file"), Mail("dev", "from-the-environment"))
    assert {"from-a-file", "from-the-environment"} <= settings.secrets


@pytest.mark.parametrize(
    ("channels", "problem"),
    [
        ("  - {}", "3: channels[0]: is of no known kind: give it one of the keys mail, log"),
        ("  - {sms: x}", "3: channels[0]: is of no known kind: give it one of the keys mail, log"),
        ("  - {log: a}\n  - {mial: x}", '4: channels[1].mial: unknown key, did you mean "mail"?'),
        ("  - {mail: x, log: y}", "3: channels[0].log: unknown key (known here: mail, token, token_file)"),
        ("  - {mail: x, tokn: y}", '3: channels[0].tokn: unknown key, did you mean "token"?'),
        ("  - mail: [x]", "3: channels[0].mail: is a list: write text, in quotes"),
        ("  - {mail: '${NOBODY}'}", "3: channels[0].mail: environment variable NOBODY is not set"),
        ("  - {mail: ''}", "3: channels[0].mail: is empty"),
        ("  - {log: a}\n  - {mail: x}\n  - {log: ./a}", '5: channels[2].log: "a" is the file of channels[0] already'),
        ("  mail: x", "2: channels: holds keys and values: write a list"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(load: Load, channels: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(channels)
    assert any(problem in str(told) for told in raised.value.problems), raised.value.problems


def test_two_names_of_one_file_are_one_channel_too_many(load: Load, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    with pytest.raises(ConfigurationError, match=r'channels\[1\].log: "b" is the file of channels\[0\] already'):
        load("  - {log: a}\n  - {log: b}")


def test_a_null_character_is_told_with_its_place_wherever_a_path_is(load: Load) -> None:
    for line in ("metrics_file", "database", "policies", "heartbeat_url_file"):
        with pytest.raises(ConfigurationError) as raised:
            load(f'  - {{log: a}}\n{line}: "a\\0b"')
        assert [str(told).split(":", 1)[1] for told in raised.value.problems] == [
            f"4: {line}: holds a null character, which no path, address or name has"
        ]
