"""Is an effect a straight line, and does it stay the same? Residuals, told by groups and never by patient."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from analysis.estimate.curves.limits import check_limits
from analysis.estimate.hazards.cox import fit_cox
from analysis.estimate.hazards.design import design_of, variables_of
from analysis.estimate.hazards.models import Model
from analysis.estimate.likelihood import martingale, schoenfeld
from analysis.schema import EFFECT_BY_TIME, FUNCTIONAL_FORM, TESTS, SchemaError


def functional_form(
    model: Model, spells: pd.DataFrame, number: str, groups: int = 10, conf_level: float = 0.95
) -> pd.DataFrame:
    """Are there more events than the model expects at some values of a number?

    Martingale residuals (events seen less expected; Therneau, Grambsch and Fleming 1990) summed in groups of about
    equal size by rising number, as the ratio of events seen to expected: 1 throughout where the shape is right. Limits
    are exact ones of Poisson's distribution with the expected taken as known; a little too wide, because the model
    was fitted to the same events.

    Parameters
    ----------
    model : from `fit_cox` and its kin, without weights; with the number as a straight line, or without it
    spells : those that the model was fitted to
    number : column of the spells
    groups : how many; equal values stay together, so there may be fewer

    Returns
    -------
    Table FUNCTIONAL_FORM. Rows without the number are left out, and the note says how many.

    R: `tapply(event, group, sum) / tapply(event - residuals(fit, "martingale"), group, sum)`.

    Raises
    ------
    analysis.schema.SchemaError
        for a column that is not there or holds no numbers, a model with weights or without finite estimates.

    Example
    -------
    >>> spells = pd.DataFrame({"time": [3, 5, 5, 8], "age": [61, 70, 58, 66], "event": "relapse"})
    >>> functional_form(fit_cox(spells, "age", "relapse"), spells, "age", groups=2)["estimate"].round(3).tolist()
    [1.326, 0.802]
    """
    check_limits("plain", conf_level)
    _check_model(model)
    values = _numbers(spells, number)[model.data.rows]
    known = ~np.isnan(values)
    if not known.any():
        raise SchemaError(f"column {number!r}: expected known values among the rows of the model, came none")
    code = _grouped(values[known], groups)
    seen = model.data.had.astype(float)[known]
    expected = np.bincount(code, seen - martingale(model.fit)[known])
    events, size = np.bincount(code, seen), np.bincount(code)
    tail = (1 - conf_level) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = special.gammaincinv(events, tail), special.gammaincinv(events + 1, 1 - tail)
        ratios = {"estimate": events / expected, "conf_low": np.where(events > 0, low, 0) / expected}
        ratios["conf_high"] = high / expected
    left_out = f"{int((~known).sum())} rows without {number} left out" if not known.all() else ""
    subjects = size if model.data.cluster is None else _distinct(code, model.data.cluster[known])
    return pd.DataFrame(
        {
            "model": model.name,
            "variable": number,
            "group": np.arange(1, len(size) + 1),
            "value": np.bincount(code, values[known]) / size,
            **ratios,
            "expected": np.maximum(expected, 0),
            "subjects": subjects.astype(float),
            "events": events,
            "note": left_out,
        }
    )[FUNCTIONAL_FORM.names]


def linearity(
    spells: pd.DataFrame, terms: str, cause: str | list[str], number: str, df: int = 4, **model
) -> pd.DataFrame:
    """Is a curve in a number better than a straight line? Table TESTS.

    The model of `terms` against the same with a cubic B-spline of `df` columns in place of the straight line, which
    it contains: likelihood ratio with df - 1 degrees of freedom, and with clusters Wald's test by the robust
    variance, because the former takes rows for independent. A large p does not show that the line is straight.

    Parameters
    ----------
    spells, terms, cause : as in `cox`; `number` must be a term of its own in `terms`
    df : columns of the spline, 4 for one knot at the median
    model : what `fit_cox` takes further: strata, cluster, entry, weight, ties

    R: `anova(coxph(... ~ x), coxph(... ~ bs(x, df = 4)))`.

    Raises
    ------
    analysis.schema.SchemaError
        as `cox`; where the number is no term, df is below 3, or it has too few distinct values for the curve.

    Example
    -------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.normal(size=200)
    >>> spells = pd.DataFrame({"time": rng.exponential(np.exp(-(x**2))), "event": "relapse", "x": x})
    >>> linearity(spells, "x", "relapse", "x")[["term", "df"]].values.tolist()
    [['x', 3]]
    """
    if number not in variables_of(terms) or number not in design_of(spells, terms).groups:
        raise SchemaError(
            f"number: expected a term of {terms!r} by itself, came {number!r}; write it without a function"
        )
    if df < 3 or df != int(df):
        raise SchemaError(f"df: expected a whole number of at least 3, came {df!r}; 4 is usual")
    curve = _curve(spells, terms, number, df)
    straight = fit_cox(spells, terms, cause, **model)
    bent = fit_cox(spells.assign(**curve), " + ".join([terms, *(f"`{name}`" for name in curve)]), cause, **model)
    places = [place for place, name in enumerate(bent.fit.names) if name in curve]
    found = [("likelihood ratio", 2 * (bent.fit.state.log_likelihood - straight.fit.state.log_likelihood))]
    note = "; ".join(straight.notes)
    if bent.fit.robust is not None:
        some = bent.fit.coefficients[places]
        variance = bent.fit.robust[np.ix_(places, places)]
        found.append(
            ("Wald, robust", float(some @ np.linalg.pinv(variance) @ some) if np.isfinite(some).all() else np.nan)
        )
    rows = [
        (
            straight.name,
            f"curve against straight line, {name}",
            number,
            value,
            df - 1,
            float(special.chdtrc(df - 1, value)),
            note,
        )
        for name, value in found
    ]
    return pd.DataFrame(rows, columns=TESTS.names)


def effect_by_time(model: Model, groups: int = 10, conf_level: float = 0.95) -> pd.DataFrame:
    """Does an effect change with time? The hazard ratio around each time, in groups of about equal numbers of events.

    Mean of the scaled Schoenfeld residuals plus the coefficient (Grambsch and Therneau 1994) in each group; its
    variance is that of the coefficient times all events over those of the group. The picture beside the test of
    `proportional_hazards`; where that fails, `time_varying_effect` estimates the effects of periods.

    Returns
    -------
    Table EFFECT_BY_TIME, one row per column of the model and group. R: `plot(cox.zph(fit, "identity"))`, by groups
    where R draws every event and a smooth curve.

    Raises
    ------
    analysis.schema.SchemaError
        for a model with weights or without finite estimates.

    Example
    -------
    >>> spells = pd.DataFrame({"time": [3, 5, 5, 8, 9], "age": [61, 70, 58, 66, 49], "event": "relapse"})
    >>> effect_by_time(fit_cox(spells, "age", "relapse"), groups=2)[["time", "estimate"]].round(3).values.tolist()
    [[4.333, 1.038], [8.5, 1.136]]
    """
    check_limits("plain", conf_level)
    _check_model(model)
    fit, data = model.fit, model.data
    rows, residual = schoenfeld(fit, scaled=True)
    if not len(rows):
        return pd.DataFrame(columns=EFFECT_BY_TIME.names)
    code = _grouped(data.time[rows].astype(float), groups)
    events = np.bincount(code)
    reach = special.ndtri(0.5 + conf_level / 2) * np.sqrt(len(rows) / events)
    parts = []
    for place, column in enumerate(fit.columns):
        centre = np.bincount(code, residual[:, place]) / events
        error = np.sqrt(fit.variance[column, column])
        parts.append(
            pd.DataFrame(
                {
                    "model": model.name,
                    "term": fit.names[column],
                    "group": np.arange(1, len(events) + 1),
                    "time": np.bincount(code, data.time[rows]) / events,
                    "estimate": np.exp(centre),
                    "conf_low": np.exp(centre - reach * error),
                    "conf_high": np.exp(centre + reach * error),
                    "overall": np.exp(fit.coefficients[column]),
                    "events": events.astype(float),
                    "note": "",
                }
            )
        )
    return pd.concat(parts, ignore_index=True)[EFFECT_BY_TIME.names]


def _check_model(model: Model) -> None:
    if model.data.weight is not None:
        raise SchemaError(f"{model.name}: expected a model without weights; fit it without them to look at its shape")
    if not model.fit.converged or not model.fit.finite.all():
        raise SchemaError(f"{model.name} has coefficients without a finite estimate; see its effects' notes")


def _numbers(spells: pd.DataFrame, name: str) -> np.ndarray:
    if name not in spells or not pd.api.types.is_numeric_dtype(spells[name].dtype):
        came = f"{spells[name].dtype}" if name in spells else f"only {list(map(str, spells.columns))}"
        raise SchemaError(f"column {name!r}: expected numbers in the spells, came {came}")
    return spells[name].to_numpy(float, na_value=np.nan)


def _grouped(values: np.ndarray, groups: int) -> np.ndarray:
    """The group of each value, from 0, by rising value; equal values stay together."""
    if groups < 1:
        raise SchemaError(f"groups: expected at least 1, came {groups!r}")
    edges = np.unique(np.quantile(values, np.arange(1, groups) / groups, method="inverted_cdf"))
    return np.unique(np.searchsorted(edges, values, side="left"), return_inverse=True)[1]


def _distinct(code: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    return pd.Series(cluster).groupby(code).nunique().to_numpy()


def _curve(spells: pd.DataFrame, terms: str, number: str, df: int) -> dict[str, np.ndarray]:
    """Columns that bend the straight line of a number: its spline less what a line says, as orthogonal columns."""
    kept = design_of(spells, terms).kept
    values = _numbers(spells, number)[kept]
    spline = design_of(spells.loc[kept], f"bs({number}, df={int(df)})").columns
    line = np.column_stack([np.ones(len(values)), values])
    left, size, _ = np.linalg.svd(spline - line @ np.linalg.lstsq(line, spline, rcond=None)[0], full_matrices=False)
    if len(values) <= df or size[df - 2] <= 1e-8 * size[0]:
        raise SchemaError(
            f"column {number!r}: expected enough distinct values for a curve of {df} columns, came "
            f"{len(np.unique(values))}; take a smaller df, or groups"
        )
    columns = {}
    for place in range(int(df) - 1):
        column = np.full(len(spells), np.nan)
        column[kept] = left[:, place] * np.sqrt(len(values))
        columns[f"{number}, curve {place + 1}"] = column
    return columns
