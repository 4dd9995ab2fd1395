"""The cause-specific Cox model."""

from __future__ import annotations

import pandas as pd

from analysis.estimate.hazards.models import Model, effects, fitted, read


def cox(
    spells: pd.DataFrame,
    terms: str,
    cause: str | list[str],
    strata: str | list[str] | None = None,
    cluster: str | None = None,
    entry: str | None = None,
    weight: str | None = None,
    ties: str = "efron",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """What goes with a higher rate of the event among those still free of any? (cause-specific hazard ratios)

    Hazard of `cause` at time t = baseline of the stratum x exp(terms); other events leave the risk set, as censored
    ones do. It answers what drives the rate, not who will have had the event: for that see `fine_gray` and
    `predict_incidence`.

    Parameters
    ----------
    spells : table SPELLS with the columns named here; times in any one unit
    terms : formula of covariates, "age_years + C(iss) + bs(bmi_kg_m2, df=3)"; a factor's first level is the reference
    cause : event word, several (a combined end point), or "any" for all
    strata : column or columns with a baseline of their own
    cluster : column of the patient, when one has several rows: standard errors are then robust (Lin and Wei 1989)
    entry : column with the time of delayed entry: at risk for entry < t <= time
    weight : case weights; whole ones mean rows repeated (with Breslow's ties exactly; Efron's take the mean weight of
        the tied events, as R's do), others make the standard errors robust; 0 leaves the row out
    ties : "efron" (R's default) or "breslow" (that of SAS and Stata)

    Returns
    -------
    Table EFFECTS, one row per column of the formula. `note` says what was left out and why a number is missing: a
    constant or collinear column, fewer events than columns, a likelihood without maximum (separation), no convergence.

    Sources: Cox 1972; Efron 1977; Breslow 1974; Prentice et al. 1978 (causes).
    R: `coxph(Surv(entry, time, event == cause) ~ terms + strata(s), weights = w, cluster = id, ties = "efron")`.

    Raises
    ------
    schema.SchemaError
        naming column and first row: negative, missing or infinite times and covariates, time not after entry, an
        unknown event word, event codes, a gap in a stratum or cluster column, a variable that is not there.

    Example
    -------
    >>> spells = pd.DataFrame({"entry": 0, "time": [3, 5, 5, 8, 9], "age": [61, 70, 58, 66, 49],
    ...                        "event": ["relapse", "relapse", "death", "relapse", "censored"]})
    >>> cox(spells, "age", "relapse")[["term", "log_estimate", "std_error"]].round(4).values.tolist()
    [['age', 0.1325, 0.1155]]
    """
    return effects(fit_cox(spells, terms, cause, strata, cluster, entry, weight, ties), conf_level)


def fit_cox(
    spells: pd.DataFrame,
    terms: str,
    cause: str | list[str],
    strata: str | list[str] | None = None,
    cluster: str | None = None,
    entry: str | None = None,
    weight: str | None = None,
    ties: str = "efron",
    robust: bool | None = None,
) -> Model:
    """The fitted model of `cox`, to go on from: `effects`, `overall_tests`, `proportional_hazards`, `residuals`, ...

    `robust` True asks for robust errors without clusters (each row its own), False for the model's with them.
    """
    data = read(spells, terms, cause, strata, cluster, entry, weight)
    return fitted(data, "Cox", cause, ties, robust)
