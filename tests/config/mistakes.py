"""Valid files of every kind, and the same with random mistakes."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

POLICIES = """
notice: 0
policies:
  - name: ci-images
    description: CI bakes
    match:
      name: ["ci-*", "/^bake-[0-9]+$/"]
      status: [active, deactivated]
      disk_format: qcow2
      properties: {os_distro: [ubuntu, debian]}
      larger_than: 1GiB
      smaller_than: 2.5 TB
      targets: "prod-*"
      visibility: [private]
      os_hidden: false
      not: {name: "ci-golden-*", tags: ["[!a-c]x"]}
    expire: {after: 14d, since: created}
    keep: {newest: 3, daily: 7, per: "name:/^(.+)-[0-9]+$/"}
    notice: 48h
    channel: "#team-web"
    contact: kim
    owner: {tag: "owner:*"}
  - {name: golden, match: {name: "golden-*"}, keep: {yearly: 1, per: "property:os"}}
exempt:
  - {images: [ci-web-41], until: 2026-12-31, why: rollback, by: kim}
  - {image: ci-web-42, until: "2028-02-29T18:00:00+09:00", why: rollback}
"""
CONFIG = """
mode: ${MODE:-dry-run}
schedule: "0 3 * * mon-fri"
timezone: Asia/Seoul
targets:
  - {name: a, appkey: k, username: u, password: p, usage: {imageless: none}, tenant_id: "", http: {timeout: 1m30s}}
  - {name: b, api: openstack, cloud: lab, region: "*", usage: {volumes: off, stacks: auto}, shared: ignore}
  - {name: c, api: openstack, identity: "https://id.example/v2.0", tenant_id: t, username: u, password: "${P:-x}"}
limits: {max_deletions: "5", max_share: 12.5%, max_shrink: 30 %, max_images: 10000000}
slack: {token: xoxb, channel: "#cloud", app_token: xapp-1, approvers: [U012AB3CD], post: always, accepts: any-2xx}
channels: [{file: reports.jsonl}]
owners: {team: {channel: "#t"}, lee: {user: lee@example.com, mention: true}, default: {user: U012}, domains: a.example}
concurrency: {targets: 4, deletions: "32"}
http: {attempts: 5, page_size: 1000, parallel_pages: 1, proxy: "http://u:p@proxy:3128", no_proxy: [localhost, " ", "*"]}
heartbeat_url: https://hc.example:8443/ping?x=1
references:
  - {files: "infra/**/*.tf", names: false}
  - {url: "http://127.0.0.1:8080/x", token: t, needed: optional}
usage_memory: 72h
plan_validity: 1d12h
keep_history: 400d
cost: {per_gib_month: 0.05, currency: USD}
"""
FLEET = """
mode: ${MODE:-dry-run}
fleet:
  database: "postgresql://janitor:${P:-x}@db.example/janitor?sslmode=verify-full"
  database_file: ""
  state: ${STATE:-/data/shards}
  shards: "64"
  targets: accounts.csv
  template: {name: "{account}", password: "${PASSWORD_{account}}", http: {timeout: 30s}}
  deadline: 6h
  retries: 0
  max_deletions_per_night: 5000
  allow_network_filesystem: true
targets: ""
database:
slack: {token: xoxb, channel: "#cloud"}
"""
TESTS = """
now: 2026-06-01
timezone: Asia/Seoul
usage_memory: 3d
target: prod
images:
  - {name: ci-web-41, age: 20d, exempt: 2026-07-01, tags: release}
  - {id: i1, created: 2026-05-01, in_use: [web-1], size: 2GiB, unknown: owner, properties: {a: b}, public: true}
  - {name: x, announced: 50h, refused: 1d, refusals: 2, exempt: {until: 2026-07-01, why: asked}}
expect:
  ci-web-41: {delete: ci-images, due: 2026-06-02T03:00:00.5Z}
  i1: keep
  x: {keep: in-use, policy: p}
"""
WORDS = (
    "",
    " ",
    "0",
    "0m",
    "3m",
    "14d",
    "1d12h",
    "0d",
    "5s",
    "1GiB",
    "1.5 GB",
    "100%",
    "101%",
    "50 %",
    "#team",
    "U012AB",
    "2026-02-29",
    "2026-12-31",
    "2026-13-01",
    "2026-01-01T24:00Z",
    "ci-*",
    "[a",
    "{a,b}",
    "a\\b",
    "/x/",
    "/x/i",
    "!(a)",
    "/(/",
    "policy",
    "name:/(a)/",
    "name:x",
    "property: ",
    "owner:*",
    "*-*",
    "* * * * *",
    "0 24 * * *",
    "*/2 1,3 1-5 jan SUN",
    "https://a",
    "http://a:0",
    "http://a:65536",
    "http://[::1]:80/x",
    "ftp://a",
    "https://u:p@a/x",
    "https://a?x#y",
    "http://localhost",
    "a@b.example",
    "none",
    "off",
    "auto",
    "true",
    "any",
    "newest",
    "toast",
    "openstack",
    "${X}",
    "${X:-}",
    "${X:-5}",
    "a${X:-${Y}}b",
    "$${X}",
    "${",
    "${X:-14d}",
    "UTC",
    "a\tb",
    "\ufeff",
    "\u3000a",
    "a\u2028",
    "-1",
    "007",
    "1e3",
    "é",
    "🙂",
)
values: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from([None, True, False, 0, 1, -1, 1.0, 0.5, 33, 10**10, [], {}, [None], ["a"], [[]], {"a": "b"}]),
    st.text(st.sampled_from("a1 *[]{}(),!/\\-:.@#$%dhmGiB"), max_size=8),
)


def places(data: object, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there are values."""
    if here:
        yield here
    for key, inner in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from places(inner, (*here, key))


@st.composite
def mistaken(draw: st.DrawFn, valid: object) -> Any:
    """A valid file with up to three changes."""
    data = deepcopy(valid)
    keys = sorted({key for place in places(data) for key in place if isinstance(key, str)})
    for _ in range(draw(st.integers(1, 3))):
        here = draw(st.sampled_from(list(places(data)) or [()]))
        if here:
            change(draw, data, here, keys)
    return data


def change(draw: st.DrawFn, data: Any, here: tuple[Any, ...], keys: list[str]) -> None:
    for key in here[:-1]:
        data = data[key]
    value = data[here[-1]]
    how = draw(st.sampled_from(["value", "value", "edit", "edit", "remove", "add"]))
    if how == "edit" and isinstance(value, str):
        at = draw(st.integers(0, len(value)))
        data[here[-1]] = (
            value[:at] + draw(st.sampled_from(["", "0", "9", "a", " ", "*", "/", "-", "$"])) + value[at + 1 :]
        )
    elif how == "remove":
        del data[here[-1]]
    elif how == "add" and isinstance(data, dict):
        data[draw(st.sampled_from([*keys, "xyzzy"]))] = deepcopy(draw(values))
    else:
        data[here[-1]] = deepcopy(draw(values))
