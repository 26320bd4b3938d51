"""`python -m janitor` is the command `janitor`."""

from janitor.cli import main

main()
