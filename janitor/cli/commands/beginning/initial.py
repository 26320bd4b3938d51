"""From answers to files: `janitor init` without its options."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from janitor.cli import configuration
from janitor.cli.commands.beginning.questions import QUESTIONS, Answers, Question, asked, unwanted
from janitor.cli.commands.beginning.shipped import shipped_texts
from janitor.cli.commands.beginning.texts import configuration_text, example_of_environment, variables_of
from janitor.cli.commands.beginning.writing import must_be_new, write_together
from janitor.cli.terminal import answer_as_typed, can_ask, say
from janitor.config import load_settings
from janitor.config.schema import zone_of
from janitor.core.cron import Cron
from janitor.errors import ConfigurationError, UsageError
from janitor.escaping import visible

_TRIED_WITH = {"SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T/B/x"}
_ANY_VALUE = "x"
_JUDGED: Mapping[str, Callable[[str], object]] = {"timezone": zone_of, "schedule": Cron.parse}


@dataclass(frozen=True, slots=True)
class Files:
    """Where the files go: the configuration, and beside it the folder of policies and the example."""

    configuration: Path

    @property
    def policies(self) -> Path:
        """The folder of the policies."""
        return self.configuration.parent / "policies"

    @property
    def example(self) -> Path:
        """The example of the environment."""
        return self.configuration.parent / ".env.example"


class Wrong(UsageError):
    """Answers that make no valid configuration; `questions` are those that were answered so."""

    def __init__(self, said: Mapping[Question, str]) -> None:
        super().__init__("; ".join(f"{question.option}: {message}" for question, message in said.items()))
        self.said = said


def begin(place: Path, given: Mapping[str, str | None], *, ask: bool) -> Iterator[str]:
    """Ask what was not given, write the files, and give lines that say what was written and what comes next.

    Without `ask`, or a terminal, the defaults are the answers. Raises UsageError where a name is taken, an answer is
    wrong and nobody can be asked again, or there is no default.
    """
    files = Files(place)
    if place.name in (files.policies.name, files.example.name):
        raise UsageError(f"{place} is the name of another file that is written: give -c another")
    must_be_new([files.configuration, files.policies, files.example])
    asks = ask and can_ask()
    answers = _written(files, _answers(given, asks=asks), given, asks=asks)
    yield from _next_steps(files, answers)


def _written(files: Files, answers: Answers, given: Mapping[str, str | None], *, asks: bool) -> Answers:
    """The answers with which the files were written: wrong ones are asked for again where somebody can be asked."""
    while True:
        try:
            _write(files, answers)
        except Wrong as wrong:
            if not asks:
                raise
            for question, message in wrong.said.items():
                say(f"{visible(answers[question.name])}: {visible(message)}", err=True)
            again = {question.name for question in wrong.said}
            kept = {name: answer for name, answer in answers.items() if name not in again}
            answers = _answers({**dict.fromkeys(given), **kept}, asks=True)
        else:
            return answers


def _answers(given: Mapping[str, str | None], *, asks: bool) -> dict[str, str]:
    answers = dict(asked(given, _ask if asks else _default))
    if too_many := unwanted(given, answers):
        raise UsageError(f"{', '.join(too_many)}: of no use with the other answers; leave it out")
    return answers


def _default(question: Question, default: str | None) -> str:
    if default is None:
        raise UsageError(f"{question.option} is missing, and it has no default")
    return default


def _ask(question: Question, default: str | None) -> str:
    offered = f"  [{default}]:" if default else "  :"
    say(question.asks, err=True)
    while True:
        answer = answer_as_typed(offered) or default
        flaw = _flaw(question, answer)
        if answer is not None and flaw is None:
            return answer
        say(f"{flaw}", err=True)


def _flaw(question: Question, answer: str | None) -> str | None:
    """What is wrong with an answer, where that can be said before all are given."""
    if answer is None:
        return "It has no default."
    if question.choices:
        return None if answer in question.choices else f"Answer {' or '.join(question.choices)}."
    judge = _JUDGED.get(question.name)
    try:
        if judge is not None:
            judge(answer)
    except ValueError as error:
        return visible(str(error))
    return None


def _write(files: Files, answers: Answers) -> None:
    """Raises Wrong where the configuration would not be valid, and then writes nothing."""
    secret = {files.configuration: configuration_text(answers), files.example: example_of_environment(answers)}
    shipped = shipped_texts()

    def check(staged: Mapping[Path, Path]) -> None:
        environment = {name: _TRIED_WITH.get(name, _ANY_VALUE) for name in variables_of(answers)}
        try:
            configuration.rules_of(load_settings(staged[files.configuration], environment))
        except ConfigurationError as error:
            raise _wrong(error) from error

    write_together(secret, files.policies, shipped, check)


def _wrong(error: ConfigurationError) -> UsageError:
    said = {
        question: problem.message for problem in error.problems for question in QUESTIONS if question.key == problem.key
    }
    return Wrong(said) if said else UsageError("; ".join(problem.message for problem in error.problems))


def _next_steps(files: Files, answers: Answers) -> Iterator[str]:
    policies = ", ".join(str(path) for path in sorted(files.policies.iterdir()))
    yield f"Written: {visible(str(files.configuration))}, {visible(policies)}, {visible(str(files.example))}"
    yield ""
    yield "Next:"
    steps = [
        ("janitor check", "checks the files; opens no connection"),
        ("janitor check --live", "signs in, reads images, posts to Slack"),
        ("janitor run --dry-run", "shows what would be deleted, and why"),
    ]
    if variables_of(answers):
        steps.insert(0, ("cp .env.example .env", "fill it in, then: set -a; . ./.env; set +a"))
    for number, (command, does) in enumerate(steps, 1):
        yield f"  {number}. {command:<22} {does}"
    if files.configuration != Path("janitor.yaml"):
        yield f"Each of them in {visible(str(files.example.parent.absolute()))}, or with -c and the name of the file."
