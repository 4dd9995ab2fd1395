"""What the simulator alone can say: the true risk of relapse, and what would have been. For tests of analyses only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis import schema
from analysis.schema import DAYS_PER_MONTH
from analysis.sources.synthetic import characteristics, process
from analysis.sources.synthetic import parameters as p

SHORTEST_HORIZON_MONTHS = 2  # within the first weeks a relapse is told later than it happens
_BIN_DAYS = 14
_FRAILTY_STEPS = np.linspace(-3.4, 3.4, 18)  # standard deviations of the log frailty
_NOISE, _NOISE_WEIGHT = np.polynomial.hermite_e.hermegauss(9)


def true_risk(truth: pd.DataFrame, horizons_months: Sequence[float] = (12.0, 24.0)) -> pd.DataFrame:
    """How likely was a relapse within so many months of the line's start, before death and a change of therapy?

    Returns TRUE_RISK, one row per patient, line and horizon: `risk` given all that holds at the line's start -
    characteristics, regimen, transplant and maintenance planned, frailty; `risk_measurable` with the frailty known
    only by what happened in the lines before (relapses, depths of response, survival), which is the most that any
    prediction can know. The response to the line itself is unknown in both, and averaged over. Both are expectations
    given the past, so each is calibrated; the first discriminates better.

    Parameters
    ----------
    truth : TRUTH of a whole synthetic cohort: all lines of a patient up to the last one asked for
    horizons_months : 2 months or more

    Formula: sum over days t of (S(t - 1) - S(t)) D(t) C(t), where S, D and C are the chances of neither relapse, death
    nor a change by t, each from the hazards in `simulate`; averaged over the response (Gauss-Hermite) and, for the
    second, over frailty (its density times the likelihood of the lines before). Days are taken 14 at a time and
    the response at nine points: errors below 0.001, on average below 0.00001.

    Raises
    ------
    ValueError
        for a horizon below 2 months.

    Example
    -------
    >>> from analysis.sources import synthetic
    >>> truth = synthetic.simulate(patients=50, seed=1)["truth"]
    >>> true_risk(truth, [12]).head(2).round(3)[["patient_id", "line", "risk", "risk_measurable"]].values.tolist()
    [['S0000001', 1, 0.091, 0.189], ['S0000002', 1, 0.638, 0.468]]
    """
    short = [horizon for horizon in horizons_months if not horizon >= SHORTEST_HORIZON_MONTHS]
    if short:
        raise ValueError(
            f"horizons_months: expected {SHORTEST_HORIZON_MONTHS} or more, came {short}; ask for later ones"
        )
    schema.check(truth, schema.TRUTH)
    truth = truth.sort_values(["patient_id", "line"], ignore_index=True)
    frailties = np.exp(p.FRAILTY_LOG_SD * _FRAILTY_STEPS - p.FRAILTY_LOG_SD**2 / 2)
    weight = _frailty_weights(truth, frailties)
    known = _risks(truth, truth["frailty"].to_numpy(), horizons_months)
    unknown = np.zeros_like(known)
    for place, frailty in enumerate(frailties):
        unknown += weight[:, [place]] * _risks(truth, np.full(len(truth), frailty), horizons_months)
    repeated = truth[["patient_id", "line"]].loc[np.repeat(truth.index, len(horizons_months))].reset_index(drop=True)
    result = repeated.assign(
        horizon_months=np.tile(np.asarray(horizons_months, dtype=float), len(truth)),
        risk=known.ravel(),
        risk_measurable=unknown.ravel(),
    )
    return schema.check(result, schema.TRUE_RISK)


def counterfactual(patients: int, seed: int, **set_to) -> pd.DataFrame:
    """What would line 1 have been, had every patient had this characteristic - the same patients, all else the same?

    Returns SPELLS of line 1, followed to their end: time in days to the first of relapse, death and a change of therapy
    (next_line); nobody is censored. So the share with a relapse by t is the true cumulative incidence at t, death and
    change competing. The patients are those of `simulate(patients, seed)`, and every random number is the same, so the
    difference between two calls is the effect of the characteristic alone, on the way through treatment too (the frail
    get no transplant).

    Parameters
    ----------
    set_to : what every patient shall have: iss ("I", "II", "III"), fitness ("fit", "intermediate", "frail"), or a flag:
        del17p, t4_14, t14_16, gain_1q, ldh_high, egfr_below_50. None: the patients as they are.

    Raises
    ------
    ValueError
        for a characteristic or value that is not one of these, fewer than one patient, a negative seed; all at once.

    Example
    -------
    >>> early = {}
    >>> for lesion in (False, True):
    ...     spells = counterfactual(2000, seed=1, del17p=lesion)
    ...     early[lesion] = float(((spells["event"] == "relapse") & (spells["time"] <= 730)).mean().round(3))
    >>> early
    {False: 0.46, True: 0.546}
    """
    _refuse_unknown(patients, seed, set_to)
    streams = [np.random.default_rng([seed, 0, kind]) for kind in range(2)]
    true, _ = characteristics.draw(patients, 0, streams[0])
    spans = process.run(true.assign(**_columns(set_to)), streams[1])
    first = spans[spans["line"] == 1]
    changed = np.where(np.isfinite(first["change_day"]), first["next_day"], np.inf)
    ends = np.column_stack([first["progression_day"], changed, first["death_day"]])
    event = np.array(["relapse", "next_line", "death"], dtype=object)[ends.argmin(axis=1)]
    ids = true["patient_id"].to_numpy(object)[first["patient"].to_numpy()]
    spells = pd.DataFrame({"patient_id": ids, "line": 1, "entry": 0.0, "time": ends.min(axis=1), "event": event})
    return schema.check(spells, schema.SPELLS)


_WORDS = {"iss": ("I", "II", "III"), "fitness": ("fit", "intermediate", "frail")}
_FLAGS = ("del17p", "t4_14", "t14_16", "gain_1q", "ldh_high", "egfr_below_50")


def _refuse_unknown(patients: int, seed: int, set_to: dict) -> None:
    asked = {"patients": (patients, 1), "seed": (seed, 0)}
    faults = [
        f"{name}: expected at least {least}, came {came}" for name, (came, least) in asked.items() if came < least
    ]
    for name, value in set_to.items():
        allowed = (False, True) if name in _FLAGS else _WORDS.get(name)
        if allowed is None:
            faults.append(f"{name}: not a characteristic that can be set; expected one of {[*_WORDS, *_FLAGS]}")
        elif value not in allowed:
            faults.append(f"{name}: expected one of {list(allowed)}, came {value!r}")
    if faults:
        raise ValueError("counterfactual: " + "; ".join(faults))


def _columns(set_to: dict) -> dict:
    """The columns that the process reads."""
    columns = {name: value for name, value in set_to.items() if name in _FLAGS}
    if "iss" in set_to:
        columns |= {"iss_2": set_to["iss"] == "II", "iss_3": set_to["iss"] == "III"}
    if "fitness" in set_to:
        columns |= {word: set_to["fitness"] == word for word in ("intermediate", "frail")}
    return columns


def _by_line(truth: pd.DataFrame) -> dict[str, np.ndarray]:
    """Shape, scale and rates of death of each row's line."""
    step = np.minimum(truth["line"].to_numpy(), len(p.RELAPSE_SCALE_MONTHS)) - 1
    of_step = {
        "scale": p.RELAPSE_SCALE_MONTHS,
        "dies": p.DEATH_IN_LINE_PER_MONTH,
        "dies_biochemical": p.DEATH_BIOCHEMICAL_PER_MONTH,
        "dies_clinical": p.DEATH_CLINICAL_PER_MONTH,
    }
    found = {name: np.take(values, step) for name, values in of_step.items()}
    return found | {"shape": np.take(p.RELAPSE_SHAPE, np.minimum(step, 1))}


def _no_change(day: np.ndarray) -> np.ndarray:
    """Chance of no change for toxicity up to this day."""
    from scipy.special import ndtr

    months = np.log(day / DAYS_PER_MONTH / p.CHANGE_MEDIAN_MONTHS)
    return 1 - p.CHANGE_WITHOUT_PROGRESSION * ndtr(months / p.CHANGE_LOG_SD)


def _risks(truth: pd.DataFrame, frailty: np.ndarray, horizons_months: Sequence[float]) -> np.ndarray:
    """Relapse first by each horizon (columns), at these frailties, averaged over the response to come."""
    last = np.floor(np.asarray(horizons_months, dtype=float) * DAYS_PER_MONTH)
    early = p.EARLIEST_RELAPSE_DAYS
    edges = np.unique(np.concatenate([[0, max(early - 1, 0)], last, np.arange(early - 1, last.max(), _BIN_DAYS)]))
    edges = edges[edges >= 0]
    told = (edges[1:] + edges[:-1] + 1) / 2
    told = np.where(told < early, told + early, told)
    line = _by_line(truth)
    hazard = (edges / DAYS_PER_MONTH / line["scale"][:, None]) ** line["shape"][:, None]
    log_ratio = truth["log_hazard_ratio"].to_numpy() + np.log(frailty)
    dies = line["dies"] * np.exp(truth["death_log_hazard_ratio"].to_numpy()) * frailty**p.FRAILTY_ON_DEATH
    depth = truth["depth_expected"].to_numpy() + p.DEPTH_PER_LOG_FRAILTY * np.log(frailty)
    mass = np.zeros((len(truth), len(told)))
    for gone in (False, True):
        rate = (dies * np.exp(gone * p.MRD_DEATH_LOG_HAZARD_RATIO))[:, None]
        remains = np.exp(-rate * told / DAYS_PER_MONTH) * _no_change(told)
        for noise, weight in zip(_NOISE, _NOISE_WEIGHT / _NOISE_WEIGHT.sum(), strict=True):
            chance = 1 / (1 + np.exp(-(depth + noise - p.MRD_CUT) / p.MRD_LOG_SPREAD))
            response = p.DEPTH_LOG_HAZARD_RATIO * noise + gone * p.MRD_LOG_HAZARD_RATIO
            free = np.exp(-hazard * np.exp(log_ratio + response)[:, None])
            share = weight * (chance if gone else 1 - chance)
            mass -= share[:, None] * np.diff(free, axis=1) * remains
    return np.cumsum(mass, axis=1)[:, np.searchsorted(edges, last) - 1]


def _frailty_weights(truth: pd.DataFrame, frailties: np.ndarray) -> np.ndarray:
    """Chance of each frailty (columns) at the start of each line, by its density and by the lines before."""
    each = np.column_stack([_log_likelihood(truth, frailty) for frailty in frailties])
    before = pd.DataFrame(each).groupby(truth["patient_id"].to_numpy()).cumsum().to_numpy() - each
    log_weight = before - _FRAILTY_STEPS**2 / 2
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    return weight / weight.sum(axis=1, keepdims=True)


def _log_likelihood(truth: pd.DataFrame, frailty: float) -> np.ndarray:
    """Of each line that a next one followed: depth, relapse or none, survival, at this frailty; 0 for a last line."""
    line, log_z = _by_line(truth), np.log(frailty)
    days = {name: truth[name].to_numpy("float64", na_value=np.inf) for name in ("progression_day", "change_day")}
    start = truth["start_day"].to_numpy(float)
    following = np.append(start[1:], np.nan)
    same = np.append(truth["patient_id"].to_numpy()[1:] == truth["patient_id"].to_numpy()[:-1], False)
    noise = truth["depth"] - truth["depth_expected"] - p.DEPTH_PER_LOG_FRAILTY * log_z
    gone = truth["residual_disease_gone"].to_numpy()
    response = p.DEPTH_LOG_HAZARD_RATIO * noise + gone * p.MRD_LOG_HAZARD_RATIO
    ratio = np.exp(truth["log_hazard_ratio"] + response).to_numpy() * frailty
    relapsed = np.isfinite(days["progression_day"])
    end = np.where(same, np.where(relapsed, days["progression_day"], days["change_day"]) - start, 1.0)
    relapse = _log_density(end, ratio, line)
    early = (end > p.EARLIEST_RELAPSE_DAYS) & (end < 2 * p.EARLIEST_RELAPSE_DAYS)
    sooner = _log_density(np.where(early, end - p.EARLIEST_RELAPSE_DAYS, 1.0), ratio, line)
    relapse = np.where(early, np.logaddexp(relapse, sooner), relapse)
    stayed = -ratio * (end / DAYS_PER_MONTH / line["scale"]) ** line["shape"]
    dies = np.exp(truth["death_log_hazard_ratio"].to_numpy()) * frailty**p.FRAILTY_ON_DEATH
    survived = line["dies"] * np.exp(gone * p.MRD_DEATH_LOG_HAZARD_RATIO) * end / DAYS_PER_MONTH
    waited = np.where(same & relapsed, following - days["progression_day"], 0.0) / DAYS_PER_MONTH
    clinical = truth["clinical_day"].to_numpy("float64", na_value=np.inf)
    lead = np.where(relapsed, clinical - np.where(relapsed, days["progression_day"], 0.0), 0.0) / DAYS_PER_MONTH
    survived = survived + line["dies_biochemical"] * np.minimum(waited, lead)
    survived = survived + line["dies_clinical"] * np.maximum(waited - lead, 0.0)
    total = -(noise.to_numpy() ** 2) / 2 + np.where(relapsed, relapse, stayed) - dies * survived
    return np.where(same, total, 0.0)


def _log_density(days: np.ndarray, ratio: np.ndarray, line: dict[str, np.ndarray]) -> np.ndarray:
    """Log density of relapse on these days, but for what does not depend on the hazard ratio."""
    share = (days - 0.5) / DAYS_PER_MONTH / line["scale"]
    return np.log(ratio) + (line["shape"] - 1) * np.log(share) - ratio * share ** line["shape"]
