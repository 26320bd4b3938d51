"""The page of the embedded Slack: who may use it, and what mrkdwn becomes there."""

import httpx
import pytest

from janitor.sandbox.slack.clicks import FORGERIES
from janitor.sandbox.slack.page.channels import page_of
from janitor.sandbox.slack.page.mrkdwn import html_of
from janitor.sandbox.slack.people import KIM, LEE
from janitor.sandbox.slack.state import CHANNEL, Posted
from tests.sandbox.slack.messages import SEVEN, announce, button, client
from tests.sandbox.slack.test_blocks import actions
from tests.slack_stand_in import SlackStandIn, Workspace

JSON = {"Content-Type": "application/json"}
NAMES = {"U0LEE000001": "lee", "C0": "#cloud-images"}


def get(slack: SlackStandIn, path: str = "/", **headers: str) -> httpx.Response:
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.get(slack.address + path, headers=lines, trust_env=False)


def post(slack: SlackStandIn, path: str, content: str, headers: dict[str, str]) -> httpx.Response:
    return httpx.post(slack.address + path, content=content, headers=headers, trust_env=False)


def click_of(slack: SlackStandIn, **given: object) -> dict[str, object]:
    [posted] = slack.posted
    asked = {"channel": slack.id_of(CHANNEL), "ts": posted.ts, "block": "1", "element": "0", "option": None}
    return {**asked, "by": LEE.id, "how": "genuine", **given}


def ask(slack: SlackStandIn, given: object) -> httpx.Response:
    return httpx.post(f"{slack.address}/page/click", json=given, trust_env=False)


@pytest.mark.parametrize("path", ["/", "/page/channels", "/page/page.js", "/page/page.css"])
def test_everything_of_the_page_is_guarded(slack: SlackStandIn, path: str) -> None:
    answer = get(slack, path)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert (answer.headers["X-Content-Type-Options"], answer.headers["Cache-Control"]) == ("nosniff", "no-store")


@pytest.mark.parametrize(
    "host", ["example.com", "127.0.0.1.example.com", "10.0.0.1", "", "127.0.0.1@example.com", "[::1", "localhost.:1"]
)
@pytest.mark.parametrize("path", ["/", "/api/auth.test"])
def test_another_name_for_this_machine_is_refused(slack: SlackStandIn, host: str, path: str) -> None:
    assert get(slack, path, Host=host).status_code == 403
    assert slack.paths == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]:8781", "LOCALHOST:80"])
def test_loopback_has_several_names(slack: SlackStandIn, host: str) -> None:
    assert get(slack, Host=host).status_code == 200


@pytest.mark.parametrize("origin", ["http://example.com", "null", "https://127.0.0.1", "http://127.0.0.1:1"])
@pytest.mark.parametrize("path", ["/page/click", "/page/sockets", "/page/calls", "/api/chat.postMessage"])
def test_a_page_of_another_origin_is_refused(slack: SlackStandIn, origin: str, path: str) -> None:
    announce(slack)
    assert post(slack, path, "{}", {**JSON, "Origin": origin}).status_code == 403
    assert post(slack, path, "{}", {**JSON, "Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert (len(slack.paths), slack.clicks) == (1, [])


def test_a_form_is_refused(slack: SlackStandIn) -> None:
    announce(slack)
    assert post(slack, "/page/click", "{}", {"Content-Type": "text/plain"}).status_code == 415
    assert slack.clicks == []


def test_the_page_itself_may_click(slack: SlackStandIn) -> None:
    announce(slack)
    answer = httpx.post(
        f"{slack.address}/page/click", json=click_of(slack), headers={"Origin": slack.address}, trust_env=False
    )
    assert answer.json() == {"done": "lost: the app does not listen"}
    assert [click.payload["user"]["id"] for click in slack.clicks] == [LEE.id]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"ts": "1.0"}, id="message"),
        pytest.param({"channel": "C0NOWHERE"}, id="channel"),
        pytest.param({"block": "9"}, id="block"),
        pytest.param({"element": "x"}, id="element"),
        pytest.param({"block": "2", "option": "9"}, id="option"),
        pytest.param({"by": "U0NOBODY"}, id="person"),
        pytest.param({"block": "2"}, id="menu-without-option"),
        pytest.param({"how": []}, id="how"),
        pytest.param({"how": "somehow"}, id="unknown-how"),
    ],
)
def test_a_click_on_nothing(slack: SlackStandIn, given: dict[str, object]) -> None:
    announce(slack)
    assert ask(slack, click_of(slack, **given)).status_code == 400
    assert ask(slack, []).status_code == 400
    assert slack.clicks == []


@pytest.mark.parametrize("how", FORGERIES)
def test_a_forged_click(slack: SlackStandIn, how: str) -> None:
    announce(slack)
    genuine = slack.prepare(slack.posted[0], SEVEN).payload
    assert ask(slack, click_of(slack, how=how)).status_code == 200
    assert slack.clicks[-1].payload == {
        **FORGERIES[how](genuine),
        **{key: slack.clicks[-1].payload[key] for key in ("trigger_id", "response_url", "actions")},
    }


def test_the_value_of_another_message(slack: SlackStandIn) -> None:
    announce(slack)
    assert ask(slack, click_of(slack, how="the value of another message")).status_code == 400
    asked = click_of(slack, how="the value of another message")
    client(slack).chat_postMessage(channel=CHANNEL, text="x", blocks=[actions(button("Keep", "another"))])
    assert ask(slack, asked).status_code == 200
    assert [action["value"] for action in slack.clicks[-1].payload["actions"]] == ["another"]


def test_a_late_click_is_not_sent_at_once(slack: SlackStandIn) -> None:
    announce(slack)
    assert ask(slack, click_of(slack, how="ten seconds late")).json() == {"done": "it will be sent in 10 seconds"}
    [click] = slack.clicks
    assert (click.tried, click.lost, click.warned) == (False, False, False)


@pytest.mark.parametrize(("do", "status"), [("rate limited", 429), ("answered with 503", 503)])
def test_calls_fail_for_as_long_as_the_page_says(slack: SlackStandIn, do: str, status: int) -> None:
    def calls_are(word: str) -> dict[str, str]:
        return dict(httpx.post(f"{slack.address}/page/calls", json={"do": word}, trust_env=False).json())

    assert calls_are(do) == {"done": f"calls are {do}"}
    assert post(slack, "/api/auth.test", "", {}).status_code == status
    assert calls_are("answered") == {"done": "calls are answered"}
    assert post(slack, "/api/auth.test", "", {}).json() == {"ok": False, "error": "not_authed"}
    assert "error" in calls_are("somehow")


def test_what_did_not_change_is_not_sent_again(slack: SlackStandIn) -> None:
    announce(slack)
    mark = get(slack, "/page/channels").headers["ETag"]
    assert get(slack, "/page/channels", If_None_Match=mark).status_code == 304
    slack.click(slack.posted[0], SEVEN)
    assert get(slack, "/page/channels", If_None_Match=mark).status_code == 200


def test_text_that_no_encoding_has_is_shown(slack: SlackStandIn) -> None:
    slack.posted.append(Posted("\ud800 lone", [], CHANNEL, None, "1.0"))
    assert "? lone" in get(slack).text
    assert "? lone" in get(slack, "/page/channels").text


@pytest.mark.parametrize(
    ("text", "html"),
    [
        pytest.param(
            "*bold* _it_ ~no~ `code`", "<strong>bold</strong> <em>it</em> <s>no</s> <code>code</code>", id="all"
        ),
        pytest.param("2*3*4 snake_case_name a~b~c", "2*3*4 snake_case_name a~b~c", id="within-words"),
        pytest.param("* a * _ b _", "* a * _ b _", id="blanks"),
        pytest.param("*a\nb*", "*a\nb*", id="two-lines"),
        pytest.param("`*a*`", "<code>*a*</code>", id="code"),
        pytest.param("```*a*\n`b````", "<pre>*a*\n`b`</pre>", id="pre"),
        pytest.param("*a `b*` c*", "<strong>a <code>b*</code> c</strong>", id="code-in-bold"),
        pytest.param("*_both_*", "<strong><em>both</em></strong>", id="both"),
        pytest.param("a &lt;b&gt; &amp;amp; &quot;", "a &lt;b&gt; &amp;amp; &amp;quot;", id="entities"),
        pytest.param('<img src="x">', "img src=&quot;x&quot;", id="markup"),
        pytest.param("&lt;!channel&gt;", "&lt;!channel&gt;", id="escaped-call"),
        pytest.param("<!channel>", '<b class="mention everyone">@channel</b>', id="call"),
        pytest.param("<@U0LEE000001> <@U0|x>", '<b class="mention">@lee</b> <b class="mention">@x</b>', id="people"),
        pytest.param("<#C0>", '<b class="mention">#cloud-images</b>', id="channel"),
        pytest.param("<!date^1^{date}|27 Nov>", "27 Nov", id="date"),
        pytest.param(
            "<https://a.example/?a=1&amp;b=2|here>",
            '<a href="https://a.example/?a=1&amp;b=2" rel="noopener noreferrer" target="_blank">here</a>',
            id="link",
        ),
        pytest.param("<javascript:alert(1)|here>", "here", id="script"),
        pytest.param(
            '<https://a"onclick="x|b>',
            '<a href="https://a&quot;onclick=&quot;x" rel="noopener noreferrer" target="_blank">b</a>',
            id="quote-in-link",
        ),
        pytest.param("> said\n&gt; too\nnot", "<q>said</q>\n<q>too</q>\nnot", id="quotes"),
    ],
)
def test_mrkdwn(text: str, html: str) -> None:
    assert html_of(text, NAMES) == html


def test_a_thread_its_files_and_what_one_person_sees() -> None:
    slack = Workspace("http://slack.invalid")
    slack.posted += [Posted("first", [], CHANNEL, None, "1.0"), Posted("second", [], CHANNEL, "1.0", "2.0")]
    slack.ephemeral.append(Posted("kept", [], CHANNEL, None, "3.0", only_to=KIM.id))
    page = page_of(slack)
    assert page.index("first") < page.index("1 reply") < page.index("second") < page.index("Only visible to kim")


def test_a_warning_stands_until_a_click_is_acknowledged(slack: SlackStandIn) -> None:
    announce(slack)
    click = slack.click(slack.posted[0], SEVEN)
    assert 'role="alert"' in page_of(slack)
    click.sent.append(slack.now())
    click.hear(None)
    assert 'role="alert"' not in page_of(slack)
