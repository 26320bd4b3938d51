"""Commands that read a database, in which the latest snapshot is large."""

from benchmarks.account import LONG, account
from benchmarks.case import Case, Measure, Tell
from benchmarks.rounds import Measured, in_rounds


def reading(images: int) -> Measure:
    """`check`, `show` and `explain`."""

    def measure(rounds: int, tell: Tell) -> Measured:
        with account(images) as ground:
            tell("preparation")
            ground.expire_after(LONG)
            ground.run("--dry-run")
            (image,) = ground.query("SELECT image FROM current_images ORDER BY created_at LIMIT 1")

            def once(measured: Measured) -> None:
                for words in (("check",), ("show", "1"), ("explain", str(image))):
                    spent = measured.ran(f"janitor {words[0]}", ground.command(*words))
                    measured.found(f"{words[0]}: CPU", spent.cpu)

            return in_rounds(rounds, once, tell)

    return measure


CASES = (Case("commands", "a snapshot of 100,000 images", reading(100_000)),)
