"""Lines to spells: one row per patient and line with entry, time, what ended it, and what was known at its start.

`endpoints` says what each endpoint counts, `observation` how long each patient was watched, `covariates` what was
known when the spell began.
"""

from __future__ import annotations

import pandas as pd

from analysis import schema
from analysis.derive import relapses, staging
from analysis.derive.spells.covariates import KNOWN_AT_START, with_covariates
from analysis.derive.spells.endpoints import ENDPOINTS, ends
from analysis.derive.spells.observation import assessments, check_deaths, observation, still_treated

__all__ = ["ENDPOINTS", "KNOWN_AT_START", "assessments", "not_judged", "of", "spells", "unseen"]


def of(cohort: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The SPELLS of a cohort by its own endpoint: given ones as they are, otherwise derived from its lines.

    Where the source does not state its progressions but has marker values, relapse is judged from these
    (`relapses.basis`, `relapses.lines`). Lines in which no marker could be followed from their start are then left out,
    because no relapse could be seen in them (`not_judged` counts them) - those with a stated progression too: to keep
    them for it would choose lines by their outcome. Given spells without `era` or `iss` get the word "unknown" there,
    so that every cohort can be asked by them.

    Example
    -------
    >>> given = pd.DataFrame({"patient_id": ["a"], "line": [1], "entry": [0], "time": [90], "event": ["relapse"]})
    >>> of({"spells": given})[["time", "event", "era"]].values.tolist()
    [[90, 'relapse', 'unknown']]
    """
    if "spells" not in cohort:
        lines = relapses.lines(cohort)
        if "followable" in lines:
            judged = lines.loc[lines["followable"], ["patient_id", "line"]]
            return spells(cohort, lines).merge(judged, on=["patient_id", "line"])
        return spells(cohort, lines)
    given = cohort["spells"]
    unknown = {name: "unknown" for name in ("era", "iss") if name not in given}
    return schema.check(given.assign(**unknown), schema.SPELLS)


def not_judged(cohort: dict[str, pd.DataFrame]) -> tuple[int, int]:
    """In how many lines, of how many, could a relapse not have been seen? (0, 0) where the source says what ended them.

    Example
    -------
    >>> not_judged({"cohort": pd.DataFrame({"endpoint": ["next_line"]})})
    (0, 0)
    """
    if relapses.basis(cohort) == "stated":
        return 0, 0
    lines = relapses.lines(cohort)
    return (int((~lines["followable"]).sum()), len(lines)) if "followable" in lines else (len(lines), len(lines))


def spells(
    cohort: dict[str, pd.DataFrame],
    lines: pd.DataFrame,
    endpoint: str | None = None,
    after_last_contact: str = "extend",
    censoring: str | None = None,
    longest_gap_days: float = 182,
) -> pd.DataFrame:
    """How long did each patient stay on each line, and what ended it?

    Returns SPELLS (days) with the columns `start_day` (the day of time zero), `start_imputed`, `era`, `iss`,
    `age_years` (at time zero) and those covariates of PATIENTS that are known by then.

    Endpoints; time zero is the start of the line unless said:

    - "relapse", time to relapse: the first of progression ("relapse"), a next line begun without it ("next_line"),
      death. Death is a competing event here; the IMWG's time to progression censors it.
    - "progression_free": progression or death, told apart as "relapse" and "death"; both together are the event.
    - "duration_of_response": the same from `response_day` of the lines, the first response later confirmed; lines
      without one are left out.
    - "second_progression" (PFS2): progression on the line after this one ("relapse"), or death.
    - "next_line", time to next treatment: the first of the next line's start and death. Never to be called relapse.
    - "treatment_free": from `end_day` of the line to the next line's start or death; lines without an end, or with a
      treatment whose end is not on record, are left out.
    - "death", for overall survival from the start of the line.

    Left out, the cohort's own endpoint. What falls on one day counts in the order relapse, next line, death. A
    progression on or before the day its line starts does not belong to that line and is left out.

    `censoring` is one of those that ENDPOINTS lists for the endpoint, the first by default:

    - "competing": a new treatment begun before the event is an event of its own ("next_line").
    - "fda": it censors at the last assessment before it. Who has no event is censored at the last assessment, and an
      event more than `longest_gap_days` after the last one is censored there (two visits missed of a visit every
      three months). An assessment is a day of a marker in LABS or of a recorded progression. Source: FDA, Clinical
      trial endpoints for the approval of cancer drugs and biologics, appendix 3, table A (2007).
    - "treatment_policy": it changes nothing; the first progression in this or any later line counts. Source: ICH E9
      (R1), 2019.

    Observation ends at death, else at last contact. Treatment or a progression recorded after last contact shows that
    the patient was alive: `after_last_contact` "extend" moves the end to the last such day (informative: it can only
    be moved for those treated or found to progress); "truncate" ends at last contact: what comes later does not
    count, and lines that start later neither count nor end a line.

    `entry` = max(0, entry_day - start_day) is delayed entry; a spell over before the patient came under observation
    is left out, because its end was never at risk of being seen. `unseen` counts these.

    R: the rows of `survival::Surv(entry, time, event)` with a factor event.

    Raises
    ------
    ValueError
        for an endpoint or a rule that is not among the words above, lines without a column that the endpoint needs,
        or censoring "fda" for a cohort without assessments.
    analysis.schema.SchemaError
        when a line starts, or its progression falls, after the patient's death; when the result does not fit SPELLS.

    Example
    -------
    >>> patients = pd.DataFrame({"patient_id": ["a"], "entry_day": [1], "last_contact_day": [900], "death_day": [900]})
    >>> lines = pd.DataFrame({"patient_id": ["a", "a"], "line": [1, 2], "start_day": [1, 400], "end_day": [90, 500]})
    >>> spells({"patients": patients}, lines, endpoint="next_line")[["line", "time", "event"]].values.tolist()
    [[1, 399, 'next_line'], [2, 500, 'death']]
    """
    every, observed = _every_spell(cohort, lines, endpoint, after_last_contact, censoring, longest_gap_days)
    result = every[observed].reset_index(drop=True)
    return schema.check(with_covariates(result, staging.with_iss(cohort["patients"])), schema.SPELLS)


def unseen(
    cohort: dict[str, pd.DataFrame],
    lines: pd.DataFrame,
    endpoint: str | None = None,
    after_last_contact: str = "extend",
    censoring: str | None = None,
    longest_gap_days: float = 182,
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
    _, observed = _every_spell(cohort, lines, endpoint, after_last_contact, censoring, longest_gap_days)
    return int((~observed).sum())


def _every_spell(
    cohort: dict[str, pd.DataFrame],
    lines: pd.DataFrame,
    endpoint: str | None,
    after_last_contact: str,
    censoring: str | None,
    longest_gap_days: float,
) -> tuple[pd.DataFrame, pd.Series]:
    """A row per line that has a time zero, and whether it was not yet over when the patient came under observation."""
    endpoint = endpoint or cohort["cohort"]["endpoint"].iloc[0]
    _check_words(endpoint, after_last_contact, censoring)
    censoring = censoring or ENDPOINTS[endpoint].censoring[0]
    _check_columns(lines, endpoint)
    observed = observation(cohort, lines, after_last_contact)
    frame = lines.sort_values(["patient_id", "line"], ignore_index=True)
    frame = frame.merge(observed, on="patient_id", how="inner", validate="many_to_one")
    check_deaths(frame, with_progression=bool(ENDPOINTS[endpoint].progression))
    if after_last_contact == "truncate":
        late = frame["start_day"] > frame["observed_until"]
        frame = frame[~late].reset_index(drop=True)
    if endpoint == "treatment_free":
        frame = frame[~still_treated(frame, cohort.get("treatments"))].reset_index(drop=True)
    found = ends(frame, endpoint, censoring, _assessed(cohort, censoring), longest_gap_days)
    # A response or an end that lies past the last day of the spell has no time that could be counted.
    started = found["origin"].notna() & (found["origin"] <= found["day"])
    frame, found = frame[started].reset_index(drop=True), found[started].reset_index(drop=True)
    entered = (frame["entry_day"] - found["origin"]).clip(lower=0)
    result = frame[["patient_id", "line"]].assign(
        entry=entered.astype("int64"),
        time=(found["day"] - found["origin"]).astype("int64"),
        event=found["event"],
        start_day=found["origin"].astype("int64"),
        start_imputed=frame.get("start_imputed", False),
    )
    return result, (result["entry"] == 0) | (result["entry"] < result["time"])


def _check_words(endpoint: str, after_last_contact: str, censoring: str | None) -> None:
    rules = ENDPOINTS[endpoint].censoring if endpoint in ENDPOINTS else ()
    stated = {
        "endpoint": (endpoint, tuple(ENDPOINTS)),
        "after_last_contact": (after_last_contact, ("extend", "truncate")),
        "censoring": (censoring, (None, *rules)),
    }
    faults = [
        f"expected {name} among {[word for word in words if word]}, came {came!r}; use one of them"
        for name, (came, words) in stated.items()
        if came not in words and not (name == "censoring" and not rules)
    ]
    if faults:
        raise ValueError("spells: " + "; ".join(faults))


def _check_columns(lines: pd.DataFrame, endpoint: str) -> None:
    plan = ENDPOINTS[endpoint]
    missing = [name for name in (plan.clock, *(["progression_day"] if plan.progression else [])) if name not in lines]
    if missing:
        raise ValueError(
            f"spells: endpoint {endpoint!r} expects the column(s) {', '.join(missing)} in the lines, came "
            f"{list(lines.columns)}; use lines of table LINES that have them, or endpoint 'next_line'"
        )


def _assessed(cohort: dict[str, pd.DataFrame], censoring: str) -> pd.DataFrame:
    if censoring != "fda":
        return pd.DataFrame({"patient_id": [], "day": []})
    assessed = assessments(cohort)
    if assessed.empty:
        raise ValueError(
            "spells: censoring 'fda' expects days on which the disease was assessed, came a cohort without markers in "
            "LABS and without progression in FINDINGS; bring them, or use censoring 'treatment_policy'"
        )
    return assessed
