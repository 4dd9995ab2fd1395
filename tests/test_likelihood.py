"""The partial likelihood by hand, against R in every combination, and by what must hold of every fit.

The figures of R are in tests/reference/hazards_*.csv, made by tests/reference/make_reference_hazards.R (survival 3.5-3;
see sessionInfo.txt there).
"""

from dataclasses import replace
from fractions import Fraction as F
from functools import cache
from math import log
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.estimate import likelihood
from analysis.estimate.hazards import fit_cox
from analysis.estimate.likelihood import maximise, partial, risk_sets, with_sandwich

REFERENCE = Path(__file__).parent / "reference"
TERMS = "age + sex + stage + marker"
LAW = settings(max_examples=40, deadline=None, derandomize=True)

# Seven subjects in no order, with ties of events among themselves and with a censoring; x = 1 in three of them.
TIMES, HAD, X = np.array([5, 2, 4, 2, 7, 4, 5]), np.array([1, 1, 1, 1, 0, 0, 1]) == 1, np.array([1, 0, 1, 1, 0, 0, 0])


@cache
def reference(name):
    return pd.read_csv(REFERENCE / f"hazards_{name}.csv", keep_default_na=False, na_values=[""])


def dataset(name):
    data = reference("data")
    return data[data["dataset"] == name].reset_index(drop=True)


def fit_of(ties, cluster, weights, entry, strata, name="simulated", terms=TERMS, cause="relapse"):
    spells = dataset(name)
    spells = spells.assign(weight=spells["weight"] * {"none": 1, "whole": 1, "fractional": 0.37}[weights])
    return fit_cox(
        spells,
        terms,
        cause,
        strata="line" if strata else None,
        cluster="patient_id" if cluster else None,
        entry="entry" if entry else None,
        weight=None if weights == "none" else "weight",
        ties=ties,
        robust=True,
    )


def keys(name, columns):
    return [tuple(row) for row in reference(name)[list(columns)].drop_duplicates().to_numpy()]


def rows_of(name, columns, key):
    table = reference(name)
    return table[(table[list(columns)] == list(key)).all(axis=1)].reset_index(drop=True)


COMBINATION = ("ties", "cluster", "weights", "entry", "strata")

# --- by hand --------------------------------------------------------------------------------------------------------


def seven(efron):
    sets = risk_sets(TIMES, HAD, np.zeros(7, dtype=int), None)
    columns = X[sets.order, None].astype(float)
    problem = partial.Problem(sets, columns, np.ones(7), np.zeros(7), efron)
    return problem, partial.evaluate(problem, np.array([log(2)]))


def score_at(problem, state):
    return partial.score(problem, state, partial.moments(problem, state))


def information_at(problem, state):
    return partial.information(problem, state, partial.moments(problem, state))


# At a hazard ratio of 2, the sums of risks are 10 on day 2 (two events), 7 on day 4 (one), 4 on day 5 (two). Efron's
# second steps have 10 - 3/2 and 4 - 3/2. With one 0/1 covariate each step's mean is p and its variance p (1 - p).
@pytest.mark.parametrize(
    ("efron", "sums", "means"),
    [
        (False, [10, 10, 7, 4, 4], [F(6, 10), F(6, 10), F(4, 7), F(2, 4), F(2, 4)]),
        (True, [10, F(17, 2), 7, 4, F(5, 2)], [F(6, 10), F(10, 17), F(4, 7), F(2, 4), F(2, 5)]),
    ],
)
def test_seven_subjects_by_hand(efron, sums, means):
    problem, state = seven(efron)
    assert state.log_likelihood == pytest.approx(3 * log(2) - sum(log(total) for total in sums), abs=1e-14)
    assert score_at(problem, state).item() == pytest.approx(float(3 - sum(means)), abs=1e-14)
    information = sum(mean * (1 - mean) for mean in means)
    assert information_at(problem, state).item() == pytest.approx(float(information), abs=1e-14)
    last = F(-1) * sum(1 / F(total) for total in sums)  # the subject of day 7, at risk throughout, with risk 1
    found = partial.martingale(problem, state)[np.argsort(problem.sets.order)]
    assert found[4] == pytest.approx(float(last), abs=1e-14)


def test_efrons_tied_events_are_each_half_at_risk_in_the_second_step_by_hand():
    problem, state = seven(efron=True)
    residual = partial.martingale(problem, state)[np.argsort(problem.sets.order)]
    assert residual[1] == pytest.approx(float(1 - (F(1, 10) + F(1, 2) * F(2, 17))), abs=1e-14)
    assert residual[3] == pytest.approx(float(1 - 2 * (F(1, 10) + F(1, 2) * F(2, 17))), abs=1e-14)


def test_the_score_is_zero_and_the_residuals_add_up_at_the_maximum():
    fit = maximise(risk_sets(TIMES, HAD, np.zeros(7, dtype=int), None), X[:, None], ("x",))
    assert fit.converged
    assert likelihood.martingale(fit).sum() == pytest.approx(0, abs=1e-12)
    assert likelihood.score(fit).sum() == pytest.approx(0, abs=1e-12)
    _, residual = likelihood.schoenfeld(fit)
    assert residual.sum() == pytest.approx(0, abs=1e-12)


# --- against R ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", keys("effects", COMBINATION))
def test_coefficients_and_both_errors_as_in_r(key):
    fit, expected = fit_of(*key).fit, rows_of("effects", COMBINATION, key)
    np.testing.assert_allclose(fit.coefficients, expected["coefficient"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.variance)), expected["model_error"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(fit.errors, expected["robust_error"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("key", keys("tests", COMBINATION))
def test_tests_of_the_whole_model_as_in_r(key):
    fit, expected = fit_of(*key).fit, rows_of("tests", COMBINATION, key).iloc[0]
    robust = {name: value for name, value, _, _ in likelihood.tests(fit)}
    plain = {name: value for name, value, _, _ in likelihood.tests(replace(fit, robust=None))}
    found = [fit.null.log_likelihood, fit.state.log_likelihood, robust["likelihood ratio"], robust["score"]]
    found += [plain["Wald"], robust["Wald"], robust["robust score"]]
    names = ["null", "fitted", "likelihood_ratio", "score", "wald", "robust_wald", "robust_score"]
    np.testing.assert_allclose(found, expected[names].astype(float), rtol=1e-11)


BASELINE = ("ties", "weights", "entry", "strata")


@pytest.mark.parametrize("key", keys("baseline", BASELINE))
def test_baseline_hazard_as_in_r_with_delayed_entry_too(key):
    ties, weights, entry, strata = key
    model, expected = fit_of(ties, False, weights, entry, strata), rows_of("baseline", BASELINE, key)
    found = likelihood.hazard(model.fit, np.zeros(5))
    line = model.data.strata["line"].to_numpy()[found.stratum] if strata else 0
    ours = pd.DataFrame({"line": line, "time": found.time, "jump": found.jump})
    ours["ours"] = ours.groupby("line")["jump"].cumsum()
    both = expected.merge(ours, on=["line", "time"], how="outer")
    assert both["hazard"].notna().all()
    carried = both.sort_values(["line", "time"]).groupby("line")["ours"].ffill().fillna(0)  # R has censoring times too
    np.testing.assert_allclose(carried, both.sort_values(["line", "time"])["hazard"], rtol=0, atol=1e-12)


OTHER = ("dataset", "ties", "entry", "strata", "cause")


@pytest.mark.parametrize("key", keys("others", OTHER))
def test_hard_and_real_data_as_in_r(key):
    name, ties, entry, strata, cause = key
    expected = rows_of("others", OTHER, key)
    terms = " + ".join(dict.fromkeys(expected["term"].str.replace("sexmale", "sex")))
    model = fit_of(ties, False, "whole", entry, strata, name, terms, cause)
    np.testing.assert_allclose(model.fit.coefficients, expected["coefficient"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(np.sqrt(np.diag(model.fit.variance)), expected["model_error"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(model.fit.errors, expected["robust_error"], rtol=0, atol=1e-10)


def test_an_offset_as_in_r():
    data, expected = dataset("simulated"), reference("offset")
    had, columns = (data["event"] == "relapse").to_numpy(), data[["age", "marker"]].to_numpy(float)
    sets = risk_sets(data["time"].to_numpy(), had, np.zeros(len(data), dtype=int), data["entry"].to_numpy())
    fit = maximise(sets, columns, ("age", "marker"), offset=0.3 * data["line"].to_numpy())
    fit = with_sandwich(fit, data["patient_id"].to_numpy() - 1)
    np.testing.assert_allclose(fit.coefficients, expected["coefficient"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(fit.errors, expected["robust_error"], rtol=0, atol=1e-12)


def test_an_offset_that_all_share_goes_into_the_baseline():
    sets = risk_sets(TIMES, HAD, np.zeros(7, dtype=int), None)
    plain, shifted = (maximise(sets, X[:, None], ("x",), offset=np.full(7, value)) for value in (0.0, 3.0))
    expected = likelihood.hazard(plain, np.zeros(1)).jump / np.exp(3)
    np.testing.assert_allclose(likelihood.hazard(shifted, np.zeros(1)).jump, expected, rtol=1e-12)


def shown(label):
    strata, entry, weights, cluster, ties = label.split()
    return fit_of(ties, cluster == "TRUE", weights, entry == "TRUE", strata == "TRUE").fit


@pytest.mark.parametrize("label", [key for (key,) in keys("residuals", ["model"])])
def test_residuals_by_row_as_in_r(label):
    fit, expected = shown(label), rows_of("residuals", ["model"], [label])
    np.testing.assert_allclose(likelihood.martingale(fit), expected["martingale"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(likelihood.score(fit), expected.filter(like="score_"), rtol=0, atol=1e-10)
    np.testing.assert_allclose(likelihood.dfbeta(fit), expected.filter(like="dfbeta_"), rtol=0, atol=1e-12)


@pytest.mark.parametrize("label", [key for (key,) in keys("schoenfeld", ["model"])])
@pytest.mark.parametrize("scaled", [False, True])
def test_schoenfeld_residuals_as_in_r(label, scaled):
    expected = rows_of("schoenfeld", ["model"], [label])
    rows, found = likelihood.schoenfeld(shown(label), scaled)
    assert dataset("simulated")["time"].to_numpy()[rows].tolist() == expected["time"].tolist()
    expected = expected.filter(like="scaled_" if scaled else "plain_").to_numpy()
    order, theirs = np.lexsort(found.round(8).T), np.lexsort(expected.round(8).T)  # within ties R has its own order
    np.testing.assert_allclose(found[order], expected[theirs], rtol=0, atol=1e-10)


# --- what must hold ---------------------------------------------------------------------------------------------------


@st.composite
def cohorts(draw):
    """Small cohorts with ties, strata, late entries, whole weights and two covariates."""
    n = draw(st.integers(12, 40))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    entry = np.where(rng.random(n) < 0.3, rng.integers(1, 5, n), 0)
    return {
        "time": entry + rng.integers(1, 9, n),
        "had": np.append(np.ones(4, dtype=bool), rng.random(n - 4) < 0.6),
        "stratum": rng.integers(0, draw(st.integers(1, 3)), n),
        "entry": entry,
        "columns": np.column_stack([rng.integers(0, 5, n), rng.standard_normal(n)]),
        "weight": rng.integers(1, 4, n).astype(float),
        "cluster": rng.integers(0, n // 2, n),
    }


def solved(c, efron=True):
    sets = risk_sets(c["time"], c["had"], c["stratum"], c["entry"])
    fit = maximise(sets, c["columns"], ("a", "b"), c["weight"], efron=efron)
    return with_sandwich(fit, np.unique(c["cluster"], return_inverse=True)[1])


def assert_same(one, two, robust=True):
    for found, expected in [(one.coefficients, two.coefficients), (one.variance, two.variance)]:
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)
    if robust:
        np.testing.assert_allclose(one.robust, two.robust, rtol=1e-7, atol=1e-9)


@LAW
@given(cohorts(), st.booleans(), st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(c, efron, seed):
    order = np.random.default_rng(seed).permutation(len(c["time"]))
    shuffled = {name: values[order] for name, values in c.items()}
    one, two = solved(c, efron), solved(shuffled, efron)
    assert_same(one, two)
    if one.converged:
        np.testing.assert_allclose(likelihood.martingale(one)[order], likelihood.martingale(two), atol=1e-8)


@LAW
@given(cohorts())
def test_breslow_weights_of_two_equal_each_row_twice(c):
    doubled = {name: np.repeat(values, 2, axis=0) for name, values in c.items()}
    c = {**c, "weight": 2 * c["weight"]}
    assert_same(solved(c, efron=False), solved(doubled, efron=False))


@LAW
@given(cohorts(), st.booleans())
def test_strata_clusters_and_times_are_labels(c, efron):
    relabelled = {**c, "stratum": 7 - 3 * c["stratum"], "cluster": -5 * c["cluster"]}
    in_months = {**c, "time": c["time"] / 30.4375, "entry": c["entry"] / 30.4375}
    assert_same(solved(c, efron), solved(relabelled, efron))
    assert_same(solved(c, efron), solved(in_months, efron))


@LAW
@given(cohorts(), st.booleans())
def test_moving_and_scaling_a_covariate_moves_nothing_but_its_coefficient(c, efron):
    one, two = solved(c, efron), solved({**c, "columns": 1e4 + 1e3 * c["columns"]}, efron)
    np.testing.assert_allclose(one.coefficients, 1e3 * two.coefficients, rtol=1e-6, atol=1e-8)


@LAW
@given(cohorts())
def test_the_derivatives_are_those_of_the_likelihood(c):
    sets = risk_sets(c["time"], c["had"], c["stratum"], c["entry"])
    columns = c["columns"][sets.order] / 3
    problem = partial.Problem(sets, columns, c["weight"][sets.order], np.zeros(len(columns)), True)
    here, small = np.array([0.2, -0.3]), 1e-5
    state = partial.evaluate(problem, here)
    for place in range(2):
        step = small * np.eye(2)[place]
        up, down = (partial.evaluate(problem, here + sign * step) for sign in (1, -1))
        slope = (up.log_likelihood - down.log_likelihood) / (2 * small)
        assert score_at(problem, state)[place] == pytest.approx(slope, rel=1e-5, abs=1e-6)
        curve = (score_at(problem, down) - score_at(problem, up)) / (2 * small)
        np.testing.assert_allclose(information_at(problem, state)[place], curve, rtol=1e-5, atol=1e-6)


def test_whoever_is_there_from_the_start_is_at_risk_at_time_0_although_others_enter_late():
    time, entry = np.array([0, 0, 1, 2, 3, 3, 5]), np.array([0, 0, 0, 1, 0, 2, 0])
    later, entered = time + 1, np.where(entry > 0, entry + 1, 0)
    one, two = one_stratum(time, HAD, X, entry=entry), one_stratum(later, HAD, X, entry=entered)
    np.testing.assert_allclose(one.coefficients, two.coefficients, rtol=1e-12)
    assert one.null.log_likelihood == pytest.approx(two.null.log_likelihood, abs=1e-12)


@LAW
@given(cohorts(), st.booleans())
def test_influences_on_coefficients_and_hazards_add_up_to_nothing(c, efron):
    fit = solved(c, efron)
    if not fit.converged or not fit.finite.all() or len(fit.columns) < 2:
        return
    found = likelihood.hazard(fit, np.array([1.0, 0.5]))
    factors = np.random.default_rng(0).random((len(found.time), 3))
    total = np.abs(likelihood.hazard_influence(fit, found, factors)).sum(axis=0)
    np.testing.assert_allclose(likelihood.hazard_influence(fit, found, factors).sum(axis=0) / total, 0, atol=1e-8)


# --- where there is no estimate --------------------------------------------------------------------------------------


def one_stratum(time, had, *columns, entry=None):
    sets = risk_sets(np.asarray(time), np.asarray(had) == 1, np.zeros(len(time), dtype=int), entry)
    names = tuple("abcdef"[: len(columns)])
    return maximise(sets, np.column_stack(columns).astype(float), names)


def test_separation_is_told_and_spares_the_other_terms():
    rng = np.random.default_rng(1)
    time, other = rng.integers(1, 30, 60), rng.standard_normal(60)
    group = np.arange(60) < 20
    had = ~group & (rng.random(60) < 0.7)  # nobody of the group has the event
    fit = one_stratum(time, had, group, other)
    assert np.isnan(fit.coefficients[0])
    assert "minus infinity" in fit.notes[0]
    assert "separation" in fit.notes[0]
    # With the coefficient at minus infinity the group is never at risk: the rest is the fit without it.
    rest = one_stratum(time[~group], had[~group], other[~group])
    assert fit.coefficients[1] == pytest.approx(rest.coefficients[0], abs=1e-5)
    assert fit.errors[1] == pytest.approx(rest.errors[0], abs=1e-5)
    assert fit.notes[1] == ""


def test_separation_by_a_sum_of_terms_is_told_of_all_of_them():
    time = np.arange(1, 31)
    reference_level = time > 20  # the level without events is the reference, so both others go to infinity
    one, two = (time <= 20) & (time % 2 == 0), (time <= 20) & (time % 2 == 1)
    fit = one_stratum(time, ~reference_level, one, two)
    assert np.isnan(fit.coefficients).all()
    assert all("plus infinity" in note for note in fit.notes)


@pytest.mark.parametrize("seed", range(12))
def test_as_many_terms_as_can_be_separate_all(seed):
    # Five covariates order six subjects in any way: the likelihood of the order seen rises to 1.
    rng = np.random.default_rng(seed)
    fit = one_stratum(np.arange(1, 7), np.ones(6), *rng.standard_normal((5, 6)))
    assert np.isnan(fit.coefficients).all()
    assert all("separation" in note for note in fit.notes)


def test_a_likelihood_that_goes_flat_on_the_way_is_separation_too():
    # Found by trying: the information becomes singular before the steps show their pattern; R warns "may be infinite".
    time, had = [7, 9, 2, 6, 1, 3, 3, 1, 7, 7, 1], np.array([0, 1, 0, 1, 1, 1, 1, 0, 0, 1, 0]) == 1
    a = [1, 0, 1, 2, 0, 2, 1, 1, 2, 1, 2]
    b = [0.2599, -0.1631, -0.3597, 0.2235, -0.5922, 0.2132, 0.5924, 0.3106, -0.5436, 0.1501, -0.2111]
    c = [0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0]
    stratum, entry = np.array([0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0]), np.array([0, 3, 0, 0, 0, 0, 0, 0, 3, 0, 0])
    weight = np.array([2, 1, 2, 1, 2, 3, 3, 1, 3, 1, 2])
    sets = risk_sets(np.array(time), had, stratum, entry)
    fit = maximise(sets, np.column_stack([a, b, c]), ("a", "b", "c"), weight)
    assert np.isnan(fit.coefficients).all()
    assert all("separation" in note for note in fit.notes)


def test_an_infinite_risk_of_one_never_at_risk_spoils_nothing():
    rng = np.random.default_rng(7)
    time, x = np.append(rng.integers(2, 30, 40), 1), np.append(rng.integers(0, 2, 40), 1e6)
    had = np.append(np.ones(40), 0)  # the last leaves before the first event, with a covariate beyond all measure
    fit, without = one_stratum(time, had, x), one_stratum(time[:-1], had[:-1], x[:-1])
    assert fit.coefficients[0] == pytest.approx(without.coefficients[0], rel=1e-6)


def test_a_large_but_finite_coefficient_is_not_called_infinite():
    rng = np.random.default_rng(3)
    group = np.arange(4000) < 2000
    time = np.where(group, rng.exponential(0.01, 4000), rng.exponential(1, 4000))
    fit = one_stratum(time, np.ones(4000), group, rng.standard_normal(4000))
    assert fit.converged
    assert fit.coefficients[0] == pytest.approx(log(100), abs=0.5)


def test_constant_and_collinear_columns_are_named_and_the_rest_stays():
    rng = np.random.default_rng(2)
    time, a, b = rng.integers(1, 40, 80), rng.standard_normal(80), rng.integers(0, 2, 80)
    fit = one_stratum(time, np.ones(80), a, np.full(80, 0.1), b, 2 * a - 3 * b + 1)
    alone = one_stratum(time, np.ones(80), a, b)
    np.testing.assert_allclose(fit.coefficients[[0, 2]], alone.coefficients, atol=1e-12)
    assert np.isnan(fit.coefficients[[1, 3]]).all()
    assert "constant" in fit.notes[1]
    assert fit.notes[3] == "no estimate: collinear, a sum of 'a', 'c'"


@pytest.mark.parametrize("seed", range(12))
def test_collinear_columns_are_found_whatever_their_scale(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, 60)) * 10 ** rng.uniform(-4, 4, (2, 1))
    fit = one_stratum(rng.integers(1, 20, 60), np.ones(60), a, b, 0.3 * a / a.std() + 0.7 * b / b.std() + 5)
    assert fit.notes == ("", "", "no estimate: collinear, a sum of 'a', 'b'")


def test_nearly_collinear_columns_are_estimated():
    rng = np.random.default_rng(1)
    a, noise = rng.standard_normal((2, 200))
    fit = one_stratum(rng.integers(1, 60, 200), np.ones(200), a, a + 1e-3 * noise)
    assert fit.notes == ("", "")
    assert fit.errors[1] > 10


def test_a_column_that_varies_only_between_strata_is_constant():
    stratum = np.repeat([0, 1], 20)
    time = np.tile(np.arange(1, 21), 2)
    sets = risk_sets(time, np.ones(40, dtype=bool), stratum, None)
    fit = maximise(sets, np.column_stack([stratum, np.sin(time)]), ("stratum", "x"))
    assert "constant" in fit.notes[0]
    assert np.isfinite(fit.coefficients[1])


def test_a_fit_that_does_not_converge_says_so(monkeypatch):
    monkeypatch.setattr("analysis.estimate.likelihood.newton._MOST_STEPS", 1)
    fit = maximise(risk_sets(TIMES, HAD, np.zeros(7, dtype=int), None), X[:, None], ("x",))
    assert not fit.converged
    assert np.isnan(fit.coefficients).all()
    assert "not converged after 1 steps" in fit.notes[0]


def test_many_strata_and_large_offsets_lose_no_digits():
    # Pairs matched on a stratum each, with wildly different offsets: the likelihood is that of a logistic regression.
    rng = np.random.default_rng(5)
    pairs = 3000
    stratum, x = np.repeat(np.arange(pairs), 2), rng.standard_normal(2 * pairs)
    had = np.tile([True, False], pairs)
    sets = risk_sets(np.ones(2 * pairs), had, stratum, None)
    plain = maximise(sets, x[:, None], ("x",))
    shifted = maximise(sets, x[:, None], ("x",), offset=np.repeat(rng.uniform(-30, 30, pairs), 2))
    np.testing.assert_allclose(plain.coefficients, shifted.coefficients, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(plain.errors, shifted.errors, rtol=1e-10)


def test_linear_algebra_keeps_to_one_thread_and_gets_the_others_back():
    from threadpoolctl import threadpool_info

    from analysis.estimate.likelihood.threads import one_thread

    def threads():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = threads()
    with one_thread():
        assert set(threads()) <= {1}
    assert threads() == before
