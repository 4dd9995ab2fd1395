"""Lines to spells: one row per patient and line with entry, time, what ended it, and what was known at its start."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import schema
from analysis.derive import regimens, staging

# Known when a line starts. Regimen, transplant, maintenance and response of the line itself are not: they need the
# future, and a patient must live and stay in remission long enough to have them.
KNOWN_AT_START = (
    "age_years",
    "era",
    "sex",
    "race",
    "iss",
    "beta2_microglobulin_mg_l",
    "albumin_g_dl",
    "creatinine_mg_dl",
    "egfr_ml_min",
    "ldh_high",
    "del17p",
    "t4_14",
    "t14_16",
    "gain_1q",
    "fitness",
    "bmi_kg_m2",
    "smoking",
    "activity",
    "diet",
    "distress",
)


def of(cohort: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The SPELLS of a cohort by its own endpoint: given ones as they are, otherwise derived from its lines.

    Given spells without `era` or `iss` get the word "unknown" there, so that every cohort can be asked by them.

    Example
    -------
    >>> given = pd.DataFrame({"patient_id": ["a"], "line": [1], "entry": [0], "time": [90], "event": ["relapse"]})
    >>> of({"spells": given})[["time", "event", "era"]].values.tolist()
    [[90, 'relapse', 'unknown']]
    """
    if "spells" not in cohort:
        return spells(cohort, regimens.lines(cohort))
    given = cohort["spells"]
    unknown = {name: "unknown" for name in ("era", "iss") if name not in given}
    return schema.check(given.assign(**unknown), schema.SPELLS)


def spells(
    cohort: dict[str, pd.DataFrame],
    lines: pd.DataFrame,
    endpoint: str | None = None,
    after_last_contact: str = "extend",
) -> pd.DataFrame:
    """How long did each patient stay on each line, and what ended it?

    Returns SPELLS (days; time zero = start of the line) with the columns `start_day`, `start_imputed`, `era`,
    `iss`, `age_years` (at line start) and those covariates of PATIENTS that are known by then.

    - `endpoint` "relapse": the first of progression ("relapse"), a next line begun without it ("next_line"), death.
      "next_line": the first of the next line's start and death. "death": death alone, for overall survival from the
      start of the line. Left out, the cohort's own endpoint.
      What falls on one day counts in the order relapse, next line, death.
      A progression on or before the day its line starts does not belong to that line and is left out.
    - Observation ends at death, else at last contact. Treatment or a progression recorded after last contact shows that
      the patient was alive: `after_last_contact` "extend" moves the end to the last such day (informative: it can only
      be moved for those treated or found to progress); "truncate" ends at last contact: what comes later does not
      count, and lines that start later neither count nor end a line.
    - `entry` = max(0, entry_day - start_day) is delayed entry; a spell over before the patient came under observation
      is left out, because its end was never at risk of being seen. `unseen` counts these.

    R: the rows of `survival::Surv(entry, time, event)` with a factor event.

    Raises
    ------
    ValueError
        for an endpoint or a rule that is not among the words above, or lines without progression_day for "relapse".
    analysis.schema.SchemaError
        when a line starts, or for endpoint "relapse" progresses, after the patient's death; when the result does not
        fit SPELLS.

    Example
    -------
    >>> patients = pd.DataFrame({"patient_id": ["a"], "entry_day": [1], "last_contact_day": [900], "death_day": [900]})
    >>> lines = pd.DataFrame({"patient_id": ["a", "a"], "line": [1, 2], "start_day": [1, 400], "end_day": [90, 500]})
    >>> spells({"patients": patients}, lines, endpoint="next_line")[["line", "time", "event"]].values.tolist()
    [[1, 399, 'next_line'], [2, 500, 'death']]
    """
    every, observed = _every_spell(cohort, lines, endpoint, after_last_contact)
    result = every[observed].reset_index(drop=True)
    return schema.check(_with_covariates(result, staging.with_iss(cohort["patients"])), schema.SPELLS)


def unseen(
    cohort: dict[str, pd.DataFrame],
    lines: pd.DataFrame,
    endpoint: str | None = None,
    after_last_contact: str = "extend",
) -> int:
    """How many spells did `spells` leave out, because they were over before the patient came under observation?

    Parameters and errors: as in `spells`. R: the rows that `survival::Surv` makes NA because stop <= start.

    Example
    -------
    >>> patients = pd.DataFrame({"patient_id": ["a"], "entry_day": 500, "last_contact_day": 900, "death_day": 900})
    >>> lines = pd.DataFrame({"patient_id": ["a", "a"], "line": [1, 2], "start_day": [1, 400], "end_day": [90, 500]})
    >>> unseen({"patients": patients}, lines, endpoint="next_line")
    1
    """
    return int((~_every_spell(cohort, lines, endpoint, after_last_contact)[1]).sum())


def _every_spell(
    cohort: dict[str, pd.DataFrame], lines: pd.DataFrame, endpoint: str | None, after_last_contact: str
) -> tuple[pd.DataFrame, pd.Series]:
    """A row per line, and whether it was not yet over when the patient came under observation."""
    _check_words(endpoint, after_last_contact)
    endpoint = endpoint or cohort["cohort"]["endpoint"].iloc[0]
    if endpoint == "relapse" and "progression_day" not in lines:
        raise ValueError(
            "spells: endpoint 'relapse' expects the column progression_day in the lines, came "
            f"{list(lines.columns)}; use lines of table LINES, or endpoint 'next_line'"
        )
    observed = _observation(cohort, lines, after_last_contact)
    frame = lines.sort_values(["patient_id", "line"], ignore_index=True)
    frame = frame.merge(observed, on="patient_id", how="inner", validate="many_to_one")
    _check_deaths(frame, endpoint)
    if after_last_contact == "truncate":
        late = frame["start_day"] > frame["observed_until"]
        frame = frame[~late].reset_index(drop=True)
    ends = _ends(frame, endpoint)
    entered = (frame["entry_day"] - frame["start_day"]).clip(lower=0)
    result = frame[["patient_id", "line"]].assign(
        entry=entered.astype("int64"),
        time=(ends["day"] - frame["start_day"]).astype("int64"),
        event=ends["event"],
        start_day=frame["start_day"].astype("int64"),
        start_imputed=frame.get("start_imputed", False),
    )
    return result, (result["entry"] == 0) | (result["entry"] < result["time"])


def _check_words(endpoint: str | None, after_last_contact: str) -> None:
    endpoints, rules = (*schema.COHORT["endpoint"].words, "death"), ("extend", "truncate")
    if endpoint is not None and endpoint not in endpoints:
        raise ValueError(f"spells: expected endpoint among {list(endpoints)}, came {endpoint!r}; use one of them")
    if after_last_contact not in rules:
        raise ValueError(
            f"spells: expected after_last_contact among {list(rules)}, came {after_last_contact!r}; use one of them"
        )


def _check_deaths(frame: pd.DataFrame, endpoint: str) -> None:
    """Raise one SchemaError that names every kind of day after the patient's death; `frame` has lines and deaths."""
    faults = []
    for column in ("start_day", *(["progression_day"] if endpoint == "relapse" else [])):
        late = (frame[column] > frame["death_day"]).fillna(False).astype(bool)
        if late.any():
            first = frame[late].iloc[0]
            faults.append(
                f"line {first['line']}, column {column!r}: expected a day no later than the patient's death, came day "
                f"{first[column]} with death on day {first['death_day']} ({late.sum()} line(s) in all); "
                "correct this day or the day of death in the source"
            )
    if faults:
        listing = "\n".join(f"  - {fault}" for fault in faults)
        raise schema.SchemaError(f"spells: {len(faults)} fault(s) in the lines\n{listing}")


def _observation(cohort: dict[str, pd.DataFrame], lines: pd.DataFrame, after_last_contact: str) -> pd.DataFrame:
    """Per patient: entry_day, death_day and the day on which observation ends."""
    patients = cohort["patients"][["patient_id", "entry_day", "last_contact_day", "death_day"]].copy()
    until = patients["last_contact_day"].astype("float64")
    if after_last_contact == "extend":
        recorded = [frame for frame in (cohort.get("treatments"), lines) if frame is not None]
        days = pd.concat([frame[["patient_id", name]].set_axis(["patient_id", "day"], axis=1)
                          for frame in recorded for name in ("start_day", "end_day")])  # fmt: skip
        days = pd.concat([days, *_progressions(cohort.get("findings"), lines)])
        last_seen = days.astype({"day": "float64"}).groupby("patient_id")["day"].max()
        until = np.fmax(until, patients["patient_id"].map(last_seen).astype("float64"))
    dead = patients["death_day"].notna()
    patients["observed_until"] = until.where(~dead, patients["death_day"].astype("float64")).astype("int64")
    return patients.drop(columns="last_contact_day")


def _progressions(findings: pd.DataFrame | None, lines: pd.DataFrame) -> list[pd.DataFrame]:
    """Patient and day of every recorded progression: whoever was found to progress was alive and watched that day."""
    parts = []
    if "progression_day" in lines:
        parts.append(lines[["patient_id", "progression_day"]].rename(columns={"progression_day": "day"}))
    if findings is not None:
        parts.append(findings.loc[findings["finding"] == "progression", ["patient_id", "day"]])
    return parts


def _ends(frame: pd.DataFrame, endpoint: str) -> pd.DataFrame:
    """The day and the word of what ended each spell."""
    next_start = frame.groupby("patient_id", sort=False)["start_day"].shift(-1).astype("float64")
    until = frame["observed_until"].astype("float64")
    progression = pd.Series(np.nan, index=frame.index)
    if endpoint == "relapse":
        progression = frame["progression_day"].astype("float64")
        progression = progression.where((progression > frame["start_day"]) & (progression <= until))
    relapsed = progression.notna() & ~(progression > next_start)
    treated = next_start.notna() & ~relapsed & (endpoint != "death")
    died = frame["death_day"].notna() & ~relapsed & ~treated
    day = until.mask(treated, next_start).mask(relapsed, progression)
    event = np.select([relapsed, treated, died], ["relapse", "next_line", "death"], default="censored")
    return pd.DataFrame({"day": day, "event": event.astype(object)}, index=frame.index)


def _with_covariates(result: pd.DataFrame, patients: pd.DataFrame) -> pd.DataFrame:
    known = [name for name in KNOWN_AT_START if name in patients and name != "age_years"]
    at_index = patients[["patient_id", *(n for n in ("age_years", "index_year") if n in patients), *known]]
    result = result.merge(at_index, on="patient_id", how="left", validate="many_to_one")
    if "age_years" in result:
        # 90 stands for every age over 89, at line start as at the index day.
        result["age_years"] = (result["age_years"] + result["start_day"] / schema.DAYS_PER_YEAR).clip(upper=90)
    result["era"] = _era(result)
    return result.drop(columns="index_year", errors="ignore")


def _era(result: pd.DataFrame) -> pd.Series:
    """Five-year bins of the index year from years that five divides ("2010-2014"); "unknown" without a year."""
    if "index_year" not in result:
        return pd.Series("unknown", index=result.index, dtype=object)
    first = result["index_year"].astype("Int64") // 5 * 5
    bins = {year: f"{year}-{year + 4}" for year in first.dropna().unique()}
    return first.map(bins).astype(object).fillna("unknown")
