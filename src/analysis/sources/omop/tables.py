"""OMOP tables as they lie in a folder or a database, and as they are asked: declared columns in declared types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from analysis import schema
from analysis.sources.omop.layout import NEEDED, SOURCES
from analysis.sources.parsing import collect, fault

_ENDINGS = (".parquet", ".csv")
_TYPES = {"integer": "int64", "number": "float64", "date": "date", "text": "string"}


def table_files(folder: Path) -> dict[str, list[Path]]:
    """The files of each OMOP table in a folder: person.parquet, PERSON.csv, or a folder person/ of Parquet parts."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        name = (path.stem if path.is_file() else path.name).lower()
        parts = sorted(path.glob("*.parquet")) if path.is_dir() else [path] if path.suffix.lower() in _ENDINGS else []
        if name in SOURCES and parts:
            found.setdefault(name, []).extend(parts)
    return found


def of_folder(connection: Any, folder: Path) -> dict[str, Any]:
    """The tables of a folder as they are; a table that is there twice is refused."""
    files = table_files(folder)
    twice = [
        fault(folder.name, f"table {name!r} once, came {' and '.join(path.name for path in paths)}", "keep one of them")
        for name, paths in files.items()
        if len(paths) > 1 and any(path.parent == folder for path in paths)
    ]
    if twice:
        raise schema.BadInputError(collect(twice))
    return {name: _read_files(connection, paths) for name, paths in files.items()}


def _read_files(connection: Any, paths: list[Path]) -> Any:
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


def stored(connection: Any, tables: dict[str, Any], folder: Path) -> dict[str, Any]:
    """CSV tables taken into the engine once (on its disk), so that no later question reads the text again.

    Raises
    ------
    analysis.schema.BadInputError
        naming each column with cells that are no whole number, number or date where the model has one; never a cell.
    """
    import duckdb

    taken, faults = dict(tables), []
    for name, paths in table_files(folder).items():
        if paths[0].suffix.lower() != ".csv":
            continue
        try:
            taken[name] = connection.create_table(name, tables[name])
        except duckdb.ConversionException:
            faults += _unreadable_cells(_read_files(connection, paths), name, paths[0].name)
    if faults:
        raise schema.BadInputError(collect(faults))
    return taken


def _unreadable_cells(raw: Any, name: str, file: str) -> list[Any]:
    words = {"integer": "a whole number", "number": "a number", "date": "a date, such as 2021-05-31"}
    lower = {column.lower(): column for column in raw.columns}
    kinds = {column: kind for column, kind in SOURCES[name].columns.items() if column in lower and kind in words}
    cells = {column: raw[lower[column]] for column in kinds}
    wrong = {
        column: (cell.notnull() & cell.try_cast(_TYPES[kinds[column]]).isnull()).sum() for column, cell in cells.items()
    }
    counts = raw.aggregate(**wrong).to_pyarrow().to_pylist()[0]
    return [
        fault(file, f"{words[kinds[column]]} in every cell; came {count:,} other cell(s)", "correct them", column)
        for column, count in counts.items()
        if count
    ]


def of_catalogue(connection: Any, schemas: tuple[str, ...]) -> dict[str, Any]:
    """The tables of a database, each from the first of these schemas that has it; without any, of the default one."""
    found: dict[str, Any] = {}
    for name in schemas or (None,):
        for table in connection.list_tables(database=name):
            if table.lower() in SOURCES:
                found.setdefault(table.lower(), connection.table(table, database=name))
    return found


def standard(raw: dict[str, Any], label: str) -> dict[str, Any]:
    """The declared columns of each table in the declared types; everything that is missing, at once."""
    if not set(raw) & set(NEEDED):
        mend = "name the schema that holds them (?schema=...) and ask for the right to read them"
        raise schema.BadInputError(collect([fault(label, "OMOP tables, came none that can be read here", mend)]))
    faults = [
        fault(label, f"the table {name!r} of OMOP CDM 5.4, came none", "add it, empty if there is nothing to put in")
        for name in NEEDED
        if name not in raw
    ]
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
