"""The agents of a line as words: regimen, classes, and whether a transplant is among them."""

from __future__ import annotations

import numpy as np
import pandas as pd

_TRANSPLANTS = ("allogeneic transplant", "autologous transplant")


def described(group: np.ndarray, agent: np.ndarray, names: np.ndarray, classes: np.ndarray) -> dict[str, np.ndarray]:
    """Regimen, classes and transplant flag of each group, in the order of the groups.

    `agent` is a place in `names` and `classes`. Distinct words are joined by "+" in alphabetical order, transplants
    last.
    """
    is_transplant = np.isin(classes, _TRANSPLANTS)
    order = np.lexsort((names.astype(str), is_transplant))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    kinds, first = np.unique(classes.astype(str), return_index=True)
    kind_order = np.lexsort((kinds, is_transplant[first]))
    kind_place = np.empty(len(kind_order), dtype=np.int64)
    kind_place[kind_order] = np.arange(len(kind_order))
    kind = kind_place[np.searchsorted(kinds, classes.astype(str))]
    order_of_rows = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order_of_rows], prepend=-1))
    ordered = agent[order_of_rows]
    transplant = np.logical_or.reduceat(is_transplant[ordered], starts) if len(starts) else np.zeros(0, bool)
    return {
        "regimen": _joined(starts, place[ordered], names[order].tolist()),
        "classes": _joined(starts, kind[ordered], kinds[kind_order].tolist()),
        "transplant": transplant,
    }


def _joined(starts: np.ndarray, code: np.ndarray, words: list[str]) -> np.ndarray:
    """The distinct words of each group, joined by "+" in the order of `words`; groups begin at `starts`."""
    # Regimens are few, lines many: each set of words, as bits, is spelled once.
    sets = []
    for low in range(0, len(words), 64):
        here = (code >= low) & (code < low + 64)
        bit = np.where(here, np.uint64(1) << ((code - low) % 64).astype(np.uint64), np.uint64(0))
        sets.append(np.bitwise_or.reduceat(bit, starts) if len(starts) else bit[:0])
    which = np.zeros(len(starts), np.int64)
    for bits in sets:
        which, _ = pd.factorize(which * len(starts) + pd.factorize(bits)[0])
    _, first = np.unique(which, return_index=True)
    texts = ["+".join(_spelled([bits[place] for bits in sets], words)) for place in first]
    return np.array([*texts, ""], dtype=object)[which]


def _spelled(bits: list[np.uint64], words: list[str]) -> list[str]:
    return [word for place, word in enumerate(words) if int(bits[place // 64]) >> (place % 64) & 1]
