"""The cohort as it was known on an earlier day: what a data cut would have shown."""

from __future__ import annotations

import pandas as pd

from analysis.derive import relapses

_DAY = {"treatments": "start_day", "labs": "day", "findings": "day", "lines": "start_day"}
_LATER = ("end_day", "progression_day", "response_day")


def as_of(cohort: dict[str, pd.DataFrame], day: int | pd.Series) -> dict[str, pd.DataFrame]:
    """What was known of each patient on this day of the patient's own clock? Lines and spells follow from it.

    Returns the canonical tables without any record after the day: an end, a progression or a death that lies after it
    is missing, last contact is the day itself for whoever was seen later, patients who came under observation after
    it are left out. A treatment that went on is two rows: one that ends on the day, and one that begins there and has
    no end. Where relapses are taken from (`relapses.basis`) is a choice of definition and stays that of the whole
    source; where the cut would change it, COHORT.relapses states it. Derive lines and spells from the cut cohort;
    cutting ready ones would keep what only the future told (a best response, a maintenance, the number of lines).

    Parameters
    ----------
    cohort : canonical tables by name. Ready SPELLS cannot be cut and are refused.
    day : days since the patient's index day; or a Series of such days by patient_id, for a cut on one calendar day.

    Raises
    ------
    ValueError
        for a cohort of ready spells, or a Series that does not name every patient.

    Example
    -------
    >>> patients = pd.DataFrame({"patient_id": ["a"], "entry_day": 0, "last_contact_day": 900, "death_day": 900})
    >>> as_of({"patients": patients}, 400)["patients"][["last_contact_day", "death_day"]].isna().values.tolist()
    [[False, True]]
    """
    if "spells" in cohort:
        raise ValueError("as_of: expected records or lines, came ready spells; cut the records that they were made of")
    patients = cohort["patients"]
    cut = pd.Series(day, index=patients["patient_id"]) if not isinstance(day, pd.Series) else day
    if unnamed := int((~patients["patient_id"].isin(cut.dropna().index)).sum()):
        raise ValueError(f"as_of: expected a day for every patient, came none for {unnamed}; add them to `day`")
    last_day = patients["patient_id"].map(cut)
    kept = patients[patients["entry_day"] <= last_day].reset_index(drop=True)
    last_day = kept["patient_id"].map(cut)
    kept["death_day"] = kept["death_day"].where(kept["death_day"] <= last_day)
    kept["last_contact_day"] = kept["last_contact_day"].where(kept["last_contact_day"] <= last_day, last_day)
    known = {name: _known(frame, name, cut, kept) for name, frame in cohort.items()} | {"patients": kept}
    return _by_the_same_definition(known, cohort)


def _known(frame: pd.DataFrame, name: str, cut: pd.Series, patients: pd.DataFrame) -> pd.DataFrame:
    if name not in _DAY:
        return frame
    known = (frame[_DAY[name]] <= frame["patient_id"].map(cut)).fillna(False)
    frame = frame[known & frame["patient_id"].isin(patients["patient_id"])].reset_index(drop=True)
    last_day = frame["patient_id"].map(cut)
    if name == "treatments":
        return _still_going_on(frame, last_day)
    later = {column: frame[column].where(frame[column] <= last_day) for column in _LATER if column in frame}
    return frame.assign(**later)


def _still_going_on(treatments: pd.DataFrame, last_day: pd.Series) -> pd.DataFrame:
    """A treatment that ended later was given until the day, and then went on: an end left out would say less."""
    went_on = (treatments["end_day"] > last_day).fillna(False).to_numpy(bool)
    if not went_on.any():
        return treatments
    given = treatments.assign(end_day=treatments["end_day"].mask(went_on, last_day.astype("Int64")))
    rest = treatments[went_on].assign(start_day=last_day[went_on], end_day=pd.NA)
    return pd.concat([given, rest.astype(treatments.dtypes)], ignore_index=True)


def _by_the_same_definition(known: dict[str, pd.DataFrame], cohort: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    if "cohort" not in cohort or (basis := relapses.basis(cohort)) == relapses.basis(known):
        return known
    return known | {"cohort": known["cohort"].assign(relapses=basis)}
