"""Images of a policy are reported in the policy's own channel, and counted in the main one."""

from dataclasses import replace

from janitor.errors import Exit
from janitor.notify.delivered import Delivery
from janitor.notify.delivery import deliver, resend
from tests.factories import make_target, to_keep
from tests.notify.deliveries import CI, TEAM, WEB, Configure, deleting, names_of, run_of, shown
from tests.slack_stand_in import CHANNEL, SlackStandIn


def test_a_policys_images_go_to_its_channel_and_count_in_the_main_one(
    configure: Configure, slack: SlackStandIn
) -> None:
    settings = configure()
    ours, web = deleting(2), deleting(3, "web-images")
    both = make_target([*ours.decisions, *web.decisions], [*ours.deletions, *web.deletions])
    told = deliver(settings, run_of(settings, both), [WEB, CI])
    main = [posted for posted in slack.posted if posted.channel in (CHANNEL, slack.id_of(CHANNEL))]
    team = [posted for posted in slack.posted if posted.channel in (TEAM, slack.id_of(TEAM))]
    assert [(posted.channel, posted.thread) for posted in (main[0], team[0])] == [(CHANNEL, None), (TEAM, None)]
    assert "Deleted: 5 of 5 planned" in main[0].shown
    assert f"`{TEAM}`: 3 images" in main[0].shown
    assert "Deleted: 3 of 3 planned" in team[0].shown
    assert "Only images of these policies: web-images." in team[0].shown
    assert all((name in shown(main)) is (("prod", name) in names_of(ours)) for _, name in names_of(both))
    assert all((name in shown(team)) is (("prod", name) in names_of(web)) for _, name in names_of(both))
    assert told == Delivery(Exit.OK, names_of(both))


def test_a_policy_whose_channel_is_the_main_one_has_no_report_of_its_own(
    configure: Configure, slack: SlackStandIn
) -> None:
    settings = configure()
    result = run_of(settings, deleting(2, "web-images"))
    told = deliver(settings, result, [replace(WEB, channel=CHANNEL)])
    assert told == Delivery(Exit.OK, names_of(*result.targets))
    assert [posted.channel for posted in slack.posted if posted.thread is None] == [CHANNEL]
    assert "Listed in other channels" not in shown(slack.posted)


def test_what_one_channel_does_not_take_is_not_announced_there(configure: Configure, slack: SlackStandIn) -> None:
    settings = configure()
    slack.leave(TEAM)
    ours, web = deleting(2), deleting(3, "web-images", target="dev")
    result = run_of(settings, ours, web)
    assert deliver(settings, result, [WEB, CI]) == Delivery(Exit.FAILED, names_of(ours))
    slack.join(TEAM)
    already = len(slack.posted)
    assert [error for _, error in resend(settings, [WEB])] == [None]
    assert {posted.channel for posted in slack.posted[already:]} == {TEAM, slack.id_of(TEAM)}


def test_a_channel_that_no_policy_names_any_more_leaves_its_reports_to_the_main_one(
    configure: Configure, slack: SlackStandIn
) -> None:
    settings = configure()
    slack.leave(TEAM)
    deliver(settings, run_of(settings, deleting(3, "web-images")), [WEB])
    already = len(slack.posted)
    assert [error for _, error in resend(settings, [CI])] == [None]
    assert slack.posted[already].channel == CHANNEL


def test_a_team_without_news_is_left_in_peace(configure: Configure, slack: SlackStandIn) -> None:
    settings = configure(post="changes")
    quiet = to_keep("web-1", policy="web-images")
    deliver(settings, run_of(settings, make_target([quiet]), deleting(1)), [WEB])
    assert {posted.channel for posted in slack.posted} == {CHANNEL, slack.id_of(CHANNEL)}


def test_a_team_without_images_is_told_nothing_even_of_every_run(configure: Configure, slack: SlackStandIn) -> None:
    settings = configure(post="always")
    deliver(settings, run_of(settings, deleting(1)), [WEB])
    assert {posted.channel for posted in slack.posted} == {CHANNEL, slack.id_of(CHANNEL)}
