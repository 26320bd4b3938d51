"""The key `owners` of a configuration."""

import pytest

from janitor.config import load_settings
from janitor.core.recipients.recipients import Recipient
from tests.config.configuration import TARGET, Write, problems_of

pytestmark = pytest.mark.usefixtures("empty_folder")

SLACK = 'slack: {token: xoxb-token, channel: "#cloud-images"}\n'
OWNERS = """\
owners:
  domains: [example.com, Mail.Example.COM]
  default: {channel: "#image-owners"}
  team-web: {channel: "#team-web"}
  Team-DB: {channel: C0123456789, user: U0123456789, mention: true}
  kim@example.com: {user: Kim@Example.com}
  lee: {user: W0123456789, mention: true}
"""


def test_owners_have_a_channel_or_a_person(write: Write) -> None:
    owners = load_settings(write(TARGET + SLACK + OWNERS), {}).owners
    assert owners is not None
    assert owners.default == Recipient("#image-owners")
    assert owners.domains == {"example.com", "mail.example.com"}
    assert owners.by_owner == {
        "team-web": Recipient("#team-web"),
        "team-db": Recipient("C0123456789", "U0123456789", True),
        "kim@example.com": Recipient(user="kim@example.com"),
        "lee": Recipient(user="W0123456789", mention=True),
    }


def test_without_the_key_owners_are_told_nothing(write: Write) -> None:
    assert load_settings(write(TARGET + SLACK), {}).owners is None


@pytest.mark.parametrize(
    "slack",
    [
        pytest.param("", id="no-slack"),
        pytest.param("slack: {webhook_url: https://hooks.slack.com/services/T/B/secret}\n", id="webhook"),
        pytest.param("slack: {token: '${NOTHING:-}'}\n", id="empty-token"),
    ],
)
def test_owners_need_a_bot(write: Write, slack: str) -> None:
    path = write(TARGET + slack + OWNERS)
    line = 7 + bool(slack)
    expected = f"{path}:{line}: owners: needs `slack` with a bot token, as a webhook posts to one channel only"
    assert expected in problems_of(path)


WRONG = {
    "unknown-key": ('web: {chanel: "#x"}', "owners.web.chanel: unknown key, did you mean"),
    "nothing": ("web: {}", "owners.web: says neither which channel nor which user"),
    "text": ('web: "#team-web"', "owners.web: is text"),
    "channel-without-its-mark": ("web: {channel: team-web}", 'owners.web.channel: "team-web" is not a channel'),
    "person-as-channel": ("web: {channel: '@kim'}", 'owners.web.channel: "@kim" is not a channel'),
    "id-as-channel": ("web: {channel: U0123456789}", 'owners.web.channel: "U0123456789" is not a channel'),
    "name-as-user": ("web: {user: '@kim'}", 'owners.web.user: "@kim" is neither an id'),
    "markup-as-user": ("web: {user: '<!here>'}", 'owners.web.user: "<!here>" is neither an id'),
    "both-without-mention": ("web: {channel: '#x', user: U0123456789}", "owners.web: has a channel and a user"),
    "mention-of-nobody": ("web: {channel: '#x', mention: true}", "owners.web: mentions nobody"),
    "twice": ("{web: {channel: '#x'}, ' WEB ': {channel: '#y'}}", 'owners. WEB : is the same owner as "web"'),
    "no-name": ("'\u200b': {channel: '#x'}", "is an owner without a name"),
    "domain-with-at": ("domains: ['@example.com']", 'owners.domains[0]: "@example.com" is not a domain'),
    "any-subdomain": ("domains: ['*.example.com']", 'owners.domains[0]: "*.example.com" is not a domain'),
    "look-alike-domain": ("domains: [ex\u0430mple.com]", "is not a domain like example.com"),
    "no-domains": ("domains: []", "owners.domains: must not be empty"),
    "list": ("[web]", "owners: is a list"),
    "empty": ("{}", "owners: is empty: for each owner write {channel"),
}


@pytest.mark.parametrize(("owners", "problem"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_said_with_its_line(write: Write, owners: str, problem: str) -> None:
    text = owners if owners[0] in "{[" else f"{{{owners}}}"
    path = write(TARGET + SLACK + f"owners: {text}\n")
    found = problems_of(path)
    assert any(problem in each and str(each).startswith(f"{path}:8: ") for each in found), found


def test_all_problems_of_owners_are_said_at_once(write: Write) -> None:
    path = write(TARGET + "owners:\n  web: {channel: web}\n  kim: {user: kim}\n")
    assert len(problems_of(path)) == 3
