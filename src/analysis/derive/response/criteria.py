"""Which reading of the response criteria is used: every choice in one place, checked before any work."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

_WORDS = {
    "imwg_version": (2016, 2011),
    "mode": ("strict", "lab_only"),
    "nadir_mode": ("confirmed", "any"),
    "confirm_rule": ("two_samples", "one_sample"),
    "follow": ("measurable", "m_protein_always"),
    "measurable_at": ("line", "ever"),
}
_AT_LEAST_ZERO = ("baseline_before_days", "baseline_after_days", "carry_days", "clinical_before_days")


@dataclass(frozen=True)
class Criteria:
    """The choices, with their defaults.

    imwg_version
        2016 (Kumar, Lancet Oncol 17:e328) or 2011 (Rajkumar, Blood 117:4691). They differ in: a serum rise of
        1 g/dL suffices from a lowest value of 5 g/dL (2016) or where the line began with 5 g/dL (2011); marrow
        progression asks a rise of 10 points (2016) or a level of 10 % (2011); calcium above 11.5 mg/dL is progression
        (2011 only), and marks a clinical relapse above 11 (2016) or 11.5 mg/dL (2011); minor response asks that a
        plasmacytoma shrank by 50 % (2016) or 25 % (2011), and in 2011 a urine M-protein still above 200 mg/24 h.
    mode
        "strict": what a criterion asks and nobody measured counts as not met, and the response goes down one level;
        imaging counts; free light chains and marrow are followed only where serum and urine are known not to be
        measurable. "lab_only": what nobody measured counts as met (no urine: not measurable), imaging is not read.
    nadir_mode
        reference of a progression: the lowest value that two consecutive samples reach ("confirmed": the larger of
        the two; baseline counts alone), or the lowest of any sample ("any").
    confirm_rule
        "two_samples": the next sample must agree, whenever it is; "one_sample": none needs to.
    follow
        progression by M-protein only where it was measurable ("measurable"), or wherever it has a baseline.
    measurable_at
        measurable at the start of this "line", or of this or any earlier line ("ever").
    baseline_before_days, baseline_after_days
        a baseline is the last sample up to so many days before the start of the line, its first day included; failing
        that the first within so many days after.
    carry_days
        how long a urine, serum or immunofixation result speaks for later days.
    clinical_before_days
        a relapse is clinical when one of its signs is on record from so many days before progression up to the
        confirming sample.
    death_confirms_days
        a progression whose confirming sample never came is confirmed by a death of any cause within so many days;
        left out, only by a death that FINDINGS calls one of progression ("cause of death", "progression").
    mrd_sensitivity
        a negative MRD result counts when its stated sensitivity is at least as fine; one without counts too.
    """

    imwg_version: int = 2016
    mode: str = "strict"
    nadir_mode: str = "confirmed"
    confirm_rule: str = "two_samples"
    follow: str = "measurable"
    measurable_at: str = "line"
    baseline_before_days: int = 60
    baseline_after_days: int = 7
    carry_days: int = 30
    clinical_before_days: int = 60
    death_confirms_days: int | None = None
    mrd_sensitivity: float = 1e-5


def criteria(**choices) -> Criteria:
    """Which reading is meant? Returns Criteria; a name or word that is not known is refused, all faults at once.

    Example
    -------
    >>> criteria(imwg_version=2011).nadir_mode
    'confirmed'
    """
    known = [field.name for field in dataclasses.fields(Criteria)]
    faults = [f"{name}: not a choice; expected one of {known}" for name in choices if name not in known]
    chosen = Criteria(**{name: value for name, value in choices.items() if name in known})
    for name, words in _WORDS.items():
        if getattr(chosen, name) not in words:
            faults.append(f"{name}: expected one of {list(words)}, came {getattr(chosen, name)!r}")
    days = {name: getattr(chosen, name) for name in _AT_LEAST_ZERO}
    if chosen.death_confirms_days is not None:
        days["death_confirms_days"] = chosen.death_confirms_days
    faults += [f"{name}: expected days from 0, came {value!r}" for name, value in days.items() if not value >= 0]
    if not 0 < chosen.mrd_sensitivity < 1:
        faults.append(f"mrd_sensitivity: expected a share such as 1e-5, came {chosen.mrd_sensitivity!r}")
    if faults:
        raise ValueError("response: " + "; ".join(faults))
    return chosen
