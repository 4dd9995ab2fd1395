"""LABS and FINDINGS from the records of follow-up visits and laboratory tests, where the export has them."""

from __future__ import annotations

import pandas as pd

from analysis import schema, vocabulary
from analysis.sources.gdc import cells, layout
from analysis.sources.gdc.cells import Faults
from analysis.sources.gdc.layout import Records


def labs(visits: Records, people: pd.DataFrame, faults: Faults) -> pd.DataFrame:
    """LABS in canonical tests and units, sorted; what cannot be placed or measured is left out and counted."""
    rows = visits.frame
    tested = rows["laboratory_test"].notna() & rows["test_value"].notna()
    tested &= rows["case_submitter_id"].isin(people["patient_id"])
    limits = rows["test_value"].str.match(r"\s*[<>]", na=False) & tested
    faults.rule(visits, "test_value", limits, "a measured value, not a limit", "left out")
    measured = Records(rows[tested & ~limits], visits.headers)
    visit_day = cells.days(measured, "days_to_follow_up", faults)
    frame = pd.DataFrame(
        {
            "patient_id": measured.frame["case_submitter_id"],
            "day": cells.days(measured, "days_to_test", faults).fillna(visit_day),
            "test": vocabulary.canonical_tests(measured.frame["laboratory_test"]),
            "value": cells.numbers(measured, "test_value", faults, 0, 1e7, "its unit"),
            "unit": measured.frame["test_units"],
        }
    )
    faults.rule(visits, "days_to_follow_up", frame["day"].isna(), "a day for every test", "left out")
    frame = frame.dropna(subset=["day", "value"])
    _unknown_units(visits, frame, faults)
    frame = vocabulary.to_canonical_units(frame, unknown="missing").dropna(subset=["value"])
    order = ["patient_id", "day", "test", "value"]
    frame = frame.assign(unit=frame["unit"].fillna("")).sort_values(order, kind="stable", ignore_index=True)
    return frame.astype({"day": "int64", "test": object, "unit": object})


def findings(visits: Records, people: pd.DataFrame, faults: Faults) -> pd.DataFrame:
    """FINDINGS of the visits, none tied to a line: progression with its day, response, ECOG performance status."""
    rows = visits.frame
    seen = rows[rows["case_submitter_id"].isin(people["patient_id"])]
    seen = seen.drop_duplicates([*layout.LEVELS["cases"], *layout.LEVELS["follow_ups"]])
    records = Records(seen, visits.headers)
    day = cells.days(records, "days_to_follow_up", faults)
    progressed = seen["progression_or_recurrence"].str.lower().str.startswith("yes", na=False)
    response = seen["disease_response"].str.lower().str.extract(r"^([a-z]+)", expand=False)
    meanings = {word.lower(): word for word in schema.LINES["best_response"].words}
    kinds = {
        "progression": (cells.days(records, "days_to_progression", faults).fillna(day.where(progressed)), ""),
        "disease response": (day.where(response.isin(layout.RESPONSES)), response.map(meanings)),
        "ECOG performance status": (
            day.where(seen["ecog_performance_status"].notna()),
            seen["ecog_performance_status"],
        ),
    }
    found = [
        pd.DataFrame({"patient_id": seen["case_submitter_id"], "day": days, "finding": finding, "value": value})
        for finding, (days, value) in kinds.items()
    ]
    frame = pd.concat(found, ignore_index=True).dropna(subset=["day"]).drop_duplicates()
    frame = frame.sort_values(["patient_id", "day", "finding", "value"], kind="stable", ignore_index=True)
    frame["line"] = pd.array([pd.NA] * len(frame), dtype="Int64")
    return frame.astype({"day": "int64", "value": object, "finding": object})


def _unknown_units(visits: Records, frame: pd.DataFrame, faults: Faults) -> None:
    """One warning per known test and unit that the vocabulary cannot convert: a guess could be wrong ten-fold."""
    converted = vocabulary.to_canonical_units(frame, unknown="missing")
    refused = frame[converted["value"].isna()]
    for (test, unit), rows in refused.fillna({"unit": ""}).groupby(["test", "unit"]):
        expected = f"{test} in one of {', '.join(vocabulary.units_of(test))}, came {unit!r}"
        faults.rule(visits, "test_units", pd.Series(True, index=rows.index), expected, "left out")
