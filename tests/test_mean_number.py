"""Mean number of relapses: by hand, against R's mets, against derivatives taken one patient at a time, and its laws."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import schema
from analysis.derive import regimens, spells
from analysis.estimate.recurrence import gap_time_distribution, mean_number_of_relapses
from analysis.sources import synthetic

REFERENCE = Path(__file__).parent / "reference"
PATIENTS = pd.read_csv(REFERENCE / "recurrence_spells.csv")
MEAN_NUMBER = pd.read_csv(REFERENCE / "recurrence_mean_number.csv")


def spells_and_survival(dataset: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    data = PATIENTS[PATIENTS["dataset"] == dataset].drop(columns="dataset")
    word = np.where(data["died"] == 1, "death", "censored")
    survival = data.assign(line=1, start_day=0.0, entry=data["entered"], time=data["left"], event=word)
    seen = data.dropna(subset="line")
    # a patient's next line may start on the day on which observation ends
    return seen.astype({"line": int}), survival.drop_duplicates("patient_id")


def by_hand() -> pd.DataFrame:
    """Seven patients, unsorted, with ties: two relapses and a death on day 4, a death and a censoring on day 6."""
    rows = [
        ("e", 1, 0, 4, "death"),
        ("b", 2, 15, 2, "censored"),
        ("a", 1, 0, 4, "relapse"),
        ("c", 1, 0, 6, "death"),
        ("b", 1, 10, 4, "relapse"),
        ("d", 1, 3, 6, "censored"),
        ("a", 2, 5, 3, "relapse"),
        ("f", 1, 7, 9, "relapse"),
        ("g", 1, 0, 10, "censored"),
        ("a", 3, 9, 3, "death"),
        ("f", 2, 18, 1, "censored"),
    ]
    return pd.DataFrame(rows, columns=["patient_id", "line", "start_day", "time", "event"]).assign(entry=0)


def test_by_hand():
    table = schema.check(mean_number_of_relapses(by_hand()), schema.CURVES).set_index("time")
    # at risk 7 on day 4 (relapses of a and b, death of e), then 6 until day 6 (c dies, d lost), b lost on 7
    assert table.index.tolist() == [0, 4, 6, 7, 8, 9, 10, 12]
    assert table["at_risk"].tolist() == [7, 7, 6, 4, 3, 3, 3, 2]
    assert table["events"].tolist() == [0, 2, 0, 0, 1, 1, 0, 0]
    assert table["censored"].tolist() == [0, 0, 1, 1, 0, 0, 1, 1]
    survival = (6 / 7) * (5 / 6)
    expected = [0, 2 / 7, 2 / 7, 2 / 7, 2 / 7 + survival / 3, 2 / 7 + 2 * survival / 3]
    assert table["estimate"].tolist()[:6] == pytest.approx(expected, abs=1e-15)
    assert table.loc[0, ["conf_low", "conf_high", "std_error"]].tolist() == [0, 0, 0]
    # On day 4 the mean is a mean of seven noughts and ones: its error is that of a share.
    assert table.loc[4, "std_error"] == pytest.approx(np.sqrt(2 / 7 * 5 / 7 / 7), abs=1e-15)
    width = np.exp(1.959963984540054 * np.sqrt(10 / 343) * 7 / 2)
    assert table.loc[4, ["conf_low", "conf_high"]].tolist() == pytest.approx([2 / 7 / width, 2 / 7 * width])
    assert (table["note"] == "").all()


@pytest.mark.parametrize("dataset", ["untied", "delayed"])
@pytest.mark.parametrize("by", [None, "group"])
def test_untied_times_give_what_mets_gives(dataset, by):
    spells, survival = spells_and_survival(dataset)
    table = mean_number_of_relapses(spells, by, survival).query("events > 0").reset_index(drop=True)
    there = MEAN_NUMBER[(MEAN_NUMBER["dataset"] == dataset) & ((MEAN_NUMBER["stratum"] == "all") == (by is None))]
    there = there.sort_values(["stratum", "time"], ignore_index=True)
    np.testing.assert_allclose(table["time"], there["time"], rtol=1e-12)
    np.testing.assert_allclose(table["estimate"], there["estimate"], rtol=0, atol=1e-12)
    # mets divides by Y where the derivative has Y - d: 0.08 % of the error at 240 patients, 0.3 % at 95.
    np.testing.assert_allclose(table["std_error"], there["std_error"], rtol=0.0008 if by is None else 0.003)
    assert (table["std_error"] >= there["std_error"] * (1 - 1e-12)).mean() > 0.5


@pytest.mark.parametrize("dataset", ["untied", "delayed"])
def test_the_error_differs_from_mets_by_that_one_divisor(dataset):
    spells, survival = spells_and_survival(dataset)
    there = MEAN_NUMBER[(MEAN_NUMBER["dataset"] == dataset) & (MEAN_NUMBER["stratum"] == "all")]
    table = mean_number_of_relapses(spells, None, survival)
    time, ours, mets = (influences(spells, survival, survivors) for survivors in (None, True, False))
    np.testing.assert_allclose(np.sqrt((ours**2).sum(axis=0)), table["std_error"], rtol=1e-9)
    shown = np.isin(time, table.loc[table["events"] > 0, "time"])
    np.testing.assert_allclose(np.sqrt((mets**2).sum(axis=0))[shown], there["std_error"], rtol=1e-6)


def influences(spells, survival, survivors):
    """Influences of each patient at each time, a matrix; the divisor for deaths Y - d, or Y. Or the times."""
    time = np.unique(np.concatenate([[0.0], survival["time"], event_days(spells)]))
    if survivors is None:
        return time
    entered, left = (survival[name].to_numpy()[:, None] for name in ("entry", "time"))
    at_risk = ((entered < time) | (entered == 0)) & (time <= left)
    died = at_risk & (time == left) & (survival["event"] == "death").to_numpy()[:, None]
    relapsed = np.zeros(at_risk.shape)
    relapses = spells[spells["event"] == "relapse"]
    place = survival["patient_id"].reset_index(drop=True)
    rows = pd.Index(place).get_indexer(relapses["patient_id"])
    np.add.at(relapsed, (rows, np.searchsorted(time, (relapses["start_day"] + relapses["time"]).to_numpy())), 1)
    total, deaths = at_risk.sum(axis=0), died.sum(axis=0)
    survival_before = np.concatenate([[1.0], np.cumprod(1 - deaths / total)[:-1]])
    rate = relapsed.sum(axis=0) / total
    steps = np.cumsum((died - at_risk * deaths / total) / (total - deaths if survivors else total), axis=1)
    before = np.concatenate([np.zeros((len(steps), 1)), steps[:, :-1]], axis=1)
    return np.cumsum(survival_before * ((relapsed - at_risk * rate) / total - before * rate), axis=1)


def event_days(spells):
    return (spells["start_day"] + spells["time"])[spells["event"] == "relapse"]


@pytest.mark.parametrize("dataset", ["days", "months"])
def test_the_error_with_ties_is_the_derivative_too(dataset):
    spells, survival = spells_and_survival(dataset)
    expected = np.sqrt((influences(spells, survival, True)[:, :-1] ** 2).sum(axis=0))
    table = mean_number_of_relapses(spells, None, survival)
    np.testing.assert_allclose(table["std_error"][:-1], expected, rtol=1e-9)


def test_with_ties_mets_counts_the_second_relapse_of_a_day_among_one_patient_less():
    spells, survival = spells_and_survival("tied")
    ours = mean_number_of_relapses(spells, None, survival).query("events > 0")["estimate"].tolist()
    there = MEAN_NUMBER.loc[MEAN_NUMBER["dataset"] == "tied", "estimate"].tolist()
    assert ours == pytest.approx([2 / 4, 2 / 4 + 1 / 4], abs=1e-15)
    assert there == pytest.approx([1 / 4, 1 / 4 + 1 / 3, 1 / 4 + 1 / 3 + 1 / 4], abs=1e-15)


def last_of(table: pd.DataFrame) -> pd.Series:
    return table.iloc[-1]


def test_without_censoring_it_is_the_mean_count_and_its_error():
    spells, survival = spells_and_survival("days")
    spells = spells.replace({"event": {"censored": "death"}})
    table = mean_number_of_relapses(spells, None, survival.assign(event="death"), conf_type="plain")
    number = (spells["event"] == "relapse").groupby(spells["patient_id"]).sum()
    assert last_of(table)["estimate"] == pytest.approx(number.mean())
    shown = table[table["time"] < survival["time"].max()].iloc[-1]
    assert shown["std_error"] == pytest.approx(number.std(ddof=0) / np.sqrt(len(number)), rel=1e-6)
    assert shown["conf_high"] - shown["estimate"] == pytest.approx(1.959963984540054 * shown["std_error"])


def test_strata_are_the_curves_of_their_own_patients():
    spells, survival = spells_and_survival("delayed")
    table = mean_number_of_relapses(spells, "group", survival)
    for group, rows in survival.groupby("group"):
        alone = mean_number_of_relapses(spells[spells["group"] == group], None, rows)
        mine = table[table["stratum"] == group].reset_index(drop=True)
        pd.testing.assert_frame_equal(mine.drop(columns=["stratum", "group"]), alone.drop(columns="stratum"))
        assert (mine["group"] == group).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_laws(seed, delayed):
    spells, survival = spells_and_survival("months" if not delayed else "delayed")
    rng = np.random.default_rng(seed)
    kept = rng.choice(survival["patient_id"], 20, replace=False)
    spells, survival = (frame[frame["patient_id"].isin(kept)] for frame in (spells, survival))
    table = mean_number_of_relapses(spells, None, survival)
    shuffled = mean_number_of_relapses(
        spells.sample(frac=1, random_state=rng.integers(1000)), None, survival.sample(frac=1, random_state=1)
    )
    numbers = ["time", "estimate", "std_error", "conf_low", "conf_high", "at_risk", "events", "censored"]
    np.testing.assert_allclose(table[numbers], shuffled[numbers], rtol=1e-9, atol=1e-12)
    twice = [
        pd.concat([frame, frame.assign(patient_id=frame["patient_id"].astype(str) + " again")])
        for frame in (spells, survival)
    ]
    double = mean_number_of_relapses(twice[0], None, twice[1])
    known = table["estimate"].notna().to_numpy()
    np.testing.assert_allclose(double["estimate"], table["estimate"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(double["at_risk"], 2 * table["at_risk"])
    inner = known & (table["at_risk"] > 1).to_numpy()
    np.testing.assert_allclose(double["std_error"][inner], table["std_error"][inner] / np.sqrt(2), rtol=1e-7, atol=1e-9)
    fewer = [frame.assign(**{n: frame[n] * 7 for n in ("start_day", "entry", "time")}) for frame in (spells, survival)]
    weeks = mean_number_of_relapses(fewer[0], None, fewer[1])
    np.testing.assert_allclose(weeks["time"], 7 * table["time"], rtol=1e-12)
    np.testing.assert_allclose(weeks["std_error"], table["std_error"], rtol=1e-9, atol=1e-12)
    deaths = -np.diff(np.append(table["at_risk"], 0)) - table["censored"]
    if not delayed:
        assert deaths.sum() == (survival["event"] == "death").sum()


def test_without_survival_those_last_seen_at_a_relapse_are_censored_there_and_counted_in_the_note():
    spells = by_hand().query("not (patient_id == 'f' and line == 2)")
    table = mean_number_of_relapses(spells)
    assert table["note"].unique().tolist() == [
        "1 patient(s) censored at a relapse or next line after which nothing is known; hand in `survival`"
    ]
    assert table.set_index("time").loc[9, ["events", "censored"]].tolist() == [1, 1]


def test_where_all_have_died_before_others_entered_nothing_is_known_any_more():
    spells = pd.DataFrame({
        "patient_id": [1, 2, 2, 3], "line": [1, 1, 2, 1], "start_day": [0, 0, 2, 0], "entry": [0, 0, 0, 5],
        "time": [3, 2, 1, 9], "event": ["death", "relapse", "death", "relapse"],
    })  # fmt: skip
    table = mean_number_of_relapses(spells).set_index("time")
    assert table["estimate"].tolist()[:2] == [0, 0.5]
    assert table["estimate"].isna().tolist() == [False, False, True, True]
    assert table.loc[9, "events"] == 1
    assert table.loc[9, "note"].startswith("nobody was left at risk before others entered (3)")


def test_who_enters_on_the_day_another_leaves_is_not_yet_at_risk_on_it():
    spells = pd.DataFrame({
        "patient_id": [1, 2, 3, 3], "line": [1, 1, 1, 2], "start_day": [0, 0, 0, 4], "entry": [0, 4, 0, 0],
        "time": [4, 9, 4, 8], "event": ["death", "relapse", "relapse", "censored"],
    })  # fmt: skip
    table = mean_number_of_relapses(spells).set_index("time")
    assert table["at_risk"].to_dict() == {0: 2, 4: 2, 9: 2, 12: 1}
    assert table["estimate"].to_dict() == {0: 0, 4: 1 / 2, 9: 1 / 2 + 1 / 2 * 1 / 2, 12: 3 / 4}


def test_one_patient_one_day_and_no_relapse_at_all():
    one = pd.DataFrame({"patient_id": ["a"], "line": 1, "start_day": 5, "entry": 0, "time": 8, "event": ["relapse"]})
    table = mean_number_of_relapses(one)
    assert table[["time", "estimate", "std_error"]].values.tolist() == [[0, 0, 0], [8, 1, 0]]
    day = pd.concat([one.assign(patient_id=name, group=name in "ab") for name in "abcd"], ignore_index=True)
    assert mean_number_of_relapses(day)["estimate"].tolist() == [0, 1]
    none = mean_number_of_relapses(day.assign(event=["relapse", "death", "death", "censored"]), "group")
    none = none[none["stratum"] == "no group"]
    assert none["estimate"].tolist() == [0, 0]
    assert none["conf_high"].tolist()[0] == 0
    assert none["conf_high"].isna().tolist() == [False, True]
    at_once = mean_number_of_relapses(one.assign(time=0))
    assert at_once[["time", "estimate", "at_risk"]].values.tolist() == [[0, 1, 1]]


def test_spells_that_derive_makes_are_taken_as_they_are():
    cohort = synthetic.simulate(300, seed=4)
    lines = regimens.lines(cohort)
    for rule in ("extend", "truncate"):
        to_relapse, to_death = (spells.spells(cohort, lines, word, rule) for word in ("relapse", "death"))
        table = schema.check(mean_number_of_relapses(to_relapse, "sex", to_death), schema.CURVES)
        assert table["events"].sum() == (to_relapse["event"] == "relapse").sum()
        assert (table["note"] == "").all()
        first = mean_number_of_relapses(to_relapse, "sex")
        assert first["note"].str.contains("hand in `survival`").all()
        curves = gap_time_distribution(to_relapse, 2, None, to_death)
        assert schema.check(curves, schema.CURVES)["estimate"].notna().all()


def test_spells_that_end_at_the_next_line_are_asked_for_by_name():
    spells = by_hand().replace({"event": {"relapse": "next_line"}})
    with pytest.raises(ValueError, match="ask for event 'next_line'"):
        mean_number_of_relapses(spells)
    found = mean_number_of_relapses(spells, event="next_line")
    assert found["estimand"].unique().tolist() == ["mean number of further lines"]
    assert found["estimate"].tolist() == mean_number_of_relapses(by_hand())["estimate"].tolist()
    with pytest.raises(ValueError, match="event: expected one of"):
        mean_number_of_relapses(spells, event="death")


def test_impossible_limits_and_strata_are_refused():
    with pytest.raises(ValueError, match=r"conf_type: expected one of .* came 'log-log'"):
        mean_number_of_relapses(by_hand(), conf_type="log-log")
    with pytest.raises(ValueError, match="conf_level"):
        mean_number_of_relapses(by_hand(), conf_level=95)
    with pytest.raises(ValueError, match="'line' differs within patients"):
        mean_number_of_relapses(by_hand(), by="line")


def test_no_patients_make_an_empty_table():
    schema.check(mean_number_of_relapses(by_hand().iloc[:0]), schema.CURVES)


def test_the_spells_handed_in_are_not_touched():
    spells, survival = spells_and_survival("delayed")
    before = spells.copy(), survival.copy()
    mean_number_of_relapses(spells, "group", survival)
    pd.testing.assert_frame_equal(spells, before[0])
    pd.testing.assert_frame_equal(survival, before[1])


def changed(row: int, **values) -> pd.DataFrame:
    """The patients by hand in order, with one row changed."""
    spells = by_hand().sort_values(["patient_id", "line"], ignore_index=True)
    spells.index = [f"row {number}" for number in range(len(spells))]
    for name, value in values.items():
        spells[name] = spells[name].astype(object)
        spells.loc[f"row {row}", name] = value
        if name in ("line", "start_day", "entry", "time"):
            spells[name] = spells[name].astype(float)
    return spells


@pytest.mark.parametrize(
    ("spells", "said"),
    [
        (changed(1, time=-1), "column 'time': .* row 1 "),
        (changed(1, time=np.nan), "column 'time': .* row 1 "),
        (changed(1, start_day=np.nan), "column 'start_day': .* row 1;"),
        (changed(0, entry=4), "columns 'entry' and 'time': .* row 0 "),
        (changed(1, entry=1), "column 'entry': expected delayed entry on the first line .* row 1 "),
        (changed(2, event="progressed"), "column 'event': .*'progressed' first in row row 2 "),
        (changed(1, line=1), "'line': expected each pair once; .* row 1 "),
        (changed(1, line=2.5), "column 'line': expected a whole number from 1, came 2.5 first in row row 1;"),
        (changed(2, line=4), "column 'line': expected every line .* row 2 "),
        (changed(1, start_day=2), "expected a line to start no earlier .* row 1 "),
        (changed(0, event="death"), "no line after a death or a censoring; .* row 1 "),
        (changed(3, line=5).query("line > 1"), "came line 2 first of patient 'a', first in row row 1 "),
        (changed(3, patient_id=None), "column 'patient_id': .* row 3"),
        (by_hand().drop(columns="start_day"), "column 'start_day' is missing"),
        (by_hand().assign(event=1), "column 'event': expected words"),
        (by_hand().assign(line="first"), "column 'line': expected numbers"),
    ],
)
def test_faulty_spells_are_refused_by_column_and_row(spells, said):
    with pytest.raises(schema.SchemaError, match=said):
        mean_number_of_relapses(spells)


def survived(**values) -> pd.DataFrame:
    days = {"a": 12, "b": 7, "c": 6, "d": 6, "e": 4, "f": 12, "g": 10}
    start = {"b": 10, "d": 3, "f": 7}
    frame = pd.DataFrame({"patient_id": [*days], "line": 1, "entry": 0, "time": [*days.values()]})
    frame["start_day"] = [start.get(name, 0) for name in days]
    return frame.assign(event=["death" if name in "ace" else "censored" for name in days]).assign(**values)


@pytest.mark.parametrize(
    ("survival", "said"),
    [
        (survived(event="relapse"), "given as survival.*\n.*expected 'death' or 'censored', came 'relapse' .* row 0 "),
        (survived().iloc[:4], "came none for 'e', in row 0 of the spells"),
        (pd.concat([survived(), survived()], ignore_index=True), "first repeated in row 7"),
        (survived(time=5), "came 'death' after observation from 0 to 4 in a survival from 0 to 5, first in row 0 "),
        (survived(event="censored"), "came 'death' after observation from 0 to 4 in a survival from 0 to 4, .* row 0 "),
        (survived(entry=1), "in a survival from 1 to 4, first in row 0 "),
        (survived(time=99), "came 'death' after observation from 0 to 4 in a survival from 0 to 99"),
        (survived(start_day=1), "inside the patient's survival"),
    ],
)  # fmt: skip
def test_a_survival_that_contradicts_the_spells_is_refused(survival, said):
    assert mean_number_of_relapses(by_hand(), None, survived())["estimate"].notna().all()
    with pytest.raises(schema.SchemaError, match=said):
        mean_number_of_relapses(by_hand(), None, survival)


def test_a_stratum_that_changes_from_line_to_line_is_refused():
    spells = by_hand().assign(stage=lambda rows: rows["line"])
    with pytest.raises(schema.SchemaError, match=r"expected one value per patient, .* first in row 1 "):
        mean_number_of_relapses(spells, by="stage")
    assert mean_number_of_relapses(spells, "stage", survived(stage="early"))["stratum"].unique().tolist() == ["early"]
