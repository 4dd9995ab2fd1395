"""The means by which a figure is computed: months, Kaplan-Meier, Cox, follow-up per line, what a clinician knows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimate.likelihood import maximise, risk_sets
from analysis.schema import DAYS_PER_MONTH

FLAGS = ("del17p", "t4_14", "t14_16", "gain_1q")
EVENTS_PER_COVARIATE = 10


class CannotTellError(Exception):
    """This cohort does not hold what the figure needs; the message says what is missing."""


def need(cohort: dict[str, pd.DataFrame], *names: str) -> None:
    """Raise CannotTellError unless the cohort has these tables with rows in them."""
    missing = [name for name in names if name not in cohort or cohort[name].empty]
    if missing:
        raise CannotTellError(f"no {' and no '.join(missing)} in it")


def need_columns(patients: pd.DataFrame, *names: str) -> None:
    """Raise CannotTellError unless PATIENTS has these columns."""
    missing = [name for name in names if name not in patients.columns]
    if missing:
        raise CannotTellError(f"patients without {', '.join(missing)}")


def need_relapse(spells: pd.DataFrame) -> None:
    """Raise CannotTellError where no relapse was observed: time to next line is another thing."""
    if not (spells["event"] == "relapse").any():
        raise CannotTellError("no relapse observed")


def months(days: pd.Series | np.ndarray) -> np.ndarray:
    """Days as months of 30.4375 days."""
    return np.asarray(days, dtype=float) / DAYS_PER_MONTH


def kaplan_meier(time: np.ndarray, event: np.ndarray):
    """A fitted lifelines KaplanMeierFitter. R: survfit(Surv(time, event) ~ 1)."""
    from lifelines import KaplanMeierFitter

    return KaplanMeierFitter().fit(time, event)


def median(time: np.ndarray, event: np.ndarray) -> float:
    """Kaplan-Meier median in the unit of `time`; missing when it is not reached."""
    found = kaplan_meier(time, event).median_survival_time_ if len(time) else np.nan
    return float(found) if np.isfinite(found) else np.nan


@dataclass(frozen=True)
class Cox:
    """A Cox model: hazard ratios by term; time, event and linear predictor of each row that it used."""

    ratios: dict[str, float]
    time: np.ndarray
    event: np.ndarray
    predictor: np.ndarray

    def concordance(self) -> float:
        """Harrell's C of the model on its own rows."""
        from lifelines.utils import concordance_index

        return float(concordance_index(self.time, -self.predictor, self.event))


def cox(frame: pd.DataFrame) -> Cox:
    """Cox model of `time` and `event` on every other column that varies, complete cases. R: coxph, ties efron."""
    frame = frame.dropna().astype(float)
    covariates = [name for name in frame.columns.drop(["time", "event"]) if frame[name].min() < frame[name].max()]
    if not covariates or frame["event"].sum() < EVENTS_PER_COVARIATE * len(covariates):
        raise CannotTellError(f"fewer than {EVENTS_PER_COVARIATE} events per covariate")
    time, event, columns = frame["time"].to_numpy(), frame["event"].to_numpy() > 0, frame[covariates].to_numpy()
    fit = maximise(risk_sets(time, event, np.zeros(len(frame), dtype=np.intp), None), columns, tuple(covariates))
    if not fit.converged or not fit.finite.all() or np.isnan(fit.coefficients).any():
        raise CannotTellError("the Cox model does not converge")
    ratios = dict(zip(covariates, np.exp(fit.coefficients).tolist(), strict=True))
    return Cox(ratios, time, event, columns @ fit.coefficients)


def ratio(model: Cox, term: str) -> float:
    """Hazard ratio of a term; missing when the term did not vary."""
    return model.ratios.get(term, np.nan)


def survival_from_lines(patients: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """One row per line: patient_id, line, time (months from its start to death or last contact), event (died)."""
    outcome = patients[["patient_id", "last_contact_day", "death_day"]]
    frame = lines[["patient_id", "line", "start_day"]].merge(outcome, on="patient_id", validate="many_to_one")
    frame["time"], frame["event"] = months(frame["last_contact_day"] - frame["start_day"]), frame["death_day"].notna()
    return frame.loc[frame["time"] >= 0, ["patient_id", "line", "time", "event"]]


def stage(patients: pd.DataFrame) -> pd.Series:
    """ISS 1, 2 or 3 as the cohort states it, else by the rule of Greipp 2005; unknown parts leave it missing."""
    if "iss" in patients.columns:
        return patients["iss"].map({"I": 1, "II": 2, "III": 3}).astype(float)
    need_columns(patients, "beta2_microglobulin_mg_l", "albumin_g_dl")
    beta2, albumin = patients["beta2_microglobulin_mg_l"], patients["albumin_g_dl"]
    number = np.select([beta2 >= 5.5, (beta2 < 3.5) & (albumin >= 3.5)], [3.0, 1.0], 2.0)
    return pd.Series(number, patients.index).where(beta2.notna() & albumin.notna())


def clinical_covariates(patients: pd.DataFrame) -> pd.DataFrame:
    """What a clinician knows at diagnosis, as numbers (age, fitness, stage, LDH, kidney, FISH); gaps stay gaps."""
    need_columns(patients, "age_years", "fitness", "egfr_ml_min", "ldh_high", *FLAGS)
    number = stage(patients)
    frame = pd.DataFrame({"patient_id": patients["patient_id"], "age": patients["age_years"] / 10})
    for name, level in (("stage_2", 2), ("stage_3", 3)):
        frame[name] = (number == level).astype(float).where(number.notna())
    for level in ("intermediate", "frail"):
        frame[level] = (patients["fitness"] == level).astype(float).where(patients["fitness"] != "unknown")
    frame["egfr_below_50"] = (patients["egfr_ml_min"] < 50).astype(float).where(patients["egfr_ml_min"].notna())
    for name in ("ldh_high", *FLAGS):
        frame[name] = patients[name].astype("Float64").astype(float)
    return frame
