"""Configurations that several tests read, and the problems of one that is wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from janitor.cloud.toast.target import ToastTarget
from janitor.config import Settings, load_settings
from janitor.errors import ConfigurationError, Exit
from tests.config.json_schemas import hold_files

Write = Callable[[str], Path]

ACCOUNT = {"TOAST_APPKEY": "the-appkey", "TOAST_USERNAME": "the-username", "TOAST_PASSWORD": "the-password"}

TARGET = """\
targets:
  - name: prod
    endpoint: https://cloud.example/compute
    appkey: the-appkey
    username: the-username
    password: the-password
"""


def problems_of(config: Path | None, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(config, environ or {})
    assert caught.value.exit_code == Exit.USAGE
    hold_files("config", [config or Path("janitor.yaml")], caught.value.problems)
    return [str(problem) for problem in caught.value.problems]


def toast(settings: Settings) -> ToastTarget:
    """The first target, which is of the v1.0 API."""
    target = settings.targets[0]
    assert isinstance(target, ToastTarget)
    return target


EVERYTHING = """\
mode: delete
database: /var/lib/janitor/j.db
policies: ../policies/ci.yaml
schedule: "0 3 * * *"
timezone: Asia/Seoul
targets:
  - name: prod
    api: toast
    endpoint: https://cloud.example/compute/
    appkey: the-appkey
    username: the-username
    password: the-password
    http: {attempts: 2, timeout: 5s}
  - name: test
    endpoint: http://127.0.0.1:8080
    appkey: other-appkey
    username: other-username
    password: other-password
limits: {max_deletions: 0, max_share: 12.5%, max_images: 10000000}
slack:
  token: xoxb-token
  channel: "#cloud-images"
  base_url: https://proxy.example/api
  post: problems
concurrency: {targets: 1, deletions: 32}
http: {timeout: 1m, attempts: 9, give_up_after: 1h, page_size: 2, parallel_pages: 16}
cost: {per_gib_month: 1, currency: KRW}
heartbeat_url: https://hc.example/ping/the-uuid
metrics_file: metrics/janitor.prom
"""
