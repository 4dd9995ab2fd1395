"""What the columns of a model, the models themselves and the levels of a covariate are called on the pages."""

from __future__ import annotations

import re

from analysis.present import labels

_PERIOD = re.compile(r", (?:(?:up to|after) day [\d.]+|day [\d.]+ to [\d.]+)$")
_TERMS = {
    "I(age_years / 10)": "age, per 10 years",
    "egfr_below_50": "estimated GFR below 50 mL/min",
    "short_previous_line": "next line within a year of the previous one",
    "deep_previous_response": "VGPR or better on the previous line",
    "refractory_pi": "refractory to a proteasome inhibitor",
    "refractory_imid": "refractory to an IMiD",
    "refractory_anti_cd38": "refractory to an anti-CD38 antibody",
    "response": "response so far",
    "mrd": "MRD test so far",
}
_MODELS = {
    "Cox": "hazard of {}",
    "PWP gap time": "hazard of {}, every line compared with its like",
    "Fine-Gray": "absolute risk of {}",
    "weibull": "time to {}, Weibull",
    "log-normal": "time to {}, log-normal",
    "log-logistic": "time to {}, log-logistic",
    "generalised gamma": "time to {}, generalised gamma",
}


def term_name(term: str) -> str:
    """A column of a model as words: a number by its name, a level by its variable and word, a product by both.

    A period of follow-up stands behind it.

    Example
    -------
    >>> term_name("iss[III]"), term_name("I(age_years / 10)"), term_name("del17p:line_2")
    ('ISS stage: III', 'age, per 10 years', 'del(17p) × line 2')
    >>> term_name("C(iss)[III], after day 365")
    'ISS stage: III, after day 365'
    """
    period = _PERIOD.search(str(term))
    column = str(term)[: period.start()] if period else str(term)
    return " × ".join(_factor_name(part) for part in column.split(":")) + (period[0] if period else "")


def _factor_name(part: str) -> str:
    level = re.fullmatch(r"(?:C\()?(.+?)\)?\[(.+)\]", part)
    if level:
        return f"{_TERMS.get(level[1], labels.variable_name(level[1]))}: {level[2].replace('_', ' ')}"
    return _TERMS.get(part, labels.variable_name(part))


def model_name(model: str, endpoint: str) -> str:
    """A model of EFFECTS by what it tells: "Cox, death" becomes "hazard of death without a recorded relapse".

    Example
    -------
    >>> model_name("Fine-Gray, next_line", "next_line")
    'absolute risk of start of the next line'
    >>> model_name("Cox, next_line, complete cases", "next_line")
    'hazard of start of the next line, complete cases'
    """
    kind, _, told = str(model).partition(", ")
    event, comma, more = told.partition(", ")
    name = labels.event_name(event, endpoint) if event in (*labels.EVENTS, "any") else event
    return _MODELS.get(kind, f"{kind}, {_MODELS['Cox']}").format(name) + comma + more


def law_name(distribution: str) -> str:
    """A distribution of a parametric model as it is written: "weibull" becomes "Weibull".

    Example
    -------
    >>> law_name("weibull"), law_name("spline")
    ('Weibull', 'spline')
    """
    return {"weibull": "Weibull"}.get(distribution, distribution)


def level_name(stratum: str) -> str:
    """A level that everybody is set to: "del17p = 1.0" becomes "del(17p) present".

    Example
    -------
    >>> level_name("del17p = 1.0"), level_name("iss = III")
    ('del(17p) present', 'ISS stage III')
    """
    name, _, level = str(stratum).partition(" = ")
    variable = _TERMS.get(name, labels.variable_name(name))
    if level in ("1", "1.0", "True"):
        return f"{variable} present"
    if level in ("0", "0.0", "False"):
        return f"{variable} absent"
    return f"{variable} {level.replace('_', ' ')}"


def plain_note(note: str) -> str:
    """What a fit noted, columns by their names in words.

    Example
    -------
    >>> plain_note("40 of 90 rows left out for missing values (iss 27, t4_14 13)")
    '40 of 90 rows left out for missing values (ISS stage 27, t(4;14) 13)'
    """
    return re.sub(r"\b[a-z]\w*\b", lambda word: _TERMS.get(word[0], labels.known_name(word[0])), note)
