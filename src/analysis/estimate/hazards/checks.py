"""May the model be read as it stands? Proportional hazards, events per term, influence; and its tests as a whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from analysis.estimate.hazards.models import Data, Model
from analysis.estimate.likelihood import dfbeta, martingale, schoenfeld, tests, time_varying_tests
from analysis.schema import CHECKS, RESIDUALS, TESTS, SchemaError


def overall_tests(model: Model) -> pd.DataFrame:
    """Do the terms together go with the hazard? Likelihood-ratio, score and Wald tests: table TESTS.

    The Wald test uses the robust variance where there is one. Likelihood-ratio and score tests take rows for
    independent; with clusters read the robust ones. R: `summary(fit)`: logtest, sctest, waldtest, robscore.
    """
    note = "; ".join(model.notes)
    rows = [(model.name, name, "all", value, df, p, note) for name, value, df, p in tests(model.fit)]
    return pd.DataFrame(rows, columns=TESTS.names)


def proportional_hazards(model: Model, transform: str = "km", by_term: bool = True) -> pd.DataFrame:
    """Does an effect change with time? The score test for adding term x g(time), for each term and for all together.

    Parameters
    ----------
    model : from `fit_cox` and its kin
    transform : g: "km" (one minus Kaplan-Meier of all rows just before the time), "rank", "identity", "log"
    by_term : a factor's or spline's columns tested together; else each column by itself

    Returns
    -------
    Table TESTS. The test is exact, as in R's `survival::cox.zph` since 3.0 (Grambsch and Therneau 1994; Therneau and
    Grambsch 2000); it uses the model's own information, with clusters too. A large p does not show that hazards are
    proportional.

    Raises
    ------
    SchemaError
        for another transform, or "log" with an event at time 0.
    """
    fit, test = model.fit, f"proportional hazards, {transform}"
    moment = _moment(model.data, fit.problem.sets.time, transform)
    of_columns = {name: [place] for place, name in enumerate(fit.names)}
    groups = model.data.design.groups if by_term else of_columns
    place_of = {column: place for place, column in enumerate(fit.columns)}
    places = {term: [place_of[c] for c in columns if c in place_of] for term, columns in groups.items()}
    places["all"] = list(range(len(fit.columns)))
    note = "; ".join(model.notes)
    if not fit.converged or not fit.finite.all():
        note = "; ".join([*model.notes, "no test: not every coefficient has a finite estimate"])
        found = [np.nan] * len(places)
    else:
        found = time_varying_tests(fit, moment, [np.array(group, dtype=int) for group in places.values()])
    rows = [
        (model.name, test, term, value if group else np.nan, len(group), float(special.chdtrc(len(group), value)), note)
        for (term, group), value in zip(places.items(), found, strict=True)
    ]
    return pd.DataFrame(rows, columns=TESTS.names)


def _moment(data: Data, times: np.ndarray, transform: str) -> np.ndarray:
    """g(time) for each of the times."""
    if transform == "identity":
        return times
    if transform == "log":
        if len(times) and times.min() <= 0:
            raise SchemaError("transform 'log': expected event times above 0, came 0; use 'km' or 'rank'")
        return np.log(times)
    everyone = np.sort(data.time)
    if transform == "rank":
        before, upto = (np.searchsorted(everyone, times, side=side) for side in ("left", "right"))
        return (before + upto + 1) / 2
    if transform != "km":
        raise SchemaError(f"transform: expected 'km', 'rank', 'identity' or 'log', came {transform!r}; use one of them")
    moments, events = np.unique(data.time[data.had], return_counts=True)
    at_risk = len(everyone) - np.searchsorted(everyone, moments, side="left")
    if data.entry is not None and data.entry.max(initial=0) > 0:
        at_risk -= len(everyone) - np.searchsorted(np.sort(data.entry), moments, side="left")
    survival = np.concatenate([[1.0], np.cumprod(1 - events / at_risk)])
    return 1 - survival[np.searchsorted(moments, times, side="left")]


def events_per_term(model: Model, least: float = 10) -> pd.DataFrame:
    """Are there enough events for so many columns? Table CHECKS, one row; fewer than 10 is a warning, not a law.

    Peduzzi et al. 1995 give 10; Vittinghoff and McCulloch 2007 show that 5 to 9 often do.
    """
    columns, events = len(model.fit.names), int(model.data.had.sum())
    value = events / columns if columns else np.nan
    row = (f"{model.name}: events per column of the model", value, least, bool(not columns or value >= least), "")
    return pd.DataFrame([row], columns=CHECKS.names)


def influence(model: Model, most: float = 0.5) -> pd.DataFrame:
    """Does one subject carry an effect? Table CHECKS: per column, the largest change of the coefficient for leaving out
    a cluster (or row), in its standard errors (robust where the model's are; R's dfbetas take the model's own).

    One-step approximation: sum of dfbeta by cluster (Therneau and Grambsch 2000). The note names the row, as the spells
    name it by position; with clusters, the first row of the cluster. R: `residuals(fit, "dfbetas", collapse = id)`.
    """
    rows = []
    for name, change, code in _changes(model):
        worst = int(np.argmax(np.abs(change)))
        row = model.data.rows[np.flatnonzero(code == worst)[0]]
        value = float(abs(change[worst]))
        rows.append((f"{model.name}: {name}, change by one subject", value, most, value <= most, f"row {row}"))
    return pd.DataFrame(rows, columns=CHECKS.names)


def influence_summary(model: Model, most: float = 0.5) -> pd.DataFrame:
    """Does one subject carry an effect, and how many could? Table CHECKS that points to nobody.

    As `influence`, but the note says how many subjects change the coefficient by more than `most` of its standard
    errors - "at most 7" for 1 to 7, so that it may be shown of a real cohort - and names none of them.

    Example
    -------
    >>> from analysis.estimate.hazards import fit_cox
    >>> spells = pd.DataFrame({"entry": 0, "time": [3, 5, 5, 8], "age": [61, 70, 58, 66], "event": "relapse"})
    >>> influence_summary(fit_cox(spells, "age", "relapse"))["note"].tolist()
    ['none of 4 subjects change it by more than 0.5 standard errors']
    """
    rows = []
    for name, change, _ in _changes(model):
        value, many = float(np.abs(change).max()), int((np.abs(change) > most).sum())
        said = "none" if not many else f"at most {_FEW}" if many <= _FEW else f"{many:,}"
        note = f"{said} of {len(change):,} subjects change it by more than {most:g} standard errors"
        rows.append((f"{model.name}: {name}, largest change by one subject", value, most, value <= most, note))
    return pd.DataFrame(rows, columns=CHECKS.names)


_FEW = 7  # counts up to it are withheld of real cohorts (see disclosure)


def _changes(model: Model) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Per column with an estimate: its name, the change for leaving out each subject in standard errors, and each row's
    subject."""
    fit, data = model.fit, model.data
    if not fit.converged:
        return []
    code = np.arange(len(data.rows)) if data.cluster is None else data.cluster
    places, change = fit.columns[fit.finite], dfbeta(fit)
    return [
        (fit.names[place], np.bincount(code, change[:, column]) / fit.errors[place], code)
        for column, place in enumerate(places)
    ]


def residuals(model: Model, kind: str) -> pd.DataFrame:
    """Which rows does the model not explain, or lean on? Table RESIDUALS.

    kind "martingale": events seen less expected, per row (Barlow and Prentice 1988). "schoenfeld": covariates less
    their mean at risk, per event; "scaled schoenfeld": the effect at that time (Grambsch and Therneau 1994).
    "dfbeta": change of each coefficient for having the row, weight included; by cluster, add them up.
    R: `residuals(fit, type = "martingale" | "schoenfeld" | "scaledsch" | "dfbeta")`.

    Raises SchemaError for another kind, or a model without finite estimates.

    Example
    -------
    >>> from analysis.estimate.hazards import fit_cox
    >>> spells = pd.DataFrame({"entry": 0, "time": [3, 5, 5, 8], "age": [61, 70, 58, 66], "event": "relapse"})
    >>> residuals(fit_cox(spells, "age", "relapse"), "martingale")["residual"].round(4).tolist()
    [0.7133, 0.4495, -0.2211, -0.9418]
    """
    fit, data = model.fit, model.data
    if not fit.converged or not fit.finite.all():
        raise SchemaError(f"residuals: {model.name} has coefficients without a finite estimate; see its effects' notes")
    names = [fit.names[column] for column in fit.columns]
    if kind == "martingale":
        rows, values, names = np.arange(len(data.rows)), martingale(fit)[:, None], [""]
    elif kind == "dfbeta":
        rows, values = np.arange(len(data.rows)), dfbeta(fit)
    elif kind in ("schoenfeld", "scaled schoenfeld"):
        rows, values = schoenfeld(fit, scaled=kind != "schoenfeld")
    else:
        kinds = ["martingale", "schoenfeld", "scaled schoenfeld", "dfbeta"]
        raise SchemaError(f"kind: expected one of {kinds}, came {kind!r}; use one of them")
    frame = pd.DataFrame(
        {
            "model": model.name,
            "kind": kind,
            "row": np.repeat(data.rows[rows], len(names)),
            "time": np.repeat(data.time[rows].astype(float), len(names)),
            "term": np.tile(np.array(names, dtype=object), len(rows)),
            "residual": values.ravel(),
        }
    )
    return frame[RESIDUALS.names]
