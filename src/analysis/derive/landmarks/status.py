"""Spells cut on the days on which something new became known: rows for a model with covariates that change."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import schema
from analysis.derive.landmarks.records import KINDS, LEVELS, check_spells, on_file, records, with_words


def time_varying(
    cohort: dict[str, pd.DataFrame],
    lines: pd.DataFrame,
    spells: pd.DataFrame,
    mrd_sensitivity: float = 1e-5,
    assessments: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The spells as stretches in which nothing new became known, each with what was known while it ran.

    Returns STATUS_SPELLS: the columns of the spells, and `response`, `mrd`, `transplanted` and `maintained` as in
    `at_landmark`, here as known at that time: "unknown", "not tested" and false until the first record. A stretch runs
    from just after `entry` up to and with `time`; a record of day d holds from just after d, so that an event of that
    day counts under what was known before it. All stretches but the last of a spell are censored; the time at risk and
    the events of every spell stay as they were.

    A Cox model takes them with delayed entry and no further care:
    `hazards.fit_cox(rows, "mrd", "relapse", strata="line", entry="entry", cluster="patient_id")`. Do not draw curves
    of these groups: nobody starts in them. A response or a test is not drawn by lot; the effect is no effect of it. A
    stated "best response" (read of sources without markers) may bear a day set looking back; then read landmarks only.

    Sources: Crowley and Hu, J Am Stat Assoc 1977;72:27; Therneau and Grambsch 2000, section 3.7.
    R: `survival::tmerge(..., tdc(day, value))`, then `coxph(Surv(tstart, tstop, event) ~ mrd)`.

    Parameters and errors as in `at_landmark`.

    Example
    -------
    >>> lines = pd.DataFrame({"patient_id": ["a"], "line": 1, "start_day": 0})
    >>> spells = pd.DataFrame({"patient_id": ["a"], "line": 1, "entry": 0, "time": [400], "event": "relapse"})
    >>> findings = pd.DataFrame({"patient_id": ["a"], "day": [150], "finding": ["MRD"], "value": ["negative"]})
    >>> rows = time_varying({"findings": findings}, lines, spells)
    >>> rows[["entry", "time", "event", "mrd"]].astype(object).values.tolist()
    [[0.0, 150.0, 'censored', 'not tested'], [150.0, 400.0, 'relapse', 'negative']]
    """
    check_spells(spells)
    known = records(cohort, lines, spells, mrd_sensitivity, assessments)
    end = spells["time"].to_numpy(float)
    known = known[known["since"].to_numpy() < end[known["spell"].to_numpy()]]
    cuts = _states(known, len(spells))
    spell, since = cuts["spell"].to_numpy(), cuts["since"].to_numpy()
    last = np.append(spell[1:] != spell[:-1], True)[: len(spell)]
    stop = np.where(last, end[spell], np.append(since[1:], 0)[: len(spell)])
    start = np.maximum(since, spells["entry"].to_numpy(float)[spell])
    # What ran out before the patient came under observation was never at risk of being seen.
    seen = last | (stop > start)
    rows = spells.iloc[spell[seen]].reset_index(drop=True)
    rows = rows.assign(entry=start[seen], time=stop[seen], event=rows["event"].where(last[seen], "censored"))
    rows = with_words(rows, {kind: cuts[kind].to_numpy()[seen] for kind in KINDS}, on_file(cohort))
    return schema.check(rows, schema.STATUS_SPELLS)


def _states(known: pd.DataFrame, size: int) -> pd.DataFrame:
    """Per spell and day of change, day 0 included: the code of each kind from that day on."""
    wide = known.groupby(["spell", "since", "kind"])["level"].agg(["min", "max"]).reset_index()
    # The positive of two tests of one day has the smaller code, the deeper of two responses the larger.
    wide["code"] = wide["min"].where(wide["kind"] == "mrd", wide["max"]).astype(float)
    wide = wide.pivot_table(index=["spell", "since"], columns="kind", values="code").reindex(columns=list(KINDS))
    starts = pd.MultiIndex.from_product([range(size), [0.0]], names=["spell", "since"])
    cuts = wide.reindex(wide.index.union(starts)).sort_index()
    by_spell = cuts.groupby(level="spell")
    cuts = by_spell.ffill().assign(response=by_spell["response"].cummax().groupby(level="spell").ffill())
    unknown = {kind: len(LEVELS[kind]) - 1 if kind in LEVELS else 0 for kind in KINDS}
    cuts = cuts.fillna(unknown).reset_index()
    same = cuts["spell"].eq(cuts["spell"].shift()) & cuts[list(KINDS)].eq(cuts[list(KINDS)].shift()).all(axis=1)
    return cuts[~same].reset_index(drop=True)
