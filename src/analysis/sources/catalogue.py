"""What can be had: where each cohort comes from, how to cite it, under which terms - and the fetcher."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from analysis import schema
from analysis.sources.gdc import about
from analysis.sources.gdc.download import ADDRESS, download

CATALOGUE = schema.Table(
    "CATALOGUE",
    "cohort that can be had",
    (
        schema.Column("name", "text", "name for the command line"),
        schema.Column("title", "text", "full name"),
        schema.Column("citation", "text", "how to cite it"),
        schema.Column("licence", "text", "under which terms the data may be used"),
        schema.Column("address", "text", "where it comes from; empty when it is made here"),
        schema.Column("how", "text", "how to get it"),
    ),
    key=("name",),
)

_FETCHERS = {"commpass": download}


def entries() -> pd.DataFrame:
    """Which cohorts can be had, and how? Returns table CATALOGUE of this file, sorted by name.

    Example
    -------
    >>> entries()["name"].tolist()
    ['commpass', 'omop', 'synthetic', 'tables']
    """
    compass = about()
    rows = [
        (compass["name"], compass["title"], compass["citation"], compass["licence"], ADDRESS, "relapse fetch commpass"),
        (
            "omop",
            "Your own OMOP CDM 5.4 database or folder",
            "yours",
            "yours",
            "",
            "relapse import omop; relapse simulate --format omop makes a folder to try",
        ),
        (
            "synthetic",
            "Synthetic cohort of the suite",
            "this software; calibrated to published figures, which the cohort notebook lists",
            "as the software",
            "",
            "embedded; relapse simulate makes others",
        ),
        (
            "tables",
            "Your own tables in the canonical columns",
            "yours",
            "yours",
            "",
            "relapse import tables; the template and an example lie in data/raw/example",
        ),
    ]
    return schema.check(pd.DataFrame(rows, columns=CATALOGUE.names), CATALOGUE)


def fetch(
    name: str,
    folder: str | Path,
    address: str | None = None,
    page_size: int = 100,
    attempts: int = 5,
    pause_seconds: float = 1.0,
    tell: Callable[[int, int], None] | None = None,
) -> Path:
    """Downloads a public cohort into `folder` with its release and checksums; returns the folder.

    A download that was cut is taken up where it stopped; one that is there and whole is not asked for again; an
    earlier one stays readable until the new one is complete. `address` replaces the usual one (as does the
    environment variable RELAPSE_GDC_ADDRESS). `tell(done, total)` is called with the number of cases after each page.

    Raises
    ------
    FileNotFoundError
        when nothing of that name can be fetched, naming what can.
    ConnectionError
        when the service cannot be reached or answers with something else, naming what was expected and what came.
    """
    if name not in _FETCHERS:
        near = difflib.get_close_matches(name, _FETCHERS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "choose one of them"
        raise FileNotFoundError(f"fetch: expected a name among {sorted(_FETCHERS)}, came {name!r}; {hint}")
    return _FETCHERS[name](folder, address, page_size, attempts, pause_seconds, tell).parent
