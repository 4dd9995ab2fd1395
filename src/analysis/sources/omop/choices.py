"""What a reader of OMOP tables may choose, checked before any work."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

LOOKBACK_DAYS = 180  # less observation than this before the first treatment is counted, whatever is chosen


@dataclass(frozen=True)
class Choices:
    """The choices, with their defaults.

    death_grace_days
        a death counts up to so many days after the end of the observation period; a later one is cut: the patient was
        last seen alive at that end. None: every death counts, however late, and moves last contact to its day.
        Only the dead are followed for longer by it, so each day of grace raises death and lowers relapse a little; 30
        days because claims end with the month, and a last record is often written some days before a death.
    washout_days
        patients need so many days of observation before their first treatment; with fewer, it may be a later line of
        a disease treated elsewhere. The default is 0, since a hospital's records begin with the first visit, and any
        longer time would leave out those who were truly new; those with less than 180 days are counted. Claims of
        insurers: 180 to 365.
    least_share
        share of the patients who can be followed for a relapse from which on the endpoint is "relapse".
    """

    death_grace_days: int | None = 30
    washout_days: int = 0
    least_share: float = 0.5


def choices(**given) -> Choices:
    """Which reading is meant? A name or a value that is not known is refused, all faults at once.

    Raises
    ------
    ValueError
        naming each choice that is not known or out of its range.

    Example
    -------
    >>> choices(washout_days=180).death_grace_days
    30
    """
    known = [field.name for field in dataclasses.fields(Choices)]
    faults = [f"unknown choice {name!r}; there are {', '.join(known)}" for name in given if name not in known]
    chosen = Choices(**{name: value for name, value in given.items() if name in known})
    days = {"washout_days": chosen.washout_days, "death_grace_days": chosen.death_grace_days}
    faults += [
        f"{name}: expected whole days of at least 0, came {value!r}"
        for name, value in days.items()
        if not (name == "death_grace_days" and value is None) and not _whole(value)
    ]
    if not (isinstance(chosen.least_share, int | float) and 0 < chosen.least_share <= 1):
        faults.append(f"least_share: expected a share above 0 and up to 1, came {chosen.least_share!r}")
    if faults:
        raise ValueError("; ".join(faults))
    return chosen


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
