"""Whom the configuration names for an owner; what was found itself is nobody, but for an address in allowed domains."""

import pytest

from janitor.core.recipients.addresses import address_in, domain_in
from janitor.core.recipients.recipients import Recipient, Recipients, same_owner

WEB = Recipient("#team-web")
KIM = Recipient(user="U0KIM")
RECIPIENTS = Recipients({"web": WEB, "kim@example.com": KIM}, Recipient("#others"), frozenset({"example.com"}))

FOUND = {
    "entry": ("web", WEB),
    "entry-in-another-case": ("WEB", WEB),
    "entry-with-blanks-and-what-nobody-sees": (" w\u200beb ", WEB),
    "entry-of-an-address-before-its-domain": ("Kim@Example.com", KIM),
    "address-in-a-domain": ("Lee@EXAMPLE.com", Recipient(user="lee@example.com")),
    "nobody-known": ("db", None),
    "no-domain-of-ours": ("lee@example.org", None),
    "subdomain": ("lee@mail.example.com", None),
    "longer-domain": ("lee@example.com.evil.org", None),
    "domain-that-ends-so": ("lee@notexample.com", None),
    "domain-that-looks-so": ("lee@ex\u0430mple.com", None),
    "wide-letters": ("lee@\uff45xample.com", None),
    "kelvin-sign": ("lee\u212a@example.com", None),
    "several-at": ("lee@evil.org@example.com", None),
    "channel": ("#general", None),
    "user-id": ("U0KIM", None),
    "mention": ("<@U0KIM>", None),
    "reserved": ("default", None),
}


@pytest.mark.parametrize(("owner", "recipient"), FOUND.values(), ids=FOUND.keys())
def test_an_owner_is_told_as_people_configured_it(owner: str, recipient: Recipient | None) -> None:
    assert RECIPIENTS.of(owner) == recipient


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lee",
        "@example.com",
        "lee@",
        "lee@example",
        "lee @example.com",
        "lee@example.com ",
        "lee@example.com\n",
        "<lee@example.com>",
        "lee@example.com|x",
        "lee&amp;@example.com",
        "<mailto:lee@example.com>",
        '"lee"@example.com',
        "lee@[127.0.0.1]",
        "lee@127.0.0.1",
        "lee..lee@example.com",
        ".lee@example.com",
        "lee@-example.com",
        "lee@example..com",
        "lee\x00@example.com",
        "lee\u202e@example.com",
        "lée@example.com",
        "lee,kim@example.com",
        f"{'l' * 65}@example.com",
        f"lee@{'e.' * 130}com",
    ],
)
def test_what_is_not_plainly_one_address_is_none(text: str) -> None:
    assert address_in(text) is None


@pytest.mark.parametrize("text", ["Lee@Example.com", "lee.lee+images@mail.example.co.kr", "l@xn--bcher-kva.example"])
def test_an_address_is_read_in_lower_case(text: str) -> None:
    assert address_in(text) == text.lower()


@pytest.mark.parametrize("text", ["bücher.example", "example", "*.example.com", ".example.com", "example.com.", ""])
def test_a_domain_is_plain_ascii_and_exact(text: str) -> None:
    assert domain_in(text) is None


def test_owners_are_compared_as_people_see_them() -> None:
    assert same_owner(" Te\u0301am\u200b ") == same_owner("t\u00c9AM")
    assert same_owner("team-web") != same_owner("team_web")


def test_what_has_no_entry_says_so() -> None:
    assert RECIPIENTS.why_not("db") == "it has no entry under owners"
    assert "its domain is not one of owners.domains" in RECIPIENTS.why_not("lee@example.org")
