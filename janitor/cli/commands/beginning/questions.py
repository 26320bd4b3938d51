"""What `janitor init` asks: each question is an option, too, and has a default unless only a person can know."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

Answers = Mapping[str, str]
"""What was answered, by the names of the questions; one that was not to be asked is missing."""

NHN_IDENTITY = "https://api-identity-infrastructure.nhncloudservice.com/v2.0"
TOAST_ENDPOINT = "https://api-compute.cloud.toast.com/compute"


@dataclass(frozen=True, slots=True)
class Question:
    """One question, and the option of the same name that answers it.

    `key` is where the answer stands in the configuration. `default` is the answer of a person who gives none; where it
    is None there is none. `wanted` says whether the question makes sense after the answers before it. To one that
    `may_be_none`, the word none is the empty answer.
    """

    name: str
    key: str
    asks: str
    help: str
    default: Callable[[Answers], str | None]
    choices: tuple[str, ...] = ()
    wanted: Callable[[Answers], bool] = lambda _answers: True
    may_be_none: bool = False

    @property
    def option(self) -> str:
        """The option."""
        return f"--{self.name}"


def _always(answer: str | None) -> Callable[[Answers], str | None]:
    return lambda _answers: answer


def _spelled_out(answers: Answers) -> bool:
    return answers["api"] == "openstack" and not answers["cloud"]


QUESTIONS = (
    Question(
        "api",
        "targets[0].api",
        "Which API: openstack (also NHN Cloud), or toast (NHN Cloud's older one)?",
        "API of the account.",
        _always("openstack"),
        ("openstack", "toast"),
    ),
    Question(
        "name",
        "targets[0].name",
        "What are reports to call the account?",
        "Name of the account in reports.",
        _always("prod"),
    ),
    Question(
        "cloud",
        "targets[0].cloud",
        "Which cloud of clouds.yaml? Leave empty for NHN Cloud, with a user and a password.",
        "Cloud of clouds.yaml that has the credentials; empty for NHN Cloud's tenant ID, user name and password.",
        _always(""),
        wanted=lambda answers: answers["api"] == "openstack",
        may_be_none=True,
    ),
    Question(
        "identity",
        "targets[0].identity",
        "The URL of the identity service?",
        "URL of the identity service (v2.0).",
        _always(NHN_IDENTITY),
        wanted=_spelled_out,
    ),
    Question(
        "region",
        "targets[0].region",
        "Which region, such as KR1? * is each one that has images",
        "Region; * is each one that has images, and empty the one that clouds.yaml names.",
        lambda answers: "" if answers["cloud"] else "*",
        wanted=lambda answers: answers["api"] == "openstack",
    ),
    Question(
        "endpoint",
        "targets[0].endpoint",
        "The URL of the Compute API?",
        "URL of the Compute API v1.0.",
        _always(TOAST_ENDPOINT),
        wanted=lambda answers: answers["api"] == "toast",
    ),
    Question(
        "timezone",
        "timezone",
        "Which time zone, such as Asia/Seoul?",
        "Time zone of the schedule and of reports.",
        _always("UTC"),
    ),
    Question(
        "schedule",
        "schedule",
        "When is `janitor serve` to run, as in crontab?",
        "When `janitor serve` runs, as in crontab.",
        _always("0 3 * * *"),
    ),
    Question(
        "slack",
        "slack",
        "How do reports get to Slack: by a webhook, as a bot, or none?",
        "How reports get to Slack.",
        _always("none"),
        ("none", "webhook", "bot"),
    ),
    Question(
        "channel",
        "slack.channel",
        "Which channel does the bot post to, such as #cloud-images?",
        "Channel that the bot posts to.",
        _always(None),
        wanted=lambda answers: answers["slack"] == "bot",
    ),
)


def asked(given: Mapping[str, str | None], ask: Callable[[Question, str | None], str]) -> Iterator[tuple[str, str]]:
    """Each question that makes sense, with its answer: the option that was `given`, or else what `ask` says."""
    answers: dict[str, str] = {}
    for question in QUESTIONS:
        if question.wanted(answers):
            answer = given[question.name]
            answer = ask(question, question.default(answers)) if answer is None else answer
            answers[question.name] = "" if question.may_be_none and answer.casefold() == "none" else answer
            yield question.name, answers[question.name]


def unwanted(given: Mapping[str, str | None], answers: Answers) -> list[str]:
    """The options that were given, and make no sense beside the others."""
    return [each.option for each in QUESTIONS if given[each.name] is not None and each.name not in answers]
