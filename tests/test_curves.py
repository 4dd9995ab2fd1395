"""Curves by hand, against R, and by what must hold of every curve.

The figures of R are in tests/reference/*.csv, made by tests/reference/make_reference.R (survival 3.5-3, cmprsk 2.2-11,
prodlim 2019.11.13; see sessionInfo.txt there).
"""

import warnings
from fractions import Fraction as F
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import schema
from analysis.estimate.curves import (
    aalen_johansen,
    crude_comparison,
    cumulative_incidence_at,
    follow_up,
    kaplan_meier,
    quantiles,
    risk_table,
)

REFERENCE = Path(__file__).parent / "reference"
WORDS = ("censored", "relapse", "death")
MEASURES = ["estimate", "std_error", "conf_low", "conf_high"]

LAW = settings(max_examples=40, deadline=None, derandomize=True)

# Seven subjects in no order, with ties of events among themselves and with a censoring.
SEVEN = pd.DataFrame(
    {
        "entry": 0,
        "time": [5, 2, 4, 2, 7, 4, 5],
        "event": ["relapse", "death", "relapse", "relapse", "censored", "censored", "death"],
    }
)
AT_RISK, RELAPSES, DEATHS = [7, 5, 3, 1], [1, 1, 1, 0], [1, 0, 1, 0]  # on days 2, 4, 5, 7


def spells_of(times, codes, **columns):
    return pd.DataFrame({"entry": 0, "time": times, "event": [WORDS[code] for code in codes], **columns})


def curve_of(curves, event="any"):
    return curves[(curves["event"] == event) & (curves["time"] > 0)]


# --- by hand --------------------------------------------------------------------------------------------------------


def test_survival_of_seven_subjects_by_hand():
    curve = curve_of(schema.check(kaplan_meier(SEVEN), schema.CURVES))
    survival = [F(5, 7), F(4, 7), F(4, 21), F(4, 21)]
    greenwood = [F(2, 35), F(2, 35) + F(1, 20), F(2, 35) + F(1, 20) + F(2, 3)]
    assert curve["estimate"].tolist() == pytest.approx([float(share) for share in survival], abs=1e-15)
    errors = [float(share) * float(total) ** 0.5 for share, total in zip(survival[:3], greenwood, strict=True)]
    assert curve["std_error"].tolist()[:3] == pytest.approx(errors, abs=1e-15)
    assert curve["at_risk"].tolist() == AT_RISK
    assert curve["events"].tolist() == [2, 1, 2, 0]
    assert curve["censored"].tolist() == [0, 1, 0, 1]


def dinse_larson(events, every, at_risk):
    """Incidence and its variance in exact fractions: the double sum of the delta form, written out (1986, eq. 6)."""
    survival, incidence, steps = F(1), F(0), []
    incidences, variances = [], []
    for d_k, d, y in zip(events, every, at_risk, strict=True):
        incidence += survival * F(d_k, y)
        greenwood = F(d, y * (y - d)) if y > d else F(0)
        own, cross = survival**2 * F(d_k * (y - d_k), y**3), survival * F(d_k, y**2)
        steps.append((incidence, greenwood, own, cross))
        survival *= 1 - F(d, y)
        variances.append(sum(a * (incidence - f) ** 2 + b - 2 * c * (incidence - f) for f, a, b, c in steps))
        incidences.append(incidence)
    return incidences, variances


@pytest.mark.parametrize(("event", "events"), [("relapse", RELAPSES), ("death", DEATHS)])
def test_incidence_of_seven_subjects_by_hand(event, events):
    curve = curve_of(schema.check(aalen_johansen(SEVEN), schema.CURVES), event)
    incidences, variances = dinse_larson(events, [2, 1, 2, 0], AT_RISK)
    by_hand = {"relapse": [F(1, 7), F(2, 7), F(10, 21), F(10, 21)], "death": [F(1, 7), F(1, 7), F(1, 3), F(1, 3)]}
    assert incidences == by_hand[event]
    assert curve["estimate"].tolist() == pytest.approx([float(share) for share in incidences], abs=1e-15)
    assert curve["std_error"].tolist() == pytest.approx([float(share) ** 0.5 for share in variances], abs=1e-15)


def test_incidence_of_eight_subjects_by_exact_fractions():
    curves = aalen_johansen(spells_of([1, 1, 1, 2, 2, 3, 3, 4], [1, 2, 1, 2, 1, 0, 2, 1]))
    assert curve_of(curves, "relapse")["estimate"].tolist() == pytest.approx([0.25, 0.375, 0.375, 0.625], abs=1e-15)
    assert curve_of(curves, "death")["estimate"].tolist() == pytest.approx([0.125, 0.25, 0.375, 0.375], abs=1e-15)


@pytest.mark.parametrize("times", [[6], [0, 6], [1, 2, 3, 4, 5, 6], [0.5, 5.99, 6]])
def test_incidence_does_not_depend_on_the_grid_it_is_read_on(times):
    table = cumulative_incidence_at(spells_of(range(1, 7), [0, 1, 1, 2, 2, 0]), times)
    assert table[(table["event"] == "death") & (table["time"] == 6)]["estimate"].item() == pytest.approx(0.4)


def test_a_curve_starts_at_time_zero_with_certainty_unless_something_happens_there():
    start = kaplan_meier(SEVEN).iloc[0]
    assert start[["time", "estimate", "conf_low", "conf_high", "std_error", "at_risk"]].tolist() == [0, 1, 1, 1, 0, 7]
    start = aalen_johansen(SEVEN).iloc[0]
    assert start[["time", "estimate", "conf_low", "conf_high", "std_error"]].tolist() == [0, 0, 0, 0, 0]
    start = kaplan_meier(spells_of([0, 1], [2, 1])).iloc[0]
    assert start[["time", "estimate", "events"]].tolist() == [0, 0.5, 1]
    assert 0 < start["conf_low"] < 0.5 < start["conf_high"] < 1


def test_a_curve_of_one_event_takes_the_others_for_censored():
    curve = curve_of(kaplan_meier(SEVEN, event="relapse"), "relapse")
    assert curve["estimate"].tolist() == pytest.approx([6 / 7, 24 / 35, 16 / 35, 16 / 35])
    assert curve["censored"].tolist() == [1, 1, 1, 1]
    assert kaplan_meier(SEVEN, event="next_line")["estimate"].eq(1).all()


# --- against R ------------------------------------------------------------------------------------------------------


@cache
def reference(name):
    return pd.read_csv(REFERENCE / f"{name}.csv")


def reference_spells(dataset, weights="none"):
    spells = reference("spells")[reference("spells")["dataset"] == dataset].reset_index(drop=True)
    factor = {"none": 1 / spells["weight"], "whole": 1, "fractional": 0.37}[weights]
    return spells.assign(weight=spells["weight"] * factor)


def pairs(table, *columns):
    return [tuple(row) for row in reference(table)[list(columns)].drop_duplicates().to_numpy()]


def assert_agree(found, expected, on, columns, within):
    """Every row of R's is found, with the same missing values and otherwise the same figures."""
    both = expected.merge(found, on=on, how="left", suffixes=("_r", ""), validate="one_to_one")
    assert len(both) == len(expected)
    for name in columns:
        np.testing.assert_allclose(both[name], both[f"{name}_r"], rtol=0, atol=within, equal_nan=True, err_msg=name)


@pytest.mark.parametrize(("dataset", "conf_type", "weights"), pairs("kaplan_meier", "dataset", "conf_type", "weights"))
def test_kaplan_meier_is_that_of_survfit(dataset, conf_type, weights):
    table = reference("kaplan_meier").query("dataset == @dataset & conf_type == @conf_type & weights == @weights")
    found = kaplan_meier(reference_spells(dataset, weights), "group", weight="weight", conf_type=conf_type)
    columns = [*MEASURES, "at_risk", "events", "censored"]
    assert_agree(found, table, ["stratum", "time"], columns, 1e-12)


@pytest.mark.parametrize(
    ("dataset", "conf_type", "weights"), pairs("aalen_johansen", "dataset", "conf_type", "weights")
)
def test_aalen_johansen_is_that_of_multi_state_survfit(dataset, conf_type, weights):
    table = reference("aalen_johansen").query("dataset == @dataset & conf_type == @conf_type & weights == @weights")
    found = aalen_johansen(reference_spells(dataset, weights), "group", weight="weight", conf_type=conf_type)
    assert_agree(found, table, ["stratum", "event", "time"], MEASURES, 1e-12)


@pytest.mark.parametrize(("dataset", "conf_type"), pairs("quantiles", "dataset", "conf_type"))
def test_quantiles_are_those_of_survfit(dataset, conf_type):
    table = reference("quantiles").query("dataset == @dataset & conf_type == @conf_type & estimand == 'survival'")
    found = quantiles(kaplan_meier(reference_spells(dataset), "group", conf_type=conf_type), [0.25, 0.5, 0.75])
    schema.check(found, schema.QUANTILES)
    assert_agree(found, table, ["stratum", "probability"], ["estimate", "conf_low", "conf_high"], 1e-9)


@pytest.mark.parametrize(("dataset",), pairs("spells", "dataset"))
def test_follow_up_is_the_median_of_survfit_with_the_roles_exchanged(dataset):
    table = reference("quantiles").query("dataset == @dataset & estimand == 'follow-up' & probability == 0.5")
    found = schema.check(follow_up(reference_spells(dataset), "group"), schema.QUANTILES)
    assert set(found["estimand"]) == {"follow-up"}
    assert_agree(found, table, ["stratum", "probability"], ["estimate", "conf_low", "conf_high"], 1e-9)


@pytest.mark.parametrize("conf_type", ["log-log", "plain"])
def test_quantiles_of_small_tied_sets_are_those_of_survfit(conf_type):
    table = reference("small_quantiles").query("conf_type == @conf_type")
    spells = pd.concat(
        spells_of([int(time) for time in times.split()], [2 * int(died) for died in codes.split()], set=number).assign(
            entry=[int(entry) for entry in entries.split()]
        )
        for number, entries, times, codes in table[["set", "entries", "times", "died"]].drop_duplicates().to_numpy()
    )
    curves = kaplan_meier(spells, "set", conf_type=conf_type)
    found = quantiles(curves, [0.25, 0.5, 0.75])
    # Where all at risk had the event before others entered we say nothing; R takes the curve to be 0 from then on.
    ran_out = curves[curves["estimate"].isna()].groupby("set")["time"].min()
    assert len(ran_out) == 20
    silent = found[found["note"].str.startswith("nobody was left")].set_index(["set", "probability"]).index
    unsaid = table.set_index(["set", "probability"]).index.isin(silent)
    assert table["set"][unsaid].isin(ran_out.index).all()
    # Not even a flat stretch that R ends at that time has a middle.
    assert (2 * table["estimate"][unsaid] > table["set"][unsaid].map(ran_out)).all()
    assert not (table["estimate"][~unsaid] >= table["set"][~unsaid].map(ran_out)).any()
    table = table.assign(estimate=table["estimate"].mask(unsaid))
    assert_agree(found, table, ["set", "probability"], ["estimate", "conf_low", "conf_high"], 1e-9)


@pytest.mark.parametrize(("dataset",), pairs("incidence_witnesses", "dataset"))
def test_incidence_at_fixed_times_is_that_of_cuminc_and_prodlim(dataset):
    table = reference("incidence_witnesses").query("dataset == @dataset")
    spells = reference_spells(dataset.split(",")[0])
    spells = spells[spells["entry"] == 0] if "no delay" in dataset else spells
    found = cumulative_incidence_at(spells, table["time"].unique(), "group")
    for theirs, ours in {"cuminc": "estimate", "prodlim": "estimate", "prodlim_std_error": "std_error"}.items():
        expected = table.rename(columns={theirs: ours})[["stratum", "event", "time", ours]]
        assert_agree(found, expected, ["stratum", "event", "time"], [ours], 1e-12)


# --- quantiles and follow-up ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("times", "codes", "median", "note"),
    [
        ([1, 2, 3, 4, 5, 6], [2] * 6, 3.5, "upper limit not reached"),  # S is exactly one half from 3 to 4
        ([1, 2, 3, 4, 5], [2] * 5, 3, "upper limit not reached"),
        ([1, 2, 3, 9], [2, 2, 0, 0], 5.5, "upper limit not reached"),  # flat at one half until the last subject leaves
        ([1, 2, 3, 9], [2, 0, 0, 0], np.nan, "not reached"),
        ([4], [2], 4, "lower and upper limit not reached"),
    ],
)
def test_median_by_the_rule_of_r(times, codes, median, note):
    found = quantiles(kaplan_meier(spells_of(times, codes))).iloc[0]
    assert found["estimate"] == pytest.approx(median, nan_ok=True)
    assert found["note"] == note
    assert found[["subjects", "events"]].tolist() == [len(times), sum(code > 0 for code in codes)]


def test_median_of_an_incidence_is_missing_where_the_rival_takes_too_many():
    found = quantiles(aalen_johansen(spells_of([1, 2, 3, 4], [1, 2, 1, 2]))).set_index("event")
    assert found.loc["relapse", "estimate"] == 3.5  # exactly one half from 3 on, and the last subject leaves at 4
    assert found.loc["relapse", "subjects"] == 4
    found = quantiles(aalen_johansen(spells_of([1, 2, 3, 4, 5], [1, 2, 1, 2, 2]))).set_index("event")
    assert found.loc["relapse", "note"] == "not reached"
    assert found.loc["death", "estimate"] == 5


def test_quantiles_of_an_incidence_mirror_those_of_survival():
    spells = spells_of([1, 2, 2, 3, 4, 5, 6, 6, 7, 9, 9, 9], [1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0])
    columns = ["estimate", "conf_low", "conf_high"]
    survival = quantiles(kaplan_meier(spells, conf_type="plain"), [0.25, 0.4])
    incidence = quantiles(aalen_johansen(spells, conf_type="plain"), [0.25, 0.4])
    assert survival[columns].notna().all(axis=None)
    pd.testing.assert_frame_equal(incidence[columns], survival[columns])


def test_quantiles_keep_the_columns_of_the_strata_and_refuse_impossible_shares():
    spells = spells_of([1, 2, 3, 4], [1, 2, 1, 2], line=[1, 1, 2, 2])
    found = quantiles(aalen_johansen(spells, "line"), [0.25, 0.5])
    assert found["line"].dtype == "int64"
    assert len(found) == 2 * 2 * 2
    for probability in (0, 1, np.nan, [0.5, 2]):
        with pytest.raises(ValueError, match="probability"):
            quantiles(kaplan_meier(spells), probability)


# --- at fixed times -------------------------------------------------------------------------------------------------


def test_nothing_is_said_past_the_last_time_under_observation():
    spells = spells_of([1, 2, 3, 8], [1, 2, 0, 1], line=[1, 1, 1, 2])
    table = cumulative_incidence_at(spells, [3, 4], "line").set_index(["line", "event", "time"])
    late = table.loc[(1, "relapse", 4)]
    assert late[MEASURES].isna().all()
    assert late["note"] == "past the last time under observation (3)"
    assert late[["at_risk", "events", "censored"]].tolist() == [0, 1, 1]
    assert table.loc[(1, "relapse", 3), "estimate"] == pytest.approx(1 / 3)
    assert table.loc[(2, "relapse", 4), ["estimate", "note"]].tolist() == [0, ""]


def test_tables_at_fixed_times_count_at_risk_before_and_events_up_to_the_time():
    table = schema.check(cumulative_incidence_at(SEVEN, [5, 2]), schema.CURVES)
    rows = table[table["event"] == "relapse"][["time", "at_risk", "events", "censored"]].values.tolist()
    assert rows == [[2, 7, 1, 0], [5, 3, 3, 1]]
    late = cumulative_incidence_at(SEVEN.assign(entry=[4, 0, 0, 0, 5, 0, 0]), [3, 5])
    assert late[late["event"] == "death"]["at_risk"].tolist() == [3, 2]


def test_before_the_first_event_the_share_is_zero_without_limits():
    table = cumulative_incidence_at(SEVEN, [0, 1])
    assert table["estimate"].tolist() == [0] * 4
    assert table[table["time"] == 0]["conf_high"].tolist() == [0, 0]
    assert table[table["time"] == 1]["conf_high"].isna().all()


def test_risk_table_by_hand():
    table = schema.check(risk_table(SEVEN, [0, 4, 4.5, 99]), schema.RISK)
    wide = table.pivot_table("count", "time", "state")
    assert wide["at risk"].tolist() == [7, 5, 3, 0]
    assert wide["censored"].tolist() == [0, 0, 1, 2]
    assert wide["relapse"].tolist() == [0, 1, 2, 3]
    assert wide["death"].tolist() == [0, 1, 1, 2]
    late = risk_table(SEVEN.assign(entry=[3, 0, 0, 0, 0, 0, 0]), [0, 3, 4])
    assert late[late["state"] == "not yet entered"]["count"].tolist() == [1, 1, 0]


def test_crude_readings_stand_on_either_side_of_the_incidence():
    spells = spells_of([1, 2, 3, 4, 5, 6], [2, 1, 0, 1, 0, 1])
    table = schema.check(crude_comparison(spells, "relapse", [4]), schema.CURVES).set_index("estimand")
    assert table["estimate"].to_dict() == pytest.approx(
        {"cumulative incidence": 7 / 18, "one minus Kaplan-Meier": 1 - 4 / 5 * 2 / 3, "crude share": 2 / 6}
    )
    for _, row in table.iterrows():
        assert row["conf_low"] < row["estimate"] < row["conf_high"]
    nobody = crude_comparison(spells, "next_line", [4])
    assert nobody["estimate"].tolist() == [0, 0, 0]


def test_impossible_requests_are_refused():
    for request, said in [
        (lambda: kaplan_meier(SEVEN, conf_type="arcsin"), "conf_type"),
        (lambda: aalen_johansen(SEVEN, conf_level=95), "conf_level"),
        (lambda: kaplan_meier(SEVEN, event="progression"), "event: expected one of"),
        (lambda: crude_comparison(SEVEN, "censored", [4]), "event: expected one of"),
        (lambda: risk_table(SEVEN, [-1]), "times"),
        (lambda: cumulative_incidence_at(SEVEN, [np.nan]), "times"),
    ]:
        with pytest.raises(ValueError, match=said):
            request()


def test_no_spells_give_empty_tables_of_the_right_shape():
    nobody = SEVEN.iloc[:0]
    schema.check(kaplan_meier(nobody), schema.CURVES)
    schema.check(aalen_johansen(nobody), schema.CURVES)
    schema.check(cumulative_incidence_at(nobody, [1]), schema.CURVES)
    schema.check(risk_table(nobody, [1]), schema.RISK)
    schema.check(follow_up(nobody), schema.QUANTILES)


def test_a_stratum_without_any_event_has_a_curve_at_zero():
    curves = aalen_johansen(spells_of([3, 4], [0, 0]))
    assert curves[["event", "estimate"]].drop_duplicates().values.tolist() == [["any", 0]]


# --- nobody left before others entered ------------------------------------------------------------------------------

# R 4, survival 3.5-3: survfit(Surv(c(0, 0, 5, 6), c(2, 3, 9, 12), c(1, 1, 1, 0)) ~ 1) prints 0.5, 0, 0, 0.
GAP = spells_of([2, 3, 9, 12], [2, 1, 2, 0]).assign(entry=[0, 0, 5, 6])
EMPTIED = "nobody was left at risk before others entered (3)"


def test_where_all_at_risk_had_the_event_before_others_entered_nothing_is_said():
    survival = schema.check(kaplan_meier(GAP), schema.CURVES)
    assert survival["estimate"].fillna(-1).tolist() == [1, 0.5, -1, -1, -1]
    assert survival["at_risk"].tolist() == [2, 2, 1, 2, 1]
    assert survival["events"].tolist() == [0, 1, 1, 1, 0]
    for curves in (survival, aalen_johansen(GAP), kaplan_meier(GAP.assign(half=0.5), weight="half")):
        assert curves[MEASURES][curves["time"] >= 3].isna().all(axis=None)
        assert curves["estimate"][curves["time"] < 3].notna().all()
    # With nobody to come the curve may fall to 0.
    assert kaplan_meier(GAP.assign(entry=0))["estimate"].notna().all()
    assert kaplan_meier(spells_of([2, 3], [2, 2]).assign(entry=[0, 2]))["estimate"].isna().tolist() == [
        False,
        True,
        True,
    ]
    assert kaplan_meier(spells_of([3, 3], [2, 2]).assign(entry=[0, 2]))["estimate"].tolist() == [1, 0]


def test_tables_and_medians_are_as_silent_as_the_curve_and_say_why():
    table = cumulative_incidence_at(GAP, [2, 4, 10, 13]).set_index(["event", "time"])
    for event, share in (("relapse", 0), ("death", 0.5)):
        assert table.loc[(event, 2), ["estimate", "note"]].tolist() == [share, ""]
        assert table.loc[event].loc[[4, 10, 13], MEASURES].isna().all(axis=None)
        assert table.loc[event]["note"].tolist()[1:] == [EMPTIED, EMPTIED, "past the last time under observation (12)"]
    assert table.loc["death"][["at_risk", "events"]].values.tolist() == [[2, 1], [0, 1], [1, 2], [0, 2]]
    medians = quantiles(kaplan_meier(GAP), [0.25, 0.75])
    assert medians["estimate"].fillna(-1).tolist() == [2, -1]
    assert medians["note"].tolist() == ["upper limit not reached", EMPTIED]
    assert medians["subjects"].tolist() == [4, 4]
    assert quantiles(aalen_johansen(GAP), 0.75)["note"].tolist() == [EMPTIED] * 2
    # One half is reached at 2, but nobody knows for how long the curve stays there: its middle is not known either.
    assert follow_up(GAP.assign(event=["censored", "censored", "death", "death"]))["note"].item() == EMPTIED
    wide = risk_table(GAP, [4, 10]).pivot_table("count", "time", "state")
    assert wide[["at risk", "not yet entered"]].values.tolist() == [[0, 2], [1, 0]]


def test_crude_readings_beside_a_silent_incidence():
    for event, rows in (("relapse", 3), ("next_line", 3)):
        table = crude_comparison(GAP, event, [10]).set_index("estimand")
        assert len(table) == rows
        assert table.loc["cumulative incidence", ["estimate", "note"]].fillna(-1).tolist() == [-1, EMPTIED]
        assert table.loc["crude share", "estimate"] == (0.25 if event == "relapse" else 0)


# --- subjects of a quantile -------------------------------------------------------------------------------------------


def test_quantiles_never_state_a_wrong_number_of_subjects():
    every = aalen_johansen(SEVEN)
    assert quantiles(every)["subjects"].tolist() == [7, 7]
    for word in ("relapse", "death"):
        assert np.isnan(quantiles(every[every["event"] == word])["subjects"].item())
    late = aalen_johansen(SEVEN.assign(entry=[1, 0, 3, 0, 6, 0, 4]))
    assert quantiles(late)["subjects"].tolist() == [7, 7]
    assert quantiles(late[late["event"] == "death"])["subjects"].isna().all()
    alone = pd.concat([kaplan_meier(SEVEN, event=word) for word in ("relapse", "death")])
    assert quantiles(alone)["subjects"].tolist() == [7, 7]
    withheld = every.assign(events=every["events"].mask(every["time"] == 4))
    assert quantiles(withheld)[["subjects", "events"]].isna().all(axis=None)


# --- what must hold of every curve ----------------------------------------------------------------------------------


def made_spells(rows):
    times, entries, codes, groups = zip(*rows, strict=True)
    entry = [entry if entry < time else 0 for time, entry in zip(times, entries, strict=True)]
    return spells_of(times, codes, group=groups).assign(entry=entry)


def rows_of(latest_entry):
    row = st.tuples(st.integers(0, 12), st.integers(0, latest_entry), st.integers(0, 2), st.sampled_from("ab"))
    return st.lists(row, min_size=1, max_size=30).map(made_spells)


ANY_SPELLS, PROMPT_SPELLS = rows_of(latest_entry=8), rows_of(latest_entry=0)
FIGURES = [*MEASURES, "at_risk", "events", "censored"]


def both_curves(spells, **options):
    return pd.concat([kaplan_meier(spells, "group", **options), aalen_johansen(spells, "group", **options)])


def assert_same_curves(one, other, columns=FIGURES, within=1e-10):
    keys = ["estimand", "stratum", "event", "time"]
    one, other = one.set_index(keys).sort_index(), other.set_index(keys).sort_index()
    assert one.index.equals(other.index)
    np.testing.assert_allclose(one[columns], other[columns], rtol=0, atol=within, equal_nan=True)


@LAW
@given(spells=ANY_SPELLS, seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(spells, seed):
    assert_same_curves(both_curves(spells.sample(frac=1, random_state=seed)), both_curves(spells))


@LAW
@given(spells=ANY_SPELLS)
def test_names_of_strata_do_not_matter(spells):
    renamed = both_curves(spells.assign(group=spells["group"].map({"a": "zeta", "b": "alpha"})))
    back = renamed.assign(stratum=renamed["stratum"].map({"zeta": "a", "alpha": "b"}))
    assert_same_curves(back, both_curves(spells))


@LAW
@given(spells=ANY_SPELLS)
def test_names_of_causes_do_not_matter(spells):
    swapped = spells["event"].replace({"relapse": "death", "death": "relapse"})
    curves = both_curves(spells.assign(event=swapped))
    back = curves.assign(event=curves["event"].replace({"relapse": "death", "death": "relapse"}))
    assert_same_curves(back, both_curves(spells))


@LAW
@given(spells=ANY_SPELLS)
def test_a_cohort_counted_twice_has_the_same_curves_and_half_the_variance(spells):
    once, twice = both_curves(spells), both_curves(pd.concat([spells, spells], ignore_index=True))
    assert_same_curves(twice.assign(std_error=twice["std_error"] * 2**0.5), once, ["estimate", "std_error"], 1e-7)
    weighted = both_curves(spells.assign(twice=2), weight="twice")
    assert_same_curves(weighted, twice, within=1e-7)


@LAW
@given(spells=ANY_SPELLS)
def test_equal_fractional_weights_change_neither_curve_nor_error_of_incidence(spells):
    weighted = aalen_johansen(spells.assign(half=0.5), "group", weight="half")
    assert_same_curves(weighted, aalen_johansen(spells, "group"), ["estimate", "std_error"], 1e-7)


@LAW
@given(spells=ANY_SPELLS)
def test_a_weight_of_zero_leaves_the_subject_out(spells):
    weights = np.resize([0.5, 0, 1.25], len(spells))
    weighted = spells.assign(weight=weights)
    assert_same_curves(
        both_curves(weighted, weight="weight"), both_curves(weighted[weights > 0], weight="weight"), within=1e-12
    )


@LAW
@given(spells=ANY_SPELLS)
def test_survival_and_incidences_add_up_to_one(spells):
    survival = kaplan_meier(spells, "group").set_index(["stratum", "time"])["estimate"]
    shares = aalen_johansen(spells, "group").set_index(["stratum", "time"])["estimate"]
    assert shares.isna().groupby(level=[0, 1]).nunique().eq(1).all()  # known for all events or for none
    known = survival.notna()
    assert shares[survival[~known].index].isna().all()
    np.testing.assert_allclose((survival + shares.groupby(level=[0, 1]).sum())[known], 1, atol=1e-12)


@LAW
@given(spells=ANY_SPELLS)
def test_a_curve_is_silent_from_where_all_had_the_event_and_others_were_still_to_enter(spells):
    curves = kaplan_meier(spells, "group")
    for label, rows in spells.groupby("group"):
        ours, silent = curves[curves["stratum"] == label].set_index("time"), None
        for time, at in ours.iterrows():
            emptied = at["at_risk"] == at["events"] > 0 and ((rows["entry"] > 0) & (rows["entry"] >= time)).any()
            if silent is None and emptied and ours.loc[:time, "estimate"].iloc[:-1].gt(0).all():
                silent = time
        unknown = ours.index[ours["estimate"].isna()]
        assert unknown.tolist() == ([] if silent is None else ours.index[ours.index >= silent].tolist())
        assert ours.loc[unknown, ["conf_low", "conf_high", "std_error"]].isna().all(axis=None)


@LAW
@given(spells=ANY_SPELLS, times=st.lists(st.integers(0, 26).map(lambda time: time / 2), min_size=1, max_size=5))
def test_everybody_is_somewhere_at_every_time(spells, times):
    table = risk_table(spells, times, "group")
    sizes = spells.groupby("group").size()
    assert (table["count"] >= 0).all()
    for (stratum, _), number in table.groupby(["stratum", "time"])["count"].sum().items():
        assert number == sizes[stratum]


@LAW
@given(spells=ANY_SPELLS)
def test_censoring_the_rival_never_lowers_the_curve(spells):
    incidence = aalen_johansen(spells, "group")
    for event in ("relapse", "death"):
        mine = incidence[incidence["event"] == event]
        naive = 1 - kaplan_meier(spells, "group", event=event)["estimate"]
        if len(mine):
            known = mine["estimate"].notna().to_numpy() & naive.notna().to_numpy()
            assert (naive.to_numpy() >= mine["estimate"].to_numpy() - 1e-12)[known].all()


@LAW
@given(spells=PROMPT_SPELLS, time=st.integers(0, 12))
def test_the_crude_share_is_never_above_the_incidence(spells, time):
    table = crude_comparison(spells, "relapse", [time], "group").set_index(["estimand", "stratum"])["estimate"]
    known = table["cumulative incidence"].notna()
    assert (table["crude share"][known] <= table["cumulative incidence"][known] + 1e-12).all()
    assert (table["one minus Kaplan-Meier"][known] >= table["cumulative incidence"][known] - 1e-12).all()


@LAW
@given(spells=PROMPT_SPELLS)
def test_one_cause_gives_one_minus_kaplan_meier_with_its_error(spells):
    spells = spells.assign(event=spells["event"].replace("death", "relapse"))
    survival, incidence = kaplan_meier(spells, "group"), aalen_johansen(spells, "group")
    np.testing.assert_allclose(incidence["estimate"], 1 - survival["estimate"], atol=1e-12)
    known = survival["std_error"].notna()
    np.testing.assert_allclose(incidence["std_error"][known], survival["std_error"][known], atol=1e-12)
    assert (incidence["std_error"][~known] == 0).all()


@LAW
@given(spells=ANY_SPELLS)
def test_quantiles_know_the_subjects_of_complete_curves(spells):
    found = quantiles(pd.concat([aalen_johansen(spells, "group"), kaplan_meier(spells, "group", event="death")]))
    assert (found["subjects"] == found["stratum"].map(spells.groupby("group").size())).all()


@LAW
@given(spells=PROMPT_SPELLS)
def test_quantiles_of_one_event_alone_know_the_subjects_only_where_no_other_occurs(spells):
    curves = aalen_johansen(spells, "group")
    sizes = spells.groupby("group").size()
    for word in ("relapse", "death"):
        found = quantiles(curves[curves["event"] == word])
        others = (
            spells[~spells["event"].isin([word, "censored"])].groupby("group").size().reindex(sizes.index).fillna(0)
        )
        expected = sizes.where(others == 0).reindex(found["stratum"])
        np.testing.assert_array_equal(found["subjects"], expected)


@LAW
@given(spells=ANY_SPELLS)
def test_days_and_months_give_the_same_curves(spells):
    months = spells.assign(entry=spells["entry"] / 30.4375, time=spells["time"] / 30.4375)
    curves = both_curves(months)
    assert_same_curves(curves.assign(time=np.round(curves["time"] * 30.4375, 9)), both_curves(spells))


@LAW
@given(spells=ANY_SPELLS)
def test_limits_enclose_the_estimate_and_stay_in_range(spells):
    for conf_type in ("log-log", "log", "plain"):
        curves = both_curves(spells, conf_type=conf_type)
        known = curves.dropna(subset=["conf_low", "conf_high"])
        assert known["conf_low"].between(0, known["estimate"] + 1e-12).all()
        assert known["conf_high"].between(known["estimate"] - 1e-12, 1).all()


def test_arguments_are_left_as_they_were():
    before = SEVEN.copy()
    both_curves(SEVEN.assign(group="a"))
    crude_comparison(SEVEN, "relapse", [3])
    pd.testing.assert_frame_equal(SEVEN, before)


def test_a_median_is_not_read_where_few_are_left():
    spells = pd.DataFrame({"entry": 0, "time": range(1, 21), "event": "death"})
    curve = kaplan_meier(spells)
    assert quantiles(curve)["estimate"].tolist() == [10.5]
    assert quantiles(curve, minimum_at_risk=10)["estimate"].tolist() == [10.5]
    assert quantiles(curve, minimum_at_risk=11)["estimate"].tolist() == [10]  # the flat stretch ends unseen
    assert quantiles(curve, minimum_at_risk=12)["estimate"].isna().all()
    assert quantiles(curve, minimum_at_risk=12)[["subjects", "events"]].values.tolist() == [[20, 20]]
    assert quantiles(curve, minimum_at_risk=30)["note"].tolist() == ["not reached"]


def test_where_everybody_had_the_one_event_the_share_is_one_and_has_no_limits_under_delayed_entry_too():
    # summed up step by step the share is one rounding short of 1, and its limits were 0 and 1
    rng = np.random.default_rng(5)
    time = rng.permutation(np.arange(10, 59))
    spells = pd.DataFrame({"entry": np.where(time > 12, rng.integers(0, 9, 49), 0), "time": time, "event": "death"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        last = aalen_johansen(spells).iloc[-1]
    assert last["estimate"] == 1
    assert last[["conf_low", "conf_high"]].isna().all()
