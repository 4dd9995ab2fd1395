"""The course over the lines: medians, attrition, how relapse quickens from line to line, depth of response."""

from __future__ import annotations

import pandas as pd

from analysis.estimate.calibration.basis import (
    CannotTellError,
    cox,
    median,
    months,
    need_relapse,
    ratio,
    survival_from_lines,
)

DEEP = ("VGPR", "CR", "sCR")


def progression_free(cohort, lines, spells) -> dict[str, float]:
    """Median months from line start to relapse or death, lines 1, 2, 3, 4 and later."""
    need_relapse(spells)
    ended, line = spells["event"].isin(["relapse", "death"]), spells["line"].clip(upper=4)
    return {f"pfs_{k}": median(months(spells.loc[line == k, "time"]), ended[line == k]) for k in (1, 2, 3, 4)}


def overall(cohort, lines, spells) -> dict[str, float]:
    """Median months from line start to death; a patient counts once for each line begun."""
    survival = survival_from_lines(cohort["patients"], lines)
    line = survival["line"].clip(upper=4)
    return {f"os_{k}": median(survival.loc[line == k, "time"], survival.loc[line == k, "event"]) for k in (1, 2, 3, 4)}


def attrition(cohort, lines, spells) -> dict[str, float]:
    """Crude shares: who reached a line, of all; who died before the next, of those who began the one before it."""
    if lines.empty:
        raise CannotTellError("no lines")
    begun = {line: set(lines.loc[lines["line"] == line, "patient_id"]) for line in (1, 2, 3, 4)}
    dead = set(cohort["patients"].loc[cohort["patients"]["death_day"].notna(), "patient_id"])
    figures = {}
    for line in (1, 2, 3):
        if begun[line]:
            figures[f"reach_{line + 1}"] = 100 * len(begun[line + 1]) / len(begun[1])
            figures[f"die_{line}"] = 100 * len((begun[line] & dead) - begun[line + 1]) / len(begun[line])
    return figures


def line_ratios(cohort, lines, spells) -> dict[str, float]:
    """Cox on gap time without other covariates: one term for line 2 and later, one per line after the second."""
    need_relapse(spells)
    frame = pd.DataFrame({"time": months(spells["time"]), "event": spells["event"].isin(["relapse", "death"])})
    frame["later"], frame["further"] = (spells["line"] >= 2).to_numpy(), (spells["line"] - 2).clip(lower=0).to_numpy()
    model = cox(frame)
    return {"line_hr_2": ratio(model, "later"), "line_hr_later": ratio(model, "further")}


def response(cohort, lines, spells) -> dict[str, float]:
    """Share with VGPR or better among lines with a known response, and in how many steps it falls."""
    known = lines[lines["best_response"] != "unknown"]
    if known.empty:
        raise CannotTellError("no response stated")
    deep = 100 * known["best_response"].isin(DEEP).groupby(known["line"].clip(upper=5)).mean().reindex(range(1, 6))
    steps = float((deep.diff().dropna() < 0).sum())
    return {"vgpr_1": deep[1], "vgpr_2": deep[2], "vgpr_5": deep[5], "vgpr_trend": steps}


FIGURES = {
    progression_free: ("pfs_1", "pfs_2", "pfs_3", "pfs_4"),
    overall: ("os_1", "os_2", "os_3", "os_4"),
    attrition: ("reach_2", "reach_3", "reach_4", "die_1", "die_2", "die_3"),
    line_ratios: ("line_hr_2", "line_hr_later"),
    response: ("vgpr_1", "vgpr_2", "vgpr_5", "vgpr_trend"),
}
