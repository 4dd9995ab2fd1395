"""Where the tables lie: a folder read by DuckDB (the default) or Spark, a PostgreSQL database, a Spark catalogue.

Each becomes the same thing, an `Engine`: Ibis tables with the declared columns, in the declared types. What is asked of
them (selection.py) is written once. A password stands in the environment (PGPASSWORD) or in libpq's own files, never in
an address: what carries one is refused before anything repeats it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pandas as pd

from analysis import schema
from analysis.sources.omop.layout import NEEDED, SOURCES
from analysis.sources.parsing import collect, fault

POSTGRES, SPARK = ("postgresql", "postgres"), ("spark",)
_ADDRESSES = "postgresql://user@host:5432/database?schema=cdm, or spark:///folder, or spark://?schema=cdm"
_ENDINGS = (".parquet", ".csv")
_TYPES = {"integer": "int64", "number": "float64", "date": "date", "text": "string"}


@dataclass(frozen=True)
class Engine:
    """An open source: its name for people, and its tables by name, each with the columns that are read."""

    name: str
    tables: dict[str, Any]


def is_address(place: str) -> bool:
    """Is this the address of a database, and no folder?"""
    return "://" in place


def table_files(folder: Path) -> dict[str, list[Path]]:
    """The files of each OMOP table in a folder: person.parquet, PERSON.csv, or a folder person/ of Parquet parts."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        name = (path.stem if path.is_file() else path.name).lower()
        parts = sorted(path.glob("*.parquet")) if path.is_dir() else [path] if path.suffix.lower() in _ENDINGS else []
        if name in SOURCES and parts:
            found.setdefault(name, []).extend(parts)
    return found


@contextmanager
def opened(place: str | Path) -> Iterator[Engine]:
    """The tables of a folder or an address, to be read while the context lasts.

    Raises
    ------
    ValueError
        for an address of another kind, or one that carries a password; the address is not repeated.
    ConnectionError
        when the database cannot be reached, or refuses.
    analysis.schema.BadInputError
        naming every table and column that is missing.
    """
    if isinstance(place, Path) or not is_address(place):
        folder = Path(place)
        with tempfile.TemporaryDirectory(prefix="relapse-") as spill:
            connection = _duckdb(spill)
            try:
                with _told():
                    tables = _standard(_files(connection, folder), folder.name)
                yield Engine(folder.name, tables)
            finally:
                connection.disconnect()
        return
    scheme, host, port, user, name, schemas = _parted(place)
    if scheme in SPARK:
        connection = _spark()
        with _told():
            raw = _files(connection, Path(name)) if name else _catalogue(connection, schemas)
            tables = _standard(raw, Path(name).name or "the catalogue")
        yield Engine(Path(name).name or "spark", tables)
        return
    connection = _postgres(host, port, user, name)
    try:
        with _told():
            tables = _standard(_catalogue(connection, schemas), f"database {name}")
        yield Engine(name, tables)
    finally:
        connection.disconnect()


def pulled(expression: Any) -> pd.DataFrame:
    """The rows of an Ibis expression: whole numbers as Int64, other numbers as float64, text as object.

    Raises
    ------
    ConnectionError
        when the connection is lost while rows are coming.
    ValueError
        when the engine cannot read a cell as what its column has to be.
    """
    import pyarrow as pa

    with _told():
        table = expression.to_pyarrow()
    kinds = {True: pa.int64(), False: pa.float64()}
    for place, field in enumerate(table.schema):
        if pa.types.is_integer(field.type) or pa.types.is_floating(field.type) or pa.types.is_decimal(field.type):
            column = table.column(place).cast(kinds[pa.types.is_integer(field.type)])
            table = table.set_column(place, field.name, column)
    return table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)


@contextmanager
def _told() -> Iterator[None]:
    """An engine's errors in words of our own: what it says may repeat a patient's value."""
    import duckdb
    import psycopg

    try:
        yield
    except psycopg.OperationalError:
        raise ConnectionError(
            "the connection to the database was lost while rows were coming; nothing was written: run it again"
        ) from None
    except psycopg.errors.InsufficientPrivilege:
        raise ConnectionError("the database does not let this user read the OMOP tables; ask for SELECT") from None
    except (duckdb.Error, psycopg.Error) as error:
        raise ValueError(_unreadable(error)) from None
    except Exception as error:  # Spark's errors have no common ancestor that could be named without Spark
        if type(error).__module__.partition(".")[0] not in ("pyspark", "py4j"):
            raise
        raise ValueError(_unreadable(error)) from None


def _unreadable(error: Exception) -> str:
    """What an engine's error says without what stood in the cell, which may be a patient's."""
    return (
        f"the engine stopped ({type(error).__name__}): most likely a cell that is no whole number, number or date "
        "where the model has one; check the types of the OMOP tables' columns"
    )


def _parted(address: str) -> tuple[str, str | None, int | None, str | None, str, list[str]]:
    """Scheme, host, port, user, database (or folder) and schemas of an address."""
    try:
        parts = urlsplit(address)
        host, port, query = parts.hostname, parts.port, parse_qs(parts.query, strict_parsing=bool(parts.query))
    except ValueError:
        raise ValueError(f"the address cannot be read; expected {_ADDRESSES}") from None
    if parts.password is not None:
        raise ValueError("the address carries a password; leave it out and set PGPASSWORD in the environment instead")
    if parts.scheme not in (*POSTGRES, *SPARK):
        raise ValueError(f"the address begins with {parts.scheme!r}; expected {_ADDRESSES}")
    if strangers := sorted(set(query) - {"schema"}):
        raise ValueError(f"the address may say ?schema= and nothing else, came {strangers}; expected {_ADDRESSES}")
    schemas = [name for value in query.get("schema", []) for name in value.split(",") if name]
    path = unquote(parts.path)
    if parts.scheme in POSTGRES and not path.strip("/"):
        raise ValueError(f"the address names no database; expected {_ADDRESSES}")
    return parts.scheme, host, port, parts.username, path if parts.scheme in SPARK else path.strip("/"), schemas


def _duckdb(spill: str) -> Any:
    import ibis

    return ibis.duckdb.connect(temp_directory=spill, preserve_insertion_order=False)


def _spark() -> Any:
    import ibis

    try:
        return ibis.pyspark.connect()
    except ImportError:
        raise ValueError("Spark is not installed here; pip install '.[spark]', and Java") from None


def _postgres(host: str | None, port: int | None, user: str | None, name: str) -> Any:
    """A connection that cannot write: the tables of a hospital are read, never touched."""
    import ibis
    import psycopg

    try:
        return ibis.postgres.connect(
            host=host, port=port or 5432, user=user, database=name, options="-c default_transaction_read_only=on"
        )
    except psycopg.OperationalError as error:
        raise ConnectionError(_refusal(str(error), host, port or 5432, name)) from None


def _refusal(said: str, host: str | None, port: int, name: str) -> str:
    """Why no connection came about, in words of our own: a driver's message may repeat what it was given."""
    if any(words in said for words in ("password authentication failed", "no password supplied", "fe_sendauth")):
        return (
            f"database {name!r}: the server refused the user or its password; set PGPASSWORD in the environment "
            "(the address names the user)"
        )
    if any(words in said for words in ("translate host name", "resolve host", "Name or service", "getaddrinfo")):
        return f"database {name!r}: no host is called {host!r}; check its spelling"
    if "does not exist" in said:
        return f"database {name!r}: the server has no such database, or no such user; check the address"
    return f"database {name!r}: no answer from {host or 'the local socket'}, port {port}; is the server running there?"


def _files(connection: Any, folder: Path) -> dict[str, Any]:
    """The tables of a folder as they are; a table that is there twice is refused."""
    files = table_files(folder)
    twice = [
        fault(folder.name, f"table {name!r} once, came {' and '.join(path.name for path in paths)}", "keep one of them")
        for name, paths in files.items()
        if len({path.suffix.lower() for path in paths}) > 1 or len({path.parent for path in paths}) > 1
    ]
    if twice:
        raise schema.BadInputError(collect(twice))
    return {name: _read(connection, paths) for name, paths in files.items()}


def _read(connection: Any, paths: list[Path]) -> Any:
    if paths[0].suffix.lower() == ".parquet":
        folder = len(paths) > 1 or paths[0].parent.name.lower() in SOURCES
        return (
            connection.read_parquet(str(paths[0].parent if folder else paths[0]))
            if connection.name == "pyspark"
            else connection.read_parquet([str(path) for path in paths])
        )
    # Every cell comes as text and is cast below: an engine that guesses types from the first rows guesses wrong later.
    plain = {"header": True} if connection.name == "pyspark" else {"header": True, "all_varchar": True}
    return connection.read_csv(str(paths[0]), **plain)


def _catalogue(connection: Any, schemas: list[str]) -> dict[str, Any]:
    """The tables of a database, from the first of these schemas that has each; of the default one where none is named."""
    found: dict[str, Any] = {}
    for name in schemas or [None]:
        for table in connection.list_tables(database=name):
            if table.lower() in SOURCES:
                found.setdefault(table.lower(), connection.table(table, database=name))
    return found


def _standard(raw: dict[str, Any], label: str) -> dict[str, Any]:
    """The declared columns of each table in the declared types; everything that is missing, at once."""
    faults = [
        fault(label, f"the table {name!r} of OMOP CDM 5.4", "add it, empty if there is nothing to put in", name)
        for name in NEEDED
        if name not in raw
    ]
    if raw and len(faults) == len(NEEDED):
        faults.append(fault(label, "OMOP tables", "name the schema that holds them: ?schema=..."))
    tables = {}
    for name, table in raw.items():
        lower = {column.lower(): column for column in table.columns}
        source = SOURCES[name]
        missing = [column for column in source.columns if column not in lower and column not in source.optional]
        faults += [
            fault(name, f"the column {column!r}", f"add it; the table has {', '.join(sorted(lower))}", column)
            for column in missing
        ]
        if not missing:
            present = {column: kind for column, kind in source.columns.items() if column in lower}
            tables[name] = table.select(
                **{column: table[lower[column]].cast(_TYPES[kind]) for column, kind in present.items()}
            )
    if faults:
        raise schema.BadInputError(collect(faults))
    return tables
