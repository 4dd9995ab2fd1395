"""What is asked of the engine, in Ibis: myeloma patients, and only their treatments, measurements and status.

Nothing here runs anything, and no calendar date comes out: days since the index day are counted on the engine.
Every table is asked for a range of persons, so that parts of a large source can be pulled one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from analysis.sources.omop.choices import Choices
from analysis.sources.omop.concepts import Words, line_episodes, myeloma, relations
from analysis.sources.omop.layout import AT_START, BASELINE_DAYS, FIRST_DAY, MARKERS, UNSPECIFIED_TRANSPLANTS, WORSENED


@dataclass(frozen=True)
class Selection:
    """The expressions of one source: `tables` as the engine has them, `words` what their concepts mean."""

    tables: dict[str, Any]
    words: Words
    choices: Choices

    def within(self, low: int, high: int) -> Selection:
        """The same, for the persons with an id from `low` to `high`."""
        within = {
            name: table.filter(table.person_id.between(low, high)) if "person_id" in table.columns else table
            for name, table in self.tables.items()
        }
        return Selection(within, self.words, self.choices)

    @cached_property
    def diagnosed(self) -> Any:
        """person_id, diagnosed: first day of a condition of multiple myeloma."""
        condition = self.tables["condition_occurrence"]
        condition = condition.filter(condition.condition_start_date.notnull())
        wanted = myeloma(self.tables)
        of_myeloma = condition.semi_join(wanted, condition.condition_concept_id == wanted.concept_id)
        return of_myeloma.group_by("person_id").aggregate(diagnosed=of_myeloma.condition_start_date.min())

    @cached_property
    def given(self) -> Any:
        """Every drug exposure and procedure of those diagnosed: concept, first and last date, and when diagnosed."""
        import ibis

        drug, procedure = self.tables["drug_exposure"], self.tables["procedure_occurrence"]
        drugs = drug.select(
            "person_id",
            concept_id=drug.drug_concept_id,
            first=drug.drug_exposure_start_date,
            last=ibis.coalesce(drug.drug_exposure_end_date, drug.drug_exposure_start_date),
            is_drug=ibis.literal(1, type="int64"),
            record=_record(drug, "drug_exposure_id"),
        )
        last = procedure.procedure_date
        if "procedure_end_date" in procedure.columns:
            last = ibis.coalesce(procedure.procedure_end_date, last)
        procedures = procedure.select(
            "person_id",
            concept_id=procedure.procedure_concept_id,
            first=procedure.procedure_date,
            last=last,
            is_drug=ibis.literal(0, type="int64"),
            record=_record(procedure, "procedure_occurrence_id"),
        )
        return drugs.union(procedures).join(self.diagnosed, "person_id")

    @cached_property
    def treatments_given(self) -> Any:
        """What of it the vocabulary knows, with the agent's number, from shortly before the diagnosis on."""
        meaning = relations(self.tables, self.words.drugs, alone=UNSPECIFIED_TRANSPLANTS)
        known = self.given.join(meaning, "concept_id").rename(agent="meaning")
        return known.filter(known["first"].isnull() | (known["first"].delta(known.diagnosed, unit="day") >= FIRST_DAY))

    @cached_property
    def index(self) -> Any:
        """person_id, diagnosed, index_date: the first treatment of myeloma that is neither steroid nor support."""
        treated = self.treatments_given
        treated = treated.filter(treated.agent.isin(self.words.treating), treated["first"].notnull())
        return treated.group_by(["person_id", "diagnosed"]).aggregate(index_date=treated["first"].min())

    @cached_property
    def observed(self) -> Any:
        """The patients: index, entry, and the last contact and death that count (`death_counted`, `watched_until`).

        Records count from `entry` to `watched_until`, the end of the one observation period or the death before it. A
        death within the grace after that end moves `last_contact`, but no record of that time is read.
        """
        import ibis

        alive = self.begun
        until, death, grace = alive.period_end, alive.death_date, self.choices.death_grace_days
        in_time = ibis.literal(True) if grace is None else death.delta(until, unit="day") <= grace
        dated = alive.mutate(
            lookback=alive.index_date.delta(alive.entry, unit="day"),
            death_counted=ibis.ifelse(in_time, death, ibis.null("date")),
            watched_until=ibis.ifelse(death <= until, death, until),
        )
        dated = dated.mutate(last_contact=ibis.coalesce(dated.death_counted, dated.period_end))
        return dated.filter(dated.lookback >= self.choices.washout_days)

    @cached_property
    def begun(self) -> Any:
        """Index, and the observation period that holds the index day (entry, period_end), of those alive on it."""
        period = self.tables["observation_period"].join(self.index, "person_id")
        period = period.filter(
            period.observation_period_start_date <= period.index_date,
            period.observation_period_end_date >= period.index_date,
        )
        period = period.group_by(["person_id", "diagnosed", "index_date"]).aggregate(
            entry=period.observation_period_start_date.min(), period_end=period.observation_period_end_date.max()
        )
        with_death = period.left_join(self.death, "person_id").drop("person_id_right")
        return with_death.filter(with_death.death_date.isnull() | (with_death.death_date >= with_death.index_date))

    @cached_property
    def death(self) -> Any:
        """person_id, death_date: the earliest where there are several."""
        death = self.tables["death"]
        return death.group_by("person_id").aggregate(death_date=death.death_date.min())

    def patients(self) -> Any:
        """person_id and what PATIENTS takes from it: days, year of the index day, age in completed years, sex."""
        import ibis

        person = self.observed.join(self.tables["person"], "person_id")
        month = ibis.coalesce(person.month_of_birth, 7) if "month_of_birth" in person.columns else ibis.literal(7)
        day = ibis.coalesce(person.day_of_birth, 1) if "day_of_birth" in person.columns else ibis.literal(1)
        before_birthday = person.index_date.month() * 100 + person.index_date.day() < month * 100 + day
        age = person.index_date.year() - person.year_of_birth - before_birthday.ifelse(1, 0)
        return person.select(
            "person_id",
            entry_day=_days(person.entry, person.index_date),
            last_contact_day=_days(person.last_contact, person.index_date),
            death_day=_days(person.death_counted, person.index_date),
            index_year=person.index_date.year().cast("int64"),
            age_years=age.cast("int64"),
            sex=person.gender_concept_id,
        )

    def treatments(self) -> Any:
        """person_id, start_day, end_day (missing: lasts to the end of observation), agent, line (where stated)."""
        import ibis

        given = self.treatments_given.drop("diagnosed").join(self.observed, "person_id")
        given = given.filter(given["first"].between(given.entry, given.watched_until))
        start = _days(given["first"], given.index_date)
        # An exposure that lasts to the end of observation has no end that anybody saw; a procedure has its day.
        ongoing = (given.is_drug == 1) & (given["last"] >= given.watched_until)
        end = ibis.ifelse(ongoing, ibis.null("int64"), _days(given["last"], given.index_date))
        stated = line_episodes(self.tables)
        key = {"start_day": start, "end_day": end}
        if stated is None:
            rows = given.select("person_id", "agent", **key)
            return rows.distinct().mutate(line=ibis.null("int64"))
        within = [
            given.person_id == stated.person_id,
            given.agent.notin(self.words.support),
            given["first"] >= stated.line_start,
            stated.line_end.isnull() | (given["first"] <= stated.line_end),
        ]
        rows = (
            given.mutate(**key).left_join(stated, within).select("person_id", "agent", "start_day", "end_day", "line")
        )
        return rows.group_by(["person_id", "agent", "start_day", "end_day"]).aggregate(line=rows.line.max())

    @cached_property
    def measured(self) -> Any:
        """Measurements of the patients under observation, from the disease's first days on."""
        rows = self.tables["measurement"].join(self.observed, "person_id")
        since_diagnosis = rows.measurement_date.delta(rows.diagnosed, unit="day") >= FIRST_DAY
        since_index = rows.measurement_date.delta(rows.index_date, unit="day") >= -BASELINE_DAYS
        return rows.filter(since_diagnosis | since_index, rows.measurement_date.between(rows.entry, rows.watched_until))

    @cached_property
    def values(self) -> Any:
        """Measurements of known tests with a number: person, day, concept, value, unit by concept or else in words."""
        import ibis

        tests = self.words.tests["concept_id"].tolist()
        rows = self.measured
        rows = rows.filter(rows.measurement_concept_id.isin(tests), rows.value_as_number.notnull())
        unit = ibis.coalesce(rows.unit_concept_id, 0)
        nothing = ibis.null("string")
        said = rows.unit_source_value if "unit_source_value" in rows.columns else nothing
        return rows.select(
            "person_id",
            day=_days(rows.measurement_date, rows.index_date),
            concept_id=rows.measurement_concept_id,
            value=rows.value_as_number,
            unit_id=unit,
            unit_text=ibis.ifelse(unit == 0, said, nothing),
        )

    def labs(self) -> Any:
        """The values that LABS takes; those that come twice are dropped with those that are the same in other units."""
        return self.values.filter(self.values.value >= 0)

    def markers(self) -> Any:
        """The values of M-protein and free light chains, by which a relapse can be judged."""
        tests = self.words.tests
        return self.values.filter(
            self.values.concept_id.isin(tests.loc[tests["test"].isin(MARKERS), "concept_id"].tolist())
        )

    def followable(self) -> Any:
        """person_id of those with one same marker both as the first treatment began and later: a relapse can show.

        Whether the first value was high enough to be measurable is asked line by line when relapses are judged.
        """
        import ibis

        tests = self.words.tests
        numbered = [
            (self.values.concept_id.isin(tests.loc[tests["test"] == marker, "concept_id"].tolist()), number)
            for number, marker in enumerate(MARKERS)
        ]
        rows = self.markers().mutate(marker=ibis.cases(*numbered, else_=-1))
        first, last = AT_START
        each = rows.group_by(["person_id", "marker"]).aggregate(
            at_start=rows.day.between(first, last).ifelse(1, 0).max(), latest=rows.day.max()
        )
        return each.filter(each.at_start == 1, each.latest > last).select("person_id").distinct()

    def stated(self) -> Any | None:
        """The rows of a disease status, of any value; None where measurements carry no concept as value."""
        rows = self.measured
        if "value_as_concept_id" not in rows.columns:
            return None
        return rows.filter(rows.measurement_concept_id.isin(list(self.words.disease_status)))

    def progressions(self) -> Any | None:
        """person_id, day: the disease was stated to be worse; None where measurements carry no concept as value."""
        if (rows := self.stated()) is None:
            return None
        rows = rows.filter(rows.value_as_concept_id == WORSENED)
        return rows.select("person_id", day=_days(rows.measurement_date, rows.index_date)).distinct()


def _record(table: Any, column: str) -> Any:
    """The number by which the source finds a record; missing where it has none."""
    import ibis

    return table[column] if column in table.columns else ibis.null("int64")


def _days(date: Any, since: Any) -> Any:
    return date.delta(since, unit="day").cast("int64")
