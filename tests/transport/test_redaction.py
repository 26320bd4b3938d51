"""What is kept out of messages, in every spelling, and what is not: everyday words that only look like a secret."""

import io
import json
import logging
from base64 import b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from janitor.cli.logs import configure_logging
from janitor.redaction import Redaction, credentials_in, secrets_of_webhook


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        pytest.param("s3cret", "by s3cret.", "by ***.", id="by-itself"),
        pytest.param("s3cret", "S3CRET", "***", id="in-another-case"),
        pytest.param("image", "the image of images, imageRef", "the *** of images, imageRef", id="in-words"),
        pytest.param("p", "Auth plugin p", "Auth plugin ***", id="a-letter"),
        pytest.param(
            "s3cret", 'user:s3cret@host /s3cret/ =s3cret& "s3cret"', 'user:***@host /***/ =***& "***"', id="url"
        ),
        pytest.param("s3cret", "pw%3Ds3cret%26", "pw%3D***%26", id="after-an-escape-of-urls"),
        pytest.param("s3cret", r"a\ns3cret\tb\u0020s3cret", r"a\n***\tb\u0020***", id="after-an-escape-of-json"),
        pytest.param("s3cret", "s3cret를 s3cret密", "***를 ***密", id="before-another-script"),
        pytest.param("비밀", "비밀 비밀번호", "*** 비밀번호", id="of-another-script"),
        pytest.param("p@ss!", "xp@ss! p@ss!x p%40ss%21", "xp@ss! ***x ***", id="signs-at-an-edge"),
        pytest.param("12345678", "id123456789", "id***9", id="a-long-one-anywhere"),
        pytest.param("it's-long", "it&#39;s-long it&#x27;s-long", "*** ***", id="html"),
        pytest.param("the-password", b64encode(b"the-password").decode(), "***", id="base64"),
    ],
)
def test_a_short_secret_is_redacted_by_itself_and_a_long_one_anywhere(secret: str, text: str, shown: str) -> None:
    assert Redaction(secret)(text) == shown


@given(st.text(st.characters(codec="utf-8"), min_size=8), st.text(), st.text())
def test_a_long_secret_is_never_shown(secret: str, before: str, after: str) -> None:
    redact = Redaction(secret)
    for written in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1]):
        assert written.casefold() not in redact(f"{before}{written}{after}").casefold() or written in "***"


def test_more_secrets_may_come_later() -> None:
    redact = Redaction("one-of-them")
    redact.add("another-one", "")
    assert redact("one-of-them another-one") == "*** ***"


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("https://me:p%20w@x/y", {"p%20w", "p w"}),
        ("https://t0ken@x", {"t0ken"}),
        ("https://me:@x", set()),
        ("https://x/y", set()),
        ("http://[", set()),
    ],
)
def test_what_of_a_url_lets_somebody_in(url: str, secrets: set[str]) -> None:
    assert set(credentials_in(url)) == secrets


def test_of_a_webhook_everything_behind_the_host_is_secret() -> None:
    url = "https://hooks.example/services/T000/B000/abcdefghijklmnopqrstuvwx?a=b"
    redact = Redaction(*secrets_of_webhook(url))
    for part in (url, "/services/T000/B000/abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvwx", "a=b"):
        assert redact(f"no answer of {part}: timeout").replace("***?***", "***") == "no answer of ***: timeout"
    assert redact("hooks.example services") == "hooks.example services"


def test_the_log_keeps_the_names_of_loggers(monkeypatch: pytest.MonkeyPatch) -> None:
    before, stderr = logging.getLogger().handlers[:], io.StringIO()
    monkeypatch.setattr("sys.stderr", stderr)
    try:
        configure_logging(0, ["janitor", "the-password"])
        logging.getLogger("janitor.cloud").warning("%s said the%%2Dpassword, the-password", "janitor")
    finally:
        logging.getLogger().handlers[:] = before
        logging.getLogger("janitor").setLevel(logging.NOTSET)
    assert stderr.getvalue().endswith(" WARNING janitor.cloud *** said the%2Dpassword, ***\n")
