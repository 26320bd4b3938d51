"""A run over a database that has recorded many runs, beside one over a database that has recorded one."""

from benchmarks.account import LONG, account
from benchmarks.case import Case, Measure, Tell
from benchmarks.long_history import lengthen
from benchmarks.rounds import Measured, in_rounds


def long_history(images: int, runs: int, churn: int) -> Measure:
    """Both find as many images new, and as many gone, as in each run before."""

    def measure(rounds: int, tell: Tell) -> Measured:
        with account(images + churn) as ground:
            tell("preparation")
            short, long = ground.folder / "short.sqlite", ground.folder / "long.sqlite"
            ground.cloud.again(churn, images)
            ground.expire_after(LONG)
            ground.run("--dry-run")
            ground.database.rename(short)
            lengthen(short, long, runs, churn)
            ground.cloud.again(0, images)

            def once(measured: Measured) -> None:
                measured.ran("bare loop", ground.bare_loop())
                ground.remember(short)
                few = measured.ran("1 run recorded", ground.run("--dry-run"))
                ground.remember(long)
                many = measured.ran(f"{runs:,} runs recorded", ground.run("--dry-run"))
                measured.found("many runs recorded: CPU ÷ one", many.cpu / few.cpu)
                measured.found("many runs recorded: wall ÷ one", many.wall / few.wall)

            return in_rounds(rounds, once, tell)

    return measure


CASES = (Case("history", "10,000 images, 1 % new and gone, 2,000 runs recorded", long_history(10_000, 2_000, 100)),)
