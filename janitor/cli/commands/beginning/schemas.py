"""The command `schema`, for editors and checkers of YAML."""

import click

from janitor.cli.commands.options import Common, OneOf, common

FILES = ("policies", "tests", "config")


@click.command()
@click.argument("files", type=OneOf(FILES))
@common
def schema(common: Common, files: str) -> int:  # noqa: ARG001 - of every command
    """Print a JSON Schema, for editors that complete and check files.

    Of policies, of tests of policies (*.test.yaml), or of the configuration (janitor.yaml). Needs no configuration.

    \b
    janitor schema policies > policies.schema.json
    """
    import json

    from janitor.cli.terminal import print_plain
    from janitor.config import json_schemas
    from janitor.errors import Exit
    from janitor.notify.channels import SCHEMAS

    match files:
        case "policies":
            made = json_schemas.schema_of_policies()
        case "tests":
            made = json_schemas.schema_of_tests()
        case _:
            made = json_schemas.schema_of_config(SCHEMAS)
    print_plain(json.dumps(made, indent=2))
    return Exit.OK
