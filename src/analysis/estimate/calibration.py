"""How close does a cohort come to the published figures? Each target with its band, what was achieved, and why if not.

The targets stand in `calibration.csv`. Everything is computed from canonical frames as an analysis would see them;
nothing here knows how a cohort was made, so a real cohort can be held against the same figures.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import schema

DOUBLING_MIN_SAMPLES = 3
SLOW_MONTHS = 24
DEEP = ("VGPR", "CR", "sCR")
FLAGS = ("del17p", "t4_14", "t14_16", "gain_1q")
TOLERANCE = 1e-9


@cache
def targets() -> pd.DataFrame:
    """The published figures, one row each: key, target, unit, published, band, source, grade, known contradiction."""
    return pd.read_csv(Path(__file__).with_name("calibration.csv"), keep_default_na=False)


def calibration(cohort: dict[str, pd.DataFrame], lines: pd.DataFrame, spells: pd.DataFrame) -> pd.DataFrame:
    """Does this cohort reproduce the published figures on relapse, survival, attrition, stage and markers?

    Parameters
    ----------
    cohort : PATIENTS and, where the cohort has them, FINDINGS and LABS under their usual keys.
    lines : LINES of the cohort.
    spells : SPELLS of the endpoint "relapse": the first of relapse, next line and death in each line.

    Returns the table CALIBRATION, one row per target. Medians are Kaplan-Meier (months; a next line begun without
    relapse censors), shares crude (%), hazard ratios from Cox models with Efron's ties on complete cases, MRD from
    the day of its test on. What a cohort cannot tell (no labs, too few events) is missing, with its reason.
    R: survfit, coxph.

    Example
    -------
    >>> list(targets()["key"][:2])
    ['pfs_1', 'pfs_2']
    """
    achieved: dict[str, float] = {}
    problems: dict[str, str] = {}
    for figures in FIGURES:
        try:
            achieved.update(figures(cohort, lines, spells))
        except _CannotTellError as reason:
            problems[figures.__name__] = str(reason)
    table = targets().copy()
    table["achieved"] = table["key"].map(achieved).astype(float)
    low, high = table["band_low"] - TOLERANCE, table["band_high"] + TOLERANCE
    table["inside"] = table["achieved"].between(low, high)
    unknown = "cannot be told from this cohort: " + "; ".join(problems.values()) if problems else "not estimable"
    missed = table["miss"].replace("", "chance or imperfect calibration; no known contradiction")
    note = np.where(table["inside"], "", np.where(table["achieved"].isna(), unknown, missed))
    table["note"] = note.astype(object)
    columns = [*schema.CALIBRATION.names, "key"]
    return schema.check(
        table[columns].astype({"published": float, "band_low": float, "band_high": float}), schema.CALIBRATION
    )


class _CannotTellError(Exception):
    """This cohort does not hold what the figure needs."""


def _need(cohort: dict[str, pd.DataFrame], *names: str) -> None:
    missing = [name for name in names if name not in cohort or cohort[name].empty]
    if missing:
        raise _CannotTellError(f"no table {', '.join(missing)}")


def _months(days: pd.Series | np.ndarray) -> np.ndarray:
    return np.asarray(days, dtype=float) / schema.DAYS_PER_MONTH


def _median(time_months: np.ndarray, event: np.ndarray) -> float:
    return _kaplan_meier(time_months, event).median_survival_time_ if len(time_months) else np.nan


def _kaplan_meier(time: np.ndarray, event: np.ndarray):
    from lifelines import KaplanMeierFitter

    return KaplanMeierFitter().fit(time, event)


def _cox(frame: pd.DataFrame):
    """Cox model of `time` (months) and `event` on every other column; a column that does not vary is left out."""
    from lifelines import CoxPHFitter

    frame = frame.dropna().astype(float)
    varying = [name for name in frame.columns if name in ("time", "event") or frame[name].min() < frame[name].max()]
    if frame["event"].sum() < 10 * (len(varying) - 2) or len(varying) < 3:
        raise _CannotTellError("fewer than ten events per covariate")
    return CoxPHFitter().fit(frame[varying], "time", "event")


def _ratio(model, term: str) -> float:
    return float(np.exp(model.params_[term])) if term in model.params_ else np.nan


def _survival(patients: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """One row per line with the months from its start to death or last contact."""
    outcome = patients[["patient_id", "last_contact_day", "death_day"]]
    frame = lines[["patient_id", "line", "start_day"]].merge(outcome, on="patient_id", validate="many_to_one")
    frame["time"] = _months(frame["last_contact_day"] - frame["start_day"])
    return frame.assign(event=frame["death_day"].notna())[lambda rows: rows["time"] >= 0]


def _medians(cohort, lines, spells) -> dict[str, float]:
    survival = _survival(cohort["patients"], lines)
    ended = spells["event"].isin(["relapse", "death"])
    figures = {}
    for line in (1, 2, 3, 4):
        here, alive = (rows["line"].clip(upper=4) == line for rows in (spells, survival))
        figures[f"pfs_{line}"] = _median(_months(spells.loc[here, "time"]), ended[here])
        figures[f"os_{line}"] = _median(survival.loc[alive, "time"], survival.loc[alive, "event"])
    return figures


def _attrition(cohort, lines, spells) -> dict[str, float]:
    begun = {line: set(lines.loc[lines["line"] == line, "patient_id"]) for line in (1, 2, 3, 4)}
    dead = set(cohort["patients"].loc[cohort["patients"]["death_day"].notna(), "patient_id"])
    figures = {}
    for line in (1, 2, 3):
        if not begun[line]:
            continue
        figures[f"reach_{line + 1}"] = 100 * len(begun[line + 1]) / len(begun[1])
        figures[f"die_{line}"] = 100 * len((begun[line] & dead) - begun[line + 1]) / len(begun[line])
    return figures


def _line_ratios(cohort, lines, spells) -> dict[str, float]:
    """Gap time, no other covariate: one term for line 2 and later, one more per line after it."""
    frame = pd.DataFrame({"time": _months(spells["time"]), "event": spells["event"].isin(["relapse", "death"])})
    frame["later"], frame["further"] = (spells["line"] >= 2).to_numpy(), (spells["line"] - 2).clip(lower=0).to_numpy()
    model = _cox(frame)
    return {"line_hr_2": _ratio(model, "later"), "line_hr_later": _ratio(model, "further")}


def _response(cohort, lines, spells) -> dict[str, float]:
    known = lines[lines["best_response"] != "unknown"]
    deep = 100 * known["best_response"].isin(DEEP).groupby(known["line"].clip(upper=5)).mean().reindex(range(1, 6))
    steps = float((deep.diff().dropna() < 0).sum())
    return {"vgpr_1": deep[1], "vgpr_2": deep[2], "vgpr_5": deep[5], "vgpr_trend": steps}


def _stage(cohort, lines, spells) -> dict[str, float]:
    known = _iss(cohort["patients"]).dropna()
    return {f"iss_{number}": 100 * float((known == number).mean()) for number in (1, 2, 3)}


def _iss(patients: pd.DataFrame) -> pd.Series:
    """Stage 1, 2 or 3: as the cohort states it, else by the rule of Greipp 2005; unknown parts leave it missing."""
    if "iss" in patients.columns:
        return patients["iss"].map({"I": 1, "II": 2, "III": 3}).astype(float)
    if not {"beta2_microglobulin_mg_l", "albumin_g_dl"} <= set(patients.columns):
        raise _CannotTellError("no stage")
    beta2, albumin = patients["beta2_microglobulin_mg_l"], patients["albumin_g_dl"]
    stage = np.select([beta2 >= 5.5, (beta2 < 3.5) & (albumin >= 3.5)], [3.0, 1.0], 2.0)
    return pd.Series(stage, patients.index).where(beta2.notna() & albumin.notna())


def _cytogenetics(cohort, lines, spells) -> dict[str, float]:
    patients = cohort["patients"]
    return {name: 100 * float(patients[name].mean()) for name in FLAGS if name in patients and patients[name].any()}


def clinical_covariates(patients: pd.DataFrame) -> pd.DataFrame:
    """What a clinician knows at diagnosis, as numbers (age, fitness, stage, LDH, kidney, FISH); gaps stay gaps."""
    stage = _iss(patients)
    frame = pd.DataFrame({"age": patients["age_years"] / 10}, index=patients.index)
    frame["stage_2"], frame["stage_3"] = ((stage == number).astype(float).where(stage.notna()) for number in (2, 3))
    for level in ("intermediate", "frail"):
        known = patients["fitness"] != "unknown"
        frame[level] = (patients["fitness"] == level).astype(float).where(known)
    frame["egfr_below_50"] = (patients["egfr_ml_min"] < 50).astype(float).where(patients["egfr_ml_min"].notna())
    for name in ("ldh_high", *FLAGS):
        frame[name] = patients[name].astype("Float64").astype(float)
    return frame


def _prognosis(cohort, lines, spells) -> dict[str, float]:
    """Adjusted hazard ratios of death from lines 1 and 2 and of relapse or death in line 1; concordance."""
    patients = cohort["patients"]
    needed = {"age_years", "fitness", "egfr_ml_min", "ldh_high", *FLAGS}
    if not needed <= set(patients.columns):
        raise _CannotTellError(f"no column {', '.join(sorted(needed - set(patients.columns)))}")
    covariates = clinical_covariates(patients).assign(patient_id=patients["patient_id"])
    survival = _survival(patients, lines)
    models = {}
    for line in (1, 2):
        rows = survival.loc[survival["line"] == line, ["patient_id", "time", "event"]]
        models[line] = _cox(rows.merge(covariates, on="patient_id").drop(columns="patient_id"))
    first = spells[spells["line"] == 1]
    first = pd.DataFrame(
        {
            "patient_id": first["patient_id"],
            "time": _months(first["time"]),
            "event": first["event"].isin(["relapse", "death"]),
        }
    )
    relapse = _cox(first.merge(covariates, on="patient_id").drop(columns="patient_id"))
    figures = {f"os_hr_{name}": _ratio(models[1], name) for name in ("del17p", "t4_14", "gain_1q")}
    figures |= {f"egfr_hr_{line}": _ratio(model, "egfr_below_50") for line, model in models.items()}
    return figures | {"pfs_hr_gain_1q": _ratio(relapse, "gain_1q"), "c_index": float(models[1].concordance_index_)}


def _relapse_kind(cohort, lines, spells) -> dict[str, float]:
    kinds = lines.loc[(lines["line"] == 1) & lines["relapse_kind"].isin(["biochemical", "clinical"]), "relapse_kind"]
    if kinds.empty:
        raise _CannotTellError("no kind of relapse")
    return {"biochemical_share": 100 * float((kinds == "biochemical").mean())}


def _lead_time(cohort, lines, spells) -> dict[str, float]:
    """From the biochemical to the clinical progression of the same line; the next line and death censor."""
    _need(cohort, "findings")
    findings = cohort["findings"]
    clinical = findings[(findings["finding"] == "progression") & (findings["value"] == "clinical")]
    clinical = clinical.groupby(["patient_id", "line"])["day"].min().rename("clinical_day").reset_index()
    frame = lines[["patient_id", "line", "start_day", "progression_day", "relapse_kind"]]
    following = frame[["patient_id", "line", "start_day"]].rename(columns={"start_day": "next_day"})
    frame = frame.merge(following.assign(line=following["line"] - 1), on=["patient_id", "line"], how="left")
    frame = frame.merge(clinical, on=["patient_id", "line"], how="left")
    frame = frame.merge(cohort["patients"][["patient_id", "last_contact_day"]], on="patient_id")
    frame = frame[frame["relapse_kind"] == "biochemical"]
    if frame.empty:
        raise _CannotTellError("no biochemical relapse")
    stop = frame[["clinical_day", "next_day", "last_contact_day"]].astype(float).min(axis=1)
    event = frame["clinical_day"].astype(float) <= stop
    curve = _kaplan_meier(_months(stop - frame["progression_day"].astype(float)), event)
    return {"lead_time": curve.median_survival_time_, "slow_share": 100 * float(curve.predict(SLOW_MONTHS))}


def _doubling_time(cohort, lines, spells) -> dict[str, float]:
    """Log-linear slope of the M-protein per patient over the rise around the first relapse, as months per doubling.

    Samples from 60 days before the relapse to the next line, at most 180 days after it, that are measurable
    (0.1 g/dL or more); at least three of them. A patient whose M-protein does not rise counts as not doubling.
    """
    _need(cohort, "labs")
    relapse = lines.loc[lines["line"] == 1, ["patient_id", "progression_day"]].dropna()
    second = lines.loc[lines["line"] == 2, ["patient_id", "start_day"]].rename(columns={"start_day": "next_day"})
    labs = cohort["labs"]
    labs = labs.loc[(labs["test"] == "serum M-protein") & (labs["value"] >= 0.1), ["patient_id", "day", "value"]]
    frame = labs.merge(relapse, on="patient_id").merge(second, on="patient_id", how="left")
    since = frame["day"] - frame["progression_day"].astype("int64")
    frame = frame[since.between(-60, 180) & ((frame["day"] < frame["next_day"]) | frame["next_day"].isna())]
    month, log_value = _months(frame["day"]), np.log2(frame["value"].to_numpy())
    sums = pd.DataFrame({"n": 1.0, "x": month, "y": log_value, "xx": month**2, "xy": month * log_value})
    sums = sums.groupby(frame["patient_id"].to_numpy()).sum()
    sums = sums[sums["n"] >= DOUBLING_MIN_SAMPLES]
    if sums.empty:
        raise _CannotTellError("no serial M-protein around a relapse")
    slope = (sums["n"] * sums["xy"] - sums["x"] * sums["y"]) / (sums["n"] * sums["xx"] - sums["x"] ** 2)
    months = np.where(slope > 0, 1 / slope, np.inf)
    return {"doubling_time": float(np.median(months))}


def _mrd(cohort, lines, spells) -> dict[str, float]:
    """Landmark at the first MRD test of line 1: who is alive and free of relapse then, followed from that day on."""
    _need(cohort, "findings")
    findings = cohort["findings"]
    tests = findings[(findings["finding"] == "MRD") & (findings["line"] == 1)].sort_values("day")
    tests = tests.drop_duplicates("patient_id").set_index("patient_id")
    first = spells[spells["line"] == 1].set_index("patient_id")
    start = lines[lines["line"] == 1].set_index("patient_id")["start_day"]
    patients = cohort["patients"].set_index("patient_id")
    frame = pd.DataFrame({"negative": tests["value"] == "negative", "day": tests["day"]})
    frame["free"] = (start + first["time"]).reindex(frame.index) - frame["day"]
    frame["relapsed"] = first["event"].isin(["relapse", "death"]).reindex(frame.index)
    frame["alive"] = (patients["last_contact_day"] - tests["day"]).reindex(frame.index)
    frame["dead"] = patients["death_day"].notna().reindex(frame.index)
    frame = frame[frame["free"] > 0]
    figures = {}
    for key, time, event in (("mrd_pfs_hr", "free", "relapsed"), ("mrd_os_hr", "alive", "dead")):
        model = _cox(pd.DataFrame({"time": _months(frame[time]), "event": frame[event], "negative": frame["negative"]}))
        figures[key] = _ratio(model, "negative")
    return figures


FIGURES: tuple[Callable[..., dict[str, float]], ...] = (
    _medians,
    _attrition,
    _line_ratios,
    _response,
    _stage,
    _cytogenetics,
    _prognosis,
    _relapse_kind,
    _lead_time,
    _doubling_time,
    _mrd,
)
