"""The ordinary Cox model as lifelines has it: the library's own fitted object beside the table."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.estimate.doors import as_names
from analysis.estimate.hazards.models import read
from analysis.schema import EFFECTS, SchemaError

if TYPE_CHECKING:
    from lifelines import CoxPHFitter

# With these lifelines comes to R's digits, and in fewer steps than by its own settings.
_TO_THE_LAST_DIGIT = {"step_size": 1.0, "precision": 1e-15, "r_precision": 1e-16}


def ordinary_cox(
    spells: pd.DataFrame,
    terms: str,
    cause: str | list[str],
    strata: str | list[str] | None = None,
    conf_level: float = 0.95,
) -> tuple[pd.DataFrame, CoxPHFitter | None]:
    """The cause-specific Cox model of one spell per patient, all watched from time 0, as a lifelines model.

    `cox` gives the same numbers and serves what lifelines lacks or gets wrong: delayed entry (its baseline ignores
    entry), several spells of a patient (its errors by cluster are wrong), weights, and separated terms.

    Parameters, raises: as in `cox`; besides, SchemaError for delayed entries or several spells of one patient.

    Returns
    -------
    (EFFECTS, fitter). The fitter is lifelines' own `CoxPHFitter`, fitted by Efron's ties with the formula `terms`: all
    of its methods serve (`print_summary`, `predict_survival_function`, `plot_partial_effects_on_outcome`). Where
    lifelines finds no maximum, the estimates are missing, the note says so, and the fitter is None.
    R: `coxph(Surv(time, event == cause) ~ terms + strata(s))`.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [3, 5, 5, 8, 9], "age": [61, 70, 58, 66, 49],
    ...                        "event": ["relapse", "relapse", "death", "relapse", "censored"]})
    >>> table, fitter = ordinary_cox(spells, "age", "relapse")
    >>> table[["term", "log_estimate"]].round(4).values.tolist(), type(fitter).__name__
    ([['age', 0.1325]], 'CoxPHFitter')
    """
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError

    _refuse(spells)
    data = read(spells, terms, cause, strata, None, None, None)
    frame = _frame(spells, data, as_names(strata))
    fitter, note = CoxPHFitter(alpha=1 - conf_level), ""
    # lifelines switches numpy's warnings off for the whole process; this switches them on again
    with np.errstate(), warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            fitter.fit(
                frame,
                "time",
                "had",
                formula=terms,
                strata=as_names(strata) or None,
                fit_options=_TO_THE_LAST_DIGIT,
            )
        except ConvergenceError as error:
            fitter, note = None, f"lifelines found no maximum: {str(error).splitlines()[0]}"
    notes = [*data.notes, note, *sorted({str(warning.message).splitlines()[0] for warning in heard})]
    event = cause if isinstance(cause, str) else " or ".join(cause)
    return _table(data, fitter, event, [text for text in notes if text]), fitter


def _refuse(spells: pd.DataFrame) -> None:
    faults = []
    if "entry" in spells and (late := int((spells["entry"] > 0).sum())):
        faults.append(f"expected everybody watched from time 0, came {late} delayed entries; use `cox` with entry=")
    if "patient_id" in spells and (again := int(spells["patient_id"].duplicated().sum())):
        faults.append(f"expected one spell per patient, came {again} more; use `cox` with cluster='patient_id'")
    if faults:
        raise SchemaError("ordinary_cox: " + "; ".join(faults))


def _frame(spells: pd.DataFrame, data, strata: list[str]) -> pd.DataFrame:
    """The rows in the model, with the variables of its formula in types that lifelines knows."""
    names = [name for name in map(str, data.design.spec.required_variables) if name in spells]
    frame = spells.iloc[data.rows][[*dict.fromkeys([*names, *strata])]].reset_index(drop=True)
    for name, dtype in frame.dtypes.items():
        if isinstance(dtype, pd.CategoricalDtype):
            continue
        if pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_extension_array_dtype(dtype):
            numeric = pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_numeric_dtype(dtype)
            frame[name] = frame[name].astype(float if numeric else object)
    return frame.assign(time=data.time.astype(float), had=data.had)


def _table(data, fitter: CoxPHFitter | None, event: str, notes: list[str]) -> pd.DataFrame:
    names = pd.Series(data.design.names, dtype=object)
    missing = pd.Series(np.nan, index=names.index)
    summary = None if fitter is None else fitter.summary.reset_index(drop=True)
    columns = {
        "estimate": "exp(coef)",
        "conf_low": f"exp(coef) lower {100 * (1 - (fitter.alpha if fitter else 0.05)):g}%",
        "conf_high": f"exp(coef) upper {100 * (1 - (fitter.alpha if fitter else 0.05)):g}%",
        "log_estimate": "coef",
        "std_error": "se(coef)",
        "p": "p",
    }
    frame = pd.DataFrame({"model": f"Cox, {event}", "term": names, "scale": "hazard ratio"}).assign(
        **{ours: missing if summary is None else summary[theirs] for ours, theirs in columns.items()},
        subjects=float(len(data.rows)),
        events=float(data.had.sum()),
        note="; ".join(notes),
    )
    # Without an error there was no maximum: the figure is where lifelines gave up.
    numbers = ["estimate", "conf_low", "conf_high", "log_estimate"]
    frame[numbers] = frame[numbers].where(frame["std_error"].notna())
    return frame[EFFECTS.names]
