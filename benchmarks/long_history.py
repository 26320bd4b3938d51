"""Makes a database of one run into one of many, in which images came and went; whatever columns there are.

Only this reads and writes the tables of the store directly: to run so many times would take hours.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

Names = dict[str, list[str]]
_STAY_OPEN = ("image_clocks",)
"""Tables whose rows are not closed when an image is gone."""


def lengthen(database: Path, longer: Path, runs: int, churn: int) -> None:
    """Copy a database whose only run is the first; in the copy that run is the last of `runs`.

    In each earlier one as many images as `churn` came, and as many left; each had stayed for a hundred runs, or since
    before the first. They are like the first image that was seen, and their ids are their numbers.
    """
    shutil.copyfile(database, longer)
    with closing(sqlite3.connect(longer)) as conn, conn:
        columns = _columns(conn)
        _renumber(conn, columns, runs)
        _repeat_runs(conn, columns, runs)
        _add_images(conn, columns, runs, churn)


def _columns(conn: sqlite3.Connection) -> Names:
    tables = conn.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()
    return {table: [row[1] for row in conn.execute(f"PRAGMA table_info({table})")] for (table,) in tables}


def _renumber(conn: sqlite3.Connection, columns: Names, last: int) -> None:
    for table, names in columns.items():
        for name in {"run", "from_run"}.intersection(names):
            conn.execute(f"UPDATE {table} SET {name} = ? WHERE {name} = 1", (last,))


def _repeat_runs(conn: sqlite3.Connection, columns: Names, last: int) -> None:
    numbers = f"WITH RECURSIVE n(run) AS (SELECT 1 UNION ALL SELECT run + 1 FROM n WHERE run < {last - 1})"
    for table in ("runs", "surveys"):
        values = ", ".join({"run": "n.run", "mark": "NULL"}.get(name, f"t.{name}") for name in columns[table])
        conn.execute(f"{numbers} INSERT INTO {table} ({_list(columns[table])}) SELECT {values} FROM {table} t, n")


def _add_images(conn: sqlite3.Connection, columns: Names, last: int, churn: int) -> None:
    model, highest = conn.execute("SELECT min(image_key), max(image_key) FROM images").fetchone()
    numbers = f"WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < {churn * (last - 1) - 1})"
    until = f"n.n / {churn} + 2"
    replaced = {
        "image_key": f"{highest} + 1 + n.n",
        "image": "printf('%08x-0000-4000-8000-000000000000', n.n)",
        "present": "0",
        "from_run": f"max(1, {until} - 100)",
        "until_run": until,
    }
    for table, names in columns.items():
        if "image_key" in names:
            known = replaced | ({"until_run": "NULL"} if table in _STAY_OPEN else {})
            values = ", ".join(known.get(name, f"t.{name}") for name in names)
            rows = f"SELECT {values} FROM (SELECT * FROM {table} WHERE image_key = {model}) t, n"
            conn.execute(f"{numbers} INSERT INTO {table} ({_list(names)}) {rows}")


def _list(names: list[str]) -> str:
    return ", ".join(names)
