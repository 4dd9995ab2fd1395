"""What ends a line in this source: a relapse, or only the next line? Decided by how many patients could show one."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.sources.omop.told import Counts, Faults, warning


@dataclass(frozen=True)
class Endpoint:
    """`word` of COHORT; whether stated progressions are read (else relapses are judged from markers); `why`."""

    word: str
    stated: bool
    why: str


def endpoint(count: Counts, least_share: float) -> Endpoint:
    """The endpoint "relapse" asks for a share of the patients with a disease status on record, or with a marker.

    A few patients with a status or a marker would make all others look free of relapse. Stated progressions of fewer
    patients are not read at all: beside relapses judged from markers they would count for those few alone.

    Example
    -------
    >>> count = {"observed": 200, "followable": 150, "status": 3, "progressions": 4}
    >>> endpoint(count, 0.5)  # doctest: +NORMALIZE_WHITESPACE
    Endpoint(word='relapse', stated=False, why='endpoint relapse: of 200 patients 3 (2 %) have a disease status on
    record, 150 (75 %) M-protein or a free light chain as treatment began and later; one of the two is asked of 50 %')
    """
    patients, status, followable = (count.get(name, 0) for name in ("observed", "status", "followable"))
    least = least_share * patients
    stated = bool(count.get("progressions", 0)) and 0 < status >= least
    word = "relapse" if stated or 0 < followable >= least else "next_line"
    why = (
        f"endpoint {word}: of {patients:,} patients {status:,} ({_percent(status, patients)}) have a disease status on "
        f"record, {followable:,} ({_percent(followable, patients)}) M-protein or a free light chain as treatment began "
        f"and later; one of the two is asked of {100 * least_share:.0f} %"
    )
    return Endpoint(word, stated, why)


def faults(count: Counts, found: Endpoint) -> Faults:
    """Stated progressions that are not read."""
    unread = 0 if found.stated else count.get("progressions", 0)
    expected = "a disease status of enough patients, or none"
    return warning("measurement", unread, expected, "not read: least_share sets what is enough", "value_as_concept_id",
                   "progression(s)")  # fmt: skip


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.0f} %"
