"""OMOP CDM 5.4: myeloma patients, and only theirs, from a folder of CSV or Parquet, from PostgreSQL or from Spark.

layout.py      the tables and columns that are read; the concepts that the model fixes
addresses.py   addresses of databases, and why a connection fails
tables.py      the tables of a folder or a database, in declared columns and types
engines.py     DuckDB, PostgreSQL and Spark through Ibis; lost connections
concepts.py    concepts -> agents, tests, units
selection.py   what is asked of the engine: everything heavy happens there, and dates become days there
choices.py     what may be chosen: days of grace for deaths, washout, the share that makes relapse the endpoint
checks.py      what is wrong, counted on the engine before a row is pulled; people.py who is left out, told.py words
endpoint.py    relapse or next line
canonical.py   the engine's rows -> canonical tables
writer.py      the synthetic cohort as an OMOP folder; invention.py its patients, dictionary.py its vocabulary

The index day is the first treatment of myeloma: the first drug or transplant of the vocabulary, neither steroid nor
support, from 30 days before the first diagnosis of myeloma on. Lines that the source states as episodes (concept 32941)
become `line` of TREATMENTS, as every stated line does: derived lines are made from the same rows without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from analysis import schema
from analysis.sources.omop import canonical, checks, concepts, engines, layout
from analysis.sources.omop.choices import Choices, choices
from analysis.sources.omop.endpoint import Endpoint, endpoint
from analysis.sources.omop.selection import Selection
from analysis.sources.omop.tables import table_files

__all__ = ["PART_SIZE", "Choices", "choices", "data_files", "inspect", "parts", "read", "recognises"]

PART_SIZE = 20_000
_RECOGNISED = {"person", "observation_period", "condition_occurrence", "drug_exposure", "measurement"}

Frames = dict[str, pd.DataFrame]


def recognises(folder: str | Path) -> bool:
    """Does this folder hold OMOP tables: two at least of person, drug_exposure and their like?

    Example
    -------
    >>> recognises("no such folder")
    False
    """
    return len(_RECOGNISED & set(table_files(Path(folder)))) > 1


def data_files(folder: Path) -> list[Path]:
    """Every file that a reader of this folder reads, in the order of their names."""
    return sorted(path for paths in table_files(folder).values() for path in paths)


def read(place: str | Path, **chosen) -> Frames:
    """The canonical cohort of a folder or a database: COHORT, PATIENTS, TREATMENTS, LABS, FINDINGS, and "faults".

    Days count from the first treatment of myeloma; patient_id is person_id in words; ages over 89 are 90.

    - Observation: the one period that holds the index day, up to its end or a death before it; no record outside it is
      read. A death at most `death_grace_days` after that end counts too; a later one is cut: alive at that end. An
      exposure that lasts to the end of observation has no `end_day`: nobody saw it end.
    - LABS: measurements of known tests in canonical units. PATIENTS carries beta-2 microglobulin, albumin and
      creatinine as last measured in the 90 days up to the index day.
    - FINDINGS: a disease status (LOINC 97509-4) "worsened" is a progression. Its kind, the depth of response, MRD and
      symptoms have no place in OMOP that sources agree on and are not read.
    - `endpoint` is "relapse" where at least `least_share` of the patients have a disease status on record, or
      M-protein or free light chains both as treatment began and later, by which `derive.relapses` can judge it; else
      "next_line". Progressions stated for fewer patients are not read.

    Parameters
    ----------
    place
        a folder, or the address of a database.
    chosen
        death_grace_days, washout_days, least_share; see `Choices`.

    Raises
    ------
    analysis.schema.BadInputError
        with all faults at once: missing tables and columns, another version of the model, reversed dates, M-protein or
        free light chains without a unit.
    ConnectionError
        when a database cannot be reached, refuses, or is lost while rows are coming.
    ValueError
        for an address that cannot be used, such as one with a password in it; for a choice out of its range.
    """
    with _opened(place, choices(**chosen)) as (selection, name):
        counted, found = _checked(selection)
        ends = endpoint(counted, selection.choices.least_share)
        return {"cohort": _cohort(selection, name, ends), **_tables(selection, ends), "faults": found}


def parts(
    place: str | Path, part_size: int = PART_SIZE, tell: Callable[[str], None] | None = None, **chosen
) -> Iterator[Frames]:
    """The same cohort in parts of at most `part_size` patients, for more than fit into memory at once.

    Before the first part `tell` is told, a sentence at a time, what the endpoint is and why, and every warning.

    Raises
    ------
    ValueError
        when parts of fewer than one patient are asked for; else as `read`, before the first part.
    """
    if part_size < 1:
        raise ValueError(f"part_size: expected at least 1, came {part_size}; ask for a whole number in that range")
    with _opened(place, choices(**chosen)) as (selection, name):
        counted, found = _checked(selection)
        ends = endpoint(counted, selection.choices.least_share)
        for sentence in [ends.why, *schema.fault_lines(found)] if tell else []:
            tell(sentence)
        persons = engines.pulled(selection.observed.select("person_id"))["person_id"].to_numpy("int64")
        persons.sort()
        about = _cohort(selection, name, ends)
        for first in range(0, len(persons), part_size):
            part = persons[first : first + part_size]
            yield {"cohort": about} | _tables(selection.within(int(part[0]), int(part[-1])), ends)


def inspect(place: str | Path, **chosen) -> pd.DataFrame:
    """What is wrong with this source? Every error and warning, as FAULTS, counted on the engine."""
    with _opened(place, choices(**chosen)) as (selection, _):
        return checks.faults(selection, checks.counts(selection))


@contextmanager
def _opened(place: str | Path, chosen: Choices) -> Iterator[tuple[Selection, str]]:
    with engines.opened(place) as engine:
        yield Selection(engine.tables, concepts.words(engine.tables), chosen), engine.name


def _checked(selection: Selection) -> tuple[checks.Counts, pd.DataFrame]:
    """Counts and warnings of a source without errors."""
    counted = checks.counts(selection)
    found = checks.faults(selection, counted)
    if (found["severity"] == "error").any():
        raise schema.BadInputError(found)
    return counted, found


def _tables(selection: Selection, ends: Endpoint) -> Frames:
    """The canonical tables of a selection; LABS and FINDINGS where there are some that are read."""
    labs = canonical.labs(engines.pulled(selection.labs(), categories=True), selection.words)
    tables = {
        "patients": canonical.patients(engines.pulled(selection.patients()), labs),
        "treatments": canonical.treatments(engines.pulled(selection.treatments()), selection.words),
    }
    progressions = selection.progressions() if ends.stated else None
    findings = None if progressions is None else canonical.findings(engines.pulled(progressions))
    more = {"labs": labs, "findings": findings}
    return tables | {name: frame for name, frame in more.items() if frame is not None and len(frame)}


def _cohort(selection: Selection, name: str, ends: Endpoint) -> pd.DataFrame:
    """The COHORT row: what the source says of itself, and what ends its lines."""
    said = {}
    if (source := selection.tables.get("cdm_source")) is not None:
        rows = engines.pulled(source)
        said = {} if rows.empty else {column: value for column, value in rows.iloc[0].items() if not pd.isna(value)}
    short = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._") or "omop"
    title = said.get("cdm_source_name", name)
    release = ", vocabulary ".join(
        filter(None, [f"CDM {said.get('cdm_version', '')}".strip(), said.get("vocabulary_version")])
    )
    row = {
        "name": short,
        "title": title,
        "synthetic": said.get("cdm_source_abbreviation") == layout.SYNTHETIC,
        "endpoint": ends.word,
        "time_zero": "first treatment of myeloma",
        "source": f"OMOP CDM: {title}",
        "citation": "not stated",
        "licence": "not stated",
        "release": release,
    }
    return schema.check(pd.DataFrame([row]), schema.COHORT)
