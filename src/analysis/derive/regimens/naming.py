"""The agents of a line as words: regimen, classes, and whether a transplant is among them."""

from __future__ import annotations

import numpy as np

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
    pairs = np.sort(group * len(words) + code)
    distinct = pairs[np.flatnonzero(np.diff(pairs, prepend=-1))]
    starts = np.flatnonzero(np.diff(distinct // max(len(words), 1), prepend=-1))
    ends = np.append(starts, len(distinct))[1:]
    spelled = np.array(words, dtype=object)[distinct % max(len(words), 1)].tolist()
    known: dict[str, str] = {}  # one string per regimen, not one per patient
    texts = ("+".join(spelled[start:end]) for start, end in zip(starts, ends, strict=True))
    return np.array([known.setdefault(text, text) for text in texts], dtype=object)
