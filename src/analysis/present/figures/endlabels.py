"""Where the name of a curve stands: at its end, and over no other curve.

A name to the right of the axes would need a leader from an early end across the figure, which would look like data;
so the name of a curve that ends early stands within the axes, at the nearest free place around its end.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.present.figures import style

# Of the axes: the height of a line of small text, and the width of one bold letter.
_TEXT_HEIGHT = 0.052
_LETTER_WIDTH = 0.0135
_REACHES_THE_END = 0.97
_GAP = 0.03
_GRID = 401


def place(steps: list[pd.DataFrame], names: list[str], horizon_months: float) -> list[tuple[float, float]]:
    """Where does the left middle of each name stand, in months and per cent?

    Parameters
    ----------
    steps : list of DataFrame
        one per curve, as `reading.steps` returns them: month, estimate, conf_low, conf_high.
    names : list of str
    horizon_months : float
        end of the time axis.

    Returns
    -------
    list of (month, per cent), one per curve. Curves that reach the horizon are named right of the axes.

    Example
    -------
    >>> early = pd.DataFrame({"month": [0, 30], "estimate": [0, 0.5], "conf_low": [0, 0.4], "conf_high": [0, 0.6]})
    >>> place([early], ["line 2"], 60)
    [(31.8, 50.0)]
    """
    ends = [(float(curve["month"].iloc[-1]), 100 * float(curve["estimate"].iloc[-1])) for curve in steps]
    late = [number for number, (month, _) in enumerate(ends) if month >= _REACHES_THE_END * horizon_months]
    places: dict[int, tuple[float, float]] = {}
    heights = style.spread([ends[number][1] for number in late], gap=100 * _TEXT_HEIGHT, low=1.5, high=98.5)
    for number, height in zip(late, heights, strict=True):
        places[number] = ((1 + _GAP) * horizon_months, height)
    month = np.linspace(0, 1, _GRID)
    sampled = [_sampled(curve, month * horizon_months) for curve in steps]
    early = [number for number in range(len(steps)) if number not in places]
    for number in sorted(early, key=lambda number: ends[number]):
        end = (ends[number][0] / horizon_months, ends[number][1] / 100)
        taken = [(x / horizon_months, y / 100, _width(names[other])) for other, (x, y) in places.items()]
        x, y = _nearest_free(end, _width(names[number]), month, sampled, taken)
        places[number] = (x * horizon_months, 100 * y)
    return [(round(x, 3), round(y, 3)) for x, y in (places[number] for number in range(len(steps)))]


def _width(name: str) -> float:
    return _LETTER_WIDTH * len(name)


def _sampled(curve: pd.DataFrame, months: np.ndarray) -> np.ndarray:
    """Line, lower and upper limit of a curve at each month; missing past its end."""
    here = np.searchsorted(curve["month"].to_numpy(), months, side="right") - 1
    values = curve[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=float)[here].T
    return np.where(months <= curve["month"].iloc[-1], values, np.nan)


def _nearest_free(end, width: float, month: np.ndarray, sampled: list[np.ndarray], taken: list) -> tuple[float, float]:
    """The candidate place around an end that covers least and is nearest."""
    shifts = [step * sign * _TEXT_HEIGHT / 2 for step in range(13) for sign in (1, -1)]
    candidates = [(end[0] + _GAP, end[1] + shift) for shift in shifts]
    candidates += [(end[0] - width / 2, end[1] + shift) for shift in shifts if abs(shift) >= _TEXT_HEIGHT]
    return min(candidates, key=lambda candidate: _cost(candidate, end, width, month, sampled, taken))


def _cost(candidate, end, width: float, month: np.ndarray, sampled: list[np.ndarray], taken: list) -> float:
    """What a name at this place would cover, in order of harm: another name or a line, the edge, a band, distance."""
    left, middle = candidate
    low, high = middle - 0.6 * _TEXT_HEIGHT, middle + 0.6 * _TEXT_HEIGHT
    cost = abs(middle - end[1]) + (0.02 if left < end[0] else 0.0)
    cost += 10.0 * (low < 0 or high > 1)
    for x, y, other_width in taken:
        cost += 10.0 * (left < x + other_width and x < left + width and abs(middle - y) < _TEXT_HEIGHT)
    under = (month >= left - 0.01) & (month <= left + width + 0.01)
    for line, lower, upper in sampled:
        with np.errstate(invalid="ignore"):
            cost += 5.0 * bool((under & (line > low) & (line < high)).any())
            # Steep steps jump across the name between two samples.
            jump = np.diff(np.sign(line[under] - middle))
            cost += 5.0 * bool((np.abs(jump) == 2).any())
            cost += 0.3 * float((under & (lower < high) & (upper > low)).sum()) / max(under.sum(), 1)
        cost += 5.0 * _crossed(candidate, end, month, line)
    return cost


def _crossed(candidate, end, month: np.ndarray, line: np.ndarray) -> bool:
    """Would the leader from the end to the name cross this line?"""
    start, stop = sorted((end[0], max(candidate[0], end[0] + 0.005)))
    between = (month > start + 0.003) & (month <= stop)
    values = line[between]
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return False
    return bool(((values - end[1]) * (values - candidate[1]) < 0).any())
