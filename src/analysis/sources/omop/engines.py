"""Engines: DuckDB over a folder (the default), PostgreSQL, Spark over a folder or its catalogue; all through Ibis.

Each becomes the same thing, an `Engine`: Ibis tables with the declared columns, in the declared types. What is asked of
them (selection.py) is written once. A password stands in the environment (PGPASSWORD) or in libpq's own files.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.sources.omop.addresses import SPARK, Address, parted, refused, why_not
from analysis.sources.omop.tables import of_catalogue, of_folder, standard, stored


@dataclass(frozen=True)
class Engine:
    """An open source: its name for people, and its tables by name, each with the columns that are read."""

    name: str
    tables: dict[str, Any]


@contextmanager
def opened(place: str | Path) -> Iterator[Engine]:
    """The tables of a folder (a path) or of an address (with ://), to be read while the context lasts.

    Raises
    ------
    analysis.schema.BadInputError
        naming every table and column that is missing; or for an address that cannot be used.
    ConnectionError
        when the database cannot be reached, or refuses.
    """
    if isinstance(place, Path) or "://" not in place:
        with _on_duckdb(Path(place)) as engine:
            yield engine
        return
    address = parted(place)
    if address.scheme in SPARK:
        yield _on_spark(address)
        return
    connection = _postgres(address)
    try:
        with _told():
            tables = standard(of_catalogue(connection, address.schemas), f"database {address.name}")
        yield Engine(address.name, tables)
    finally:
        connection.disconnect()


def pulled(expression: Any, categories: bool = False) -> pd.DataFrame:
    """The rows of an Ibis expression: whole numbers as Int64, other numbers as float64, text as object or categories.

    Raises
    ------
    ConnectionError
        when the connection is lost while rows are coming.
    analysis.schema.BadInputError
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
    return table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get, strings_to_categorical=categories)


@contextmanager
def _on_duckdb(folder: Path) -> Iterator[Engine]:
    import ibis

    with tempfile.TemporaryDirectory(prefix="relapse-") as spill:
        disk = Path(spill, "tables.duckdb")
        connection = ibis.duckdb.connect(disk, temp_directory=spill, preserve_insertion_order=False)
        try:
            with _told():
                tables = stored(connection, standard(of_folder(connection, folder), folder.name), folder)
            yield Engine(folder.name, tables)
        finally:
            connection.disconnect()


def _on_spark(address: Address) -> Engine:
    """The running Spark session, or a new one with the settings of the environment; it is not stopped here."""
    import ibis

    try:
        connection = ibis.pyspark.connect()
    except ImportError:
        raise refused("Spark, which is not installed here", "pip install '.[spark]', and Java") from None
    folder = Path(address.name) if address.name else None
    name = folder.name if folder else "catalogue"
    with _told():
        raw = of_folder(connection, folder) if folder else of_catalogue(connection, address.schemas)
        return Engine(name, standard(raw, name))


def _postgres(address: Address) -> Any:
    """A connection that cannot write: the tables of a hospital are read, never touched."""
    import ibis
    import psycopg

    place = {"host": address.host, "port": address.port, "user": address.user, "database": address.name}
    try:
        return ibis.postgres.connect(**place, options="-c default_transaction_read_only=on")
    except psycopg.OperationalError as error:
        asked = bool(error.pgconn and (error.pgconn.used_password or error.pgconn.needs_password))
        raise ConnectionError(why_not(str(error), address, asked)) from None


@contextmanager
def _told() -> Iterator[None]:
    """An engine's errors in words of our own: what it says may repeat a patient's value."""
    import duckdb
    import psycopg

    lost = "the connection to the database was lost while rows were coming; nothing was written: run it again"
    try:
        yield
    except psycopg.errors.InsufficientPrivilege:
        raise ConnectionError("the database does not let this user read the OMOP tables; ask for SELECT") from None
    except psycopg.OperationalError:
        raise ConnectionError(lost) from None
    except (duckdb.Error, psycopg.Error) as error:
        raise _unreadable(error) from None
    except Exception as error:  # Spark's errors have no common ancestor that could be named without Spark
        if type(error).__module__.partition(".")[0] not in ("pyspark", "py4j"):
            raise
        raise _unreadable(error) from None


def _unreadable(error: Exception) -> Exception:
    expected = f"cells of the model's types in the OMOP tables; the engine stopped with {type(error).__name__}"
    return refused(expected, "most likely a cell is no whole number, number or date where the model has one")
