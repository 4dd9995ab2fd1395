"""Who is in and who is left out, how long each is watched, and whether a relapse of theirs could be seen."""

from __future__ import annotations

from typing import Any

from analysis.sources.omop.choices import LOOKBACK_DAYS
from analysis.sources.omop.layout import OLDEST
from analysis.sources.omop.selection import Selection
from analysis.sources.omop.told import Counts, Faults, warning
from analysis.sources.parsing import fault

_PATIENTS = "patient(s)"


def counted(selection: Selection) -> dict[str, Any]:
    """What is counted, by kind."""
    period = selection.tables["observation_period"].semi_join(selection.observed, "person_id")
    several = period.group_by("person_id").aggregate(periods=period.count())
    died = selection.death.join(selection.index, "person_id")
    person = selection.patients()
    begun, observed = selection.begun, selection.observed
    late = observed.filter(observed.death_date > observed.period_end)
    stated = selection.stated()
    more = {} if stated is None else {"status": stated.select("person_id").distinct()}
    lookback = begun.index_date.delta(begun.entry, unit="day")
    return {
        "diagnosed": selection.diagnosed,
        "treated": selection.index,
        "begun": begun,
        "observed": observed,
        "washed out": begun.filter(lookback < selection.choices.washout_days),
        "short lookback": observed.filter(observed.lookback < LOOKBACK_DAYS),
        "late deaths": late.filter(late.death_counted.notnull()),
        "deaths cut": late.filter(late.death_counted.isnull()),
        "dead before": died.filter(died.death_date < died.index_date),
        "several periods": several.filter(several.periods > 1),
        "nobody": observed.anti_join(selection.tables["person"], "person_id"),
        "ageless": person.filter(person.age_years.isnull() | ~person.age_years.between(0, OLDEST)),
        "followable": selection.followable(),
        **more,
    }


def faults(count: Counts, selection: Selection) -> Faults:
    """How many patients are left at each step, and why; how long those are watched who stay."""
    diagnosed, treated, observed = (count[name] for name in ("diagnosed", "treated", "observed"))
    if not diagnosed:
        expected = "a patient with multiple myeloma (concept 437233, or one below it in concept_ancestor)"
        return [fault("condition_occurrence", expected, "is this the right database?", "condition_concept_id")]
    if not observed and count["washed out"]:
        expected = f"a patient with {selection.choices.washout_days} days of observation before the first treatment"
        said = f"{expected}; all {count['washed out']:,} have less"
        return [fault("observation_period", said, "ask for fewer washout_days", "observation_period_start_date")]
    if not observed:
        expected = f"a treatment under observation of a myeloma patient; {diagnosed:,} diagnosed, {treated:,} treated"
        return [fault("drug_exposure", expected, "are the drugs coded in RxNorm, and concept_ancestor there?")]
    return _left_out(count, selection) + _watched(count, selection) + _kept(count)


def _left_out(count: Counts, selection: Selection) -> Faults:
    treated, dead = count["treated"], count["dead before"]
    washout = f"{selection.choices.washout_days} days of observation before the first treatment (washout_days)"
    return [
        *warning("condition_occurrence", count["diagnosed"] - treated, "a treatment after each diagnosis of myeloma",
                 "left out: without a first treatment there is no index day", what=_PATIENTS),
        *warning("observation_period", treated - count["begun"] - dead,
                 "an observation period that holds the first treatment",
                 "left out: nobody watched them when it began", what=_PATIENTS),
        *warning("observation_period", count["washed out"], washout,
                 "left out: the first treatment seen may be a later line", "observation_period_start_date", _PATIENTS),
        *warning("death", dead, "no death before the first treatment", "left out; find out which date holds",
                 "death_date", _PATIENTS),
    ]  # fmt: skip


def _watched(count: Counts, selection: Selection) -> Faults:
    grace = selection.choices.death_grace_days
    end = "no death after the end of the observation period"
    return [
        *warning("observation_period", count["short lookback"],
                 f"{LOOKBACK_DAYS} days of observation before the first treatment",
                 "kept: it may be a later line of a disease treated elsewhere; washout_days leaves them out",
                 "observation_period_start_date", _PATIENTS),
        *warning("observation_period", count["several periods"], "one observation period",
                 "the one that holds the first treatment counts; what came in others is not used", what=_PATIENTS),
        *warning("death", count["deaths cut"], f"{end} by more than {grace} days",
                 "cut: alive at that end, where observation stops; death_grace_days sets the days", "death_date",
                 _PATIENTS),
        *warning("death", count["late deaths"], end,
                 "counted, so that only the dead are followed beyond it; death_grace_days sets how far", "death_date",
                 _PATIENTS),
    ]  # fmt: skip


def _kept(count: Counts) -> Faults:
    mend = "add it"
    nobody = count["nobody"]
    missing = [fault("person", f"a row for every patient; came {nobody:,} row(s) otherwise", mend, "person_id")]
    return (missing if nobody else []) + warning(
        "person", count["ageless"], f"a year of birth that makes an age from 0 to {OLDEST}", "kept, age not known",
        "year_of_birth", _PATIENTS,
    )  # fmt: skip
