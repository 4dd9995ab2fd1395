"""How free spellings find their canonical word: one key for all spellings, one look-up per distinct value."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from importlib.resources import files

import numpy as np
import pandas as pd

_PLAIN = str.maketrans({"µ": "u", "μ": "u", "×": "x", "⁹": "^9", "³": "^3", "·": ""})


def read_words(name: str) -> pd.DataFrame:
    """Which words does the suite know? One of the CSV files beside this code, every cell as text."""
    with files(__package__).joinpath(name).open(encoding="utf-8") as text:
        return pd.read_csv(text, dtype=str, keep_default_na=False)


def word_key(name: str) -> str:
    """The key under which all spellings of a name meet: case, hyphens, dots and trade marks make no difference.

    >>> word_key(" Solu-Medrol® ") == word_key("solu medrol")
    True
    """
    folded = unicodedata.normalize("NFKC", name.replace("®", " ").replace("™", " ")).casefold()
    return re.sub(r"[\W_]+", " ", folded).strip()


def unit_key(unit: str) -> str:
    """The key of a unit: case, blanks and the two micro signs make no difference.

    >>> unit_key("µmol / L")
    'umol/l'
    """
    return re.sub(r"\s+", "", unit.translate(_PLAIN).casefold()).replace("mcg", "ug")


def aliases_of(words: pd.DataFrame, name: str) -> dict[str, str]:
    """From the key of every name and alias to the canonical name, for a frame with the columns `name` and aliases."""
    known = {word_key(alias): row[name] for _, row in words.iterrows() for alias in row["aliases"].split("|") if alias}
    return known | {word_key(canonical): canonical for canonical in words[name]}


def translate(values: pd.Series, known: Mapping[str, str], key: Callable[[str], str] = word_key) -> pd.Series:
    """Each value's canonical word, missing where unknown; quick on long columns : each distinct value is asked once."""
    codes, distinct = pd.factorize(values)
    found = np.array([known.get(key(str(value))) for value in distinct] + [None], dtype=object)
    return pd.Series(found[codes], index=values.index, name=values.name, dtype=object)
