"""`python -m janitor` is the command `janitor`."""

from janitor.cli.app import main

main()
