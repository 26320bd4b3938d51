"""The client of OpenStack clouds: requests, pages, what no list shows, deletions, signing in, and no secret."""

import logging
from datetime import timedelta

import pytest

from janitor.core.planning.deletion import Answer
from janitor.core.usage import EarlierUsage, Source
from janitor.errors import CloudError, Denied, Implausible, JanitorError, Refused, Unavailable
from janitor.transport import HttpOptions
from tests.loopback import Answered
from tests.openstack_account import (
    IMAGES,
    PASSWORD,
    PROJECT,
    SERVERS,
    TOKENS,
    Cloud,
    calls,
    entry,
    ids,
    images_of,
    no,
    server,
    serving,
)

DECLARE = "declare them in `references`"


# The survey


def test_a_survey_reads_every_list_to_its_end() -> None:
    cloud = Cloud(entries=[entry(f"i{n}") for n in range(5)], hidden=[entry("h1", os_hidden=True)])
    cloud.community = [entry("c1", visibility="community")]
    with serving(cloud, HttpOptions(page_size=2)) as (client, listening):
        assert ids(client) == ["i0", "i1", "i2", "i3", "i4", "h1", "c1"]
    token, *lists = listening.asked
    assert (token.method, token.path) == ("POST", "/v2.0/tokens")
    assert [dict(asked.query) for asked in lists] == [
        {"limit": "2"},
        {"limit": "2", "marker": "i1"},
        {"limit": "2", "marker": "i3"},
        {"limit": "2", "marker": "i4"},
        {"limit": "2", "marker": "i3"},
        {"limit": "2", "os_hidden": "true"},
        {"limit": "2", "os_hidden": "true", "marker": "h1"},
        {"limit": "2", "os_hidden": "true"},
        {"limit": "2", "os_hidden": "true", "marker": "h1"},
        {"limit": "2", "visibility": "community", "owner": PROJECT},
        {"limit": "2", "visibility": "community", "owner": PROJECT, "marker": "c1"},
        {"limit": "2", "visibility": "community", "owner": PROJECT},
        {"limit": "2", "visibility": "community", "owner": PROJECT, "marker": "c1"},
    ]
    assert {asked.headers["x-auth-token"] for asked in lists} == {"t0ken-1"}


def test_no_page_is_asked_to_be_larger_than_the_services_allow() -> None:
    with serving(Cloud(), HttpOptions(page_size=10_000)) as (client, listening):
        ids(client)
    assert {asked.query["limit"] for asked in listening.asked[1:]} == {"1000"}


def test_the_next_page_is_where_the_page_says() -> None:
    first = Answered({"images": [entry("i1")], "next": "/v2/images?limit=1000&cursor=abc&sort_dir=desc"})
    with serving(Cloud().scripted(IMAGES, first)) as (client, listening):
        ids(client)
    assert dict(listening.asked[2].query) == {"limit": "1000", "cursor": "abc", "sort_dir": "desc"}


def test_a_link_takes_the_token_nowhere_else() -> None:
    elsewhere = Answered({"images": [entry("i1")], "next": "http://elsewhere.invalid/v2/images?limit=1000&marker=i1"})
    with serving(Cloud().scripted(IMAGES, elsewhere)) as (client, listening):
        assert ids(client) == ["i1", "i2"]
    assert {asked.path for asked in listening.asked[1:]} == {"/image/v2/images"}


def test_a_link_that_leaves_out_the_question_does_not_change_it() -> None:
    first = Answered({"images": [entry("h1")], "next": "/v2/images?marker=h1"})
    cloud = Cloud(hidden=[entry("h1"), entry("h2"), entry("h3")])
    cloud.scripted(IMAGES, *[Answered({"images": [entry("i1")]})] * 3, first)
    with serving(cloud) as (client, listening):
        assert ids(client) == ["i1", "h1", "h2", "h3"]
    assert {asked.query["limit"] for asked in listening.asked[1:]} == {"1000"}


def test_a_page_of_one_that_names_no_next_one_is_not_taken_at_its_word_either() -> None:
    cloud = Cloud(entries=[entry("i0"), entry("i1")], servers=[server("s1", {"id": "a"}), server("s2", {"id": "b"})])
    cloud.scripted(IMAGES, Answered({"images": [entry("i0")]}))
    cloud.scripted(SERVERS, Answered({"servers": cloud.servers[:1]}))
    with serving(cloud) as (client, _):
        assert ids(client) == ["i0", "i1"]
        assert sorted(client.usage([], EarlierUsage()).by_image) == ["a", "b"]


def test_a_page_that_names_no_next_one_is_not_taken_at_its_word() -> None:
    cut = Answered({"images": [entry("i0"), entry("i1")]})
    cloud = Cloud(entries=[entry(f"i{n}") for n in range(5)]).scripted(IMAGES, cut)
    with serving(cloud) as (client, _):
        assert ids(client) == ["i0", "i1", "i2", "i3", "i4"]


def test_an_image_in_two_lists_is_one() -> None:
    assert [image.id for image in images_of(Cloud(hidden=[entry("i1"), entry("h1")]))] == ["i1", "i2", "h1"]


@pytest.mark.parametrize("status", [400])
def test_a_service_that_is_too_old_to_hide_images_has_none(status: int) -> None:
    cloud = Cloud().scripted(IMAGES, *[Answered({"images": [entry("i1")]})] * 2, no(status), no(status))
    with serving(cloud) as (client, _):
        assert ids(client) == ["i1"]


def test_any_other_no_to_a_list_fails_the_survey() -> None:
    cloud = Cloud().scripted(IMAGES, *[Answered({"images": [entry("i1")]})] * 2, no(403, "not you"))
    with serving(cloud) as (client, _), pytest.raises(Refused, match='GET /v2/images: HTTP 403 "not you"'):
        ids(client)


def test_a_marker_that_vanished_misses_no_image() -> None:
    cloud = Cloud(entries=[entry(f"i{n}") for n in range(4)])
    first = Answered({"images": [entry("i0"), entry("gone")], "next": "/v2/images?limit=2&marker=gone"})
    cloud.scripted(IMAGES, first, no(400, "No image found with ID gone"))
    with serving(cloud, HttpOptions(page_size=2)) as (client, _):
        assert ids(client) == ["i0", "gone", "i1", "i2", "i3"]


def test_pages_that_lead_in_circles_are_noticed() -> None:
    circle = [
        Answered({"images": [entry("i1"), entry("i2")], "next": "/v2/images?marker=i2"}),
        Answered({"images": [entry("i2"), entry("i1")], "next": "/v2/images?marker=i1"}),
    ]
    with serving(Cloud().scripted(IMAGES, *circle * 20)) as (client, _), pytest.raises(Implausible):
        ids(client)


# What no list shows


def test_what_no_list_shows_is_asked_for_by_its_id() -> None:
    cloud = Cloud(unlisted=[entry("k1", status="killed"), entry("o1", owner="another")])
    with serving(cloud) as (client, listening):
        found = client.unlisted(["k1", "gone", "o1"]).found
    assert [(image.id, image.status, image.owned) for image in found] == [
        ("k1", "killed", True),
        ("o1", "active", False),
    ]
    assert sorted(calls(listening)[1:]) == ["GET /v2/images/gone", "GET /v2/images/k1", "GET /v2/images/o1"]


def test_a_list_that_leaves_out_what_it_has_to_show_is_noticed() -> None:
    rest = [
        entry("k1", status="killed"),
        entry("h1", os_hidden=True),
        entry("o1", owner="another"),
        entry("c1", visibility="community"),
        entry("q1", status="queued"),
    ]
    with serving(Cloud(unlisted=[*rest, entry("a1"), entry("a2")])) as (client, _):
        client.unlisted([image["id"] for image in rest])
        assert client.irregularities() == []
        client.unlisted(["a1", "a2"])
        said = ["the image list omits image a1 and 1 more, which exists and is active"]
        assert client.irregularities() == said


def test_an_id_is_one_segment_of_the_path() -> None:
    with serving(Cloud()) as (client, listening):
        client.unlisted(["../x?y"])
        client.delete("..")
    assert calls(listening)[1:] == ["GET /v2/images/..%2Fx%3Fy", "DELETE /v2/images/%2E%2E"]


def test_what_may_not_be_seen_may_exist() -> None:
    cloud = Cloud(entries=[entry("i2")]).scripted("GET /v2/images/i1", no(403), no(403, "not you"))
    with serving(cloud) as (client, _):
        told = client.unlisted(["i1", "i2", "gone"])
        assert ([image.id for image in told.found], told.unanswered) == (["i2"], frozenset({"i1"}))
        with pytest.raises(Refused, match='HTTP 403 "not you"'):
            client.latest("i1")


def test_an_image_that_is_gone_is_none() -> None:
    with serving(Cloud()) as (client, _):
        assert client.latest("gone") is None


def test_an_answer_about_another_image_proves_nothing() -> None:
    other = [Answered(entry("i2"))] * 3
    with serving(Cloud().scripted("GET /v2/images/i1", *other)) as (client, _), pytest.raises(Unavailable):
        client.unlisted(["i1"])


def test_an_image_that_cannot_be_asked_for_fails_the_survey() -> None:
    with serving(Cloud().scripted("GET /v2/images/i1", *[no(500)] * 3)) as (client, _), pytest.raises(Unavailable):
        client.unlisted(["i1", "i2"])


# Deleting


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        pytest.param([Answered(status=204)], Answer.ACCEPTED, id="deleted"),
        pytest.param([no(404)], Answer.ABSENT, id="gone-before"),
        pytest.param([no(500), Answered(status=204)], Answer.ACCEPTED, id="tried-again"),
        pytest.param([Answered(dropped=True), no(404)], Answer.ACCEPTED, id="answer-lost"),
        pytest.param([Answered(b"<html>a gateway's</html>"), no(404)], Answer.ACCEPTED, id="foreign-answer"),
        pytest.param([no(429), no(404)], Answer.ABSENT, id="not-carried-out-for-now"),
    ],
)
def test_a_deletion(answers: list[Answered], outcome: Answer) -> None:
    with serving(Cloud().scripted("DELETE /v2/images/i1", *answers)) as (client, _):
        assert client.delete("i1") is outcome


HTML = b"<html><head><title>403 Forbidden</title></head><body><h1>403</h1>Image i1 is <b>protected</b> &amp; kept."


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (no(403, "You are not authorized to complete delete_image action."), "You are not authorized to complete"),
        (no(409, "Image i1 could not be deleted because it is in use"), 'HTTP 409 "Image i1 could not be deleted'),
        (Answered(HTML, status=403), 'HTTP 403 "403 Image i1 is protected & kept."'),
        (no(403, "Image i1 is protected.<br /><br />\n\n"), 'HTTP 403 "Image i1 is protected."'),
        (Answered({"forbidden": {"code": 403, "message": "Policy"}}, status=403), 'HTTP 403 "Policy"'),
        (Answered(status=307, headers={"Location": "http://elsewhere.invalid"}), "a redirect, which is not followed"),
    ],
    ids=["forbidden", "in-use", "html", "line-breaks", "nested", "redirect"],
)
def test_a_refusal_is_said_in_the_services_words(answer: Answered, said: str) -> None:
    cloud = Cloud().scripted("DELETE /v2/images/i1", answer)
    with serving(cloud) as (client, listening), pytest.raises(Refused) as refusal:
        client.delete("i1")
    assert str(refusal.value).startswith("DELETE /v2/images/{id}: ")
    assert said in str(refusal.value)
    assert len(listening.asked) == 2


# Signing in


def test_a_token_that_died_is_renewed_once() -> None:
    cloud = Cloud()
    with serving(cloud) as (client, listening):
        ids(client)
        cloud.dead.add("t0ken-1")
        client.delete("i1")
        cloud.dead.add("t0ken-2")
        client.delete("i2")
    assert calls(listening).count(TOKENS) == 3


def test_a_new_token_for_another_project_is_none() -> None:
    cloud = Cloud()
    with serving(cloud) as (client, listening):
        ids(client)
        cloud.dead.add("t0ken-1")
        cloud.project = "another"
        asked = len(listening.asked)
        with pytest.raises(CloudError, match="for another project"):
            client.delete("i1")
    assert [call for call in calls(listening)[asked:] if "DELETE" in call] == ["DELETE /v2/images/i1"]


def test_a_token_that_is_never_accepted_is_one_clear_line() -> None:
    cloud = Cloud(dead={f"t0ken-{n}" for n in range(9)})
    with serving(cloud) as (client, listening), pytest.raises(Denied, match="the token is not accepted"):
        ids(client)
    assert len(listening.asked) == 2


def test_a_project_without_rights_is_one_clear_line() -> None:
    cloud = Cloud().scripted(IMAGES, no(403, "get_images is not allowed"))
    with (
        serving(cloud) as (client, _),
        pytest.raises(Refused, match='GET /v2/images: HTTP 403 "get_images'),
    ):
        ids(client)


def test_the_clock_of_the_server_is_watched() -> None:
    late = Answered({"images": []}, headers={"Date": "Mon, 23 Nov 2026 03:10:00 GMT"})
    with serving(Cloud().scripted(IMAGES, *[late] * 3)) as (client, _):
        ids(client)
        assert client.clock_offset() == timedelta(minutes=10)


def test_a_probe_says_what_it_saw_and_what_nobody_sees() -> None:
    cloud = Cloud(servers=[server("s1", "")])
    with serving(cloud) as (client, _):
        said = client.probe()
    assert said.sentence.startswith(f"token accepted for project {PROJECT}, 2 images listed, 1 server, ")
    assert said.sentence.endswith(
        "launch templates, autoscaling groups and ids in files are not visible to any API: " + DECLARE
    )
    asked = [(reading.source, reading.region, reading.problem) for reading in said.readings]
    missing = "not asked: the catalogue has no such service"
    assert asked == [
        (Source.SERVERS, "KR1", None),
        (Source.VOLUMES, "KR1", None),
        (Source.CLUSTERS, "", missing),
        (Source.STACKS, "", missing),
        (Source.SNAPSHOTS, "", "not asked: turned off"),
    ]


def test_no_secret_in_any_word(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    leak = no(400, f"what is {PASSWORD} and t0ken-1?")
    said = []
    with serving(Cloud().scripted("DELETE /v2/images/i1", leak)) as (client, _):
        with pytest.raises(JanitorError) as error:
            client.delete("i1")
        said.append(str(error.value))
    assert "***" in said[0]
    for secret in (PASSWORD, "t0ken-1"):
        assert not [words for words in (*said, caplog.text) if secret in words]
