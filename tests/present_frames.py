"""Result frames made by hand for the tests of `present` and `disclosure`: small, plausible, seeded."""

import numpy as np
import pandas as pd

from analysis import schema

MONTH = schema.DAYS_PER_MONTH


def curves(endpoint="relapse", lines=(1, 2, 3, 4), patients=800, end_months=72, seed=1):
    """Cumulative incidences of every cause and event-free survival, as an Aalen-Johansen estimate would give them."""
    random = np.random.default_rng(seed)
    causes = ["relapse", "next_line", "death"] if endpoint == "relapse" else ["next_line", "death"]
    shares = (
        {"relapse": 0.75, "next_line": 0.1, "death": 0.15}
        if endpoint == "relapse"
        else {"next_line": 0.7, "death": 0.3}
    )
    frames = []
    for line in lines:
        size = max(patients // line**2, 12)
        time = np.sort(random.exponential(30 * MONTH / line, size))
        stop = random.uniform(6, end_months, size) * MONTH
        event = random.choice(causes, size, p=[shares[cause] for cause in causes])
        frames.append(
            _aalen_johansen(f"line {line}", np.minimum(time, stop), np.where(time <= stop, event, ""), causes)
        )
    return pd.concat(frames, ignore_index=True)


def _aalen_johansen(stratum, time, event, causes):
    order = np.argsort(time)
    time, event = time[order], event[order]
    at_risk = np.arange(len(time), 0, -1).astype(float)
    survival = np.cumprod(1 - (event != "") / at_risk)
    before = np.concatenate([[1.0], survival[:-1]])
    rows = {"stratum": stratum, "time": time, "at_risk": at_risk, "censored": (event == "").astype(float)}
    frames = []
    for cause in [*causes, "any"]:
        happened = (event != "") if cause == "any" else event == cause
        estimate = survival if cause == "any" else np.cumsum(before * happened / at_risk)
        error = np.sqrt(np.maximum(estimate * (1 - estimate), 0) / len(time)) + 1e-3
        frames.append(
            pd.DataFrame(
                {
                    "estimand": "survival" if cause == "any" else "cumulative incidence",
                    "event": cause,
                    **rows,
                    "estimate": estimate,
                    "conf_low": np.clip(estimate - 1.96 * error, 0, 1),
                    "conf_high": np.clip(estimate + 1.96 * error, 0, 1),
                    "std_error": error,
                    "events": happened.astype(float),
                }
            )
        )
    return pd.concat(frames)


def risk(curve_frame, months=(0, 12, 24, 36, 48, 60)):
    """At risk, events so far, censored so far at fixed times: adds up to N in every stratum at every time."""
    rows = []
    for stratum in dict.fromkeys(curve_frame["stratum"]):
        here = curve_frame[curve_frame["stratum"] == stratum]
        incidence = here[here["estimand"] == "cumulative incidence"]
        one = here[here["event"] == "any"]
        for month in months:
            earlier = one["time"] < month * MONTH
            rows.append([stratum, month * MONTH, "at risk", float((~earlier).sum())])
            for cause in dict.fromkeys(incidence["event"]):
                mine = incidence[(incidence["event"] == cause) & (incidence["time"] < month * MONTH)]
                rows.append([stratum, month * MONTH, cause, mine["events"].sum()])
            rows.append([stratum, month * MONTH, "censored", one.loc[earlier, "censored"].sum()])
    return pd.DataFrame(rows, columns=["stratum", "time", "state", "count"])


def comparison(event="relapse", lines=(1, 2, 3), months=(12, 24)):
    """The three readings of one frequency at fixed times, the right one between the two others."""
    rows = []
    for line in lines:
        for month in months:
            right = 0.2 + 0.1 * line + 0.005 * month
            shifts = {"cumulative incidence": 0.0, "one minus Kaplan-Meier": 0.06, "crude share": -0.04}
            for estimand, shift in shifts.items():
                estimate = right + shift
                row = [estimand, f"line {line}", event, month * MONTH, estimate, estimate - 0.03, estimate + 0.03]
                rows.append([*row, 0.015, 900.0 / line, 300.0, 50.0])
    names = ["estimand", "stratum", "event", "time", "estimate", "conf_low", "conf_high", "std_error"]
    return pd.DataFrame(rows, columns=[*names, "at_risk", "events", "censored"])


def attrition(months=(12, 24)):
    """CoMMpass-like counts by line and both readings."""
    rows = []
    counts = {1: (994, 256, 105), 2: (254, 99, 47), 3: (100, 38, 23)}
    for line, (entered, following, died) in counts.items():
        crude = {"next_line": following, "death": died, "neither": entered - following - died}
        for outcome, count in crude.items():
            share = count / entered
            rows.append([line, "crude", outcome, np.nan, share, share - 0.02, share + 0.02, entered, count])
        for month in months:
            shares = {"next_line": 0.2 * line + 0.001 * month, "death": 0.05 * line}
            shares["neither"] = 1 - sum(shares.values())
            for outcome, share in shares.items():
                row = [line, "Aalen-Johansen", outcome, month * MONTH, share, share - 0.02, share + 0.02]
                rows.append([*row, entered, round(share * entered)])
    names = ["line", "reading", "outcome", "time", "estimate", "conf_low", "conf_high", "entered", "count"]
    return pd.DataFrame(rows, columns=names).astype({"entered": float, "count": float})


def rates(event="relapse"):
    """Rates per 100 person-years; the last stratum has no event and so no lower limit but 0."""
    return pd.DataFrame(
        {
            "stratum": ["line 1", "line 2", "line 3", "line 4"],
            "event": event,
            "subjects": [5000.0, 2300.0, 900.0, 12.0],
            "events": [2300.0, 1200.0, 500.0, 0.0],
            "person_years": [9000.0, 2800.0, 700.0, 3.0],
            "estimate": [25.6, 42.9, 71.4, 0.0],
            "conf_low": [24.5, 40.5, 65.3, 0.0],
            "conf_high": [26.6, 45.4, 78.0, 123.0],
        }
    )


def quantiles(estimand="survival", event="any"):
    """Medians; the last one was not reached, the one before has no upper limit."""
    return pd.DataFrame(
        {
            "estimand": estimand,
            "stratum": ["line 1", "line 2", "line 3"],
            "event": event,
            "probability": 0.5,
            "estimate": [640.0, 377.0, np.nan],
            "conf_low": [600.0, 350.0, 200.0],
            "conf_high": [690.0, np.nan, np.nan],
            "subjects": [5000.0, 2300.0, 15.0],
            "events": [3000.0, 1500.0, 4.0],
            "note": ["", "", "the curve does not fall to one half"],
        }
    )


def class_shares():
    """Drug classes by line; one cell withheld."""
    rows = [(1, "PI", 3900.0, 0.78), (1, "IMiD", 3500.0, 0.70), (1, "anti-CD38", 1200.0, 0.24)]
    rows += [(2, "PI", 900.0, 0.40), (2, "IMiD", 1400.0, 0.61), (2, "CAR-T", np.nan, np.nan), (3, "CAR-T", 90.0, 0.1)]
    return pd.DataFrame(rows, columns=["line", "drug_class", "patients", "share"])


def class_flows():
    """Strategies over three lines; one band withheld."""
    rows = [(1, "PI + IMiD", "anti-CD38", 400.0), (1, "PI + IMiD", "death", 100.0), (1, "PI", "IMiD", np.nan)]
    rows += [(2, "anti-CD38", "CAR-T", 60.0), (2, "anti-CD38", "neither", 340.0), (3, "CAR-T", "neither", 60.0)]
    return pd.DataFrame(rows, columns=["line", "strategy", "next", "patients"])


def specifications(endpoint):
    """Two lines under four definitions, one without an estimate; the second is the default."""
    rows = []
    for line in (1, 2):
        for place, (rule, gap) in enumerate([("rajkumar", 90), ("rajkumar", None), ("ohdsi", 90), ("ohdsi", None)]):
            share = 0.4 + 0.1 * line + 0.02 * place if (line, place) != (2, 3) else np.nan
            text = f"{rule}, gap {gap or 'none'}"
            rows.append(
                (endpoint, 730.5, line, text, rule, 60, gap, 2016, place == 1, share, share - 0.05, share + 0.05)
            )
    names = ["event", "time", "line", "definition", "rule", "window_days", "gap_days", "imwg_version", "default"]
    frame = pd.DataFrame(rows, columns=[*names, "estimate", "conf_low", "conf_high"]).astype({"gap_days": "Int64"})
    return frame.assign(subjects=900.0, note="")


def line_agreement():
    """Patients with one to three lines; most agree, one cell is withheld."""
    rows = [(1, 1, 500.0, 480.0), (1, 2, 40.0, 0.0), (2, 1, 30.0, 0.0), (2, 2, 300.0, 290.0), (3, 3, np.nan, np.nan)]
    return pd.DataFrame(rows, columns=["lines_stated", "lines_derived", "patients", "same_starts"])


def courses(endpoint):
    """Two courses; a relapse is recorded only where the endpoint is one."""
    relapse = 280.0 if endpoint == "relapse" else np.nan
    rows = [(1, 1, "PI", 0.0, 300.0, relapse, ""), (1, 2, "CAR-T", 300.0, 900.0, np.nan, "censored")]
    rows += [(2, 1, "IMiD", 0.0, 700.0, np.nan, "death")]
    return pd.DataFrame(rows, columns=["course", "line", "strategy", "start", "end", "relapse", "event"])


def calibration():
    """Targets in different units, one missed, one not to be had."""
    return pd.DataFrame(
        {
            "target": ["median time to relapse, line 1", "reach line 2", "share with ISS III", "death before line 2"],
            "unit": ["months", "%", "%", "%"],
            "published": [21.0, 65.0, 40.0, 22.0],
            "band_low": [18.9, 61.0, 37.0, 18.0],
            "band_high": [23.1, 69.0, 43.0, 26.0],
            "achieved": [20.4, 70.3, 39.5, np.nan],
            "inside": [True, False, True, False],
            "source": ["Registry A", "Cohort <B>", "Trial C", "Cohort B"],
            "grade": "verified",
            "note": ["", "longer follow-up here", "", "too few deaths"],
        }
    )


def imputed(endpoint="relapse"):
    """Complete cases and filled gaps of one model."""
    rows = effects(endpoint).iloc[:3]
    filled = rows.assign(
        model=rows["model"] + ", 20 imputations", subjects=990.0, estimate=rows["estimate"] * [1.2, 1.0, 1.0]
    )
    filled = filled.assign(log_estimate=np.log(filled["estimate"]), note="fraction of missing information 0.12")
    return pd.concat([rows.assign(model=rows["model"] + ", complete cases"), filled], ignore_index=True)


def functional_form():
    """One number in four groups, the highest withheld."""
    rows = [(1, 52.0, 0.9, 0.7, 1.1, 80.0, 120.0, 72.0), (2, 63.0, 1.0, 0.8, 1.2, 75.0, 120.0, 75.0)]
    rows += [(3, 70.0, 1.25, 1.0, 1.5, 70.0, 120.0, 88.0), (4, 79.0, np.nan, np.nan, np.nan, 3.0, 120.0, np.nan)]
    names = ["group", "value", "estimate", "conf_low", "conf_high", "expected", "subjects", "events"]
    return pd.DataFrame(rows, columns=names).assign(model="Cox, event", variable="age_years", note="")


def effect_by_time():
    """Two terms over three groups of times."""
    rows = [("del17p", 1, 90.0, 2.1), ("del17p", 2, 400.0, 1.5), ("del17p", 3, 1000.0, 1.02)]
    rows += [("age_years", 1, 90.0, 1.01), ("age_years", 2, 400.0, 1.0), ("age_years", 3, 1000.0, np.nan)]
    frame = pd.DataFrame(rows, columns=["term", "group", "time", "estimate"])
    limits = {"conf_low": 0.8 * frame["estimate"], "conf_high": 1.25 * frame["estimate"], "overall": 1.4}
    return frame.assign(model="Cox, event", events=300.0, note="", **limits)


def patterns():
    """Most are complete; three probes are missing together; a rare pattern is withheld."""
    rows = [("complete", 0, 2218.0, 0.739), ("del17p + t4_14 + gain_1q", 3, 204.0, 0.068), ("iss", 1, np.nan, np.nan)]
    return pd.DataFrame(rows, columns=["pattern", "columns", "count", "share"]).assign(total=3000.0)


def landmark_flow(unit="patients", event="relapse"):
    """Selection up to a landmark; nobody came late, a few deaths are withheld."""
    rules = [
        f"all {unit} with a spell",
        f"{event} up to day 180",
        "death up to day 180",
        "under observation only after",
    ]
    removed = pd.array([0, 120, None, 0], dtype="Int64")
    return pd.DataFrame({"step": range(1, 5), "rule": rules, "removed": removed, "remaining": [1200, 1080, 1075, 1075]})


def effects(endpoint="relapse"):
    """Two causes of one model, a term without an estimate among them."""
    terms = ["iss[III]", "I(age_years / 10)", "del17p"]
    rows = []
    for model, ratios in ((f"Cox, {endpoint}", (1.5, 1.02, np.nan)), ("Cox, death", (1.8, 1.31, 0.7))):
        for term, ratio in zip(terms, ratios, strict=True):
            log, error = np.log(ratio), 0.1
            rows.append(
                {
                    "model": model,
                    "term": term,
                    "scale": "hazard ratio",
                    "estimate": ratio,
                    "conf_low": np.exp(log - 1.96 * error),
                    "conf_high": np.exp(log + 1.96 * error),
                    "log_estimate": log,
                    "std_error": error,
                    "p": 0.0004 if ratio > 1.2 else 0.4,
                    "subjects": 900.0,
                    "events": 500.0,
                    "note": "90 of 990 rows left out for missing values (iss 90)",
                }
            )
    return pd.DataFrame(rows)


def tests(endpoint="relapse", p=0.003):
    """A term whose effect changes, one whose effect does not, and both together."""
    return pd.DataFrame(
        {
            "model": f"Cox, {endpoint}",
            "test": "proportional hazards, km",
            "term": ["iss", "del17p", "all"],
            "statistic": [11.2, 0.4, 12.0],
            "df": [2, 1, 3],
            "p": [p, 0.53, 0.007],
            "note": "",
        }
    )


def contrasts(endpoint="relapse"):
    """Everybody with and without, for both causes."""
    return pd.DataFrame(
        {
            "estimand": "standardised cumulative incidence",
            "stratum": "del17p = 1.0",
            "reference": "del17p = 0.0",
            "event": [endpoint, "death"],
            "time": 24 * MONTH,
            "estimate": [0.118, -0.01],
            "conf_low": [0.02, -0.03],
            "conf_high": [0.21, 0.01],
            "std_error": 0.05,
            "p": [0.02, 0.3],
            "subjects": 900.0,
            "events": [400.0, 80.0],
            "note": "",
        }
    )


def standardised(endpoint="relapse"):
    """Two adjusted curves of one event."""
    months = np.arange(1, 61)
    parts = []
    for stratum, pace in (("del17p = 0.0", 40), ("del17p = 1.0", 22)):
        share = 1 - np.exp(-months / pace)
        parts.append(
            pd.DataFrame(
                {
                    "estimand": "standardised cumulative incidence",
                    "stratum": stratum,
                    "event": endpoint,
                    "time": months * MONTH,
                    "estimate": share,
                    "conf_low": share - 0.03,
                    "conf_high": share + 0.03,
                    "std_error": 0.015,
                    "at_risk": 900.0 - 10 * months,
                    "events": 5.0 * months,
                    "censored": 5.0 * months,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def terms():
    """One covariate in the models, one that is not, one that the cohort lacks."""
    return pd.DataFrame(
        {
            "term": ["iss", "t14_16", "fitness"],
            "formula": ["iss", "t14_16", "fitness"],
            "used": [True, False, False],
            "reference": ["I", "", ""],
            "columns": [2, 1, 0],
            "known": [900.0, 850.0, 0.0],
            "smallest": [250.0, 30.0, np.nan],
            "note": ["", "fewer than 50 in a level", "not in this cohort"],
        }
    )


def published():
    """What others found, one row with limits and one without."""
    return pd.DataFrame(
        {
            "term": ["iss[III]", "del17p"],
            "contrast": ["stage III v I", "del(17p) present v absent"],
            "outcome": ["progression-free survival", "overall survival"],
            "event": ["relapse", "death"],
            "estimate": [1.6, 1.78],
            "conf_low": [1.2, np.nan],
            "conf_high": [2.1, np.nan],
            "source": ["a trial", "a registry"],
            "grade": ["verified", "secondary"],
        }
    )


def time_ratios(endpoint="relapse", ratio=0.78):
    """The factor per line by two laws, the second of which cannot tell, and another term."""
    rows = []
    for model, factor, error in ((f"weibull, {endpoint}", ratio, 0.02), (f"log-normal, {endpoint}", 0.97, 0.05)):
        for term, value in (("line", factor), ("iss[III]", 0.6)):
            rows.append(
                {
                    "model": model,
                    "term": term,
                    "scale": "time ratio",
                    "estimate": value,
                    "conf_low": value * np.exp(-1.96 * error),
                    "conf_high": value * np.exp(1.96 * error),
                    "log_estimate": np.log(value),
                    "std_error": error,
                    "p": 0.01,
                    "subjects": 900.0,
                    "events": 500.0,
                    "note": "other events count as censoring: the effect is cause-specific",
                }
            )
    return pd.DataFrame(rows)


def fits(endpoint="relapse", watched_long=False):
    """Three laws and one that could not be fitted; the cure model with its plateau."""
    cause_specific = "other events count as censoring: the law is cause-specific"
    few = "2 rows watched past the last event: a plateau is identified by long follow-up only"
    frame = pd.DataFrame(
        {
            "distribution": ["weibull", "log-normal", "spline", "mixture cure"],
            "event": endpoint,
            "parameters": [2, 2, 4, 3],
            "log_likelihood": [-1000.0, -1020.0, np.nan, -998.5],
            "aic": [2004.0, 2044.0, np.nan, 2003.0],
            "bic": [2010.0, 2050.0, np.nan, 2012.0],
            "plateau": [np.nan, np.nan, np.nan, 0.12],
            "plateau_low": [np.nan, np.nan, np.nan, 0.05],
            "plateau_high": [np.nan, np.nan, np.nan, 0.26],
            "converged": [True, True, False, True],
            "subjects": 300.0,
            "events": 150.0,
            "note": [cause_specific, cause_specific, "no fit: 3 events for 4 parameters", cause_specific],
        }
    )
    frame.loc[3, "note"] = cause_specific if watched_long else f"{few}; {cause_specific}"
    return frame.assign(**{f"{name}_difference": frame[name] - frame[name].min() for name in ("aic", "bic")})


def parameters(endpoint="relapse"):
    """Two parameters, one of them at its edge."""
    return pd.DataFrame(
        {
            "distribution": ["weibull", "mixture cure"],
            "event": endpoint,
            "parameter": ["lambda_", "cured_fraction_"],
            "estimate": [912.4, 0.0],
            "conf_low": [850.1, np.nan],
            "conf_high": [974.7, np.nan],
            "std_error": [31.8, np.nan],
            "subjects": 300.0,
            "events": 150.0,
        }
    )


def fitted_curves(endpoint="relapse", last_month=48, months=72):
    """Two laws that agree up to the last event and part afterwards."""
    month = np.arange(0, months + 1.0)
    parts = []
    for law, plateau in (("weibull", 0.0), ("mixture cure", 0.15)):
        share = plateau + (1 - plateau) * np.exp(-month / 25)
        wide = 0.0015 * month
        parts.append(
            pd.DataFrame(
                {
                    "distribution": law,
                    "event": endpoint,
                    "time": month * MONTH,
                    "estimate": share,
                    "conf_low": np.clip(share - wide, 0, 1),
                    "conf_high": np.clip(share + wide, 0, 1),
                    "std_error": wide / 1.96,
                    "at_risk": np.round(300 * np.exp(-month / 15)),
                    "extrapolated": month > last_month,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def steps(endpoint="relapse", last_month=48):
    """A Kaplan-Meier curve of one event that ends with the last event."""
    month = np.linspace(0, last_month, 97)
    share = np.exp(-month / 25)
    return pd.DataFrame(
        {
            "estimand": "survival",
            "stratum": "all",
            "event": endpoint,
            "time": month * MONTH,
            "estimate": share,
            "conf_low": share - 0.03,
            "conf_high": np.minimum(share + 0.03, 1),
            "std_error": 0.015,
            "at_risk": np.round(300 * np.exp(-month / 15)),
            "events": 1.0,
            "censored": 1.0,
        }
    )
