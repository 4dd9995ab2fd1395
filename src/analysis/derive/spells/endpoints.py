"""What each endpoint counts, from which day, and what ends the wait for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.derive.spells.observation import last_assessment


@dataclass(frozen=True)
class Endpoint:
    """From which column of LINES the clock runs, whether progression counts, and the censoring rules that make sense.

    The first of `censoring` is the default.
    """

    clock: str
    progression: str  # "own", "next line's" or "" where progression is not looked at
    treatment: str  # start of the line that ends the wait: "next", "one after next" or "" where none does
    censoring: tuple[str, ...]


ENDPOINTS = {
    "relapse": Endpoint("start_day", "own", "next", ("competing", "fda", "treatment_policy")),
    "progression_free": Endpoint("start_day", "own", "next", ("fda", "treatment_policy")),
    "duration_of_response": Endpoint("response_day", "own", "next", ("fda", "treatment_policy", "competing")),
    "second_progression": Endpoint("start_day", "next line's", "one after next", ("treatment_policy", "fda")),
    "next_line": Endpoint("start_day", "", "next", ("competing",)),
    "treatment_free": Endpoint("end_day", "", "next", ("competing",)),
    "death": Endpoint("start_day", "", "", ("competing",)),
}


def ends(
    frame: pd.DataFrame, endpoint: str, censoring: str, assessments: pd.DataFrame, longest_gap_days: float
) -> pd.DataFrame:
    """The first day of each spell, its last day, and the word of what ended it.

    `frame` has a row per patient and line, sorted by both, with `observed_until` and `death_day`. Days on which two
    things fall count in the order relapse, next line, death.
    """
    plan = ENDPOINTS[endpoint]
    origin = frame[plan.clock].astype("float64")
    until = frame["observed_until"].astype("float64")
    died = frame["death_day"].notna()
    treatment = _later_start(frame, {"": 0, "next": 1, "one after next": 2}[plan.treatment])
    progression = _progression(frame, plan.progression, everywhere=censoring == "treatment_policy")
    progression = progression.where((progression > origin) & (progression <= until))
    if censoring == "treatment_policy":  # what comes after a new treatment counts as if there had been none
        treatment = pd.Series(np.nan, index=frame.index)
    relapsed = progression.notna() & ~(progression > treatment)
    treated = treatment.notna() & ~relapsed
    died &= ~relapsed & ~treated
    day = until.mask(treated, treatment).mask(relapsed, progression)
    event = np.select([relapsed, treated, died], ["relapse", "next_line", "death"], default="censored")
    found = pd.DataFrame({"origin": origin, "day": day, "event": event.astype(object)}, index=frame.index)
    return _as_the_fda(found, frame, assessments, longest_gap_days) if censoring == "fda" else found


def _later_start(frame: pd.DataFrame, later: int) -> pd.Series:
    """The start of the line that is so many lines later; missing where there is none, or none is asked for."""
    if not later:
        return pd.Series(np.nan, index=frame.index)
    return frame.groupby("patient_id", sort=False)["start_day"].shift(-later).astype("float64")


def _progression(frame: pd.DataFrame, whose: str, everywhere: bool) -> pd.Series:
    """The day of the progression that counts for each line.

    `everywhere`: of this line or, where it has none, of the first later line that has one.
    """
    if not whose:
        return pd.Series(np.nan, index=frame.index)
    own = frame["progression_day"].astype("float64")
    own = own.where(own > frame["start_day"])
    if not everywhere:
        # After the next line has begun a progression is that line's; it cannot be this one's.
        own = own.where(~(own > _later_start(frame, 1)))
    patient = frame["patient_id"]
    if everywhere:
        own = own[::-1].groupby(patient[::-1], sort=False).cummin()[::-1]
        own = own.groupby(patient, sort=False).bfill()
    return own if whose == "own" else own.groupby(patient, sort=False).shift(-1)


def _as_the_fda(
    found: pd.DataFrame, frame: pd.DataFrame, assessments: pd.DataFrame, longest_gap_days: float
) -> pd.DataFrame:
    """Censored at the last assessment: without an event, before a new treatment, and before a long silence."""
    patient, origin = frame["patient_id"], found["origin"]
    seen = last_assessment(assessments, patient, found["day"], origin)
    before = last_assessment(assessments, patient, found["day"] - 1, origin)
    silent = found["event"].isin(["relapse", "death"]) & (found["day"] - before > longest_gap_days)
    unseen = found["event"].isin(["censored", "next_line"])
    return found.assign(
        day=found["day"].mask(unseen, seen).mask(silent, before),
        event=found["event"].mask(unseen | silent, "censored"),
    )
