"""Triggers that note in PostgreSQL who took which account and when, who changed an outcome, and who ended a job."""

from janitor.fleet.database import Connection
from tests.fleet.nights.record import Ended, Taking, Written

_AUDIT = """
CREATE TABLE audit_takings (number bigserial, account text, epoch bigint, worker text, at timestamptz);
CREATE TABLE audit_outcomes (
    number bigserial, night date, account text, epoch bigint, state text, by text, at timestamptz
);
CREATE TABLE audit_jobs (number bigserial, job bigint, account text, what text, by text, at timestamptz);

CREATE FUNCTION audit_taking() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'INSERT' OR NEW.epoch <> OLD.epoch OR NEW.worker <> OLD.worker THEN
        INSERT INTO audit_takings (account, epoch, worker, at)
        VALUES (NEW.account, NEW.epoch, NEW.worker, clock_timestamp());
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER audit AFTER INSERT OR UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION audit_taking();

CREATE FUNCTION audit_outcome() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit_outcomes (night, account, epoch, state, by, at)
    VALUES (NEW.night, NEW.account, NEW.epoch, NEW.state, current_setting('application_name'), clock_timestamp());
    RETURN NULL;
END $$;
CREATE TRIGGER audit AFTER UPDATE ON outcomes FOR EACH ROW EXECUTE FUNCTION audit_outcome();

CREATE FUNCTION audit_job() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit_jobs (job, account, what, by, at) VALUES (
        OLD.id, OLD.lock, CASE WHEN TG_OP = 'DELETE' THEN 'ended' ELSE NEW.status::text END,
        current_setting('application_name'), clock_timestamp()
    );
    RETURN NULL;
END $$;
CREATE TRIGGER audit_ended AFTER DELETE ON procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION audit_job();
CREATE TRIGGER audit_changed AFTER UPDATE ON procrastinate_jobs FOR EACH ROW
    WHEN (NEW.status IS DISTINCT FROM OLD.status) EXECUTE FUNCTION audit_job();
"""
_SECONDS = "extract(epoch FROM at)::float8 AS at"


def begin(connection: Connection) -> None:
    """Note everything from now on."""
    connection.run(_AUDIT)


def takings(connection: Connection) -> list[Taking]:
    """Who took which account, in order."""
    found = connection.rows(f"SELECT account, epoch, worker, {_SECONDS} FROM audit_takings ORDER BY number")
    return [Taking(**row) for row in found]


def changes(connection: Connection) -> list[Written]:
    """Every change of the row of an account and a night, in order."""
    found = connection.rows(
        f"SELECT night::text AS night, account, epoch, state, by, {_SECONDS} FROM audit_outcomes ORDER BY number"
    )
    return [Written(**row) for row in found]


def ended(connection: Connection, but: str) -> list[Ended]:
    """Every job that was ended but by `but`, which removes those of earlier nights."""
    holders: dict[int, str | None] = {}
    found = []
    rows = connection.rows(f"SELECT job, account, what, by, {_SECONDS} FROM audit_jobs ORDER BY number")
    for row in rows:
        if row["what"] == "doing":
            holders[row["job"]] = row["by"]
        elif row["what"] != "ended":
            holders[row["job"]] = None
        elif row["by"] != but:
            found.append(Ended(row["account"], row["by"], holders.get(row["job"]), row["at"]))
    return found


def rows(connection: Connection) -> list[tuple[str, str, str]]:
    """Night, account and state of every outcome."""
    found = connection.rows("SELECT night::text AS night, account, state FROM outcomes ORDER BY night, account")
    return [(row["night"], row["account"], row["state"]) for row in found]
