"""The disease of each patient as it truly runs: line, relapse, gap, next line, death - before anything hides it.

A semi-Markov process. In each line three clocks run from its start: relapse (Weibull, times the patient's frailty
and true hazard ratios), death, and a change for toxicity. After relapse a gap to the next line runs against death.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.schema import DAYS_PER_MONTH
from analysis.sources.synthetic import parameters as p
from analysis.sources.synthetic import treatments


def frailty(patients: int, rng: np.random.Generator) -> np.ndarray:
    """Log-normal with mean 1: what makes the gaps of one patient alike beyond all that is measured."""
    return np.exp(p.FRAILTY_LOG_SD * rng.standard_normal(patients) - p.FRAILTY_LOG_SD**2 / 2)


def run(true: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """One row per patient and line truly begun, days as floats, inf where a thing never happens.

    Columns: patient (row in `true`), line, start_day, what was given, depth and MRD, the clocks' true days
    (relapse_day, progression_day, clinical_day, change_day, next_day, death_day) and the true log hazard ratios.
    """
    z = frailty(len(true), rng)
    active = np.arange(len(true))
    start = np.zeros(len(true))
    previous = np.full(len(true), -1)
    spans = []
    for line in range(1, p.MAX_LINES + 1):
        span = _line(true.iloc[active], active, line, start, z[active], previous, rng)
        spans.append(span)
        goes_on = np.isfinite(span["next_day"].to_numpy())
        active, start = active[goes_on], span["next_day"].to_numpy()[goes_on]
        previous = span["regimen"].to_numpy()[goes_on]
    spans = pd.concat(spans, ignore_index=True).sort_values(["patient", "line"], ignore_index=True)
    death = spans.groupby("patient")["death_day"].transform("min")
    return spans.assign(death_day=death)


def _line(true, active, line, start, z, previous, rng) -> pd.DataFrame:
    """One line of all patients who reach it."""
    step = min(line, len(p.RELAPSE_SCALE_MONTHS)) - 1
    given = treatments.choose(true, line, start, previous, rng)
    span = pd.DataFrame({"patient": active, "line": line, "start_day": start, "frailty": z, **given})
    risk = _weighted(true, p.RELAPSE_LOG_HAZARD_RATIOS)
    span["log_hazard_ratio"] = risk + span.pop("treatment_log_hazard_ratio")
    _respond(span, risk, line, rng)
    span["death_log_hazard_ratio"] = _weighted(true, p.DEATH_LOG_HAZARD_RATIOS)
    death_risk = span["death_log_hazard_ratio"].to_numpy() + p.FRAILTY_ON_DEATH * np.log(z)
    hazard = np.exp(span["log_hazard_ratio"] + span["response_log_hazard_ratio"]) * z
    relapse = p.RELAPSE_SCALE_MONTHS[step] * (rng.exponential(size=len(z)) / hazard) ** (
        1 / p.RELAPSE_SHAPE[min(step, 1)]
    )
    relapse = _confirmed(_days(relapse))
    dies = p.DEATH_IN_LINE_PER_MONTH[step] * np.exp(death_risk + span["mrd_negative"] * p.MRD_DEATH_LOG_HAZARD_RATIO)
    death = _days(rng.exponential(size=len(z)) / dies)
    change = _days(np.exp(np.log(p.CHANGE_MEDIAN_MONTHS) + p.CHANGE_LOG_SD * rng.standard_normal(len(z))))
    change = np.where(rng.random(len(z)) < p.CHANGE_WITHOUT_PROGRESSION, change, np.inf)
    span["relapse_day"] = start + relapse
    progressed = (relapse < death) & (relapse < change)
    span["progression_day"] = np.where(progressed, start + relapse, np.inf)
    changed = (change < death) & ~progressed
    span["change_day"] = np.where(changed, start + change, np.inf)
    span["death_day"] = np.where(progressed | changed, np.inf, start + death)
    _after_relapse(span, true, step, np.exp(death_risk), rng)
    if line == p.MAX_LINES:
        _end_of_lines(span, death_risk, step, rng)
    _cap_response(span, relapse)
    return span


def _confirmed(days: np.ndarray) -> np.ndarray:
    """A progression within the first weeks is confirmed that much later; nobody is piled up on one day."""
    return np.where(days < p.EARLIEST_RELAPSE_DAYS, p.EARLIEST_RELAPSE_DAYS + days, days)


def _days(months: np.ndarray) -> np.ndarray:
    return np.maximum(np.ceil(months * DAYS_PER_MONTH), 1)


def _weighted(true: pd.DataFrame, effects) -> np.ndarray:
    """Sum of the true log hazard ratios over the characteristics that the frame holds."""
    total = np.zeros(len(true))
    for name, effect in effects.items():
        if effect and name in true.columns:
            total += effect * true[name].to_numpy(float)
    return total


def _respond(span: pd.DataFrame, risk: np.ndarray, line: int, rng: np.random.Generator) -> None:
    """Depth of response and MRD; what the depth tells beyond frailty and risk acts on relapse."""
    noise = rng.standard_normal(len(span))
    expected = p.DEPTH_BY_LINE[min(line, len(p.DEPTH_BY_LINE)) - 1] + span.pop("depth_shift")
    span["depth_expected"] = expected + p.DEPTH_PER_RISK * risk
    span["depth"] = depth = span["depth_expected"] + p.DEPTH_PER_LOG_FRAILTY * np.log(span["frailty"]) + noise
    chance = 1 / (1 + np.exp(-(depth - p.MRD_CUT) / p.MRD_LOG_SPREAD))
    span["mrd_negative"] = rng.random(len(span)) < chance
    span["residual_disease_gone"] = span["mrd_negative"].copy()  # `_cap_response` takes back what had no time to show
    span["response_log_hazard_ratio"] = p.DEPTH_LOG_HAZARD_RATIO * noise + p.MRD_LOG_HAZARD_RATIO * span["mrd_negative"]


def _after_relapse(span, true, step, death_hazard, rng) -> None:
    """Kind of relapse, growth, the gap to the next line and death in that gap."""
    size, progressed = len(span), np.isfinite(span["progression_day"].to_numpy())
    logit = p.CLINICAL_LOGIT[min(step, 1)] + p.CLINICAL_MALE * ~true["female"].to_numpy()
    logit = logit + p.CLINICAL_DEEP * (span["depth"].to_numpy() >= p.DEPTH_CUTS[3])
    clinical = rng.random(size) < 1 / (1 + np.exp(-logit))
    kind = np.where(clinical, 2, np.where(rng.random(size) < p.SLOW, 1, 0))
    doubling = np.exp(rng.standard_normal(size) * np.take(p.DOUBLING_LOG_SD, kind)) * np.take(
        p.DOUBLING_MEDIAN_MONTHS, kind
    )
    lead = doubling * np.exp(p.LEAD_LOG_SD * rng.standard_normal(size)) * np.take((*p.LEAD_PER_DOUBLING, 0.0), kind)
    lead = np.where(clinical, 0.0, _days(lead))
    watch, treat = (
        _days(np.exp(np.log(median) + spread * rng.standard_normal(size)))
        for median, spread in zip(p.LAG_MEDIAN_MONTHS, p.LAG_LOG_SD, strict=True)
    )
    gap = np.where(clinical, treat, np.minimum(watch, lead + treat))
    never = p.NO_FURTHER_THERAPY_LOGIT[step] + p.NO_FURTHER_THERAPY_FRAIL * true["frail"].to_numpy()
    gap = np.where(rng.random(size) < 1 / (1 + np.exp(-never)), np.inf, gap)
    death = _death_after(lead, step, death_hazard, rng)
    day = span["progression_day"].to_numpy()
    span["clinical"], span["doubling_months"] = clinical & progressed, doubling
    span["anaemic"], span["renal"] = (rng.random(size) < share for share in (p.ANAEMIC_AT_RELAPSE, p.RENAL_AT_RELAPSE))
    span["clinical_day"] = np.where(progressed, day + lead, np.inf)
    span["next_day"] = np.where(progressed & (gap < death), day + gap, span["change_day"] + 14)
    died_waiting = progressed & (death <= gap)
    span["death_day"] = np.where(died_waiting, day + death, span["death_day"])


def _death_after(lead, step, death_hazard, rng) -> np.ndarray:
    """Days from relapse to death: a low rate while the relapse is only biochemical, a high one once it is clinical."""
    low, high = p.DEATH_BIOCHEMICAL_PER_MONTH[step], p.DEATH_CLINICAL_PER_MONTH[step]
    budget = rng.exponential(size=len(lead)) / death_hazard
    lead = lead / DAYS_PER_MONTH
    return _days(np.where(budget < low * lead, budget / low, lead + (budget - low * lead) / high))


def _end_of_lines(span, death_risk, step, rng) -> None:
    """After the last line simulated nobody goes on: those still waiting die at the rate of clinical relapse."""
    waits = np.isfinite(span["next_day"].to_numpy())
    rest = _days(rng.exponential(size=len(span)) / (p.DEATH_CLINICAL_PER_MONTH[step] * np.exp(death_risk)))
    span["death_day"] = np.where(waits, span["next_day"] + rest, span["death_day"])
    span["next_day"] = np.inf


def _cap_response(span: pd.DataFrame, relapse_days: np.ndarray) -> None:
    """A response needs time: whoever relapses early cannot have reached a deep one."""
    words = np.array(["PD", "SD", "MR", "PR", "VGPR", "CR", "sCR"], dtype=object)
    reached = np.searchsorted(p.DEPTH_CUTS, span["depth"].to_numpy())
    longest = np.searchsorted((60, 120, 180), relapse_days, side="right")
    cap = np.array([1, 3, 4, 6])[longest]
    best = np.minimum(reached, cap)
    span["best_response"] = words[best]
    span["mrd_negative"] &= best >= 4


def censor(true: pd.DataFrame, spans: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Last contact and death of each patient as they are seen: loss to follow-up and the end of the data come first."""
    death = np.full(len(true), np.inf)
    death[spans["patient"].to_numpy()] = spans["death_day"].to_numpy()
    loss = np.ceil(rng.exponential(size=len(true)) / p.LOSS_PER_YEAR * 365.25)
    end = np.floor((p.END_OF_DATA_YEAR - true["index_year"] - true["year_fraction"]) * 365.25).to_numpy()
    last = np.minimum(np.minimum(death, loss), end)
    seen = pd.Series(death).where(death <= last).astype("Int64")
    return pd.DataFrame({"last_contact_day": last.astype("int64"), "death_day": seen})
