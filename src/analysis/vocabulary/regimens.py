"""Regimens by their abbreviation: which agents VRd, CyBorD or D-VRd stand for."""

from __future__ import annotations

from functools import cache

import pandas as pd

from analysis.vocabulary.spelling import aliases_of, read_words, translate


def regimens() -> pd.DataFrame:
    """Which abbreviations of regimens does the suite know? One row per regimen.

    Returns
    -------
    DataFrame
        regimen (its usual abbreviation), agents (canonical, alphabetical, joined by +), aliases (joined by |), source
        (trial or publication, with its year, in which the abbreviation stands for these agents; "unconfirmed" behind
        what was not found again in public text).

    Example
    -------
    >>> regimens().set_index("regimen").loc["VCd", "aliases"].split("|")[:2]
    ['VDC', 'CyBorD']
    """
    return _regimens().copy()


def regimen_agents(names: pd.Series) -> pd.Series:
    """Which agents does each abbreviation stand for? Canonical agents joined by "+" as in LINES; missing if unknown.

    Only names of the table are read, in any case and with or without hyphens. Initials alone are never parsed: D is
    daratumumab in one hospital and dexamethasone in the next, P pomalidomide, prednisone or cisplatin.

    Example
    -------
    >>> regimen_agents(pd.Series(["RVd", "d-vrd", "VRX"])).tolist()  # doctest: +NORMALIZE_WHITESPACE
    ['bortezomib+dexamethasone+lenalidomide', 'bortezomib+daratumumab+dexamethasone+lenalidomide', None]
    """
    agents = _regimens().set_index("regimen")["agents"]
    known = {spelling: agents[regimen] for spelling, regimen in aliases_of(_regimens(), "regimen").items()}
    return translate(names, known)


@cache
def _regimens() -> pd.DataFrame:
    return read_words("regimens.csv")
