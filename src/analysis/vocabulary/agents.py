"""Treatments: the canonical spelling of an agent and the class it belongs to."""

from __future__ import annotations

from functools import cache

import pandas as pd

from analysis.vocabulary.spelling import aliases_of, read_words, translate


def drugs() -> pd.DataFrame:
    """Which treatments does the suite know? One row per agent.

    Returns
    -------
    DataFrame
        agent (canonical spelling: lower-case ingredient or procedure), drug_class, kind ("drug", "cell therapy",
        "transplant", or "support" for what is given beside a line and never makes one), aliases (joined by |), and its
        codes, empty where none was verified: rxnorm, atc, omop_concept_id (several joined by |); source (public
        vocabularies and lists that hold them, or INN for the international non-proprietary name).

    Example
    -------
    >>> drugs().set_index("agent").loc["bortezomib", "drug_class"]
    'PI'
    """
    return _drugs().copy()


def canonical_agents(names: pd.Series) -> pd.Series:
    """What is each treatment called here? The canonical spelling; an unknown name stays as it came.

    Single letters are never read: D is daratumumab in one hospital and dexamethasone in the next.

    Example
    -------
    >>> canonical_agents(pd.Series(["Velcade", "Dara IV", "ASCT", "D"])).tolist()
    ['bortezomib', 'daratumumab', 'autologous transplant', 'D']
    """
    return translate(names, _known()).fillna(names.astype(object))


def is_known_agent(names: pd.Series) -> pd.Series:
    """Is each treatment, in any spelling, in the vocabulary? True or false per row; missing is not known.

    Example
    -------
    >>> is_known_agent(pd.Series(["Revlimid", "snake oil"])).tolist()
    [True, False]
    """
    return translate(names, _known()).notna()


def drug_classes(agents: pd.Series) -> pd.Series:
    """To which class does each treatment belong? A class word per row, "unknown" where the name is not known.

    Example
    -------
    >>> drug_classes(pd.Series(["lenalidomide", "cilta-cel", "snake oil"])).tolist()
    ['IMiD', 'CAR-T', 'unknown']
    """
    classes = _drugs().set_index("agent")["drug_class"]
    return translate(agents, _known()).map(classes).fillna("unknown").astype(object)


@cache
def _drugs() -> pd.DataFrame:
    return read_words("drugs.csv")


@cache
def _known() -> dict[str, str]:
    return aliases_of(_drugs(), "agent")
