"""Every image of a result is reported in exactly one place, and no place holds an image that is another's."""

from collections.abc import Iterator
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from janitor.core.decision import Change, Decision, Spared
from janitor.core.names.owners import OwnerRule
from janitor.core.planning.plan import Excess
from janitor.core.policy import Match, Policy
from janitor.core.recipients.destinations import Destinations
from janitor.core.recipients.recipients import Recipient, Recipients
from janitor.core.result import Outcome, RunResult, TargetResult
from janitor.notify.slack.blocks import slack_messages
from janitor.report.listing import listing
from janitor.report.routing import Share, Untold, shares_of
from tests.factories import live_run, make_deletion, make_image, make_target, to_delete, to_keep

RULE = OwnerRule("property:owner")
POLICIES = [
    Policy("plain", Match()),
    Policy("team", Match(), channel="#team"),
    Policy("owned", Match(), owner=RULE),
    Policy("both", Match(), channel="#team", owner=RULE),
]
RECIPIENTS = Recipients(
    {"web": Recipient("#web"), "db": Recipient("#team"), "kim": Recipient(user="U0KIM"), "main": Recipient("#main")},
    Recipient("#others"),
    frozenset({"example.com"}),
)
ALL = Destinations.under(POLICIES, "#main", RECIPIENTS)
OWNERS = ["web", "WEB", "db", "kim", "main", "lee@example.com", "lee@example.org", "nobody", None]
OF_ENTRIES = {"web": "#web", "WEB": "#web", "db": "#team", "kim": "U0KIM", "main": None}
OF_ENTRIES |= {"lee@example.com": "lee@example.com"}


def expected(policy: str | None, owner: str | None) -> str | None:
    """The place of an image, as the documents say."""
    if policy in ("owned", "both") and owner in OF_ENTRIES:
        return OF_ENTRIES[owner]
    return {"team": "#team", "both": "#team", "owned": "#others"}.get(policy or "")


IMAGES = st.lists(
    st.tuples(
        st.sampled_from(["plain", "team", "owned", "both", None]), st.sampled_from(OWNERS), st.sampled_from("abcdefgh")
    ),
    max_size=25,
)


def result_of(images: list[tuple[str | None, str | None, str]]) -> tuple[RunResult, dict[str, str | None]]:
    """A result in which each image is in one part, and the place of each by its id."""
    parts: dict[str, list[Decision]] = {part: [] for part in "abcdefgh"}
    places = {}
    for number, (policy, owner, part) in enumerate(images):
        image = make_image(f"image-{number}", properties={"owner": owner} if owner else {})
        decision = to_delete(image, policy=policy)
        parts[part].append(decision)
        places[image.id] = expected(policy, owner)
    target = make_target(
        parts["a"],
        [make_deletion(one) for one in parts["b"]],
        announced=tuple(parts["c"]),
        reminded=tuple(parts["d"]),
        gone=tuple(parts["e"]),
        spared=tuple(Spared(one, one.policy or "plain") for one in parts["f"]),
        settled=tuple(make_deletion(one) for one in parts["g"]),
        changed=tuple(Change(one, "changed") for one in parts["h"]),
    )
    return live_run(target), places


def decisions_in(target: TargetResult) -> Iterator[Decision]:
    yield from target.decisions
    yield from (deletion.decision for deletion in (*target.deletions, *target.earlier.settled))
    yield from (*target.notices.announced, *target.notices.reminded, *target.notices.gone)
    yield from (saved.decision for saved in target.notices.spared)
    yield from (change.decision for change in target.review.changed)


def ids_in(share: Share) -> list[str]:
    return [decision.image.id for target in share.listed.targets for decision in decisions_in(target)]


@given(images=IMAGES)
def test_every_image_is_in_exactly_the_one_place_that_is_its_own(
    images: list[tuple[str | None, str | None, str]],
) -> None:
    result, places = result_of(images)
    shares = shares_of(result, ALL)
    found = [(image, share.channel) for share in shares for image in ids_in(share)]
    assert sorted(found, key=str) == sorted(places.items(), key=str)
    assert len({share.channel for share in shares}) == len(shares)
    assert shares[0].totals == result
    assert all(share.totals == share.listed for share in shares[1:])


@given(images=IMAGES)
def test_no_message_and_no_file_names_an_image_of_another_place(
    images: list[tuple[str | None, str | None, str]],
) -> None:
    result, places = result_of(images)
    for share in shares_of(result, ALL):
        messages = slack_messages(share, None, UTC, threaded=True)
        said = "".join(
            str(each.blocks) + each.text for message in messages for each in (message, message.late or message)
        )
        said += listing(share.listed).csv + listing(share.listed, late=True).csv
        assert not [image for image, place in places.items() if place != share.channel and image in said]


@given(images=IMAGES, unreached=st.sets(st.sampled_from(["#web", "#team", "U0KIM", "lee@example.com", "#others"])))
def test_what_cannot_be_reached_moves_to_the_main_channel_and_nothing_else_does(
    images: list[tuple[str | None, str | None, str]], unreached: set[str]
) -> None:
    result, places = result_of(images)
    shares = shares_of(result, ALL.without(dict.fromkeys(unreached, "no such user")))
    found = {image: share.channel for share in shares for image in ids_in(share)}
    assert found == {image: None if place in unreached else place for image, place in places.items()}
    told_of = sum(each.images for each in shares[0].untold)
    assert told_of == sum(place in unreached for place in places.values())


def test_an_owner_of_whom_nothing_is_told_is_not_mentioned_as_untold() -> None:
    unreached = ALL.without({"U0KIM": "no such user"})
    image = make_image("kept", properties={"owner": "kim"})
    kept = make_target([to_delete(image, policy="owned").replace(verdict="keep")])
    assert shares_of(live_run(kept), unreached)[0].untold == ()
    told = make_target([to_delete(image, policy="owned")])
    assert shares_of(live_run(told), unreached)[0].untold == (Untold("kim", "no such user", 1),)


def test_a_limit_is_told_to_owners_of_planned_images_and_not_to_others() -> None:
    kims, webs = (make_image(name, properties={"owner": name}) for name in ("kim", "web"))
    decisions = [to_delete(kims, policy="owned"), to_keep(webs, policy="owned")]
    excess = Excess(55, "10", "55 planned, and the limit is 10")
    limit = make_target(decisions, outcome=Outcome.REFUSED, error=excess.sentence, excess=excess)
    shares = {share.channel: share.totals.targets for share in shares_of(live_run(limit), ALL)[1:]}
    assert [target.excess for target in shares["U0KIM"]] == [excess]
    assert [(target.excess, target.outcome) for target in shares["#web"]] == [(None, Outcome.OK)]
