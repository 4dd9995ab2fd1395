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
    groups, code = np.unique(group, return_inverse=True)
    transplant = np.zeros(len(groups), dtype=bool)
    transplant[code[is_transplant[agent]]] = True
    return {
        "regimen": _joined(code, place[agent], names[order].tolist()),
        "classes": _joined(code, kind[agent], kinds[kind_order].tolist()),
        "transplant": transplant,
    }


def _joined(group: np.ndarray, code: np.ndarray, words: list[str]) -> np.ndarray:
    """The distinct words of each group, joined by "+" in the order of `words`."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    # Regimens are few, lines many: each set of words, as bits, is spelled once.
    sets = []
    for low in range(0, len(words), 64):
        here = (code >= low) & (code < low + 64)
        bit = np.where(here, np.uint64(1) << ((code - low) % 64).astype(np.uint64), np.uint64(0))
        sets.append(np.bitwise_or.reduceat(bit[order], starts) if len(starts) else bit[:0])
    which, first = np.zeros(len(starts), np.int64), np.zeros(1, np.int64)
    for bits in sets:
        _, first, which = np.unique(which * len(starts) + pd.factorize(bits)[0], return_index=True, return_inverse=True)
    members = np.stack(sets) if sets else np.zeros((0, 0), np.uint64)
    texts = ["+".join(word for place, word in enumerate(words) if _has(members[:, at], place)) for at in first]
    return np.array(texts, dtype=object)[which] if len(starts) else np.zeros(0, object)


def _has(bits: np.ndarray, place: int) -> bool:
    return bool(int(bits[place // 64]) >> (place % 64) & 1)
