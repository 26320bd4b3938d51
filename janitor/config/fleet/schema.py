"""The YAML form of the key `fleet`, and of a configuration that has it."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from janitor.config.fleet import Fleet
from janitor.config.schema import SettingsSchema, Validity
from janitor.config.targets import AnyTarget
from janitor.documents.forms import DATABASE_URL, whole, written
from janitor.documents.kinds import Secret, Text, Whole
from janitor.documents.schema import Schema

MOST_SHARDS = 1000
_MOST_RETRIES = 100
_MOST_DELETIONS = 10**9
_A_DATABASE = "write the URL of a PostgreSQL, like postgresql://janitor@db.example/janitor"


def _database(text: str) -> str:
    if not re.match("postgres(ql)?://", text) or re.search(r"\s", text):
        raise ValueError("is not a URL like postgresql://janitor@db.example/janitor")
    try:
        urlsplit(text)
    except ValueError:
        raise ValueError("is not a URL: a password in it must be percent-encoded") from None
    return text


class FleetSchema(Schema):
    """The fleet as written. Wide because each key is a field."""

    database: Annotated[Secret, AfterValidator(_database), written(DATABASE_URL, _A_DATABASE)] = Field(
        description=_A_DATABASE
    )
    database_file: Text | None = None
    state: Text = Field(description="name the folder of the databases of accounts")
    shards: Annotated[Whole, Field(ge=1, le=MOST_SHARDS), whole(1, MOST_SHARDS)] = 64
    targets: Text = Field(description="name the file or the folder of the accounts")
    template: dict[Any, Any] | None = None
    deadline: Validity = timedelta(hours=6)
    retries: Annotated[Whole, Field(ge=0, le=_MOST_RETRIES), whole(0, _MOST_RETRIES)] = 3
    max_deletions_per_night: Annotated[Whole, Field(ge=0, le=_MOST_DELETIONS), whole(0, _MOST_DELETIONS)] | None = None
    allow_network_filesystem: bool = False

    def value(self, folder: Path) -> Fleet:
        """The fleet; paths are relative to the folder."""
        return Fleet(
            database=self.database,
            state=folder / self.state,
            shards=self.shards,
            targets=folder / self.targets,
            template=self.template,
            deadline=self.deadline,
            retries=self.retries,
            max_deletions_per_night=self.max_deletions_per_night,
            allow_network_filesystem=self.allow_network_filesystem,
        )


class AccountSchema(SettingsSchema):
    """The configuration of one account of a fleet, whose target and database are put in."""

    fleet: FleetSchema  # type: ignore[assignment]  # of which the other only knows that it has keys

    def fleet_value(self, folder: Path) -> Fleet:
        """The fleet that the account belongs to."""
        return self.fleet.value(folder)


def _elsewhere(why: str) -> BeforeValidator:
    def refuse(_value: object) -> NoReturn:
        raise ValueError(f"must not be given beside `fleet`: {why}")

    return BeforeValidator(refuse)


class WholeSchema(AccountSchema):
    """The configuration of a fleet as written, without its accounts."""

    targets: Annotated[list[AnyTarget], _elsewhere("its accounts are where fleet.targets says")] = Field(default=[])
    database: Annotated[Text, _elsewhere("each account has its own, below fleet.state")] = "janitor.db"
