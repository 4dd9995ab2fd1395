"""MMRF CoMMpass as the GDC exports it: JSON (portal, API, or pages that `relapse fetch commpass` stored) and TSV.

`layout` knows the names, `files` and `tree` turn any shape into the same rows of text, `cells` types them and
collects faults, `tables` and `visits` apply the rules for the data's own quirks; `download` and `service` fetch.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis import schema
from analysis.sources.gdc import files, layout, tables, visits
from analysis.sources.gdc.cells import Faults

_ABOUT = {
    "name": "commpass",
    "title": "MMRF CoMMpass (NCI Genomic Data Commons)",
    "synthetic": False,
    "endpoint": "next_line",
    "time_zero": "first treatment (day 1)",
    "source": f"NCI Genomic Data Commons, project {layout.PROJECT}, open-access clinical data",
    "citation": (
        "Multiple Myeloma Research Foundation CoMMpass study (NCT01454297), clinical data of project MMRF-COMMPASS; "
        "Grossman et al., N Engl J Med 2016;375:1109 (Genomic Data Commons)"
    ),
    "licence": "open access under the NIH Genomic Data Sharing Policy; no attempt to identify a participant",
}


def about() -> dict:
    """What is this source: name, title, endpoint, citation and licence, as in table COHORT (the release left out).

    Example
    -------
    >>> about()["endpoint"]
    'next_line'
    """
    return dict(_ABOUT)


def recognises(folder: str | Path) -> bool:
    """Does this folder (or file) hold a GDC clinical export?

    Example
    -------
    >>> recognises("no such folder")
    False
    """
    return bool(files.found_files(folder))


def read(folder: str | Path) -> dict[str, pd.DataFrame]:
    """What does a GDC export of MMRF CoMMpass say, as a canonical cohort?

    Returns a dict of COHORT (one row), PATIENTS, TREATMENTS, "faults" (FAULTS, warnings only: every quirk that a rule
    below dealt with, counted) and, where the export has visits, LABS and FINDINGS. Days count from first treatment,
    which this source writes as day 1.

    - The export has no usable progression: `endpoint` is "next_line", and nothing drawn from it is a relapse.
    - Line 1 starts on day 1 for everyone (`first_treatment_day`): the index date of this project is the first
      treatment, while the induction of many patients carries no dates.
    - A line is what `regimen_or_line_of_therapy` says; another label leaves the row without a line.
    - A repeated row of text counts once. A transplant is an agent. A row without agent and type is agent "unknown".
    - Death without a day is dated by last follow-up, a last follow-up left empty by the latest known day.
    - Treatment that starts after last follow-up is kept; spells extend observation to it or truncate.

    Raises
    ------
    analysis.schema.BadInputError
        with all faults at once: file, 1-based line (in JSON the path to the record), column, what was expected.

    Example
    -------
    >>> import tempfile
    >>> header = ("case_submitter_id vital_status days_to_death days_to_last_follow_up regimen_or_line_of_therapy "
    ...     "therapeutic_agents treatment_type days_to_treatment_start days_to_treatment_end").split()
    >>> row = ["X_1", "Alive", "'--", "700", "First line of therapy", "Bortezomib", "'--", "1", "120"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "clinical.tsv").write_text("\\t".join(header) + "\\n" + "\\t".join(row) + "\\n")
    ...     cohort = read(folder)
    >>> cohort["treatments"][["line", "agent", "start_day"]].values.tolist()
    [[1, 'bortezomib', 1]]
    """
    faults = Faults()
    clinical, seen, release = files.load(folder, faults)
    clinical, seen = tables.once(clinical, faults), tables.once(seen, faults)
    people = tables.patients(clinical, seen, faults)
    cohort = {
        "cohort": schema.check(pd.DataFrame([{**_ABOUT, "release": release}]), schema.COHORT),
        "patients": people,
        "treatments": tables.treatments(clinical, people, faults),
    }
    if len(seen.frame):
        cohort["labs"] = visits.labs(seen, people, faults)
        cohort["findings"] = visits.findings(seen, people, faults)
    faults.raise_errors()
    for name, table in (("patients", schema.PATIENTS), ("treatments", schema.TREATMENTS)):
        schema.check(cohort[name], table)
    for name, table in (("labs", schema.LABS), ("findings", schema.FINDINGS)):
        if name in cohort:
            schema.check(cohort[name], table)
    return {**cohort, "faults": faults.frame()}
