"""What is wrong in the configuration: every problem is reported at once, each with its line and its key."""

import pytest

from janitor.config import load_settings
from janitor.errors import ConfigurationError
from tests.config.configuration import TARGET, Write, problems_of

pytestmark = pytest.mark.usefixtures("empty_folder")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param("mode: deleet", 'mode: "deleet" is not a mode, did you mean "delete"?', id="near-mode"),
        pytest.param("mode: yes", 'mode: "yes" is not a mode (known: dry-run, delete)', id="no-mode"),
        pytest.param("mode: true", "mode: is true or false: write one of dry-run, delete", id="mode-is-a-word"),
        pytest.param("databse: x", 'databse: unknown key, did you mean "database"?', id="near-key"),
        pytest.param("xyzzy: x", "xyzzy: unknown key (known here: mode, database", id="unknown-key"),
        pytest.param("heartbeat_url: hc-ping.com", "heartbeat_url: is not a URL like", id="no-heartbeat-url"),
        pytest.param("schedule: 0 25 * * *", "schedule: ", id="no-such-hour"),
        pytest.param("schedule: 5", "schedule: is a number: write five fields, in quotes", id="schedule-is-text"),
        pytest.param(
            "timezone: asia/seoul", 'not an IANA time zone, did you mean "Asia/Seoul"?', id="zone-in-lower-case"
        ),
        pytest.param("timezone: Seoul", 'not an IANA time zone, did you mean "Asia/Seoul"?', id="a-city"),
        pytest.param("timezone: XYZ", '"XYZ" is not an IANA time zone like Asia/Seoul', id="no-zone"),
        pytest.param("timezone: KST", '"KST" is not an IANA time zone, did you mean "Asia/Seoul"?', id="abbreviated"),
        pytest.param("timezone: ../../etc/passwd", "is not an IANA time zone", id="a-path-is-no-zone"),
        pytest.param("timezone: Asia", '"Asia" is not an IANA time zone', id="a-folder-is-no-zone"),
        pytest.param("limits: {max_deletions: -1}", "limits.max_deletions: must be at least 0", id="negative"),
        pytest.param(
            "limits: {max_deletions: many}", "limits.max_deletions: is text: write a whole number", id="words"
        ),
        pytest.param("limits: {max_deletions: true}", "limits.max_deletions: is true or false", id="true-is-not-one"),
        pytest.param("limits: {max_share: 50}", "limits.max_share: is a number: write a percentage", id="no-percent"),
        pytest.param("limits: {max_share: 101%}", '"101%" is not a percentage from 0% to 100%', id="more-than-all"),
        pytest.param("limits: {max_share: -1%}", '"-1%" is not a percentage', id="less-than-none"),
        pytest.param("limits: 5", "limits: is a number: write keys and values", id="limits-is-a-mapping"),
        pytest.param("slack: {post: never}", 'slack.post: "never" is not known here', id="no-such-post"),
        pytest.param("slack: {token: x}", "slack.channel: is missing: a token needs a channel", id="no-channel"),
        pytest.param(
            "slack: {token: x, webhook_url: http://y}", "slack: has both a webhook_url and a token", id="both"
        ),
        pytest.param(
            "slack: {app_token: xapp-1}", "slack.app_token: needs `token` too, a bot token", id="app-token-alone"
        ),
        pytest.param(
            "slack: {app_token: xapp-1, webhook_url: http://y}",
            "slack.app_token: needs `token` too, a bot token",
            id="app-token-with-a-webhook",
        ),
        pytest.param(
            "slack: {token: x, channel: c, app_token: xoxb-1}",
            "slack.app_token: is not an app-level token: those begin with xapp-",
            id="another-kind-of-token",
        ),
        pytest.param(
            "slack: {token: x, channel: c, approvers: ['@lee']}",
            'slack.approvers[0]: "@lee" is not an id of Slack: write that of a person (U…) or of a user group (S…)',
            id="approver-by-name",
        ),
        pytest.param("slack: {token: x, channel: c d}", 'slack.channel: "c d" is not a channel: write', id="a-blank"),
        pytest.param("slack: {token: x, channel: '#a, #b'}", 'slack.channel: "#a, #b" is not a channel', id="two"),
        pytest.param("slack: {webhook_url: hooks.example}", "slack.webhook_url: is not a URL like", id="no-url"),
        pytest.param("slack: {base_url: 'http://x?y'}", "slack.base_url: must not hold a ? or #", id="query"),
        pytest.param("concurrency: {targets: 0}", "concurrency.targets: must be at least 1", id="nobody-works"),
        pytest.param("concurrency: {deletions: 33}", "concurrency.deletions: must be at most 32", id="too-many-work"),
        pytest.param("http: {timeout: 30}", "http.timeout: is a number: write a duration with its unit", id="no-unit"),
        pytest.param("http: {timeout: 0s}", 'http.timeout: "0s" must be greater than zero', id="no-time"),
        pytest.param("http: {give_up_after: soon}", '"soon" is not a duration like 30s or 2m', id="no-duration"),
        pytest.param("usage_memory: 3m", 'usage_memory: "3m" is minutes or months: 3min or 3mo?', id="months"),
        pytest.param(
            "plan_validity: 3m", 'plan_validity: "3m" is minutes or months: 3min or 3mo?', id="months-of-a-plan"
        ),
        pytest.param("plan_validity: 0m", 'plan_validity: "0m" must be greater than zero', id="no-validity"),
        pytest.param("usage_memory: 101y", 'usage_memory: "101y" is longer than a hundred years', id="memory-for-ever"),
        pytest.param("plan_validity: 101y", 'plan_validity: "101y" is longer than a hundred', id="plan-for-ever"),
        pytest.param("http: {timeout: 5300w}", 'http.timeout: "5300w" is longer than a hundred', id="no-timeout"),
        pytest.param("http: {give_up_after: 5300w}", 'p_after: "5300w" is longer than a hundred', id="never-given-up"),
        pytest.param(
            "limits: {max_deletions: 10000000000}", "limits.max_deletions: must be at most 1000000000", id="no-limit"
        ),
        pytest.param("limits: {max_images: 0}", "limits.max_images: must be at least 1", id="no-images-at-all"),
        pytest.param(
            "limits: {max_images: 10000001}", "limits.max_images: must be at most 10000000", id="too-many-images"
        ),
        pytest.param("http: {attempts: 0}", "http.attempts: must be at least 1", id="no-attempt"),
        pytest.param(
            "http: {page_size: 1}", "http.page_size: must be from 2 to 10000: where a page", id="pages-of-one"
        ),
        pytest.param("http: {page_size: 10001}", "http.page_size: must be from 2 to 10000", id="endless-pages"),
        pytest.param("http: {parallel_pages: 0}", "http.parallel_pages: must be from 1 to 16: write 1", id="no-pages"),
        pytest.param("http: {parallel_pages: 17}", "http.parallel_pages: must be from 1 to 16", id="17-pages-at-once"),
        pytest.param("cost: {per_gib_month: 1}", "cost: has a price without a currency", id="no-currency"),
        pytest.param("cost: {per_gib_month: -1, currency: X}", "cost.per_gib_month: must be at least 0", id="a-gift"),
        pytest.param("cost: {per_gib_month: 1e999, currency: X}", "cost.per_gib_month: is a number", id="infinite"),
        pytest.param("cost: {per_gib_month: a lot, currency: X}", "is text: write a number", id="no-number"),
        pytest.param("mode: delete\nmode: dry-run", "mode: is given twice, first in line 7", id="twice"),
    ],
)
def test_a_wrong_value_is_told_with_line_and_key(write: Write, line: str, problem: str) -> None:
    (told,) = problems_of(write(f"{TARGET}{line}\n"))

    assert told.startswith("janitor.yaml:8: " if "twice" in problem else "janitor.yaml:7: ")
    assert problem in told


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param("name: prod", "name:", "janitor.yaml:2: targets[0].name: is empty", id="no-name"),
        pytest.param("name: prod", "api: openshift\n    name: p", '"openshift" is not an API known here', id="no-api"),
        pytest.param(
            "name: prod", "api: 1\n    name: p", "api: is a number: write one of toast, openstack", id="a-version"
        ),
        pytest.param("endpoint:", "region:", "api: is missing: write openstack", id="keys-of-the-other-api"),
        pytest.param("https://", "ftp://", "janitor.yaml:3: targets[0].endpoint: is not a URL like", id="not-the-web"),
        pytest.param("cloud.example", "", "targets[0].endpoint: is not a URL like", id="no-host"),
        pytest.param("cloud.example", "x:99999", "targets[0].endpoint: is not a URL like", id="no-port"),
        pytest.param("cloud.example", "[::1", "targets[0].endpoint: is not a URL like", id="half-an-address"),
        pytest.param("cloud.example", "a b", "targets[0].endpoint: is not a URL like", id="a-space"),
        pytest.param("cloud.example", "me:pw@x", "endpoint: must not hold a user name or password", id="userinfo"),
        pytest.param("/compute", "/?a=b", "targets[0].endpoint: must not hold a ? or #", id="query"),
        pytest.param("endpoint:", "endpiont:", 'endpiont: unknown key, did you mean "endpoint"?', id="near-key"),
        pytest.param("the-appkey", "123", "targets[0].appkey: is a number: write text, in quotes", id="a-number"),
        pytest.param("the-appkey", "007", "targets[0].appkey: is a number: write text, in quotes", id="zeros-in-front"),
        pytest.param("the-appkey", '"a\\nb"', "targets[0].appkey: holds a line break", id="a-line-break"),
    ],
)
def test_a_wrong_target_is_told_with_its_place(write: Write, old: str, new: str, problem: str) -> None:
    assert problem in "\n".join(problems_of(write(TARGET.replace(old, new))))


@pytest.mark.parametrize("targets", ["", "targets:\n", "targets: []\n"])
def test_there_must_be_a_target(write: Write, targets: str) -> None:
    (told,) = problems_of(write(f"mode: delete\n{targets}"))

    assert ": targets: " in told


@pytest.mark.parametrize(
    ("endpoint", "appkey", "one"),
    [
        ("https://cloud.example/compute", "the-appkey", True),
        ("https://CLOUD.example.:443//compute/", "${KEY}", True),
        ("https://cloud.example/compute", "another", False),
        ("https://cloud.example:8443/compute", "the-appkey", False),
    ],
)
def test_an_account_has_one_target(write: Write, endpoint: str, appkey: str, one: bool) -> None:
    first = TARGET.removeprefix("targets:\n")
    second = first.replace("prod", "stage").replace("https://cloud.example/compute", endpoint)
    path = write(TARGET + second.replace("the-appkey", appkey))

    if not one:
        assert len(load_settings(path, {}).targets) == 2
        return
    with pytest.raises(ConfigurationError) as caught:
        load_settings(path, {"KEY": "the-appkey"})

    assert [str(problem) for problem in caught.value.problems] == [
        f"{path}:7: targets[1]: has the endpoint and appkey of target prod: every image would be decided on twice; "
        "remove one of the two"
    ]


def test_target_names_are_unique(write: Write) -> None:
    second = TARGET.removeprefix("targets:\n")

    assert problems_of(write(TARGET + second)) == [
        'janitor.yaml:7: targets[1].name: "prod" is already the name of targets[0]'
    ]


def test_every_problem_is_told_at_once_in_the_order_of_lines(write: Write) -> None:
    path = write(
        """\
        mode: deleet
        targets:
          - name: a
            endpoint: x
            appkey: ${NOPE}
            username: ${NOPE:-}
            password_file: nowhere
          - name: a
        slack: {token: t}
        htpp: {}
        """
    )

    assert [problem.split(": ")[0:2] for problem in problems_of(path)] == [
        ["janitor.yaml:1", "mode"],
        ["janitor.yaml:4", "targets[0].endpoint"],
        ["janitor.yaml:5", "targets[0].appkey"],
        ["janitor.yaml:6", "targets[0].username"],
        ["janitor.yaml:7", "targets[0].password_file"],
        ["janitor.yaml:8", "targets[1].name"],
        ["janitor.yaml:8", "targets[1].appkey"],
        ["janitor.yaml:8", "targets[1].username"],
        ["janitor.yaml:8", "targets[1].password"],
        ["janitor.yaml:9", "slack.channel"],
        ["janitor.yaml:10", "htpp"],
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(f"{TARGET}polices:\n", 'polices: unknown key, did you mean "policies"?', id="at-the-top"),
        pytest.param(
            f"{TARGET}slack: {{tokn: '${{X:-}}'}}\n", 'slack.tokn: unknown key, did you mean "token"?', id="inside"
        ),
        pytest.param(f"{TARGET}    regoin:\n", "targets[0].regoin: unknown key", id="of-a-target"),
        pytest.param(
            f"{TARGET}    usage: {{srvers: }}\n",
            "targets[0].usage.srvers: unknown key",
            id="in-usage",
        ),
        pytest.param(
            f"{TARGET}owners: {{web: {{user: U012, usr: }}}}\n", "owners.web.usr: unknown key", id="of-an-owner"
        ),
    ],
)
def test_an_unknown_key_is_a_mistake_also_without_a_value(write: Write, text: str, problem: str) -> None:
    assert any(problem in one for one in problems_of(write(text)))


def test_keys_of_the_other_api_may_be_left_empty(write: Write) -> None:
    text = f"{TARGET}    tenant_id:\n    region: ${{REGION:-}}\n    usage: {{servers: ''}}\n"
    assert load_settings(write(text), {}).targets
