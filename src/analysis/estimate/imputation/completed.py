"""The spells with every gap filled, several times over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.estimate.doors import check_spells
from analysis.estimate.imputation.chained import chained
from analysis.estimate.imputation.variables import (
    Variable,
    by_patient,
    check_columns,
    gaps,
    outcomes,
    raise_all,
    variables,
    with_gaps,
)
from analysis.estimate.likelihood.threads import one_thread


def imputed(
    spells: pd.DataFrame,
    columns: Sequence[str],
    auxiliary: Sequence[str] = (),
    imputations: int = 20,
    cycles: int = 10,
    donors: int = 5,
    seed: int = 2026,
    entry: str | None = None,
) -> list[pd.DataFrame]:
    """What might the missing covariates have been? The spells completed several times by chained equations.

    Each gap takes a value seen in one of the `donors` patients predicted nearest (predictive mean matching), from all
    other columns, each cause's event indicator and its Nelson-Aalen cumulative hazard by line. "unknown" is a gap. A
    patient's gap is filled once for all lines of the patient. A column that is complete predicts by its value on the
    patient's first line.

    It assumes that a value's being missing depends on what was seen only (missing at random), which no data can show.
    Interactions and curves of incomplete columns are not in the imputation model and come out too weak.

    Parameters
    ----------
    spells : table SPELLS with the columns named here, all rows of each patient
    columns : the covariates to be filled; those without gaps only predict
    auxiliary : further columns that predict, as they are: in them "unknown" is a level of its own
    imputations, cycles : completed data sets, and rounds of the equations for each
    seed : each data set has its own stream of random numbers, so the first five of twenty are those of five
    entry : column with the time of delayed entry, where there is one

    Returns
    -------
    A list of frames like the spells, the gaps in `columns` filled. None missing: a list of one, the spells.

    Sources: van Buuren 2018, Flexible Imputation of Missing Data, 2nd ed.; White and Royston, Stat Med 2009;28:1982.
    R: `mice(data, method = "pmm", donors = 5, maxit = 10)` with `nelsonaalen(data, time, event)` among the predictors.

    Raises
    ------
    analysis.schema.SchemaError
        for absent columns, one without any known value, one with gaps that is not the same on all lines of a
        patient, too few known values for the predictors, numbers below 1.

    Example
    -------
    >>> rng = np.random.default_rng(1)
    >>> spells = pd.DataFrame({"time": rng.exponential(9, 60), "event": "death", "age": rng.normal(65, 9, 60)})
    >>> completed = imputed(spells.assign(age=spells["age"].where(spells.index > 5)), ["age"], imputations=3)
    >>> len(completed), completed[0]["age"].isin(spells["age"][6:]).all().item()
    (3, True)
    """
    columns, auxiliary = list(columns), list(auxiliary)
    numbers = {"imputations": imputations, "cycles": cycles, "donors": donors}
    raise_all([f"{name}: expected at least 1, came {came!r}" for name, came in numbers.items() if not came >= 1])
    check_columns(spells, columns + auxiliary, least=1)
    check_spells(spells, [name for name in ("patient_id", "line") if name in spells], entry, None)
    if not any(gaps(spells[name]).any() for name in columns):
        return [with_gaps(spells, columns)]
    first, place = by_patient(spells)
    found = variables(spells, first, place, columns, unknown=True)
    found += variables(spells, first, place, auxiliary, unknown=False)
    outcome = outcomes(spells, place, len(first), entry)
    framed = with_gaps(spells, columns)
    with one_thread():
        completed = [
            chained(found, outcome, cycles, donors, np.random.default_rng([seed, number]))
            for number in range(imputations)
        ]
    asked = [variable for variable in found if variable.name in columns and variable.missing.any()]
    return [_filled(framed, place, asked, values) for values in completed]


def _filled(spells: pd.DataFrame, place: np.ndarray, asked: list[Variable], values: dict) -> pd.DataFrame:
    """The spells with the gaps of the variables filled, each column in its own type."""
    changed = {}
    for variable in asked:
        column, missing = spells[variable.name], spells[variable.name].isna().to_numpy(bool)
        new = values[variable.name][place[missing]]
        if variable.levels is not None:
            new = np.array(variable.levels, dtype=object)[new.astype(int)]
        if pd.api.types.is_integer_dtype(column.dtype):
            new = new.astype("int64")
        changed[variable.name] = column.copy()
        changed[variable.name].iloc[np.flatnonzero(missing)] = new
    return spells.assign(**changed)
